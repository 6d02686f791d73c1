//! How records are found by key and by account: pure, without storage.
//!
//! A *mark* stands for a key or an account of one ledger. What is new is in an overlay in memory;
//! when that has enough records it becomes a *run*: all its marks, sorted, each with its
//! sequences, cut into chunks, with a head that says where each chunk starts and a bloom filter.
//! A run covers the records from one past the run before it, so the index is complete for all
//! records up to the last run, and what comes after is read again when the store opens.
//!
//! ```text
//! chunk: groups, sorted by mark: mark 16 | count varint | count x gap varint
//!        (first gap: from the run's first sequence; later ones: from the sequence before)
//! head:  first sequence 8 LE | last sequence 8 LE | chunks 4 LE | chunks x first mark 16
//!        | bloom words 4 LE | words x 8 LE
//! ```

use std::collections::{BTreeMap, HashMap};

use domain::{
    entities::Key,
    ids::{AccountId, EventKey, LedgerId, Sequence},
    record::Record,
};
use sha2::{Digest as _, Sha256};

use crate::{
    bytes::{Malformed, Reader, first_half, put_length, put_varint},
    log::key_of,
};

/// A chunk is closed once it has this many bytes.
const CHUNK_BYTES: usize = 16 * 1024;

/// The most sequences in one group; a mark with more has several groups.
const GROUP_COUNT_MAX: usize = 8 * 1024;

/// The first 16 bytes of the SHA-256 of a key or an account with its ledger.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct Mark([u8; 16]);

#[cfg(feature = "tamper")]
impl From<[u8; 16]> for Mark {
    fn from(bytes: [u8; 16]) -> Self {
        Self(bytes)
    }
}

impl Mark {
    /// The mark of an event, a conflict or a command; none of anything else.
    pub(crate) fn of_key(ledger: &LedgerId, key: &Key) -> Option<Self> {
        let ledger = ledger.as_str().as_bytes();
        match key {
            Key::Event(event) => Some(Self::of_event(b"event", ledger, event, &[])),
            Key::Conflict(event, content) => {
                Some(Self::of_event(b"conflict", ledger, event, &content.0))
            }
            Key::Command(key) => Some(Self::of(&[b"command", ledger, key.as_str().as_bytes()])),
            Key::Account(_)
            | Key::Payment(_)
            | Key::Holding(_)
            | Key::Hold(_)
            | Key::Debit(_)
            | Key::Case(_)
            | Key::Customer(_)
            | Key::Exception(_)
            | Key::Release(_) => None,
        }
    }

    pub(crate) fn of_account(ledger: &LedgerId, account: &AccountId) -> Self {
        Self::of(&[b"account", ledger.as_str().as_bytes(), account.as_str().as_bytes()])
    }

    fn of_event(tag: &[u8], ledger: &[u8], event: &EventKey, content: &[u8]) -> Self {
        let (kind, origin, id): (&[u8], _, &[u8]) = match event {
            EventKey::Event { origin, id } => (b"id", origin, id.as_str().as_bytes()),
            EventKey::Body { origin, digest } => (b"body", origin, &digest.0),
        };
        Self::of(&[tag, ledger, kind, origin.as_str().as_bytes(), id, content])
    }

    /// Every field is preceded by its length, so that no two lists of fields are alike.
    fn of(fields: &[&[u8]]) -> Self {
        let mut hasher = Sha256::new();
        for field in fields {
            hasher.update(u64::try_from(field.len()).unwrap_or(u64::MAX).to_le_bytes());
            hasher.update(field);
        }
        let whole: [u8; 32] = hasher.finalize().into();
        Self(first_half(&whole))
    }

    /// Two numbers that are evenly spread, since a mark is part of a SHA-256.
    fn numbers(self) -> [u64; 2] {
        let whole = u128::from_le_bytes(self.0);
        let low = u64::try_from(whole & u128::from(u64::MAX)).unwrap_or(0);
        let high = u64::try_from(whole >> 64).unwrap_or(0);
        [low, high]
    }
}

/// The records after the last run, in memory.
#[derive(Clone, Debug, Default)]
pub(crate) struct Overlay {
    /// First and last record.
    range: Option<(Sequence, Sequence)>,
    keys: HashMap<Mark, Sequence>,
    accounts: HashMap<Mark, Vec<Sequence>>,
}

impl Overlay {
    /// Adds the next record.
    pub(crate) fn add(&mut self, ledger: &LedgerId, record: &Record) {
        let sequence = record.sequence;
        let first = self.range.map_or(sequence, |(first, _)| first);
        self.range = Some((first, sequence));
        if let Some(mark) = Mark::of_key(ledger, &key_of(record)) {
            self.keys.insert(mark, sequence);
        }
        for account in record.decision.accounts() {
            self.accounts.entry(Mark::of_account(ledger, &account)).or_default().push(sequence);
        }
    }

    pub(crate) fn records(&self) -> u64 {
        let count = |(first, last): (Sequence, Sequence)| last.get().saturating_sub(first.get());
        self.range.map_or(0, |range| count(range).saturating_add(1))
    }

    /// The newest record with a key.
    pub(crate) fn find(&self, mark: Mark) -> Option<Sequence> {
        self.keys.get(&mark).copied()
    }

    /// The records of an account, rising.
    pub(crate) fn account(&self, mark: Mark) -> &[Sequence] {
        self.accounts.get(&mark).map_or(&[], Vec::as_slice)
    }

    /// All of it, sorted, as it is stored; none while there is no record.
    pub(crate) fn to_run(&self) -> Option<Run> {
        let (first, last) = self.range?;
        let keys = self.keys.iter().map(|(mark, sequence)| (*mark, std::slice::from_ref(sequence)));
        let accounts = self.accounts.iter().map(|(mark, sequences)| (*mark, sequences.as_slice()));
        let sorted: BTreeMap<Mark, &[Sequence]> = keys.chain(accounts).collect();
        let mut bloom = Bloom::for_marks(sorted.len());
        let mut chunks: Vec<Vec<u8>> = Vec::new();
        let mut starts: Vec<Mark> = Vec::new();
        for (mark, sequences) in sorted {
            bloom.add(mark);
            for group in sequences.chunks(GROUP_COUNT_MAX) {
                if chunks.last().is_none_or(|chunk| chunk.len() >= CHUNK_BYTES) {
                    chunks.push(Vec::with_capacity(CHUNK_BYTES.saturating_mul(2)));
                    starts.push(mark);
                }
                if let Some(chunk) = chunks.last_mut() {
                    put_group(chunk, first, mark, group);
                }
            }
        }
        Some(Run { head: RunHead { first, last, starts, bloom }, chunks })
    }
}

/// A part of the index as it is stored.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Run {
    pub(crate) head: RunHead,
    pub(crate) chunks: Vec<Vec<u8>>,
}

/// What of a run is kept in memory.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct RunHead {
    pub(crate) first: Sequence,
    pub(crate) last: Sequence,
    starts: Vec<Mark>,
    bloom: Bloom,
}

impl RunHead {
    pub(crate) fn encode(&self) -> Vec<u8> {
        let mut out = self.first.get().to_le_bytes().to_vec();
        out.extend_from_slice(&self.last.get().to_le_bytes());
        put_length(&mut out, self.starts.len());
        self.starts.iter().for_each(|mark| out.extend_from_slice(&mark.0));
        put_length(&mut out, self.bloom.words.len());
        self.bloom.words.iter().for_each(|word| out.extend_from_slice(&word.to_le_bytes()));
        out
    }

    /// Reads a head strictly.
    pub(crate) fn decode(raw: &[u8]) -> Result<Self, Malformed> {
        let mut reader = Reader::new(raw);
        let first = Sequence::new(reader.u64()?).ok_or(Malformed)?;
        let last = Sequence::new(reader.u64()?).ok_or(Malformed)?;
        let starts = reader.length()?.checked_mul(16).ok_or(Malformed)?;
        let starts = reader.take(starts)?.as_chunks().0.iter().map(|mark| Mark(*mark)).collect();
        let words = reader.length()?.checked_mul(8).ok_or(Malformed)?;
        let words = reader.take(words)?.as_chunks().0.iter().map(|word| u64::from_le_bytes(*word));
        let bloom = Bloom { words: words.collect() };
        let possible = first <= last && reader.is_empty() && !bloom.words.is_empty();
        if possible { Ok(Self { first, last, starts, bloom }) } else { Err(Malformed) }
    }

    pub(crate) const fn chunk_count(&self) -> usize {
        self.starts.len()
    }

    /// The chunks in which a mark can be; none when it is surely not in the run.
    pub(crate) fn chunks_of(&self, mark: Mark) -> std::ops::Range<usize> {
        if !self.bloom.may_have(mark) {
            return 0..0;
        }
        let before = self.starts.partition_point(|start| *start < mark);
        let end = self.starts.partition_point(|start| *start <= mark);
        before.saturating_sub(1)..end
    }

    /// The sequences of a mark in one chunk, rising.
    pub(crate) fn read_chunk(&self, raw: &[u8], mark: Mark) -> Result<Vec<Sequence>, Malformed> {
        let mut found = Vec::new();
        let mut reader = Reader::new(raw);
        while !reader.is_empty() {
            let this = Mark(reader.array()?);
            let count = reader.varint()?;
            let mut sequence = self.first.get();
            for _ in 0..count {
                sequence = sequence.checked_add(reader.varint()?).ok_or(Malformed)?;
                if this == mark {
                    found.push(Sequence::new(sequence).ok_or(Malformed)?);
                }
            }
            if this > mark {
                break;
            }
        }
        Ok(found)
    }
}

fn put_group(chunk: &mut Vec<u8>, first: Sequence, mark: Mark, sequences: &[Sequence]) {
    chunk.extend_from_slice(&mark.0);
    put_varint(chunk, u64::try_from(sequences.len()).unwrap_or(u64::MAX));
    let mut before = first;
    for sequence in sequences {
        put_varint(chunk, sequence.get().saturating_sub(before.get()));
        before = *sequence;
    }
}

/// A bloom filter in blocks of 512 bits, at least 16 bits and seven probes a mark: one in several
/// hundred marks that are not there seems to be.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Bloom {
    words: Vec<u64>,
}

impl Bloom {
    const BLOCK_WORDS: usize = 8;
    const BITS_PER_MARK: usize = 16;
    const PROBES: usize = 7;

    fn for_marks(count: usize) -> Self {
        let bits = count.max(1).saturating_mul(Self::BITS_PER_MARK);
        Self { words: vec![0; bits.div_ceil(512).saturating_mul(Self::BLOCK_WORDS)] }
    }

    fn add(&mut self, mark: Mark) {
        for (word, bit) in self.probes(mark) {
            if let Some(word) = self.words.get_mut(word) {
                *word |= bit;
            }
        }
    }

    fn may_have(&self, mark: Mark) -> bool {
        let set = |(word, bit)| self.words.get::<usize>(word).is_some_and(|word| word & bit != 0);
        self.probes(mark).into_iter().all(set)
    }

    /// Words and the bit in each: all in one block, which the first half of the mark chooses.
    fn probes(&self, mark: Mark) -> [(usize, u64); Self::PROBES] {
        let [choice, mut bits] = mark.numbers();
        let blocks = u64::try_from(self.words.len() / Self::BLOCK_WORDS).unwrap_or(1).max(1);
        let block = usize::try_from(choice % blocks).unwrap_or(0);
        let start = block.saturating_mul(Self::BLOCK_WORDS);
        std::array::from_fn(|_| {
            let word = usize::try_from(bits & 0x7).unwrap_or(0);
            let bit = 1_u64 << ((bits >> 3) & 0x3f);
            bits >>= 9;
            (start.saturating_add(word), bit)
        })
    }
}

#[cfg(test)]
mod tests;
