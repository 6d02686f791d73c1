//! Subscribers see each account's versions gapless, in order and once, whatever dies.

#[path = "publishing/kills.rs"]
mod kills;

use tallyhook_tests::{
    home::{Home, SOURCE, Setup},
    nats::{Broker, Subscriber, gapless},
    paddle::Purchase,
    server::{Server, verify},
    wait,
};

const ACCOUNTS: u64 = 7;

/// Buys for accounts in turn; what is not acknowledged is sent again, so each counts once.
fn buy(server: &Server, number: u64) -> Option<()> {
    let account = format!("joe+{}@example.org", number % ACCOUNTS);
    let purchase = Purchase { number, account, cents: 100 };
    let answer = server.deliver(SOURCE, &purchase.delivery().unwrap()).ok()?;
    assert_eq!(answer.status, 200, "{}", answer.text());
    Some(())
}

/// Waits for all that the server knows, and checks it against the views.
fn check(server: &Server, subscribers: &[&Subscriber]) {
    let views = server.list("accounts", 500).unwrap();
    assert_eq!(views.len(), usize::try_from(ACCOUNTS).unwrap());
    let versions: u64 = views.iter().map(|view| view["version"].as_u64().unwrap()).sum();
    let expected = usize::try_from(versions).unwrap();
    for subscriber in subscribers {
        let what = format!("{expected} messages");
        let seen = subscriber.until(&what, |seen| seen.len() >= expected).unwrap();
        assert_eq!(seen.len(), expected);
        let last = gapless(&seen).unwrap();
        for view in &views {
            let change = last[view["account"].as_str().unwrap()].clone();
            assert_eq!(serde_json::to_value(change.data.into_view()).unwrap(), *view);
        }
    }
}

#[test]
fn a_late_subscriber_sees_everything_from_the_first_version() {
    let broker = Broker::start().unwrap();
    let home = Home::new(&Setup::with_nats(broker.url())).unwrap();
    let server = Server::start(&home).unwrap();
    let early = Subscriber::follow(&broker);
    for number in 0..100 {
        buy(&server, number).unwrap();
    }
    check(&server, &[&early]);
    let late = Subscriber::follow(&broker);
    check(&server, &[&early, &late]);
    for number in 100..120 {
        buy(&server, number).unwrap();
    }
    check(&server, &[&early, &late]);
}

#[test]
fn a_publisher_that_is_killed_neither_skips_nor_repeats() {
    let broker = Broker::start().unwrap();
    let home = Home::new(&Setup::with_nats(broker.url())).unwrap();
    let follower = Subscriber::follow(&broker);
    let mut number = 0;
    for kill in 0..10 {
        let server = Server::start(&home).unwrap();
        let before = follower.seen().len();
        // Kills at another point of publishing each time, sometimes before it began.
        let messages = kill * 3 % 10;
        for _ in 0..20 {
            buy(&server, number).unwrap();
            number += 1;
        }
        wait::until("messages before the kill", || {
            (follower.seen().len() >= before + messages).then_some(())
        })
        .unwrap();
        server.kill().unwrap();
    }
    let server = Server::start(&home).unwrap();
    let late = Subscriber::follow(&broker);
    check(&server, &[&follower, &late]);
    server.stop().unwrap();
    let report = verify(&home).unwrap();
    assert_eq!(report["ok"], true, "{report}");
}

#[test]
fn a_broker_that_is_killed_loses_and_repeats_nothing() {
    let mut broker = Broker::start().unwrap();
    let home = Home::new(&Setup::with_nats(broker.url())).unwrap();
    let server = Server::start(&home).unwrap();
    let follower = Subscriber::follow(&broker);
    let mut number = 0;
    for _ in 0..2 {
        for _ in 0..30 {
            buy(&server, number).unwrap();
            number += 1;
        }
        broker.kill().unwrap();
        // Webhooks are taken while nothing can be published.
        for _ in 0..30 {
            buy(&server, number).unwrap();
            number += 1;
        }
        wait::until("/readyz to say that the broker is away", || {
            server.get("/readyz").ok().filter(|answer| answer.status == 503).map(drop)
        })
        .unwrap();
        broker.restart().unwrap();
        server.ready().unwrap();
    }
    let late = Subscriber::follow(&broker);
    check(&server, &[&follower, &late]);
}

/// Without a broker, balance events wait in the log.
#[test]
fn what_was_recorded_before_there_was_a_broker_is_published_later() {
    let home = Home::new(&Setup::one()).unwrap();
    let server = Server::start(&home).unwrap();
    for number in 0..ACCOUNTS * 2 {
        buy(&server, number).unwrap();
    }
    server.stop().unwrap();
    let broker = Broker::start().unwrap();
    home.configure(&Setup::with_nats(broker.url())).unwrap();
    let server = Server::start(&home).unwrap();
    check(&server, &[&Subscriber::follow(&broker)]);
}
