//! Whose payments are, and how their disputes end.

use std::sync::Arc;

use axum::{extract::State, response::Response};
use domain::{input::Order, payment::Conclusion, refusal::Refusal};
use serde::Deserialize;
use serde_json::json;

use crate::{
    config::Role,
    private::{
        Api,
        request::{self, cause, text},
        step::{Asked, Step},
    },
    problem::Problem,
};

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct CustomerBody {
    customer: String,
    origin: Option<String>,
    reason: String,
}

/// Says whose a provider's customer's later purchases are when they name no account.
pub(super) async fn customer(
    State(api): State<Arc<Api>>,
    asked: Asked,
) -> Result<Response, Problem> {
    let (step, body): (Step<'_>, CustomerBody) = asked.read(&api, Role::Operate).await?;
    let (account, reason) = (step.account()?, text("reason", &body.reason)?);
    let customer = step.customer(&body.customer, body.origin.as_deref())?;
    let fields = json!({"origin": customer.origin.as_str(), "customer": customer.id.as_str()});
    step.submit(Order::AssignCustomer { customer, account, reason }).await?.created(fields)
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct AssignBody {
    account: String,
    reason: String,
}

/// Says whose an unassigned purchase is.
pub(super) async fn payment(
    State(api): State<Arc<Api>>,
    asked: Asked,
) -> Result<Response, Problem> {
    let (step, body): (Step<'_>, AssignBody) = asked.read(&api, Role::Operate).await?;
    let account = request::account(&body.account)?;
    let reason = text("reason", &body.reason)?;
    let payment = step.payment_of_path()?.key;
    let fields = json!({
        "origin": payment.origin.as_str(),
        "payment": payment.id.as_str(),
        "account": account.as_str(),
    });
    step.submit(Order::AssignPayment { payment, account, reason }).await?.stepped(fields)
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct ConcludeBody {
    outcome: String,
    reason: String,
}

/// Ends a dispute's measures without a win: what was taken stays taken.
pub(super) async fn conclude(
    State(api): State<Arc<Api>>,
    asked: Asked,
) -> Result<Response, Problem> {
    let (step, body): (Step<'_>, ConcludeBody) = asked.read(&api, Role::Operate).await?;
    let reason = text("reason", &body.reason)?;
    let conclusion = match body.outcome.as_str() {
        "lost" => Conclusion::Lost,
        "settled" => Conclusion::Settled,
        _ => return Err(Problem::malformed("outcome is \"lost\" or \"settled\"")),
    };
    let found = step.payment_of_path()?;
    let name = step.part("cause").to_owned();
    let cause = cause(&name).ok_or(Refusal::DisputeUnknown)?;
    let payment = found.key;
    let fields = json!({
        "origin": payment.origin.as_str(),
        "payment": payment.id.as_str(),
        "cause": name,
        "outcome": body.outcome,
    });
    let order = Order::ConcludeDispute { payment, cause, conclusion, reason };
    let done = match &found.payment.account {
        Some(account) => step.submit_about(account, order).await?,
        None => step.submit(order).await?,
    };
    done.stepped(fields)
}
