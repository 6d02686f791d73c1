//! Views of the API that are newer than ours, while their messages may still be on their way.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use balance_events::account_view::AccountView;

/// Views by ledger, then by record and account: the stream passes them in this order.
#[derive(Default)]
pub(crate) struct Suspects {
    ledgers: HashMap<String, BTreeMap<(u64, String), AccountView>>,
}

impl Suspects {
    pub(crate) fn add(&mut self, view: AccountView) {
        let place = (view.sequence, view.account.clone());
        self.ledgers.entry(view.ledger.clone()).or_default().insert(place, view);
    }

    /// Takes those of records before this one.
    pub(crate) fn before(&mut self, ledger: &str, record: u64) -> Vec<AccountView> {
        let Some(views) = self.ledgers.get_mut(ledger) else { return Vec::new() };
        let later = views.split_off(&(record, String::new()));
        let before = std::mem::replace(views, later);
        if views.is_empty() {
            self.ledgers.remove(ledger);
        }
        before.into_values().collect()
    }

    /// Takes all of a ledger.
    pub(crate) fn of(&mut self, ledger: &str) -> Vec<AccountView> {
        self.ledgers.remove(ledger).into_iter().flat_map(BTreeMap::into_values).collect()
    }

    /// The ledgers that have some.
    pub(crate) fn ledgers(&self) -> BTreeSet<String> {
        self.ledgers.keys().cloned().collect()
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.ledgers.is_empty()
    }
}
