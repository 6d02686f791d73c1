//! The description of both listeners in OpenAPI 3.1, for people and for what makes clients of it.
//!
//! `openapi.json` is written by hand, beside the code: tests hold it to the routes, the roles, the
//! bodies, the answers and the problem codes that are really there.

use axum::{
    http::{HeaderValue, header},
    response::{IntoResponse, Response},
};

/// The description. It holds no data, so it needs no token.
const DESCRIPTION: &str = include_str!("openapi.json");

pub(super) async fn describe() -> Response {
    let kind = HeaderValue::from_static("application/json");
    ([(header::CONTENT_TYPE, kind)], DESCRIPTION).into_response()
}
