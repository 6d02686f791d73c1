//! A subscription: how it is made, and what owns it.

use std::{sync::Arc, time::Instant};

use tokio::{
    sync::{mpsc, watch},
    task::JoinHandle,
};

use crate::{
    accounts::{Accounts, Shared},
    api::{Api, NoApi},
    change::{Changes, Update},
    filter::Filter,
    fold::{Fold, Repair},
    follow::Follower,
    nats::{Client, Nats},
    reconcile::Reconciler,
    standing::{Reconciliation, Standing},
    table::Table,
};

/// How many updates wait for a slow user of [`Changes`] before the subscription waits.
pub const CHANGES_WAITING_MAX: usize = 1_024;

/// How many pages of the API wait to be compared.
const PAGES_WAITING_MAX: usize = 1;

/// What is to be subscribed to.
///
/// The client is connected by its user, who decides about TLS, credentials and addresses. Leave its
/// reconnects unlimited, as they are by default: a client that gave up never comes back.
pub struct Subscriber<A = NoApi> {
    client: Client,
    filter: Filter,
    api: Option<A>,
}

/// A subscription that runs; it ends when this is dropped.
///
/// What its [`Accounts`] show after that is as old as the end.
#[must_use = "the subscription ends when this is dropped"]
pub struct Subscription {
    accounts: Accounts,
    tasks: [Option<JoinHandle<()>>; 2],
}

impl Subscriber {
    /// Subscribes to these accounts, without repairs.
    #[must_use]
    pub const fn new(client: Client, filter: Filter) -> Self {
        Self { client, filter, api: None }
    }
}

impl<A: Api> Subscriber<A> {
    /// Looks views up in the API when the stream may have lost some.
    #[must_use]
    pub fn repaired_by<B: Api>(self, api: B) -> Subscriber<B> {
        let Self { client, filter, api: _ } = self;
        Subscriber { client, filter, api: Some(api) }
    }

    /// Begins to follow, for who needs the current views.
    ///
    /// # Panics
    /// Outside of a tokio runtime.
    pub fn start(self) -> Subscription {
        self.begin(Repair::AtOnce, None)
    }

    /// Begins to follow, for who needs every change too.
    ///
    /// Views that only the API knows are taken once their messages can't come any more, so that no
    /// change is passed over which the stream still has. In a ledger where nothing else happens
    /// that takes some seconds.
    ///
    /// # Panics
    /// Outside of a tokio runtime.
    pub fn start_with_changes(self) -> (Subscription, Changes) {
        let (sender, receiver) = mpsc::channel(CHANGES_WAITING_MAX);
        (self.begin(Repair::OnceLost, Some(sender)), Changes::new(receiver))
    }

    fn begin(self, repair: Repair, changes: Option<mpsc::Sender<Update>>) -> Subscription {
        let Self { client, filter, api } = self;
        let table = Arc::new(Table::default());
        let reconciliation =
            if api.is_some() { Reconciliation::Due } else { Reconciliation::NoApi };
        let shared = Arc::new(Shared {
            table: Arc::clone(&table),
            standing: watch::Sender::new(Standing::new(Instant::now(), reconciliation)),
            comparisons: watch::Sender::new(0),
        });
        let (sender, compared) = mpsc::channel(PAGES_WAITING_MAX);
        let follower = Follower {
            broker: Nats::new(client, filter.subjects()),
            fold: Fold::new(table, repair),
            shared: Arc::clone(&shared),
            compared,
            changes,
            place: None,
            compared_last: 0,
        };
        let reconciler = api.map(|api| {
            let shared = Arc::clone(&shared);
            let reconciler = Reconciler { api, filter, shared, compared: sender };
            tokio::spawn(reconciler.run())
        });
        let follower = tokio::spawn(follower.run());
        Subscription { accounts: Accounts::new(shared), tasks: [Some(follower), reconciler] }
    }
}

impl Subscription {
    /// The current views, for anyone to read.
    #[must_use]
    pub fn accounts(&self) -> Accounts {
        self.accounts.clone()
    }

    /// Ends the subscription and waits until its tasks are gone.
    pub async fn stop(mut self) {
        for task in self.tasks.iter_mut().filter_map(Option::take) {
            task.abort();
            // It was told to end; how it did is of no interest.
            drop(task.await);
        }
    }
}

impl Drop for Subscription {
    fn drop(&mut self) {
        self.tasks.iter().flatten().for_each(JoinHandle::abort);
    }
}
