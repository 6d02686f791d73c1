//! Payments from before Tallyhook, one at a time: what was paid, what it granted, what is left.

use std::sync::Arc;

use axum::{Router, extract::State, response::Response, routing::post};
use domain::{
    credits::Credits,
    holding::Pair,
    ids::{PaymentId, PaymentKey},
    input::{Import, Order},
    money::Minor,
    payment::Opening,
    refusal::Refusal,
    time::Timestamp,
};
use serde::Deserialize;
use serde_json::json;

use super::{
    Api, fault,
    form::pair,
    money,
    request::{self, text},
    step::{Asked, Step},
};
use crate::{config::Role, problem::Problem};

/// The route of imports, under a ledger.
pub(super) fn routes() -> Router<Arc<Api>> {
    Router::new().route("/imports", post(import))
}

/// One payment. `amount` is net, in major units; `granted` and `left` are credits.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct ImportBody {
    account: String,
    payment: String,
    origin: Option<String>,
    paid_at: String,
    currency: String,
    amount: String,
    tax: Option<String>,
    granted: PairBody,
    left: PairBody,
    reason: String,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct PairBody {
    paid: String,
    gift: Option<String>,
}

impl PairBody {
    fn read(&self, name: &str, decimals: u8) -> Result<Pair, Problem> {
        let credits = |kind: &str, text: &str| match Credits::parse(text, decimals) {
            Ok(amount) if amount >= Credits::ZERO => Ok(amount),
            Ok(_) => Err(Problem::amount(format!("{name}.{kind} must not be below zero"))),
            Err(fault) => Err(Problem::amount(format!("{name}.{kind} {fault}"))),
        };
        let gift = self.gift.as_deref().map(|text| credits("gift", text)).transpose()?;
        Ok(Pair { paid: credits("paid", &self.paid)?, gift: gift.unwrap_or(Credits::ZERO) })
    }
}

async fn import(State(api): State<Arc<Api>>, asked: Asked) -> Result<Response, Problem> {
    let (step, body): (Step<'_>, ImportBody) = asked.read(&api, Role::Operate).await?;
    let import = read(&step, &body)?;
    let fields = json!({
        "account": import.account.as_str(),
        "origin": import.payment.origin.as_str(),
        "payment": import.payment.id.as_str(),
        "granted": pair(import.opening.granted),
        "used": pair(import.opening.used),
    });
    step.submit(Order::Import(Box::new(import))).await?.created(fields)
}

fn read(step: &Step<'_>, body: &ImportBody) -> Result<Import, Problem> {
    let served = step.caller.served;
    let id = PaymentId::new(&body.payment)
        .map_err(|fault| Problem::malformed(format!("payment {fault}")))?;
    let currency = money::currency(&body.currency)?;
    let tax = body.tax.as_deref().map(|tax| money::minor("tax", tax, currency)).transpose()?;
    let granted = body.granted.read("granted", served.decimals)?;
    let left = body.left.read("left", served.decimals)?;
    if left.paid > granted.paid || left.gift > granted.gift {
        return Err(Refusal::ImportInvalid { detail: "more is left than was granted" }.into());
    }
    let used = granted.minus(left).map_err(|error| fault(&error))?;
    Ok(Import {
        account: request::account(&body.account)?,
        payment: PaymentKey { origin: request::origin(served, body.origin.as_deref())?, id },
        paid_at: Timestamp::parse(&body.paid_at)
            .ok_or_else(|| Problem::malformed("paid_at is no RFC 3339"))?,
        currency,
        net: money::minor("amount", &body.amount, currency)?,
        tax: tax.unwrap_or(Minor::ZERO),
        opening: Opening { granted, used },
        reason: text("reason", &body.reason)?,
    })
}
