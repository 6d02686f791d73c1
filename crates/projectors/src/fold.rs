//! Bringing the state up to the log's end.

use std::collections::BTreeSet;

use domain::{
    apply::{ApplyFault, Contradiction, apply},
    entities::Key,
    ids::{LedgerId, Sequence},
    record::Record,
    state::State,
};
use event_store::{
    log::{EventLog, ReadError},
    views::ViewError,
};

use crate::projections::{Projections, StateError};

/// How many records are read at once.
const CHUNK: usize = 1_024;

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
         restore the log, or delete the folder of views if the log is whole"
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
        mut progress: impl FnMut(&LedgerId, Sequence),
    ) -> Result<(), FoldError> {
        for ledger in log.ledgers()? {
            self.remove_outdated(&ledger)?;
            let mut after = self.sequence(&ledger)?;
            if let Some(state) = after
                && log.head(&ledger).is_none_or(|head| head.sequence < state)
            {
                return Err(FoldError::Ahead { ledger, state });
            }
            loop {
                let records = log.scan(&ledger, after, CHUNK)?;
                let Some(last) = records.last() else { break };
                after = Some(last.record().sequence);
                self.fold(&ledger, records.iter().map(|recorded| recorded.record()))?;
                progress(&ledger, after.unwrap_or(Sequence::FIRST));
                if self.checkpoint_is_due() {
                    self.checkpoint()?;
                }
            }
        }
        Ok(())
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
}
