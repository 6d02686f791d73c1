//! What goes wrong, as the outside sees it: RFC 9457 with a stable code and a safe sentence.

mod refused;

use axum::{
    http::{HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
};
use domain::refusal::Refusal;
use serde_json::{Map, Value, json};

use crate::limits::RETRY_AFTER_SECONDS;

/// An answer that is no success.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Problem {
    pub(crate) status: StatusCode,
    /// Stable: clients decide by it.
    pub(crate) code: &'static str,
    detail: String,
    /// What a caller can act on besides.
    members: Map<String, Value>,
}

impl Problem {
    pub(crate) fn new(status: StatusCode, code: &'static str, detail: impl Into<String>) -> Self {
        Self { status, code, detail: detail.into(), members: Map::new() }
    }

    /// With one more member that a caller can act on.
    pub(crate) fn with(mut self, name: &str, value: Value) -> Self {
        self.members.insert(name.to_owned(), value);
        self
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
        Refusal::AccountUnknown.into()
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

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let mut body = json!({
            "type": "about:blank",
            "title": self.status.canonical_reason().unwrap_or("Error"),
            "status": self.status.as_u16(),
            "code": self.code,
            "detail": self.detail,
        });
        if let Value::Object(fields) = &mut body {
            fields.extend(self.members);
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
