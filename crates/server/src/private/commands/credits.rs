//! Credits that no payment paid for, and what an account owes no longer.

use std::sync::Arc;

use axum::{extract::State, response::Response};
use domain::{
    credits::{CreditOverflow, Credits},
    decision::{Decision, Effect},
    input::{LotKind, Order},
};
use serde::Deserialize;
use serde_json::json;

use crate::{
    config::Role,
    private::{
        Api, fault,
        request::text,
        step::{Asked, Step},
    },
    problem::Problem,
};

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct GrantBody {
    amount: String,
    kind: String,
    label: Option<String>,
    reason: String,
}

pub(super) async fn grant(State(api): State<Arc<Api>>, asked: Asked) -> Result<Response, Problem> {
    let (step, body): (Step<'_>, GrantBody) = asked.read(&api, Role::Operate).await?;
    let (account, amount) = (step.account()?, step.amount(&body.amount)?);
    let kind = match body.kind.as_str() {
        "paid" => LotKind::Paid,
        "gift" => LotKind::Gift,
        _ => return Err(Problem::malformed("kind is \"paid\" or \"gift\"")),
    };
    let label = body.label.as_deref().map(|label| text("label", label)).transpose()?;
    let reason = text("reason", &body.reason)?;
    let done = step.submit(Order::Grant { account, amount, kind, label, reason }).await?;
    done.created(json!({
        "amount": amount.to_string(),
        "kind": body.kind,
        "label": body.label,
    }))
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct WriteOffBody {
    amount: Option<String>,
    reason: String,
}

pub(super) async fn write_off(
    State(api): State<Arc<Api>>,
    asked: Asked,
) -> Result<Response, Problem> {
    let (step, body): (Step<'_>, WriteOffBody) = asked.read(&api, Role::Operate).await?;
    let account = step.account()?;
    let amount = body.amount.as_deref().map(|amount| step.amount(amount)).transpose()?;
    let reason = text("reason", &body.reason)?;
    let done = step.submit(Order::WriteOff { account, amount, reason }).await?;
    let forgiven = forgiven(done.decision()).map_err(|error| fault(&error))?;
    done.created(json!({"amount": forgiven.to_string()}))
}

fn forgiven(decision: &Decision) -> Result<Credits, CreditOverflow> {
    decision.effects.iter().try_fold(Credits::ZERO, |sum, effect| {
        if let Effect::Forgiven { amount, .. } = effect { sum.plus(*amount) } else { Ok(sum) }
    })
}
