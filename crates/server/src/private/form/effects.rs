//! How what was decided looks in JSON, effect by effect.

use domain::{
    account::Closing,
    decision::{Effect, Taking},
    ids::AccountId,
    payment::{Ruled, Ruling},
    time::Timestamp,
    usage::HoldEnd,
};
use serde_json::{Value, json};

use super::{clearable, conclusion, customer, dispute, key, measures, pair};
use crate::private::{case_form, commands::parts};

/// One effect: its name and what it says. Amounts are text; money is in minor units.
pub(in crate::private) fn effect(effect: &Effect) -> Value {
    let mut shown = says(effect);
    if let Value::Object(shown) = &mut shown {
        shown.insert("effect".to_owned(), json!(name(effect)));
    }
    shown
}

/// Whether an effect changes an account apart from any transfer.
pub(in crate::private) fn changes_standing(effect: &Effect, of: &AccountId) -> bool {
    match effect {
        Effect::AccountOpened { account }
        | Effect::Frozen { account, .. }
        | Effect::Unfrozen { account, .. }
        | Effect::Closed { account, .. }
        | Effect::Reopened { account } => account == of,
        Effect::PaymentAssigned { .. }
        | Effect::HoldingOpened { .. }
        | Effect::Granted { .. }
        | Effect::Taken { .. }
        | Effect::Awaited { .. }
        | Effect::HoldPlaced { .. }
        | Effect::Reserved { .. }
        | Effect::Unreserved { .. }
        | Effect::HoldEnded { .. }
        | Effect::Debited { .. }
        | Effect::Returned { .. }
        | Effect::Forgiven { .. }
        | Effect::Drawn { .. }
        | Effect::Settled { .. }
        | Effect::Unsettled { .. }
        | Effect::MoneyMoved { .. }
        | Effect::ChargebackCounted { .. }
        | Effect::CustomerAssigned { .. }
        | Effect::PaymentImported(_)
        | Effect::CaseChanged(_)
        | Effect::DisputeRuled { .. }
        | Effect::Raised(_)
        | Effect::Cleared(_)
        | Effect::Resolved(_)
        | Effect::Released(_) => false,
    }
}

const fn name(effect: &Effect) -> &'static str {
    match effect {
        Effect::PaymentAssigned { .. } => "payment_assigned",
        Effect::AccountOpened { .. } => "account_opened",
        Effect::HoldingOpened { .. } => "holding_opened",
        Effect::Granted { .. } => "granted",
        Effect::Taken { .. } => "taken",
        Effect::Awaited { .. } => "awaited",
        Effect::HoldPlaced { .. } => "hold_placed",
        Effect::Reserved { .. } => "reserved",
        Effect::Unreserved { .. } => "unreserved",
        Effect::HoldEnded { .. } => "hold_ended",
        Effect::Debited { .. } => "debited",
        Effect::Returned { .. } => "returned",
        Effect::Forgiven { .. } => "forgiven",
        Effect::Drawn { .. } => "drawn",
        Effect::Settled { .. } => "settled",
        Effect::Unsettled { .. } => "unsettled",
        Effect::MoneyMoved { .. } => "money_moved",
        Effect::Frozen { .. } => "frozen",
        Effect::Unfrozen { .. } => "unfrozen",
        Effect::ChargebackCounted { .. } => "chargeback_counted",
        Effect::Closed { .. } => "closed",
        Effect::Reopened { .. } => "reopened",
        Effect::CustomerAssigned { .. } => "customer_assigned",
        Effect::PaymentImported(_) => "payment_imported",
        Effect::CaseChanged(_) => "case_changed",
        Effect::DisputeRuled { .. } => "dispute_ruled",
        Effect::Raised(_) => "raised",
        Effect::Cleared(_) => "cleared",
        Effect::Resolved(_) => "resolved",
        Effect::Released(_) => "released",
    }
}

#[expect(clippy::too_many_lines, reason = "it is one table")]
fn says(effect: &Effect) -> Value {
    match effect {
        Effect::PaymentAssigned { payment, account } => {
            json!({"payment": key(payment), "account": account.as_str()})
        }
        Effect::AccountOpened { account } | Effect::Reopened { account } => {
            json!({"account": account.as_str()})
        }
        Effect::HoldingOpened { holding, terms } => json!({
            "holding": holding.to_string(),
            "account": terms.account.as_str(),
            "since": terms.since.to_string(),
            "label": terms.label.as_ref().map(ToString::to_string),
        }),
        Effect::Granted { lot, amount } | Effect::Drawn { lot, amount } => {
            json!({"lot": lot.to_string(), "amount": amount.to_string()})
        }
        Effect::Taken { holding, by, amount } => json!({
            "holding": holding.to_string(),
            "by": match by { Taking::Refund => "refund", Taking::Chargeback => "chargeback" },
            "amount": pair(*amount),
        }),
        Effect::Awaited { holding, amount } => {
            json!({"holding": holding.to_string(), "amount": pair(*amount)})
        }
        Effect::HoldPlaced { hold, account, expires_at } => json!({
            "hold": hold.to_string(),
            "account": account.as_str(),
            "expires_at": expires_at.to_string(),
        }),
        Effect::Reserved { hold, lot, amount } | Effect::Unreserved { hold, lot, amount } => {
            json!({
                "hold": hold.to_string(),
                "lot": lot.to_string(),
                "amount": amount.to_string(),
            })
        }
        Effect::HoldEnded { hold, end } => hold_ended(&hold.to_string(), *end),
        Effect::Debited { debit, usage } => json!({
            "debit": debit.to_string(),
            "account": usage.account.as_str(),
            "amount": usage.amount.to_string(),
            "drawn": parts(&usage.drawn),
        }),
        Effect::Returned { debit, lot, amount } => json!({
            "debit": debit.to_string(),
            "lot": lot.to_string(),
            "amount": amount.to_string(),
        }),
        Effect::Forgiven { holding, amount } => {
            json!({"holding": holding.to_string(), "amount": amount.to_string()})
        }
        Effect::Settled { giver, taker, amount } | Effect::Unsettled { giver, taker, amount } => {
            json!({
                "giver": giver.to_string(),
                "taker": taker.to_string(),
                "amount": amount.to_string(),
            })
        }
        Effect::MoneyMoved { payment, currency, received, reversed } => json!({
            "payment": key(payment),
            "currency": currency.code(),
            "received": received.get().to_string(),
            "reversed": reversed.get().to_string(),
        }),
        Effect::Frozen { account, freeze } => json!({
            "account": account.as_str(),
            "freeze": freeze.id.to_string(),
            "cause": freeze.id.cause(),
            "since": freeze.since.to_string(),
            "measures": measures(freeze.measures),
        }),
        Effect::Unfrozen { account, freeze } => {
            json!({"account": account.as_str(), "freeze": freeze.to_string()})
        }
        Effect::ChargebackCounted { account, payment, filed_at } => json!({
            "account": account.as_str(),
            "payment": key(payment),
            "filed_at": filed_at.map(|at| at.to_string()),
        }),
        Effect::Closed { account, by } => json!({
            "account": account.as_str(),
            "by": match by { Closing::Policy => "policy", Closing::Operator => "operator" },
        }),
        Effect::CustomerAssigned { customer, account } => {
            json!({"customer": self::customer(customer), "account": account.as_str()})
        }
        Effect::PaymentImported(import) => {
            json!({"payment": key(&import.payment), "account": import.account.as_str()})
        }
        Effect::CaseChanged(case) => {
            // Whether a case is overdue depends on when one looks, which a record does not.
            let mut shown = case_form::case(case, Timestamp::EPOCH);
            shown.remove("overdue");
            Value::Object(shown)
        }
        Effect::DisputeRuled { payment, ruling } => {
            json!({"payment": key(payment), "ruling": self::ruling(ruling)})
        }
        Effect::Raised(exception) => {
            json!({"kind": exception.id.kind.name(), "detail": &*exception.detail})
        }
        Effect::Cleared(id) | Effect::Resolved(id) => {
            json!({"kind": id.kind.name(), "sequence": id.sequence.get()})
        }
        Effect::Released(record) => json!({"record": record.get()}),
    }
}

fn hold_ended(hold: &str, end: HoldEnd) -> Value {
    match end {
        HoldEnd::Captured { debit, amount } => json!({
            "hold": hold,
            "end": "captured",
            "debit": debit.to_string(),
            "amount": amount.to_string(),
        }),
        HoldEnd::Released => json!({"hold": hold, "end": "released"}),
        HoldEnd::Expired => json!({"hold": hold, "end": "expired"}),
    }
}

fn ruling(ruling: &Ruling) -> Value {
    let filings: Vec<&str> = ruling.filings.iter().map(|filing| filing.as_str()).collect();
    let (what, how) = match ruling.what {
        Ruled::Concluded(how) => ("concluded", conclusion(how)),
        Ruled::Cleared(measure) => ("cleared", clearable(measure)),
    };
    json!({"cause": dispute(ruling.cause), "ruled": what, "as": how, "filings": filings})
}
