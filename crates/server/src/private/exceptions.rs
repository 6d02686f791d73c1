//! What a person must see.

use std::sync::Arc;

use axum::{
    extract::{Path, Query, State, rejection::QueryRejection},
    http::{HeaderMap, StatusCode},
    response::Response,
};
use domain::exception::{Exception, ExceptionId, ExceptionKind};
use serde::Serialize;

use super::{
    Api,
    accounts::{query, sequence_of},
    fault, json,
    page::{Page, Paging},
};
use crate::{config::Role, problem::Problem};

/// An open exception as the API shows it.
#[derive(Debug, Serialize)]
struct Shown {
    id: String,
    kind: &'static str,
    sequence: u64,
    raised_at: String,
    account: Option<String>,
    payment: Option<String>,
    detail: String,
}

impl Shown {
    fn new(exception: &Exception) -> Self {
        Self {
            id: cursor(exception.id),
            kind: exception.id.kind.name(),
            sequence: exception.id.sequence.get(),
            raised_at: exception.raised_at.to_string(),
            account: exception.account.as_ref().map(ToString::to_string),
            payment: exception.payment.as_ref().map(|payment| payment.id.to_string()),
            detail: exception.detail.to_string(),
        }
    }
}

pub(super) async fn list(
    State(api): State<Arc<Api>>,
    Path(ledger): Path<String>,
    headers: HeaderMap,
    paging: Result<Query<Paging>, QueryRejection>,
) -> Result<Response, Problem> {
    let caller = api.admit(&headers, &ledger, Role::Read)?;
    let paging = query(paging)?;
    let limit = paging.limit()?;
    let after = paging.after(id_of)?;
    let exceptions = api
        .projections
        .exceptions(&caller.ledger, after, limit.saturating_add(1))
        .map_err(|error| fault(&error))?;
    let items = exceptions.iter().map(Shown::new).collect();
    json(StatusCode::OK, &Page::cut(items, limit, |last: &Shown| last.id.clone()))
}

fn cursor(id: ExceptionId) -> String {
    format!("{}-{}", id.sequence, id.kind.name())
}

fn id_of(cursor: &str) -> Option<ExceptionId> {
    let (sequence, name) = cursor.split_once('-')?;
    let kind = ExceptionKind::ALL.into_iter().find(|kind| kind.name() == name)?;
    Some(ExceptionId { sequence: sequence_of(sequence)?, kind })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_cursor_is_read_back() {
        for kind in ExceptionKind::ALL {
            let id = ExceptionId { sequence: domain::ids::Sequence::FIRST, kind };
            assert_eq!(id_of(&cursor(id)), Some(id));
        }
        for bad in ["", "1", "0-orphan", "1-none", "x-orphan"] {
            assert_eq!(id_of(bad), None, "{bad}");
        }
    }
}
