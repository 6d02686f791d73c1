//! The publisher against a real `nats-server`: every change once, in order, whatever is killed.
//!
//! Each test starts its own server on a free loopback port with a store of its own.

#![expect(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "all of this binary is tests"
)]

#[path = "../src/fixture.rs"]
#[expect(dead_code, reason = "unit tests use the rest")]
mod fixture;
mod server;

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use async_nats::jetstream::{self, consumer::pull::OrderedConfig, stream::Config as StreamConfig};
use balance_events::{envelope::Envelope, subject};
use domain::record::Record;
use event_store::{
    log::{Append, EventLog},
    memory::{MemoryLog, MemoryViews},
};
use fixture::{grant, ledger, moved, policy, purchase};
use futures_util::StreamExt as _;
use publisher::{
    access::Access,
    run::{Config, Publisher, RunError, forget},
    standing::{Standing, State},
};
use server::Server;
use tokio::{
    sync::watch,
    task::JoinHandle,
    time::{sleep, timeout},
};
use tokio_util::sync::CancellationToken;

const STREAM: &str = "TALLYHOOK_BALANCES";

/// Long enough for anything here on a busy machine.
const PATIENCE: Duration = Duration::from_secs(60);

/// A log with its views, and what wakes publishers.
struct Host {
    log: Arc<MemoryLog>,
    views: Arc<MemoryViews>,
    wake: watch::Sender<u64>,
}

/// A publisher that runs.
struct Running {
    standing: watch::Receiver<Standing>,
    stop: CancellationToken,
    task: JoinHandle<Result<(), RunError>>,
}

impl Host {
    fn new() -> Self {
        let (log, views) = (Arc::new(MemoryLog::new()), Arc::new(MemoryViews::new()));
        Self { log, views, wake: watch::Sender::new(0) }
    }

    /// A second host of the same log, with views of its own.
    fn rival(&self) -> Self {
        Self {
            log: self.log.clone(),
            views: Arc::new(MemoryViews::new()),
            wake: watch::Sender::new(0),
        }
    }

    fn append(&self, name: &str, records: impl IntoIterator<Item = Record>) {
        let appends = records.into_iter().map(|record| Append {
            ledger: ledger(name),
            record,
            body: Arc::from([]),
        });
        self.log.append(&appends.collect::<Vec<_>>()).unwrap();
        self.wake.send_modify(|count| *count += 1);
    }

    fn publish_to(&self, url: &str) -> Running {
        let config = Config { access: Access::of(url).unwrap(), replicas: 1 };
        let publisher = Publisher::new(config, self.log.clone(), self.views.clone());
        let (standing, stop) = (publisher.standing(), CancellationToken::new());
        let task = tokio::spawn(publisher.run(self.wake.subscribe(), stop.clone()));
        Running { standing, stop, task }
    }

    /// What must be in the stream: per ledger, record and account with the account's version.
    fn expected(&self) -> BTreeMap<String, Vec<(u64, String, u64)>> {
        let mut expected = BTreeMap::new();
        for name in self.log.ledgers().unwrap() {
            let mut versions: BTreeMap<String, u64> = BTreeMap::new();
            let messages: &mut Vec<_> = expected.entry(name.to_string()).or_default();
            for recorded in self.log.scan(&name, None, usize::MAX).unwrap() {
                for account in recorded.record().decision.accounts() {
                    let version = versions.entry(account.to_string()).or_default();
                    *version += 1;
                    let number = recorded.record().sequence.get();
                    messages.push((number, account.to_string(), *version));
                }
            }
        }
        expected
    }

    /// Reads the whole stream from its first message, as one who joins late, and compares.
    async fn check(&self, url: &str) {
        let expected = self.expected();
        let client = async_nats::connect(url).await.unwrap();
        let mut stream = jetstream::new(client).get_stream(STREAM).await.unwrap();
        let count: usize = expected.values().map(Vec::len).sum();
        assert_eq!(stream.info().await.unwrap().state.messages, u64::try_from(count).unwrap());
        let consumer = stream.create_consumer(OrderedConfig::default()).await.unwrap();
        let mut messages = consumer.messages().await.unwrap().take(count);
        let mut seen: BTreeMap<String, Vec<(u64, String, u64)>> = BTreeMap::new();
        while let Some(message) = timeout(PATIENCE, messages.next()).await.unwrap() {
            let message = message.unwrap();
            let data = Envelope::from_json(&message.payload).unwrap().data;
            assert_eq!(*message.subject, *subject::subject(&data.ledger, &data.account));
            let id = format!("{}/{}/{}", data.ledger, data.record, subject::token(&data.account));
            assert_eq!(message.headers.as_ref().unwrap().get("Nats-Msg-Id").unwrap().as_str(), id);
            let of_ledger = seen.entry(data.ledger).or_default();
            of_ledger.push((data.record, data.account, data.version));
        }
        assert!(seen == expected, "the stream differs from the log");
    }
}

impl Running {
    async fn until(&mut self, what: &str, is_so: impl FnMut(&Standing) -> bool) -> Standing {
        let standing = timeout(PATIENCE, self.standing.wait_for(is_so)).await;
        let standing = standing.unwrap_or_else(|_| panic!("never: {what}"));
        standing.unwrap().clone()
    }

    /// Waits until everything in the log is published.
    async fn until_done(&mut self, host: &Host) {
        let heads: Vec<_> = host.log.ledgers().unwrap();
        let heads: Vec<_> = heads
            .into_iter()
            .map(|name| (host.log.head(&name).map(|head| head.sequence), name))
            .collect();
        let is_done = |standing: &Standing| {
            let published = |name| standing.ledgers.get(name).and_then(|ledger| ledger.published);
            standing.state == State::Publishing
                && heads.iter().all(|(head, name)| published(name) == *head)
        };
        self.until("published all", is_done).await;
    }

    /// As a process that is told to end.
    async fn stop(self) {
        self.stop.cancel();
        timeout(PATIENCE, self.task).await.unwrap().unwrap().unwrap();
    }

    /// As a process that is killed.
    async fn kill(self) {
        self.task.abort();
        assert!(self.task.await.unwrap_err().is_cancelled());
    }
}

/// Records that change accounts with awkward names, one of which changes two and some none.
fn history(numbers: std::ops::RangeInclusive<u64>) -> impl Iterator<Item = Record> {
    numbers.map(|number| {
        let name =
            |n: u64| ["jo@x", "cus_1", "ü . *>", "cus_2", "=40"][usize::try_from(n % 5).unwrap()];
        match number % 10 {
            0 => policy(number, "USD"),
            1..=3 => purchase(number, name(number), "10.25"),
            4 => {
                let book = |id| fixture::book(id, domain::decision::Section::Gift);
                let between = moved(book(name(number)), book(name(number + 1)), "0.000000001");
                fixture::record(number, vec![], vec![between])
            }
            _ => grant(number, name(number / 7), "3"),
        }
    })
}

/// Pseudo-random numbers below `limit`, the same in every run.
struct Dice(u64);

impl Dice {
    fn below(&mut self, limit: u64) -> u64 {
        self.0 =
            self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % limit
    }
}

/// Creates the stream as the publisher does, but for a dedupe window of one second.
async fn create_stream(url: &str, change: impl FnOnce(&mut StreamConfig)) {
    let mut config = StreamConfig {
        name: STREAM.to_owned(),
        subjects: vec!["tallyhook.balances.>".to_owned()],
        duplicate_window: Duration::from_secs(1),
        allow_direct: true,
        allow_atomic_publish: true,
        ..StreamConfig::default()
    };
    change(&mut config);
    let client = async_nats::connect(url).await.unwrap();
    jetstream::new(client).create_stream(config).await.unwrap();
}

async fn delete_stream(url: &str) {
    let client = async_nats::connect(url).await.unwrap();
    jetstream::new(client).delete_stream(STREAM).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn every_change_is_published_once_and_in_order() {
    let (server, host) = (Server::start().await, Host::new());
    host.append("main", history(1..=1_500));
    host.append("other", history(1..=500));
    let mut running = host.publish_to(&server.url);
    running.until_done(&host).await;
    host.append("third", history(1..=10));
    for number in 1_501..=1_520 {
        host.append("main", history(number..=number));
        running.until_done(&host).await;
    }
    running.stop().await;
    host.check(&server.url).await;

    let mut again = host.publish_to(&server.url);
    again.until_done(&host).await;
    again.stop().await;
    host.check(&server.url).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_publisher_killed_anywhere_leaves_no_gap_and_no_double() {
    let (server, host, mut dice) = (Server::start().await, Host::new(), Dice(1));
    create_stream(&server.url, |_| {}).await;
    let mut number = 1;
    for round in 0..30_u32 {
        let running = host.publish_to(&server.url);
        for _ in 0..4 {
            let last = number + 16;
            host.append("main", history(number..=last.min(2_000)));
            number = last + 1;
            sleep(Duration::from_micros(dice.below(8_000))).await;
        }
        running.kill().await;
        if round % 10 == 0 {
            // Past the dedupe window.
            sleep(Duration::from_millis(1_100)).await;
        }
    }
    let mut running = host.publish_to(&server.url);
    running.until_done(&host).await;
    running.stop().await;
    host.check(&server.url).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_broker_killed_under_load_loses_and_repeats_nothing() {
    let (mut server, host, mut dice) = (Server::start().await, Host::new(), Dice(2));
    create_stream(&server.url, |_| {}).await;
    let mut running = host.publish_to(&server.url);
    let mut number = 1;
    for _ in 0..8 {
        for _ in 0..10 {
            host.append("main", history(number..=number + 9));
            number += 10;
            sleep(Duration::from_micros(dice.below(2_000))).await;
        }
        server.kill();
        host.append("main", history(number..=number + 9));
        number += 10;
        server.restart().await;
        running.until_done(&host).await;
    }
    running.stop().await;
    host.check(&server.url).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_broker_that_is_away_is_told_and_waited_for() {
    let (mut server, host) = (Server::start().await, Host::new());
    server.kill();
    host.append("main", history(1..=30));
    let mut running = host.publish_to(&server.url);
    let is_away = |standing: &Standing| {
        matches!(standing.state, State::BrokerAway { .. }) && standing.lag() == 30
    };
    running.until("the broker is away", is_away).await;
    server.restart().await;
    running.until_done(&host).await;
    assert_eq!(running.standing.borrow().lag(), 0);
    running.stop().await;
    host.check(&server.url).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn two_publishers_at_once_publish_once() {
    let (server, host) = (Server::start().await, Host::new());
    create_stream(&server.url, |_| {}).await;
    let rival = host.rival();
    let mut both = [host.publish_to(&server.url), rival.publish_to(&server.url)];
    for number in (1..=1_000).step_by(20) {
        host.append("main", history(number..=number + 19));
        rival.wake.send_modify(|count| *count += 1);
        sleep(Duration::from_millis(5)).await;
    }
    for running in &mut both {
        running.until_done(&host).await;
    }
    for running in both {
        running.stop().await;
    }
    host.check(&server.url).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_publisher_that_slept_past_the_dedupe_window_repeats_nothing() {
    let (server, host) = (Server::start().await, Host::new());
    create_stream(&server.url, |_| {}).await;
    host.append("main", history(1..=20));
    let sleeper = host.rival();
    let mut asleep = sleeper.publish_to(&server.url);
    asleep.until_done(&host).await;

    let mut awake = host.publish_to(&server.url);
    host.append("main", history(21..=40));
    awake.until_done(&host).await;
    sleep(Duration::from_millis(1_500)).await;
    sleeper.append("main", history(41..=60));
    asleep.until_done(&host).await;
    asleep.stop().await;
    awake.stop().await;
    host.check(&server.url).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stream_behind_the_checkpoint_stops_publishing_until_forgotten() {
    let (server, host) = (Server::start().await, Host::new());
    host.append("main", history(1..=99));
    let mut running = host.publish_to(&server.url);
    running.until_done(&host).await;
    running.stop().await;
    delete_stream(&server.url).await;

    let mut running = host.publish_to(&server.url);
    let is_behind = |standing: &Standing| matches!(standing.state, State::StreamBehind { .. });
    let standing = running.until("the stream is behind", is_behind).await;
    let (stream, acknowledged) = (None, Some(fixture::sequence(99)));
    let expected = State::StreamBehind { ledger: ledger("main"), stream, acknowledged };
    assert_eq!(standing.state, expected);
    running.stop().await;

    forget(&*host.views).unwrap();
    let mut running = host.publish_to(&server.url);
    running.until_done(&host).await;
    running.stop().await;
    host.check(&server.url).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_log_behind_the_stream_stops_publishing() {
    let (server, host, restored) = (Server::start().await, Host::new(), Host::new());
    host.append("main", history(1..=20));
    restored.append("main", history(1..=12));
    let mut running = host.publish_to(&server.url);
    running.until_done(&host).await;
    running.stop().await;

    let mut running = restored.publish_to(&server.url);
    let is_behind = |standing: &Standing| matches!(standing.state, State::LogBehind { .. });
    running.until("the log is behind", is_behind).await;
    running.stop().await;
    host.check(&server.url).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stream_that_could_lose_messages_is_refused() {
    let (server, host) = (Server::start().await, Host::new());
    create_stream(&server.url, |config| config.max_age = Duration::from_secs(3_600)).await;
    host.append("main", history(1..=3));
    let mut running = host.publish_to(&server.url);
    let names_it = |standing: &Standing| matches!(&standing.state, State::BrokerUnfit { reason } if reason.contains("a limit on age"));
    running.until("the stream is unfit", names_it).await;
    running.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_old_server_is_refused_by_its_version() {
    let host = Host::new();
    let mut running = host.publish_to(&server::pretend("2.9.10").await);
    let names_it = |standing: &Standing| {
        matches!(&standing.state, State::BrokerUnfit { reason }
            if reason.contains("2.9.10") && reason.contains("2.12"))
    };
    running.until("the server is too old", names_it).await;
    running.stop().await;
}
