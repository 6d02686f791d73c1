//! `tallyhook doctor` beside a running server, on a stopped one's data, and on what is broken.

use std::{collections::BTreeMap, fs, os::unix::fs::PermissionsExt as _};

use serde_json::{Value, json};
use tallyhook_tests::{
    home::{CONFIG, Home, SOURCE, Setup},
    nats::Broker,
    paddle::Purchase,
    server::{Server, run},
    wait,
};

/// The exit code, and each check's verdict with all that is said of it.
fn doctor(home: &Home, more: &[&str]) -> (i32, BTreeMap<String, (String, String)>) {
    let output = run(home, &[&["doctor", "--config", CONFIG, "--json"], more].concat()).unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    let said: Value = serde_json::from_str(&text).unwrap();
    let checks = said["checks"].as_array().unwrap().iter().map(|check| {
        let verdict = check["verdict"].as_str().unwrap().to_owned();
        // What doesn't pass says what to do.
        assert_eq!(check["remedy"].is_null(), verdict == "pass", "{check}");
        let all = format!("{} {}", check["found"], check["remedy"]);
        (check["name"].as_str().unwrap().to_owned(), (verdict, all))
    });
    let checks: BTreeMap<_, _> = checks.collect();
    let fails = checks.values().any(|(verdict, _)| verdict == "fail");
    assert_eq!(said["ok"], json!(!fails), "{text}");
    let code = output.status.code().unwrap();
    assert_eq!(code, i32::from(fails), "{text}");
    (code, checks)
}

fn names(home: &Home) -> Vec<String> {
    let entries = fs::read_dir(home.file("data")).unwrap();
    let mut names: Vec<_> =
        entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    names.sort();
    names
}

#[test]
fn a_good_machine_passes_before_the_first_start_beside_a_server_and_after_it() {
    let broker = Broker::start().unwrap();
    let home = Home::new(&Setup::with_nats(broker.url())).unwrap();
    let (_, checks) = doctor(&home, &[]);
    assert_eq!(checks["broker"].0, "pass", "{checks:?}");
    assert!(checks["data"].1.contains("not there yet"), "{checks:?}");
    assert!(!home.file("data").exists(), "it only looks");

    let server = Server::start(&home).unwrap();
    let purchase = Purchase { number: 1, account: "a".to_owned(), cents: 100 };
    assert_eq!(server.deliver(SOURCE, &purchase.delivery().unwrap()).unwrap().status, 200);
    let whole = || names(&home).contains(&"reserve".to_owned());
    wait::until("the reserve", || whole().then_some(())).unwrap();
    wait::until("the server is ready", || server.ready().ok()).unwrap();
    let before = names(&home);
    let (code, checks) = doctor(&home, &["--log"]);
    assert_eq!((code, names(&home)), (0, before), "{checks:?}");
    for (name, verdict) in [
        ("configuration", "pass"),
        ("data", "pass"),
        ("free space", "pass"),
        ("reserve", "pass"),
        ("blobs", "pass"),
        ("leftovers of a crash", "pass"),
        ("other files", "pass"),
        ("log against high-water", "skip"),
        ("broker", "pass"),
        ("broker's stream", "pass"),
        ("broker's syncs", "skip"),
    ] {
        assert_eq!(checks[name].0, verdict, "{name}: {checks:?}");
    }
    assert!(checks["data"].1.contains("the server is running"), "{checks:?}");
    assert!(checks["broker's stream"].1.contains("replicas 1"), "{checks:?}");
    for size in ["sync of 4 KiB", "sync of 64 KiB"] {
        assert!(checks[size].1.contains("median"), "{checks:?}");
    }

    server.stop().unwrap();
    let (_, checks) = doctor(&home, &["--log"]);
    assert_eq!(checks["log against high-water"].0, "pass", "{checks:?}");
    assert_eq!(checks["clock after the last record"].0, "pass", "{checks:?}");
}

#[test]
fn what_is_wrong_with_the_data_is_named_and_left_as_it_is() {
    let home = Home::new(&Setup::one()).unwrap();
    Server::start(&home).unwrap().stop().unwrap();
    fs::set_permissions(home.file("data"), fs::Permissions::from_mode(0o755)).unwrap();
    home.write("data/log/snap.0000000000000001.generating", "left by a crash").unwrap();
    home.write("data/notes", "put there by hand").unwrap();
    let before = names(&home);
    let (code, checks) = doctor(&home, &[]);
    assert_eq!((code, names(&home)), (0, before));
    assert!(home.file("data/log/snap.0000000000000001.generating").exists());
    for (name, word) in [
        ("permissions of the data", "chmod o-rwx"),
        ("leftovers of a crash", "snap.0000000000000001.generating"),
        ("other files", "notes"),
    ] {
        let (verdict, said) = &checks[name];
        assert!(verdict == "warn" && said.contains(word), "{name}: {checks:?}");
    }

    home.write("data/log/blobs/1", "never synced").unwrap();
    let (code, checks) = doctor(&home, &[]);
    assert_eq!((code, checks["blobs"].0.as_str()), (1, "fail"));
    let (_, checks) = doctor(&home, &["--log"]);
    assert_eq!(checks["log against high-water"].0, "fail", "the server would not start either");
}

#[test]
fn a_broker_that_is_away_and_a_faulty_configuration_fail_and_an_absent_one_is_told_apart() {
    // Nobody listens on the port of a broker that was stopped.
    let mut broker = Broker::start().unwrap();
    let home = Home::new(&Setup::with_nats(broker.url())).unwrap();
    broker.kill().unwrap();
    let (code, checks) = doctor(&home, &[]);
    assert_eq!((code, checks["broker"].0.as_str()), (1, "fail"), "{checks:?}");
    assert!(checks["broker"].1.contains("balance events wait in the log"), "{checks:?}");

    let text = fs::read_to_string(home.file(CONFIG)).unwrap();
    home.write(CONFIG, &text.replace("file:", "file:absent/")).unwrap();
    let (code, checks) = doctor(&home, &[]);
    assert_eq!((code, checks["configuration"].0.as_str()), (1, "fail"), "{checks:?}");
    assert!(checks["configuration"].1.contains("secrets"), "{checks:?}");

    let absent = run(&home, &["doctor", "--config", "absent.toml"]).unwrap();
    assert_eq!(absent.status.code(), Some(3));
    let usage = run(&home, &["doctor", "--colour"]).unwrap();
    assert_eq!(usage.status.code(), Some(2));
}
