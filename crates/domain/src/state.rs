//! The state that decisions are made from: the part of a ledger that was loaded.

use std::collections::BTreeMap;

use imbl::OrdMap;

use crate::{
    decision::{House, MoneyBook, Quarantine},
    entities::{Entities, Key},
    ids::{AccountId, Digest, EventKey, IdempotencyKey, LedgerId, OperationId, Sequence},
    input::Settings,
    money::Currency,
    policy::Timeline,
    time::Timestamp,
};

/// A decision or a fold needs something that was not loaded: load it and ask again.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Missing(pub Key);

/// What a ledger keeps once, whatever its number of accounts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Book {
    /// The policies that were put in force.
    pub timeline: Timeline,
    /// SHA-256 of the file of the version put in force last.
    pub policy_file: Option<Digest>,
    /// The settings in force.
    pub settings: Option<Settings>,
    /// The last record.
    pub sequence: Option<Sequence>,
    /// When it was recorded.
    pub recorded_at: Option<Timestamp>,
    /// The house's balances of credits, in billionths.
    pub house: BTreeMap<House, i128>,
    /// All customers' balances of credits together, in billionths.
    pub customers: i128,
    /// The balances of money, in minor units.
    pub money: BTreeMap<(MoneyBook, Currency), i128>,
    /// The record that put each version of the policy in force.
    pub activations: BTreeMap<u32, Sequence>,
    /// The open holds with their accounts, the one that ends first in front.
    pub holds: OrdMap<(Timestamp, OperationId), AccountId>,
}

/// The record that an event belongs to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PriorEvent {
    /// Which.
    pub sequence: Sequence,
    /// Its content.
    pub content: Digest,
    /// Whether it was quarantined, and why.
    pub quarantined: Option<Quarantine>,
}

/// The record that a command's key belongs to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PriorCommand {
    /// Which.
    pub sequence: Sequence,
    /// The request.
    pub request: Digest,
}

/// The part of a ledger that was loaded. `None` says that there is no such thing; no entry says
/// that nobody looked yet.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct State {
    /// The ledger.
    pub ledger: LedgerId,
    /// What the ledger keeps once.
    pub book: Book,
    /// What is kept under an id of its own.
    pub entities: Entities,
    /// Events that were looked up or recorded.
    pub events: BTreeMap<EventKey, Option<PriorEvent>>,
    /// Conflicting contents that were looked up or recorded.
    pub conflicts: BTreeMap<(EventKey, Digest), Option<Sequence>>,
    /// Keys of commands that were looked up or recorded.
    pub commands: BTreeMap<IdempotencyKey, Option<PriorCommand>>,
}

impl Book {
    /// A ledger without a record.
    #[must_use]
    pub fn empty() -> Self {
        Self {
            timeline: Timeline::EMPTY,
            policy_file: None,
            settings: None,
            sequence: None,
            recorded_at: None,
            house: BTreeMap::new(),
            customers: 0,
            money: BTreeMap::new(),
            activations: BTreeMap::new(),
            holds: OrdMap::new(),
        }
    }

    /// The next record's sequence.
    #[must_use]
    pub fn next_sequence(&self) -> Sequence {
        self.sequence.map_or(Sequence::FIRST, Sequence::next)
    }
}

impl State {
    /// A state in which nothing but the ledger's book is loaded.
    #[must_use]
    pub const fn new(ledger: LedgerId, book: Book) -> Self {
        Self {
            ledger,
            book,
            entities: Entities::EMPTY,
            events: BTreeMap::new(),
            conflicts: BTreeMap::new(),
            commands: BTreeMap::new(),
        }
    }

    /// The record that an event belongs to.
    ///
    /// # Errors
    /// Nobody looked yet.
    pub fn event(&self, key: &EventKey) -> Result<Option<&PriorEvent>, Missing> {
        let entry = self.events.get(key).ok_or_else(|| Missing(Key::Event(key.clone())))?;
        Ok(entry.as_ref())
    }

    /// The record that keeps a content which differs from the event's first.
    ///
    /// # Errors
    /// Nobody looked yet.
    pub fn conflict(&self, key: &EventKey, content: Digest) -> Result<Option<Sequence>, Missing> {
        let missing = || Missing(Key::Conflict(key.clone(), content));
        self.conflicts.get(&(key.clone(), content)).copied().ok_or_else(missing)
    }

    /// The record that a command's key belongs to.
    ///
    /// # Errors
    /// Nobody looked yet.
    pub fn command(&self, key: &IdempotencyKey) -> Result<Option<&PriorCommand>, Missing> {
        let entry = self.commands.get(key).ok_or_else(|| Missing(Key::Command(key.clone())))?;
        Ok(entry.as_ref())
    }
}
