//! Credits reserved for usage to come.

use std::sync::Arc;

use axum::{
    extract::State,
    http::{HeaderMap, StatusCode},
    response::Response,
};
use domain::{
    decision::{Decision, Effect},
    input::Order,
    refusal::Refusal,
    time::Timestamp,
    usage::{Hold, HoldEnd, Part},
};
use serde::Deserialize;
use serde_json::{Map, Value, json};

use super::{metadata::metadata, parts, spending::with_usage};
use crate::{
    config::Role,
    path::Path,
    private::{
        Api, access, fault, json,
        request::operation,
        step::{Asked, Step},
    },
    problem::Problem,
};

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct HoldBody {
    amount: String,
    expires_in_seconds: i64,
}

pub(super) async fn place(State(api): State<Arc<Api>>, asked: Asked) -> Result<Response, Problem> {
    let (step, body): (Step<'_>, HoldBody) = asked.read(&api, Role::Spend).await?;
    let (account, amount) = (step.account()?, step.amount(&body.amount)?);
    let expires_in_seconds =
        u32::try_from(body.expires_in_seconds).map_err(|_| Refusal::HoldTimeInvalid)?;
    let done = step.submit(Order::Hold { account, amount, expires_in_seconds }).await?;
    let reserved: Vec<Part> = done.decision().effects.iter().filter_map(reserved).collect();
    done.created(json!({
        "amount": amount.to_string(),
        "expires_at": expires_at(done.decision()).map(|at| at.to_string()),
        "reserved": parts(&reserved),
    }))
}

fn reserved(effect: &Effect) -> Option<Part> {
    let Effect::Reserved { lot, amount, .. } = effect else { return None };
    Some(Part { lot: lot.clone(), amount: *amount })
}

fn expires_at(decision: &Decision) -> Option<Timestamp> {
    decision.effects.iter().find_map(|effect| {
        if let Effect::HoldPlaced { expires_at, .. } = effect { Some(*expires_at) } else { None }
    })
}

pub(super) async fn show(
    State(api): State<Arc<Api>>,
    Path((ledger, account, hold)): Path<(String, String, String)>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let caller = api.admit(&headers, &ledger, Role::Read)?;
    let account = access::account(&account)?;
    let unknown = || Problem::from(Refusal::HoldUnknown);
    let id = operation(&hold).ok_or_else(unknown)?;
    let known = api.projections.hold(&caller.ledger, id).map_err(|error| fault(&error))?;
    let hold = known.filter(|hold| hold.account == account).ok_or_else(unknown)?;
    json(StatusCode::OK, &shown(&id.to_string(), &hold))
}

/// A hold as the API shows it.
fn shown(id: &str, hold: &Hold) -> Value {
    let (status, captured) = match hold.ended {
        None => ("open", None),
        Some(HoldEnd::Released) => ("released", None),
        Some(HoldEnd::Expired) => ("expired", None),
        Some(HoldEnd::Captured { debit, amount }) => ("captured", Some((debit, amount))),
    };
    json!({
        "id": id,
        "account": hold.account.as_str(),
        "status": status,
        "amount": hold.amount.to_string(),
        "expires_at": hold.expires_at.to_string(),
        "reserved": parts(&hold.reserved),
        "captured": captured.map(|(debit, amount)| {
            json!({"debit": debit.to_string(), "amount": amount.to_string()})
        }),
    })
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct CaptureBody {
    amount: String,
    #[serde(default)]
    metadata: Map<String, Value>,
}

pub(super) async fn capture(
    State(api): State<Arc<Api>>,
    asked: Asked,
) -> Result<Response, Problem> {
    let (step, body): (Step<'_>, CaptureBody) = asked.read(&api, Role::Spend).await?;
    let (account, amount) = (step.account()?, step.amount(&body.amount)?);
    let hold = step.operation("hold", Refusal::HoldUnknown)?;
    let metadata = metadata(&body.metadata)?;
    let done = step.submit(Order::Capture { account, hold, amount, metadata }).await?;
    let fields = json!({"hold": hold.to_string(), "amount": amount.to_string()});
    done.stepped(with_usage(fields, done.decision()))
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct ReleaseBody {}

pub(super) async fn release(
    State(api): State<Arc<Api>>,
    asked: Asked,
) -> Result<Response, Problem> {
    let (step, ReleaseBody {}) = asked.read(&api, Role::Spend).await?;
    let (account, hold) = (step.account()?, step.operation("hold", Refusal::HoldUnknown)?);
    let done = step.submit(Order::ReleaseHold { account, hold }).await?;
    done.stepped(json!({"hold": hold.to_string()}))
}
