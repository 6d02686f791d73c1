//! The variable parts of a path. What can't be decoded is nowhere, and is answered like any problem.

use axum::{
    extract::{FromRequestParts, Path as Decoded},
    http::request::Parts,
};
use serde::de::DeserializeOwned;

use crate::problem::Problem;

/// The variable parts of a path, decoded.
pub(crate) struct Path<T>(pub(crate) T);

impl<T: DeserializeOwned + Send, S: Send + Sync> FromRequestParts<S> for Path<T> {
    type Rejection = Problem;

    async fn from_request_parts(head: &mut Parts, state: &S) -> Result<Self, Problem> {
        let decoded = Decoded::from_request_parts(head, state).await;
        decoded.map(|Decoded(parts)| Self(parts)).map_err(|_| Problem::not_found())
    }
}
