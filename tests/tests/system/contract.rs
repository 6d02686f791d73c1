//! What the public listener answers to everything but well-formed news.

use serde_json::{Value, json};
use tallyhook_tests::{
    home::{self, Home, SOURCE, Setup},
    http::raw,
    paddle::{self, Delivery, Purchase, put},
    server::{Server, verify},
};

fn started(setup: &Setup) -> (Home, Server) {
    let home = Home::new(setup).unwrap();
    let server = Server::start(&home).unwrap();
    (home, server)
}

fn purchase(number: u64) -> Purchase {
    Purchase { number, account: format!("acct-{number}"), cents: 1_000 }
}

/// Delivers and returns what was answered with 200.
fn answered(server: &Server, delivery: &Delivery) -> Value {
    let answer = server.deliver(SOURCE, delivery).unwrap();
    assert_eq!(answer.status, 200, "{}", answer.text());
    answer.json().unwrap()
}

fn available(server: &Server, account: &str) -> Value {
    server.account(account).unwrap()["available"].clone()
}

#[test]
fn faults_are_told_in_the_contracts_order() {
    let (_home, server) = started(&Setup::one());
    let host = format!("Host: {}\r\n", server.public);
    let huge = "Content-Length: 1048577\r\n";
    let chunked = "Transfer-Encoding: chunked\r\n";
    let gzip = "Content-Encoding: gzip\r\n";
    let small = "Content-Length: 2\r\n";
    // Each has the fault that it is answered for, and all later ones.
    for (source, headers, body, status, code) in [
        ("nowhere", "", "", 404, "source_unknown"),
        ("nowhere", huge, "", 404, "source_unknown"),
        (SOURCE, "", "", 411, "length_required"),
        (SOURCE, &*format!("{chunked}{gzip}"), "0\r\n\r\n", 411, "length_required"),
        (SOURCE, huge, "", 413, "body_too_large"),
        (SOURCE, &*format!("{huge}{gzip}"), "", 413, "body_too_large"),
        (SOURCE, &*format!("{small}{gzip}"), "{}", 415, "encoding_unsupported"),
        (SOURCE, small, "{}", 401, "signature_invalid"),
    ] {
        let request = format!("POST /webhooks/{source} HTTP/1.1\r\n{host}{headers}\r\n{body}");
        let (answered, text) = raw(server.public, request.as_bytes()).unwrap();
        assert_eq!(answered, status, "{request}\n{text}");
        assert!(text.contains("application/problem+json"), "{text}");
        assert!(text.contains(&format!("\"code\":\"{code}\"")), "{text}");
    }
    // And the server goes on.
    assert_eq!(answered(&server, &purchase(1).delivery().unwrap())["outcome"], "recorded");
}

#[test]
fn what_is_signed_and_not_understood_is_kept_and_seen() {
    let (home, server) = started(&Setup::one());
    let changed = |number: u64, pointer: &str, value: Value| {
        let mut body = purchase(number).body().unwrap();
        put(&mut body, pointer, value).unwrap();
        body.to_string()
    };
    let subtotal = "/data/details/totals/subtotal";
    let unknown_action = {
        let mut body = purchase(1).adjustment("adjustment.created.credit", 40, 100).unwrap();
        put(&mut body, "/data/action", "gift_card").unwrap();
        body.to_string()
    };
    let bodies = [
        ("malformed", String::new()),
        ("malformed", "hello-world".to_owned()),
        ("malformed", "{\"event_id\":".to_owned()),
        ("malformed", "[]".to_owned()),
        ("malformed", "{}".to_owned()),
        ("malformed", json!({"event_id": 1, "event_type": [], "data": {}}).to_string()),
        ("malformed", changed(10, "/data", json!("nothing"))),
        ("malformed", changed(11, "/occurred_at", json!("yesterday"))),
        ("malformed", "[".repeat(100_000)),
        ("unknown-currency", changed(20, "/data/currency_code", json!("XAU"))),
        ("amount-invalid", changed(30, subtotal, json!("10.5"))),
        ("amount-invalid", changed(31, subtotal, json!(1000.5))),
        ("amount-invalid", changed(32, subtotal, json!("1e3"))),
        ("amount-invalid", changed(33, subtotal, json!("9".repeat(40)))),
        ("unknown-action", unknown_action),
        ("malformed", "x".repeat(1024 * 1024)),
    ];
    let mut expected = Vec::new();
    for (place, (reason, body)) in bodies.iter().enumerate() {
        let said = answered(&server, &Delivery::signed(body.as_str()).unwrap());
        let shown: String = body.chars().take(200).collect();
        assert_eq!(said["outcome"], "quarantined", "{said} for {shown}");
        assert_eq!(said["reason"], *reason, "{said} for {shown}");
        expected.push(json!([said["sequence"], reason]));
        let again = answered(&server, &Delivery::signed(body.as_str()).unwrap());
        assert_eq!(again["outcome"], "duplicate", "{again} for {shown}");
        assert_eq!(again["sequence"], said["sequence"], "{again} for {shown}");
        // And the server goes on.
        let good = Purchase { number: 100 + u64::try_from(place).unwrap(), ..purchase(100) };
        assert_eq!(answered(&server, &good.delivery().unwrap())["outcome"], "recorded");
    }
    let open = server.list("exceptions", 5).unwrap();
    let seen: Vec<Value> =
        open.iter().map(|exception| json!([exception["sequence"], exception["kind"]])).collect();
    assert_eq!(seen, expected);
    assert_eq!(available(&server, "acct-100"), (10 * bodies.len()).to_string());
    server.stop().unwrap();
    let report = verify(&home).unwrap();
    assert_eq!(report["ok"], true, "{report}");
}

#[test]
fn nothing_of_a_body_is_lost() {
    let (_home, server) = started(&Setup::one());
    let body = "é\u{0}\n".repeat(100_000);
    let said = answered(&server, &Delivery::signed(body.as_str()).unwrap());
    let path = format!("/v1/ledgers/main/records/{}/body", said["sequence"]);
    assert_eq!(server.get(&path).unwrap().body, body.as_bytes());
}

#[test]
fn the_same_event_is_a_duplicate_and_other_content_a_conflict() {
    let (_home, server) = started(&Setup::one());
    let first = purchase(1).body().unwrap();
    let said = answered(&server, &Delivery::of(&first).unwrap());
    assert_eq!(said["outcome"], "recorded");
    assert_eq!(said["ledger"], "main");

    // Each destination and each replay has a notification id and a signature of its own.
    let mut replay = first.clone();
    put(&mut replay, "/notification_id", paddle::id("ntf", 999)).unwrap();
    let secret = home::secret().unwrap();
    let body = serde_json::to_string_pretty(&replay).unwrap();
    let again = answered(&server, &Delivery::signed_by(&secret, paddle::SIGNED_AT + 60, body));
    assert_eq!(again["outcome"], "duplicate");
    assert_eq!(again["sequence"], said["sequence"]);

    let mut other = first.clone();
    put(&mut other, "/data/details/totals/subtotal", "999999").unwrap();
    let conflict = answered(&server, &Delivery::of(&other).unwrap());
    assert_eq!(conflict["outcome"], "conflict");
    assert_ne!(conflict["sequence"], said["sequence"]);
    assert_eq!(available(&server, "acct-1"), "10");
    let open = server.list("exceptions", 50).unwrap();
    assert_eq!(open.len(), 1, "{open:?}");
    assert_eq!(open[0]["kind"], "conflict");
    assert_eq!(open[0]["sequence"], conflict["sequence"]);
}

#[test]
fn stale_deliveries_wait_for_a_fresh_one_where_so_set() {
    let mut setup = Setup::one();
    let ledger = setup.ledger().unwrap();
    (ledger.tolerance, ledger.stale) = ("300", "quarantine");
    let (_home, server) = started(&setup);
    let secret = home::secret().unwrap();
    let body = purchase(1).body().unwrap().to_string();
    let now = paddle::now().unwrap();
    for (at, other) in [(now - 3_600, 1), (now + 3_600, 2)] {
        let body = purchase(other).body().unwrap().to_string();
        let said = answered(&server, &Delivery::signed_by(&secret, at, body));
        assert_eq!(said["outcome"], "quarantined", "{said}");
        assert_eq!(said["reason"], "stale", "{said}");
    }
    assert_eq!(server.list("exceptions", 50).unwrap().len(), 2);
    let said = answered(&server, &Delivery::signed_by(&secret, paddle::now().unwrap(), body));
    assert_eq!(said["outcome"], "recorded", "{said}");
    assert_eq!(available(&server, "acct-1"), "10");
    assert_eq!(server.list("exceptions", 50).unwrap().len(), 1);
}

#[test]
fn a_simulated_purchase_moves_nothing_in_a_live_ledger() {
    for (mode, outcome) in [("live", "quarantined"), ("sandbox", "recorded")] {
        let mut setup = Setup::one();
        setup.ledger().unwrap().mode = mode;
        let (_home, server) = started(&setup);
        let body = paddle::fixture("simulated.transaction.completed").unwrap();
        let said = answered(&server, &Delivery::of(&body).unwrap());
        assert_eq!(said["outcome"], outcome, "{said}");
        let records = server.list("exceptions", 50).unwrap();
        let kinds: Vec<&Value> = records.iter().map(|exception| &exception["kind"]).collect();
        if mode == "live" {
            assert_eq!(said["reason"], "simulated");
            assert_eq!(kinds, [&json!("simulated")]);
        } else {
            assert_eq!(available(&server, "acct-demo"), "10");
        }
    }
}
