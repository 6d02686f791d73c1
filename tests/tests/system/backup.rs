//! Backups of a running and of a stopped server, and what is restored from them.

use std::{
    fs,
    io::{Read as _, Write as _},
    net::{TcpListener, TcpStream},
    path::Path,
    process::Stdio,
    sync::atomic::{AtomicBool, AtomicU64, Ordering},
    thread,
};

use serde_json::{Value, json};
use tallyhook_tests::{
    binary,
    home::{CONFIG, Home, LEDGER, Ledger, SECRET, SOURCE, Setup, Source, TOKEN, Token},
    paddle::{Delivery, Purchase, id},
    server::{Server, refused, verify},
    wait,
};

const READER: &str = "token-of-a-reader";

/// An operator of one ledger only.
const OPERATOR: &str = "token-of-an-operator";

const OTHER: &str = "other";

/// Two ledgers; deliveries go to the first.
fn home() -> Home {
    let mut setup = Setup::one();
    setup.ledgers.push(Ledger::new(OTHER, vec![Source::new(OTHER, &[SECRET])]));
    let ledgers = vec![LEDGER.to_owned(), OTHER.to_owned()];
    setup.tokens = vec![
        Token { token: READER, roles: &["read"], ledgers },
        Token { token: OPERATOR, roles: &["operate"], ledgers: vec![LEDGER.to_owned()] },
    ];
    Home::new(&setup).unwrap()
}

/// Runs a command in a home that ends with this code; what it printed and said.
fn run(home: &Home, code: i32, arguments: &[&str]) -> (String, String) {
    run_as(home, Some(TOKEN), code, arguments)
}

fn run_as(home: &Home, token: Option<&str>, code: i32, arguments: &[&str]) -> (String, String) {
    let mut command = binary::command(arguments).unwrap();
    command.current_dir(home.path()).stdin(Stdio::null());
    command.envs(token.map(|token| ("TALLYHOOK_TOKEN", token)));
    let output = command.output().unwrap();
    let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).unwrap();
    let (out, err) = (text(&output.stdout), text(&output.stderr));
    assert_eq!(output.status.code(), Some(code), "{arguments:?}: {out}{err}");
    (out, err)
}

/// The same, in JSON.
fn json_of(home: &Home, arguments: &[&str]) -> Value {
    let (out, _) = run(home, 0, &[arguments, &["--json"]].concat());
    serde_json::from_str(out.trim()).unwrap()
}

fn url(server: &Server) -> String {
    format!("http://{}", server.private)
}

fn purchase(number: u64) -> Purchase {
    Purchase { number, account: format!("a{}", number % 5), cents: 1_000 }
}

fn deliver(server: &Server, delivery: &Delivery) {
    let answer = server.deliver(SOURCE, delivery).unwrap();
    assert_eq!(answer.status, 200, "{}", answer.text());
}

fn buy(server: &Server, numbers: std::ops::Range<u64>) {
    numbers.for_each(|number| deliver(server, &purchase(number).delivery().unwrap()));
}

/// What the five accounts of purchases show.
fn accounts(server: &Server) -> Vec<Value> {
    (0..5).map(|number| server.account(&format!("a{number}")).unwrap()).collect()
}

#[test]
fn a_backup_under_load_is_a_clean_log_and_so_is_what_is_restored() {
    let home = home();
    let server = Server::start(&home).unwrap();
    let url = url(&server);
    buy(&server, 0..40);
    let (next, over) = (AtomicU64::new(40), AtomicBool::new(false));
    let (full, more) = thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| {
                while !over.load(Ordering::Relaxed) {
                    let number = next.fetch_add(1, Ordering::Relaxed);
                    deliver(&server, &purchase(number).delivery().unwrap());
                }
            });
        }
        let full = json_of(&home, &["backup", "--to", "full", "--server", &url]);
        let reached = next.load(Ordering::Relaxed) + 20;
        wait::until("more load", || (next.load(Ordering::Relaxed) > reached).then_some(()))
            .unwrap();
        let since = ["backup", "--to", "more", "--since", "full", "--server", &url];
        let more = json_of(&home, &since);
        over.store(true, Ordering::Relaxed);
        (full, more)
    });
    let end = |made: &Value, name: &str| made["ledgers"][0][name].as_u64().unwrap();
    assert_eq!((full["increment"].clone(), end(&full, "after")), (json!(false), 0));
    assert_eq!((more["increment"].clone(), end(&more, "after")), (json!(true), end(&full, "last")));
    let last = end(&more, "last");
    assert_eq!(more["records"].as_u64().unwrap(), last - end(&full, "last"));
    let at_last = server.get(&format!("/v1/ledgers/{LEDGER}/records/{last}")).unwrap();
    assert_eq!(at_last.json().unwrap()["hash"], more["ledgers"][0]["hash"]);

    let report = json_of(&home, &["audit", "verify", "--data", "full"]);
    assert_eq!((&report["ok"], &report["records"]), (&json!(true), &full["records"]));

    let other = self::home();
    let path = |name: &str| home.file(name).display().to_string();
    let (full, more) = (path("full"), path("more"));
    let arguments = ["restore", "--from", &full, "--then", &more, "--to", "data", "--verify"];
    let restored = json_of(&other, &arguments);
    let expected = (&json!(true), &json!(true), &json!(last));
    let found = (&restored["ok"], &restored["verified"], &restored["ledgers"][0]["last"]);
    assert_eq!(found, expected, "{restored}");
    let copy = Server::start(&other).unwrap();
    for number in 0..5 {
        let path = format!("/v1/ledgers/{LEDGER}/accounts/a{number}");
        let then = server.get(&format!("{path}?at_sequence={last}")).unwrap();
        assert_eq!(copy.get(&path).unwrap().json().unwrap(), then.json().unwrap());
    }
    copy.stop().unwrap();
    assert_eq!(verify(&other).unwrap()["ok"], true);
}

/// What happened at a merchant: deliveries and commands, in their order.
enum Step {
    Delivery(Delivery),
    Debit(&'static str, &'static str, &'static str),
}

impl Step {
    fn send(&self, server: &Server) {
        match self {
            Self::Delivery(delivery) => deliver(server, delivery),
            Self::Debit(account, key, amount) => {
                let path = format!("{account}/debits");
                let answer = server.command(&path, key, &json!({"amount": amount})).unwrap();
                assert_eq!(answer.status, 201, "{key}: {}", answer.text());
            }
        }
    }
}

fn course() -> Vec<Step> {
    let bought = |number| Step::Delivery(purchase(number).delivery().unwrap());
    let adjusted = |number, fixture, id| {
        let body = purchase(number).adjustment(fixture, id, 1_000).unwrap();
        Step::Delivery(Delivery::of(&body).unwrap())
    };
    let refunded = |number, id| adjusted(number, "adjustment.updated.refund-approved", id);
    vec![
        bought(0),
        bought(1),
        bought(2),
        Step::Debit("a0", "debit-1", "4"),
        Step::Debit("a1", "debit-2", "1.5"),
        refunded(1, 901),
        bought(3),
        // From here on it is not in the stale backup.
        adjusted(2, "adjustment.created.chargeback", 902),
        bought(4),
        Step::Debit("a3", "debit-3", "2"),
        refunded(0, 903),
        bought(5),
        Step::Debit("a4", "debit-4", "10"),
    ]
}

const STALE_STEPS: usize = 7;

#[test]
fn a_stale_restore_and_redelivery_end_in_the_same_state() {
    let home = home();
    let server = Server::start(&home).unwrap();
    let (steps, url) = (course(), url(&server));
    steps[..STALE_STEPS].iter().for_each(|step| step.send(&server));
    json_of(&home, &["backup", "--to", "stale", "--server", &url]);
    steps[STALE_STEPS..].iter().for_each(|step| step.send(&server));
    let expected = accounts(&server);
    let records = server.list("records", 500).unwrap();
    assert!(expected.iter().any(|view| view["owed"] != "0"), "{expected:?}");
    assert!(expected.iter().any(|view| view["status"] == "frozen"), "{expected:?}");

    let stale = home.file("stale").display().to_string();
    let restored = || {
        let other = self::home();
        json_of(&other, &["restore", "--from", &stale, "--to", "data"]);
        let server = Server::start(&other).unwrap();
        assert_ne!(accounts_that_are(&server), expected);
        (other, server)
    };
    // Everything in its order: the log is the same, record by record, but for the times.
    let (other, again) = restored();
    steps.iter().for_each(|step| step.send(&again));
    assert_eq!(accounts(&again), expected);
    let inputs = |records: &[Value]| -> Vec<Value> {
        records.iter().map(|record| json!([record["sequence"], record["input"]["event"]])).collect()
    };
    assert_eq!(inputs(&again.list("records", 500).unwrap()), inputs(&records));
    steps.iter().for_each(|step| step.send(&again));
    assert_eq!(accounts(&again), expected, "and once more");
    again.stop().unwrap();
    assert_eq!(verify(&other).unwrap()["ok"], true);

    // Deliveries as they may come, from the last to the first: the same balances.
    let (_other, again) = restored();
    let (deliveries, debits): (Vec<_>, Vec<_>) =
        steps.iter().partition(|step| matches!(step, Step::Delivery(_)));
    deliveries.iter().rev().chain(&debits).for_each(|step| step.send(&again));
    let balances = |views: Vec<Value>| -> Vec<Value> {
        let names = ["status", "available", "paid", "held", "owed", "written_off"];
        views.iter().map(|view| names.iter().map(|name| view[*name].clone()).collect()).collect()
    };
    assert_eq!(balances(accounts(&again)), balances(expected.clone()));
}

/// Those of the five accounts that there are.
fn accounts_that_are(server: &Server) -> Vec<Value> {
    (0..5).filter_map(|number| server.account(&format!("a{number}")).ok()).collect()
}

#[test]
fn a_store_that_went_back_is_refused_and_an_honest_restore_is_not() {
    let home = home();
    let server = Server::start(&home).unwrap();
    buy(&server, 0..5);
    server.stop().unwrap();
    copy(&home.file("data"), &home.file("earlier"));
    json_of(&home, &["backup", "--to", "full"]);
    let server = Server::start(&home).unwrap();
    buy(&server, 5..10);
    server.stop().unwrap();
    // As a snapshot of the file system does that has the log, but not what was noted beside it.
    fs::remove_dir_all(home.file("data/log")).unwrap();
    copy(&home.file("earlier/log"), &home.file("data/log"));
    let (status, told) = refused(&home).unwrap();
    assert_eq!(status.code(), Some(3), "{told}");
    for words in
        ["ledger main", "ends at record", "was at record", "restore a backup", "high-water"]
    {
        assert!(told.contains(words), "{words}: {told}");
    }
    run(&home, 3, &["backup", "--to", "of-it"]);
    assert!(!home.file("of-it").exists());

    fs::rename(home.file("data"), home.file("lost")).unwrap();
    json_of(&home, &["restore", "--from", "full", "--to", "data"]);
    let server = Server::start(&home).unwrap();
    buy(&server, 0..10);
    assert_eq!(accounts(&server)[0]["available"], "20");
}

fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let target = to.join(entry.file_name());
        if entry.file_type().unwrap().is_dir() {
            copy(&entry.path(), &target);
        } else {
            fs::copy(entry.path(), target).unwrap();
        }
    }
}

/// Runs a command that ends with this code; it must say these words.
fn says(home: &Home, token: Option<&str>, code: i32, arguments: &[&str], words: &[&str]) {
    let (out, err) = run_as(home, token, code, arguments);
    assert_eq!(out, "", "{arguments:?}: {err}");
    for words in words {
        assert!(err.contains(words), "{arguments:?}: {words}: {err}");
    }
}

#[test]
fn a_command_says_what_it_can_not_do() {
    let home = home();
    let server = Server::start(&home).unwrap();
    buy(&server, 0..5);
    let url = url(&server);
    let token = Some(TOKEN);
    let to = ["backup", "--to", "full"];
    let online = [&to[..], &["--server", &url]].concat();
    says(&home, None, 2, &online, &["TALLYHOOK_TOKEN", "operate"]);
    says(&home, Some("none"), 2, &online, &["token_invalid"]);
    says(&home, Some(READER), 2, &online, &["role_missing"]);
    says(&home, Some(OPERATOR), 2, &online, &["ledger_not_allowed"]);
    let offline = [&to[..], &["--data", "data"]].concat();
    says(&home, token, 3, &offline, &["another process", "--server"]);
    says(&home, token, 2, &to, &["--server"]);
    assert!(!home.file("full").exists(), "nothing was made");
    run(&home, 0, &online);
    says(&home, token, 2, &online, &["not empty"]);
    buy(&server, 5..6);
    server.stop().unwrap();

    // What the configuration names, now that it is free.
    json_of(&home, &["backup", "--to", "more", "--since", "full"]);
    says(&home, token, 2, &["restore", "--from", "more", "--to", "x"], &["full backup first"]);
    says(
        &home,
        token,
        2,
        &["restore", "--from", "full", "--then", "full", "--to", "x"],
        &["order"],
    );
    says(&home, token, 2, &["restore", "--from", "full", "--to", "data"], &["not empty"]);
    says(&home, token, 2, &["restore", "--from", "data", "--to", "x"], &["no backup"]);
    says(&home, token, 2, &["backup", "--to", "x", "--since", "data"], &["no backup"]);
    says(&home, token, 3, &["audit", "verify", "--data", "more"], &["increment", "restore"]);
    assert!(!home.file("x").exists(), "nothing was made");
    let other = self::home();
    let server = Server::start(&other).unwrap();
    buy(&server, 7..9);
    let full = home.file("full").display().to_string();
    let since = ["backup", "--to", "x", "--since", &full];
    let url = self::url(&server);
    let asked = [&since[..], &["--server", &url]].concat();
    says(&other, token, 1, &asked, &["another log", "ledger main"]);
    server.stop().unwrap();
    says(&other, token, 1, &since, &["another log", "ledger main"]);

    // A backup is audited where it lies, and never served.
    let configured = fs::read_to_string(home.file(CONFIG)).unwrap();
    home.write(CONFIG, &configured.replace("\"data\"", "\"full\"")).unwrap();
    let (status, told) = refused(&home).unwrap();
    assert_eq!(status.code(), Some(3), "{told}");
    assert!(told.contains("is a backup") && told.contains("tallyhook restore"), "{told}");
}

/// Answers one request with these bytes and closes the connection.
fn answering(body: Vec<u8>) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    thread::spawn(move || {
        let (mut stream, _) = listener.accept().unwrap();
        let mut head = Vec::new();
        let mut byte = [0];
        while !head.ends_with(b"\r\n\r\n") && stream.read(&mut byte).unwrap() > 0 {
            head.extend_from_slice(&byte);
        }
        stream.write_all(b"HTTP/1.1 200 OK\r\nconnection: close\r\n\r\n").unwrap();
        // The client may hang up as soon as it knows enough.
        let _ = stream.write_all(&body);
    });
    format!("http://{address}")
}

#[test]
fn a_stream_that_broke_off_leaves_what_nothing_takes_for_a_backup() {
    let home = home();
    let server = Server::start(&home).unwrap();
    buy(&server, 0..5);
    let whole = server.get("/v1/backup").unwrap().body;
    server.stop().unwrap();
    let backup = |to: &str, code: i32, body: &[u8]| {
        run(&home, code, &["backup", "--to", to, "--server", &answering(body.to_vec())])
    };
    backup("whole", 0, &whole);
    let cut = whole.len() * 2 / 3;
    let (_, told) = backup("cut", 3, &whole[..cut]);
    assert!(told.contains("broke off"), "{told}");
    let mut flipped = whole.clone();
    flipped[cut] ^= 1;
    let (_, told) = backup("flipped", 3, &flipped);
    assert!(told.contains("digest") || told.contains("no backup"), "{told}");
    let (_, told) = backup("none", 3, b"<html></html>");
    assert!(told.contains("no backup") || told.contains("broke off"), "{told}");
    let token = Some(TOKEN);
    for dir in ["cut", "flipped"] {
        let words = ["did not finish", "delete it"];
        says(&home, token, 2, &["restore", "--from", dir, "--to", "x"], &words);
        says(&home, token, 2, &["backup", "--to", "x", "--since", dir], &words);
        says(&home, token, 2, &["backup", "--to", dir], &words);
        says(&home, token, 3, &["audit", "verify", "--data", dir], &words);
    }
    json_of(&home, &["restore", "--from", "whole", "--to", "x", "--verify"]);
}

/// A delivery of nearly the largest size that does not compress well.
fn large(number: u64) -> Delivery {
    const SIGNS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    let mut salt = number;
    let noise = (0..900_000).map(|_| {
        salt = salt.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
        char::from(SIGNS[usize::from(salt.to_be_bytes()[0] & 63)])
    });
    let body = json!({
        "event_id": id("evt", number),
        "event_type": "report.created",
        "occurred_at": "2026-07-06T09:00:00Z",
        "data": {"noise": noise.collect::<String>()},
    });
    Delivery::of(&body).unwrap()
}

#[test]
fn one_backup_is_sent_at_a_time_and_a_client_that_left_is_forgotten() {
    let home = home();
    let server = Server::start(&home).unwrap();
    // More than a connection holds that nobody reads.
    (1_000..1_024).for_each(|number| deliver(&server, &large(number)));
    let mut silent = TcpStream::connect(server.private).unwrap();
    let head = "GET /v1/backup HTTP/1.1\r\nhost: x\r\nauthorization: Bearer";
    silent.write_all(format!("{head} {TOKEN}\r\n\r\n").as_bytes()).unwrap();
    let mut begun = [0; 12];
    silent.read_exact(&mut begun).unwrap();
    assert_eq!(&begun, b"HTTP/1.1 200");
    let url = url(&server);
    let backup = ["backup", "--to", "full", "--server", &url];
    says(&home, Some(TOKEN), 1, &backup, &["backup_running"]);
    drop(silent);
    wait::until("the backup of the client that left to end", || {
        let mut command = binary::command(&backup).unwrap();
        command.current_dir(home.path()).env("TALLYHOOK_TOKEN", TOKEN);
        command.output().unwrap().status.success().then_some(())
    })
    .unwrap();
    server.stop().unwrap();
    assert_eq!(json_of(&home, &["audit", "verify", "--data", "full"])["ok"], true);
}
