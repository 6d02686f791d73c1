//! The current views of all accounts.

use std::{collections::HashMap, sync::Arc};

use balance_events::account_view::AccountView;
use parking_lot::RwLock;

/// The newest view that is known of each account, by ledger and account.
///
/// Many read, one writes. One lock for all is enough: a reader holds it for two look-ups.
#[derive(Default)]
pub(crate) struct Table {
    ledgers: RwLock<HashMap<String, HashMap<String, Arc<AccountView>>>>,
}

/// What came of a view.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Taken {
    /// It was newer than the version that was known, if any.
    Newer { view: Arc<AccountView>, known: Option<u64> },
    /// It was not.
    Old,
}

impl Table {
    pub(crate) fn get(&self, ledger: &str, account: &str) -> Option<Arc<AccountView>> {
        self.ledgers.read().get(ledger)?.get(account).cloned()
    }

    pub(crate) fn may_spend(&self, ledger: &str, account: &str) -> Option<bool> {
        self.ledgers.read().get(ledger)?.get(account).map(|view| view.can_spend)
    }

    pub(crate) fn version(&self, ledger: &str, account: &str) -> Option<u64> {
        self.ledgers.read().get(ledger)?.get(account).map(|view| view.version)
    }

    /// Keeps a view if it is newer than the one that is known.
    pub(crate) fn take(&self, view: AccountView) -> Taken {
        let known = self.version(&view.ledger, &view.account);
        if known.is_some_and(|known| known >= view.version) {
            return Taken::Old;
        }
        let view = Arc::new(view);
        let mut ledgers = self.ledgers.write();
        let accounts = match ledgers.get_mut(&view.ledger) {
            Some(accounts) => accounts,
            None => ledgers.entry(view.ledger.clone()).or_default(),
        };
        match accounts.get_mut(&view.account) {
            Some(place) => *place = Arc::clone(&view),
            None => drop(accounts.insert(view.account.clone(), Arc::clone(&view))),
        }
        Taken::Newer { view, known }
    }

    pub(crate) fn len(&self) -> usize {
        self.ledgers.read().values().map(HashMap::len).sum()
    }

    pub(crate) fn ledgers(&self) -> Vec<String> {
        let mut names: Vec<String> = self.ledgers.read().keys().cloned().collect();
        names.sort_unstable();
        names
    }

    /// All views of a ledger, by account.
    pub(crate) fn all(&self, ledger: &str) -> Vec<Arc<AccountView>> {
        let ledgers = self.ledgers.read();
        let views = ledgers.get(ledger).into_iter().flat_map(HashMap::values);
        let mut views: Vec<_> = views.cloned().collect();
        drop(ledgers);
        views.sort_unstable_by(|one, other| one.account.cmp(&other.account));
        views
    }
}
