//! Checking a log: its stored values, the fold, the stored projections, the signatures, and every
//! decision again.
//!
//! Three threads share the work: one checks the stored values, one reads records ahead with what
//! their raw bytes say today, one folds and decides. What they find is the same in any case, and is
//! told in the order of the log.

pub(crate) mod again;
mod check;
mod reading;

use std::{
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering::Relaxed},
    },
    thread::scope,
};

use domain::ids::{LedgerId, Sequence};
use event_store::{
    log::{EventLog, ReadError},
    sled::SledStore,
    verify::verify as stored_values,
    views::{ViewError, ViewStore},
};
use ingestion::secret::Secret;
use projectors::{
    fold::FoldError,
    projections::{Projections, StateError},
};

use self::{
    check::{Check, Compared},
    reading::read_ahead,
};
use crate::{
    compare::is_outdated,
    findings::{Finding, Kind, Report, told},
};

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

/// Checks a store at every depth: its stored values, then the fold, the signatures by these secrets,
/// and the decisions.
///
/// `progress` is told how many records were looked at and how many looks there will be: two at
/// each record.
///
/// # Errors
/// The store can't be read at all.
pub fn verify_store(
    store: &SledStore,
    secrets: &[Secret],
    mut progress: impl FnMut(u64, u64),
) -> Result<Report, AuditError> {
    let (log, views) = (store.log(), store.views());
    let looked = AtomicU64::new(0);
    let (stored, report) = scope(|scope| {
        let stored = scope.spawn(|| values(store, &looked));
        let state = Projections::new(Arc::clone(&views));
        let total = records(&*log)?.saturating_mul(2);
        let report = verify(&*log, &*views, &state, secrets, |folded| {
            progress(folded.saturating_add(looked.load(Relaxed)), total);
        });
        let stored = stored.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic));
        Ok::<_, AuditError>((stored?, report?))
    })?;
    Ok(Report { findings: stored.into_iter().chain(report.findings).collect(), ..report })
}

/// How many records all ledgers have.
fn records(log: &dyn EventLog) -> Result<u64, ReadError> {
    let heads = log.ledgers()?.into_iter().filter_map(|ledger| log.head(&ledger));
    Ok(heads.map(|head| head.sequence.get()).sum())
}

/// What is wrong with the stored values of all ledgers.
fn values(store: &SledStore, looked: &AtomicU64) -> Result<Vec<Finding>, ReadError> {
    let mut findings = Vec::new();
    for ledger in store.log().ledgers()? {
        let before = looked.load(Relaxed);
        let found = stored_values(store, &ledger, &mut |at| {
            looked.store(before.saturating_add(at.get()), Relaxed);
        })?;
        findings.extend(found.into_iter().map(|finding| Finding {
            ledger: ledger.clone(),
            sequence: finding.sequence,
            kind: Kind::Stored(finding.kind),
            detail: finding.detail,
        }));
    }
    Ok(findings)
}

/// Folds every ledger of a log from its first record, checks the signatures by these secrets,
/// decides each record again, and compares the result with the stored projections as of their
/// checkpoint.
///
/// `progress` is told how many records were folded. What can't be read or contradicts the state is
/// a finding, and ends the check of that ledger; the stored values themselves are checked by the
/// store.
///
/// # Errors
/// The stores can't be read at all.
pub fn verify(
    log: &dyn EventLog,
    stored: &dyn ViewStore,
    stored_state: &Projections,
    secrets: &[Secret],
    mut progress: impl FnMut(u64),
) -> Result<Report, AuditError> {
    let mut report = Report::empty();
    let ledgers = log.ledgers()?;
    report.findings.extend(without_records(stored_state, &ledgers)?);
    for ledger in ledgers {
        let compared = compared(stored_state, &ledger, &mut report);
        let (mut check, before) = (Check::new(stored, ledger.clone(), compared), report.records);
        let ran = scope(|scope| {
            let chunks = read_ahead(scope, log, ledger.clone(), secrets);
            check.run(chunks, &mut report, |at| progress(before.saturating_add(at)))
        });
        let next = check.next();
        report.findings.extend(ran.err().map(|error| ended(ledger, next, error)).transpose()?);
    }
    Ok(report)
}

/// As of which record the stored projections of a ledger are compared. Views are derived: what
/// can't be read of them is a finding, and the log is checked; what an earlier program stored in
/// another form is no fault of anybody.
fn compared(stored_state: &Projections, ledger: &LedgerId, report: &mut Report) -> Compared {
    match stored_state.sequence(ledger) {
        Ok(sequence) => Compared::AsOf(sequence),
        Err(error) if is_outdated(&error) => {
            let detail = "an earlier program stored them in another form; they were not compared, \
                          and a start or `audit replay --swap` makes them anew";
            let (ledger, sequence) = (ledger.clone(), None);
            let (kind, detail) = (Kind::ProjectionDiffers, detail.to_owned());
            report.differences.push(Finding { ledger, sequence, kind, detail });
            Compared::Not
        }
        Err(error) => {
            report.findings.push(unread(ledger, &error));
            Compared::Not
        }
    }
}

/// What ended the check of a ledger before its end, as a finding.
fn ended(
    ledger: LedgerId,
    next: Option<Sequence>,
    error: FoldError,
) -> Result<Finding, AuditError> {
    let (sequence, kind, detail) = match error {
        FoldError::Log(ReadError::Damaged { place, detail, .. }) => {
            (next, Kind::Damaged, format!("{place}: {detail}"))
        }
        FoldError::Log(error) => return Err(error.into()),
        FoldError::State(error) => return Err(error.into()),
        FoldError::Views(error) => return Err(error.into()),
        FoldError::Contradiction(contradiction) => {
            (Some(contradiction.sequence), Kind::Contradiction, contradiction.what.to_owned())
        }
        FoldError::Ahead { state, .. } => {
            let detail = "the stored projections are ahead of the log".to_owned();
            (Some(state), Kind::ProjectionDiffers, detail)
        }
    };
    Ok(Finding { ledger, sequence, kind, detail })
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
    let (ledger, detail) = (ledger.clone(), told(error));
    Finding { ledger, sequence: None, kind: Kind::ProjectionDiffers, detail }
}

#[cfg(test)]
pub(crate) mod tests;
