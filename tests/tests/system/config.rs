//! What the server refuses to start with, and how it says so.

use tallyhook_tests::{
    home::{CONFIG, Home, POLICY, SOURCE, Setup},
    paddle::Purchase,
    server::{Server, refused, run},
};

#[test]
fn a_broken_configuration_is_told_whole_with_line_and_remedy() {
    let broken = r#"[server]
public = "127.0.0.1"
private = "127.0.0.1:0"
data = "data"
colour = "red"

[[tokens]]
name = "gateway"
sha256 = "a-token-that-must-not-be-shown"
roles = ["read", "spent"]
ledgers = ["main"]

[ledgers.main]
policy = "bad.toml"
mode = "life"
account_from = ["data/customer_id"]

[ledgers.main.sources.paddle]
provider = "paddel"
secrets = ["a-secret-that-must-not-be-shown", "env:TALLYHOOK_TESTS_NO_SUCH"]
tolerance_seconds = "on"
"#;
    let home = Home::empty().unwrap();
    home.write(CONFIG, broken).unwrap();
    home.write("bad.toml", "name = \"bad\"\nversion = 0\n").unwrap();
    let (status, told) = refused(&home).unwrap();
    assert_eq!(status.code(), Some(2), "{told}");
    // Line, key or value at fault, and a word of the remedy.
    for (line, key, remedy) in [
        (2, "public", "127.0.0.1:8080"),
        (5, "colour", ""),
        (9, "sha256", "tallyhook token new"),
        (10, "roles", "spend"),
        (14, "policy", ""),
        (15, "mode", "live"),
        (16, "account_from", "pointer"),
        (19, "provider", "paddle"),
        (20, "secrets", "env:"),
        (20, "TALLYHOOK_TESTS_NO_SUCH", "set it"),
        (21, "tolerance_seconds", "300"),
    ] {
        let found = told.lines().any(|text| {
            text.contains(&format!("line {line}")) && text.contains(key) && text.contains(remedy)
        });
        assert!(found, "line {line}, {key}, {remedy}:\n{told}");
    }
    assert!(
        told.lines().any(|text| text.contains("bad.toml") && text.contains("version")),
        "{told}"
    );
    assert!(!told.contains("must-not-be-shown"), "{told}");
    assert!(!home.file("data").exists(), "nothing was opened");

    let checked = run(&home, &["config", "check"]).unwrap();
    assert_eq!(checked.status.code(), Some(1));
    let faults = String::from_utf8(checked.stdout).unwrap();
    for line in faults.lines() {
        assert!(told.contains(line), "serve does not say: {line}\n{told}");
    }
}

#[test]
fn a_missing_configuration_names_the_way_out() {
    let home = Home::empty().unwrap();
    let (status, told) = refused(&home).unwrap();
    assert!(!status.success());
    assert!(told.contains("tallyhook init") && told.contains(CONFIG), "{told}");
}

#[test]
fn what_init_writes_is_good() {
    let home = Home::empty().unwrap();
    assert!(run(&home, &["init", "--directory", "."]).unwrap().status.success());
    let text = std::fs::read_to_string(home.file(CONFIG)).unwrap();
    assert!(text.contains("[ledgers."), "{text}");
}

#[test]
fn a_changed_policy_file_is_not_taken_silently() {
    let home = Home::new(&Setup::one()).unwrap();
    let server = Server::start(&home).unwrap();
    let purchase = Purchase { number: 1, account: "a".to_owned(), cents: 1_000 };
    server.deliver(SOURCE, &purchase.delivery().unwrap()).unwrap();
    server.stop().unwrap();

    let mut changed = Setup::one();
    changed.ledger().unwrap().policy = POLICY.replace("USD = \"1\"", "USD = \"2\"");
    home.configure(&changed).unwrap();
    let (status, told) = refused(&home).unwrap();
    assert!(!status.success());
    assert!(told.contains("policy activate") && told.contains("main"), "{told}");

    // With the file as it was, everything goes on.
    home.configure(&Setup::one()).unwrap();
    let server = Server::start(&home).unwrap();
    assert_eq!(server.account("a").unwrap()["available"], "10");
}

#[test]
fn a_second_server_on_the_same_data_is_refused() {
    let home = Home::new(&Setup::one()).unwrap();
    let server = Server::start(&home).unwrap();
    let (status, told) = refused(&home).unwrap();
    assert_eq!(status.code(), Some(3), "{told}");
    assert_eq!(server.get("/readyz").unwrap().status, 200);
    let checked = run(&home, &["audit", "verify", "--data", "data", "--json"]).unwrap();
    assert_eq!(checked.status.code(), Some(3), "offline commands need a stopped server");
}
