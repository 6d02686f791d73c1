//! Bringing the state up to the log's end.
//!
//! Three threads share the work of [`Projections::catch_up`] where it is much: one reads, checks and
//! decodes records ahead, one applies them in order, and one writes checkpoints. What comes out is
//! the same as with one thread: records are applied one by one, and a checkpoint is a moment
//! between two chunks.

use std::{
    collections::BTreeSet,
    sync::mpsc::{Receiver, SyncSender, sync_channel},
    thread::{Scope, ScopedJoinHandle, scope},
};

use domain::{
    apply::{ApplyFault, Contradiction, apply, asks_for},
    entities::Key,
    ids::{LedgerId, Sequence},
    record::Record,
    state::State,
};
use event_store::{
    log::{EventLog, ReadError, Recorded},
    views::ViewError,
};

use crate::{
    fresh::Fresh,
    projections::{Projections, StateError},
};

/// How many records are read at once: about a block, so that a chunk stays in the processor's cache
/// from its reading to its end.
const CHUNK: usize = 256;

/// How many chunks are read ahead.
const AHEAD: usize = 4;

/// After so many records a checkpoint is due while catching up. Nobody waits for a checkpoint then,
/// and an account that many records change is written once.
const CHECKPOINT_RECORDS: u64 = 16_384;

/// For fewer, reading ahead is not worth a thread.
const READ_AHEAD_RECORDS: u64 = 4_096;

/// How a fold shares its work.
#[derive(Clone, Copy)]
struct Pace {
    /// A checkpoint is made after so many records.
    checkpoint_records: u64,
    /// Records are read ahead where so many are to be folded. For fewer no thread is begun, and
    /// all calls to the stores come in an order that a simulator can repeat.
    read_ahead_records: u64,
}

impl Pace {
    const STANDARD: Self =
        Self { checkpoint_records: CHECKPOINT_RECORDS, read_ahead_records: READ_AHEAD_RECORDS };
}

/// Why the state can't follow the log.
#[derive(Debug, thiserror::Error)]
pub enum FoldError {
    /// The log can't be read.
    #[error(transparent)]
    Log(#[from] ReadError),
    /// The stored state can't be read.
    #[error(transparent)]
    State(#[from] StateError),
    /// The stored state can't be written.
    #[error(transparent)]
    Views(#[from] ViewError),
    /// A recorded fact contradicts the state: the process must not go on.
    #[error(transparent)]
    Contradiction(#[from] Contradiction),
    /// The stored state is ahead of the log: the log went back, or views of another log lie there.
    #[error(
        "follow ledger {ledger}: its stored state is at record {state}, its log ends before; \
         restore the log, or delete the file `views` if the log is whole"
    )]
    Ahead {
        /// The ledger.
        ledger: LedgerId,
        /// The last record in the state.
        state: Sequence,
    },
}

impl Projections {
    /// Applies all records of all ledgers that are not in the state yet. State that an earlier
    /// program stored in another form is removed before. `progress` is told of every chunk.
    ///
    /// # Errors
    /// See [`FoldError`]; what was folded before stays.
    pub fn catch_up(
        &self,
        log: &dyn EventLog,
        progress: impl FnMut(&LedgerId, Sequence),
    ) -> Result<(), FoldError> {
        self.catch_up_at(log, Pace::STANDARD, progress)
    }

    fn catch_up_at(
        &self,
        log: &dyn EventLog,
        pace: Pace,
        mut progress: impl FnMut(&LedgerId, Sequence),
    ) -> Result<(), FoldError> {
        let ledgers = log.ledgers()?;
        for ledger in self.stored_ledgers()?.into_iter().filter(|known| !ledgers.contains(known)) {
            if let Some(state) = self.sequence(&ledger)? {
                return Err(FoldError::Ahead { ledger, state });
            }
        }
        for ledger in ledgers {
            self.catch_up_ledger(log, &ledger, None, pace, &mut progress)?;
        }
        Ok(())
    }

    /// Applies the records of one ledger that are not in the state yet, up to `last`, itself
    /// included: for a comparison with what was stored when that was the last one.
    ///
    /// # Errors
    /// See [`FoldError`]; what was folded before stays.
    pub fn catch_up_to(
        &self,
        log: &dyn EventLog,
        ledger: &LedgerId,
        last: Sequence,
        mut progress: impl FnMut(&LedgerId, Sequence),
    ) -> Result<(), FoldError> {
        self.catch_up_ledger(log, ledger, Some(last), Pace::STANDARD, &mut progress)
    }

    fn catch_up_ledger(
        &self,
        log: &dyn EventLog,
        ledger: &LedgerId,
        last: Option<Sequence>,
        pace: Pace,
        progress: &mut impl FnMut(&LedgerId, Sequence),
    ) -> Result<(), FoldError> {
        self.remove_outdated(ledger)?;
        let after = self.sequence(ledger)?;
        let head = log.head(ledger).map(|head| head.sequence);
        if let Some(state) = after
            && head < after
        {
            return Err(FoldError::Ahead { ledger: ledger.clone(), state });
        }
        self.inner.lock().fresh = after.is_none().then(|| Fresh::new(ledger));
        let last = last.min(head).or(head);
        let caught_up = self.fold_tail(log, ledger, (after, last), pace, progress);
        self.inner.lock().fresh = None;
        caught_up
    }

    /// Folds the records of one ledger after one up to another.
    fn fold_tail(
        &self,
        log: &dyn EventLog,
        ledger: &LedgerId,
        (after, last): (Option<Sequence>, Option<Sequence>),
        pace: Pace,
        progress: &mut impl FnMut(&LedgerId, Sequence),
    ) -> Result<(), FoldError> {
        let number = |sequence: Option<Sequence>| sequence.map_or(0, Sequence::get);
        let left = number(last).saturating_sub(number(after));
        let chunks = chunks(log, ledger, after, last);
        scope(|scope| {
            let mut checkpoints = Checkpoints { scope, every: pace.checkpoint_records, last: None };
            if left < pace.read_ahead_records {
                return self.fold_chunks(ledger, chunks, &mut checkpoints, progress);
            }
            let (ahead, reader) = read_ahead(scope, chunks);
            let folded = self.fold_chunks(ledger, ahead.into_iter(), &mut checkpoints, progress);
            joined(reader);
            folded
        })
    }

    /// Folds the chunks of one ledger.
    fn fold_chunks<'s>(
        &'s self,
        ledger: &LedgerId,
        chunks: impl Iterator<Item = Chunk>,
        checkpoints: &mut Checkpoints<'s, '_>,
        progress: &mut impl FnMut(&LedgerId, Sequence),
    ) -> Result<(), FoldError> {
        for chunk in chunks {
            let records = chunk?;
            let Some(last) = records.last().map(|last| last.record().sequence) else { break };
            self.fold(ledger, records.iter().map(Recorded::record))?;
            progress(ledger, last);
            let since = u64::try_from(self.records_since_checkpoint()).unwrap_or(u64::MAX);
            if since >= checkpoints.every {
                checkpoints.wait()?;
                checkpoints.last = Some(checkpoints.scope.spawn(|| self.checkpoint()));
            }
        }
        Ok(checkpoints.wait()?)
    }

    /// Applies records that follow the state.
    ///
    /// # Errors
    /// A contradiction, or stored state that can't be read; nothing of these records is kept.
    pub fn fold<'r>(
        &self,
        ledger: &LedgerId,
        records: impl Iterator<Item = &'r Record>,
    ) -> Result<(), FoldError> {
        let mut state = self.state(ledger)?;
        let mut changed = BTreeSet::new();
        let mut count = 0_usize;
        for record in records {
            self.load_for(&mut state, record)?;
            changed.extend(self.apply(&mut state, record)?);
            count = count.saturating_add(1);
        }
        self.absorb(state, &changed, count);
        Ok(())
    }

    /// Applies one record to a state, loading what it needs.
    ///
    /// # Errors
    /// A contradiction, or stored state that can't be read.
    pub fn apply(&self, state: &mut State, record: &Record) -> Result<Vec<Key>, FoldError> {
        loop {
            match apply(state, record) {
                Ok(changed) => return Ok(changed),
                Err(ApplyFault::Contradiction(contradiction)) => return Err(contradiction.into()),
                Err(ApplyFault::Missing(missing)) => {
                    if !self.load(state, &missing.0)? {
                        return Err(StateError::Confused.into());
                    }
                }
            }
        }
    }

    /// Loads what a record asks for in all likelihood.
    fn load_for(&self, state: &mut State, record: &Record) -> Result<(), StateError> {
        let mut loaded = Ok(true);
        asks_for(record, |key| {
            if loaded.is_ok() && !state.entities.knows(&key) {
                loaded = self.load(state, &key);
            }
        });
        loaded.map(|_| ())
    }
}

/// Some records that follow each other.
type Chunk = Result<Vec<Recorded>, ReadError>;

/// A ledger's records, chunk by chunk, to the last one or the first error.
fn chunks<'l>(
    log: &'l dyn EventLog,
    ledger: &'l LedgerId,
    after: Option<Sequence>,
    last: Option<Sequence>,
) -> impl Iterator<Item = Chunk> + Send + 'l {
    let mut next = Some(after);
    std::iter::from_fn(move || {
        let after = next.take().filter(|after| *after < last)?;
        let mut chunk = log.scan(ledger, after, CHUNK);
        if let Ok(records) = &mut chunk {
            records.truncate(records.partition_point(|it| Some(it.record().sequence) <= last));
            next = records.last().map(|it| Some(it.record().sequence));
        }
        Some(chunk)
    })
}

/// Takes chunks in a thread of their own, which ends with them or when nobody wants more.
fn read_ahead<'s>(
    scope: &'s Scope<'s, '_>,
    chunks: impl Iterator<Item = Chunk> + Send + 's,
) -> (Receiver<Chunk>, ScopedJoinHandle<'s, ()>) {
    let (ahead, receiver): (SyncSender<_>, _) = sync_channel(AHEAD);
    let reader = scope.spawn(move || {
        for chunk in chunks {
            if ahead.send(chunk).is_err() {
                return;
            }
        }
    });
    (receiver, reader)
}

/// What a thread ended with. Its panic goes on as it began.
fn joined<T>(thread: ScopedJoinHandle<'_, T>) -> T {
    thread.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic))
}

/// The checkpoints of a fold, each on a thread of its own, one at a time.
struct Checkpoints<'s, 'e> {
    scope: &'s Scope<'s, 'e>,
    /// After so many records.
    every: u64,
    last: Option<ScopedJoinHandle<'s, Result<(), ViewError>>>,
}

impl Checkpoints<'_, '_> {
    /// Waits for the last one, if it is under way.
    fn wait(&mut self) -> Result<(), ViewError> {
        self.last.take().map_or(Ok(()), joined)
    }
}

#[cfg(test)]
mod tests;
