//! What callers ask for: debits, grants, freezes.

use std::{collections::BTreeMap, sync::Arc};

use axum::{
    body::Body,
    extract::{Path, State},
    http::{HeaderMap, HeaderName, HeaderValue, StatusCode},
    response::Response,
};
use domain::{
    account::View,
    credits::Credits,
    decision::{Decision, Effect},
    ids::{AccountId, IdempotencyKey, OperationId},
    input::{Command, Input, LotKind, Order, Usage},
    record::Record,
};
use engine::step::{Answer, Request};
use serde::Deserialize;
use serde_json::{Map, Value, json};

use super::{
    Api,
    access::{self, Caller},
    fault,
    request::{MeasuresBody, amount, bytes, key, measures, parsed, required_key, text},
};
use crate::{
    canonical::{Canonical, canonical},
    config::Role,
    problem::Problem,
    writer::Unavailable,
};

const REPLAYED: HeaderName = HeaderName::from_static("idempotent-replayed");

/// What became of a command that was carried out, now or before.
struct Done {
    record: Arc<Record>,
    view: Option<View>,
    replayed: bool,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct DebitBody {
    amount: String,
    /// Kept with the record's body, and not looked at.
    #[serde(default, rename = "metadata")]
    _metadata: Map<String, Value>,
    #[serde(default)]
    already_happened: bool,
}

pub(super) async fn debit(
    State(api): State<Arc<Api>>,
    Path((ledger, account)): Path<(String, String)>,
    headers: HeaderMap,
    body: Body,
) -> Result<Response, Problem> {
    let caller = api.admit(&headers, &ledger, Role::Spend)?;
    let account = access::account(&account)?;
    let key = required_key(&headers)?;
    let (asked, value): (DebitBody, Value) = parsed(&bytes(body).await?)?;
    let amount = amount(&asked.amount, caller.served.decimals)?;
    let request = canonical(&route("POST", &caller, &account, "debits"), &value);
    let usage = if asked.already_happened { Usage::AlreadyHappened } else { Usage::Asked };
    let order = Order::Debit { account, amount, usage };
    let done = carried_out(&api, caller, key, request, order).await?;
    let drawn = drawn(&done.record.decision);
    created(&done, [("amount", json!(amount.to_string())), ("drawn", drawn)])
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct GrantBody {
    amount: String,
    kind: String,
    label: Option<String>,
    reason: String,
}

pub(super) async fn grant(
    State(api): State<Arc<Api>>,
    Path((ledger, account)): Path<(String, String)>,
    headers: HeaderMap,
    body: Body,
) -> Result<Response, Problem> {
    let caller = api.admit(&headers, &ledger, Role::Operate)?;
    let account = access::account(&account)?;
    let key = required_key(&headers)?;
    let (asked, value): (GrantBody, Value) = parsed(&bytes(body).await?)?;
    let amount = amount(&asked.amount, caller.served.decimals)?;
    let kind = match asked.kind.as_str() {
        "paid" => LotKind::Paid,
        "gift" => LotKind::Gift,
        _ => return Err(Problem::malformed("kind is \"paid\" or \"gift\"")),
    };
    let label = asked.label.as_deref().map(|label| text("label", label)).transpose()?;
    let reason = text("reason", &asked.reason)?;
    let request = canonical(&route("POST", &caller, &account, "grants"), &value);
    let order = Order::Grant { account, amount, kind, label, reason };
    let done = carried_out(&api, caller, key, request, order).await?;
    let fields = [
        ("amount", json!(amount.to_string())),
        ("kind", json!(asked.kind)),
        ("label", json!(asked.label)),
    ];
    created(&done, fields)
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct FreezeBody {
    reason: String,
    measures: MeasuresBody,
}

pub(super) async fn freeze(
    State(api): State<Arc<Api>>,
    Path((ledger, account)): Path<(String, String)>,
    headers: HeaderMap,
    body: Body,
) -> Result<Response, Problem> {
    let caller = api.admit(&headers, &ledger, Role::Operate)?;
    let account = access::account(&account)?;
    let key = required_key(&headers)?;
    let (asked, value): (FreezeBody, Value) = parsed(&bytes(body).await?)?;
    let reason = text("reason", &asked.reason)?;
    let measures = measures(&asked.measures)?;
    let request = canonical(&route("POST", &caller, &account, "freezes"), &value);
    let order = Order::Freeze { account, reason, measures };
    let done = carried_out(&api, caller, key, request, order).await?;
    created(&done, [])
}

/// Ends an operator's freeze. Without a key, the freeze itself is the key: it ends once.
pub(super) async fn unfreeze(
    State(api): State<Arc<Api>>,
    Path((ledger, account, freeze)): Path<(String, String, String)>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let caller = api.admit(&headers, &ledger, Role::Operate)?;
    let account = access::account(&account)?;
    let id = freeze.parse().map(OperationId).map_err(|_| {
        let detail = "the account has no such open freeze by an operator";
        Problem::new(StatusCode::NOT_FOUND, "freeze_unknown", detail)
    })?;
    let request =
        canonical(&route("DELETE", &caller, &account, &format!("freezes/{id}")), &Value::Null);
    let key = match key(&headers)? {
        Some(key) => key,
        None => IdempotencyKey::new(&format!("unfreeze:{}", request.digest))
            .map_err(|error| fault(&error))?,
    };
    let order = Order::Unfreeze { account, freeze: id };
    let done = carried_out(&api, caller, key, request, order).await?;
    answer(StatusCode::OK, &done, [])
}

/// Has a command decided and waits until it is durable.
async fn carried_out(
    api: &Api,
    caller: Caller<'_>,
    key: IdempotencyKey,
    request: Canonical,
    order: Order,
) -> Result<Done, Problem> {
    let Canonical { bytes, digest } = request;
    let id = OperationId::of(&caller.ledger, &key);
    let command = Command { key, id, actor: caller.actor, request: digest, order };
    let input = Input::Command(Box::new(command));
    let request = Request { ledger: caller.ledger, input, body: bytes };
    let answer = api.writer.submit(request).await.map_err(|reason| {
        Problem::try_later(match reason {
            Unavailable::Full => "too many requests at once",
            Unavailable::Latched | Unavailable::Stopping => {
                "the log takes no records at the moment"
            }
        })
    })?;
    match answer {
        Answer::Recorded { record, view } => Ok(Done { record, view, replayed: false }),
        Answer::Replayed { record, view } => Ok(Done { record, view, replayed: true }),
        Answer::Refused(refusal) => Err(refusal.into()),
        Answer::Duplicate { .. } | Answer::KnownConflict { .. } => {
            tracing::error!("a command was answered like a delivery");
            Err(Problem::internal())
        }
    }
}

fn created<const N: usize>(done: &Done, fields: [(&str, Value); N]) -> Result<Response, Problem> {
    answer(StatusCode::CREATED, done, fields)
}

fn answer<const N: usize>(
    status: StatusCode,
    done: &Done,
    fields: [(&str, Value); N],
) -> Result<Response, Problem> {
    let Input::Command(command) = &done.record.input else {
        tracing::error!("a command's key belongs to a delivery");
        return Err(Problem::internal());
    };
    let available = done.view.as_ref().map_or(Ok(Credits::ZERO), |view| view.books.available());
    let available = available.map_err(|error| fault(&error))?;
    let mut body = BTreeMap::from(fields);
    body.insert("id", json!(command.id.to_string()));
    body.insert("sequence", json!(done.record.sequence.get()));
    body.insert("available", json!(available.to_string()));
    let mut response = super::json(status, &body)?;
    if done.replayed {
        response.headers_mut().insert(REPLAYED, HeaderValue::from_static("true"));
    }
    Ok(response)
}

/// From which lots a debit was drawn.
fn drawn(decision: &Decision) -> Value {
    let drawn = decision.effects.iter().filter_map(|effect| {
        let Effect::Drawn { lot, amount } = effect else { return None };
        Some(json!({"lot": lot.to_string(), "amount": amount.to_string()}))
    });
    Value::Array(drawn.collect())
}

fn route(method: &str, caller: &Caller<'_>, account: &AccountId, rest: &str) -> String {
    let account = hex::encode(account.as_str());
    format!("{method} /v1/ledgers/{}/accounts/{account}/{rest}", caller.ledger)
}
