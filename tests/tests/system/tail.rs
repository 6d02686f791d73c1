//! `tallyhook tail` against a real broker.

use std::{
    fs::{self, File},
    process::Stdio,
};

use balance_events::envelope::Envelope;
use tallyhook_tests::{
    binary,
    home::{CONFIG, Home, SOURCE, Setup},
    nats::Broker,
    paddle::Purchase,
    process::{Process, Signal},
    server::{Server, run},
    wait,
};

/// A `tail` that runs.
struct Tail<'a> {
    process: Process,
    home: &'a Home,
}

impl<'a> Tail<'a> {
    /// Starts it, and waits until it follows or waits for a stream.
    fn start(home: &'a Home, more: &[&str]) -> Self {
        let mut command = binary::command(&["tail"]).unwrap();
        command.args(more).current_dir(home.path()).stdin(Stdio::null());
        command.stdout(File::create(home.file("tail.out")).unwrap());
        command.stderr(File::create(home.file("tail.err")).unwrap());
        let tail = Self { process: Process::start(&mut command).unwrap(), home };
        tail.told("tallyhook: ");
        tail
    }

    fn text(&self, name: &str) -> String {
        fs::read_to_string(self.home.file(name)).unwrap()
    }

    /// Waits until it says something on standard error.
    fn told(&self, what: &str) {
        let said = || self.text("tail.err").contains(what).then_some(());
        wait::until(&format!("tail to say {what:?}"), said).unwrap();
    }

    /// Waits for so many lines.
    fn lines(&self, count: usize) -> Vec<String> {
        wait::until(&format!("{count} lines"), || {
            let lines: Vec<String> = self.text("tail.out").lines().map(str::to_owned).collect();
            (lines.len() >= count).then_some(lines)
        })
        .unwrap()
    }
}

fn buy(server: &Server, number: u64, account: &str) {
    let purchase = Purchase { number, account: account.to_owned(), cents: 250 };
    let answer = server.deliver(SOURCE, &purchase.delivery().unwrap()).unwrap();
    assert_eq!(answer.status, 200, "{}", answer.text());
}

/// Runs it to its end; its exit code and what it printed.
fn tailed(home: &Home, more: &[&str]) -> (Option<i32>, Vec<String>) {
    let all = [&["tail", "--config", CONFIG], more].concat();
    let output = run(home, &all).unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    (output.status.code(), text.lines().map(str::to_owned).collect())
}

#[test]
fn events_are_followed_from_before_the_first_over_a_broker_that_is_killed_to_ctrl_c() {
    let mut broker = Broker::start().unwrap();
    let home = Home::new(&Setup::with_nats(broker.url())).unwrap();
    let mut tail = Tail::start(&home, &["--nats", broker.url()]);
    tail.told("there is no stream yet");
    let server = Server::start(&home).unwrap();
    buy(&server, 1, "alice");
    buy(&server, 2, "bob");
    let lines = tail.lines(2);
    for (line, words) in [
        (&lines[0], ["main", "alice", "changed", "2.5", "2.5 house:sold>paid", "txn_", "v1"]),
        (&lines[1], ["main", "bob", "changed", "2.5", "transaction.completed", "txn_", "v1"]),
    ] {
        assert!(words.iter().all(|word| line.contains(word)), "{line}");
    }
    let columns = |line: &str| (line.find("main"), line.find("changed"), line.find("2.5"));
    assert_eq!(columns(&lines[0]), columns(&lines[1]), "{lines:?}");

    broker.kill().unwrap();
    tail.told("the connection is lost");
    buy(&server, 3, "alice");
    broker.restart().unwrap();
    let lines = tail.lines(3);
    assert!(lines[2].contains("alice") && lines[2].contains("v2"), "{lines:?}");
    buy(&server, 4, "carol");
    assert_eq!(tail.lines(4).len(), 4);
    tail.process.signal(Signal::INT).unwrap();
    assert_eq!(tail.process.ended().unwrap().code(), Some(0));
    assert!(!tail.text("tail.out").contains('\u{1b}'), "colours are for terminals");
}

#[test]
fn what_is_shown_is_chosen_and_json_is_what_was_published() {
    let broker = Broker::start().unwrap();
    let home = Home::new(&Setup::with_nats(broker.url())).unwrap();
    let server = Server::start(&home).unwrap();
    for (number, account) in [(1, "alice"), (2, "jo@x"), (3, "alice"), (4, "carol")] {
        buy(&server, number, account);
    }
    let freeze = serde_json::json!({"reason": "test", "measures": {"spending": "suspend"}});
    let answer = server.command("alice/freezes", "k", &freeze).unwrap();
    assert_eq!(answer.status, 201, "{}", answer.text());
    server.ready().unwrap();

    let events = |more: &[&str]| -> Vec<Envelope> {
        let (code, lines) = tailed(&home, &[more, &["--json"]].concat());
        assert_eq!(code, Some(0), "{more:?}");
        lines.iter().map(|line| Envelope::from_json(line.as_bytes()).unwrap()).collect()
    };
    let known = |events: &[Envelope]| -> Vec<String> {
        events.iter().map(|one| format!("{} {}", one.data.account, one.data.version)).collect()
    };
    let all = events(&["--since", "start", "--limit", "5"]);
    assert_eq!(known(&all), ["alice 1", "jo@x 1", "alice 2", "carol 1", "alice 3"]);
    let record = all[2].data.record.to_string();
    for (more, expected) in [
        (&["--since", "start", "--account", "jo@x", "--limit", "1"][..], &["jo@x 1"][..]),
        (
            &["--since", "start", "--account", "jo@x", "--account", "carol", "--count", "2"],
            &["jo@x 1", "carol 1"],
        ),
        (
            &["--since", "start", "--ledger", "main", "--type", "frozen", "--limit", "1"],
            &["alice 3"],
        ),
        (&["--since", &record, "--limit", "2"], &["alice 2", "carol 1"]),
        (&["--since", "2020-01-01T00:00:00Z", "--limit", "2"], &["alice 1", "jo@x 1"]),
        (&["--last", "--limit", "3"], &["jo@x 1", "carol 1", "alice 3"]),
    ] {
        assert_eq!(known(&events(more)), expected, "{more:?}");
    }
    assert_eq!(tailed(&home, &["--since", "yesterday"]).0, Some(2));
    assert_eq!(tailed(&home, &["--type", "unknown"]).0, Some(2));
    let mut absent = broker;
    absent.kill().unwrap();
    assert_eq!(tailed(&home, &["--since", "start"]).0, Some(3));
}
