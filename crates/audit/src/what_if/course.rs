//! A course of records that was never recorded: state in memory, decided input by input.

use std::{collections::BTreeSet, sync::Arc};

use domain::{
    decide::Verdict,
    entities::Key,
    ids::LedgerId,
    policy::Timeline,
    record::Record,
    state::{Book, State},
};
use event_store::memory::MemoryViews;
use projectors::{
    fold::FoldError,
    projections::{Projections, StateError},
};

use crate::verify::again::verdict;

/// How many records are decided before their changes are put aside.
const CHUNK: usize = 1_024;

/// What became of an input.
pub(super) enum Took {
    /// It was decided, perhaps otherwise.
    Decided(Record),
    /// It is refused: its place stays empty.
    Nothing,
}

/// The state that the course is in.
pub(super) struct Course {
    ledger: LedgerId,
    projections: Projections,
    state: State,
    changed: BTreeSet<Key>,
    records: usize,
}

impl Course {
    pub(super) fn new(ledger: &LedgerId) -> Result<Self, StateError> {
        let projections = Projections::new(Arc::new(MemoryViews::new()));
        let state = projections.state(ledger)?;
        let (ledger, changed) = (ledger.clone(), BTreeSet::new());
        Ok(Self { ledger, projections, state, changed, records: 0 })
    }

    /// Puts versions in force in the place of a recorded activation.
    pub(super) fn put_in_force(
        &mut self,
        timeline: Timeline,
        record: &Record,
    ) -> Result<(), FoldError> {
        self.state.book.timeline = timeline;
        self.pass_by(record);
        self.put_aside()
    }

    /// Decides a recorded input in its place.
    pub(super) fn take(&mut self, record: &Record) -> Result<Took, FoldError> {
        let decision = match verdict(&self.projections, &mut self.state, record)? {
            Verdict::Record(decision) => decision,
            Verdict::Duplicate(_)
            | Verdict::KnownConflict(_)
            | Verdict::Replayed(_)
            | Verdict::Refused(_) => {
                self.pass_by(record);
                self.put_aside()?;
                return Ok(Took::Nothing);
            }
        };
        let again = Record {
            sequence: record.sequence,
            recorded_at: record.recorded_at,
            input: record.input.clone(),
            decision,
        };
        self.changed.extend(self.projections.apply(&mut self.state, &again)?);
        self.put_aside()?;
        Ok(Took::Decided(again))
    }

    /// Steps over a place where nothing happens, so that every record keeps its sequence.
    fn pass_by(&mut self, record: &Record) {
        self.state.book = Book {
            sequence: Some(record.sequence),
            recorded_at: Some(record.recorded_at),
            ..self.state.book.clone()
        };
    }

    /// Puts aside what changed, now and then: else all that was ever loaded would be copied.
    fn put_aside(&mut self) -> Result<(), FoldError> {
        self.records = self.records.saturating_add(1);
        if self.records < CHUNK {
            return Ok(());
        }
        let mut next = self.projections.state(&self.ledger)?;
        next.book = self.state.book.clone();
        next.events = std::mem::take(&mut self.state.events);
        next.conflicts = std::mem::take(&mut self.state.conflicts);
        next.commands = std::mem::take(&mut self.state.commands);
        let done = std::mem::replace(&mut self.state, next);
        self.projections.absorb(done, &std::mem::take(&mut self.changed), self.records);
        self.records = 0;
        if self.projections.checkpoint_is_due() {
            self.projections.checkpoint()?;
        }
        Ok(())
    }
}
