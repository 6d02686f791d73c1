//! Whether the process lives, whether it can do its work, and its figures.

use std::sync::Arc;

use axum::{
    extract::State,
    http::{HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
};
use domain::ids::LedgerId;
use publisher::standing::State as Publishing;
use serde_json::json;

use super::Api;
use crate::{metrics::Gauge, problem::Problem};

/// The process answers.
pub(super) async fn live() -> Result<Response, Problem> {
    super::json(StatusCode::OK, &json!({"status": "live"}))
}

/// Whether deliveries are recorded and balance events published, into the log that was signed; else every reason with what to do
/// about it.
pub(super) async fn ready(State(api): State<Arc<Api>>) -> Result<Response, Problem> {
    let reasons = reasons(&api);
    if reasons.is_empty() {
        return super::json(StatusCode::OK, &json!({"status": "ready", "reasons": []}));
    }
    let body = json!({"status": "not ready", "reasons": reasons});
    super::json(StatusCode::SERVICE_UNAVAILABLE, &body)
}

fn reasons(api: &Api) -> Vec<String> {
    let mut reasons = Vec::new();
    if let Some(reason) = latched(api) {
        reasons.push(format!(
            "the log takes no records until a restart: {reason}; find out why, then restart the \
             server"
        ));
    }
    if let Err(full) = api.space.admit(0) {
        reasons.push(format!("no records are taken: {full}"));
    }
    if let Some(standing) = &api.publisher {
        let state = &standing.borrow().state;
        if *state != Publishing::Publishing {
            reasons.push(format!("balance events are not published: {state}"));
        }
    }
    let troubles = api.checkpoints.troubles().into_iter();
    reasons.extend(troubles.filter(|(_, trouble)| trouble.is_final).map(|(ledger, trouble)| {
        format!("no checkpoint of {ledger} is signed: {}", trouble.reason)
    }));
    reasons
}

/// Why nothing is recorded until a restart: the first failure, or a thread that ended.
fn latched(api: &Api) -> Option<String> {
    api.writer.latched().map(str::to_owned).or_else(|| api.log.latched())
}

/// The figures, as Prometheus reads them.
pub(super) async fn metrics(State(api): State<Arc<Api>>) -> Response {
    let text = api.metrics.render(&gauges(&api));
    let kind = HeaderValue::from_static("text/plain; version=0.0.4");
    ([(header::CONTENT_TYPE, kind)], text).into_response()
}

fn gauges(api: &Api) -> Vec<Gauge> {
    let records = api.ledgers.keys().map(|ledger| {
        let head = api.log.head(ledger).map_or(0, |head| head.sequence.get());
        (Some(ledger.to_string()), head)
    });
    let mut gauges = vec![
        Gauge {
            name: "tallyhook_queue_inputs",
            help: "Inputs that wait for the writer.",
            values: vec![(None, u64::try_from(api.writer.depth()).unwrap_or(u64::MAX))],
        },
        Gauge { name: "tallyhook_records", help: "Records in the log.", values: records.collect() },
        Gauge {
            name: "tallyhook_latched",
            help: "1 when the log takes no records until a restart.",
            values: vec![(None, u64::from(latched(api).is_some()))],
        },
        Gauge {
            name: "tallyhook_reserve",
            help: "1 when room is reserved on the disk for a restart.",
            values: vec![(None, u64::from(api.space.has_reserve()))],
        },
        Gauge {
            name: "tallyhook_checkpoint_records",
            help: "Records that the newest signed checkpoint covers.",
            values: of_ledgers(api.checkpoints.sizes()),
        },
        Gauge {
            name: "tallyhook_checkpoint_troubles",
            help: "Ledgers of which no checkpoint is signed, or to whose checkpoints others add.",
            values: vec![(
                None,
                u64::try_from(api.checkpoints.troubles().len()).unwrap_or(u64::MAX),
            )],
        },
    ];
    if let Ok(free) = api.space.free() {
        gauges.push(Gauge {
            name: "tallyhook_free_bytes",
            help: "Free space of the file system that has the log.",
            values: vec![(None, free)],
        });
    }
    if let Some(standing) = &api.publisher {
        let standing = standing.borrow();
        let lag = standing.ledgers.iter();
        gauges.push(Gauge {
            name: "tallyhook_publisher_lag_records",
            help: "Records whose balance events are not published yet.",
            values: lag
                .map(|(ledger, progress)| (Some(ledger.to_string()), progress.lag()))
                .collect(),
        });
    }
    gauges
}

fn of_ledgers(sizes: Vec<(LedgerId, u64)>) -> Vec<(Option<String>, u64)> {
    sizes.into_iter().map(|(ledger, size)| (Some(ledger.to_string()), size)).collect()
}
