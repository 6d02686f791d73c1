//! What a person must see, and what a person does about it.

mod release;

use std::sync::Arc;

use axum::{
    Router,
    extract::{Query, State, rejection::QueryRejection},
    http::{HeaderMap, StatusCode},
    response::Response,
    routing::{get, post},
};
use domain::{
    exception::{Ending, Exception, ExceptionId, ExceptionKind, Filed},
    ids::{AccountId, LedgerId},
    input::Order,
    refusal::Refusal,
};
use projectors::read::Which;
use serde::{Deserialize, Serialize};
use serde_json::json;

use super::{
    Api, access,
    accounts::{query, sequence_of},
    blocking, fault,
    page::{self, Page, Search},
    request::text,
    step::{Asked, Step},
};
use crate::{config::Role, limits::EXCEPTIONS_SCANNED_MAX, path::Path, problem::Problem};

/// The routes of exceptions, under a ledger.
pub(super) fn routes() -> Router<Arc<Api>> {
    Router::new()
        .route("/exceptions", get(list))
        .route("/exceptions/{exception}", get(show))
        .route("/exceptions/{exception}/release", post(release::release))
        .route("/exceptions/{exception}/resolve", post(resolve))
}

/// An exception as the API shows it.
#[derive(Debug, Serialize)]
struct Shown {
    id: String,
    kind: &'static str,
    sequence: u64,
    raised_at: String,
    account: Option<String>,
    payment: Option<String>,
    detail: String,
    ended: Option<ShownEnd>,
}

/// How an exception ended.
#[derive(Debug, Serialize)]
struct ShownEnd {
    sequence: u64,
    at: String,
    by: &'static str,
}

impl Shown {
    fn new(Filed { exception, ended }: &Filed) -> Self {
        let ended = ended.map(|ended| ShownEnd {
            sequence: ended.sequence.get(),
            at: ended.at.to_string(),
            by: match ended.by {
                Ending::CauseGone => "cause-gone",
                Ending::Resolved => "resolved",
            },
        });
        Self {
            id: cursor(exception.id),
            kind: exception.id.kind.name(),
            sequence: exception.id.sequence.get(),
            raised_at: exception.raised_at.to_string(),
            account: exception.account.as_ref().map(ToString::to_string),
            payment: exception.payment.as_ref().map(|payment| payment.id.to_string()),
            detail: exception.detail.to_string(),
            ended,
        }
    }
}

/// What a list of exceptions can be asked.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Filter {
    limit: Option<usize>,
    cursor: Option<String>,
    kind: Option<String>,
    account: Option<String>,
    payment: Option<String>,
    state: Option<String>,
}

/// A filter as it is looked for.
struct Wanted {
    kind: Option<ExceptionKind>,
    account: Option<AccountId>,
    payment: Option<String>,
    /// Those that are open, those that ended, or both.
    states: &'static [Which],
}

impl Wanted {
    fn of(filter: Filter) -> Result<Self, Problem> {
        let states: &[Which] = match filter.state.as_deref() {
            None | Some("open") => &[Which::Open],
            Some("ended") => &[Which::Ended],
            Some("all") => &[Which::Open, Which::Ended],
            Some(_) => return Err(Problem::query("state is open, ended or all")),
        };
        let kind = filter.kind.as_deref().map(|name| {
            ExceptionKind::named(name).ok_or_else(|| {
                let names = ExceptionKind::ALL.map(ExceptionKind::name).join(", ");
                Problem::query(format!("kind is one of {names}"))
            })
        });
        let account = filter.account.as_deref().map(access::account).transpose()?;
        Ok(Self { kind: kind.transpose()?, account, payment: filter.payment, states })
    }

    fn fits(&self, Filed { exception, .. }: &Filed) -> bool {
        let payment = exception.payment.as_ref().map(|payment| payment.id.as_str());
        self.kind.is_none_or(|kind| kind == exception.id.kind)
            && (self.account.is_none() || self.account == exception.account)
            && (self.payment.is_none() || self.payment.as_deref() == payment)
    }

    /// The exceptions of the states that are asked for after one, in order, at most so many.
    fn part(
        &self,
        api: &Api,
        ledger: &LedgerId,
        after: Option<ExceptionId>,
        most: usize,
    ) -> Result<Vec<Filed>, Problem> {
        let mut all = Vec::new();
        for state in self.states {
            let found = api.projections.exceptions(ledger, *state, after, most);
            all.extend(found.map_err(|error| fault(&error))?);
        }
        all.sort_unstable_by_key(|filed| filed.exception.id);
        all.truncate(most);
        Ok(all)
    }
}

/// A filtered page looks at a limited number of exceptions, so it may be empty and still go on.
async fn list(
    State(api): State<Arc<Api>>,
    Path(ledger): Path<String>,
    headers: HeaderMap,
    filter: Result<Query<Filter>, QueryRejection>,
) -> Result<Response, Problem> {
    let caller = api.admit(&headers, &ledger, Role::Read)?;
    let filter = query(filter)?;
    let limit = page::limit(filter.limit)?;
    let after = page::after(filter.cursor.as_deref(), id_of)?;
    let wanted = Wanted::of(filter)?;
    let (shared, ledger) = (Arc::clone(&api), caller.ledger);
    let search = Search { limit, scanned_max: EXCEPTIONS_SCANNED_MAX, after };
    let page = blocking(move || {
        let part = |after: Option<&ExceptionId>, most: usize| {
            wanted.part(&shared, &ledger, after.copied(), most)
        };
        let (found, next) =
            search.find(part, |filed| filed.exception.id, |filed| wanted.fits(filed))?;
        Ok(Page { items: found.iter().map(Shown::new).collect(), next: next.map(cursor) })
    });
    super::json(StatusCode::OK, &page.await?)
}

async fn show(
    State(api): State<Arc<Api>>,
    Path((ledger, exception)): Path<(String, String)>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let caller = api.admit(&headers, &ledger, Role::Read)?;
    let filed = known(&api, &caller.ledger, &exception)?;
    super::json(StatusCode::OK, &Shown::new(&filed))
}

fn known(api: &Api, ledger: &LedgerId, id: &str) -> Result<Filed, Problem> {
    let id = id_of(id).ok_or(Refusal::ExceptionUnknown)?;
    let filed = api.projections.exception(ledger, id).map_err(|error| fault(&error))?;
    filed.ok_or_else(|| Refusal::ExceptionUnknown.into())
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct ResolveBody {
    note: String,
}

async fn resolve(State(api): State<Arc<Api>>, asked: Asked) -> Result<Response, Problem> {
    let (step, body): (Step<'_>, ResolveBody) = asked.read(&api, Role::Operate).await?;
    let note = text("note", &body.note)?;
    let exception = known(&api, &step.caller.ledger, step.part("exception"))?.exception;
    let order = Order::Resolve { exception: exception.id, note };
    ended(&api, step, &exception, exception.account.as_ref(), order).await
}

/// Has an order decided that ends an exception, and shows the exception.
async fn ended(
    api: &Api,
    step: Step<'_>,
    exception: &Exception,
    account: Option<&AccountId>,
    order: Order,
) -> Result<Response, Problem> {
    let ledger = step.caller.ledger.clone();
    let done = match account {
        Some(account) => step.submit_about(account, order).await?,
        None => step.submit(order).await?,
    };
    let filed = known(api, &ledger, &cursor(exception.id))?;
    done.stepped(json!({"exception": Shown::new(&filed)}))
}

fn cursor(id: ExceptionId) -> String {
    format!("{}-{}", id.sequence, id.kind.name())
}

fn id_of(cursor: &str) -> Option<ExceptionId> {
    let (sequence, name) = cursor.split_once('-')?;
    Some(ExceptionId { sequence: sequence_of(sequence)?, kind: ExceptionKind::named(name)? })
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
