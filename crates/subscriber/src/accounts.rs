//! The views, for those who read.

use std::{sync::Arc, time::Duration};

use balance_events::account_view::AccountView;
use tokio::sync::watch;

use crate::{
    standing::{Reconciliation, Standing, State},
    table::Table,
};

/// The current views of the accounts that are subscribed to.
///
/// Cheap to clone and to share. Reading takes a lock for a moment, never waits for I/O, and works on
/// when the broker is away: see [`Self::stale_for`].
#[derive(Clone)]
pub struct Accounts {
    shared: Arc<Shared>,
}

/// What the task that follows writes and others read.
pub(crate) struct Shared {
    pub(crate) table: Arc<Table>,
    pub(crate) standing: watch::Sender<Standing>,
    /// The number of the latest comparison with the API that was asked for.
    pub(crate) comparisons: watch::Sender<u64>,
}

/// The subscription was stopped, and nothing more will come.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the subscription has ended")]
pub struct Ended;

impl Accounts {
    pub(crate) const fn new(shared: Arc<Shared>) -> Self {
        Self { shared }
    }

    /// Whether the account may spend: its `can_spend`, as last known. `None` for an account that is
    /// not known.
    ///
    /// A gateway looks at [`Self::stale_for`] too.
    #[must_use]
    pub fn may_spend(&self, ledger: &str, account: &str) -> Option<bool> {
        self.shared.table.may_spend(ledger, account)
    }

    /// The account as last known; `None` for one that is not known.
    #[must_use]
    pub fn view(&self, ledger: &str, account: &str) -> Option<Arc<AccountView>> {
        self.shared.table.get(ledger, account)
    }

    /// The ledgers of which an account is known, by name.
    #[must_use]
    pub fn ledgers(&self) -> Vec<String> {
        self.shared.table.ledgers()
    }

    /// All known accounts of a ledger, by account. Takes long where there are many.
    #[must_use]
    pub fn all(&self, ledger: &str) -> Vec<Arc<AccountView>> {
        self.shared.table.all(ledger)
    }

    /// How many accounts are known.
    #[must_use]
    pub fn len(&self) -> usize {
        self.shared.table.len()
    }

    /// Whether no account is known.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// How long the views may have been behind the stream: zero while it is followed, `None`
    /// before all of it was ever there.
    ///
    /// A lost connection is seen within a fraction of a second, a broker that fell silent within
    /// two seconds; the time counts from the last sign of life.
    #[must_use]
    pub fn stale_for(&self) -> Option<Duration> {
        self.shared.standing.borrow().stale_for()
    }

    /// How the subscription stands.
    #[must_use]
    pub fn standing(&self) -> Standing {
        self.shared.standing.borrow().clone()
    }

    /// Waits until the subscription stands so.
    ///
    /// # Errors
    /// It ended, and didn't stand so.
    pub async fn until(&self, mut is_so: impl FnMut(&Standing) -> bool) -> Result<Standing, Ended> {
        let mut standing = self.shared.standing.subscribe();
        let found = standing
            .wait_for(|standing| is_so(standing) || matches!(standing.state, State::Ended { .. }));
        let found = found.await.map_err(|_| Ended)?.clone();
        if is_so(&found) { Ok(found) } else { Err(Ended) }
    }

    /// Waits until all that is in the stream is here; at once where the stream is empty.
    ///
    /// # Errors
    /// The subscription ended before.
    pub async fn caught_up(&self) -> Result<(), Ended> {
        self.until(Standing::is_caught_up).await.map(drop)
    }

    /// Waits until all that is in the stream is here and was compared with the API; without an API
    /// as [`Self::caught_up`].
    ///
    /// # Errors
    /// The subscription ended before.
    pub async fn reconciled(&self) -> Result<(), Ended> {
        self.until(Standing::is_reconciled).await.map(drop)
    }

    /// Has all accounts compared with the API, soon and in the background. Happens by itself
    /// whenever messages may have been lost; without an API nothing happens.
    pub fn reconcile(&self) {
        self.shared.compare();
    }
}

impl Shared {
    /// Asks for a comparison with the API.
    pub(crate) fn compare(&self) {
        self.standing.send_if_modified(|standing| match standing.reconciliation {
            Reconciliation::NoApi => false,
            Reconciliation::Due | Reconciliation::Done | Reconciliation::Failed(_) => {
                // Under the same lock as the standing: nobody sees one without the other.
                self.comparisons.send_modify(|number| *number = number.saturating_add(1));
                standing.reconciliation = Reconciliation::Due;
                true
            }
        });
    }

    /// Notes that the comparison of this number ended; a later one may be asked for already.
    pub(crate) fn compared(&self, number: u64) {
        self.standing.send_if_modified(|standing| {
            let is_latest = number > 0 && *self.comparisons.borrow() == number;
            if is_latest && !matches!(standing.reconciliation, Reconciliation::Done) {
                standing.reconciliation = Reconciliation::Done;
                return true;
            }
            false
        });
    }
}
