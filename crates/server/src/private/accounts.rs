//! What can be seen of accounts and payments, now and in the past.

use std::sync::Arc;

use audit::{
    as_of::{self, AsOfError},
    cut::{Cut, Known},
};
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

/// The moment that a view is asked for.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct When {
    at: Option<String>,
    at_sequence: Option<u64>,
    happened_by: Option<String>,
}

impl When {
    /// What counts; none where the view of now is asked for.
    fn cut(&self) -> Result<Option<Cut>, Problem> {
        let cut = cut(self.at.as_deref(), self.at_sequence, self.happened_by.as_deref())?;
        Ok((cut != Cut::END).then_some(cut))
    }
}

/// What counts by the parameters of a query.
pub(super) fn cut(
    at: Option<&str>,
    at_sequence: Option<u64>,
    happened_by: Option<&str>,
) -> Result<Cut, Problem> {
    let moment = |name: &str, text: &str| {
        Timestamp::parse(text).ok_or_else(|| Problem::query(format!("{name} is no RFC 3339")))
    };
    let known = match (at, at_sequence) {
        (None, None) => Known::All,
        (None, Some(sequence)) => Known::Sequence(sequence),
        (Some(at), None) => Known::RecordedAt(moment("at", at)?),
        (Some(_), Some(_)) => {
            return Err(Problem::query("ask for at or at_sequence, not both"));
        }
    };
    let happened = happened_by.map(|text| moment("happened_by", text)).transpose()?;
    Ok(Cut { known, happened })
}

async fn show(
    State(api): State<Arc<Api>>,
    Path((ledger, account)): Path<(String, String)>,
    headers: HeaderMap,
    when: Result<Query<When>, QueryRejection>,
) -> Result<Response, Problem> {
    let caller = api.admit(&headers, &ledger, Role::Read)?;
    let account = access::account(&account)?;
    let view = match query(when)?.cut()? {
        None => api.projections.account(&caller.ledger, &account).map_err(|error| fault(&error))?,
        Some(cut) => {
            let (log, ledger, account) =
                (Arc::clone(&api.log), caller.ledger.clone(), account.clone());
            blocking(move || past(&*log, &ledger, &account, &cut)).await?
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

/// An account at a cut; none where it did not exist yet.
fn past(
    log: &dyn EventLog,
    ledger: &LedgerId,
    account: &AccountId,
    cut: &Cut,
) -> Result<Option<View>, Problem> {
    as_of::account(log, ledger, account, cut, RECORDS_FOLDED_MAX).map_err(|error| match error {
        AsOfError::TooManyRecords { .. } => {
            let detail = "the account has more records than a view of the past is folded from";
            Problem::new(StatusCode::UNPROCESSABLE_ENTITY, "history_too_long", detail)
        }
        AsOfError::OutOfRange { .. } => {
            let detail = "a sum of what had happened by then is out of the range of balances";
            Problem::new(StatusCode::UNPROCESSABLE_ENTITY, "balance_out_of_range", detail)
        }
        AsOfError::Read(error) => fault(&error),
    })
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
