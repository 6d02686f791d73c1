//! The log on sled: readers that see what is durable; how it comes in is in [`super::append`].

use std::{collections::BTreeMap, ops::ControlFlow, sync::Arc};

use domain::{
    entities::Key,
    ids::{AccountId, LedgerId, Sequence},
};
use memchr::memmem::Finder;
use parking_lot::RwLock;

use super::{
    append::Appending,
    values::{Values, bodies, damaged, failed, records},
};
use crate::{
    form,
    index::{Mark, Overlay, RunHead},
    key::{Kind, StoredKey},
    log::{self, Append, AppendError, EventLog, Head, Place, Prepared, ReadError, Recorded},
    space::Space,
};

/// How many records are read at a time where an index run is damaged.
const RECORDS_AT_ONCE: usize = 4096;

pub(crate) struct SledLog {
    pub(super) values: Values,
    pub(super) appending: Appending,
    /// What is durable, which is what readers see.
    pub(super) books: RwLock<BTreeMap<LedgerId, Book>>,
}

/// What is known of a ledger without reading.
pub(super) struct Book {
    pub(super) head: Head,
    pub(super) runs: Vec<Arc<RunHead>>,
    /// The records after the last run.
    pub(super) overlay: Overlay,
}

impl Book {
    /// What the overlay had is in a run now.
    pub(super) fn end_overlay(&mut self, run: Arc<RunHead>) {
        self.runs.push(run);
        self.overlay = Overlay::default();
    }
}

impl SledLog {
    pub(super) fn new(
        values: Values,
        books: BTreeMap<LedgerId, Book>,
        run_records: u64,
        space: Arc<Space>,
    ) -> Result<Self, ReadError> {
        let heads = books.iter().map(|(ledger, book)| (ledger.clone(), book.head)).collect();
        let appending = Appending::new(heads, run_records, space);
        let appending = appending.map_err(|fault| failed(fault.into()))?;
        Ok(Self { values, appending, books: RwLock::new(books) })
    }

    pub(crate) const fn values(&self) -> &Values {
        &self.values
    }

    /// The last record of each ledger.
    pub(super) fn ends(&self) -> BTreeMap<LedgerId, Sequence> {
        let books = self.books.read();
        books.iter().map(|(ledger, book)| (ledger.clone(), book.head.sequence)).collect()
    }

    /// The last record that is in an index run.
    pub(super) fn indexed_up_to(&self, ledger: &LedgerId) -> Option<Sequence> {
        Some(self.books.read().get(ledger)?.runs.last()?.last)
    }

    /// Adds records that were read again to the overlay.
    pub(super) fn add_to_overlay(&self, ledger: &LedgerId, tail: &[Recorded]) {
        if let Some(book) = self.books.write().get_mut(ledger) {
            tail.iter().for_each(|recorded| book.overlay.add(ledger, recorded.record()));
        }
    }

    /// The block in which a durable record or body is, unpacked.
    fn open_block(
        &self,
        kind: Kind,
        ledger: &LedgerId,
        sequence: Sequence,
    ) -> Result<Option<(StoredKey, Vec<u8>)>, ReadError> {
        if self.head(ledger).is_none_or(|head| sequence > head.sequence) {
            return Ok(None);
        }
        let missing = || damaged(ledger, Place::Record(sequence), "it is missing");
        let key = self.values.block_of(kind, ledger, sequence)?.ok_or_else(missing)?;
        let raw = self.values.open(&key)?;
        Ok(Some((key, raw)))
    }

    /// The records from `next` on that are in its block, up to `last`.
    fn rest_of_block(
        &self,
        ledger: &LedgerId,
        next: Sequence,
        out: &mut Vec<Recorded>,
    ) -> Result<(), ReadError> {
        let Some((key, raw)) = self.open_block(Kind::Records, ledger, next)? else { return Ok(()) };
        let block = records(&key, &raw)?;
        if block.forms.last() < next {
            return Err(damaged(ledger, Place::Record(next), "it is missing"));
        }
        if out.last().is_some_and(|before| before.hash() != block.before) {
            return Err(damaged(ledger, key.place(), "the hash chain is broken before it"));
        }
        let mut hash = block.before;
        for (sequence, form) in block.forms.iter() {
            hash = hash.then(form);
            if sequence >= next {
                out.push(Recorded::new(decode(ledger, sequence, form)?, hash));
            }
        }
        Ok(())
    }

    /// The sequences of a mark in one run, rising; those that the records lead to where the run is
    /// damaged, since it is derived from them.
    fn in_run(
        &self,
        ledger: &LedgerId,
        run: &RunHead,
        mark: Mark,
    ) -> Result<Vec<Sequence>, ReadError> {
        match self.in_chunks(ledger, run, mark) {
            Err(ReadError::Damaged { .. }) => self.in_records(ledger, run, mark),
            found => found,
        }
    }

    fn in_chunks(
        &self,
        ledger: &LedgerId,
        run: &RunHead,
        mark: Mark,
    ) -> Result<Vec<Sequence>, ReadError> {
        let mut found = Vec::new();
        let first = StoredKey::first(Kind::RunChunk, ledger.clone(), run.last);
        for chunk in run.chunks_of(mark) {
            let chunk = u16::try_from(chunk).unwrap_or(u16::MAX);
            let raw = self.values.open(&first.at_item(chunk))?;
            let sequences = run.read_chunk(&raw, mark);
            let malformed = |_| damaged(ledger, first.place(), "a chunk is malformed");
            found.extend(sequences.map_err(malformed)?);
        }
        Ok(found)
    }

    /// Reads all records of a run, which takes some 60 ms for the largest.
    fn in_records(
        &self,
        ledger: &LedgerId,
        run: &RunHead,
        mark: Mark,
    ) -> Result<Vec<Sequence>, ReadError> {
        let mut overlay = Overlay::default();
        let mut after = Sequence::new(run.first.get().saturating_sub(1));
        while after < Some(run.last) {
            let records = self.scan(ledger, after, RECORDS_AT_ONCE)?;
            let Some(last) = records.last() else { break };
            after = Some(last.record().sequence);
            let of_run = records.iter().map(Recorded::record);
            let of_run = of_run.take_while(|record| record.sequence <= run.last);
            of_run.for_each(|record| overlay.add(ledger, record));
        }
        let newest = overlay.find(mark).into_iter();
        Ok(newest.chain(overlay.account(mark).iter().copied()).collect())
    }
}

impl EventLog for SledLog {
    fn ledgers(&self) -> Result<Vec<LedgerId>, ReadError> {
        Ok(self.books.read().keys().cloned().collect())
    }

    fn head(&self, ledger: &LedgerId) -> Option<Head> {
        self.books.read().get(ledger).map(|book| book.head)
    }

    fn prepare(&self, group: Vec<Append>) -> Result<Prepared, AppendError> {
        self.take_in(group)
    }

    fn commit(&self, prepared: Prepared) -> Result<Vec<Append>, AppendError> {
        self.store(prepared)
    }

    fn read(&self, ledger: &LedgerId, sequence: Sequence) -> Result<Option<Recorded>, ReadError> {
        let opened = self.open_block(Kind::Records, ledger, sequence)?;
        let Some((key, raw)) = opened else { return Ok(None) };
        let block = records(&key, &raw)?;
        let mut hash = block.before;
        for (at, form) in block.forms.iter() {
            hash = hash.then(form);
            if at == sequence {
                return Ok(Some(Recorded::new(decode(ledger, sequence, form)?, hash)));
            }
        }
        Err(damaged(ledger, Place::Record(sequence), "it is missing"))
    }

    fn body(&self, ledger: &LedgerId, sequence: Sequence) -> Result<Option<Vec<u8>>, ReadError> {
        let opened = self.open_block(Kind::Bodies, ledger, sequence)?;
        let Some((key, raw)) = opened else { return Ok(None) };
        let place = Place::Record(sequence);
        let found = bodies(&key, &raw)?.iter().find(|(at, _)| *at == sequence);
        let (_, body) = found.ok_or_else(|| damaged(ledger, place, "its body is missing"))?;
        if !body.is_empty() {
            let recorded = self.read(ledger, sequence)?;
            let fits = |recorded: Recorded| log::body_fits(recorded.record(), body);
            if !recorded.is_some_and(fits) {
                return Err(damaged(ledger, place, "its body has another digest"));
            }
        }
        Ok(Some(body.to_vec()))
    }

    fn scan(
        &self,
        ledger: &LedgerId,
        after: Option<Sequence>,
        limit: usize,
    ) -> Result<Vec<Recorded>, ReadError> {
        let Some(head) = self.head(ledger) else { return Ok(Vec::new()) };
        let mut next = after.map_or(Sequence::FIRST, Sequence::next);
        let mut out: Vec<Recorded> = Vec::new();
        while next <= head.sequence && (out.is_empty() || out.len() < limit) {
            self.rest_of_block(ledger, next, &mut out)?;
            next = out.last().map_or(next, |last| last.record().sequence).next();
        }
        Ok(out)
    }

    fn bodies(
        &self,
        ledger: &LedgerId,
        after: Option<Sequence>,
        limit: usize,
    ) -> Result<Vec<(Sequence, Vec<u8>)>, ReadError> {
        let mut next = after.map_or(Sequence::FIRST, Sequence::next);
        let mut out = Vec::new();
        while out.len() < limit.max(1) {
            let Some((key, raw)) = self.open_block(Kind::Bodies, ledger, next)? else { break };
            let block = bodies(&key, &raw)?;
            if block.last() < next {
                return Err(damaged(ledger, Place::Record(next), "its body is missing"));
            }
            let rest = block.iter().skip_while(|(sequence, _)| *sequence < next);
            out.extend(rest.map(|(sequence, body)| (sequence, body.to_vec())));
            next = block.last().next();
        }
        Ok(out)
    }

    fn search(
        &self,
        ledger: &LedgerId,
        needles: &[&[u8]],
        after: Option<Sequence>,
        last: Sequence,
        found: &mut dyn FnMut(Recorded) -> ControlFlow<()>,
    ) -> Result<(), ReadError> {
        let Some(head) = self.head(ledger) else { return Ok(()) };
        let last = last.min(head.sequence);
        let finders: Vec<Finder<'_>> = needles.iter().map(Finder::new).collect();
        let has = |bytes: &[u8]| finders.iter().any(|finder| finder.find(bytes).is_some());
        let mut next = after.map_or(Sequence::FIRST, Sequence::next);
        while next <= last {
            let Some((key, raw)) = self.open_block(Kind::Records, ledger, next)? else { break };
            let block = records(&key, &raw)?;
            let end = block.forms.last();
            if end < next {
                return Err(damaged(ledger, Place::Record(next), "it is missing"));
            }
            if has(&raw) {
                let mut hash = block.before;
                for (sequence, form) in block.forms.iter() {
                    hash = hash.then(form);
                    if !(next..=last).contains(&sequence) || !has(form) {
                        continue;
                    }
                    let recorded = Recorded::new(decode(ledger, sequence, form)?, hash);
                    if found(recorded).is_break() {
                        return Ok(());
                    }
                }
            }
            next = end.next();
        }
        Ok(())
    }

    fn find(&self, ledger: &LedgerId, key: &Key) -> Result<Option<Sequence>, ReadError> {
        let mark = Mark::of_key(ledger, key).ok_or(ReadError::NotIndexed)?;
        let runs = {
            let books = self.books.read();
            let Some(book) = books.get(ledger) else { return Ok(None) };
            if let Some(sequence) = book.overlay.find(mark) {
                return Ok(Some(sequence));
            }
            may_have(book, mark)
        };
        for run in runs.iter().rev() {
            if let Some(sequence) = self.in_run(ledger, run, mark)?.last() {
                return Ok(Some(*sequence));
            }
        }
        Ok(None)
    }

    fn by_account(
        &self,
        ledger: &LedgerId,
        account: &AccountId,
        after: Option<Sequence>,
        limit: usize,
    ) -> Result<Vec<Sequence>, ReadError> {
        let mark = Mark::of_account(ledger, account);
        let (runs, newest) = {
            let books = self.books.read();
            let Some(book) = books.get(ledger) else { return Ok(Vec::new()) };
            (may_have(book, mark), book.overlay.account(mark).to_vec())
        };
        let mut found = Vec::new();
        let later = |sequence: &Sequence| Some(*sequence) > after;
        for run in runs.iter().filter(|run| later(&run.last)) {
            if found.len() >= limit {
                break;
            }
            found.extend(self.in_run(ledger, run, mark)?.into_iter().filter(later));
        }
        found.extend(newest.into_iter().filter(later));
        found.truncate(limit);
        Ok(found)
    }

    fn latched(&self) -> Option<String> {
        self.appending.latched.get().cloned()
    }
}

/// The runs in which a mark can be, oldest first.
fn may_have(book: &Book, mark: Mark) -> Vec<Arc<RunHead>> {
    book.runs.iter().filter(|run| !run.chunks_of(mark).is_empty()).map(Arc::clone).collect()
}

fn decode(
    ledger: &LedgerId,
    sequence: Sequence,
    form: &[u8],
) -> Result<domain::record::Record, ReadError> {
    let place = Place::Record(sequence);
    let record =
        form::record::decode(form).map_err(|fault| damaged(ledger, place, &fault.to_string()))?;
    if record.sequence == sequence {
        Ok(record)
    } else {
        Err(damaged(ledger, place, "it says to be another record"))
    }
}
