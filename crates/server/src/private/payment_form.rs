//! How a payment looks in JSON.

use balance_events::account_view::FreezeView;
use domain::{
    account::DisputeCause,
    case::{Case, ClaimEnd},
    credits::CreditOverflow,
    holding::Holding,
    ids::{LedgerId, OperationId},
    notice::{Action, Adjustment, Status},
    payment::{Clearable, Conclusion, Opening, Paid, Payment, Ruled, Ruling},
    policy::{Policy, Shortfall, Timeline, Unlisted},
};
use serde_json::{Value, json};

use super::{Api, access::Caller, accounts::shown, fault, form::pair, request::FoundPayment};
use crate::problem::Problem;

/// What else is known about a payment.
pub(super) struct Around {
    timeline: Timeline,
    cases: Vec<Case>,
    /// Its open disputes that freeze the account, or would.
    freezes: Vec<FreezeView>,
}

impl Around {
    /// Looks for what belongs to a payment.
    pub(super) fn of(
        api: &Api,
        caller: &Caller<'_>,
        found: &FoundPayment,
    ) -> Result<Self, Problem> {
        let (ledger, payment) = (&caller.ledger, &found.payment);
        let timeline = api.projections.book(ledger).map_err(|error| fault(&error))?.timeline;
        let case = |id: &OperationId| api.projections.case(ledger, *id).transpose();
        let cases = payment.claims.keys().filter_map(case).collect::<Result<_, _>>();
        let cases = cases.map_err(|error| fault(&error))?;
        let mut freezes = Vec::new();
        if let Some(account) = &payment.account {
            let view = api.projections.account(ledger, account).map_err(|error| fault(&error))?;
            if let Some(mut view) = view {
                view.freezes.retain(|id, _| id.payment() == Some(&found.key));
                freezes = shown(ledger, account, caller.served, &view)?.freezes;
            }
        }
        Ok(Self { timeline, cases, freezes })
    }
}

/// What is known of a payment. Money is in minor units, as the provider gave it.
pub(super) fn payment(
    ledger: &LedgerId,
    found: &FoundPayment,
    around: &Around,
) -> Result<Value, CreditOverflow> {
    let FoundPayment { key, payment, holding } = found;
    let conversion = payment.paid.as_ref().and_then(|paid| {
        let policy = around.timeline.at(paid.earliest_at)?;
        Some(conversion(payment, paid, policy))
    });
    Ok(json!({
        "ledger": ledger.as_str(),
        "origin": key.origin.as_str(),
        "payment": key.id.as_str(),
        "account": payment.account.as_ref().map(|account| account.as_str()),
        "customer": payment.customer.as_ref().map(|customer| customer.as_str()),
        "currency": payment.currency.map(|currency| currency.to_string()),
        "paid": payment.paid.as_ref().map(paid),
        "conversion": conversion,
        "opening": payment.opening.map(opening),
        "adjustments": payment.adjustments.values().map(adjustment).collect::<Vec<_>>(),
        "disputes": around.freezes,
        "rulings": payment.rulings.iter().map(ruling).collect::<Vec<_>>(),
        "cases": around.cases.iter().map(case).collect::<Vec<_>>(),
        "received": payment.received.get().to_string(),
        "reversed": payment.reversed.get().to_string(),
        "credits": holding.as_ref().map(lots).transpose()?,
    }))
}

fn paid(paid: &Paid) -> Value {
    json!({
        "since": paid.earliest_at.to_string(),
        "completed": paid.completed,
        "subtotal": paid.basket.subtotal.get().to_string(),
        "discount": paid.basket.discount.get().to_string(),
        "tax": paid.basket.tax.get().to_string(),
        "total": paid.basket.total.get().to_string(),
    })
}

/// By which version of the policy the money became credits: at which rate, at which prices. An
/// imported payment has credits of its own instead.
fn conversion(payment: &Payment, paid: &Paid, policy: &Policy) -> Value {
    let imported = payment.opening.is_some();
    let by_rate = policy.prices.is_empty() || policy.unlisted == Unlisted::Rate;
    let rate = policy.rates.get(&paid.basket.currency).filter(|_| by_rate && !imported);
    let prices = paid.basket.lines.iter().filter(|_| !imported).filter_map(|line| {
        let price = line.price.as_ref()?;
        let credits = policy.prices.get(price)?;
        Some(json!({
            "item": line.item.as_str(),
            "price": price.as_str(),
            "quantity": line.quantity,
            "paid": credits.paid.to_string(),
            "gift": credits.gift.to_string(),
        }))
    });
    json!({
        "policy": policy.version,
        "name": policy.name.as_str(),
        "imported": imported,
        "rate": rate.map(|rate| {
            json!({"currency": paid.basket.currency.code(), "credits": rate.to_string()})
        }),
        "prices": prices.collect::<Vec<_>>(),
    })
}

fn opening(opening: Opening) -> Value {
    json!({"granted": pair(opening.granted), "used": pair(opening.used)})
}

fn adjustment(adjustment: &Adjustment) -> Value {
    json!({
        "id": adjustment.id.as_str(),
        "action": action(adjustment.action),
        "status": status(adjustment.status),
        "occurred_at": adjustment.occurred_at.to_string(),
        "currency": adjustment.currency.code(),
        "subtotal": adjustment.subtotal.get().to_string(),
        "total": adjustment.total.get().to_string(),
    })
}

/// What an operator said of the disputes that were filed until then.
fn ruling(ruling: &Ruling) -> Value {
    let what = match ruling.what {
        Ruled::Concluded(Conclusion::Lost) => "lost",
        Ruled::Concluded(Conclusion::Settled) => "settled",
        Ruled::Cleared(Clearable::Verification) => "verification-cleared",
        Ruled::Cleared(Clearable::Service) => "service-cleared",
    };
    let cause = match ruling.cause {
        DisputeCause::Warning => "warning",
        DisputeCause::Chargeback => "chargeback",
    };
    let filings: Vec<&str> = ruling.filings.iter().map(|id| id.as_str()).collect();
    json!({"cause": cause, "ruling": what, "adjustments": filings})
}

fn case(case: &Case) -> Value {
    let end = case.claim.ended.map(|(_, end)| match end {
        ClaimEnd::Dropped => "dropped",
        ClaimEnd::Refunded => "refunded",
    });
    json!({
        "id": case.id.to_string(),
        "reason": case.reason.as_str(),
        "status": case.status.name(),
        "opened_at": case.claim.opened_at.to_string(),
        "end": end,
    })
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
