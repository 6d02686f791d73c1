//! Subscriptions against a real nats-server: what is told, and what is known in the end, whatever
//! becomes of the connection, the broker and the stream.

#![expect(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "all of this binary is tests"
)]

#[expect(dead_code, reason = "the publisher's tests also pretend to be a server")]
#[path = "../../publisher/tests/server/mod.rs"]
mod server;

use std::{
    collections::BTreeMap,
    ops::RangeInclusive,
    sync::{Arc, Mutex},
    time::Duration,
};

use async_nats::{
    Client, HeaderMap,
    jetstream::{self, Context, stream::Config as StreamConfig},
};
use balance_events::{
    account_view::AccountView,
    envelope::{BalanceChange, Cause, Envelope, EventType},
    subject,
};
use server::Server;
use subscriber::{
    Accounts, Api, ApiFault, Changes, Filter, Kind, Page, Repaired, Standing, State, StreamFault,
    Subscriber, Subscription, Update,
};
use tokio::time::{sleep, timeout};

const STREAM: &str = "TALLYHOOK_BALANCES";

/// Long enough for anything here on a busy machine.
const PATIENCE: Duration = Duration::from_secs(60);

/// What publishes, and knows what an API would show.
struct Publisher {
    context: Context,
    api: Known,
    records: u64,
}

/// The current views, as an API shows them, a few in each page.
#[derive(Clone, Default)]
struct Known(Arc<Mutex<BTreeMap<(String, String), AccountView>>>);

impl Api for Known {
    async fn view(&self, ledger: &str, account: &str) -> Result<Option<AccountView>, ApiFault> {
        Ok(self.0.lock().unwrap().get(&(ledger.to_owned(), account.to_owned())).cloned())
    }

    async fn accounts(&self, ledger: &str, cursor: Option<&str>) -> Result<Page, ApiFault> {
        let cursor = cursor.unwrap_or_default();
        let known = self.0.lock().unwrap();
        let views = known.iter().filter(|((of, account), _)| of == ledger && &**account > cursor);
        let items: Vec<AccountView> = views.map(|(_, view)| view.clone()).take(3).collect();
        let next = (items.len() == 3).then(|| items[2].account.clone());
        Ok(Page { items, next })
    }
}

impl Publisher {
    /// Begins with an empty stream.
    async fn new(server: &Server) -> Self {
        let context = jetstream::new(connect(server).await);
        make_stream(&context).await;
        Self { context, api: Known::default(), records: 0 }
    }

    /// Records a change, without publishing it.
    fn record(&mut self, ledger: &str, account: &str) -> Envelope {
        self.records += 1;
        let mut known = self.api.0.lock().unwrap();
        let place = (ledger.to_owned(), account.to_owned());
        let version = known.get(&place).map_or(0, |view| view.version) + 1;
        let view = view(ledger, account, version, self.records);
        known.insert(place, view.clone());
        let cause = Cause::Command { id: "id".into(), order: "grant".into() };
        let change = BalanceChange::new(view, Vec::new(), cause);
        Envelope::new(EventType::BalanceChanged, "2026-07-03T00:00:00Z".into(), change)
    }

    /// Records and publishes a change.
    async fn change(&mut self, ledger: &str, account: &str) {
        let envelope = self.record(ledger, account);
        self.publish(&envelope).await;
    }

    async fn publish(&self, envelope: &Envelope) {
        let data = &envelope.data;
        let id = format!("{}/{}/{}", data.ledger, data.record, subject::token(&data.account));
        let mut headers = HeaderMap::new();
        headers.insert("Nats-Msg-Id", id);
        let sent_to = subject::subject(&data.ledger, &data.account);
        let body = envelope.to_json().unwrap().into();
        let sent = self.context.publish_with_headers(sent_to, headers, body).await.unwrap();
        sent.await.unwrap();
    }

    /// A change of each of these accounts in turn.
    async fn changes(&mut self, numbers: RangeInclusive<u64>) {
        for number in numbers {
            self.change("main", &format!("joe+{}@x", number % 5)).await;
        }
    }

    /// All that the API shows is known, and nothing else.
    fn check(&self, accounts: &Accounts) {
        let known = self.api.0.lock().unwrap();
        assert_eq!(accounts.len(), known.len());
        for ((ledger, account), view) in &*known {
            assert_eq!(accounts.view(ledger, account).as_deref(), Some(view));
        }
    }
}

fn view(ledger: &str, account: &str, version: u64, sequence: u64) -> AccountView {
    AccountView {
        ledger: ledger.into(),
        account: account.into(),
        status: "active".into(),
        can_spend: version % 2 == 1,
        checkout: "open".into(),
        available: version.to_string(),
        paid: version.to_string(),
        gift: "0".into(),
        held: "0".into(),
        owed: "0".into(),
        written_off: "0".into(),
        unit: "USD".into(),
        freezes: Vec::new(),
        version,
        sequence,
    }
}

async fn connect(server: &Server) -> Client {
    async_nats::connect(&server.url).await.unwrap()
}

async fn make_stream(context: &Context) {
    let config = StreamConfig {
        name: STREAM.to_owned(),
        subjects: vec!["tallyhook.balances.>".to_owned()],
        allow_direct: true,
        ..StreamConfig::default()
    };
    context.create_stream(config).await.unwrap();
}

async fn soon<T>(what: &str, future: impl Future<Output = T>) -> T {
    timeout(PATIENCE, future).await.unwrap_or_else(|_| panic!("never: {what}"))
}

/// Waits until an account has a version.
async fn version(accounts: &Accounts, ledger: &str, account: &str, version: u64) {
    soon(&format!("version {version} of {account}"), async {
        while accounts.view(ledger, account).is_none_or(|view| view.version < version) {
            sleep(Duration::from_millis(2)).await;
        }
    })
    .await;
}

async fn until(accounts: &Accounts, what: &str, is_so: impl FnMut(&Standing) -> bool) -> Standing {
    soon(what, accounts.until(is_so)).await.unwrap()
}

async fn caught_up(accounts: &Accounts) {
    soon("caught up", accounts.caught_up()).await.unwrap();
}

/// Subscribes to all, and has all there is.
async fn everything(server: &Server) -> (Subscription, Changes) {
    let subscriber = Subscriber::new(connect(server).await, Filter::all_ledgers());
    let (subscription, changes) = subscriber.start_with_changes();
    // There is no API to wait for.
    soon("reconciled", subscription.accounts().reconciled()).await.unwrap();
    (subscription, changes)
}

/// The next so many changes: account and version, with what was missed.
async fn next(changes: &mut Changes, count: usize) -> Vec<(String, u64, u64)> {
    let mut found = Vec::new();
    while found.len() < count {
        match soon("another change", changes.next()).await.unwrap() {
            Update::Change(change) => {
                let missed = match change.kind {
                    Kind::New | Kind::Next => 0,
                    Kind::Gap { missed } => missed,
                };
                found.push((change.envelope.data.account, change.envelope.data.version, missed));
            }
            Update::Repaired(Repaired { view, missed }) => {
                found.push((view.account.clone(), view.version, missed));
            }
            Update::Unreadable(message) => panic!("{message:?}"),
        }
    }
    found
}

/// Each account's versions follow one on the other.
fn check_gapless(changes: &[(String, u64, u64)]) {
    let mut last: BTreeMap<&str, u64> = BTreeMap::new();
    for (account, version, missed) in changes {
        let before = last.insert(account, *version).unwrap_or(version - 1);
        assert_eq!((*version, *missed), (before + 1, 0), "{account}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_empty_stream_is_complete_and_an_absent_one_is_not() {
    let server = Server::start().await;
    let client = connect(&server).await;
    let subscription = Subscriber::new(client.clone(), Filter::ledger("main").unwrap()).start();
    let accounts = subscription.accounts();
    let is_absent = |standing: &Standing| matches!(&standing.state, State::Away { fault, .. } if matches!(**fault, StreamFault::StreamAbsent));
    until(&accounts, "the stream is absent", is_absent).await;
    assert_eq!(accounts.stale_for(), None);

    make_stream(&jetstream::new(client)).await;
    caught_up(&accounts).await;
    assert_eq!(accounts.stale_for(), Some(Duration::ZERO));
    assert!(accounts.is_empty());
    assert_eq!(accounts.may_spend("main", "jo"), None);

    subscription.stop().await;
    assert!(matches!(accounts.standing().state, State::Ended { .. }));
    assert!(accounts.stale_for().unwrap() > Duration::ZERO);
    accounts.caught_up().await.unwrap_err();
}

#[tokio::test(flavor = "multi_thread")]
async fn one_that_joins_late_has_the_last_of_each_and_then_every_change() {
    let server = Server::start().await;
    let mut publisher = Publisher::new(&server).await;
    publisher.changes(1..=50).await;
    publisher.change("eu", "ü . *>").await;
    let (subscription, mut changes) = everything(&server).await;
    let accounts = subscription.accounts();
    caught_up(&accounts).await;
    publisher.check(&accounts);
    let state = next(&mut changes, 6).await;
    assert!(
        state
            .iter()
            .all(|(account, version, _)| *version == if account == "ü . *>" { 1 } else { 10 })
    );

    publisher.changes(51..=100).await;
    let told = next(&mut changes, 50).await;
    check_gapless(&told);
    publisher.check(&accounts);
    assert_eq!(accounts.may_spend("main", "joe+1@x"), Some(false));
    assert_eq!(accounts.ledgers(), ["eu", "main"]);
    assert_eq!(accounts.all("main").len(), 5);
    assert_eq!(accounts.standing().missed, 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_filter_keeps_others_out() {
    let server = Server::start().await;
    let mut publisher = Publisher::new(&server).await;
    for (ledger, account) in [("main", "jo"), ("main", "cus"), ("main-2", "jo"), ("eu", "jo")] {
        publisher.change(ledger, account).await;
    }
    let client = connect(&server).await;
    for (filter, count) in [
        (Filter::all_ledgers(), 4),
        (Filter::ledger("main").unwrap(), 2),
        (Filter::account("main", "jo").unwrap(), 1),
        (Filter::account("main", "nobody").unwrap(), 0),
    ] {
        let api = publisher.api.clone();
        let subscription = Subscriber::new(client.clone(), filter).repaired_by(api).start();
        let accounts = subscription.accounts();
        soon("reconciled", accounts.reconciled()).await.unwrap();
        assert_eq!(accounts.len(), count);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_foreign_message_is_reported_and_ends_nothing() {
    let server = Server::start().await;
    let mut publisher = Publisher::new(&server).await;
    let (subscription, mut changes) = everything(&server).await;
    publisher.change("main", "jo").await;
    let foreign = publisher.context.publish("tallyhook.balances.main.jo", "hello".into()).await;
    foreign.unwrap().await.unwrap();
    publisher.change("main", "jo").await;
    assert_eq!(next(&mut changes, 1).await, [("jo".to_owned(), 1, 0)]);
    let update = soon("a report", changes.next()).await.unwrap();
    let Update::Unreadable(message) = update else { panic!("{update:?}") };
    assert_eq!((&*message.subject, message.stream_sequence), ("tallyhook.balances.main.jo", 2));
    assert_eq!(next(&mut changes, 1).await, [("jo".to_owned(), 2, 0)]);
    let accounts = subscription.accounts();
    caught_up(&accounts).await;
    assert_eq!(accounts.standing().unreadable, 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_killed_broker_costs_no_change() {
    let mut server = Server::start().await;
    let mut publisher = Publisher::new(&server).await;
    let (subscription, mut changes) = everything(&server).await;
    let accounts = subscription.accounts();
    let mut told = Vec::new();
    for round in 0..3_u64 {
        publisher.changes(round * 40 + 1..=round * 40 + 20).await;
        server.kill();
        let is_away = |standing: &Standing| matches!(standing.state, State::Away { .. });
        until(&accounts, "away", is_away).await;
        assert!(accounts.stale_for().unwrap() > Duration::ZERO);
        server.restart().await;
        // Before the subscriber is back.
        let mut late = Publisher { context: jetstream::new(connect(&server).await), ..publisher };
        late.changes(round * 40 + 21..=round * 40 + 40).await;
        publisher = late;
        told.extend(next(&mut changes, 40).await);
        caught_up(&accounts).await;
        publisher.check(&accounts);
    }
    check_gapless(&told);
    assert_eq!(accounts.standing().missed, 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_consumer_that_is_gone_is_made_again() {
    let server = Server::start().await;
    let mut publisher = Publisher::new(&server).await;
    let (subscription, mut changes) = everything(&server).await;
    publisher.changes(1..=20).await;
    let mut told = next(&mut changes, 20).await;
    let stream = publisher.context.get_stream(STREAM).await.unwrap();
    let mut names = stream.consumer_names();
    while let Some(name) = futures_util::StreamExt::next(&mut names).await {
        stream.delete_consumer(&name.unwrap()).await.unwrap();
    }
    publisher.changes(21..=40).await;
    told.extend(next(&mut changes, 20).await);
    check_gapless(&told);
    publisher.check(&subscription.accounts());
}

/// `tallyhook republish` deletes the stream and publishes everything again: the same messages, at
/// other places where there are several ledgers, and perhaps more of them.
#[tokio::test(flavor = "multi_thread")]
async fn a_stream_that_was_made_again_is_read_again() {
    let server = Server::start().await;
    let mut publisher = Publisher::new(&server).await;
    let (subscription, mut changes) = everything(&server).await;
    let mut history = Vec::new();
    for (ledger, account) in [("main", "a"), ("main", "b"), ("eu", "c"), ("main", "a")] {
        history.push(publisher.record(ledger, account));
    }
    for envelope in &history {
        publisher.publish(envelope).await;
    }
    let told = next(&mut changes, 4).await;
    assert_eq!(told.last(), Some(&("a".to_owned(), 2, 0)));

    // The last place that was read holds another message, and what is new lies before it.
    history.insert(0, publisher.record("eu", "c"));
    history.insert(2, publisher.record("main", "new"));
    history.sort_by_key(|envelope| (envelope.data.ledger.clone(), envelope.data.record));
    publisher.context.delete_stream(STREAM).await.unwrap();
    make_stream(&publisher.context).await;
    for envelope in &history {
        publisher.publish(envelope).await;
    }
    let mut told = next(&mut changes, 2).await;
    told.sort();
    assert_eq!(told, [("c".to_owned(), 2, 0), ("new".to_owned(), 1, 0)]);
    publisher.check(&subscription.accounts());
    publisher.changes(1..=5).await;
    assert_eq!(next(&mut changes, 5).await.len(), 5);
    publisher.check(&subscription.accounts());
}

#[tokio::test(flavor = "multi_thread")]
async fn what_the_stream_lost_comes_from_the_api() {
    let mut server = Server::start().await;
    let mut publisher = Publisher::new(&server).await;
    publisher.changes(1..=20).await;
    let client = connect(&server).await;
    let filter = Filter::ledger("main").unwrap();
    let api = publisher.api.clone();
    let quick = Subscriber::new(client.clone(), filter.clone()).repaired_by(api.clone()).start();
    let (patient, mut changes) =
        Subscriber::new(client, filter).repaired_by(api).start_with_changes();
    for accounts in [quick.accounts(), patient.accounts()] {
        soon("reconciled", accounts.reconciled()).await.unwrap();
        publisher.check(&accounts);
    }
    assert_eq!(next(&mut changes, 5).await.len(), 5);

    // Changed while nobody looked, and taken out of the stream.
    server.kill();
    let lost = [publisher.record("main", "joe+1@x"), publisher.record("main", "new")];
    server.restart().await;
    drop(lost);
    for accounts in [quick.accounts(), patient.accounts()] {
        version(&accounts, "main", "new", 1).await;
        soon("reconciled", accounts.reconciled()).await.unwrap();
        publisher.check(&accounts);
        assert_eq!(accounts.standing().missed, 2);
    }
    let mut told = next(&mut changes, 2).await;
    told.sort();
    assert_eq!(told, [("joe+1@x".to_owned(), 5, 1), ("new".to_owned(), 1, 1)]);

    // A gap has the others looked up, too.
    publisher.context = jetstream::new(connect(&server).await);
    let lost = publisher.record("main", "joe+2@x");
    publisher.record("main", "joe+3@x");
    publisher.change("main", "joe+3@x").await;
    drop(lost);
    assert_eq!(next(&mut changes, 1).await, [("joe+3@x".to_owned(), 6, 1)]);
    for accounts in [quick.accounts(), patient.accounts()] {
        version(&accounts, "main", "joe+2@x", 5).await;
        publisher.check(&accounts);
    }
    assert_eq!(next(&mut changes, 1).await, [("joe+2@x".to_owned(), 5, 1)]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_slow_user_is_waited_for_and_the_views_say_so() {
    let count = u64::try_from(subscriber::CHANGES_WAITING_MAX).unwrap() + 500;
    let server = Server::start().await;
    let mut publisher = Publisher::new(&server).await;
    let (subscription, mut changes) = everything(&server).await;
    let accounts = subscription.accounts();
    caught_up(&accounts).await;
    publisher.changes(1..=count).await;
    let is_behind = |standing: &Standing| {
        standing.stale_for().is_some_and(|stale| stale > Duration::from_millis(500))
    };
    soon("behind", async {
        while !is_behind(&accounts.standing()) {
            sleep(Duration::from_millis(10)).await;
        }
    })
    .await;
    check_gapless(&next(&mut changes, usize::try_from(count).unwrap()).await);
    caught_up(&accounts).await;
    publisher.check(&accounts);

    drop(changes);
    publisher.changes(1..=count).await;
    version(&accounts, "main", "joe+0@x", publisher_version(&publisher, "joe+0@x")).await;
}

fn publisher_version(publisher: &Publisher, account: &str) -> u64 {
    publisher.api.0.lock().unwrap()[&("main".to_owned(), account.to_owned())].version
}
