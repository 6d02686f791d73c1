//! Paddle's transactions and adjustments as its lists have them: an event's `data` without the event.
//!
//! Such an entity says how things stand and not which event led there. It is as new as its last
//! change, but a payment with money counts from when the money came: later changes don't make it a
//! purchase of another day, with another policy. Facts of one payment count by their time, whatever
//! order they come in, and an event that arrives later finds what it says already known.

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
    let at = At::top(&enveloped);
    let occurred_at = match kind {
        Entity::Payment => became_at(at),
        Entity::Adjustment => changed_at(at),
    };
    Said {
        event: None,
        event_type: None,
        occurred_at: occurred_at.as_ref().ok().copied(),
        reality: Reality::Genuine,
        notice: occurred_at.and_then(|occurred_at| match kind {
            Entity::Payment => {
                transaction::read(reading, &enveloped, occurred_at).map(Notice::Purchase)
            }
            Entity::Adjustment => {
                adjustment::read(reading, &enveloped, occurred_at).map(Notice::Adjustment)
            }
        }),
    }
}

/// When a payment came to be what it is: with money, when that came.
fn became_at(at: At<'_>) -> Result<Timestamp, Unreadable> {
    match at.text_if_any("/data/status")? {
        Some("paid" | "completed") => paid_at(at),
        Some(_) | None => changed_at(at),
    }
}

/// When the last part of the money was captured; an invoice may be settled without a capture.
fn paid_at(at: At<'_>) -> Result<Timestamp, Unreadable> {
    let mut captured_at = None;
    if at.find("/data/payments").is_some() {
        for part in at.list("/data/payments")? {
            if part.text_if_any("/status")? == Some("captured") {
                captured_at = captured_at.max(part.moment_if_any("/captured_at")?);
            }
        }
    }
    let paid_at =
        captured_at.map_or_else(|| at.moment_if_any("/data/billed_at"), |at| Ok(Some(at)));
    let rule = "is missing, and no captured payment has captured_at: when the money came decides \
                which policy applies, so this can't be brought in";
    paid_at?.ok_or_else(|| at.malformed("/data/billed_at", rule))
}

/// An adjustment that was never changed has no time of change, or one long before it was made.
fn changed_at(at: At<'_>) -> Result<Timestamp, Unreadable> {
    match at.moment_if_any("/data/updated_at")?.max(at.moment_if_any("/data/created_at")?) {
        Some(changed_at) => Ok(changed_at),
        None => at.moment("/data/created_at"),
    }
}
