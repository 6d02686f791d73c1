//! Views on sled. A value that is too large for one entry is cut.
//!
//! ```text
//! 'v' | key                       ->  0 | value                          a small value
//!                                     1 | parts 2 BE                     a cut one
//! 'w' | length of key 2 BE | key | part 2 BE  ->  the part
//! ```

use std::collections::BTreeMap;

use parking_lot::RwLock;

use super::database::{Database, Stored};
use crate::{
    frame::PIECE_BYTES_MAX,
    log::StorageFault,
    views::{self, Change, Entry, KEY_BYTES_MAX, ViewError, ViewStore},
};

/// The most bytes of a value in one entry: as in the log, with keys that can be longer.
const PART_BYTES: usize = PIECE_BYTES_MAX - 2 * KEY_BYTES_MAX;

const WHOLE: u8 = 0;
const CUT: u8 = 1;

/// A store of views on sled.
pub(super) struct SledViews {
    database: Database,
    /// Held while values are written or put together: a cut one is several entries.
    parts: RwLock<()>,
}

impl SledViews {
    pub(super) const fn new(database: Database) -> Self {
        Self { database, parts: RwLock::new(()) }
    }

    /// The value of a key that was read as `stored`; none if a cut one was removed since.
    fn whole(&self, key: &[u8], stored: &[u8]) -> Result<Option<Vec<u8>>, StorageFault> {
        if let Some((&WHOLE, value)) = stored.split_first() {
            return Ok(Some(value.to_vec()));
        }
        let _parts = self.parts.read();
        let Some(stored) = self.database.get(&head_key(key))? else { return Ok(None) };
        let parts = match stored.split_first() {
            Some((&WHOLE, value)) => return Ok(Some(value.to_vec())),
            Some(_) | None => parts_of(&stored),
        };
        let mut value = Vec::new();
        for part in 0..parts {
            let piece = self.database.get(&part_key(key, part))?;
            value.extend_from_slice(&piece.ok_or(PartMissing)?);
        }
        Ok(Some(value))
    }

    /// The entries that one change becomes.
    fn stored(
        &self,
        key: &[u8],
        value: Option<&[u8]>,
        out: &mut Vec<Change>,
    ) -> Result<(), StorageFault> {
        let head = head_key(key);
        let before = self.database.get(&head)?.map_or(0, |stored| parts_of(&stored));
        let parts = match value {
            Some(value) if value.len() > PART_BYTES => {
                // At most 4 MiB in parts of more than 64 KiB.
                let parts = u16::try_from(value.len().div_ceil(PART_BYTES)).unwrap_or(u16::MAX);
                let [high, low] = parts.to_be_bytes();
                out.push((head, Some(vec![CUT, high, low])));
                let pieces = value.chunks(PART_BYTES).map(<[u8]>::to_vec);
                out.extend((0..).zip(pieces).map(|(n, piece)| (part_key(key, n), Some(piece))));
                parts
            }
            Some(value) => {
                out.push((head, Some([&[WHOLE], value].concat())));
                0
            }
            None => {
                out.push((head, None));
                0
            }
        };
        out.extend((parts..before).map(|part| (part_key(key, part), None)));
        Ok(())
    }
}

/// A part of a cut value is not there.
#[derive(Debug, thiserror::Error)]
#[error("a part of a view is missing")]
struct PartMissing;

impl ViewStore for SledViews {
    fn get(&self, key: &[u8]) -> Result<Option<Vec<u8>>, ViewError> {
        let stored = self.database.get(&head_key(key)).map_err(failed)?;
        stored.map_or(Ok(None), |stored| self.whole(key, &stored)).map_err(failed)
    }

    fn scan(
        &self,
        prefix: &[u8],
        after: Option<&[u8]>,
        limit: usize,
    ) -> Result<Vec<Entry>, ViewError> {
        let start = head_key(after.map_or(prefix, |after| after.max(prefix)));
        let after = after.map(head_key);
        let mut out = Vec::new();
        for entry in self.database.entries_from(&start) {
            let (key, stored): Stored = entry.map_err(failed)?;
            let Some(bare) = key.strip_prefix(b"v").filter(|bare| bare.starts_with(prefix)) else {
                break;
            };
            if out.len() >= limit {
                break;
            }
            if after.as_deref().is_some_and(|after| &*key <= after) {
                continue;
            }
            if let Some(value) = self.whole(bare, &stored).map_err(failed)? {
                out.push((bare.to_vec(), value));
            }
        }
        Ok(out)
    }

    fn write(&self, changes: &[Change]) -> Result<(), ViewError> {
        views::check_changes(changes)?;
        if changes.is_empty() {
            return Ok(());
        }
        let _parts = self.parts.write();
        // Of two changes of one key the last counts.
        let changes: BTreeMap<_, _> = changes.iter().map(|(key, value)| (key, value)).collect();
        let mut stored = Vec::with_capacity(changes.len());
        for (key, value) in changes {
            self.stored(key, value.as_deref(), &mut stored).map_err(failed)?;
        }
        self.database.commit(stored).map_err(failed)
    }

    fn clear(&self) -> Result<(), ViewError> {
        let _parts = self.parts.write();
        self.database.clear().map_err(failed)
    }
}

fn failed(source: StorageFault) -> ViewError {
    ViewError::Failed { source }
}

fn head_key(key: &[u8]) -> Vec<u8> {
    [b"v", key].concat()
}

fn part_key(key: &[u8], part: u16) -> Vec<u8> {
    let length = u16::try_from(key.len()).unwrap_or(u16::MAX).to_be_bytes();
    [b"w", length.as_slice(), key, &part.to_be_bytes()].concat()
}

/// Into how many parts a stored value is cut.
fn parts_of(stored: &[u8]) -> u16 {
    match stored {
        [CUT, high, low] => u16::from_be_bytes([*high, *low]),
        _ => 0,
    }
}
