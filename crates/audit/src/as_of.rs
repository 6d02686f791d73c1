//! Accounts as of any cut, on both axes of time.
//!
//! A view of the past is the fold of the records that count, in the log's order, whichever axis cuts:
//! so a cut that leaves nothing out is the present. What a record says of an account's standing is
//! said of all that was known then, so of two that contradict each other the one that was recorded
//! last holds, also where it happened earlier. A balance may be below zero by a cut of what had
//! happened, since usage that came before a late purchase counts from when it was recorded.

use std::collections::BTreeMap;

use domain::{
    account::View,
    apply::fold_standing,
    ids::{AccountId, LedgerId},
    record::Record,
};
use event_store::log::{EventLog, ReadError};

use crate::{
    cut::{Cut, Provenance},
    history,
    pass::pass,
    sums::Sums,
};

/// Why there is no view of the past. The texts name no account, since they go to the server's log.
#[derive(Debug, thiserror::Error)]
pub enum AsOfError {
    /// The log can't be read.
    #[error(transparent)]
    Read(#[from] ReadError),
    /// The account has more records than the caller wants folded.
    #[error("the account has more than {records_max} records until then")]
    TooManyRecords {
        /// Whose.
        account: AccountId,
        /// How many the caller allows.
        records_max: u64,
    },
    /// A sum of the records that count is no balance that a ledger can have.
    #[error("the balance of an account is out of range: some of what it had comes later")]
    OutOfRange {
        /// Whose.
        account: AccountId,
    },
}

/// An account at a cut; none where no record that counts changes it.
///
/// # Errors
/// The log can't be read, the account has more than `records_max` records, or a sum leaves the range
/// of balances, which only a cut by when things happened can do.
pub fn account(
    log: &dyn EventLog,
    ledger: &LedgerId,
    account: &AccountId,
    cut: &Cut,
    records_max: u64,
) -> Result<Option<View>, AsOfError> {
    let past = past(log, ledger, account, cut, records_max)?;
    if past.view.version == 0 { Ok(None) } else { past.view(account).map(Some) }
}

/// An account's sums at a cut, which have no range to leave.
///
/// # Errors
/// The log can't be read.
pub fn sums(
    log: &dyn EventLog,
    ledger: &LedgerId,
    account: &AccountId,
    cut: &Cut,
) -> Result<Sums, AsOfError> {
    past(log, ledger, account, cut, u64::MAX).map(|past| past.sums)
}

fn past(
    log: &dyn EventLog,
    ledger: &LedgerId,
    account: &AccountId,
    cut: &Cut,
    records_max: u64,
) -> Result<Past, AsOfError> {
    let (mut past, mut read) = (Past::NEW, 0_u64);
    history::each(log, ledger, account, cut, |recorded| {
        read = read.saturating_add(1);
        if read > records_max {
            return Err(AsOfError::TooManyRecords { account: account.clone(), records_max });
        }
        if cut.counts(recorded.record()) {
            past.take(account, recorded.record());
        }
        Ok(())
    })?;
    Ok(past)
}

/// All accounts at a cut, by one pass over the log.
///
/// # Errors
/// As [`account`].
pub fn accounts(
    log: &dyn EventLog,
    ledger: &LedgerId,
    cut: &Cut,
    progress: impl FnMut(u64, u64),
) -> Result<(Provenance, BTreeMap<AccountId, View>), AsOfError> {
    let mut all: BTreeMap<AccountId, Past> = BTreeMap::new();
    let provenance = pass(log, ledger, cut, progress, |recorded, _| {
        let record = recorded.record();
        if !cut.counts(record) {
            return Ok::<(), AsOfError>(());
        }
        for account in record.decision.accounts() {
            all.entry(account.clone()).or_insert(Past::NEW).take(&account, record);
        }
        Ok(())
    })?;
    let views = all.into_iter().map(|(account, past)| {
        let view = past.view(&account)?;
        Ok((account, view))
    });
    Ok((provenance, views.collect::<Result<_, AsOfError>>()?))
}

/// What an account's records add up to, taken in the log's order.
#[derive(Clone, Debug)]
struct Past {
    sums: Sums,
    /// Its standing, version and last record; the sums are its balance.
    view: View,
}

impl Past {
    const NEW: Self = Self { sums: Sums::ZERO, view: View::NEW };

    fn take(&mut self, account: &AccountId, record: &Record) {
        self.sums = self.sums.plus(&Sums::moved(account, &record.decision.transfers));
        for effect in &record.decision.effects {
            fold_standing(&mut self.view, account, effect);
        }
        self.view.version = self.view.version.saturating_add(1);
        self.view.sequence = Some(record.sequence);
    }

    fn view(mut self, account: &AccountId) -> Result<View, AsOfError> {
        let out_of_range = || AsOfError::OutOfRange { account: account.clone() };
        self.view.books = self.sums.books().ok_or_else(out_of_range)?;
        self.view.books.available().map_err(|_| out_of_range())?;
        Ok(self.view)
    }
}
