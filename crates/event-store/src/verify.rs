//! The check of a whole ledger: every stored value, the chain, the bodies and the index.
//!
//! Reads all values in order, whatever is wrong with them, and says what is: nothing here trusts
//! what was read when the store opened. A changed, removed, swapped or inserted byte of a stored
//! value is found by its digest or by its neighbours; a whole value that was replaced by another
//! with a digest of its own is found by the chain, the bodies' digests in the records, or, in
//! the index, because an index made from the records is another. A body may be missing only where a
//! record erases it, and must be then.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use domain::{
    ids::{Digest, LedgerId, Sequence},
    time::Timestamp,
};
use sha2::{Digest as _, Sha256};

use crate::{
    block::{Entries, Records, decode_bodies},
    chain::Hash,
    erasure, form,
    index::{Overlay, Run, RunHead},
    key::{Kind, StoredKey, prefix},
    log::{EventLog as _, ReadError, body_digest},
    sled::{SledLog, SledStore},
    walk::{Visit, Walk},
};

/// Something in the log that is not as it was written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    /// The record, or the first one of a block, or the last one of a part of the index.
    pub sequence: Option<Sequence>,
    /// What kind of thing.
    pub kind: FindingKind,
    /// Where and what, for a person; never content.
    pub detail: String,
}

/// The kinds of [`Finding`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum FindingKind {
    /// A stored value is not what was written: its digest, its packing or its framing.
    Value,
    /// Records are missing, or there are two of one sequence.
    Gap,
    /// The hash chain is broken.
    Chain,
    /// A record can't be read.
    Form,
    /// A record was recorded before the one before it.
    TimeFell,
    /// A body is not the one that the record names, or is missing although no record erases it.
    Body,
    /// A body that a record erases is still there: the erasure was cut short.
    ErasureUnfinished,
    /// The index is not the one that the records make.
    Index,
    /// A value under a key that nothing has.
    Stray,
}

/// Checks a ledger and returns all that is wrong. `progress` is called after each block with its
/// last sequence.
///
/// # Errors
/// The storage can't be read at all; damage is a finding.
pub fn verify(
    store: &SledStore,
    ledger: &LedgerId,
    progress: &mut dyn FnMut(Sequence),
) -> Result<Vec<Finding>, ReadError> {
    let log = store.raw();
    let mut check = Check::new(log, ledger);
    check.read_runs()?;
    for visit in Walk::new(log.values(), Kind::Records, ledger) {
        if let Some((key, raw)) = check.findings.value(visit?) {
            check.block(&key, &raw)?;
            progress(check.next);
        }
    }
    check.finish()?;
    check.strays()?;
    Ok(check.findings.list)
}

/// What was found so far.
struct Findings {
    list: Vec<Finding>,
}

impl Findings {
    fn add(&mut self, sequence: Option<Sequence>, kind: FindingKind, detail: impl Into<String>) {
        self.list.push(Finding { sequence, kind, detail: detail.into() });
    }

    /// Adds what is wrong with a stored value; returns it when nothing is.
    fn value(&mut self, visit: Visit) -> Option<(StoredKey, Vec<u8>)> {
        match visit {
            Visit::Value(key, Ok(raw)) => Some((key, raw)),
            Visit::Value(key, Err(fault)) => {
                self.add(Some(key.number), FindingKind::Value, format!("{}: {fault}", key.place()));
                None
            }
            Visit::Stray(key) => {
                self.add(None, FindingKind::Stray, format!("key {}", hex::encode(key)));
                None
            }
        }
    }
}

/// A check that is under way.
struct Check<'a> {
    log: &'a SledLog,
    ledger: &'a LedgerId,
    findings: Findings,
    /// The record that comes next, the hash it follows, and when the last one was recorded.
    next: Sequence,
    hash: Option<Hash>,
    recorded_at: Option<Timestamp>,
    /// The digests of bodies that were not met yet.
    bodies_due: VecDeque<(Sequence, Digest)>,
    bodies: Walk<'a>,
    body_block: Option<(StoredKey, Vec<u8>)>,
    /// The body that comes next.
    next_body: Sequence,
    /// The records whose bodies are not there.
    bodiless: BTreeSet<Sequence>,
    /// The records that erase bodies, each with those that it names.
    erasures: BTreeMap<Sequence, BTreeSet<Sequence>>,
    /// The heads of the index runs that were not reached yet.
    runs: VecDeque<RunHead>,
    /// What the records since the last run put into the index, while all could be read.
    overlay: Option<Overlay>,
}

impl<'a> Check<'a> {
    fn new(log: &'a SledLog, ledger: &'a LedgerId) -> Self {
        Self {
            log,
            ledger,
            findings: Findings { list: Vec::new() },
            next: Sequence::FIRST,
            hash: Some(Hash::genesis(ledger)),
            recorded_at: None,
            bodies_due: VecDeque::new(),
            bodies: Walk::new(log.values(), Kind::Bodies, ledger),
            body_block: None,
            next_body: Sequence::FIRST,
            bodiless: BTreeSet::new(),
            erasures: BTreeMap::new(),
            runs: VecDeque::new(),
            overlay: Some(Overlay::default()),
        }
    }

    /// Checks one block of records and the bodies and index runs that end in it.
    fn block(&mut self, key: &StoredKey, raw: &[u8]) -> Result<(), ReadError> {
        let block = match Records::decode(raw) {
            Ok(block) if block.forms.first() == key.number => block,
            Ok(_) | Err(_) => {
                let detail = format!("{}: malformed", key.place());
                self.findings.add(Some(key.number), FindingKind::Value, detail);
                return Ok(());
            }
        };
        self.reach(key.number);
        if self.hash.is_some_and(|hash| hash != block.before) {
            let detail = format!("{}: it follows another record", key.place());
            self.findings.add(Some(key.number), FindingKind::Chain, detail);
        }
        let mut hash = block.before;
        for (sequence, form) in block.forms.iter() {
            hash = hash.then(form);
            self.record(sequence, form)?;
        }
        self.hash = Some(hash);
        self.check_bodies()
    }

    /// Goes on with the block that starts there: what is before it and was not met is missing.
    fn reach(&mut self, first: Sequence) {
        if first > self.next {
            let last = first.get().saturating_sub(1);
            let detail = format!("records {} to {last} are missing or damaged", self.next);
            self.findings.add(Some(self.next), FindingKind::Gap, detail);
            self.hash = None;
            self.overlay = None;
        } else if first < self.next {
            self.findings.add(Some(first), FindingKind::Gap, "two blocks have this record");
        }
        self.next = first;
    }

    fn record(&mut self, sequence: Sequence, form: &[u8]) -> Result<(), ReadError> {
        self.next = sequence.next();
        match form::record::decode(form) {
            Ok(record) if record.sequence == sequence => {
                if self.recorded_at.is_some_and(|before| record.recorded_at < before) {
                    let detail = "recorded before the record before it";
                    self.findings.add(Some(sequence), FindingKind::TimeFell, detail);
                }
                self.recorded_at = Some(record.recorded_at);
                self.bodies_due.push_back((sequence, body_digest(&record)));
                if let Some(erased) = erasure::erased(&record) {
                    self.erasures.insert(sequence, erased.clone());
                }
                if let Some(overlay) = &mut self.overlay {
                    overlay.add(self.ledger, &record);
                }
            }
            Ok(_) => {
                self.findings.add(Some(sequence), FindingKind::Form, "says to be another record");
                self.overlay = None;
            }
            Err(fault) => {
                self.findings.add(Some(sequence), FindingKind::Form, fault.to_string());
                self.overlay = None;
            }
        }
        self.end_runs(sequence)
    }

    /// Checks the blocks of bodies that end before the next record.
    fn check_bodies(&mut self) -> Result<(), ReadError> {
        loop {
            if self.body_block.is_none() {
                let Some(visit) = self.bodies.next() else { return Ok(()) };
                self.body_block = self.findings.value(visit?);
                if self.body_block.is_none() {
                    continue;
                }
            }
            let Some((key, raw)) = self.body_block.take() else { return Ok(()) };
            match decode_bodies(&raw) {
                Ok(block) if block.first() == key.number => {
                    if block.last() >= self.next {
                        self.body_block = Some((key, raw));
                        return Ok(());
                    }
                    self.body_entries(&block);
                }
                Ok(_) | Err(_) => {
                    let detail = format!("{}: malformed", key.place());
                    self.findings.add(Some(key.number), FindingKind::Value, detail);
                }
            }
        }
    }

    fn body_entries(&mut self, block: &Entries<'_>) {
        if block.first() != self.next_body {
            let detail = format!("bodies {} to {} don't join", self.next_body, block.first());
            self.findings.add(Some(self.next_body), FindingKind::Body, detail);
        }
        for (sequence, body) in block.iter() {
            self.next_body = sequence.next();
            while self.bodies_due.front().is_some_and(|(due, _)| *due < sequence) {
                self.bodies_due.pop_front();
            }
            let Some((_, digest)) = self.bodies_due.pop_front_if(|(due, _)| *due == sequence)
            else {
                continue;
            };
            if Sha256::digest(body)[..] == digest.0 {
                continue;
            } else if body.is_empty() {
                self.bodiless.insert(sequence);
            } else {
                self.findings.add(Some(sequence), FindingKind::Body, "has another digest");
            }
        }
    }

    /// What is left when all records were met.
    fn finish(&mut self) -> Result<(), ReadError> {
        let end = self.log.head(self.ledger).map_or(Sequence::FIRST, |head| head.sequence.next());
        if self.next < end {
            let detail = format!("records {} to the last one are missing or damaged", self.next);
            self.findings.add(Some(self.next), FindingKind::Gap, detail);
        }
        self.next = self.next.max(end);
        self.check_bodies()?;
        if self.next_body < self.next {
            let detail = format!("bodies from {} on are missing or damaged", self.next_body);
            self.findings.add(Some(self.next_body), FindingKind::Body, detail);
        }
        if let Some((key, _)) = self.body_block.take() {
            let detail = format!("{}: it has more bodies than there are records", key.place());
            self.findings.add(Some(key.number), FindingKind::Body, detail);
        }
        for run in std::mem::take(&mut self.runs) {
            let detail = "the index ends where no block does";
            self.findings.add(Some(run.last), FindingKind::Index, detail);
        }
        self.check_erasures()
    }

    /// Compares the bodies that are not there with those that were erased.
    fn check_erasures(&mut self) -> Result<(), ReadError> {
        let mut bodiless = std::mem::take(&mut self.bodiless);
        for (erasure, erased) in std::mem::take(&mut self.erasures) {
            let mut left = Vec::new();
            for sequence in erased {
                if !bodiless.remove(&sequence) && self.has_body(sequence)? {
                    left.push(sequence);
                }
            }
            if let Some(first) = left.first() {
                let detail = format!(
                    "{} of the bodies that it erases are still there, the first of record {first}; \
                     run `tallyhook erase` again",
                    left.len()
                );
                self.findings.add(Some(erasure), FindingKind::ErasureUnfinished, detail);
            }
        }
        for sequence in bodiless {
            let detail = "is missing, and no record erases it";
            self.findings.add(Some(sequence), FindingKind::Body, detail);
        }
        Ok(())
    }

    /// Whether there is a body. A damaged one was found already.
    fn has_body(&self, sequence: Sequence) -> Result<bool, ReadError> {
        match self.log.body(self.ledger, sequence) {
            Ok(body) => Ok(body.is_some_and(|body| !body.is_empty())),
            Err(ReadError::Damaged { .. }) => Ok(false),
            Err(error) => Err(error),
        }
    }

    /// Reads the heads of the index's runs, and checks every chunk by itself.
    fn read_runs(&mut self) -> Result<(), ReadError> {
        let mut next = Sequence::FIRST;
        for visit in Walk::new(self.log.values(), Kind::RunHead, self.ledger) {
            let Some((key, raw)) = self.findings.value(visit?) else { continue };
            match RunHead::decode(&raw) {
                Ok(run) if run.last == key.number && run.first == next && key.item == 0 => {
                    next = run.last.next();
                    self.runs.push_back(run);
                }
                Ok(run) if run.last == key.number && run.first > next && key.item == 0 => {
                    let detail = format!("the part of the index from {next} is missing or damaged");
                    self.findings.add(Some(next), FindingKind::Index, detail);
                    next = run.last.next();
                    self.runs.push_back(run);
                }
                Ok(_) | Err(_) => {
                    let detail = format!("{}: malformed", key.place());
                    self.findings.add(Some(key.number), FindingKind::Value, detail);
                }
            }
        }
        for visit in Walk::new(self.log.values(), Kind::RunChunk, self.ledger) {
            let Some((key, _)) = self.findings.value(visit?) else { continue };
            let run = self.runs.iter().find(|run| run.last == key.number);
            if run.is_none_or(|run| usize::from(key.item) >= run.chunk_count()) {
                let detail = format!("{}: a chunk that belongs to no part", key.place());
                self.findings.add(Some(key.number), FindingKind::Index, detail);
            }
        }
        Ok(())
    }

    /// Compares the run that ends with this record, if one does, with what the records make.
    fn end_runs(&mut self, sequence: Sequence) -> Result<(), ReadError> {
        while self.runs.front().is_some_and(|run| run.last < sequence) {
            let Some(run) = self.runs.pop_front() else { break };
            self.findings.add(Some(run.last), FindingKind::Index, "the index ends within a gap");
        }
        let Some(stored) = self.runs.pop_front_if(|run| run.last == sequence) else {
            return Ok(());
        };
        let made = self.overlay.replace(Overlay::default()).and_then(|overlay| overlay.to_run());
        // Where the part before is damaged, what these records make can't be told.
        let Some(made) = made.filter(|made| made.head.first == stored.first) else {
            return Ok(());
        };
        if made.head != stored || !self.chunks_are(&made)? {
            let detail = format!("the part of the index that ends at {sequence} is another");
            self.findings.add(Some(sequence), FindingKind::Index, detail);
        }
        Ok(())
    }

    /// Whether the stored chunks are these. A damaged one was found already.
    fn chunks_are(&self, made: &Run) -> Result<bool, ReadError> {
        let first = StoredKey::first(Kind::RunChunk, self.ledger.clone(), made.head.last);
        for (item, chunk) in (0_u16..).zip(&made.chunks) {
            let stored = self.log.values().try_open(&first.at_item(item))?;
            if !stored.is_ok_and(|stored| stored.raw == *chunk) {
                return Ok(false);
            }
        }
        Ok(true)
    }

    /// Finds keys that belong to no ledger.
    fn strays(&mut self) -> Result<(), ReadError> {
        let ledgers = self.log.ledgers()?;
        let kinds = Kind::ALL.into_iter();
        let prefixes = kinds.flat_map(|kind| ledgers.iter().map(move |it| prefix(kind, it)));
        if let Some(key) = self.log.values().key_outside(&prefixes.collect::<Vec<_>>())? {
            self.findings.add(None, FindingKind::Stray, format!("key {}", hex::encode(key)));
        }
        Ok(())
    }
}
