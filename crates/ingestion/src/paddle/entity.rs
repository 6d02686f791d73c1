//! Paddle's transactions and adjustments as its lists have them: an event's `data` without the event.
//!
//! Such an entity says how things stand and not which event led there, so it is as new as its last
//! change: facts of one payment count by their time, whatever order they come in, and an event that
//! arrives later finds what it says already known.

use domain::{
    input::{Reality, Unreadable},
    notice::Notice,
    time::Timestamp,
};

use super::{adjustment, transaction};
use crate::{
    fields::At,
    json::{Fields, Json},
    read::{Reading, Said},
};

/// What is listed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Entity {
    /// A transaction.
    Payment,
    /// An adjustment.
    Adjustment,
}

/// Reads an entity as if it stood in an envelope, so that paths and pointers mean the same.
pub(crate) fn read(reading: &Reading<'_>, entity: Json<'_>, kind: Entity) -> Said {
    let enveloped = Json::Object(Fields::one("data", entity));
    let changed_at = changed_at(At::top(&enveloped));
    Said {
        event: None,
        event_type: None,
        occurred_at: changed_at.as_ref().ok().copied(),
        reality: Reality::Genuine,
        notice: changed_at.and_then(|changed_at| match kind {
            Entity::Payment => {
                transaction::read(reading, &enveloped, changed_at).map(Notice::Purchase)
            }
            Entity::Adjustment => {
                adjustment::read(reading, &enveloped, changed_at).map(Notice::Adjustment)
            }
        }),
    }
}

/// An adjustment that was never changed has no time of change, or one long before it was made.
fn changed_at(at: At<'_>) -> Result<Timestamp, Unreadable> {
    match at.moment_if_any("/data/updated_at")?.max(at.moment_if_any("/data/created_at")?) {
        Some(changed_at) => Ok(changed_at),
        None => at.moment("/data/created_at"),
    }
}
