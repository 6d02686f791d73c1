//! `tallyhook republish` against a real broker: what `/readyz` says is wrong is mended, and the
//! stream then has every change once and in order.

use std::{fs, path::Path, time::Duration};

use serde_json::{Value, json};
use tallyhook_tests::{
    home::{CONFIG, Home, SOURCE, Setup},
    nats::{
        Broker, Subscriber, gapless,
        session::{Session, Who},
    },
    paddle::Purchase,
    server::{Server, run},
    wait,
};

const ACCOUNTS: u64 = 3;

fn buy(server: &Server, numbers: std::ops::Range<u64>) {
    for number in numbers {
        let account = format!("joe+{}@example.org", number % ACCOUNTS);
        let purchase = Purchase { number, account, cents: 100 };
        let answer = server.deliver(SOURCE, &purchase.delivery().unwrap()).unwrap();
        assert_eq!(answer.status, 200, "{}", answer.text());
    }
}

fn operator(broker: &Broker) -> Session {
    Session::open(&[broker.url().to_owned()], &Who::default()).unwrap()
}

/// Runs `republish`; its exit code and what it printed.
fn republish(home: &Home, more: &[&str]) -> (i32, Value) {
    let all = [&["republish", "--config", CONFIG, "--json"], more].concat();
    let output = run(home, &all).unwrap();
    let (text, faults) = (&output.stdout, &output.stderr);
    let told = String::from_utf8_lossy(text);
    let told = serde_json::from_str(&told)
        .unwrap_or_else(|_| panic!("{told}{}", String::from_utf8_lossy(faults)));
    (output.status.code().unwrap(), told)
}

/// The server starts and `/readyz` says that this is wrong.
fn says(home: &Home, what: &str) {
    let server = Server::start(home).unwrap();
    let told = |text: &str| text.contains(what).then_some(());
    wait::until(&format!("/readyz to say {what:?}"), || {
        let answer = server.get("/readyz").ok().filter(|answer| answer.status == 503)?;
        told(&answer.text())
    })
    .unwrap();
    server.stop().unwrap();
}

/// The server starts, is ready, and the stream has every version of every account, once.
fn is_whole(home: &Home, broker: &Broker, events: u64) {
    let server = Server::start(home).unwrap();
    server.ready().unwrap();
    let count = usize::try_from(events).unwrap();
    let subscriber = Subscriber::follow(broker);
    let seen = subscriber.until("all events", |seen| seen.len() >= count).unwrap();
    assert_eq!(seen.len(), count);
    let last = gapless(&seen).unwrap();
    for view in server.list("accounts", 100).unwrap() {
        let change = last[view["account"].as_str().unwrap()].clone();
        assert_eq!(serde_json::to_value(change.data.into_view()).unwrap(), view);
    }
    assert_eq!(operator(broker).state().unwrap()["messages"], json!(events));
    server.stop().unwrap();
    let (code, told) = republish(home, &[]);
    assert_eq!((code, &told["remedy"]), (0, &json!("nothing")), "{told}");
}

/// A server that published these purchases and stopped.
fn published(broker: &Broker, purchases: u64) -> Home {
    let home = Home::new(&Setup::with_nats(broker.url())).unwrap();
    let server = Server::start(&home).unwrap();
    buy(&server, 0..purchases);
    server.ready().unwrap();
    let (code, told) = {
        let output = run(&home, &["republish", "--config", CONFIG]).unwrap();
        (output.status.code(), String::from_utf8(output.stderr).unwrap())
    };
    assert!(code == Some(3) && told.contains("stop the server"), "{code:?} {told}");
    server.stop().unwrap();
    home
}

/// Without `--yes` nothing is changed; with it, this is done.
fn mended_by(home: &Home, remedy: &str, more: &[&str]) -> Value {
    let (code, told) = republish(home, &[]);
    assert_eq!(
        (code, &told["remedy"], &told["mended"]),
        (1, &json!(remedy), &json!(false)),
        "{told}"
    );
    let (code, told) = republish(home, &[more, &["--yes"]].concat());
    assert_eq!((code, &told["mended"]), (0, &json!(true)), "{told}");
    told
}

#[test]
fn a_stream_that_was_deleted_is_published_again() {
    let broker = Broker::start().unwrap();
    let home = published(&broker, 20);
    operator(&broker).stream("STREAM.DELETE", &Value::Null).unwrap();
    says(&home, "tallyhook republish");
    // The server made the stream anew, and published nothing to it.
    mended_by(&home, "resume", &[]);
    is_whole(&home, &broker, 20);
}

#[test]
fn a_stream_that_is_gone_altogether_is_published_again() {
    let broker = Broker::start().unwrap();
    let home = published(&broker, 5);
    operator(&broker).stream("STREAM.DELETE", &Value::Null).unwrap();
    let told = mended_by(&home, "resume", &[]);
    assert!(told["stream"].is_null(), "{told}");
    is_whole(&home, &broker, 5);
}

#[test]
fn a_stream_restored_from_an_older_copy_is_published_on_from_its_end() {
    let mut broker = Broker::start().unwrap();
    let home = published(&broker, 12);
    broker.kill().unwrap();
    let copy = home.file("older-copy");
    copied(&broker.store(), &copy);
    broker.restart().unwrap();
    let server = Server::start(&home).unwrap();
    buy(&server, 12..20);
    server.ready().unwrap();
    server.stop().unwrap();
    broker.kill().unwrap();
    fs::remove_dir_all(broker.store()).unwrap();
    copied(&copy, &broker.store());
    broker.restart().unwrap();

    says(&home, "ends at record");
    let told = mended_by(&home, "resume", &[]);
    assert_eq!(told["ledgers"][0]["messages"], json!(12), "{told}");
    is_whole(&home, &broker, 20);
}

/// The broker still knows the ids of messages that were deleted, for as long as its dedupe window.
#[test]
fn a_stream_whose_last_messages_were_deleted_is_published_on_from_its_end() {
    let broker = Broker::start().unwrap();
    broker.make_stream(Duration::from_secs(1)).unwrap();
    let home = published(&broker, 10);
    operator(&broker).delete_messages([9, 10]).unwrap();
    says(&home, "ends at record");
    mended_by(&home, "resume", &[]);
    is_whole(&home, &broker, 10);
}

#[test]
fn messages_of_others_are_removed_and_the_rest_is_kept() {
    let broker = Broker::start().unwrap();
    let home = published(&broker, 4);
    let foreign = operator(&broker);
    let stored = foreign.publish("tallyhook.balances.main.joe", &json!({"available": "1000000"}));
    assert_eq!(stored.unwrap()["seq"], json!(5));
    says(&home, "message 5 of the stream was not published by tallyhook");
    let told = mended_by(&home, "clean", &[]);
    assert_eq!(told["stream"]["foreign"], json!([5]), "{told}");
    is_whole(&home, &broker, 4);
}

#[test]
fn a_stream_with_holes_is_made_anew_only_when_that_is_asked_for() {
    let broker = Broker::start().unwrap();
    let home = published(&broker, 10);
    operator(&broker).delete_messages([1, 5]).unwrap();
    let (code, told) = republish(&home, &["--yes"]);
    assert_eq!((code, &told["remedy"]), (1, &json!("recreate")), "{told}");
    assert_eq!(operator(&broker).state().unwrap()["messages"], json!(8));
    let broken = &told["ledgers"][0]["broken"];
    assert_eq!((&broken["message"], broken["expected"].is_u64()), (&json!(2), true), "{told}");
    mended_by(&home, "recreate", &["--recreate"]);
    is_whole(&home, &broker, 10);
}

#[test]
fn a_stream_that_can_lose_messages_is_refused_and_made_anew() {
    let broker = Broker::start().unwrap();
    let home = published(&broker, 3);
    let mut config =
        operator(&broker).stream("STREAM.INFO", &Value::Null).unwrap()["config"].clone();
    config["allow_rollup_hdrs"] = json!(true);
    operator(&broker).stream("STREAM.UPDATE", &config).unwrap();
    says(&home, "rollups that remove messages");
    mended_by(&home, "recreate", &["--recreate"]);
    is_whole(&home, &broker, 3);
}

fn copied(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let target = to.join(entry.file_name());
        if entry.file_type().unwrap().is_dir() {
            copied(&entry.path(), &target);
        } else {
            fs::copy(entry.path(), &target).unwrap();
        }
    }
}
