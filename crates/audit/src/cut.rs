//! As of when: which records count.
//!
//! There are two axes, kept apart. What was *known* follows the log: a sequence, or the moment of
//! recording. What had *happened* follows the provider: the moment that an event says, and for a
//! command, which no provider knows of, the moment of recording.
//!
//! Records count whole. What moves is dated by the record that posted it, not by the event that it is
//! about: an adjustment that arrived before its purchase moves nothing by itself and counts from the
//! purchase, and what a released or assigned payment moves counts from that command.

use domain::{
    ids::{Digest, LedgerId, Sequence},
    input::{Input, Order},
    record::Record,
    time::Timestamp,
};

/// Which records count.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Cut {
    /// What was known.
    pub known: Known,
    /// By when it had happened; none: whenever that was.
    pub happened: Option<Timestamp>,
}

/// How far the log was.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Known {
    /// As far as it goes.
    All,
    /// Up to this record, itself included; from 0.
    Sequence(u64),
    /// Up to this moment of recording, itself included.
    RecordedAt(Timestamp),
}

impl Cut {
    /// All that is in the log.
    pub const END: Self = Self { known: Known::All, happened: None };

    /// Whether a record was known. Those that were are the first of the log.
    #[must_use]
    pub fn knows(&self, record: &Record) -> bool {
        match self.known {
            Known::All => true,
            Known::Sequence(last) => record.sequence.get() <= last,
            Known::RecordedAt(last) => record.recorded_at <= last,
        }
    }

    /// Whether a record counts: it was known, and what it tells had happened.
    #[must_use]
    pub fn counts(&self, record: &Record) -> bool {
        self.knows(record) && self.happened.is_none_or(|last| happened_at(record) <= last)
    }
}

/// When what a record tells happened: an event at the provider, a command when it was recorded.
#[must_use]
pub fn happened_at(record: &Record) -> Timestamp {
    match &record.input {
        Input::Delivery(delivery) => delivery.occurred_at.unwrap_or(record.recorded_at),
        Input::Command(_) => record.recorded_at,
    }
}

/// A version of the policy that was in force by a cut.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PolicyInForce {
    /// Its name.
    pub name: String,
    /// Its version.
    pub version: u32,
    /// From when on it applies.
    pub effective_from: Timestamp,
    /// SHA-256 of its file.
    pub file: Digest,
    /// The record that put it in force.
    pub activated: Sequence,
}

impl PolicyInForce {
    /// The version that a record puts in force.
    #[must_use]
    pub fn of(record: &Record) -> Option<Self> {
        let Input::Command(command) = &record.input else { return None };
        let Order::ActivatePolicy { policy, file } = &command.order else { return None };
        Some(Self {
            name: policy.name.to_string(),
            version: policy.version,
            effective_from: policy.effective_from,
            file: *file,
            activated: record.sequence,
        })
    }
}

/// What an answer was made from: whoever has the same gets the same answer, byte by byte.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Provenance {
    /// The ledger.
    pub ledger: LedgerId,
    /// How many records were known: the size of the tree.
    pub records: u64,
    /// The root of the Merkle tree over them.
    pub root: proof::merkle::Hash,
    /// When the last of them was recorded.
    pub recorded_at: Option<Timestamp>,
    /// The policies that were in force, in the order of their versions.
    pub policies: Vec<PolicyInForce>,
    /// The unit of the ledger's credits; empty without a policy.
    pub unit: String,
}
