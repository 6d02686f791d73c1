//! Paddle Billing: signature, envelope, and the events of payments and adjustments.
//!
//! An envelope is an object with `event_id`, `event_type`, `occurred_at`, `notification_id` and
//! `data` (PROVIDERS.md sections 2 to 4). Unknown fields and unknown event types are normal; only
//! `transaction.*` and `adjustment.*` are looked into further. The same two come without an envelope
//! when an operator brings them in from Paddle's lists.

mod adjustment;
mod entity;
mod envelope;
mod signature;
mod transaction;

pub use signature::{HEADER, HEADER_BYTES_MAX, SIGNATURES_MAX, sign};

pub(crate) use entity::{Entity, read as read_entity};
pub(crate) use envelope::{VARIES_BY_DESTINATION, read};
pub(crate) use signature::signature;
