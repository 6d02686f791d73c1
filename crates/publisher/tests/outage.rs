//! A broker that is away for six hours of the clock of tokio, which stands still while there is
//! something to do: how often it is asked meanwhile, and what is published when it is back.

#![expect(clippy::unwrap_used, reason = "all of this binary is tests")]

#[path = "../src/fixture.rs"]
#[expect(dead_code, reason = "unit tests use the rest")]
mod fixture;

use std::{
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, AtomicU64, Ordering::SeqCst},
    },
    time::Duration,
};

use domain::ids::LedgerId;
use event_store::{
    log::{Append, EventLog as _},
    memory::{MemoryLog, MemoryViews},
};
use fixture::{grant, ledger, policy};
use publisher::{
    broker::{Broker, BrokerFault, Message, Session, Stored},
    run::Publisher,
    standing::State,
    turn::Pace,
};
use tokio::{sync::watch, time::sleep};
use tokio_util::sync::CancellationToken;

const HOURS: u64 = 6;
const RECORDS: u64 = 100_000;
const ACCOUNTS: u64 = 1_000;

/// The longest time between two tries.
const TRY_SECONDS: u64 = 30;

/// A stream in memory, which can be away.
#[derive(Clone, Default)]
struct Stream(Arc<Shared>);

#[derive(Default)]
struct Shared {
    is_there: AtomicBool,
    tries: AtomicU64,
    /// The ids of its messages.
    ids: Mutex<Vec<String>>,
    /// The most messages of one batch.
    largest: AtomicU64,
}

impl Broker for Stream {
    type Session = Self;

    async fn open(&self) -> Result<Self, BrokerFault> {
        self.0.tries.fetch_add(1, SeqCst);
        if self.is_connected() {
            Ok(self.clone())
        } else {
            Err(BrokerFault::Away { doing: "connect", source: "nobody is there".into() })
        }
    }
}

impl Session for Stream {
    fn last_sequence(&self) -> u64 {
        u64::try_from(self.0.ids.lock().unwrap().len()).unwrap()
    }

    async fn last_of(&self, _: &LedgerId) -> Result<Option<Stored>, BrokerFault> {
        let id = self.0.ids.lock().unwrap().last().cloned();
        Ok(id.map(|id| Stored { sequence: self.last_sequence(), id: Some(id) }))
    }

    async fn publish(&mut self, after: u64, batch: &[Message]) -> Result<u64, BrokerFault> {
        assert_eq!(after, self.last_sequence());
        self.0.largest.fetch_max(u64::try_from(batch.len()).unwrap(), SeqCst);
        self.0.ids.lock().unwrap().extend(batch.iter().map(Message::id));
        Ok(self.last_sequence())
    }

    fn is_connected(&self) -> bool {
        self.0.is_there.load(SeqCst)
    }
}

#[tokio::test(start_paused = true)]
async fn after_six_hours_without_a_broker_everything_is_published_once_and_in_order() {
    let (log, stream) = (Arc::new(MemoryLog::new()), Stream::default());
    let wake = watch::Sender::new(0_u64);
    let append = |from: u64, to: u64| {
        let record = |number| match number {
            1 => policy(1, "USD"),
            _ => grant(number, &format!("acct-{}", number % ACCOUNTS), "1"),
        };
        let records = (from..to).map(|number| Append {
            ledger: ledger("main"),
            record: record(number),
            body: Arc::from([]),
        });
        log.append(&records.collect::<Vec<_>>()).unwrap();
        wake.send_modify(|count| *count += 1);
    };
    let views = Arc::new(MemoryViews::new());
    let publisher = Publisher::over(stream.clone(), log.clone(), views, Pace::STANDARD);
    let (mut standing, stop) = (publisher.standing(), CancellationToken::new());
    let task = tokio::spawn(publisher.run(wake.subscribe(), stop.clone()));

    let minutes = HOURS * 60;
    for minute in 0..minutes {
        append(1 + RECORDS * minute / minutes, 1 + RECORDS * (minute + 1) / minutes);
        sleep(Duration::from_secs(60)).await;
    }
    let now = standing.borrow().clone();
    assert!(matches!(now.state, State::BrokerAway { .. }), "{:?}", now.state);
    // Told at the last try, less than a minute ago.
    assert!(now.lag() > RECORDS - 2 * RECORDS / minutes, "{}", now.lag());
    let tries = stream.0.tries.load(SeqCst);
    let longest = HOURS * 3_600 / TRY_SECONDS;
    assert!((longest..=longest + 10).contains(&tries), "{tries} tries");

    stream.0.is_there.store(true, SeqCst);
    let is_done = |standing: &publisher::standing::Standing| {
        standing.state == State::Publishing && standing.lag() == 0
    };
    standing.wait_for(is_done).await.unwrap();
    stop.cancel();
    task.await.unwrap().unwrap();
    let ids = stream.0.ids.lock().unwrap();
    let expected = (2..=RECORDS).map(|number| format!("main/{number}/acct-{}", number % ACCOUNTS));
    assert!(ids.iter().cloned().eq(expected), "{} messages", ids.len());
    let bound = u64::try_from(Pace::STANDARD.batch_messages_max).unwrap();
    assert!(stream.0.largest.load(SeqCst) <= bound, "a batch has a limit");
}
