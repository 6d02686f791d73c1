//! What can be seen of accounts and payments, now and in the past.

use std::sync::Arc;

use axum::{
    extract::{Path, Query, State, rejection::QueryRejection},
    http::{HeaderMap, StatusCode},
    response::Response,
};
use balance_events::{
    account_view::AccountView,
    envelope::{Cause, Movement},
};
use domain::{
    account::{Status, View},
    apply::fold_view,
    ids::{AccountId, LedgerId, PaymentId, PaymentKey, Sequence},
    time::Timestamp,
};
use event_store::log::EventLog;
use publisher::convert::{account_view, cause, movements};
use serde::{Deserialize, Serialize};

use super::{
    Api, Served, access, blocking, fault, form, json,
    page::{self, Page, Paging},
    payment_form,
};
use crate::{
    config::Role,
    limits::{ACCOUNTS_SCANNED_MAX, RECORDS_FOLDED_MAX},
    problem::Problem,
};

/// How many sequences are asked of the log at once.
const SEQUENCES_AT_ONCE: usize = 512;

/// The moment that a view is asked for.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct When {
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

pub(super) async fn show(
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
fn record(
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
pub(super) struct Filter {
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

pub(super) async fn list(
    State(api): State<Arc<Api>>,
    Path(ledger): Path<String>,
    headers: HeaderMap,
    filter: Result<Query<Filter>, QueryRejection>,
) -> Result<Response, Problem> {
    let caller = api.admit(&headers, &ledger, Role::Read)?;
    let filter = query(filter)?;
    let (limit, status) = (page::limit(filter.limit)?, filter.status()?);
    let cursor = filter.cursor.as_deref();
    let mut after =
        cursor.map(|text| account_of(text).ok_or_else(page::cursor_unknown)).transpose()?;
    let wanted = |view: &View| {
        status.is_none_or(|status| view.status() == status)
            && filter.owed.is_none_or(|owed| view.books.owed.is_positive() == owed)
    };
    let mut items = Vec::new();
    let mut scanned = 0_usize;
    loop {
        let accounts = api
            .projections
            .accounts(&caller.ledger, after.as_ref(), limit)
            .map_err(|error| fault(&error))?;
        let ended = accounts.len() < limit;
        scanned = scanned.saturating_add(accounts.len());
        for (account, view) in accounts {
            if wanted(&view) && items.len() <= limit {
                items.push(shown(&caller.ledger, &account, caller.served, &view)?);
            }
            after = Some(account);
        }
        if items.len() > limit {
            return json(StatusCode::OK, &Page::cut(items, limit, |last| cursor_at(&last.account)));
        }
        if ended || scanned >= ACCOUNTS_SCANNED_MAX {
            let next = after.filter(|_| !ended).map(|last| cursor_at(last.as_str()));
            return json(StatusCode::OK, &Page { items, next });
        }
    }
}

/// Account ids have any characters; a cursor has plain ones.
fn cursor_at(account: &str) -> String {
    hex::encode(account)
}

fn account_of(cursor: &str) -> Option<AccountId> {
    AccountId::new(&String::from_utf8(hex::decode(cursor).ok()?).ok()?).ok()
}

/// A line of an account's statement: what one record did to it.
#[derive(Debug, Serialize)]
struct Line {
    sequence: u64,
    recorded_at: String,
    cause: Cause,
    movements: Vec<Movement>,
    effects: Vec<serde_json::Value>,
}

pub(super) async fn statement(
    State(api): State<Arc<Api>>,
    Path((ledger, account)): Path<(String, String)>,
    headers: HeaderMap,
    paging: Result<Query<Paging>, QueryRejection>,
) -> Result<Response, Problem> {
    let caller = api.admit(&headers, &ledger, Role::Read)?;
    let account = access::account(&account)?;
    let paging = query(paging)?;
    let limit = paging.limit()?;
    let after = paging.after(sequence_of)?;
    if api.projections.account(&caller.ledger, &account).map_err(|error| fault(&error))?.is_none() {
        return Err(Problem::account_unknown());
    }
    let (log, ledger) = (Arc::clone(&api.log), caller.ledger);
    let lines =
        blocking(move || lines(&*log, &ledger, &account, after, limit.saturating_add(1))).await?;
    json(StatusCode::OK, &Page::cut(lines, limit, |last| last.sequence.to_string()))
}

pub(super) fn sequence_of(cursor: &str) -> Option<Sequence> {
    cursor.parse().ok().and_then(Sequence::new)
}

fn lines(
    log: &dyn EventLog,
    ledger: &LedgerId,
    account: &AccountId,
    after: Option<Sequence>,
    limit: usize,
) -> Result<Vec<Line>, Problem> {
    let sequences = log.by_account(ledger, account, after, limit).map_err(|error| fault(&error))?;
    let line = |sequence| {
        let record = record(log, ledger, sequence)?;
        let effects = record.decision.effects.iter();
        Ok(Line {
            sequence: record.sequence.get(),
            recorded_at: record.recorded_at.to_string(),
            cause: cause(&record.input),
            movements: movements(&record.decision, account),
            effects: effects
                .filter(|effect| form::changes_standing(effect, account))
                .map(form::effect)
                .collect(),
        })
    };
    sequences.into_iter().map(line).collect()
}

/// In which namespace a payment is looked for.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct In {
    origin: Option<String>,
}

pub(super) async fn payment(
    State(api): State<Arc<Api>>,
    Path((ledger, payment)): Path<(String, String)>,
    headers: HeaderMap,
    origin: Result<Query<In>, QueryRejection>,
) -> Result<Response, Problem> {
    let caller = api.admit(&headers, &ledger, Role::Read)?;
    let asked = query(origin)?.origin;
    let unknown =
        || Problem::new(StatusCode::NOT_FOUND, "payment_unknown", "the ledger has no such payment");
    let id = PaymentId::new(&payment).map_err(|_| unknown())?;
    let origins = caller.served.origins.iter();
    for origin in
        origins.filter(|origin| asked.as_deref().is_none_or(|asked| asked == origin.as_str()))
    {
        let key = PaymentKey { origin: origin.clone(), id: id.clone() };
        let found = api.projections.payment(&caller.ledger, &key).map_err(|error| fault(&error))?;
        if let Some((payment, holding)) = found {
            let shown = payment_form::payment(&caller.ledger, &key, &payment, holding.as_ref());
            return json(StatusCode::OK, &shown.map_err(|error| fault(&error))?);
        }
    }
    Err(unknown())
}
