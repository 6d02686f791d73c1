//! One group of inputs: decided, appended in one durable commit, and only then answered.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use domain::{
    account::View,
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
use event_store::log::{Append, AppendError, EventLog, ReadError};
use projectors::{
    fold::FoldError,
    projections::{Projections, StateError},
};

use crate::load::{LoadError, load};

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
    Fold(#[from] FoldError),
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
}

/// What a group changes in one ledger, on copies until it is durable.
struct Working {
    state: State,
    changed: BTreeSet<Key>,
    records: usize,
}

/// What was decided for one input.
enum Decided {
    /// It is this record of the group.
    Recorded(usize, Option<View>),
    /// A command that this record of the same group carries out.
    Repeated(usize, Option<View>),
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
        Ok(Self { log, projections })
    }

    /// Decides a group in its order and makes it durable in one commit.
    ///
    /// `now` is the moment of recording; a ledger's records never go back in time even if it does.
    ///
    /// # Errors
    /// Nothing of the group may be acknowledged; whether it is stored is not known after
    /// [`AppendError::Failed`]. The log refuses all that follows until it is opened again.
    pub fn step(&self, now: Timestamp, group: Vec<Request>) -> Result<Vec<Answer>, StepError> {
        let mut working = BTreeMap::new();
        let mut appends = Vec::with_capacity(group.len());
        let mut decided = Vec::with_capacity(group.len());
        for request in group {
            decided.push(self.decide(&mut working, &mut appends, now, request)?);
        }
        if !appends.is_empty() {
            self.log.append(&appends)?;
        }
        for Working { state, changed, records } in working.into_values() {
            if records > 0 {
                self.projections.absorb(state, &changed, records);
            }
        }
        let records: Vec<_> = appends.into_iter().map(|append| Arc::new(append.record)).collect();
        Ok(decided.into_iter().filter_map(|decided| answer(&records, decided)).collect())
    }

    fn decide(
        &self,
        working: &mut BTreeMap<LedgerId, Working>,
        appends: &mut Vec<Append>,
        now: Timestamp,
        request: Request,
    ) -> Result<Decided, StepError> {
        let Request { ledger, input, body } = request;
        let own = match working.entry(ledger.clone()) {
            std::collections::btree_map::Entry::Occupied(own) => own.into_mut(),
            std::collections::btree_map::Entry::Vacant(vacant) => vacant.insert(Working {
                state: self.projections.state(&ledger)?,
                changed: BTreeSet::new(),
                records: 0,
            }),
        };
        let recorded_at = own.state.book.recorded_at.map_or(now, |last| last.max(now));
        match self.verdict(&mut own.state, &input, recorded_at)? {
            Verdict::Record(decision) => {
                let record = next_record(&own.state, recorded_at, input, decision);
                match self.enact(own, record)? {
                    Ok(record) => {
                        let view = self.view(&mut own.state, &record.input)?;
                        appends.push(Append { ledger, record, body });
                        Ok(Decided::Recorded(appends.len().saturating_sub(1), view))
                    }
                    Err(refusal) => Ok(Decided::Known(Answer::Refused(refusal))),
                }
            }
            Verdict::Duplicate(sequence) => Ok(Decided::Known(Answer::Duplicate { sequence })),
            Verdict::KnownConflict(sequence) => {
                Ok(Decided::Known(Answer::KnownConflict { sequence }))
            }
            Verdict::Replayed(sequence) => {
                let view = self.view(&mut own.state, &input)?;
                let own = |own: &Append| own.ledger == ledger && own.record.sequence == sequence;
                if let Some(place) = appends.iter().position(own) {
                    return Ok(Decided::Repeated(place, view));
                }
                let recorded = self.log.read(&ledger, sequence)?.ok_or(StateError::Confused)?;
                let record = Arc::new(recorded.into_record());
                Ok(Decided::Known(Answer::Replayed { record, view }))
            }
            Verdict::Refused(refusal) => Ok(Decided::Known(Answer::Refused(refusal))),
        }
    }

    /// Lets a record take effect on the copies. A decision that contradicts the state it was made
    /// from becomes `undecided`: one poisonous input must not stop the service.
    fn enact(
        &self,
        own: &mut Working,
        mut record: Record,
    ) -> Result<Result<Record, Refusal>, StepError> {
        let changed = match self.projections.apply(&mut own.state, &record) {
            Err(FoldError::Contradiction(found)) => {
                match undecided(&own.state, &record.input, record.recorded_at, found.what) {
                    Verdict::Record(decision) => record.decision = decision,
                    Verdict::Refused(refusal) => return Ok(Err(refusal)),
                    Verdict::Duplicate(_) | Verdict::KnownConflict(_) | Verdict::Replayed(_) => {
                        return Err(FoldError::Contradiction(found).into());
                    }
                }
                self.projections.apply(&mut own.state, &record)?
            }
            applied => applied?,
        };
        own.changed.extend(changed);
        own.records = own.records.saturating_add(1);
        Ok(Ok(record))
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
                Err(missing) => load(&*self.log, &self.projections, state, missing.0)?,
            }
        }
    }
}

fn answer(records: &[Arc<Record>], decided: Decided) -> Option<Answer> {
    let record = |place: usize| records.get(place).map(Arc::clone);
    match decided {
        Decided::Recorded(place, view) => {
            record(place).map(|record| Answer::Recorded { record, view })
        }
        Decided::Repeated(place, view) => {
            record(place).map(|record| Answer::Replayed { record, view })
        }
        Decided::Known(answer) => Some(answer),
    }
}

fn next_record(state: &State, recorded_at: Timestamp, input: Input, decision: Decision) -> Record {
    Record { sequence: state.book.next_sequence(), recorded_at, input, decision }
}

mod subject;

#[cfg(test)]
mod tests;
