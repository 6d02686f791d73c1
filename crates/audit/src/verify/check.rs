//! The check of one ledger: fold, decide again, compare with the stored projections.

use std::{collections::BTreeSet, sync::Arc};

use domain::{
    decision::RULES_VERSION,
    ids::{LedgerId, Sequence},
    record::Record,
    state::State,
};
use event_store::{
    log::{ReadError, Recorded},
    memory::MemoryViews,
    views::ViewStore,
};
use projectors::{fold::FoldError, projections::Projections};

use super::{
    again::decide_again,
    reading::{Chunk, Fault},
    unread,
};
use crate::{
    compare::differing,
    findings::{Finding, Kind, Report},
};

/// Whether stored projections are compared.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Compared {
    /// As of their last record; none: there must be nothing.
    AsOf(Option<Sequence>),
    /// They can't be read, or are of an earlier program.
    Not,
}

/// The check of one ledger.
pub(super) struct Check<'l> {
    stored: &'l dyn ViewStore,
    ledger: LedgerId,
    /// The last record in the stored projections.
    compared: Compared,
    folded: Option<Sequence>,
    /// The newest rules that made a decision so far.
    rules: u16,
    views: Arc<MemoryViews>,
    projections: Projections,
}

impl<'l> Check<'l> {
    pub(super) fn new(stored: &'l dyn ViewStore, ledger: LedgerId, compared: Compared) -> Self {
        let views = Arc::new(MemoryViews::new());
        let projections = Projections::new(views.clone());
        Self { stored, ledger, compared, folded: None, rules: 0, views, projections }
    }

    /// The record that comes next.
    pub(super) fn next(&self) -> Option<Sequence> {
        Some(self.folded.map_or(Sequence::FIRST, Sequence::next))
    }

    /// The record as of which the stored projections are compared.
    const fn checkpoint(&self) -> Option<Sequence> {
        match self.compared {
            Compared::AsOf(sequence) => sequence,
            Compared::Not => None,
        }
    }

    /// Folds chunk by chunk, up to the ledger's end.
    pub(super) fn run(
        &mut self,
        chunks: impl IntoIterator<Item = Result<Chunk, ReadError>>,
        report: &mut Report,
        mut progress: impl FnMut(u64),
    ) -> Result<(), FoldError> {
        let mut known = self.projections.state(&self.ledger)?;
        if self.compared == Compared::AsOf(None) {
            self.compare(report);
        }
        let checkpoint = self.checkpoint();
        for chunk in chunks {
            let chunk = chunk?;
            report.signatures.add(&chunk.signatures);
            let until_checkpoint =
                |recorded: &Recorded, _: &Recorded| Some(recorded.record().sequence) != checkpoint;
            for records in chunk.records.chunk_by(until_checkpoint) {
                known = self.fold(known, records, &chunk.faults, report)?;
                if self.folded == checkpoint {
                    self.compare(report);
                }
            }
            progress(self.folded.map_or(0, Sequence::get));
        }
        if let Some(state) = checkpoint.filter(|at| Some(*at) > self.folded) {
            return Err(FoldError::Ahead { ledger: self.ledger.clone(), state });
        }
        Ok(())
    }

    /// Folds records, deciding each again before. Gives a state that still knows all events and
    /// commands, so that none needs to be asked of the log, which knows later ones too.
    fn fold(
        &mut self,
        mut state: State,
        records: &[Recorded],
        faults: &[Fault],
        report: &mut Report,
    ) -> Result<State, FoldError> {
        let mut changed = BTreeSet::new();
        for record in records.iter().map(Recorded::record) {
            self.look(&mut state, record, faults, report)?;
            changed.extend(self.projections.apply(&mut state, record)?);
            self.folded = Some(record.sequence);
            report.records = report.records.saturating_add(1);
        }
        let mut known = self.projections.state(&self.ledger)?;
        known.book = state.book.clone();
        known.events = std::mem::take(&mut state.events);
        known.conflicts = std::mem::take(&mut state.conflicts);
        known.commands = std::mem::take(&mut state.commands);
        self.projections.absorb(state, &changed, records.len());
        if self.projections.checkpoint_is_due() {
            self.projections.checkpoint()?;
        }
        Ok(known)
    }

    /// Reports what is wrong with a record: what reading it showed, else what deciding it again
    /// gives. An input that its bytes contradict is not decided again.
    fn look(
        &mut self,
        state: &mut State,
        record: &Record,
        faults: &[Fault],
        report: &mut Report,
    ) -> Result<(), FoldError> {
        let mut decides = true;
        let of_record = faults.iter().filter(|fault| fault.sequence == record.sequence);
        for Fault { kind, detail, .. } in of_record {
            decides &= *kind != Kind::NoticeDiffers;
            report.findings.push(self.finding(record, *kind, detail));
        }
        let rules = record.decision.rules;
        if let Some(detail) = impossible(rules, self.rules) {
            report.findings.push(self.finding(record, Kind::DecisionDiffers, detail));
        }
        self.rules = self.rules.max(rules);
        if decides && let Some(difference) = decide_again(&self.projections, state, record)? {
            let finding = self.finding(record, Kind::DecisionDiffers, difference.detail);
            report.list(difference.by_older_rules).push(finding);
        }
        Ok(())
    }

    fn finding(&self, record: &Record, kind: Kind, detail: &str) -> Finding {
        let (ledger, sequence) = (self.ledger.clone(), Some(record.sequence));
        Finding { ledger, sequence, kind, detail: detail.to_owned() }
    }

    fn compare(&self, report: &mut Report) {
        let differing = self
            .projections
            .checkpoint()
            .and_then(|()| differing(&self.ledger, &*self.views, self.stored));
        match differing {
            Ok(0) => {}
            Ok(count) => report.findings.push(Finding {
                ledger: self.ledger.clone(),
                sequence: self.checkpoint(),
                kind: Kind::ProjectionDiffers,
                detail: format!("{count} stored entries are not what the records lead to"),
            }),
            Err(error) => report.findings.push(unread(&self.ledger, &error)),
        }
    }
}

/// Why no program of ours made a decision by these rules after one by those: a log is never
/// written by an older program again.
const fn impossible(rules: u16, before: u16) -> Option<&'static str> {
    if rules > RULES_VERSION {
        Some("rules that this program does not know made it; audit it with a newer program")
    } else if rules < before {
        Some("older rules made it than an earlier record's")
    } else {
        None
    }
}
