//! What goes wrong, as the outside sees it: RFC 9457 with a stable code and a safe sentence.

use axum::{
    http::{HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
};
use domain::decision::Refusal;
use serde_json::{Value, json};

use crate::limits::RETRY_AFTER_SECONDS;

/// An answer that is no success.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Problem {
    pub(crate) status: StatusCode,
    /// Stable: clients decide by it.
    pub(crate) code: &'static str,
    detail: String,
    available: Option<String>,
}

impl Problem {
    pub(crate) fn new(status: StatusCode, code: &'static str, detail: impl Into<String>) -> Self {
        Self { status, code, detail: detail.into(), available: None }
    }

    pub(crate) fn malformed(detail: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, "body_malformed", detail)
    }

    pub(crate) fn query(detail: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, "query_invalid", detail)
    }

    pub(crate) fn amount(detail: impl Into<String>) -> Self {
        Self::new(StatusCode::UNPROCESSABLE_ENTITY, "amount_invalid", detail)
    }

    pub(crate) fn account_unknown() -> Self {
        Self::new(StatusCode::NOT_FOUND, "account_unknown", "the ledger has no such account")
    }

    pub(crate) fn not_found() -> Self {
        Self::new(StatusCode::NOT_FOUND, "not_found", "there is nothing at this path")
    }

    pub(crate) fn method() -> Self {
        Self::new(
            StatusCode::METHOD_NOT_ALLOWED,
            "method_not_allowed",
            "this path takes another method",
        )
    }

    /// The input could not be made durable: nothing happened, the same request may be sent again.
    pub(crate) fn try_later(detail: &'static str) -> Self {
        Self::new(StatusCode::SERVICE_UNAVAILABLE, "try_later", detail)
    }

    /// A fault of ours, already logged where it was handled.
    pub(crate) fn internal() -> Self {
        let detail = "the server could not answer; its log says why";
        Self::new(StatusCode::INTERNAL_SERVER_ERROR, "internal", detail)
    }
}

impl From<Refusal> for Problem {
    fn from(refusal: Refusal) -> Self {
        match refusal {
            Refusal::AccountUnknown => Self::account_unknown(),
            Refusal::AccountFrozen => {
                Self::new(StatusCode::CONFLICT, "account_frozen", "the account is frozen")
            }
            Refusal::AccountClosed => {
                Self::new(StatusCode::CONFLICT, "account_closed", "the account is closed")
            }
            Refusal::CreditsInsufficient { available } => Self {
                available: Some(available.to_string()),
                ..Self::new(
                    StatusCode::PAYMENT_REQUIRED,
                    "credits_insufficient",
                    "less is available than asked for",
                )
            },
            Refusal::AmountInvalid { detail } => Self::amount(&*detail),
            Refusal::FreezeUnknown => Self::new(
                StatusCode::NOT_FOUND,
                "freeze_unknown",
                "the account has no such open freeze by an operator",
            ),
            Refusal::KeyReused => Self::new(
                StatusCode::UNPROCESSABLE_ENTITY,
                "idempotency_key_reused",
                "the idempotency key was used for another request",
            ),
            Refusal::Undecided { what } => {
                tracing::error!(what, "a command could not be decided; nothing moved");
                Self::internal()
            }
            Refusal::PolicyRefused(fault) => {
                Self::new(StatusCode::CONFLICT, "policy_refused", fault.to_string())
            }
        }
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let mut body = json!({
            "type": "about:blank",
            "title": self.status.canonical_reason().unwrap_or("Error"),
            "status": self.status.as_u16(),
            "code": self.code,
            "detail": self.detail,
        });
        if let (Some(available), Value::Object(fields)) = (self.available, &mut body) {
            fields.insert("available".to_owned(), Value::String(available));
        }
        let mut response = (self.status, body.to_string()).into_response();
        let headers = response.headers_mut();
        let kind = HeaderValue::from_static("application/problem+json");
        headers.insert(header::CONTENT_TYPE, kind);
        if self.status == StatusCode::SERVICE_UNAVAILABLE {
            headers.insert(header::RETRY_AFTER, HeaderValue::from_static(RETRY_AFTER_SECONDS));
        }
        if self.code == "token_invalid" {
            headers.insert(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
        }
        response
    }
}
