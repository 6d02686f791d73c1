//! Why a balance, a payment or a record is as it is.

use std::sync::Arc;

use audit::explain::{Asked, ExplainError, explain};
use axum::{
    Router,
    extract::{Query, State, rejection::QueryRejection},
    http::{HeaderMap, StatusCode},
    response::Response,
    routing::get,
};
use domain::ids::Origin;
use serde::Deserialize;
use serde_json::json;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use super::{
    Api,
    accounts::{cut, query},
    blocking, fault, json,
};
use crate::{
    config::Role,
    limits::{
        EXPLAINED_AT_ONCE_MAX, EXPLAINED_RECORDS_MAX, EXPLAINED_RECORDS_USUAL,
        EXPLAINED_WAITING_MAX,
    },
    path::Path,
    problem::Problem,
};

/// The route of explanations, under a ledger.
pub(super) fn routes() -> Router<Arc<Api>> {
    Router::new().route("/explain", get(show))
}

/// Whose turn it is. An explanation may look through the whole log: more at once would leave nobody
/// a core.
#[derive(Clone, Debug)]
pub(crate) struct Turns {
    /// Those that are looked for, and those that wait.
    admitted: Arc<Semaphore>,
    looked_for: Arc<Semaphore>,
}

/// One that is looked for, until it is dropped.
struct Turn {
    _admitted: OwnedSemaphorePermit,
    _looked_for: OwnedSemaphorePermit,
}

impl Turns {
    pub(crate) fn new() -> Self {
        let admitted = EXPLAINED_AT_ONCE_MAX.saturating_add(EXPLAINED_WAITING_MAX);
        Self {
            admitted: Arc::new(Semaphore::new(admitted)),
            looked_for: Arc::new(Semaphore::new(EXPLAINED_AT_ONCE_MAX)),
        }
    }

    async fn next(&self) -> Result<Turn, Problem> {
        let full = |_| Problem::try_later("too many explanations wait for their turn");
        let admitted = Arc::clone(&self.admitted).try_acquire_owned().map_err(full)?;
        let looked_for = Arc::clone(&self.looked_for).acquire_owned().await;
        let looked_for = looked_for.map_err(|error| fault(&error))?;
        Ok(Turn { _admitted: admitted, _looked_for: looked_for })
    }
}

/// What is asked for.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct What {
    id: Option<String>,
    call_time: Option<String>,
    model: Option<String>,
    origin: Option<String>,
    at: Option<String>,
    at_sequence: Option<u64>,
    limit: Option<usize>,
}

impl What {
    fn asked(self) -> Result<Asked, Problem> {
        let steps_max = match self.limit {
            None => EXPLAINED_RECORDS_USUAL,
            Some(limit @ 1..=EXPLAINED_RECORDS_MAX) => limit,
            Some(_) => {
                let detail = format!("limit must be from 1 to {EXPLAINED_RECORDS_MAX}");
                return Err(Problem::query(detail));
            }
        };
        Ok(Asked {
            known: cut(self.at.as_deref(), self.at_sequence, None)?.known,
            id: self.id,
            call_time: self.call_time,
            model: self.model,
            origin: self.origin,
            steps_max,
            raw: false,
        })
    }
}

async fn show(
    State(api): State<Arc<Api>>,
    Path(ledger): Path<String>,
    headers: HeaderMap,
    what: Result<Query<What>, QueryRejection>,
) -> Result<Response, Problem> {
    let caller = api.admit(&headers, &ledger, Role::Read)?;
    let asked = query(what)?.asked()?;
    let turn = api.explained.next().await?;
    let (shared, ledger) = (Arc::clone(&api), caller.ledger);
    let explained = blocking(move || {
        // The turn ends with the work, also when nobody waits for the answer any more.
        let _turn = turn;
        let book = shared.projections.book(&ledger).map_err(|error| fault(&error))?;
        explain(&*shared.log, &ledger, &book.activations, &asked).map_err(problem)
    });
    json(StatusCode::OK, &explained.await?.json())
}

fn problem(error: ExplainError) -> Problem {
    match error {
        ExplainError::NothingAsked => Problem::query("ask by id, call_time or model"),
        ExplainError::Unknown { .. } => {
            let detail = "the ledger knows nothing by that name, or did not then";
            Problem::new(StatusCode::NOT_FOUND, "name_unknown", detail)
        }
        ExplainError::Ambiguous { origins } => {
            let detail = "payments of several origins have this id; name one of them";
            let origins: Vec<&str> = origins.iter().map(Origin::as_str).collect();
            Problem::new(StatusCode::CONFLICT, "origin_needed", detail)
                .with("origins", json!(origins))
        }
        ExplainError::Read(_) | ExplainError::AsOf(_) | ExplainError::Unexplained { .. } => {
            fault(&error)
        }
    }
}
