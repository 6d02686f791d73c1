//! How the requests of commands are read: the key, the body, its fields.

use axum::{
    body::Body,
    http::{HeaderMap, HeaderName, StatusCode},
};
use bytes::Bytes;
use domain::{
    credits::Credits,
    ids::{IdempotencyKey, Text},
    policy::{Balance, Checkout, Measures, Service, Spending, Verification},
};
use http_body_util::{BodyExt, Limited};
use serde::{Deserialize, de::DeserializeOwned};
use serde_json::Value;

use crate::{
    limits::{BODY_WAIT_MAX, COMMAND_BODY_BYTES_MAX},
    problem::Problem,
};

const KEY: HeaderName = HeaderName::from_static("idempotency-key");

/// What is left out does nothing, as in a policy.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct MeasuresBody {
    spending: Option<String>,
    balance: Option<String>,
    checkout: Option<String>,
    verification: Option<String>,
    service: Option<String>,
}

pub(super) fn required_key(headers: &HeaderMap) -> Result<IdempotencyKey, Problem> {
    key(headers)?.ok_or_else(|| key_fault("send the header Idempotency-Key"))
}

pub(super) fn key(headers: &HeaderMap) -> Result<Option<IdempotencyKey>, Problem> {
    let mut values = headers.get_all(KEY).iter();
    let Some(value) = values.next() else { return Ok(None) };
    if values.next().is_some() {
        return Err(key_fault("send the header Idempotency-Key once"));
    }
    let key = value.to_str().ok().and_then(|text| IdempotencyKey::new(text).ok());
    key.map(Some)
        .ok_or_else(|| key_fault("send an Idempotency-Key of 1 to 255 visible ASCII characters"))
}

fn key_fault(detail: &str) -> Problem {
    Problem::new(StatusCode::BAD_REQUEST, "idempotency_key_missing", detail)
}

pub(super) async fn bytes(body: Body) -> Result<Bytes, Problem> {
    let collected =
        tokio::time::timeout(BODY_WAIT_MAX, Limited::new(body, COMMAND_BODY_BYTES_MAX).collect())
            .await;
    match collected {
        Ok(Ok(collected)) => Ok(collected.to_bytes()),
        Ok(Err(_)) => Err(Problem::malformed(format!(
            "the body broke off or is over {COMMAND_BODY_BYTES_MAX} bytes"
        ))),
        Err(_) => {
            Err(Problem::new(StatusCode::REQUEST_TIMEOUT, "body_timeout", "the body took too long"))
        }
    }
}

/// Reads a body twice: typed, which refuses unknown and repeated fields, and as it stands.
pub(super) fn parsed<T: DeserializeOwned>(bytes: &[u8]) -> Result<(T, Value), Problem> {
    let broken = |error: serde_json::Error| {
        let (line, column) = (error.line(), error.column());
        let why = match error.classify() {
            serde_json::error::Category::Data => {
                "has a field that is missing, unknown or of another type"
            }
            serde_json::error::Category::Syntax
            | serde_json::error::Category::Eof
            | serde_json::error::Category::Io => "is not JSON",
        };
        Problem::malformed(format!("the body {why}, at line {line}, column {column}"))
    };
    let typed = serde_json::from_slice(bytes).map_err(broken)?;
    Ok((typed, serde_json::from_slice(bytes).map_err(broken)?))
}

pub(super) fn amount(text: &str, decimals: u8) -> Result<Credits, Problem> {
    match Credits::parse(text, decimals) {
        Ok(amount) if amount.is_positive() => Ok(amount),
        Ok(_) => Err(Problem::amount("amount must be above zero")),
        Err(fault) => Err(Problem::amount(format!("amount {fault}"))),
    }
}

pub(super) fn text(name: &str, text: &str) -> Result<Text, Problem> {
    Text::new(text).map_err(|fault| Problem::malformed(format!("{name} {fault}")))
}

pub(super) fn measures(body: &MeasuresBody) -> Result<Measures, Problem> {
    let none = Measures::NONE;
    Ok(Measures {
        spending: choice(
            "spending",
            body.spending.as_deref(),
            none.spending,
            &[("allow", Spending::Allow), ("suspend", Spending::Suspend)],
        )?,
        balance: choice(
            "balance",
            body.balance.as_deref(),
            none.balance,
            &[
                ("keep", Balance::Keep),
                ("freeze-payment", Balance::FreezePayment),
                ("freeze-account", Balance::FreezeAccount),
            ],
        )?,
        checkout: choice(
            "checkout",
            body.checkout.as_deref(),
            none.checkout,
            &[("open", Checkout::Open), ("limit", Checkout::Limit)],
        )?,
        verification: choice(
            "verification",
            body.verification.as_deref(),
            none.verification,
            &[("none", Verification::None), ("require", Verification::Require)],
        )?,
        service: choice(
            "service",
            body.service.as_deref(),
            none.service,
            &[("normal", Service::Normal), ("restrict", Service::Restrict)],
        )?,
    })
}

fn choice<T: Copy>(
    name: &str,
    text: Option<&str>,
    usual: T,
    choices: &[(&str, T)],
) -> Result<T, Problem> {
    let Some(text) = text else { return Ok(usual) };
    let chosen = choices.iter().find(|(choice, _)| *choice == text);
    chosen.map(|(_, value)| *value).ok_or_else(|| {
        let names: Vec<&str> = choices.iter().map(|(choice, _)| *choice).collect();
        Problem::malformed(format!("measures.{name} is one of {}", names.join(", ")))
    })
}
