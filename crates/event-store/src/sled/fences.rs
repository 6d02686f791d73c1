//! Empty keys put ahead of the blocks, so that sled writes each block once.
//!
//! A leaf of sled's tree is written whole when it splits, with more than 16 keys, and after ten
//! changes. Blocks come at the end of a leaf, so that each would be written about three times.
//! Fences are keys without values ahead of the blocks, two for each: leaves split while they hold
//! nothing else, and have nine each then. Four or five blocks come into such a leaf afterwards,
//! with which it reaches neither limit.
//!
//! Guards are the fences behind all that a ledger's blocks of one kind may have as their keys. The
//! leaf that splits is there, and without them would have values of what follows in it each time.
//!
//! That leans on what sled does inside; `tests/written_once.rs` notices when it does otherwise.
//! Nothing depends on fences but the cost of writing: there may be none, or others.

use std::collections::{BTreeMap, VecDeque, btree_map::Entry};

use crate::key::{Kind, StoredKey};

/// Smaller values get no fences: what sled writes for them is rounded up to whole pages anyway.
/// Those of the crate's own tests are small, and are to be read between fences too.
const VALUE_BYTES_MIN: usize = if cfg!(test) { 1 } else { 4096 };

/// A fence for half a block, so that a leaf with nine of them gets no more than seven blocks.
const FENCES_PER_BLOCK: u64 = 2;

/// From how many blocks the records of the next ones are guessed.
const BLOCKS_BEHIND: usize = 8;

/// How many blocks fences are ahead: more than the two leaves that a split makes.
const BLOCKS_AHEAD: u64 = 24;

/// The numbers from here on are those of guards: enough that a leaf has none but them.
const FIRST_GUARD: u64 = u64::MAX - 31;

/// What a fence's key has where a block's has its item and its part.
const MARK: [u8; 4] = [0xff; 4];

/// Whether an entry is a fence. No value of ours is empty.
pub(super) fn is_fence(key: &[u8], value: &[u8]) -> bool {
    value.is_empty() && key.ends_with(&MARK)
}

/// The fences of a database, by the prefix of their keys.
#[derive(Default)]
pub(super) struct Fences {
    rows: BTreeMap<Vec<u8>, Row>,
}

/// The fences of one kind and ledger.
struct Row {
    /// The last blocks: their first records, and whether they are large enough for fences.
    blocks: VecDeque<(u64, bool)>,
    /// The number of the last fence that is no guard.
    fence: Option<u64>,
}

/// Where the last fence of a prefix is to be looked for: at the last key from the first to the
/// second of these, both included.
pub(super) fn last_of(prefix: &[u8]) -> (Vec<u8>, Vec<u8>) {
    let last = (FIRST_GUARD - 1).to_be_bytes();
    (prefix.to_vec(), [prefix, &last, &MARK].concat())
}

/// The number of an entry that is a fence.
pub(super) fn number((key, value): (impl AsRef<[u8]>, impl AsRef<[u8]>)) -> Option<u64> {
    let (_, number) = key.as_ref().strip_suffix(&MARK)?.split_last_chunk()?;
    value.as_ref().is_empty().then(|| u64::from_be_bytes(*number))
}

impl Fences {
    /// The fences to write with a value. For the first block of a prefix since the database was
    /// opened, `last` says the number of the last fence, of those that are no guards.
    pub(super) fn ahead<E>(
        &mut self,
        key: &[u8],
        value_bytes: usize,
        last: impl FnOnce(&[u8]) -> Result<Option<u64>, E>,
    ) -> Result<Vec<Vec<u8>>, E> {
        let block = StoredKey::decode(key)
            .ok()
            .filter(|key| matches!(key.kind, Kind::Bodies | Kind::Records) && key.part == 0);
        let Some(block) = block.map(|key| key.number.get()) else { return Ok(Vec::new()) };
        let prefix = key.get(..key.len().saturating_sub(12)).unwrap_or_default();
        let row = match self.rows.entry(prefix.to_vec()) {
            Entry::Occupied(row) => row.into_mut(),
            Entry::Vacant(row) => row.insert(Row { blocks: VecDeque::new(), fence: last(prefix)? }),
        };
        let numbers = row.numbers(block, value_bytes >= VALUE_BYTES_MIN);
        let fence = |number: u64| [prefix, &number.to_be_bytes(), &MARK].concat();
        Ok(numbers.into_iter().map(fence).collect())
    }
}

impl Row {
    /// The numbers of the fences to write with a block.
    fn numbers(&mut self, block: u64, is_large: bool) -> Vec<u64> {
        let records = self.records_before(block);
        self.blocks.push_back((block, is_large));
        if self.blocks.len() > BLOCKS_BEHIND {
            self.blocks.pop_front();
        }
        let Some(records) = records.filter(|_| is_large) else { return Vec::new() };
        let mut numbers: Vec<u64> = match self.fence {
            Some(_) => Vec::new(),
            None => (FIRST_GUARD..=u64::MAX).collect(),
        };
        let step = records.div_ceil(FENCES_PER_BLOCK);
        let end = block.saturating_add(records.saturating_mul(BLOCKS_AHEAD)).min(FIRST_GUARD - 1);
        let mut last = self.fence.unwrap_or(block).max(block);
        // At most all that there are ahead.
        for _ in 0..FENCES_PER_BLOCK * BLOCKS_AHEAD {
            if last >= end {
                break;
            }
            last = last.saturating_add(step).min(end);
            numbers.push(last);
        }
        self.fence = Some(last);
        numbers
    }

    /// How many records there were for each large block before this one.
    fn records_before(&self, block: u64) -> Option<u64> {
        let (first, _) = self.blocks.front()?;
        let large = self.blocks.iter().filter(|(_, is_large)| *is_large).count();
        block.checked_sub(*first)?.checked_div(u64::try_from(large).ok()?).filter(|it| *it > 0)
    }
}
