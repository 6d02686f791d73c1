//! The commands of an auditor against the real binary: a provider's lists are saved or asked for,
//! what is missing is brought into a running server, and what is shown can be shown again.

use std::{
    io::{BufRead as _, BufReader, Write as _},
    net::{TcpListener, TcpStream},
    os::unix::fs::PermissionsExt as _,
    process::Stdio,
    thread,
};

use serde_json::{Value, json};
use tallyhook_tests::{
    binary,
    home::{Home, SOURCE, Setup, TOKEN},
    paddle::{Delivery, Purchase, put},
    server::Server,
};

const KEY: &str = "pdl_apikey_of_the_tests";

/// Runs a command that ends with this code, and gives what it printed and said.
fn run(home: &Home, code: i32, arguments: &[&str]) -> (String, String) {
    let mut command = binary::command(arguments).unwrap();
    command.current_dir(home.path()).stdin(Stdio::null());
    command.env("TALLYHOOK_TOKEN", TOKEN).env("PADDLE_API_KEY", KEY);
    let output = command.output().unwrap();
    let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).unwrap();
    let (out, err) = (text(&output.stdout), text(&output.stderr));
    assert_eq!(output.status.code(), Some(code), "{arguments:?}: {out}{err}");
    assert!(!format!("{out}{err}").contains(KEY), "the key is told to nobody");
    (out, err)
}

fn json_of(home: &Home, code: i32, arguments: &[&str]) -> Value {
    let (out, _) = run(home, code, &[arguments, &["--json"]].concat());
    serde_json::from_str(out.trim()).unwrap()
}

fn bought(number: u64) -> Purchase {
    Purchase { number, account: "a".to_owned(), cents: 1_000 }
}

/// An event from before any clock that runs the tests.
fn body(number: u64) -> Value {
    let mut event = bought(number).body().unwrap();
    put(&mut event, "/occurred_at", "2024-01-01T00:00:00Z").unwrap();
    event
}

fn listed(number: u64) -> Value {
    let mut event = body(number);
    event.as_object_mut().unwrap().remove("notification_id");
    event
}

fn kinds(report: &Value) -> Vec<&str> {
    let findings = report["findings"].as_array().unwrap().iter();
    findings.map(|one| one["kind"].as_str().unwrap()).collect()
}

/// What has customers' data is for the owner's eyes alone.
fn assert_owners(home: &Home, files: &[&str]) {
    for file in files {
        let mode = std::fs::metadata(home.file(file)).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600, "{file}");
    }
}

/// A provider that is busy at first and whose list of events has two pages.
fn provider(events: [Value; 2]) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let base = format!("http://{}", listener.local_addr().unwrap());
    let own = base.clone();
    // Ends with the test's process.
    thread::spawn(move || {
        let mut busy = true;
        for stream in listener.incoming() {
            let answer = |path: &str| {
                let next = format!("{own}/events?after=1");
                match path {
                    "/events" => json!({
                        "data": [events[0]], "meta": {"pagination": {"has_more": true, "next": next}},
                    }),
                    "/events?after=1" => json!({
                        "data": [events[1]], "meta": {"pagination": {"has_more": false, "next": next}},
                    }),
                    _ => json!({"data": [], "meta": {"pagination": {"has_more": false}}}),
                }
            };
            served(stream.unwrap(), std::mem::take(&mut busy), answer);
        }
    });
    base
}

/// Answers one request with what is at its path.
fn served(mut stream: TcpStream, busy: bool, answer: impl FnOnce(&str) -> Value) {
    let lines = BufReader::new(stream.try_clone().unwrap()).lines();
    let head: Vec<String> =
        lines.map_while(Result::ok).take_while(|line| !line.is_empty()).collect();
    let Some(path) = head.first().and_then(|line| line.split(' ').nth(1)) else { return };
    let allowed =
        head.iter().any(|line| line.to_lowercase() == format!("authorization: bearer {KEY}"));
    let (status, body) = match (allowed, busy) {
        (false, _) => ("403 Forbidden", String::new()),
        (true, true) => ("429 Too Many Requests\r\nretry-after: 0", String::new()),
        (true, false) => ("200 OK", answer(path).to_string()),
    };
    let length = body.len();
    let head =
        format!("HTTP/1.1 {status}\r\nconnection: close\r\ncontent-length: {length}\r\n\r\n");
    // The client may have left.
    let _ = stream.write_all(format!("{head}{body}").as_bytes());
}

#[test]
fn what_the_provider_lists_is_brought_into_a_running_server() {
    let home = Home::new(&Setup::one()).unwrap();
    let server = Server::start(&home).unwrap();
    let answer = server.deliver(SOURCE, &Delivery::of(&body(1)).unwrap()).unwrap();
    assert_eq!(answer.status, 200, "{}", answer.text());
    let url = format!("http://{}", server.private);
    run(&home, 0, &["backup", "--to", "first", "--server", &url]);

    let api = provider([listed(1), listed(2)]);
    let fetch = ["--fetch", "--api", &api, "--save", "pages"];
    let reconcile = ["audit", "reconcile", "--data", "first"];
    let import = ["--import", "--url", &url];
    let report = json_of(&home, 1, &[&reconcile[..], &fetch, &import].concat());
    assert_eq!(kinds(&report), ["event-missing"], "{report}");
    assert_eq!(report["brought_in"][0]["became"], "recorded", "{report}");
    assert_eq!(server.account("a").unwrap()["paid"], "20");

    // The same again brings in nothing twice, and the delivery that was missing comes late.
    let files = ["pages/events-00000.json", "pages/events-00001.json"];
    let report = json_of(&home, 1, &[&reconcile[..], &files, &import].concat());
    assert_eq!(report["brought_in"][0]["became"], "duplicate", "{report}");
    let late = server.deliver(SOURCE, &Delivery::of(&body(2)).unwrap()).unwrap();
    assert!(late.text().contains("duplicate"), "{}", late.text());
    server.stop().unwrap();
    // A server that is gone takes nothing in, and what was found is told all the same.
    let report = json_of(&home, 3, &[&reconcile[..], &files, &import].concat());
    assert_eq!(kinds(&report), ["event-missing"], "{report}");
    let became = report["brought_in"][0]["became"].as_str().unwrap();
    assert!(became.starts_with("failed: "), "{report}");
    assert_owners(&home, &files);

    let report = json_of(&home, 0, &[&["audit", "reconcile"][..], &files].concat());
    assert_eq!((kinds(&report).len(), &report["ok"]), (0, &json!(true)), "{report}");
    let (told, _) = run(&home, 0, &["audit", "verify"]);
    assert!(told.contains("clean") && told.contains("1 back-filled"), "{told}");
    let (told, _) = run(&home, 0, &[&["audit", "reconcile"][..], &files].concat());
    assert!(told.contains("no findings") && told.contains("transaction.completed: 2, 1"), "{told}");
}

#[test]
fn what_can_not_be_reconciled_is_told() {
    let home = Home::new(&Setup::one()).unwrap();
    Server::start(&home).unwrap().stop().unwrap();
    home.write("page.json", "{\"error\": {}}").unwrap();
    for (arguments, code, said) in [
        (&[][..], 2, "nothing to compare with"),
        (&["page.json"], 2, "save the answers of GET"),
        (&["absent.json"], 3, "absent.json"),
        (&["--fetch", "--api", "http://example.com"], 2, "https"),
        (&["--fetch", "--key-env", "TALLYHOOK_ABSENT"], 2, "TALLYHOOK_ABSENT"),
    ] {
        let (_, told) = run(&home, code, &[&["audit", "reconcile"][..], arguments].concat());
        assert!(told.contains(said), "{arguments:?}: {told}");
    }
}

#[test]
fn samples_evidence_and_other_policies_are_shown_alike_each_time() {
    let home = Home::new(&Setup::one()).unwrap();
    let server = Server::start(&home).unwrap();
    for number in 1..=5 {
        server.deliver(SOURCE, &bought(number).delivery().unwrap()).unwrap();
    }
    server.stop().unwrap();
    let sample = ["audit", "sample", "--seed", "7", "--count", "2"];
    let (one, _) = run(&home, 0, &sample);
    assert_eq!(run(&home, 0, &sample).0, one);
    assert!(one.contains("signed by the provider"), "{one}");

    let payment = bought(3).payment();
    let evidence = |out: &str| json_of(&home, 0, &["audit", "evidence", &payment, "--out", out]);
    assert_eq!(evidence("one.zip")["sha256"], evidence("other.zip")["sha256"]);
    let bytes = std::fs::read(home.file("one.zip")).unwrap();
    assert_eq!(std::fs::read(home.file("other.zip")).unwrap(), bytes);
    assert_owners(&home, &["one.zip"]);
    run(&home, 3, &["audit", "evidence", &payment, "--out", "one.zip"]);
    run(&home, 1, &["audit", "evidence", "txn_unknown", "--out", "x.zip"]);

    let policy = std::fs::read_dir(home.path()).unwrap().map(|entry| entry.unwrap().path());
    let is_policy = |path: &std::path::PathBuf| {
        let text = std::fs::read_to_string(path).unwrap_or_default();
        path.extension().is_some_and(|end| end == "toml") && text.contains("[credits]")
    };
    let same = policy.into_iter().find(is_policy).unwrap();
    let diff = ["audit", "diff", "--policy", same.to_str().unwrap()];
    assert_eq!(json_of(&home, 0, &diff)["decisions"], 0);
    let text = std::fs::read_to_string(&same).unwrap();
    home.write("other.toml", &text.replace("USD = \"1\"", "USD = \"3\"")).unwrap();
    let report = json_of(&home, 1, &["audit", "diff", "--policy", "other.toml"]);
    assert_eq!(report["total"]["otherwise"]["balance"]["paid"], "150", "{report}");
}
