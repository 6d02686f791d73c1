//! One group of inputs: decided, appended in one durable commit, and only then answered.
//!
//! The next group may be decided while one is committed: it builds on what is not durable yet, and
//! is answered after it.

use std::{
    collections::btree_map::Entry,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering::Relaxed},
    },
};

use domain::{
    account::View,
    apply::{ApplyFault, Contradiction, apply},
    decide::{Verdict, decide, undecided},
    decision::Decision,
    entities::Key,
    ids::{LedgerId, Sequence},
    input::Input,
    record::Record,
    refusal::Refusal,
    state::State,
    time::Timestamp,
};
use event_store::log::{Append, AppendError, EventLog, Prepared, ReadError};
use projectors::{
    fold::FoldError,
    projections::{Projections, StateError},
};

use crate::{
    ahead::{Ahead, Changes, Working},
    load::{LoadError, load},
};

/// One input with the bytes it came from.
#[derive(Clone, Debug)]
pub struct Request {
    /// To which ledger.
    pub ledger: LedgerId,
    /// What is asked.
    pub input: Input,
    /// The raw bytes of the delivery or of the command's request.
    pub body: Arc<[u8]>,
}

/// What became of one input. Everything it says is durable.
#[derive(Clone, Debug)]
pub enum Answer {
    /// It is recorded.
    Recorded {
        /// The record.
        record: Arc<Record>,
        /// The command's account after it.
        view: Option<View>,
    },
    /// The delivery's event is recorded already.
    Duplicate {
        /// Where.
        sequence: Sequence,
    },
    /// The delivery contradicts an earlier one and is recorded already.
    KnownConflict {
        /// Where.
        sequence: Sequence,
    },
    /// The command was carried out already.
    Replayed {
        /// The record.
        record: Arc<Record>,
        /// The command's account as it is now.
        view: Option<View>,
    },
    /// The command is not carried out.
    Refused(Refusal),
}

/// Why a group could not be made durable: none of it may be acknowledged.
#[derive(Debug, thiserror::Error)]
pub enum StepError {
    /// The log refused or failed.
    #[error(transparent)]
    Append(#[from] AppendError),
    /// Something could not be loaded.
    #[error(transparent)]
    Load(#[from] LoadError),
    /// A decision of this group contradicts the state it was made from.
    #[error(transparent)]
    Contradiction(Contradiction),
    /// A group was committed before one that was decided earlier, or that one failed.
    #[error("commit a group after one that was not committed")]
    OutOfTurn,
}

impl From<StateError> for StepError {
    fn from(error: StateError) -> Self {
        Self::Load(error.into())
    }
}

impl From<ReadError> for StepError {
    fn from(error: ReadError) -> Self {
        Self::Load(error.into())
    }
}

/// The one owner of all decisions.
pub struct Engine {
    log: Arc<dyn EventLog>,
    projections: Arc<Projections>,
    ahead: Ahead,
    /// How many groups were decided and how many of them were committed.
    decided: AtomicU64,
    committed: AtomicU64,
}

/// A group that was decided and may not be acknowledged before it is committed.
pub struct Decided {
    /// What is to be written; none where no input of the group needs a record.
    prepared: Option<Prepared>,
    answers: Vec<Draft>,
    /// Its place among all groups that were decided.
    turn: u64,
}

/// What will be answered to one input once its group is durable.
enum Draft {
    /// It is this record of the group.
    Recorded(usize, Option<View>),
    /// A command that this record of the same group carries out.
    Repeated(usize, Option<View>),
    /// A command that this earlier record carried out.
    Replayed(LedgerId, Sequence, Option<View>),
    /// It needs no record.
    Known(Answer),
}

impl Engine {
    /// An engine whose projections are brought up to the log's end first.
    ///
    /// # Errors
    /// The state can't follow the log.
    pub fn open(
        log: Arc<dyn EventLog>,
        projections: Arc<Projections>,
        progress: impl FnMut(&LedgerId, Sequence),
    ) -> Result<Self, FoldError> {
        projections.catch_up(&*log, progress)?;
        let (decided, committed) = (AtomicU64::new(0), AtomicU64::new(0));
        Ok(Self { log, projections, ahead: Ahead::default(), decided, committed })
    }

    /// Decides a group in its order and makes it durable in one commit.
    ///
    /// `now` is the moment of recording; a ledger's records never go back in time even if it does.
    ///
    /// # Errors
    /// See [`Self::decide`] and [`Self::commit`].
    pub fn step(&self, now: Timestamp, group: Vec<Request>) -> Result<Vec<Answer>, StepError> {
        self.commit(self.decide(now, group)?)
    }

    /// Decides a group in its order, on top of all groups that were decided before. One thread
    /// decides, while another may commit the groups before.
    ///
    /// # Errors
    /// Nothing of the group may be acknowledged, and no group can be decided after it unless the
    /// log still takes records.
    pub fn decide(&self, now: Timestamp, group: Vec<Request>) -> Result<Decided, StepError> {
        let mut changes = Changes::new();
        let mut appends = Vec::with_capacity(group.len());
        let mut answers = Vec::with_capacity(group.len());
        for request in group {
            answers.push(self.decide_one(&mut changes, &mut appends, now, request)?);
        }
        let prepared = if appends.is_empty() {
            None
        } else {
            let prepared = self.log.prepare(appends)?;
            self.ahead.push(changes);
            Some(prepared)
        };
        Ok(Decided { prepared, answers, turn: self.decided.fetch_add(1, Relaxed) })
    }

    /// Makes a decided group durable in one commit, and only then visible to readers. Groups are
    /// committed in the order in which they were decided.
    ///
    /// # Errors
    /// Nothing of the group may be acknowledged; whether it is stored is not known after
    /// [`AppendError::Failed`]. The log refuses all that follows until it is opened again, and so
    /// do all groups that were decided after this one.
    pub fn commit(&self, decided: Decided) -> Result<Vec<Answer>, StepError> {
        let Decided { prepared, answers, turn } = decided;
        if self.committed.load(Relaxed) != turn {
            return Err(StepError::OutOfTurn);
        }
        let appends = match prepared {
            Some(prepared) => {
                let appends = self.log.commit(prepared)?;
                self.ahead.absorb_oldest(&self.projections);
                appends
            }
            None => Vec::new(),
        };
        self.committed.fetch_add(1, Relaxed);
        let records: Vec<_> = appends.into_iter().map(|append| Arc::new(append.record)).collect();
        answers.into_iter().map(|draft| self.answer(&records, draft)).collect()
    }

    fn answer(&self, records: &[Arc<Record>], draft: Draft) -> Result<Answer, StepError> {
        let own = |place: usize| records.get(place).map(Arc::clone).ok_or(StepError::OutOfTurn);
        Ok(match draft {
            Draft::Recorded(place, view) => Answer::Recorded { record: own(place)?, view },
            Draft::Repeated(place, view) => Answer::Replayed { record: own(place)?, view },
            Draft::Replayed(ledger, sequence, view) => {
                let recorded = self.log.read(&ledger, sequence)?.ok_or(StateError::Confused)?;
                Answer::Replayed { record: Arc::new(recorded.into_record()), view }
            }
            Draft::Known(answer) => answer,
        })
    }

    fn decide_one(
        &self,
        changes: &mut Changes,
        appends: &mut Vec<Append>,
        now: Timestamp,
        request: Request,
    ) -> Result<Draft, StepError> {
        let Request { ledger, input, body } = request;
        let own = match changes.entry(ledger.clone()) {
            Entry::Occupied(own) => own.into_mut(),
            Entry::Vacant(vacant) => vacant.insert(Working::new(self.state(&ledger)?)),
        };
        let recorded_at = own.state.book.recorded_at.map_or(now, |last| last.max(now));
        match self.verdict(&mut own.state, &input, recorded_at)? {
            Verdict::Record(decision) => {
                let record = next_record(&own.state, recorded_at, input, decision);
                match self.enact(own, record)? {
                    Ok(record) => {
                        let view = self.view(&mut own.state, &record.input)?;
                        appends.push(Append { ledger, record, body });
                        Ok(Draft::Recorded(appends.len().saturating_sub(1), view))
                    }
                    Err(refusal) => Ok(Draft::Known(Answer::Refused(refusal))),
                }
            }
            Verdict::Duplicate(sequence) => Ok(Draft::Known(Answer::Duplicate { sequence })),
            Verdict::KnownConflict(sequence) => {
                Ok(Draft::Known(Answer::KnownConflict { sequence }))
            }
            Verdict::Replayed(sequence) => {
                let view = self.view(&mut own.state, &input)?;
                let own = |own: &Append| own.ledger == ledger && own.record.sequence == sequence;
                Ok(match appends.iter().position(own) {
                    Some(place) => Draft::Repeated(place, view),
                    None => Draft::Replayed(ledger, sequence, view),
                })
            }
            Verdict::Refused(refusal) => Ok(Draft::Known(Answer::Refused(refusal))),
        }
    }

    /// A state in which nothing but the ledger's newest book is loaded.
    fn state(&self, ledger: &LedgerId) -> Result<State, StateError> {
        match self.ahead.book(ledger) {
            Some(book) => Ok(State::new(ledger.clone(), book)),
            None => self.projections.state(ledger),
        }
    }

    /// Loads what a key names: the newest there is, durable or not.
    fn load(&self, state: &mut State, key: Key) -> Result<(), LoadError> {
        if self.ahead.load(state, &key) {
            return Ok(());
        }
        load(&*self.log, &self.projections, state, key)
    }

    /// Lets a record take effect on the copies. A decision that contradicts the state it was made
    /// from becomes `undecided`: one poisonous input must not stop the service.
    fn enact(
        &self,
        own: &mut Working,
        mut record: Record,
    ) -> Result<Result<Record, Refusal>, StepError> {
        let changed = match self.apply(&mut own.state, &record)? {
            Ok(changed) => changed,
            Err(found) => {
                match undecided(&own.state, &record.input, record.recorded_at, found.what) {
                    Verdict::Record(decision) => record.decision = decision,
                    Verdict::Refused(refusal) => return Ok(Err(refusal)),
                    Verdict::Duplicate(_) | Verdict::KnownConflict(_) | Verdict::Replayed(_) => {
                        return Err(StepError::Contradiction(found));
                    }
                }
                self.apply(&mut own.state, &record)?.map_err(StepError::Contradiction)?
            }
        };
        own.changed.extend(changed);
        own.records = own.records.saturating_add(1);
        Ok(Ok(record))
    }

    /// Applies a record, loading what it needs. The inner error is a contradiction.
    fn apply(
        &self,
        state: &mut State,
        record: &Record,
    ) -> Result<Result<Vec<Key>, Contradiction>, LoadError> {
        loop {
            match apply(state, record) {
                Ok(changed) => return Ok(Ok(changed)),
                Err(ApplyFault::Contradiction(found)) => return Ok(Err(found)),
                Err(ApplyFault::Missing(missing)) => self.load(state, missing.0)?,
            }
        }
    }

    /// Asks the rules, loading what they miss.
    fn verdict(
        &self,
        state: &mut State,
        input: &Input,
        now: Timestamp,
    ) -> Result<Verdict, LoadError> {
        loop {
            match decide(state, input, now) {
                Ok(verdict) => return Ok(verdict),
                Err(missing) => self.load(state, missing.0)?,
            }
        }
    }
}

fn next_record(state: &State, recorded_at: Timestamp, input: Input, decision: Decision) -> Record {
    Record { sequence: state.book.next_sequence(), recorded_at, input, decision }
}

mod subject;

#[cfg(test)]
mod tests;
