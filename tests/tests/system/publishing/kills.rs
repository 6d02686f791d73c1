//! Servers and brokers are killed at random while webhooks arrive; each change is in the stream
//! once, in order, although the broker forgets within a second which ids it has seen.

use std::{
    sync::{
        Mutex,
        atomic::{AtomicBool, AtomicU64, Ordering::SeqCst},
    },
    thread,
    time::Duration,
};

use tallyhook_tests::{
    dice::Dice,
    environment,
    home::{Home, SOURCE, Setup},
    nats::{Broker, Subscriber, gapless},
    paddle::Purchase,
    server::{Server, verify},
    wait,
};

/// How many events there are unless the environment says otherwise.
const EVENTS: u64 = 6_000;

/// Among so many events the publisher's process is killed once, and the broker once.
const EVENTS_PER_KILL: u64 = 1_000;
const EVENTS_PER_BROKER_KILL: u64 = 5_000;

const CLIENTS: usize = 8;
const ACCOUNTS: u64 = 50;
const WINDOW: Duration = Duration::from_secs(1);

/// How long everything that waits may take to be published at the end.
const PATIENCE: Duration = Duration::from_secs(300);

/// Purchases in turn, each sent until it is acknowledged.
struct Load {
    /// Those that were sent and not acknowledged.
    open: Mutex<Vec<u64>>,
    next: AtomicU64,
    acknowledged: AtomicU64,
}

impl Load {
    fn new() -> Self {
        Self { open: Mutex::default(), next: AtomicU64::new(0), acknowledged: AtomicU64::new(0) }
    }

    /// Sends until so many were begun or the server is gone.
    fn send(&self, server: &Server, until: u64) {
        loop {
            let again = self.open.lock().unwrap().pop();
            let number = again.unwrap_or_else(|| self.next.fetch_add(1, SeqCst));
            if number >= until {
                self.next.fetch_min(until, SeqCst);
                return;
            }
            let account = format!("acct-{}", number % ACCOUNTS);
            let purchase = Purchase { number, account, cents: 100 };
            match server.deliver(SOURCE, &purchase.delivery().unwrap()) {
                Ok(answer) => {
                    assert_eq!(answer.status, 200, "{}", answer.text());
                    self.acknowledged.fetch_add(1, SeqCst);
                }
                Err(_) => {
                    self.open.lock().unwrap().push(number);
                    return;
                }
            }
        }
    }

    /// Sends from many clients at once.
    fn send_from_all(&self, server: &Server, until: u64) {
        thread::scope(|clients| {
            for _ in 0..CLIENTS {
                clients.spawn(|| self.send(server, until));
            }
        });
    }

    /// Sends from many clients at once, and kills the server when so many are acknowledged.
    fn send_and_kill(&self, server: Server, until: u64, kill_at: u64) {
        let ended = AtomicBool::new(false);
        thread::scope(|scope| {
            let killer = scope.spawn(|| {
                while !ended.load(SeqCst) && self.acknowledged.load(SeqCst) < kill_at {
                    thread::sleep(Duration::from_micros(200));
                }
                server.crash().unwrap();
            });
            self.send_from_all(&server, until);
            ended.store(true, SeqCst);
            killer.join().unwrap();
        });
        server.kill().unwrap();
    }
}

#[test]
fn servers_and_brokers_killed_at_random_leave_no_gap_and_no_double() {
    let events = environment::number("TALLYHOOK_EVENTS").unwrap_or(EVENTS);
    let mut dice = Dice::new(environment::number(environment::SEED).unwrap_or(0));
    let mut broker = Broker::start().unwrap();
    broker.make_stream(WINDOW).unwrap();
    let home = Home::new(&Setup::with_nats(broker.url())).unwrap();
    let follower = Subscriber::follow(&broker);
    let load = Load::new();
    let (mut kills, mut broker_kills) = (0, 0);
    for round in 1..=events / EVENTS_PER_KILL {
        let (until, before) = (round * EVENTS_PER_KILL, (round - 1) * EVENTS_PER_KILL);
        let server = Server::start(&home).unwrap();
        let kill_at =
            before + u64::try_from(dice.below(usize::try_from(EVENTS_PER_KILL).unwrap())).unwrap();
        if until % EVENTS_PER_BROKER_KILL == 0 {
            let pause = Duration::from_millis(u64::try_from(dice.below(300)).unwrap());
            thread::scope(|scope| {
                scope.spawn(|| load.send_and_kill(server, until, kill_at));
                thread::sleep(pause);
                broker.kill().unwrap();
                broker.restart().unwrap();
            });
            broker_kills += 1;
        } else {
            load.send_and_kill(server, until, kill_at);
        }
        kills += 1;
        // What the kill left open, and the rest of the round.
        let server = Server::start(&home).unwrap();
        load.send_from_all(&server, until);
        assert_eq!(load.acknowledged.load(SeqCst), until);
        server.kill().unwrap();
        kills += 1;
        if round % 10 == 0 {
            eprintln!("{until} of {events} events, {kills} kills, {broker_kills} of the broker");
        }
    }
    let server = Server::start(&home).unwrap();
    let views = server.list("accounts", 500).unwrap();
    let versions: u64 = views.iter().map(|view| view["version"].as_u64().unwrap()).sum();
    assert_eq!(versions, events, "a purchase changes one account once");
    let late = Subscriber::follow(&broker);
    for subscriber in [&follower, &late] {
        let seen = wait::within(PATIENCE, "all events", || {
            let seen = subscriber.seen();
            (u64::try_from(seen.len()).unwrap() >= events).then_some(seen)
        })
        .unwrap();
        assert_eq!(u64::try_from(seen.len()).unwrap(), events);
        let last = gapless(&seen).unwrap();
        for view in &views {
            let change = last[view["account"].as_str().unwrap()].clone();
            assert_eq!(serde_json::to_value(change.data.into_view()).unwrap(), *view);
        }
    }
    server.stop().unwrap();
    let report = verify(&home).unwrap();
    assert_eq!(report["ok"], true, "{report}");
    eprintln!(
        "{events} events, {kills} kills of the server, {broker_kills} of the broker: each change \
         once and in order"
    );
}
