//! How a payment looks in JSON.

use domain::{
    credits::CreditOverflow,
    holding::Holding,
    ids::{LedgerId, PaymentKey},
    notice::{Action, Status},
    payment::Payment,
    policy::Shortfall,
};
use serde_json::{Value, json};

use super::form::pair;

/// What is known of a payment. Money is in minor units, as the provider gave it.
pub(super) fn payment(
    ledger: &LedgerId,
    key: &PaymentKey,
    payment: &Payment,
    holding: Option<&Holding>,
) -> Result<Value, CreditOverflow> {
    let adjustments = payment.adjustments.values().map(|adjustment| {
        json!({
            "id": adjustment.id.as_str(),
            "action": action(adjustment.action),
            "status": status(adjustment.status),
            "occurred_at": adjustment.occurred_at.to_string(),
            "currency": adjustment.currency.code(),
            "subtotal": adjustment.subtotal.get().to_string(),
            "total": adjustment.total.get().to_string(),
        })
    });
    let paid = payment.paid.as_ref().map(|paid| {
        json!({
            "since": paid.earliest_at.to_string(),
            "completed": paid.completed,
            "subtotal": paid.basket.subtotal.get().to_string(),
            "discount": paid.basket.discount.get().to_string(),
            "tax": paid.basket.tax.get().to_string(),
            "total": paid.basket.total.get().to_string(),
        })
    });
    Ok(json!({
        "ledger": ledger.as_str(),
        "origin": key.origin.as_str(),
        "payment": key.id.as_str(),
        "account": payment.account.as_ref().map(|account| account.as_str()),
        "currency": payment.currency.map(|currency| currency.to_string()),
        "paid": paid,
        "adjustments": adjustments.collect::<Vec<_>>(),
        "received": payment.received.get().to_string(),
        "reversed": payment.reversed.get().to_string(),
        "credits": holding.map(lots).transpose()?,
    }))
}

fn lots(holding: &Holding) -> Result<Value, CreditOverflow> {
    let books = holding.books()?;
    Ok(json!({
        "granted": pair(holding.granted()),
        "refunded": pair(holding.refunded),
        "charged_back": pair(holding.charged_back),
        "awaited": pair(holding.awaited),
        "drawn": {"paid": holding.paid.drawn.to_string(), "gift": holding.gift.drawn.to_string()},
        "left": {"paid": books.paid.to_string(), "gift": books.gift.to_string()},
        "held": books.held.to_string(),
        "owed": books.owed.to_string(),
        "written_off": books.written_off.to_string(),
        "shortfall": match holding.terms.shortfall {
            Shortfall::Owed => "owed",
            Shortfall::WriteOff => "write-off",
        },
    }))
}

const fn action(action: Action) -> &'static str {
    match action {
        Action::Refund => "refund",
        Action::Credit => "credit",
        Action::CreditReverse => "credit_reverse",
        Action::Chargeback => "chargeback",
        Action::ChargebackReverse => "chargeback_reverse",
        Action::Warning => "chargeback_warning",
        Action::WarningReverse => "chargeback_warning_reverse",
    }
}

const fn status(status: Status) -> &'static str {
    match status {
        Status::Pending => "pending_approval",
        Status::Approved => "approved",
        Status::Rejected => "rejected",
        Status::Reversed => "reversed",
    }
}
