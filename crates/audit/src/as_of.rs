//! Accounts as of any cut, on both axes of time.
//!
//! Along the log, a view of the past is the fold of the records until then. By when things happened
//! at the provider, it is the fold of the records that count, in the order in which they happened
//! and, within one moment, in the log's: so balances are sums, whose order does not matter, and of
//! what froze or closed an account the last that happened holds. A balance may be below zero there,
//! since usage that came before a late purchase counts from when it was recorded.

use std::collections::BTreeMap;

use domain::{
    account::View,
    apply::fold_standing,
    decision::Effect,
    ids::{AccountId, LedgerId, Sequence},
    record::Record,
    time::Timestamp,
};
use event_store::log::{EventLog, ReadError};

use crate::{
    cut::{Cut, Provenance, happened_at},
    history,
    pass::pass,
    sums::Sums,
};

/// Why there is no view of the past.
#[derive(Debug, thiserror::Error)]
pub enum AsOfError {
    /// The log can't be read.
    #[error(transparent)]
    Read(#[from] ReadError),
    /// The account has more records than the caller wants folded.
    #[error("account {account:?} has more than {records_max} records until then")]
    TooManyRecords {
        /// Whose.
        account: AccountId,
        /// How many the caller allows.
        records_max: u64,
    },
    /// A sum of the records that count is no balance that a ledger can have.
    #[error("the balance of account {account:?} is out of range: some of what it had comes later")]
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
    if past.version == 0 { Ok(None) } else { past.view(account).map(Some) }
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
            past.take(account, recorded.record(), cut);
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
            all.entry(account.clone()).or_insert(Past::NEW).take(&account, record, cut);
        }
        Ok(())
    })?;
    let views = all.into_iter().map(|(account, past)| {
        let view = past.view(&account)?;
        Ok((account, view))
    });
    Ok((provenance, views.collect::<Result<_, AsOfError>>()?))
}

/// Where a record stands in the order of a fold.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Place {
    /// When it happened; none along the log.
    happened: Option<Timestamp>,
    sequence: Sequence,
}

impl Place {
    fn of(record: &Record, cut: &Cut) -> Self {
        let happened = cut.happened.map(|_| happened_at(record));
        Self { happened, sequence: record.sequence }
    }
}

/// What is kept of an account's records, in whatever order they come.
#[derive(Clone, Debug)]
struct Past {
    sums: Sums,
    /// What changed its standing, which has an order.
    standing: Vec<(Place, Effect)>,
    version: u64,
    last: Option<Place>,
}

impl Past {
    const NEW: Self = Self { sums: Sums::ZERO, standing: Vec::new(), version: 0, last: None };

    fn take(&mut self, account: &AccountId, record: &Record, cut: &Cut) {
        let place = Place::of(record, cut);
        self.sums = self.sums.plus(&Sums::moved(account, &record.decision.transfers));
        let effects = record.decision.effects.iter();
        let own = effects.filter(|effect| effect.account() == Some(account));
        self.standing.extend(own.map(|effect| (place, effect.clone())));
        self.version = self.version.saturating_add(1);
        self.last = self.last.max(Some(place));
    }

    fn view(mut self, account: &AccountId) -> Result<View, AsOfError> {
        // Stable: the effects of one record keep their order.
        self.standing.sort_by_key(|(place, _)| *place);
        let mut view = View::NEW;
        for (_, effect) in &self.standing {
            fold_standing(&mut view, account, effect);
        }
        let out_of_range = || AsOfError::OutOfRange { account: account.clone() };
        view.books = self.sums.books().ok_or_else(out_of_range)?;
        view.books.available().map_err(|_| out_of_range())?;
        view.version = self.version;
        view.sequence = self.last.map(|place| place.sequence);
        Ok(view)
    }
}
