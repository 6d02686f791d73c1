//! Usage, and what makes it good.

use std::sync::Arc;

use axum::{extract::State, response::Response};
use domain::{
    account::Status,
    decision::{Decision, Effect},
    input::{Order, Usage},
    refusal::Refusal,
    usage::{Debit, Part},
};
use serde::Deserialize;
use serde_json::{Map, Value, json};

use super::{metadata::metadata, parts};
use crate::{
    config::Role,
    private::{
        Api,
        request::{operation, text},
        step::{Asked, Step},
    },
    problem::Problem,
};

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct DebitBody {
    amount: String,
    #[serde(default)]
    metadata: Map<String, Value>,
    #[serde(default)]
    already_happened: bool,
}

pub(super) async fn debit(State(api): State<Arc<Api>>, asked: Asked) -> Result<Response, Problem> {
    let (step, body): (Step<'_>, DebitBody) = asked.read(&api, Role::Spend).await?;
    let (account, amount) = (step.account()?, step.amount(&body.amount)?);
    let usage = if body.already_happened { Usage::AlreadyHappened } else { Usage::Asked };
    let metadata = metadata(&body.metadata)?;
    let done = step.submit(Order::Debit { account, amount, usage, metadata }).await?;
    let fields = json!({"amount": amount.to_string()});
    done.created(with_usage(fields, done.decision()))
}

/// Adds what was used of which lots and, where the account was not active, how it stood.
pub(super) fn with_usage(mut fields: Value, decision: &Decision) -> Value {
    let usage = decision.effects.iter().find_map(|effect| {
        if let Effect::Debited { usage, .. } = effect { Some(&**usage) } else { None }
    });
    if let (Some(Debit { drawn, standing, .. }), Value::Object(fields)) = (usage, &mut fields) {
        fields.insert("drawn".to_owned(), parts(drawn));
        let standing = match standing {
            Status::Active => None,
            Status::Frozen => Some("frozen"),
            Status::Closed => Some("closed"),
        };
        if let Some(standing) = standing {
            fields.insert("while".to_owned(), json!(standing));
        }
    }
    fields
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct ReturnBody {
    debit: String,
    amount: String,
    reason: String,
}

pub(super) async fn make_good(
    State(api): State<Arc<Api>>,
    asked: Asked,
) -> Result<Response, Problem> {
    let (step, body): (Step<'_>, ReturnBody) = asked.read(&api, Role::Spend).await?;
    let (account, amount) = (step.account()?, step.amount(&body.amount)?);
    let debit = operation(&body.debit).ok_or(Refusal::DebitUnknown)?;
    let reason = text("reason", &body.reason)?;
    let done = step.submit(Order::Return { account, debit, amount, reason }).await?;
    let returned: Vec<Part> = done.decision().effects.iter().filter_map(returned).collect();
    done.created(json!({
        "debit": debit.to_string(),
        "amount": amount.to_string(),
        "returned": parts(&returned),
    }))
}

fn returned(effect: &Effect) -> Option<Part> {
    let Effect::Returned { lot, amount, .. } = effect else { return None };
    Some(Part { lot: lot.clone(), amount: *amount })
}
