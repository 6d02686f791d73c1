//! Debits and credit returns.

use super::*;

#[tokio::test]
async fn a_purchase_is_spent_once_for_each_key() {
    let server = server();
    server.deliver(COMPLETED).await;
    let (_, view) = server.get("/accounts/acct-demo").await;
    assert_eq!((&view["available"], &view["unit"]), (&json!("10"), &json!("USD")), "{view}");

    let debit = json!({"amount": "2.5", "metadata": {"model": "x"}});
    let path = "/accounts/acct-demo/debits";
    let (status, replayed, first) = server.post(path, "k1", &debit).await;
    assert_eq!((status, replayed), (StatusCode::CREATED, false), "{first}");
    assert_eq!(first["available"], "7.5");
    assert_eq!(first["drawn"][0]["amount"], "2.5");

    let (status, replayed, again) = server.post(path, "k1", &debit).await;
    assert_eq!((status, replayed), (StatusCode::CREATED, true));
    assert_eq!(again, first);

    let (status, _, reused) = server.post(path, "k1", &json!({"amount": "3"})).await;
    assert_eq!((status.as_u16(), &reused["code"]), (422, &json!("idempotency_key_reused")));

    let (status, _, lacking) = server.post(path, "k2", &json!({"amount": "8"})).await;
    assert_eq!((status.as_u16(), &lacking["code"]), (402, &json!("credits_insufficient")));
    assert_eq!(lacking["available"], "7.5");

    let (_, past) = server.get("/accounts/acct-demo?at_sequence=3").await;
    assert_eq!(past["available"], "10");
    let (status, _) = server.get("/accounts/acct-demo?at_sequence=2").await;
    assert_eq!(status, StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn bad_commands_are_refused_with_their_code() {
    let server = server();
    server.deliver(COMPLETED).await;
    for (path, body, status, code) in [
        ("/accounts/none/debits", json!({"amount": "1"}), 404, "account_unknown"),
        ("/accounts/acct-demo/debits", json!({"amount": 1}), 400, "body_malformed"),
        ("/accounts/acct-demo/debits", json!({"amount": "1", "x": 1}), 400, "body_malformed"),
        ("/accounts/acct-demo/debits", json!({"amount": "0"}), 422, "amount_invalid"),
        ("/accounts/acct-demo/debits", json!({"amount": "1e3"}), 422, "amount_invalid"),
        ("/accounts/acct-demo/debits", json!({"amount": "0.0000001"}), 422, "amount_invalid"),
        (
            "/accounts/acct-demo/grants",
            json!({"amount": "1", "kind": "x", "reason": "r"}),
            400,
            "body_malformed",
        ),
        (
            "/accounts/acct-demo/freezes",
            json!({"reason": "r", "measures": {"spending": "x"}}),
            400,
            "body_malformed",
        ),
    ] {
        let (found, _, answer) = server.post(path, "k", &body).await;
        assert_eq!((found.as_u16(), &answer["code"]), (status, &json!(code)), "{path} {body}");
    }
    let request = Request::post("/v1/ledgers/main/accounts/acct-demo/debits")
        .header(header::AUTHORIZATION, "Bearer all")
        .body(Body::from(r#"{"amount":"1"}"#));
    let (status, _, answer) = answered(&server.private, request.unwrap()).await;
    assert_eq!((status.as_u16(), &answer["code"]), (400, &json!("idempotency_key_missing")));
}

/// A policy that asks for metadata and has no credit returns.
const STRICT: &str = r#"
name = "strict"
version = 1
effective_from = "2026-01-01T00:00:00Z"
[credits]
unit = "USD"
decimals = 6
rates = { USD = "1" }
[spending]
order = ["gift", "paid"]
metadata = ["model", "request_id"]
returns = "refuse"
[reversal]
shortfall = "owed"
settle_owed = true
"#;

#[tokio::test]
async fn a_debit_says_what_it_was_for_and_its_record_keeps_that() {
    let server = server();
    server.granted("a", "5").await;
    let metadata = json!({"request_id": "r-1", "tokens": 1200, "multiplier": 1.5, "cached": false});
    let body = json!({"amount": "2", "metadata": metadata});
    let (status, debit) = server.done("/accounts/a/debits", "d", &body).await;
    assert_eq!((status, &debit["available"]), (StatusCode::CREATED, &json!("3")), "{debit}");
    assert!(debit.get("while").is_none(), "{debit}");
    let (_, record) = server.get(&format!("/records/{}", debit["sequence"])).await;
    assert_eq!(record["input"]["order"]["metadata"], metadata, "{record}");
}

#[tokio::test]
async fn metadata_that_is_missing_or_no_short_scalar_is_refused() {
    let server = server_under(STRICT);
    server.granted("a", "5").await;
    let path = "/accounts/a/debits";
    let debit = |metadata: Value| json!({"amount": "1", "metadata": metadata});
    let refused =
        server.refused(path, &debit(json!({"model": "m"})), 422, "metadata_missing").await;
    assert_eq!(refused["missing"], json!(["request_id"]));
    let refused = server.refused(path, &json!({"amount": "1"}), 422, "metadata_missing").await;
    assert_eq!(refused["missing"], json!(["model", "request_id"]));
    for bad in [json!({"x": null}), json!({"x": [1]}), json!({"x": "y".repeat(257)})] {
        server.refused(path, &debit(bad), 422, "metadata_invalid").await;
    }
    server.refused(path, &debit(json!("x")), 400, "body_malformed").await;
    let whole = json!({"model": "m", "request_id": "r"});
    let (_, answer) = server.done(path, "d", &debit(whole)).await;
    let back = json!({"debit": answer["id"], "amount": "1", "reason": "failed"});
    server.refused("/accounts/a/returns", &back, 409, "returns_not_offered").await;
}

#[tokio::test]
async fn every_bad_amount_has_its_code_and_changes_nothing() {
    let server = server();
    server.granted("a", "5").await;
    let held = json!({"amount": "1", "expires_in_seconds": 60});
    let (_, hold) = server.done("/accounts/a/holds", "h", &held).await;
    let capture = format!("/accounts/a/holds/{}/capture", hold["id"].as_str().unwrap());
    let (_, debit) = server.done("/accounts/a/debits", "d", &json!({"amount": "1"})).await;
    for (path, mut body) in [
        ("/accounts/a/debits", json!({})),
        ("/accounts/a/holds", json!({"expires_in_seconds": 60})),
        (&*capture, json!({})),
        ("/accounts/a/returns", json!({"debit": debit["id"], "reason": "r"})),
        ("/accounts/a/grants", json!({"kind": "gift", "reason": "r"})),
        ("/accounts/a/write-offs", json!({"reason": "r"})),
    ] {
        for amount in ["-1", "0", "0.0000001", "1e3", "0x1", "", " 1", "NaN", "1000000000000001"] {
            body["amount"] = json!(amount);
            server.refused(path, &body, 422, "amount_invalid").await;
        }
        body["amount"] = json!(1);
        server.refused(path, &body, 400, "body_malformed").await;
    }
}

#[tokio::test]
async fn usage_that_happened_is_owed_and_says_how_the_account_stood() {
    let server = server();
    server.granted("a", "1").await;
    let freeze = json!({"reason": "r", "measures": {"spending": "suspend"}});
    server.done("/accounts/a/freezes", "f", &freeze).await;
    server.refused("/accounts/a/debits", &json!({"amount": "1"}), 409, "account_frozen").await;
    let body = json!({"amount": "3", "already_happened": true});
    let (_, debit) = server.done("/accounts/a/debits", "d", &body).await;
    assert_eq!((&debit["while"], &debit["available"]), (&json!("frozen"), &json!("0")), "{debit}");
    assert_eq!(debit["drawn"].as_array().unwrap().len(), 2, "{debit}");
    assert_eq!(server.get("/accounts/a").await.1["owed"], "2");
}

#[tokio::test]
async fn a_debit_is_made_good_once_and_never_above_it() {
    let server = server();
    server.granted("a", "5").await;
    server.granted("b", "5").await;
    let (_, debit) = server.done("/accounts/a/debits", "d", &json!({"amount": "2"})).await;
    let back = |amount: &str| json!({"debit": debit["id"], "amount": amount, "reason": "failed"});
    let path = "/accounts/a/returns";
    let refused = server.refused(path, &back("2.000001"), 422, "return_above_debit").await;
    assert_eq!(refused["used"], "2");
    for unknown in [json!("none"), json!("7f0d5c36-8a4c-5a44-9d1c-0f3c1b0f0f0f")] {
        let body = json!({"debit": unknown, "amount": "1", "reason": "r"});
        server.refused(path, &body, 404, "debit_unknown").await;
    }
    server.refused("/accounts/b/returns", &back("1"), 404, "debit_unknown").await;
    server.refused("/accounts/none/returns", &back("1"), 404, "account_unknown").await;

    let (status, made) = server.done(path, "r", &back("1.5")).await;
    assert_eq!((status, &made["available"]), (StatusCode::CREATED, &json!("4.5")), "{made}");
    assert_eq!((&made["debit"], &made["amount"]), (&debit["id"], &json!("1.5")));
    assert_eq!(made["returned"], json!([{"lot": debit["drawn"][0]["lot"], "amount": "1.5"}]));
    server.refused(path, &back("0.5"), 409, "return_already_made").await;
}
