//! What can be seen of a broker without changing anything: for those who look after the machine.

use std::time::Duration;

pub use crate::nats::look;

/// A broker that answers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Seen {
    /// The server's version.
    pub version: String,
    /// Whether servers of that version have what is needed.
    pub is_new_enough: bool,
    /// Whether the server keeps streams.
    pub has_jetstream: bool,
    /// The stream of balance events; none where it is not there yet: the publisher makes it.
    pub stream: Option<StreamSettings>,
}

/// What of a stream's settings matters.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StreamSettings {
    /// What it has that can lose or repeat messages; none when it will do.
    pub unfit: Option<String>,
    /// On how many servers each message is stored.
    pub replicas: usize,
    /// How long the broker finds repeated messages by itself.
    pub duplicate_window: Duration,
    /// How many messages it has.
    pub messages: u64,
    /// How many bytes they take.
    pub bytes: u64,
}
