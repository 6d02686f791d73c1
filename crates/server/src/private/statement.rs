//! An account's statement: what each record did to it, oldest first, whole or as a billing query.
//!
//! A page of a query looks at a limited number of records, so it may be empty and still go on.

mod form;
mod query;

use std::sync::Arc;

use axum::{
    Router,
    extract::{Query, State, rejection::QueryRejection},
    http::{HeaderMap, StatusCode},
    response::Response,
    routing::get,
};
use domain::{
    ids::{AccountId, LedgerId, Sequence},
    record::Record,
    time::Timestamp,
};
use event_store::log::EventLog;

use self::{
    form::{Line, line},
    query::StatementQuery,
};
use super::{
    Api, access,
    accounts::{query, record},
    blocking, fault, json,
    page::{Page, Search},
};
use crate::{config::Role, limits::STATEMENT_RECORDS_SCANNED_MAX, path::Path, problem::Problem};

/// The route of statements, under a ledger.
pub(super) fn routes() -> Router<Arc<Api>> {
    Router::new().route("/accounts/{account}/statement", get(show))
}

async fn show(
    State(api): State<Arc<Api>>,
    Path((ledger, account)): Path<(String, String)>,
    headers: HeaderMap,
    pairs: Result<Query<Vec<(String, String)>>, QueryRejection>,
) -> Result<Response, Problem> {
    let caller = api.admit(&headers, &ledger, Role::Read)?;
    let account = access::account(&account)?;
    let asked = StatementQuery::read(query(pairs)?)?;
    if api.projections.account(&caller.ledger, &account).map_err(|error| fault(&error))?.is_none() {
        return Err(Problem::account_unknown());
    }
    let (ledger, shared) = (caller.ledger, Arc::clone(&api));
    let page = blocking(move || {
        let (records, next) = found(&*shared.log, &ledger, &account, &asked)?;
        let lines = records.iter().map(|record| {
            line(record, &account, |debit| {
                shared.projections.debit(&ledger, debit).map_err(|error| fault(&error))
            })
        });
        let items = lines.collect::<Result<Vec<Line>, Problem>>()?;
        Ok(Page { items, next: next.map(|last| last.to_string()) })
    });
    json(StatusCode::OK, &page.await?)
}

/// The records that are asked for, in order, and where the rest begins.
fn found(
    log: &dyn EventLog,
    ledger: &LedgerId,
    account: &AccountId,
    asked: &StatementQuery,
) -> Result<(Vec<Record>, Option<Sequence>), Problem> {
    let after = match asked.from {
        Some(from) => asked.after.max(last_before(log, ledger, from)?),
        None => asked.after,
    };
    let search = Search { limit: asked.limit, scanned_max: STATEMENT_RECORDS_SCANNED_MAX, after };
    let part = |after: Option<&Sequence>, most: usize| {
        let sequences = log.by_account(ledger, account, after.copied(), most);
        let mut records = Vec::new();
        for sequence in sequences.map_err(|error| fault(&error))? {
            let record = record(log, ledger, sequence)?;
            if asked.to.is_some_and(|to| record.recorded_at >= to) {
                // All that follows was recorded later still.
                break;
            }
            records.push(record);
        }
        Ok(records)
    };
    search.find(part, |record| record.sequence, |record| asked.wants(record, account))
}

/// The ledger's last record before a moment; none where all are later. Records are in the order of
/// their moments, so a few looks find it.
fn last_before(
    log: &dyn EventLog,
    ledger: &LedgerId,
    moment: Timestamp,
) -> Result<Option<Sequence>, Problem> {
    let (mut before, mut from) = (0_u64, log.head(ledger).map_or(0, |head| head.sequence.get()));
    while before < from {
        let middle = before.saturating_add(from.saturating_sub(before).div_ceil(2));
        let Some(sequence) = Sequence::new(middle) else { break };
        if record(log, ledger, sequence)?.recorded_at < moment {
            before = middle;
        } else {
            from = middle.saturating_sub(1);
        }
    }
    Ok(Sequence::new(before))
}
