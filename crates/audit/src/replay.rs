//! Folding a log from its first byte into a store of its own, and holding the stored projections
//! against the result, account by account.

use std::{iter::Peekable, sync::Arc};

use domain::{
    account::View,
    ids::{AccountId, LedgerId, Sequence},
};
use event_store::{
    log::EventLog,
    views::{Change, ViewError, ViewStore},
};
use projectors::{
    fold::FoldError,
    projections::{Projections, StateError, stored_anywhere},
};

use crate::{compare, findings::told};

/// How many accounts are read at once.
const ACCOUNTS_AT_ONCE: usize = 1_024;

/// How many entries of any kind are copied at once.
const ENTRIES_AT_ONCE: usize = 1_024;

/// What a replay of a ledger led to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Replayed {
    /// The ledger.
    pub ledger: LedgerId,
    /// Its last record.
    pub sequence: Option<Sequence>,
    /// SHA-256 over all its projections: equal logs give equal digests.
    pub digest: String,
    /// How the stored projections stand to it.
    pub stored: Stored,
}

/// How stored projections stand to what the records lead to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Stored {
    /// There are none.
    Absent,
    /// An earlier program stored them in a form that is not read any more.
    Outdated,
    /// They can't be read.
    Unreadable(String),
    /// The log has no record of this ledger: it lost them.
    WithoutRecords,
    /// They were compared as of their own last record.
    Compared {
        /// That record.
        at: Sequence,
        /// How many accounts there are.
        accounts: u64,
        /// The accounts that differ, in the order of their ids.
        differing: Vec<Differing>,
        /// How many entries of any kind differ, accounts included.
        entries: u64,
    },
}

/// An account that is stored otherwise than the records lead to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Differing {
    /// The account.
    pub account: AccountId,
    /// As it is stored; none where it is not.
    pub stored: Option<View>,
    /// As the records lead to it; none where they do not.
    pub replayed: Option<View>,
}

impl Stored {
    /// Whether nothing stored contradicts the records: what was replayed may take its place.
    #[must_use]
    pub const fn agrees(&self) -> bool {
        match self {
            Self::Absent | Self::Outdated => true,
            Self::Unreadable(_) | Self::WithoutRecords => false,
            Self::Compared { differing, entries, .. } => differing.is_empty() && *entries == 0,
        }
    }
}

/// Folds all ledgers of a log into `into`, which must be empty, digests the result, and compares
/// what is `stored` with it.
///
/// # Errors
/// The log can't be read or contradicts itself, or the store that is folded into fails.
pub fn replay(
    log: &dyn EventLog,
    into: &Arc<dyn ViewStore>,
    stored: &Arc<dyn ViewStore>,
    mut progress: impl FnMut(&LedgerId, Sequence),
) -> Result<Vec<Replayed>, FoldError> {
    let projections = Projections::new(Arc::clone(into));
    let known = Projections::new(Arc::clone(stored));
    let mut replayed = Vec::new();
    for ledger in log.ledgers()? {
        let stored = match known.sequence(&ledger) {
            Ok(None) => Stored::Absent,
            Ok(Some(at)) => {
                projections.catch_up_to(log, &ledger, at, &mut progress)?;
                projections.checkpoint()?;
                let entries = compare::differing(&ledger, &**into, &**stored)?;
                match differing(&ledger, &known, &projections) {
                    Ok((accounts, differing)) => {
                        Stored::Compared { at, accounts, differing, entries }
                    }
                    Err(error) => Stored::Unreadable(told(&error)),
                }
            }
            Err(error) if compare::is_outdated(&error) => Stored::Outdated,
            Err(error) => Stored::Unreadable(told(&error)),
        };
        if let Some(head) = log.head(&ledger) {
            projections.catch_up_to(log, &ledger, head.sequence, &mut progress)?;
        }
        projections.checkpoint()?;
        let digest = hex::encode(compare::digest(&ledger, &**into)?);
        let sequence = projections.sequence(&ledger)?;
        replayed.push(Replayed { ledger, sequence, digest, stored });
    }
    for ledger in known.stored_ledgers()? {
        if log.head(&ledger).is_none() {
            let digest = hex::encode(compare::digest(&ledger, &**into)?);
            let stored = Stored::WithoutRecords;
            replayed.push(Replayed { ledger, sequence: None, digest, stored });
        }
    }
    Ok(replayed)
}

/// Copies what is no projection from one store of views to another: what the publisher and the
/// notary know besides, which no log leads to.
///
/// # Errors
/// A store fails.
pub fn carry_over(from: &dyn ViewStore, into: &dyn ViewStore) -> Result<(), ViewError> {
    let projections = stored_anywhere();
    let mut after: Option<Vec<u8>> = None;
    loop {
        let entries = from.scan(&[], after.as_deref(), ENTRIES_AT_ONCE)?;
        let Some((last, _)) = entries.last() else { return Ok(()) };
        after = Some(if last.starts_with(projections) {
            // Longer than any key of a projection, and behind all of them.
            [projections, &[0xff; 512]].concat()
        } else {
            last.clone()
        });
        let others = entries.into_iter().filter(|(key, _)| !key.starts_with(projections));
        into.write(&others.map(|(key, value)| (key, Some(value))).collect::<Vec<Change>>())?;
    }
}

/// How many accounts there are, and those that differ.
fn differing(
    ledger: &LedgerId,
    stored: &Projections,
    replayed: &Projections,
) -> Result<(u64, Vec<Differing>), StateError> {
    let mut stored = accounts(ledger, stored).peekable();
    let mut replayed = accounts(ledger, replayed).peekable();
    let (mut count, mut differing) = (0_u64, Vec::new());
    while let Some(account) = first(&mut stored, &mut replayed)? {
        let (stored, replayed) = (view_of(&mut stored, &account), view_of(&mut replayed, &account));
        count = count.saturating_add(1);
        if stored != replayed {
            differing.push(Differing { account, stored, replayed });
        }
    }
    Ok((count, differing))
}

/// An account with its view, or why it can't be read.
type Listed = Result<(AccountId, View), StateError>;

/// All accounts of a ledger in the order of their ids, to the first that can't be read.
fn accounts(ledger: &LedgerId, of: &Projections) -> impl Iterator<Item = Listed> {
    let mut after = None;
    let pages = std::iter::from_fn(move || {
        let page = of.accounts(ledger, after.as_ref(), ACCOUNTS_AT_ONCE);
        if let Ok(accounts) = &page {
            after = Some(accounts.last()?.0.clone());
        }
        Some(page)
    });
    pages.flat_map(|page| match page {
        Ok(accounts) => accounts.into_iter().map(Ok).collect::<Vec<_>>(),
        Err(error) => vec![Err(error)],
    })
}

/// The account that comes first in either list; none at the end of both.
fn first(
    one: &mut Peekable<impl Iterator<Item = Listed>>,
    other: &mut Peekable<impl Iterator<Item = Listed>>,
) -> Result<Option<AccountId>, StateError> {
    if let Some(Err(error)) = one.next_if(Result::is_err).or_else(|| other.next_if(Result::is_err))
    {
        return Err(error);
    }
    let account = |listed: &Listed| listed.as_ref().ok().map(|(account, _)| account.clone());
    let (one, other) = (one.peek().and_then(account), other.peek().and_then(account));
    Ok(one.into_iter().chain(other).min())
}

/// Takes an account out of a list where it comes next.
fn view_of(list: &mut Peekable<impl Iterator<Item = Listed>>, account: &AccountId) -> Option<View> {
    let next = list.next_if(|listed| listed.as_ref().is_ok_and(|(next, _)| next == account));
    next.and_then(Result::ok).map(|(_, view)| view)
}

#[cfg(test)]
mod tests;
