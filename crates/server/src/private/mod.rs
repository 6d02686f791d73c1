//! The API for gateways, storefronts and operators, with metrics and health.
//!
//! [`access`] says who may do what, [`page`] how lists go on, [`form`], [`payment_form`] and
//! [`case_form`] how things look in JSON, [`request`] how requests are read, [`step`] how a command
//! goes. [`accounts`], [`statement`], [`records`], [`checkpoints`] and [`explain`] read;
//! [`commands`], [`cases`], [`exceptions`], [`imports`], [`back_fills`] and [`policies`] also ask
//! the writer; [`backup`] sends the whole log, [`health`] tells how the process is, [`openapi`] what
//! can be asked.

mod access;
mod accounts;
mod back_fills;
mod backup;
mod case_form;
mod cases;
mod checkpoints;
mod commands;
mod exceptions;
mod explain;
pub(crate) mod form;
mod health;
mod imports;
mod money;
mod openapi;
mod page;
mod payment_form;
mod policies;
mod records;
pub(crate) mod request;
mod statement;
mod step;

use std::{collections::BTreeMap, sync::Arc};

use axum::{
    Router,
    http::{HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
    routing::get,
};
use domain::ids::{LedgerId, Origin, Text};
use event_store::{log::EventLog, space::Space};
use ingestion::source::Source;
use projectors::projections::Projections;
use publisher::standing::Standing;
use serde::Serialize;
use tokio::sync::watch;

pub(crate) use self::{backup::Backups, explain::Turns};
use crate::{
    checkpoints::Checkpoints,
    clock::Clock,
    config::Token,
    metrics::Metrics,
    problem::Problem,
    writer::{Writer, with_causes},
};

/// All that the private listener needs.
pub(crate) struct Api {
    pub(crate) tokens: Vec<Token>,
    pub(crate) ledgers: BTreeMap<LedgerId, Served>,
    pub(crate) log: Arc<dyn EventLog>,
    pub(crate) projections: Arc<Projections>,
    pub(crate) writer: Writer,
    pub(crate) metrics: Arc<Metrics>,
    pub(crate) clock: Arc<dyn Clock>,
    /// Where the publisher stands; none without a broker.
    pub(crate) publisher: Option<watch::Receiver<Standing>>,
    /// The room on the disk.
    pub(crate) space: Arc<Space>,
    pub(crate) backups: Backups,
    pub(crate) checkpoints: Checkpoints,
    pub(crate) explained: Turns,
}

/// What of a ledger never changes while it is served.
#[derive(Clone, Debug)]
pub(crate) struct Served {
    /// What credits are called.
    pub(crate) unit: Text,
    /// How many decimals credits have.
    pub(crate) decimals: u8,
    /// The namespaces of its providers' ids.
    pub(crate) origins: Vec<Origin>,
    /// Where deliveries come in: what they would be believed and read by.
    pub(crate) sources: Vec<Arc<Source>>,
}

impl Api {
    pub(crate) fn router(self) -> Router {
        let ledger = Router::new()
            .merge(accounts::routes())
            .merge(statement::routes())
            .merge(records::routes())
            .merge(checkpoints::routes())
            .merge(commands::routes())
            .merge(cases::routes())
            .merge(exceptions::routes())
            .merge(explain::routes())
            .merge(imports::routes())
            .merge(back_fills::routes())
            .merge(policies::routes());
        Router::new()
            .route("/livez", get(health::live))
            .route("/readyz", get(health::ready))
            .route("/metrics", get(health::metrics))
            .route("/openapi.json", get(openapi::describe))
            .route("/v1/backup", get(backup::send))
            .route("/v1/checkpoints", get(checkpoints::list))
            .nest("/v1/ledgers/{ledger}", ledger)
            .fallback(|| async { Problem::not_found() })
            .method_not_allowed_fallback(|| async { Problem::method() })
            .with_state(Arc::new(self))
    }
}

/// An answer in JSON.
fn json(status: StatusCode, body: &impl Serialize) -> Result<Response, Problem> {
    let text = serde_json::to_string(body).map_err(|error| fault(&error))?;
    let kind = HeaderValue::from_static("application/json");
    Ok((status, [(header::CONTENT_TYPE, kind)], text).into_response())
}

/// Logs what went wrong inside; the outside hears only that something did.
fn fault(error: &dyn std::error::Error) -> Problem {
    let error = with_causes(error);
    tracing::error!(%error, "a request could not be answered");
    Problem::internal()
}

/// Runs reads of the store beside the asynchronous workers.
async fn blocking<T: Send + 'static>(
    read: impl FnOnce() -> Result<T, Problem> + Send + 'static,
) -> Result<T, Problem> {
    match tokio::task::spawn_blocking(read).await {
        Ok(result) => result,
        Err(error) => Err(fault(&error)),
    }
}
