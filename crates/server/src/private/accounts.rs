//! What can be seen of accounts and payments, now and in the past.

use std::sync::Arc;

use axum::{
    Router,
    extract::{Query, RawQuery, State, rejection::QueryRejection},
    http::{HeaderMap, StatusCode},
    response::Response,
    routing::get,
};
use balance_events::account_view::AccountView;
use domain::{
    account::{Status, View},
    apply::fold_view,
    ids::{AccountId, LedgerId, Sequence},
    time::Timestamp,
};
use event_store::log::EventLog;
use publisher::convert::account_view;
use serde::Deserialize;

use super::{
    Api, Served, access, blocking, fault, json,
    page::{self, Page, Search},
    payment_form::{self, Around},
    request,
};
use crate::{
    config::Role,
    limits::{ACCOUNTS_SCANNED_MAX, RECORDS_FOLDED_MAX},
    path::Path,
    problem::Problem,
};

/// The routes that show accounts and payments, under a ledger.
pub(super) fn routes() -> Router<Arc<Api>> {
    Router::new()
        .route("/accounts", get(list))
        .route("/accounts/{account}", get(show))
        .route("/payments/{payment}", get(payment))
}

/// How many sequences are asked of the log at once.
const SEQUENCES_AT_ONCE: usize = 512;

/// The moment that a view is asked for.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct When {
    at: Option<String>,
    at_sequence: Option<u64>,
}

/// The last record that counts for a view of the past.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Until {
    Sequence(u64),
    Moment(Timestamp),
}

impl When {
    fn until(&self) -> Result<Option<Until>, Problem> {
        match (&self.at, self.at_sequence) {
            (None, None) => Ok(None),
            (None, Some(sequence)) => Ok(Some(Until::Sequence(sequence))),
            (Some(at), None) => {
                let moment = Timestamp::parse(at);
                moment
                    .map(|at| Some(Until::Moment(at)))
                    .ok_or_else(|| Problem::query("at is no RFC 3339"))
            }
            (Some(_), Some(_)) => Err(Problem::query("ask for at or at_sequence, not both")),
        }
    }
}

async fn show(
    State(api): State<Arc<Api>>,
    Path((ledger, account)): Path<(String, String)>,
    headers: HeaderMap,
    when: Result<Query<When>, QueryRejection>,
) -> Result<Response, Problem> {
    let caller = api.admit(&headers, &ledger, Role::Read)?;
    let account = access::account(&account)?;
    let until = query(when)?.until()?;
    let view = match until {
        None => api.projections.account(&caller.ledger, &account).map_err(|error| fault(&error))?,
        Some(until) => {
            let (log, ledger, account) =
                (Arc::clone(&api.log), caller.ledger.clone(), account.clone());
            blocking(move || past(&*log, &ledger, &account, until)).await?
        }
    };
    let view = view.ok_or_else(Problem::account_unknown)?;
    json(StatusCode::OK, &shown(&caller.ledger, &account, caller.served, &view)?)
}

/// An account as the API shows it.
pub(super) fn shown(
    ledger: &LedgerId,
    account: &AccountId,
    served: &Served,
    view: &View,
) -> Result<AccountView, Problem> {
    account_view(ledger, account, served.unit.as_str(), view).map_err(|error| fault(&error))
}

/// The query of a request, with a safe sentence where it can't be read.
pub(super) fn query<T>(query: Result<Query<T>, QueryRejection>) -> Result<T, Problem> {
    match query {
        Ok(Query(query)) => Ok(query),
        Err(rejection) => Err(Problem::query(rejection.body_text())),
    }
}

/// Folds an account's records up to a moment; none where it did not exist yet.
fn past(
    log: &dyn EventLog,
    ledger: &LedgerId,
    account: &AccountId,
    until: Until,
) -> Result<Option<View>, Problem> {
    let mut view = View::NEW;
    let mut after = None;
    for _ in 0..RECORDS_FOLDED_MAX.div_ceil(SEQUENCES_AT_ONCE) {
        let sequences = log
            .by_account(ledger, account, after, SEQUENCES_AT_ONCE)
            .map_err(|error| fault(&error))?;
        let Some(last) = sequences.last().copied() else { return Ok(known(view)) };
        for sequence in sequences {
            if matches!(until, Until::Sequence(end) if sequence.get() > end) {
                return Ok(known(view));
            }
            let recorded = record(log, ledger, sequence)?;
            if matches!(until, Until::Moment(end) if recorded.recorded_at > end) {
                return Ok(known(view));
            }
            fold_view(&mut view, account, &recorded).map_err(|error| fault(&error))?;
        }
        after = Some(last);
    }
    let detail = "the account has more records than a view of the past is folded from";
    Err(Problem::new(StatusCode::UNPROCESSABLE_ENTITY, "history_too_long", detail))
}

fn known(view: View) -> Option<View> {
    if view.sequence.is_some() { Some(view) } else { None }
}

/// A record that an index of the log names.
pub(super) fn record(
    log: &dyn EventLog,
    ledger: &LedgerId,
    sequence: Sequence,
) -> Result<domain::record::Record, Problem> {
    match log.read(ledger, sequence) {
        Ok(Some(recorded)) => Ok(recorded.into_record()),
        Ok(None) => {
            tracing::error!(%ledger, %sequence, "an index names a record that is not in the log");
            Err(Problem::internal())
        }
        Err(error) => Err(fault(&error)),
    }
}

/// What a list of accounts can be asked.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Filter {
    limit: Option<usize>,
    cursor: Option<String>,
    status: Option<String>,
    owed: Option<bool>,
}

impl Filter {
    fn status(&self) -> Result<Option<Status>, Problem> {
        match self.status.as_deref() {
            None => Ok(None),
            Some("active") => Ok(Some(Status::Active)),
            Some("frozen") => Ok(Some(Status::Frozen)),
            Some("closed") => Ok(Some(Status::Closed)),
            Some(_) => Err(Problem::query("status is active, frozen or closed")),
        }
    }
}

async fn list(
    State(api): State<Arc<Api>>,
    Path(ledger): Path<String>,
    headers: HeaderMap,
    filter: Result<Query<Filter>, QueryRejection>,
) -> Result<Response, Problem> {
    let caller = api.admit(&headers, &ledger, Role::Read)?;
    let filter = query(filter)?;
    let (limit, status) = (page::limit(filter.limit)?, filter.status()?);
    let after = page::after(filter.cursor.as_deref(), account_of)?;
    let wanted = |(_, view): &(AccountId, View)| {
        status.is_none_or(|status| view.status() == status)
            && filter.owed.is_none_or(|owed| view.books.owed.is_positive() == owed)
    };
    let part = |after: Option<&AccountId>, most: usize| {
        api.projections.accounts(&caller.ledger, after, most).map_err(|error| fault(&error))
    };
    let search = Search { limit, scanned_max: ACCOUNTS_SCANNED_MAX, after };
    let (found, next) = search.find(part, |(account, _)| account.clone(), wanted)?;
    let items = found
        .iter()
        .map(|(account, view)| shown(&caller.ledger, account, caller.served, view))
        .collect::<Result<Vec<AccountView>, Problem>>()?;
    json(StatusCode::OK, &Page { items, next: next.map(|account| cursor_at(account.as_str())) })
}

/// Account ids have any characters; a cursor has plain ones.
fn cursor_at(account: &str) -> String {
    hex::encode(account)
}

fn account_of(cursor: &str) -> Option<AccountId> {
    AccountId::new(&String::from_utf8(hex::decode(cursor).ok()?).ok()?).ok()
}

pub(super) fn sequence_of(cursor: &str) -> Option<Sequence> {
    cursor.parse().ok().and_then(Sequence::new)
}

async fn payment(
    State(api): State<Arc<Api>>,
    Path((ledger, payment)): Path<(String, String)>,
    headers: HeaderMap,
    RawQuery(raw): RawQuery,
) -> Result<Response, Problem> {
    let caller = api.admit(&headers, &ledger, Role::Read)?;
    let asked = request::origin_of(raw.as_deref())?;
    let found = request::payment(&api, &caller, &payment, asked.as_deref())?;
    let around = Around::of(&api, &caller, &found)?;
    let shown = payment_form::payment(&caller.ledger, &found, &around);
    json(StatusCode::OK, &shown.map_err(|error| fault(&error))?)
}
