//! The private API as its callers use it.

use serde_json::{Value, json};
use tallyhook_tests::{
    home::{Home, Ledger, SOURCE, Setup, Source, TOKEN, Token},
    http::Answer,
    paddle::Purchase,
    server::{Server, verify},
};
use ureq::http::Method;

const READER: &str = "token-of-a-reader";
const GATEWAY: &str = "token-of-a-gateway";
const STRANGER: &str = "token-of-another-ledger";

/// A server with 100 credits in the account `a`.
fn started() -> (Home, Server) {
    let mut setup = Setup::one();
    setup.ledgers.push(Ledger::new("other", vec![Source::new("elsewhere", &["s"])]));
    let token = |token, roles, ledger: &str| Token { token, roles, ledgers: vec![ledger.into()] };
    setup.tokens = vec![
        token(READER, &["read"], "main"),
        token(GATEWAY, &["read", "spend"], "main"),
        token(STRANGER, &["read", "spend", "operate"], "other"),
    ];
    let home = Home::new(&setup).unwrap();
    let server = Server::start(&home).unwrap();
    let bought = Purchase { number: 1, account: "a".to_owned(), cents: 10_000 };
    let answer = server.deliver(SOURCE, &bought.delivery().unwrap()).unwrap();
    assert_eq!(answer.status, 200, "{}", answer.text());
    (home, server)
}

fn check(answer: &Answer, status: u16, code: &str) {
    assert_eq!(answer.status, status, "{}", answer.text());
    assert_eq!(answer.header("content-type"), Some("application/problem+json"));
    let problem = answer.json().unwrap();
    assert_eq!(problem["code"], code, "{problem}");
    assert_eq!(problem["status"], status, "{problem}");
}

fn done(answer: &Answer, status: u16) -> Value {
    assert_eq!(answer.status, status, "{}", answer.text());
    answer.json().unwrap()
}

#[test]
fn callers_do_what_their_token_allows_and_nothing_else() {
    let (_home, server) = started();
    let get = |token: &str, path: &str| server.ask(Method::GET, token, path, &[], None).unwrap();
    let post = |token: &str, path: &str| {
        let body =
            json!({"amount": "1", "kind": "gift", "reason": "r", "measures": {}}).to_string();
        let path = format!("/v1/ledgers/main/accounts/a/{path}");
        server.ask(Method::POST, token, &path, &[("idempotency-key", "k")], Some(&body)).unwrap()
    };
    let account = "/v1/ledgers/main/accounts/a";
    check(&get("unknown", account), 401, "token_invalid");
    check(&get("", account), 401, "token_invalid");
    check(&get(STRANGER, account), 403, "ledger_not_allowed");
    check(&get(READER, "/v1/ledgers/other/accounts/a"), 403, "ledger_not_allowed");
    check(&get(READER, "/v1/ledgers/none/accounts/a"), 403, "ledger_not_allowed");
    check(&post(READER, "debits"), 403, "role_missing");
    check(&post(GATEWAY, "grants"), 403, "role_missing");
    check(&post(GATEWAY, "freezes"), 403, "role_missing");
    check(&get(STRANGER, "/v1/ledgers/other/accounts/a"), 404, "account_unknown");
    check(&get(READER, "/v1/ledgers/main/accounts/b"), 404, "account_unknown");
    check(&get(READER, "/v1/ledgers/main/payments/txn_none"), 404, "payment_unknown");
    assert_eq!(done(&get(READER, account), 200)["available"], "100");
    // Webhooks are not served here, nor the API there.
    assert_eq!(get(TOKEN, "/webhooks/paddle").status, 404);
    let client = tallyhook_tests::http::Client::default();
    let url = format!("http://{}{account}", server.public);
    let bearer = format!("Bearer {TOKEN}");
    let headers = [("authorization", &*bearer)];
    assert_eq!(client.send(Method::GET, &url, &headers, None).unwrap().status, 404);
}

#[test]
fn an_account_is_shown_as_the_contract_says() {
    let (_home, server) = started();
    let view = server.account("a").unwrap();
    let sequence = view["sequence"].as_u64().unwrap();
    let expected = json!({
        "ledger": "main", "account": "a", "status": "active", "can_spend": true,
        "checkout": "open", "available": "100", "paid": "100", "gift": "0", "held": "0",
        "owed": "0", "written_off": "0", "unit": "USD", "freezes": [], "version": 1,
        "sequence": sequence,
    });
    assert_eq!(view, expected);
    let before = format!("/v1/ledgers/main/accounts/a?at_sequence={}", sequence - 1);
    check(&server.get(&before).unwrap(), 404, "account_unknown");
    let long_ago = "/v1/ledgers/main/accounts/a?at=2000-01-01T00:00:00Z";
    check(&server.get(long_ago).unwrap(), 404, "account_unknown");
    let payment = server.get(&format!("/v1/ledgers/main/payments/txn_{:026}", 1)).unwrap();
    assert_eq!(done(&payment, 200)["account"], "a");
}

#[test]
fn debits_draw_what_is_there() {
    let (home, server) = started();
    let debit = |key: &str, body: Value| server.command("a/debits", key, &body).unwrap();
    let first = debit("d1", json!({"amount": "30.25", "metadata": {"call": 7}}));
    let answer = done(&first, 201);
    assert_eq!((&answer["amount"], &answer["available"]), (&json!("30.25"), &json!("69.75")));
    assert_eq!(answer["drawn"].as_array().unwrap().len(), 1, "{answer}");
    assert_eq!(answer["drawn"][0]["amount"], "30.25");
    assert_eq!(first.header("idempotent-replayed"), None);

    done(&debit("d2", json!({"amount": "9.75"})), 201);
    // The order of keys makes no other request; `available` is the current one.
    let again = debit("d1", json!({"metadata": {"call": 7}, "amount": "30.25"}));
    assert_eq!(again.header("idempotent-replayed"), Some("true"));
    let replayed = done(&again, 201);
    for same in ["id", "sequence", "amount", "drawn"] {
        assert_eq!(replayed[same], answer[same]);
    }
    assert_eq!(replayed["available"], "60");

    check(&debit("d1", json!({"amount": "30.26"})), 422, "idempotency_key_reused");
    let other = json!({"amount": "30.25", "metadata": {"call": 7}});
    let at_other = server.command("b/debits", "d1", &other).unwrap();
    check(&at_other, 422, "idempotency_key_reused");
    for amount in ["0", "-1", "1e2", "0.0000001", "x", "", "1 ", "99999999999999999999999999999999"]
    {
        check(&debit("d3", json!({"amount": amount})), 422, "amount_invalid");
    }
    for body in [json!({}), json!([]), json!({"amount": 1}), json!({"amount": "1", "other": 2})] {
        check(&debit("d3", body), 400, "body_malformed");
    }
    let path = "/v1/ledgers/main/accounts/a/debits";
    let unkeyed = server.ask(Method::POST, TOKEN, path, &[], Some(r#"{"amount":"1"}"#)).unwrap();
    check(&unkeyed, 400, "idempotency_key_missing");
    let keyed = [("idempotency-key", "d3")];
    let broken = server.ask(Method::POST, TOKEN, path, &keyed, Some("{")).unwrap();
    check(&broken, 400, "body_malformed");
    let unknown = server.command("nobody/debits", "d3", &json!({"amount": "1"})).unwrap();
    check(&unknown, 404, "account_unknown");

    // A refusal is not remembered: the same key may succeed later.
    check(&debit("d4", json!({"amount": "60.000001"})), 402, "credits_insufficient");
    let grant = json!({"amount": "0.000001", "kind": "gift", "label": "test", "reason": "r"});
    done(&server.command("a/grants", "g1", &grant).unwrap(), 201);
    let emptied = done(&debit("d4", json!({"amount": "60.000001"})), 201);
    assert_eq!(emptied["available"], "0");
    assert_eq!(emptied["drawn"].as_array().unwrap().len(), 2, "{emptied}");
    // What has happened is recorded whatever is there.
    let late = json!({"amount": "5", "already_happened": true});
    done(&debit("d5", late), 201);
    let view = server.account("a").unwrap();
    assert_eq!((&view["available"], &view["owed"]), (&json!("0"), &json!("5")), "{view}");
    assert_eq!(view["can_spend"], false);
    server.stop().unwrap();
    let report = verify(&home).unwrap();
    assert_eq!(report["ok"], true, "{report}");
}

#[test]
fn grants_freezes_and_their_end() {
    let (_home, server) = started();
    let gift = json!({"amount": "5", "kind": "gift", "label": "coupon", "reason": "spring"});
    let granted = done(&server.command("new/grants", "g1", &gift).unwrap(), 201);
    assert_eq!((&granted["amount"], &granted["available"]), (&json!("5"), &json!("5")));
    let view = server.account("new").unwrap();
    assert_eq!((&view["gift"], &view["paid"]), (&json!("5"), &json!("0")), "{view}");
    let wrong = json!({"amount": "5", "kind": "free", "reason": "r"});
    check(&server.command("new/grants", "g2", &wrong).unwrap(), 400, "body_malformed");

    let freeze = json!({"reason": "looks odd", "measures": {"spending": "suspend"}});
    let answer = done(&server.command("a/freezes", "f1", &freeze).unwrap(), 201);
    let view = server.account("a").unwrap();
    assert_eq!(view["status"], "frozen");
    assert_eq!(view["can_spend"], false);
    assert_eq!(view["available"], "100");
    assert_eq!(view["freezes"].as_array().unwrap().len(), 1, "{view}");
    let shown = &view["freezes"][0];
    assert_eq!((&shown["cause"], &shown["payment"]), (&json!("operator"), &json!(null)));
    assert_eq!(shown["id"], answer["id"]);
    let debit = json!({"amount": "1"});
    check(&server.command("a/debits", "d1", &debit).unwrap(), 409, "account_frozen");
    let held =
        json!({"reason": "odder", "measures": {"balance": "freeze-account", "checkout": "limit"}});
    let second = done(&server.command("a/freezes", "f2", &held).unwrap(), 201);
    let view = server.account("a").unwrap();
    assert_eq!((&view["available"], &view["held"]), (&json!("0"), &json!("100")), "{view}");
    assert_eq!(view["checkout"], "limited");

    let end = |id: &Value| {
        let path = format!("/v1/ledgers/main/accounts/a/freezes/{}", id.as_str().unwrap());
        server.ask(Method::DELETE, TOKEN, &path, &[], None).unwrap()
    };
    // Each cause ends on its own.
    done(&end(&second["id"]), 200);
    let view = server.account("a").unwrap();
    assert_eq!((&view["status"], &view["available"]), (&json!("frozen"), &json!("100")), "{view}");
    done(&end(&answer["id"]), 200);
    assert_eq!(end(&answer["id"]).header("idempotent-replayed"), Some("true"));
    check(&end(&json!("nothing")), 404, "freeze_unknown");
    assert_eq!(server.account("a").unwrap()["status"], "active");
    done(&server.command("a/debits", "d1", &debit).unwrap(), 201);
}

#[test]
fn lists_go_on_where_they_ended() {
    let (_home, server) = started();
    for number in 0..7 {
        let grant = json!({"amount": "1", "kind": "paid", "reason": "r"});
        let path = format!("list%20{number}/grants");
        done(&server.command(&path, &format!("g{number}"), &grant).unwrap(), 201);
        let debit = json!({"amount": "1"});
        done(&server.command("a/debits", &format!("d{number}"), &debit).unwrap(), 201);
    }
    for (path, count) in [("accounts", 8), ("accounts/a/statement", 8), ("records", 17)] {
        let whole = server.list(path, 500).unwrap();
        assert!(whole.len() >= count, "{path}: {}", whole.len());
        for limit in [1, 2, whole.len()] {
            assert_eq!(server.list(path, limit).unwrap(), whole, "{path} by {limit}");
        }
        for query in ["limit=0", "limit=501", "limit=x", "cursor=%21", "nonsense=1"] {
            let answer = server.get(&format!("/v1/ledgers/main/{path}?{query}")).unwrap();
            assert_eq!(answer.status, 400, "{path}?{query}: {}", answer.text());
        }
    }
    let records = server.list("records", 500).unwrap();
    for (place, record) in records.iter().enumerate() {
        assert_eq!(record["sequence"], place + 1, "sequences are gapless");
        let path = format!("/v1/ledgers/main/records/{}", place + 1);
        assert_eq!(done(&server.get(&path).unwrap(), 200), *record);
    }
    let after = format!("/v1/ledgers/main/records?after={}", records.len() - 2);
    let last = done(&server.get(&after).unwrap(), 200);
    assert_eq!(last["items"].as_array().unwrap(), &records[records.len() - 2..]);
    assert_eq!(last["next"], json!(null));
    let path = format!("/v1/ledgers/main/records/{}", records.len() + 1);
    check(&server.get(&path).unwrap(), 404, "record_unknown");
    let frozen = server.get("/v1/ledgers/main/accounts?status=frozen").unwrap();
    assert_eq!(done(&frozen, 200)["items"], json!([]));
    let statement = server.list("accounts/a/statement", 500).unwrap();
    assert!(statement.iter().all(|line| !line["movements"].as_array().unwrap().is_empty()));
}

#[test]
fn health_and_figures_need_no_token_and_tell_no_secret() {
    let (_home, server) = started();
    let client = tallyhook_tests::http::Client::default();
    let get = |path: &str| {
        let url = format!("http://{}{path}", server.private);
        client.send(Method::GET, &url, &[], None).unwrap()
    };
    assert_eq!(get("/livez").status, 200);
    assert_eq!(get("/readyz").status, 200, "{}", get("/readyz").text());
    let bad = tallyhook_tests::paddle::Delivery { header: "ts=1;h1=00".into(), body: vec![] };
    assert_eq!(server.deliver(SOURCE, &bad).unwrap().status, 401);
    let figures = get("/metrics");
    assert_eq!(figures.status, 200);
    let page = figures.text();
    assert!(
        page.lines().any(|line| line == "tallyhook_webhooks_total{outcome=\"recorded\"} 1"),
        "{page}"
    );
    assert!(
        page.lines().any(|line| line == "tallyhook_signature_faults_total{kind=\"mismatch\"} 1"),
        "{page}"
    );
    for private in ["txn_", "evt_", TOKEN, "account=\""] {
        assert!(!page.contains(private), "{private} in {page}");
    }
}
