//! The stored values of a log: found by their keys, checked and unpacked.

use domain::ids::{LedgerId, Sequence};

use super::{OpenError, database::Database};
use crate::{
    block::{self, Entries, Records},
    frame::{self, FrameFault, Piece},
    key::{Kind, StoredKey, prefix},
    log::{Place, ReadError, StorageFault},
};

/// How many values are removed by one commit.
const REMOVED_AT_ONCE: usize = 1024;

pub(crate) struct Values {
    database: Database,
}

impl Values {
    pub(super) const fn new(database: Database) -> Self {
        Self { database }
    }

    /// Stores all these pieces or none; durable when it returns `Ok`.
    pub(super) fn commit(&self, pieces: Vec<Piece>) -> Result<(), StorageFault> {
        self.database.commit(pieces.into_iter().map(|(key, value)| (key, Some(value))))
    }

    /// Removes a ledger's index runs from the one on that has this record.
    pub(super) fn remove_runs(
        &self,
        ledger: &LedgerId,
        first: Sequence,
    ) -> Result<(), StorageFault> {
        for kind in [Kind::RunHead, Kind::RunChunk] {
            let start = StoredKey::first(kind, ledger.clone(), first).encode();
            let prefix = prefix(kind, ledger);
            loop {
                let entries = self.database.entries_from(&start).take(REMOVED_AT_ONCE);
                let entries = entries.collect::<Result<Vec<_>, _>>()?;
                let keys = entries.iter().map(|(key, _)| key.to_vec());
                let keys: Vec<_> = keys.take_while(|key| key.starts_with(&prefix)).collect();
                if keys.is_empty() {
                    break;
                }
                self.database.commit(keys.into_iter().map(|key| (key, None)))?;
            }
        }
        Ok(())
    }

    /// The value of a key, checked and unpacked; the second result says what is wrong with it.
    pub(crate) fn try_open(
        &self,
        key: &StoredKey,
    ) -> Result<Result<frame::Opened, FrameFault>, ReadError> {
        frame::open(key, |key| self.database.get_large(key)).map_err(failed)
    }

    /// The value of a key, checked and unpacked.
    pub(super) fn open(&self, key: &StoredKey) -> Result<Vec<u8>, ReadError> {
        let opened = self.try_open(key)?;
        opened.map(|opened| opened.raw).map_err(|fault| damaged_at(key, &fault.to_string()))
    }

    /// What is stored under a key, as it stands.
    pub(super) fn piece(&self, key: &[u8]) -> Result<Option<Vec<u8>>, ReadError> {
        let stored = self.database.get_large(key).map_err(failed)?;
        Ok(stored.map(|stored| stored.to_vec()))
    }

    /// The key of the block in which a record or body is, if it is anywhere.
    pub(super) fn block_of(
        &self,
        kind: Kind,
        ledger: &LedgerId,
        sequence: Sequence,
    ) -> Result<Option<StoredKey>, ReadError> {
        let end = StoredKey { kind, ledger: ledger.clone(), number: sequence, item: 0, part: 0 };
        let start = StoredKey { number: Sequence::FIRST, ..end.clone() };
        // A value of several pieces is found by its last one.
        let end = StoredKey { item: u16::MAX, part: u16::MAX, ..end };
        let last = self.database.last_in(&start.encode(), &end.encode()).map_err(failed)?;
        let Some((key, _)) = last else { return Ok(None) };
        // All keys between two of ours that differ in their numbers only are well-formed or stray.
        let key = StoredKey::decode(&key)
            .map_err(|_| damaged_at(&start, "a key that is not ours is among the keys"))?;
        Ok(Some(StoredKey::first(kind, key.ledger, key.number)))
    }

    /// The key of the last block of a ledger.
    pub(super) fn last(
        &self,
        kind: Kind,
        ledger: &LedgerId,
    ) -> Result<Option<StoredKey>, ReadError> {
        let end = Sequence::new(u64::MAX).unwrap_or(Sequence::FIRST);
        self.block_of(kind, ledger, end)
    }

    /// The first key from `start` on, as it stands.
    pub(super) fn first_key_from(&self, start: &[u8]) -> Result<Option<Vec<u8>>, ReadError> {
        let first = self.database.first_from(start).map_err(failed)?;
        Ok(first.map(|(key, _)| key.to_vec()))
    }

    /// All keys of one kind and ledger, as they stand.
    pub(crate) fn keys(
        &self,
        kind: Kind,
        ledger: &LedgerId,
    ) -> impl Iterator<Item = Result<Vec<u8>, ReadError>> + use<'_> {
        let prefix = prefix(kind, ledger);
        let entries = self.database.entries_from(&prefix);
        let keys = entries.map(|entry| entry.map(|(key, _)| key.to_vec()).map_err(failed));
        keys.take_while(move |key| key.as_ref().map_or(true, |key| key.starts_with(&prefix)))
    }

    /// The first key from `start` on that starts with none of these prefixes, which are sorted.
    pub(crate) fn key_outside(&self, prefixes: &[Vec<u8>]) -> Result<Option<Vec<u8>>, ReadError> {
        let mut start = Vec::new();
        while let Some(key) = self.first_key_from(&start)? {
            let Some(prefix) = prefixes.iter().find(|prefix| key.starts_with(prefix)) else {
                return Ok(Some(key));
            };
            // Longer than any of our keys behind this prefix, and greater.
            start = prefix.clone();
            start.extend_from_slice(&[0xff; 13]);
        }
        Ok(None)
    }

    /// Opens the database again if the next start would be slow without it; says whether.
    pub(super) fn renew_if_due(&self) -> Result<bool, OpenError> {
        self.database.renew_if_due()
    }

    #[cfg(any(test, feature = "tamper"))]
    pub(super) const fn database(&self) -> &Database {
        &self.database
    }
}

/// Reads a block of records that was stored under a key.
pub(crate) fn records<'a>(key: &StoredKey, raw: &'a [u8]) -> Result<Records<'a>, ReadError> {
    match Records::decode(raw) {
        Ok(block) if block.forms.first() == key.number => Ok(block),
        Ok(_) | Err(_) => Err(damaged_at(key, "the block is malformed")),
    }
}

/// Reads a block of bodies that was stored under a key.
pub(crate) fn bodies<'a>(key: &StoredKey, raw: &'a [u8]) -> Result<Entries<'a>, ReadError> {
    match block::decode_bodies(raw) {
        Ok(entries) if entries.first() == key.number => Ok(entries),
        Ok(_) | Err(_) => Err(damaged_at(key, "the block is malformed")),
    }
}

/// What sled says as a read error.
pub(crate) fn failed(source: StorageFault) -> ReadError {
    ReadError::Failed { source }
}

pub(crate) fn damaged(ledger: &LedgerId, place: Place, detail: &str) -> ReadError {
    ReadError::Damaged { ledger: ledger.clone(), place, detail: detail.to_owned() }
}

pub(crate) fn damaged_at(key: &StoredKey, detail: &str) -> ReadError {
    damaged(&key.ledger, key.place(), detail)
}
