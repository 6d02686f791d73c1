//! Stored values as they stand: read one by one from one database, whole and checked, and put into
//! another.

use std::{path::Path, sync::Arc};

use domain::ids::{LedgerId, Sequence};

use super::{
    Lock, OpenError,
    database::Database,
    values::{Values, damaged_at, failed},
};
use crate::{
    frame::{self, FrameFault, Piece},
    key::{Kind, StoredKey},
    log::{ReadError, StorageFault},
};

/// How much is written at once: large enough to share a sync, small enough for the memory.
const BATCH_BYTES_MAX: usize = 1 << 20;

/// After so much the target is opened again: sled keeps large values that it writes in memory,
/// whatever its cache's limit is, and whoever opens the copy would read all that came after the
/// last snapshot.
const RENEW_BYTES: usize = 32 << 20;

/// What of a ledger's values of one kind: those with numbers after `after`, up to `last`.
///
/// A block's number is its first record, so `after` and `last` are ends of blocks; a part of the
/// index has the number of its last record.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Range {
    pub(crate) kind: Kind,
    pub(crate) ledger: LedgerId,
    pub(crate) after: Option<Sequence>,
    pub(crate) last: Sequence,
}

/// A stored value, whole and checked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Value {
    /// The key of its first piece.
    pub(crate) key: StoredKey,
    /// Its pieces as they stand.
    pub(crate) pieces: Vec<Piece>,
    /// What it is, unpacked.
    pub(crate) raw: Vec<u8>,
}

impl Value {
    /// Gathers the pieces of a value from whoever hands them out by their keys, and checks them.
    ///
    /// The outer error is that of `piece`.
    pub(crate) fn gather<B: AsRef<[u8]>, E>(
        key: &StoredKey,
        mut piece: impl FnMut(&[u8]) -> Result<Option<B>, E>,
    ) -> Result<Result<Self, FrameFault>, E> {
        let mut pieces = Vec::new();
        let opened = frame::open(key, |at| {
            let stored = piece(at)?;
            if let Some(stored) = &stored {
                pieces.push((at.to_vec(), stored.as_ref().to_vec()));
            }
            Ok(stored)
        })?;
        Ok(opened.map(|opened| Self { key: key.clone(), pieces, raw: opened.raw }))
    }
}

/// The values of a range in the order of their keys. Nothing is held between two of them, so that
/// the log may be written and its database renewed meanwhile.
pub(crate) struct Reading<'a> {
    values: &'a Values,
    next: Vec<u8>,
    end: Vec<u8>,
}

impl<'a> Reading<'a> {
    pub(crate) fn new(values: &'a Values, range: Range) -> Self {
        let Range { kind, ledger, after, last } = range;
        let first = after.map_or(Sequence::FIRST, Sequence::next);
        let next = StoredKey::first(kind, ledger.clone(), first).encode();
        let end = StoredKey { kind, ledger, number: last, item: u16::MAX, part: u16::MAX };
        Self { values, next, end: end.encode() }
    }

    fn read(&mut self) -> Result<Option<Value>, ReadError> {
        let Some(found) = self.values.first_key_from(&self.next)? else { return Ok(None) };
        if found > self.end {
            return Ok(None);
        }
        // All keys between two of ours that differ in their numbers only are ours.
        let malformed = |_| failed("a key that is not ours is among the keys".into());
        let key = StoredKey::decode(&found).map_err(malformed)?.at_part(0);
        self.next = key.at_part(u16::MAX).encode();
        self.next.push(0);
        let value = Value::gather(&key, |at| self.values.piece(at))?;
        value.map(Some).map_err(|fault| damaged_at(&key, &fault.to_string()))
    }
}

impl Iterator for Reading<'_> {
    type Item = Result<Value, ReadError>;

    fn next(&mut self) -> Option<Self::Item> {
        self.read().transpose()
    }
}

/// A database that values are put into, many at once.
pub(super) struct Target {
    database: Database,
    waiting: Vec<Piece>,
    bytes: usize,
    /// Since it was opened again.
    written: usize,
}

/// A database that values are copied into can't be written.
#[derive(Debug, thiserror::Error)]
pub(super) enum TargetFault {
    /// sled can't write.
    #[error("write the copied values")]
    Write(#[source] StorageFault),
    /// It can't be opened.
    #[error(transparent)]
    Open(#[from] OpenError),
}

impl Target {
    /// The database in a directory, which is made there. The store's lock shows that no other
    /// process opens it at the same time.
    pub(super) fn open(dir: &Path, cache_bytes: u64, lock: &Arc<Lock>) -> Result<Self, OpenError> {
        let database = Database::open(dir, cache_bytes, lock)?;
        Ok(Self { database, waiting: Vec::new(), bytes: 0, written: 0 })
    }

    /// Puts the pieces of a value; durable after [`Self::finish`].
    pub(super) fn put(&mut self, pieces: Vec<Piece>) -> Result<(), TargetFault> {
        let bytes: usize = pieces.iter().map(|(key, value)| key.len() + value.len()).sum();
        self.bytes = self.bytes.saturating_add(bytes);
        self.waiting.extend(pieces);
        if self.bytes >= BATCH_BYTES_MAX { self.write() } else { Ok(()) }
    }

    /// Writes what waits; all that was put is durable when it returns `Ok`.
    pub(super) fn finish(mut self) -> Result<(), TargetFault> {
        self.write()
    }

    fn write(&mut self) -> Result<(), TargetFault> {
        self.written = self.written.saturating_add(std::mem::take(&mut self.bytes));
        let waiting = std::mem::take(&mut self.waiting).into_iter();
        let changes = waiting.map(|(key, value)| (key, Some(value)));
        self.database.commit(changes).map_err(TargetFault::Write)?;
        if self.written >= RENEW_BYTES {
            self.written = 0;
            self.database.renew()?;
        }
        Ok(())
    }
}
