//! The log of a stopped server, for commands that need no server.

use std::{path::Path, sync::Arc};

use audit::{
    as_of::{self, AsOfError},
    cut::Cut,
};
use balance_events::account_view::AccountView;
use domain::{
    credits::CreditOverflow,
    ids::{AccountId, LedgerId, Sequence},
};
use event_store::{
    log::EventLog,
    memory::MemoryViews,
    sled::{OpenError, Options, SledStore},
    views::ViewStore,
};
use projectors::{
    fold::FoldError,
    projections::{Projections, StateError},
};
use publisher::convert::account_view;

/// An open store whose server is stopped.
pub struct Offline {
    /// The store itself.
    pub store: SledStore,
    /// The log.
    pub log: Arc<dyn EventLog>,
    /// The state of the stored views: that of the last checkpoint.
    pub stored: Projections,
}

/// Why an account can't be shown.
#[derive(Debug, thiserror::Error)]
pub enum ShowError {
    /// The state can't follow the log.
    #[error("bring the state up to the log's end")]
    Fold(#[from] FoldError),
    /// The state can't be read.
    #[error(transparent)]
    State(#[from] StateError),
    /// The past can't be folded.
    #[error("fold the account's records until then")]
    AsOf(#[from] AsOfError),
    /// A balance is out of range.
    #[error(transparent)]
    Overflow(#[from] CreditOverflow),
}

impl Offline {
    /// Opens the store of a stopped server.
    ///
    /// # Errors
    /// The server still runs, or the store can't be opened.
    pub fn open(data: &Path) -> Result<Self, OpenError> {
        let store = SledStore::open(data, Options::STANDARD)?;
        let (log, stored) = (store.log(), Projections::new(store.views()));
        Ok(Self { store, log, stored })
    }

    /// An account at a cut; none where there was no such account.
    ///
    /// # Errors
    /// The state can't follow the log, the log can't be read, or a balance is out of range.
    pub fn account(
        &self,
        ledger: &LedgerId,
        account: &AccountId,
        cut: &Cut,
    ) -> Result<Option<AccountView>, ShowError> {
        self.stored.catch_up(&*self.log, |_, _: Sequence| {})?;
        let view = if *cut == Cut::END {
            self.stored.account(ledger, account)?
        } else {
            as_of::account(&*self.log, ledger, account, cut, u64::MAX)?
        };
        let Some(view) = view else { return Ok(None) };
        let book = self.stored.book(ledger)?;
        let unit = book.timeline.versions().first().map_or("", |policy| policy.unit.as_str());
        Ok(Some(account_view(ledger, account, unit, &view)?))
    }
}

/// An empty store of views in memory.
#[must_use]
pub fn empty_views() -> Arc<dyn ViewStore> {
    Arc::new(MemoryViews::new())
}
