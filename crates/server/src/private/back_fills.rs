//! What a provider lists and what never arrived, brought in by an operator.
//!
//! It is recorded as the delivery that it would have been, with evidence that says who brought it
//! in: nobody signed it. The event's id, or the bytes of what has none, keep it from counting twice,
//! so that a delivery which arrives later is a duplicate.

use std::sync::Arc;

use axum::{
    Router,
    body::Body,
    extract::{Query, State, rejection::QueryRejection},
    http::{HeaderMap, StatusCode},
    response::Response,
    routing::post,
};
use domain::{
    ids::EventKey,
    input::{BackFill, Delivery, Input, Listing, UnreadableFault},
};
use engine::step::Request;
use ingestion::read::{Reading, read_back_filled};
use serde::Deserialize;
use serde_json::json;

use super::{Api, access::Caller, accounts::query, json, request::bytes};
use crate::{
    config::Role,
    path::Path,
    problem::Problem,
    public::{Told, told},
    writer::Unavailable,
};

/// The route of back-fills, under a ledger.
pub(super) fn routes() -> Router<Arc<Api>> {
    Router::new().route("/sources/{source}/back-fill", post(back_fill))
}

/// In which of the provider's lists the body was found; its events without this.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct From {
    listing: Option<Listed>,
}

#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Listed {
    Events,
    Payments,
    Adjustments,
}

async fn back_fill(
    State(api): State<Arc<Api>>,
    Path((ledger, source)): Path<(String, String)>,
    headers: HeaderMap,
    from: Result<Query<From>, QueryRejection>,
    body: Body,
) -> Result<Response, Problem> {
    let caller = api.admit(&headers, &ledger, Role::Operate)?;
    let listing = match query(from)?.listing {
        None | Some(Listed::Events) => Listing::Events,
        Some(Listed::Payments) => Listing::Payments,
        Some(Listed::Adjustments) => Listing::Adjustments,
    };
    let body = bytes(body).await?;
    let delivery = read(&api, &caller, &source, listing, &body)?;
    let input = Input::Delivery(Box::new(delivery));
    let request = Request { ledger: caller.ledger.clone(), input, body: Arc::from(&*body) };
    let answer = api.writer.submit(request).await.map_err(|reason| {
        Problem::try_later(match reason {
            Unavailable::Full => "too many requests at once",
            Unavailable::Latched | Unavailable::Stopping => {
                "the log takes no records at the moment"
            }
        })
    })?;
    let Told { outcome, sequence, reason } = told(&answer)?;
    let mut said = json!({
        "outcome": outcome.name(),
        "ledger": caller.ledger.as_str(),
        "sequence": sequence.get(),
        "back_filled": true,
    });
    if let (Some(reason), Some(members)) = (reason, said.as_object_mut()) {
        members.insert("reason".to_owned(), reason.into());
    }
    json(StatusCode::OK, &said)
}

/// Reads what was brought in. Unlike what a provider signed, nothing of it is lost when bytes that
/// are not what the list has are refused.
fn read(
    api: &Api,
    caller: &Caller<'_>,
    source: &str,
    listing: Listing,
    body: &[u8],
) -> Result<Delivery, Problem> {
    let mut sources = caller.served.sources.iter();
    let source = sources.find(|known| known.name.as_str() == source).ok_or_else(|| {
        Problem::new(
            StatusCode::NOT_FOUND,
            "source_unknown",
            "no source of the ledger has this name",
        )
    })?;
    let actor = caller.actor.clone();
    let delivery = read_back_filled(
        &Reading::from(&**source),
        body,
        BackFill { actor, listing },
        api.clock.now(),
    );
    let unfit = |detail: &str| {
        Problem::new(StatusCode::UNPROCESSABLE_ENTITY, "back_fill_malformed", detail)
    };
    match (&delivery.notice, &delivery.event, listing) {
        (Err(unreadable), _, _) if unreadable.fault == UnreadableFault::Malformed => {
            Err(unfit(&unreadable.detail))
        }
        (_, EventKey::Body { .. }, Listing::Events) => Err(unfit("/event_id is missing")),
        _ => Ok(delivery),
    }
}
