//! The versions of the policy: listed, shown as they were written, put in force.

use std::sync::Arc;

use axum::{
    Router,
    extract::State,
    http::{HeaderMap, StatusCode},
    response::Response,
    routing::get,
};
use domain::{
    ids::{Digest, LedgerId, Sequence},
    input::Order,
    policy::Policy,
};
use event_store::log::EventLog;
use policy_file::faults::{Fault, Faults, Place};
use serde::Deserialize;
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};

use super::{
    Api, blocking, fault,
    page::Page,
    step::{Asked, Step},
};
use crate::{canonical::Canonical, config::Role, path::Path, problem::Problem};

/// The routes of policies, under a ledger.
pub(super) fn routes() -> Router<Arc<Api>> {
    Router::new()
        .route("/policies", get(list).post(activate))
        .route("/policies/{version}", get(show))
}

/// All versions that were put in force, oldest first: never more than people write.
async fn list(
    State(api): State<Arc<Api>>,
    Path(ledger): Path<String>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let caller = api.admit(&headers, &ledger, Role::Read)?;
    let book = api.projections.book(&caller.ledger).map_err(|error| fault(&error))?;
    let items = book.timeline.versions().iter().map(|policy| version(policy)).collect();
    super::json(StatusCode::OK, &Page { items, next: None })
}

fn version(policy: &Policy) -> Value {
    json!({
        "name": policy.name.as_str(),
        "version": policy.version,
        "effective_from": policy.effective_from.to_string(),
    })
}

/// A version with the text that it was read from: the body of the record that put it in force.
async fn show(
    State(api): State<Arc<Api>>,
    Path((ledger, number)): Path<(String, String)>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let caller = api.admit(&headers, &ledger, Role::Read)?;
    let book = api.projections.book(&caller.ledger).map_err(|error| fault(&error))?;
    let known = number.parse().ok().and_then(|number| book.timeline.numbered(number));
    let policy = known.ok_or_else(unknown)?;
    let activation = *book.activations.get(&policy.version).ok_or_else(unknown)?;
    let (shared, ledger) = (Arc::clone(&api), caller.ledger);
    let text = blocking(move || text(&*shared.log, &ledger, activation));
    let mut shown = version(policy);
    if let Value::Object(fields) = &mut shown {
        fields.insert("toml".to_owned(), Value::String(text.await?));
    }
    super::json(StatusCode::OK, &shown)
}

fn unknown() -> Problem {
    Problem::new(StatusCode::NOT_FOUND, "policy_unknown", "the ledger has no such version")
}

fn text(log: &dyn EventLog, ledger: &LedgerId, activation: Sequence) -> Result<String, Problem> {
    let body = log.body(ledger, activation).map_err(|error| fault(&error))?;
    String::from_utf8(body.unwrap_or_default()).map_err(|error| fault(&error))
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct ActivateBody {
    toml: String,
}

/// Puts a version in force. The record keeps the text itself, as that of the first version does.
async fn activate(State(api): State<Arc<Api>>, asked: Asked) -> Result<Response, Problem> {
    let (step, body): (Step<'_>, ActivateBody) = asked.read(&api, Role::Operate).await?;
    let policy = policy_file::parse(&body.toml).map_err(|faults| invalid(&faults))?;
    let bytes: Arc<[u8]> = Arc::from(body.toml.into_bytes());
    let file = Digest(Sha256::digest(&bytes).into());
    let mut fields = version(&policy);
    if let Value::Object(fields) = &mut fields {
        fields.insert("file_sha256".to_owned(), json!(file.to_string()));
    }
    let order = Order::ActivatePolicy { policy: Arc::new(policy), file };
    step.kept_as(Canonical { bytes, digest: file }).submit(order).await?.created(fields)
}

/// Everything that is wrong with a text, in the order of its lines.
fn invalid(faults: &Faults) -> Problem {
    let all: Vec<Value> = faults.as_slice().iter().map(shown).collect();
    let detail = format!("the policy is wrong in {} places: see `faults`", all.len());
    Problem::new(StatusCode::UNPROCESSABLE_ENTITY, "policy_invalid", detail)
        .with("faults", Value::Array(all))
}

fn shown(fault: &Fault) -> Value {
    let line = match &fault.place {
        Place::Line { line, .. } => Some(*line),
        Place::Variable(_) => None,
    };
    json!({"line": line, "key": fault.key, "problem": fault.problem, "remedy": fault.remedy})
}
