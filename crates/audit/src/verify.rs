//! Checking a log: fold, compare with the stored projections, decide again.

use std::{collections::BTreeSet, sync::Arc};

use domain::{
    ids::{LedgerId, Sequence},
    record::Record,
    state::State,
};
use event_store::{
    log::{EventLog, ReadError},
    memory::MemoryViews,
    sled::SledStore,
    verify::verify as stored_values,
    views::{ViewError, ViewStore},
};
use projectors::{
    fold::FoldError,
    projections::{Projections, StateError},
};

use crate::{
    again,
    compare::differing,
    findings::{Finding, Kind, Report},
};

/// How many records are folded between two looks at the clock or the screen.
const CHUNK: usize = 1_024;

/// Why an audit could not be carried out.
#[derive(Debug, thiserror::Error)]
pub enum AuditError {
    /// The log can't be read at all.
    #[error(transparent)]
    Log(#[from] ReadError),
    /// The stored projections can't be read.
    #[error(transparent)]
    State(#[from] StateError),
    /// A store of views failed.
    #[error(transparent)]
    Views(#[from] ViewError),
}

/// Checks a store at every depth: its stored values, then the fold and the decisions.
///
/// `progress` is told of every chunk of either.
///
/// # Errors
/// The store can't be read at all.
pub fn verify_store(
    store: &SledStore,
    mut progress: impl FnMut(&LedgerId, Sequence),
) -> Result<Report, AuditError> {
    let (log, views) = (store.log(), store.views());
    let mut stored = Vec::new();
    for ledger in log.ledgers()? {
        let found = stored_values(store, &ledger, &mut |at| progress(&ledger, at))?;
        stored.extend(found.into_iter().map(|finding| Finding {
            ledger: ledger.clone(),
            sequence: finding.sequence,
            kind: Kind::Stored(finding.kind),
            detail: finding.detail,
        }));
    }
    let state = Projections::new(Arc::clone(&views));
    let mut report = verify(&*log, &*views, &state, progress)?;
    report.findings.splice(0..0, stored);
    Ok(report)
}

/// Folds every ledger of a log from its first record, decides each record again, and compares the
/// result with the stored projections as of their checkpoint.
///
/// `progress` is told of every chunk. What can't be read or contradicts the state is a finding, and
/// ends the check of that ledger; the stored values themselves are checked by the store.
///
/// # Errors
/// The stores can't be read at all.
pub fn verify(
    log: &dyn EventLog,
    stored: &dyn ViewStore,
    stored_state: &Projections,
    mut progress: impl FnMut(&LedgerId, Sequence),
) -> Result<Report, AuditError> {
    let mut report = Report::empty();
    let ledgers = log.ledgers()?;
    report.findings.extend(without_records(stored_state, &ledgers)?);
    for ledger in ledgers {
        // Views are derived: what can't be read of them is a finding, and the log is checked.
        let checkpoint = stored_state.sequence(&ledger).unwrap_or_else(|error| {
            report.findings.push(unread(&ledger, &error));
            None
        });
        let mut check = Check::new(log, stored, ledger, checkpoint);
        match check.run(&mut report, &mut progress) {
            Ok(()) => {}
            Err(FoldError::Log(ReadError::Damaged { ledger, place, detail })) => {
                let detail = format!("{place}: {detail}");
                report.findings.push(Finding {
                    ledger,
                    sequence: check.next(),
                    kind: Kind::Damaged,
                    detail,
                });
            }
            Err(FoldError::Log(error)) => return Err(error.into()),
            Err(FoldError::State(error)) => return Err(error.into()),
            Err(FoldError::Views(error)) => return Err(error.into()),
            Err(FoldError::Contradiction(contradiction)) => report.findings.push(Finding {
                ledger: check.ledger,
                sequence: Some(contradiction.sequence),
                kind: Kind::Contradiction,
                detail: contradiction.what.to_owned(),
            }),
            Err(FoldError::Ahead { ledger, state }) => report.findings.push(Finding {
                ledger,
                sequence: Some(state),
                kind: Kind::ProjectionDiffers,
                detail: "the stored projections are ahead of the log".to_owned(),
            }),
        }
    }
    Ok(report)
}

/// Stored projections of ledgers that the log does not have: it went back to before their first
/// record.
fn without_records(
    stored_state: &Projections,
    ledgers: &[LedgerId],
) -> Result<Vec<Finding>, AuditError> {
    let stored = match (stored_state.stored_ledgers(), ledgers.first()) {
        (Ok(stored), _) => stored,
        (Err(error), Some(ledger)) => return Ok(vec![unread(ledger, &error)]),
        (Err(error), None) => return Err(error.into()),
    };
    let gone = stored.into_iter().filter(|ledger| !ledgers.contains(ledger));
    let finding = |ledger| Finding {
        ledger,
        sequence: None,
        kind: Kind::ProjectionDiffers,
        detail: "there are stored projections, and no record".to_owned(),
    };
    Ok(gone.map(finding).collect())
}

/// Stored projections that can't be read, with all that is known of why.
fn unread(ledger: &LedgerId, error: &dyn std::error::Error) -> Finding {
    let causes = std::iter::successors(error.source(), |&cause| cause.source());
    let detail = causes.fold(error.to_string(), |text, cause| format!("{text}: {cause}"));
    Finding { ledger: ledger.clone(), sequence: None, kind: Kind::ProjectionDiffers, detail }
}

/// The check of one ledger.
struct Check<'l> {
    log: &'l dyn EventLog,
    stored: &'l dyn ViewStore,
    ledger: LedgerId,
    /// The last record in the stored projections.
    checkpoint: Option<Sequence>,
    folded: Option<Sequence>,
    views: Arc<MemoryViews>,
    projections: Projections,
}

impl<'l> Check<'l> {
    fn new(
        log: &'l dyn EventLog,
        stored: &'l dyn ViewStore,
        ledger: LedgerId,
        checkpoint: Option<Sequence>,
    ) -> Self {
        let views = Arc::new(MemoryViews::new());
        let projections = Projections::new(views.clone());
        Self { log, stored, ledger, checkpoint, folded: None, views, projections }
    }

    /// The record that comes next.
    fn next(&self) -> Option<Sequence> {
        Some(self.folded.map_or(Sequence::FIRST, Sequence::next))
    }

    fn run(
        &mut self,
        report: &mut Report,
        progress: &mut impl FnMut(&LedgerId, Sequence),
    ) -> Result<(), FoldError> {
        let mut known = self.projections.state(&self.ledger)?;
        if self.checkpoint.is_none() {
            // Then there must be nothing.
            self.compare(report)?;
        }
        loop {
            let records = self.log.scan(&self.ledger, self.folded, CHUNK)?;
            let Some(last) = records.last().map(|last| last.record().sequence) else { break };
            let checkpoint = self.checkpoint;
            for chunk in records.chunk_by(|record, _| Some(record.record().sequence) != checkpoint)
            {
                let records = chunk.iter().map(event_store::log::Recorded::record);
                known = self.fold(known, records, report)?;
                if self.folded == self.checkpoint {
                    self.compare(report)?;
                }
            }
            progress(&self.ledger, last);
        }
        if let Some(checkpoint) = self.checkpoint.filter(|at| Some(*at) > self.folded) {
            return Err(FoldError::Ahead { ledger: self.ledger.clone(), state: checkpoint });
        }
        Ok(())
    }

    /// Folds a chunk, deciding each record again before. Gives a state that still knows all events
    /// and commands, so that none needs to be asked of the log, which knows later ones too.
    fn fold<'r>(
        &mut self,
        mut state: State,
        records: impl Iterator<Item = &'r Record>,
        report: &mut Report,
    ) -> Result<State, FoldError> {
        let mut changed = BTreeSet::new();
        let mut count = 0_usize;
        for record in records {
            self.decide_again(&mut state, record, report)?;
            changed.extend(self.projections.apply(&mut state, record)?);
            self.folded = Some(record.sequence);
            count = count.saturating_add(1);
            report.records = report.records.saturating_add(1);
        }
        let mut known = self.projections.state(&self.ledger)?;
        known.book = state.book.clone();
        known.events = std::mem::take(&mut state.events);
        known.conflicts = std::mem::take(&mut state.conflicts);
        known.commands = std::mem::take(&mut state.commands);
        self.projections.absorb(state, &changed, count);
        if self.projections.checkpoint_is_due() {
            self.projections.checkpoint()?;
        }
        Ok(known)
    }

    fn decide_again(
        &self,
        state: &mut State,
        record: &Record,
        report: &mut Report,
    ) -> Result<(), FoldError> {
        let Some(difference) = again::decide_again(self.log, &self.projections, state, record)?
        else {
            return Ok(());
        };
        let list =
            if difference.by_older_rules { &mut report.differences } else { &mut report.findings };
        list.push(Finding {
            ledger: self.ledger.clone(),
            sequence: Some(record.sequence),
            kind: difference.kind,
            detail: difference.detail,
        });
        Ok(())
    }

    fn compare(&self, report: &mut Report) -> Result<(), FoldError> {
        self.projections.checkpoint()?;
        match differing(&self.ledger, &*self.views, self.stored) {
            Ok(0) => {}
            Ok(count) => report.findings.push(Finding {
                ledger: self.ledger.clone(),
                sequence: self.checkpoint,
                kind: Kind::ProjectionDiffers,
                detail: format!("{count} stored entries are not what the records lead to"),
            }),
            Err(error) => report.findings.push(unread(&self.ledger, &error)),
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests;
