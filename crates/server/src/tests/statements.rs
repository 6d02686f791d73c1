//! Statements, whole and as billing queries.

use super::*;

const STATEMENT: &str = "/accounts/acct-demo/statement";
const CASES: &str = r#"
[refunds]
facts = []
review_business_days = 1
calendar = { zone = "UTC", weekend = ["saturday", "sunday"] }
reasons = { unused = { verdict = "eligible", rule = "Y3" } }
"#;

/// A server with a purchase of 10 credits, of which two debits at different times used some.
async fn used() -> Server {
    let policy = format!("{}{CASES}", POLICY.split("[refunds]").next().unwrap());
    let server = server_under(&policy);
    server.deliver(COMPLETED).await;
    for (key, at, amount, model) in [
        ("r-1", "2026-09-02T00:00:00Z", "1", "large"),
        ("r-2", "2026-09-03T00:00:00Z", "2", "small"),
    ] {
        server.clock.set(Timestamp::parse(at).unwrap());
        let metadata = json!({
            "request_id": key, "model": model, "group": "default", "multiplier": 1.5,
            "tokens": 1200, "request_type": "chat", "call_time": at,
        });
        let body = json!({"amount": amount, "metadata": metadata});
        let (status, _, answer) = server.post("/accounts/acct-demo/debits", key, &body).await;
        assert_eq!(status, StatusCode::CREATED, "{answer}");
    }
    server
}

async fn sequences(server: &Server, query: &str) -> Vec<u64> {
    let (mut found, mut cursor) = (Vec::new(), String::new());
    loop {
        let (status, page) = server.get(&format!("{STATEMENT}?limit=1&{query}{cursor}")).await;
        assert_eq!(status, StatusCode::OK, "{page}");
        let items = page["items"].as_array().unwrap().iter();
        found.extend(items.map(|line| line["sequence"].as_u64().unwrap()));
        match page["next"].as_str() {
            Some(next) => cursor = format!("&cursor={next}"),
            None => return found,
        }
    }
}

#[tokio::test]
async fn a_debit_is_shown_with_all_that_it_was_charged_by() {
    let server = used().await;
    let (_, page) = server.get(&format!("{STATEMENT}?request_id=r-2")).await;
    let debit = &page["items"][0]["debit"];
    assert_eq!(
        debit["metadata"],
        json!({
            "request_id": "r-2", "model": "small", "group": "default", "multiplier": 1.5,
            "tokens": 1200, "request_type": "chat", "call_time": "2026-09-03T00:00:00Z",
        })
    );
    assert_eq!((&debit["amount"], &debit["while"]), (&json!("2"), &Value::Null));
    let drawn = json!([{"lot": format!("paddle/{PAYMENT}/paid"), "amount": "2"}]);
    assert_eq!(debit["drawn"], drawn);
    assert_eq!(debit["returned"], Value::Null);
    assert_eq!(page["items"].as_array().unwrap().len(), 1);
}

#[tokio::test]
async fn a_statement_is_asked_by_request_time_model_and_payment() {
    let server = used().await;
    server.granted("acct-demo", "5").await;
    for (query, expected) in [
        ("", &[3, 4, 5, 6][..]),
        ("request_id=r-1", &[4]),
        ("request_id=r-3", &[]),
        ("model=small", &[5]),
        ("model=small&request_id=r-1", &[]),
        ("metadata.tokens=1200", &[4, 5]),
        ("metadata.call_time=2026-09-02T00:00:00Z", &[4]),
        ("from=2026-09-02T00:00:00Z", &[4, 5, 6]),
        ("from=2026-09-02T00:00:01Z", &[5, 6]),
        ("to=2026-09-02T00:00:00Z", &[3]),
        ("from=2026-09-02T00:00:00Z&to=2026-09-03T00:00:00Z", &[4]),
        ("from=2027-01-01T00:00:00Z", &[]),
        ("to=2020-01-01T00:00:00Z", &[]),
        (&format!("payment={PAYMENT}"), &[3, 4, 5]),
        (&format!("payment={PAYMENT}&model=large"), &[4]),
        ("payment=txn_none", &[]),
    ] {
        assert_eq!(sequences(&server, query).await, expected, "{query}");
    }
    for bad in ["group=default", "from=yesterday", "model=a&model=b", "limit=501", "cursor=0"] {
        let (_, problem) = server.get(&format!("{STATEMENT}?{bad}")).await;
        assert_eq!(problem["code"], "query_invalid", "{bad}");
    }
    assert_eq!(server.get("/accounts/none/statement").await.1["code"], "account_unknown");
}

#[tokio::test]
async fn holds_returns_and_cases_have_their_lines() {
    let server = used().await;
    let hold = json!({"amount": "3", "expires_in_seconds": 60});
    let (_, _, hold) = server.post("/accounts/acct-demo/holds", "hold", &hold).await;
    let id = hold["id"].as_str().unwrap();
    let capture = json!({"amount": "2.5", "metadata": {"request_id": "r-3", "model": "large"}});
    let path = format!("/accounts/acct-demo/holds/{id}/capture");
    let (_, _, captured) = server.post(&path, "capture", &capture).await;
    let back = json!({"debit": captured["id"], "amount": "0.5", "reason": "it failed"});
    let (status, _, answer) = server.post("/accounts/acct-demo/returns", "return", &back).await;
    assert_eq!(status, StatusCode::CREATED, "{answer}");
    let case = json!({"payment": PAYMENT, "reason": "unused"});
    let (_, _, case) = server.post("/accounts/acct-demo/refund-cases", "case", &case).await;

    let (_, page) = server.get(&format!("{STATEMENT}?cursor=5")).await;
    let lines = page["items"].as_array().unwrap();
    let kinds = ["hold", "debit", "return", "case"];
    let shown = |line: &Value| kinds.map(|kind| !line[kind].is_null());
    let shown: Vec<_> = lines.iter().map(shown).collect();
    let expected = [
        [true, false, false, false],
        [true, true, false, false],
        [false, false, true, false],
        [false, false, false, true],
    ];
    assert_eq!(shown, expected, "{page:#}");
    assert_eq!(
        lines[0]["hold"],
        json!({
            "id": id, "status": "open", "amount": "3", "expires_at": "2026-09-03T00:01:00Z",
        })
    );
    assert_eq!(lines[1]["hold"], json!({"id": id, "status": "captured", "amount": "2.5"}));
    assert_eq!(
        (&lines[1]["debit"]["id"], &lines[1]["debit"]["returned"]),
        (&captured["id"], &json!("0.5"))
    );
    let returned = json!({"debit": captured["id"], "amount": "0.5", "reason": "it failed"});
    assert_eq!(lines[2]["return"], returned);
    assert_eq!(
        lines[3]["case"],
        json!({
            "id": case["id"], "payment": PAYMENT, "reason": "unused", "status": "eligible",
        })
    );
    assert_eq!(sequences(&server, "model=large").await, [4, 7]);
}

#[tokio::test]
async fn usage_of_a_frozen_account_is_marked() {
    let server = used().await;
    let freeze = json!({"reason": "r", "measures": {"spending": "suspend"}});
    server.post("/accounts/acct-demo/freezes", "freeze", &freeze).await;
    let debit = json!({"amount": "1", "already_happened": true, "metadata": {"model": "late"}});
    server.post("/accounts/acct-demo/debits", "late", &debit).await;
    let (_, page) = server.get(&format!("{STATEMENT}?model=late")).await;
    assert_eq!(page["items"][0]["debit"]["while"], "frozen", "{page}");
}
