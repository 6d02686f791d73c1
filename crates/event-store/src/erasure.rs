//! Erasures: which bodies were erased, and by which records.
//!
//! An erasure is a command under a key of Tallyhook's own, `erase:1`, `erase:2` and so on, so that
//! the index finds all of them without reading the log. Its record names the records whose bodies
//! go, and only then the log is written anew without them (see [`SledStore::rewrite`]). What is
//! between the two, after a crash, is an *unfinished* erasure: the next one finishes it.
//!
//! Each rewriting takes out all bodies that any erasure before it names. So once the last erasure's
//! bodies are gone, all are.

use std::collections::BTreeSet;

use domain::{
    entities::Key,
    ids::{IdFault, IdempotencyKey, LedgerId, Sequence},
    input::{Input, Order},
    record::Record,
};

use crate::{
    key::Kind,
    log::{EventLog, ReadError},
    sled::{SledStore, bodies as block_of_bodies, damaged_at, failed},
    walk::{Visit, Walk},
};

/// What the keys of erasures start with. No caller may take one of them.
pub const KEYS: &str = "erase:";

/// One record that erases bodies.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Erasure {
    /// The record.
    pub sequence: Sequence,
    /// Which records' bodies it erases.
    pub records: BTreeSet<Sequence>,
}

/// The key of the erasure with a number, which counts from 1.
///
/// # Errors
/// Never with the form of today.
pub fn key(number: u64) -> Result<IdempotencyKey, IdFault> {
    IdempotencyKey::new(&format!("{KEYS}{number}"))
}

/// What a record erases; none where it is no erasure.
#[must_use]
pub fn erased(record: &Record) -> Option<&BTreeSet<Sequence>> {
    if let Input::Command(command) = &record.input
        && let Order::Erase { records, .. } = &command.order
    {
        Some(records)
    } else {
        None
    }
}

/// The erasures of a ledger, oldest first.
pub struct Erasures<'l> {
    log: &'l dyn EventLog,
    ledger: &'l LedgerId,
    next: u64,
}

impl<'l> Erasures<'l> {
    /// All of a ledger.
    #[must_use]
    pub fn of(log: &'l dyn EventLog, ledger: &'l LedgerId) -> Self {
        Self { log, ledger, next: 1 }
    }

    /// The number of the next erasure, once all were met.
    #[must_use]
    pub const fn next_number(&self) -> u64 {
        self.next
    }

    fn read(&mut self) -> Result<Option<Erasure>, ReadError> {
        loop {
            let Ok(key) = key(self.next) else { return Ok(None) };
            let Some(sequence) = self.log.find(self.ledger, &Key::Command(key))? else {
                return Ok(None);
            };
            self.next = self.next.saturating_add(1);
            let recorded = self.log.read(self.ledger, sequence)?;
            // A caller may have taken the key before it was Tallyhook's own.
            if let Some(records) = recorded.as_ref().and_then(|it| erased(it.record())) {
                return Ok(Some(Erasure { sequence, records: records.clone() }));
            }
        }
    }
}

impl Iterator for Erasures<'_> {
    type Item = Result<Erasure, ReadError>;

    fn next(&mut self) -> Option<Self::Item> {
        self.read().transpose()
    }
}

/// The record that erases this record's body, if one does.
///
/// # Errors
/// The store can't be read or is damaged there.
pub fn erased_by(
    log: &dyn EventLog,
    ledger: &LedgerId,
    sequence: Sequence,
) -> Result<Option<Sequence>, ReadError> {
    for erasure in Erasures::of(log, ledger) {
        let erasure = erasure?;
        if erasure.records.contains(&sequence) {
            return Ok(Some(erasure.sequence));
        }
    }
    Ok(None)
}

/// The last erasure's record, if a body that it names is still there.
///
/// # Errors
/// The store can't be read or is damaged there.
pub fn unfinished(log: &dyn EventLog, ledger: &LedgerId) -> Result<Option<Sequence>, ReadError> {
    let Some(last) = Erasures::of(log, ledger).last().transpose()? else { return Ok(None) };
    for sequence in last.records {
        if log.body(ledger, sequence)?.is_some_and(|body| !body.is_empty()) {
            return Ok(Some(last.sequence));
        }
    }
    Ok(None)
}

/// Shows all bodies of a ledger in order, each block unpacked once.
///
/// # Errors
/// The store can't be read or a block is damaged.
pub fn bodies(
    store: &SledStore,
    ledger: &LedgerId,
    visit: &mut dyn FnMut(Sequence, &[u8]),
) -> Result<(), ReadError> {
    for met in Walk::new(store.raw().values(), Kind::Bodies, ledger) {
        match met? {
            Visit::Value(key, Ok(raw)) => {
                block_of_bodies(&key, &raw)?.iter().for_each(|(at, body)| visit(at, body));
            }
            Visit::Value(key, Err(fault)) => return Err(damaged_at(&key, &fault.to_string())),
            Visit::Stray(_) => {
                return Err(failed("a key that is not ours is among the keys of bodies".into()));
            }
        }
    }
    Ok(())
}
