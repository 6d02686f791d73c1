//! The log itself, as an auditor reads it.

use std::sync::Arc;

use axum::{
    Router,
    extract::{Query, State, rejection::QueryRejection},
    http::{HeaderMap, HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
    routing::get,
};
use domain::ids::{LedgerId, Sequence};
use event_store::{erasure::erased_by, log::EventLog};
use serde::Deserialize;

use super::{
    Api,
    accounts::{query, sequence_of},
    blocking, fault, form, json,
    page::{self, Page},
};
use crate::{config::Role, path::Path, problem::Problem};

/// The routes of records, under a ledger.
pub(super) fn routes() -> Router<Arc<Api>> {
    Router::new()
        .route("/records", get(list))
        .route("/records/{sequence}", get(show))
        .route("/records/{sequence}/body", get(body))
}

/// What a list of records can be asked. `after` and `cursor` are the same here: a sequence.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct From {
    after: Option<u64>,
    cursor: Option<String>,
    limit: Option<usize>,
}

impl From {
    fn after(&self) -> Result<Option<Sequence>, Problem> {
        match (self.after, &self.cursor) {
            (after, None) => Ok(after.and_then(Sequence::new)),
            (None, Some(cursor)) => sequence_of(cursor).map(Some).ok_or_else(page::cursor_unknown),
            (Some(_), Some(_)) => Err(Problem::query("ask for after or cursor, not both")),
        }
    }
}

async fn list(
    State(api): State<Arc<Api>>,
    Path(ledger): Path<String>,
    headers: HeaderMap,
    from: Result<Query<From>, QueryRejection>,
) -> Result<Response, Problem> {
    let caller = api.admit(&headers, &ledger, Role::Read)?;
    let from = query(from)?;
    let (limit, after) = (page::limit(from.limit)?, from.after()?);
    let (log, ledger) = (Arc::clone(&api.log), caller.ledger);
    let records = blocking(move || {
        log.scan(&ledger, after, limit.saturating_add(1)).map_err(|error| fault(&error))
    });
    let items = records.await?.iter().take(limit.saturating_add(1)).map(form::recorded).collect();
    json(StatusCode::OK, &Page::cut(items, limit, form::sequence))
}

async fn show(
    State(api): State<Arc<Api>>,
    Path((ledger, sequence)): Path<(String, String)>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let caller = api.admit(&headers, &ledger, Role::Read)?;
    let sequence = sequence_of(&sequence).ok_or_else(unknown)?;
    let (log, ledger) = (Arc::clone(&api.log), caller.ledger);
    let read = blocking(move || log.read(&ledger, sequence).map_err(|error| fault(&error)));
    let recorded = read.await?.ok_or_else(unknown)?;
    json(StatusCode::OK, &form::recorded(&recorded))
}

/// The bytes that a record came from, as they were received. They may hold personal data, so they
/// are an operator's.
async fn body(
    State(api): State<Arc<Api>>,
    Path((ledger, sequence)): Path<(String, String)>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let caller = api.admit(&headers, &ledger, Role::Operate)?;
    let sequence = sequence_of(&sequence).ok_or_else(unknown)?;
    let (log, ledger) = (Arc::clone(&api.log), caller.ledger);
    let read = blocking(move || kept(&*log, &ledger, sequence));
    let bytes = read.await?.ok_or_else(unknown)?;
    let kind = HeaderValue::from_static("application/octet-stream");
    Ok(([(header::CONTENT_TYPE, kind)], bytes).into_response())
}

/// The bytes that a record came from, unless they were erased.
pub(super) fn kept(
    log: &dyn EventLog,
    ledger: &LedgerId,
    sequence: Sequence,
) -> Result<Option<Vec<u8>>, Problem> {
    let body = log.body(ledger, sequence).map_err(|error| fault(&error))?;
    if body.as_ref().is_some_and(|body| !body.is_empty()) {
        return Ok(body);
    }
    match erased_by(log, ledger, sequence).map_err(|error| fault(&error))? {
        Some(by) => Err(Problem::new(
            StatusCode::GONE,
            "body_erased",
            "the bytes were erased: the record `erased_by` says why and by whom",
        )
        .with("erased_by", by.get().into())),
        None => Ok(body),
    }
}

fn unknown() -> Problem {
    Problem::new(StatusCode::NOT_FOUND, "record_unknown", "the ledger has no such record")
}
