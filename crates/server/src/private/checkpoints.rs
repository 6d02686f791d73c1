//! Signed checkpoints and proofs: what an outsider keeps, and checks without us.

use std::sync::Arc;

use axum::{
    Router,
    extract::{Query, State, rejection::QueryRejection},
    http::{HeaderMap, HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
    routing::get,
};
use domain::ids::{LedgerId, Sequence};
use event_store::log::EventLog;
use proof::{bundle::Bundle, checkpoint::Published, note::VerifierKey, tree::consistency};
use serde::{Deserialize, Serialize};

use super::{Api, accounts::query, blocking, fault, json, page::Page};
use crate::{
    checkpoints::{Checkpoints, TreeFault},
    config::Role,
    path::Path,
    problem::Problem,
};

/// The routes of proofs, under a ledger.
pub(super) fn routes() -> Router<Arc<Api>> {
    Router::new()
        .route("/proofs/inclusion", get(inclusion))
        .route("/proofs/consistency", get(consistent))
}

/// A checkpoint as it is listed.
#[derive(Serialize)]
struct Listed {
    ledger: String,
    origin: String,
    records: u64,
    root: String,
    /// The key that the note is believed by.
    key: String,
    note: String,
}

/// That a checkpoint goes on from an older one.
#[derive(Serialize)]
struct Consistency {
    from: u64,
    records: u64,
    note: String,
    path: Vec<String>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct OfRecord {
    sequence: u64,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct FromSize {
    from: u64,
}

/// The newest checkpoint of each ledger that the token is bound to.
pub(super) async fn list(
    State(api): State<Arc<Api>>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let ledgers = api.admit_anywhere(&headers, Role::Read)?;
    let items = ledgers.iter().filter_map(|ledger| {
        let (published, key) = api.checkpoints.newest(ledger)?;
        Some(listed(ledger, published, key))
    });
    json(StatusCode::OK, &Page { items: items.collect(), next: None })
}

fn listed(ledger: &LedgerId, published: Published, key: &VerifierKey) -> Listed {
    let Published { checkpoint, note } = published;
    Listed {
        ledger: ledger.to_string(),
        origin: checkpoint.origin,
        records: checkpoint.size,
        root: checkpoint.root.to_string(),
        key: key.to_string(),
        note,
    }
}

/// A bundle that proves that a record is in the newest checkpoint's tree: `tallyhook-verify` reads
/// it as it is.
async fn inclusion(
    State(api): State<Arc<Api>>,
    Path(ledger): Path<String>,
    headers: HeaderMap,
    asked: Result<Query<OfRecord>, QueryRejection>,
) -> Result<Response, Problem> {
    let caller = api.admit(&headers, &ledger, Role::Read)?;
    let sequence = Sequence::new(query(asked)?.sequence).ok_or_else(uncovered)?;
    let ledger = caller.ledger;
    let published = newest(&api.checkpoints, &ledger)?;
    if sequence.get() > published.checkpoint.size {
        return Err(uncovered());
    }
    let (log, checkpoints) = (Arc::clone(&api.log), api.checkpoints.clone());
    let bundle =
        blocking(move || proved(&*log, &checkpoints, &ledger, published, sequence)).await?;
    let kind = HeaderValue::from_static("application/json");
    Ok(([(header::CONTENT_TYPE, kind)], bundle.to_text()).into_response())
}

fn proved(
    log: &dyn EventLog,
    checkpoints: &Checkpoints,
    ledger: &LedgerId,
    published: Published,
    sequence: Sequence,
) -> Result<Bundle, Problem> {
    let recorded = log.read(ledger, sequence).map_err(|error| fault(&error))?;
    let recorded = recorded.ok_or_else(uncovered)?;
    let leaf = audit::leaf::leaf_bytes(ledger, &recorded);
    // A leaf is JSON, which is always UTF-8.
    let leaf = String::from_utf8(leaf).map_err(|error| fault(&error))?;
    let (index, size) = (sequence.get().saturating_sub(1), published.checkpoint.size);
    let mut bundle = Bundle::of(published.note);
    let mut subtree = |wanted| checkpoints.subtree(ledger, wanted);
    bundle.prove::<TreeFault>(index, leaf, size, &mut subtree).map_err(|error| fault(&error))?;
    Ok(bundle)
}

/// What proves that the newest checkpoint goes on from one that the caller has.
async fn consistent(
    State(api): State<Arc<Api>>,
    Path(ledger): Path<String>,
    headers: HeaderMap,
    asked: Result<Query<FromSize>, QueryRejection>,
) -> Result<Response, Problem> {
    let caller = api.admit(&headers, &ledger, Role::Read)?;
    let from = query(asked)?.from;
    let ledger = caller.ledger;
    let Published { checkpoint, note } = newest(&api.checkpoints, &ledger)?;
    let records = checkpoint.size;
    if from > records {
        let detail = format!("from must be at most {records}, which the newest checkpoint covers");
        return Err(Problem::query(detail));
    }
    let checkpoints = api.checkpoints.clone();
    let path = blocking(move || {
        let mut subtree = |wanted| checkpoints.subtree(&ledger, wanted);
        consistency::<TreeFault>(from, records, &mut subtree).map_err(|error| fault(&error))
    });
    let path = path.await?.iter().map(ToString::to_string).collect();
    json(StatusCode::OK, &Consistency { from, records, note, path })
}

fn newest(checkpoints: &Checkpoints, ledger: &LedgerId) -> Result<Published, Problem> {
    let newest = checkpoints.newest(ledger).map(|(published, _)| published);
    newest.ok_or_else(|| {
        let detail = "no checkpoint of the ledger is signed yet; /readyz says why if none will be";
        Problem::new(StatusCode::NOT_FOUND, "checkpoint_unknown", detail)
    })
}

fn uncovered() -> Problem {
    let detail =
        "no checkpoint covers such a record yet: GET /v1/checkpoints shows how far they go";
    Problem::new(StatusCode::NOT_FOUND, "record_unknown", detail)
}
