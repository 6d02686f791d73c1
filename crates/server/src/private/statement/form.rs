//! How a line of a statement looks in JSON.

use balance_events::envelope::{Cause, Movement};
use domain::{
    account::Status,
    case::Case,
    decision::Effect,
    ids::{AccountId, OperationId},
    input::{Evidence, Input, Order},
    record::Record,
    usage::{Debit, HoldEnd},
};
use publisher::convert::{cause, movements};
use serde::Serialize;
use serde_json::{Map, Value, json};

use super::query::metadata;
use crate::{
    private::{commands::parts, form},
    problem::Problem,
};

/// What one record did to an account.
#[derive(Debug, Serialize)]
pub(super) struct Line {
    sequence: u64,
    recorded_at: String,
    cause: Cause,
    /// Who brought in what no provider delivered.
    back_filled_by: Option<String>,
    movements: Vec<Movement>,
    /// What changed in the account's standing.
    effects: Vec<Value>,
    /// Usage, with what it says of itself, and whether it was made good by now.
    debit: Option<Value>,
    /// A hold that began or ended.
    hold: Option<Value>,
    /// A credit return, with the debit that it makes good.
    #[serde(rename = "return")]
    returned: Option<Value>,
    /// A refund case that changed.
    case: Option<Value>,
}

/// The line of a record. `debit_now` gives what is known of a debit by now.
pub(super) fn line(
    record: &Record,
    account: &AccountId,
    debit_now: impl FnOnce(OperationId) -> Result<Option<Debit>, Problem>,
) -> Result<Line, Problem> {
    let effects = &record.decision.effects;
    let debit = match effects.iter().find_map(|effect| debited(effect, account)) {
        Some((id, usage)) => Some(debit(id, usage, record, debit_now(id)?)),
        None => None,
    };
    Ok(Line {
        sequence: record.sequence.get(),
        recorded_at: record.recorded_at.to_string(),
        cause: cause(&record.input),
        back_filled_by: back_filled_by(&record.input),
        movements: movements(&record.decision, account),
        effects: effects
            .iter()
            .filter(|effect| form::changes_standing(effect, account))
            .map(form::effect)
            .collect(),
        debit,
        hold: effects.iter().find_map(|effect| hold(effect, record)),
        returned: returned(record),
        case: effects.iter().find_map(|effect| case_of(effect, account)).map(case),
    })
}

fn back_filled_by(input: &Input) -> Option<String> {
    let Input::Delivery(delivery) = input else { return None };
    match &delivery.evidence {
        Evidence::Signed(_) => None,
        Evidence::BackFilled(back_fill) => Some(back_fill.actor.to_string()),
    }
}

fn debited<'e>(effect: &'e Effect, account: &AccountId) -> Option<(OperationId, &'e Debit)> {
    let Effect::Debited { debit, usage } = effect else { return None };
    (usage.account == *account).then_some((*debit, usage))
}

fn debit(id: OperationId, usage: &Debit, record: &Record, now: Option<Debit>) -> Value {
    let said = metadata(record, &usage.account).into_iter().flat_map(|said| said.entries());
    let said = said.map(|(name, value)| {
        let value = serde_json::from_str(value).unwrap_or_else(|_| json!(&**value));
        (name.to_string(), value)
    });
    let returned = now.and_then(|debit| debit.returned);
    json!({
        "id": id.to_string(),
        "amount": usage.amount.to_string(),
        "drawn": parts(&usage.drawn),
        "metadata": Value::Object(said.collect::<Map<_, _>>()),
        "while": match usage.standing {
            Status::Active => None,
            Status::Frozen => Some("frozen"),
            Status::Closed => Some("closed"),
        },
        "returned": returned.map(|amount| amount.to_string()),
    })
}

fn hold(effect: &Effect, record: &Record) -> Option<Value> {
    if let Effect::HoldPlaced { hold, expires_at, .. } = effect {
        return Some(json!({
            "id": hold.to_string(),
            "status": "open",
            "amount": reserved(record),
            "expires_at": expires_at.to_string(),
        }));
    }
    let Effect::HoldEnded { hold, end } = effect else { return None };
    let (status, amount) = match end {
        HoldEnd::Captured { amount, .. } => ("captured", Some(amount.to_string())),
        HoldEnd::Released => ("released", None),
        HoldEnd::Expired => ("expired", None),
    };
    Some(json!({"id": hold.to_string(), "status": status, "amount": amount}))
}

fn reserved(record: &Record) -> Option<String> {
    let Input::Command(command) = &record.input else { return None };
    let Order::Hold { amount, .. } = &command.order else { return None };
    Some(amount.to_string())
}

fn returned(record: &Record) -> Option<Value> {
    let Input::Command(command) = &record.input else { return None };
    let Order::Return { debit, amount, reason, .. } = &command.order else { return None };
    Some(json!({
        "debit": debit.to_string(),
        "amount": amount.to_string(),
        "reason": reason.as_str(),
    }))
}

fn case_of<'e>(effect: &'e Effect, account: &AccountId) -> Option<&'e Case> {
    let Effect::CaseChanged(case) = effect else { return None };
    (case.account == *account).then_some(case)
}

fn case(case: &Case) -> Value {
    json!({
        "id": case.id.to_string(),
        "payment": case.payment.id.as_str(),
        "reason": case.reason.as_str(),
        "status": case.status.name(),
    })
}
