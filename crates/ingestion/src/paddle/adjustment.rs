//! Paddle's adjustments: refunds, credits, chargebacks and warnings (PROVIDERS.md section 4).
//!
//! Reversals may be negative, and the sign of genuine chargebacks is not established: signs are
//! stripped and the action gives the direction. An adjustment names its account only through
//! its payment.

use domain::{
    ids::{AdjustmentId, CustomerId, ItemId, PaymentId, PaymentKey},
    input::{Unreadable, UnreadableFault},
    money::Minor,
    notice::{Action, Adjustment, AdjustmentLine, Extent, Status},
    time::Timestamp,
};

use crate::{fields::At, json::Json, read::Reading};

pub(super) fn read(
    reading: &Reading<'_>,
    event: &Json<'_>,
    occurred_at: Timestamp,
) -> Result<Adjustment, Unreadable> {
    let at = At::top(event);
    let id = at.id("/data/id", AdjustmentId::new)?;
    let payment = at.id("/data/transaction_id", PaymentId::new)?;
    let currency = at.currency_of_both("/data/currency_code", "/data/totals/currency_code")?;
    Ok(Adjustment {
        id,
        payment: PaymentKey { origin: reading.origin.clone(), id: payment },
        occurred_at,
        filed_at: at.moment_if_any("/data/created_at")?.unwrap_or(occurred_at),
        action: action(at)?,
        status: status(at)?,
        extent: extent(at),
        currency: currency.ok_or_else(|| at.malformed("/data/currency_code", "is missing"))?,
        subtotal: at.amount("/data/totals/subtotal").map(Minor::abs)?,
        total: at.amount("/data/totals/total").map(Minor::abs)?,
        lines: at.list("/data/items")?.map(line).collect::<Result<_, _>>()?,
        customer: at.id_if_any("/data/customer_id", CustomerId::new)?,
    })
}

fn line(at: At<'_>) -> Result<AdjustmentLine, Unreadable> {
    Ok(AdjustmentLine {
        item: at.id("/item_id", ItemId::new)?,
        subtotal: at.amount("/totals/subtotal").map(Minor::abs)?,
    })
}

fn action(at: At<'_>) -> Result<Action, Unreadable> {
    let path = "/data/action";
    match at.text(path)? {
        "refund" => Ok(Action::Refund),
        "credit" => Ok(Action::Credit),
        "credit_reverse" => Ok(Action::CreditReverse),
        "chargeback" => Ok(Action::Chargeback),
        "chargeback_reverse" => Ok(Action::ChargebackReverse),
        "chargeback_warning" => Ok(Action::Warning),
        "chargeback_warning_reverse" => Ok(Action::WarningReverse),
        _ => Err(at.fault(UnreadableFault::UnknownAction, path, "must be a known action")),
    }
}

fn status(at: At<'_>) -> Result<Status, Unreadable> {
    let path = "/data/status";
    match at.text(path)? {
        "pending_approval" => Ok(Status::Pending),
        "approved" => Ok(Status::Approved),
        "rejected" => Ok(Status::Rejected),
        "reversed" => Ok(Status::Reversed),
        _ => Err(at.fault(UnreadableFault::UnknownAction, path, "must be a known status")),
    }
}

/// Only the words that say it say it: anything else leaves the amounts to speak.
fn extent(at: At<'_>) -> Extent {
    match at.find("/data/type") {
        Some(Json::Text(text)) if text == "full" => Extent::Full,
        Some(Json::Text(text)) if text == "partial" => Extent::Partial,
        _ => Extent::Unsaid,
    }
}
