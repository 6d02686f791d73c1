//! Whether copied values are all that a backup says it holds: gapless blocks on one hash chain up
//! to the end that it names, a body for every record, every part of the index.

use std::collections::{BTreeMap, VecDeque};

use domain::ids::{LedgerId, Sequence};

use super::manifest::{End, Manifest, Span};
use crate::{
    chain::Hash,
    index::RunHead,
    key::Kind,
    log::{Place, ReadError},
    sled::{Value, bodies, damaged, damaged_at, records},
};

/// Follows the values of a backup while they are copied.
pub(crate) struct Follow {
    courses: BTreeMap<LedgerId, Course>,
    /// How many records and bodies were met.
    pub(crate) done: u64,
}

/// How far the values of a ledger came.
struct Course {
    last: End,
    next_record: Sequence,
    hash: Hash,
    next_body: Sequence,
    indexed: Option<Sequence>,
    /// The runs whose chunks did not come yet: last record, next chunk, number of chunks.
    chunks_due: VecDeque<(Sequence, usize, usize)>,
}

impl Follow {
    pub(crate) fn new(manifest: &Manifest) -> Self {
        let courses = manifest.spans().iter();
        let courses =
            courses.map(|(ledger, span)| (ledger.clone(), Course::new(ledger, span))).collect();
        Self { courses, done: 0 }
    }

    /// The next value.
    ///
    /// # Errors
    /// It is not the one that follows.
    pub(crate) fn add(&mut self, value: &Value) -> Result<(), ReadError> {
        let unknown = || damaged_at(&value.key, "it is of no ledger that the backup has");
        let course = self.courses.get_mut(&value.key.ledger).ok_or_else(unknown)?;
        let (next_record, next_body) = (course.next_record, course.next_body);
        if !course.add(value)? {
            return Err(damaged_at(&value.key, "it does not follow what came before it"));
        }
        let met = |from: Sequence, to: Sequence| to.get().saturating_sub(from.get());
        let records = met(next_record, course.next_record);
        let more = records.saturating_add(met(next_body, course.next_body));
        self.done = self.done.saturating_add(more);
        Ok(())
    }

    /// All values were met.
    ///
    /// # Errors
    /// Some are missing.
    pub(crate) fn finish(&self) -> Result<(), ReadError> {
        self.courses.iter().try_for_each(|(ledger, course)| course.finish(ledger))
    }
}

impl Course {
    fn new(ledger: &LedgerId, span: &Span) -> Self {
        let next = span.after.map_or(Sequence::FIRST, |after| after.sequence.next());
        Self {
            last: span.last,
            next_record: next,
            hash: span.after.map_or_else(|| Hash::genesis(ledger), |after| after.hash),
            next_body: next,
            indexed: span.after.and_then(|after| after.indexed),
            chunks_due: VecDeque::new(),
        }
    }

    /// Whether the value is the one that follows.
    fn add(&mut self, value: &Value) -> Result<bool, ReadError> {
        match value.key.kind {
            Kind::Records => {
                let block = records(&value.key, &value.raw)?;
                if block.forms.first() != self.next_record || block.before != self.hash {
                    return Ok(false);
                }
                self.next_record = block.forms.last().next();
                self.hash = block.forms.iter().fold(self.hash, |hash, (_, form)| hash.then(form));
                Ok(block.forms.last() <= self.last.sequence)
            }
            Kind::Bodies => {
                let block = bodies(&value.key, &value.raw)?;
                let follows = block.first() == self.next_body;
                self.next_body = block.last().next();
                Ok(follows && block.last() <= self.last.sequence)
            }
            Kind::RunHead => {
                let run = RunHead::decode(&value.raw);
                let run = run.map_err(|_| damaged_at(&value.key, "malformed"))?;
                let next = self.indexed.map_or(Sequence::FIRST, Sequence::next);
                let follows = run.first == next && run.last == value.key.number;
                self.indexed = Some(run.last);
                self.chunks_due.push_back((run.last, 0, run.chunk_count()));
                Ok(follows && value.key.item == 0 && self.indexed <= self.last.indexed)
            }
            Kind::RunChunk => Ok(self.chunk(value)),
        }
    }

    fn chunk(&mut self, value: &Value) -> bool {
        self.chunks_due.pop_front_if(|(_, next, count)| next == count);
        let Some((last, next, count)) = self.chunks_due.front_mut() else { return false };
        let item = usize::from(value.key.item);
        let follows = value.key.number == *last && item == *next && item < *count;
        *next = next.saturating_add(1);
        follows
    }

    fn finish(&self, ledger: &LedgerId) -> Result<(), ReadError> {
        let (end, last) = (self.last.sequence.next(), self.last);
        let missing = |next: Sequence, what| Err(damaged(ledger, Place::Record(next), what));
        if self.next_record != end {
            return missing(self.next_record, "it is missing");
        }
        if self.hash != last.hash {
            return missing(last.sequence, "its hash is another than the backup names");
        }
        if self.next_body != end {
            return missing(self.next_body, "its body is missing");
        }
        let chunks_due = self.chunks_due.iter().find(|(_, next, count)| next != count);
        let lacking = chunks_due.map(|(run, ..)| *run);
        let lacking = lacking.or(last.indexed.filter(|indexed| Some(*indexed) != self.indexed));
        lacking.map_or(Ok(()), |run| {
            Err(damaged(ledger, Place::Index(run), "a piece of it is missing"))
        })
    }
}
