//! What an operator and an auditor ask offline: why, as of when, and for which period.

use proof::{note::VerifierKey, verdict::Verdict};
use serde_json::{Value, json};
use tallyhook_tests::{
    home::{Home, SOURCE, Setup, TOKEN},
    paddle::Purchase,
    server::{Server, run},
};

/// A home whose stopped server had a purchase and usage of it: records 3 and 4.
fn asked() -> (Home, Purchase) {
    let home = Home::new(&Setup::one()).unwrap();
    let server = Server::start(&home).unwrap();
    let purchase = Purchase { number: 1, account: "a".to_owned(), cents: 1_000 };
    let answer = server.deliver(SOURCE, &purchase.delivery().unwrap()).unwrap();
    assert_eq!(answer.status, 200, "{}", answer.text());
    let body = json!({"amount": "2.5", "metadata": {
        "request_id": "req-7", "call_time": "2026-07-07T10:00:00Z", "model": "large",
    }});
    let used = server.command("a/debits", "k", &body).unwrap();
    assert_eq!(used.status, 201, "{}", used.text());

    let url = format!("http://{}", server.private);
    let arguments = ["account", "a", "--url", &url, "--at-sequence", "3", "--json"];
    let then = tell(&home, 0, &arguments);
    assert_eq!(json_of(&then)["available"], "10", "the past of a running server");
    let arguments = ["account", "a", "--url", &url, "--at-sequence", "2"];
    tell(&home, 1, &arguments);
    server.stop().unwrap();
    (home, purchase)
}

/// What a command prints that ends with this code.
fn tell(home: &Home, code: i32, arguments: &[&str]) -> String {
    let mut command = tallyhook_tests::binary::command(arguments).unwrap();
    command.current_dir(home.path()).env("TALLYHOOK_TOKEN", TOKEN);
    let output = command.output().unwrap();
    let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).unwrap();
    let (out, err) = (text(&output.stdout), text(&output.stderr));
    assert_eq!(output.status.code(), Some(code), "{arguments:?}: {out}{err}");
    assert!(code == 0 || !err.is_empty(), "{arguments:?} says nothing");
    out
}

fn json_of(text: &str) -> Value {
    serde_json::from_str(text.trim()).unwrap()
}

#[test]
fn a_number_is_explained_down_to_the_bytes_that_came_in() {
    let (home, purchase) = asked();
    let page = tell(&home, 0, &["audit", "explain", "a"]);
    for line in ["available        7.5", "+10  granted (record #3)", "-2.5  used (record #4)"] {
        assert!(page.contains(line), "{line}:\n{page}");
    }
    let (payment, event) = (purchase.payment(), purchase.event());
    let ids = [payment.as_str(), &event, "#3"];
    for id in ids {
        let page = tell(&home, 0, &["audit", "explain", id, "--raw"]);
        for word in [&payment, &event, "\"custom_data\"", "in force by record"] {
            assert!(page.contains(word), "{id}: {word}:\n{page}");
        }
    }
    for asked in [
        &["req-7"][..],
        &["k"],
        &["#4"],
        &["--model", "large"],
        &["a", "--call-time", "2026-07-07T10:00:00Z"],
    ] {
        let arguments = [&["audit", "explain", "--json"], asked].concat();
        let told = json_of(&tell(&home, 0, &arguments));
        let steps = told["steps"].as_array().unwrap();
        assert_eq!((steps.len(), &steps[0]["sequence"]), (1, &json!(4)), "{asked:?}: {told}");
    }
    let then = tell(&home, 0, &["audit", "explain", "a", "--at-sequence", "3", "--json"]);
    assert_eq!(json_of(&then)["account"]["available"], "10");
    for (code, asked) in [
        (1, &["nobody"][..]),
        (1, &["req-7", "--model", "small"]),
        (1, &["a", "--at-sequence", "2"]),
        (2, &[]),
        (2, &["a", "--happened-by", "2026-07-07T00:00:00Z"]),
        (2, &["a", "--ledger", "nothing"]),
        (3, &["a", "--data", "nowhere"]),
    ] {
        tell(&home, code, &[&["audit", "explain"], asked].concat());
    }
}

#[test]
fn a_statement_and_balances_are_of_any_moment_on_both_axes() {
    let (home, _) = asked();
    let stated = json_of(&tell(&home, 0, &["audit", "statement", "a", "--json"]));
    let shown = stated.to_string();
    for word in ["\"-2.5\"", "\"7.5\"", "req-7", "10.00 USD net at 1 USD"] {
        assert!(shown.contains(word), "{word}: {shown}");
    }
    let page = tell(&home, 0, &["audit", "statement", "a", "--format", "html"]);
    assert!(page.starts_with("<!doctype html>") || page.starts_with("<!DOCTYPE html>"), "{page}");
    let arguments = ["audit", "statement", "a", "--format", "csv", "--out", "a.csv"];
    assert_eq!(tell(&home, 0, &arguments).trim(), "");
    let written = std::fs::read_to_string(home.file("a.csv")).unwrap();
    assert_eq!(written, tell(&home, 0, &["audit", "statement", "a", "--format", "csv"]), "again");
    let before = ["audit", "balance", "--happened-by", "2000-01-01T00:00:00Z", "--format", "csv"];
    assert!(!tell(&home, 0, &before).contains("\"a\""), "nothing had happened");
    let then = tell(&home, 0, &["audit", "balance", "a", "--at-sequence", "3", "--json"]);
    assert!(then.contains("\"10\""), "{then}");
    let then = tell(&home, 0, &["account", "a", "--data", "data", "--at-sequence", "3", "--json"]);
    assert_eq!(json_of(&then)["available"], "10");
    for (code, arguments) in [
        (1, &["audit", "statement", "nobody"][..]),
        (2, &["audit", "statement", "a", "--from", "yesterday"]),
        (
            2,
            &[
                "audit",
                "statement",
                "a",
                "--from",
                "2026-02-01T00:00:00Z",
                "--to",
                "2026-01-01T00:00:00Z",
            ],
        ),
        (1, &["audit", "balance", "a", "--at-sequence", "2"]),
        (2, &["audit", "balance", "--at-sequence", "2", "--at", "2026-01-01T00:00:00Z"]),
        (1, &["account", "a", "--data", "data", "--at-sequence", "2"]),
    ] {
        tell(&home, code, arguments);
    }
    let verified = run(&home, &["audit", "verify", "--data", "data", "--json"]).unwrap();
    assert!(verified.status.success());
}

#[test]
fn a_statement_is_proved_to_who_has_no_log() {
    let (home, _) = asked();
    let arguments = ["audit", "statement", "a", "--proof", "a.proof", "--json"];
    tell(&home, 0, &arguments);
    let bundle = std::fs::read_to_string(home.file("a.proof")).unwrap();
    let signed = json_of(&tell(&home, 0, &["audit", "checkpoint", "--json"]));
    let key = VerifierKey::parse(signed["key"].as_str().unwrap()).unwrap();
    Verdict::of(&bundle, std::slice::from_ref(&key)).unwrap();
    let claimed = bundle.replacen("\"paid\": \"7.5\"", "\"paid\": \"75\"", 1);
    assert_ne!(claimed, bundle, "{bundle}");
    Verdict::of(&claimed, &[key]).unwrap_err();
    let by_the_provider = ["audit", "statement", "a", "--by", "happened", "--proof", "b.proof"];
    tell(&home, 2, &by_the_provider);
    assert!(!home.file("b.proof").exists());
}
