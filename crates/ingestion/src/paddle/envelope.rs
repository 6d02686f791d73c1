//! Paddle's envelope: which event it is and which kind.

use std::sync::Arc;

use domain::{
    ids::EventId,
    input::{Reality, Unreadable},
    notice::Notice,
    time::Timestamp,
};

use super::{adjustment, transaction};
use crate::{
    fields::At,
    json::Json,
    read::{Reading, Said},
};

/// Each destination and each replay of one event has its own.
pub(crate) const VARIES_BY_DESTINATION: &str = "notification_id";
/// The most bytes of an event's type; Paddle's longest has 42.
const EVENT_TYPE_BYTES_MAX: usize = 255;
/// How the simulator's events and notifications are named: it signs with the genuine secret.
const SIMULATED_EVENT: &str = "ntfsimevt_";
const SIMULATED_NOTIFICATION: &str = "ntfsimntf_";

/// Reads an envelope. What can't be read of it is not there, and the notice says why.
pub(crate) fn read(reading: &Reading<'_>, event: &Json<'_>) -> Said {
    let at = At::top(event);
    let id = at.id("/event_id", EventId::new);
    let event_type = event_type(at);
    let occurred_at = at.moment("/occurred_at");
    Said {
        reality: reality(at),
        event: id.as_ref().ok().cloned(),
        event_type: event_type.as_ref().ok().map(|text| Arc::from(*text)),
        occurred_at: occurred_at.as_ref().ok().copied(),
        notice: notice(reading, event, id, event_type, occurred_at),
    }
}

fn notice(
    reading: &Reading<'_>,
    event: &Json<'_>,
    id: Result<EventId, Unreadable>,
    event_type: Result<&str, Unreadable>,
    occurred_at: Result<Timestamp, Unreadable>,
) -> Result<Notice, Unreadable> {
    id?;
    let event_type = event_type?;
    if event_type.starts_with("transaction.") {
        transaction::read(reading, event, occurred_at?).map(Notice::Purchase)
    } else if event_type.starts_with("adjustment.") {
        adjustment::read(reading, event, occurred_at?).map(Notice::Adjustment)
    } else {
        Ok(Notice::Nothing)
    }
}

fn event_type<'t>(at: At<'t>) -> Result<&'t str, Unreadable> {
    let path = "/event_type";
    let text = at.text(path)?;
    if text.len() > EVENT_TYPE_BYTES_MAX {
        return Err(at.malformed(path, format!("must have at most {EVENT_TYPE_BYTES_MAX} bytes")));
    }
    Ok(text)
}

fn reality(at: At<'_>) -> Reality {
    let begins =
        |path, prefix| matches!(at.find(path), Some(Json::Text(text)) if text.starts_with(prefix));
    if begins("/event_id", SIMULATED_EVENT) || begins("/notification_id", SIMULATED_NOTIFICATION) {
        Reality::Simulated
    } else {
        Reality::Genuine
    }
}
