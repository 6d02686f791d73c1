//! How the requests of commands are read: the key, the body, its fields.

use axum::{
    body::Body,
    extract::Query,
    http::{HeaderMap, HeaderName, StatusCode, Uri},
};
use bytes::Bytes;
use domain::{
    account::DisputeCause,
    credits::Credits,
    holding::Holding,
    ids::{
        AccountId, CustomerId, IdempotencyKey, OperationId, Origin, PaymentId, PaymentKey, Text,
    },
    payment::Payment,
    policy::{Balance, Checkout, Measures, Service, Spending, Verification},
    refusal::Refusal,
};
use event_store::erasure;
use http_body_util::{BodyExt, Limited};
use serde::{Deserialize, de::DeserializeOwned};
use serde_json::Value;

use super::{Api, Served, access::Caller, fault};
use crate::{
    limits::{BODY_WAIT_MAX, COMMAND_BODY_BYTES_MAX},
    problem::Problem,
};

const KEY: HeaderName = HeaderName::from_static("idempotency-key");

/// What Tallyhook's own keys for the ends of holds start with. A caller that took one of them would
/// keep that hold from ending.
pub(crate) const EXPIRY_KEYS: &str = "expire:";

/// A payment with what it is known by, and its lots.
pub(super) struct FoundPayment {
    pub(super) key: PaymentKey,
    pub(super) payment: Payment,
    pub(super) holding: Option<Holding>,
}

/// In which namespace a payment is looked for.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct In {
    origin: Option<String>,
}

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
    let key = key
        .ok_or_else(|| key_fault("send an Idempotency-Key of 1 to 255 visible ASCII characters"))?;
    if [EXPIRY_KEYS, erasure::KEYS].iter().any(|own| key.as_str().starts_with(own)) {
        return Err(key_fault(
            "keys that start with \"expire:\" or \"erase:\" are Tallyhook's own, send another",
        ));
    }
    Ok(Some(key))
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
    let value: Value = serde_json::from_slice(bytes).map_err(broken)?;
    // A struct would be read from a list as well, by the order of its fields.
    if !value.is_object() {
        return Err(Problem::malformed("the body is no JSON object"));
    }
    Ok((serde_json::from_slice(bytes).map_err(broken)?, value))
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

/// The id of an earlier command.
pub(super) fn operation(text: &str) -> Option<OperationId> {
    text.parse().ok().map(OperationId)
}

/// The namespace of a provider's id: the one that is named, or the only one that the ledger has.
pub(super) fn origin(served: &Served, asked: Option<&str>) -> Result<Origin, Problem> {
    let known = match (asked, served.origins.as_slice()) {
        (None, [only]) => Some(only),
        (None, _) => None,
        (Some(asked), origins) => origins.iter().find(|origin| origin.as_str() == asked),
    };
    known.cloned().ok_or_else(|| {
        let names: Vec<&str> = served.origins.iter().map(Origin::as_str).collect();
        Problem::malformed(format!("origin is one of {}", names.join(", ")))
    })
}

pub(super) fn customer(text: &str) -> Result<CustomerId, Problem> {
    CustomerId::new(text).map_err(|fault| Problem::malformed(format!("customer {fault}")))
}

/// The kind of a dispute, as freezes show it.
pub(super) fn cause(text: &str) -> Option<DisputeCause> {
    match text {
        "warning" => Some(DisputeCause::Warning),
        "chargeback" => Some(DisputeCause::Chargeback),
        _ => None,
    }
}

/// The account that a body names.
pub(super) fn account(text: &str) -> Result<AccountId, Problem> {
    AccountId::new(text).map_err(|fault| Problem::malformed(format!("account {fault}")))
}

/// The origin that a query asks for.
pub(super) fn origin_of(query: Option<&str>) -> Result<Option<String>, Problem> {
    let uri = Uri::builder().path_and_query(format!("/?{}", query.unwrap_or_default())).build();
    let uri = uri.map_err(|_| Problem::query("the query can't be read"))?;
    match Query::<In>::try_from_uri(&uri) {
        Ok(Query(In { origin })) => Ok(origin),
        Err(rejection) => Err(Problem::query(rejection.body_text())),
    }
}

/// A payment of the ledger, in the origin that is asked for or the first that has it.
///
/// # Errors
/// The ledger has no such payment.
pub(super) fn payment(
    api: &Api,
    caller: &Caller<'_>,
    id: &str,
    origin: Option<&str>,
) -> Result<FoundPayment, Problem> {
    let unknown = || Problem::from(Refusal::PaymentUnknown);
    let id = PaymentId::new(id).map_err(|_| unknown())?;
    let origins = caller.served.origins.iter();
    for origin in origins.filter(|known| origin.is_none_or(|asked| asked == known.as_str())) {
        let key = PaymentKey { origin: origin.clone(), id: id.clone() };
        let found = api.projections.payment(&caller.ledger, &key).map_err(|error| fault(&error))?;
        if let Some((payment, holding)) = found {
            return Ok(FoundPayment { key, payment, holding });
        }
    }
    Err(unknown())
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
