//! Holds: placed, shown, captured, released, and ended by their time.

use super::*;

const HOLDS: &str = "/accounts/a/holds";

impl Server {
    /// Places a hold of 3 for a minute on an account with 5. Gives the hold's path.
    async fn held(&self, key: &str) -> String {
        let body = json!({"amount": "3", "expires_in_seconds": 60});
        let (_, hold) = self.done(HOLDS, key, &body).await;
        format!("{HOLDS}/{}", hold["id"].as_str().unwrap())
    }

    async fn available(&self) -> String {
        self.get("/accounts/a").await.1["available"].as_str().unwrap().to_owned()
    }

    fn at(&self, moment: &str) {
        self.clock.set(Timestamp::parse(moment).unwrap());
    }

    /// What the expiry's thread does each time that it looks.
    async fn end_due(&self) {
        let expiry = Arc::clone(&self.expiry);
        let ledger = self.config.ledgers.keys().next().unwrap().clone();
        tokio::task::spawn_blocking(move || expiry.end_due(&ledger)).await.unwrap().unwrap();
    }
}

#[tokio::test]
async fn a_hold_reserves_until_it_is_captured() {
    let server = server();
    server.granted("a", "5").await;
    let body = json!({"amount": "3", "expires_in_seconds": 60});
    let (status, placed) = server.done(HOLDS, "h", &body).await;
    assert_eq!((status, &placed["available"]), (StatusCode::CREATED, &json!("2")), "{placed}");
    assert_eq!(placed["expires_at"], "2026-09-01T00:01:00Z");
    assert_eq!(placed["reserved"][0]["amount"], "3");
    let path = format!("{HOLDS}/{}", placed["id"].as_str().unwrap());
    let (_, shown) = server.get(&path).await;
    assert_eq!((&shown["status"], &shown["captured"]), (&json!("open"), &Value::Null), "{shown}");

    let capture = format!("{path}/capture");
    let above = json!({"amount": "3.1"});
    let refused = server.refused(&capture, &above, 422, "capture_above_hold").await;
    assert_eq!(refused["reserved"], "3");
    let body = json!({"amount": "2", "metadata": {"model": "m"}});
    let (status, captured) = server.done(&capture, "c", &body).await;
    assert_eq!((status, &captured["available"]), (StatusCode::OK, &json!("3")), "{captured}");
    assert_eq!((&captured["hold"], &captured["amount"]), (&placed["id"], &json!("2")));
    assert_eq!(captured["drawn"], json!([{"lot": placed["reserved"][0]["lot"], "amount": "2"}]));
    let (_, shown) = server.get(&path).await;
    assert_eq!(shown["status"], "captured", "{shown}");
    assert_eq!(shown["captured"], json!({"debit": captured["id"], "amount": "2"}));
    server.refused(&capture, &json!({"amount": "1"}), 409, "hold_finished").await;

    let back = json!({"debit": captured["id"], "amount": "2", "reason": "failed"});
    let (_, returned) = server.done("/accounts/a/returns", "r", &back).await;
    assert_eq!(returned["available"], "5");
}

#[tokio::test]
async fn a_released_hold_is_free_again() {
    let server = server();
    server.granted("a", "5").await;
    let path = server.held("h").await;
    let release = format!("{path}/release");
    let (status, released) = server.done(&release, "r", &json!({})).await;
    assert_eq!((status, &released["available"]), (StatusCode::OK, &json!("5")), "{released}");
    assert!(path.ends_with(released["hold"].as_str().unwrap()));
    assert_eq!(server.get(&path).await.1["status"], "released");
    server.refused(&release, &json!({}), 409, "hold_finished").await;
    server.refused(&release, &json!({"x": 1}), 400, "body_malformed").await;

    let path = server.held("h2").await;
    let request = Request::post(format!("/v1/ledgers/main{path}/release"))
        .header(header::AUTHORIZATION, "Bearer all")
        .header("Idempotency-Key", "without a body");
    let answer = answered(&server.private, request.body(Body::empty()).unwrap()).await;
    assert_eq!(answer.0, StatusCode::OK, "{}", answer.2);
}

#[tokio::test]
async fn holds_that_cannot_be_are_refused() {
    let server = server();
    server.granted("a", "5").await;
    server.granted("b", "5").await;
    for seconds in [0, -1, 31_536_001, i64::MAX] {
        let body = json!({"amount": "1", "expires_in_seconds": seconds});
        server.refused(HOLDS, &body, 422, "hold_time_invalid").await;
    }
    for bad in [json!({"amount": "1"}), json!({"amount": "1", "expires_in_seconds": "60"})] {
        server.refused(HOLDS, &bad, 400, "body_malformed").await;
    }
    let above = json!({"amount": "5.1", "expires_in_seconds": 60});
    let refused = server.refused(HOLDS, &above, 402, "credits_insufficient").await;
    assert_eq!(refused["available"], "5");
    let body = json!({"amount": "1", "expires_in_seconds": 60});
    server.refused("/accounts/none/holds", &body, 404, "account_unknown").await;

    let id = server.held("h").await.rsplit('/').next().unwrap().to_owned();
    for hold in ["none", "7f0d5c36-8a4c-5a44-9d1c-0f3c1b0f0f0f"] {
        let path = format!("{HOLDS}/{hold}");
        let (status, answer) = server.get(&path).await;
        assert_eq!((status.as_u16(), &answer["code"]), (404, &json!("hold_unknown")), "{answer}");
        let capture = format!("{path}/capture");
        server.refused(&capture, &json!({"amount": "1"}), 404, "hold_unknown").await;
        server.refused(&format!("{path}/release"), &json!({}), 404, "hold_unknown").await;
    }
    let of_another = format!("/accounts/b/holds/{id}");
    assert_eq!(server.get(&of_another).await.1["code"], "hold_unknown");
    let release = format!("{of_another}/release");
    server.refused(&release, &json!({}), 404, "hold_unknown").await;
}

#[tokio::test]
async fn a_hold_ends_by_itself_as_a_record_when_its_time_is_over() {
    let server = server();
    server.granted("a", "5").await;
    let (captured, open) = (server.held("h1").await, json!({"amount": "1"}));
    server.done(&format!("{captured}/capture"), "c", &open).await;
    let path = server.held("h2").await;
    server.end_due().await;
    let before = server.records();

    server.at("2026-09-01T00:00:59.999999Z");
    server.end_due().await;
    assert_eq!((server.available().await.as_str(), server.records()), ("1", before));

    server.at("2026-09-01T00:01:00Z");
    server.refused(&format!("{path}/capture"), &open, 409, "hold_finished").await;
    for _ in 0..2 {
        server.end_due().await;
        assert_eq!((server.available().await.as_str(), server.records()), ("4", before + 1));
    }
    assert_eq!(server.get(&path).await.1["status"], "expired");
    assert_eq!(server.get(&captured).await.1["status"], "captured");
    let (_, record) = server.get(&format!("/records/{}", before + 1)).await;
    assert_eq!(record["input"]["actor"], "tallyhook", "{record}");
    assert_eq!(record["input"]["order"]["order"], "expire_hold", "{record}");
    assert!(path.ends_with(record["input"]["order"]["hold"].as_str().unwrap()));
}

#[tokio::test]
async fn more_holds_than_are_ended_at_once_all_end() {
    let server = server();
    server.granted("a", "5").await;
    let many = crate::limits::HOLDS_EXPIRED_AT_ONCE_MAX * 2 + 1;
    let body = json!({"amount": "0.001", "expires_in_seconds": 1});
    for key in 0..many {
        server.post(HOLDS, &key.to_string(), &body).await;
    }
    assert_eq!(server.available().await, "4.487");
    server.at("2026-09-01T00:00:01Z");
    server.end_due().await;
    assert_eq!(server.available().await, "5");
}

#[tokio::test]
async fn nobody_can_take_the_key_by_which_a_hold_ends() {
    let server = server();
    server.granted("a", "5").await;
    let path = server.held("h").await;
    let key = format!("expire:{}", path.rsplit('/').next().unwrap());
    let (status, _, answer) =
        server.post("/accounts/a/debits", &key, &json!({"amount": "1"})).await;
    assert_eq!((status.as_u16(), &answer["code"]), (400, &json!("idempotency_key_missing")));
    server.at("2026-09-01T00:01:00Z");
    server.end_due().await;
    assert_eq!(server.available().await, "5");
}

/// The thread looks at once when it starts, and is stopped by its owner.
#[tokio::test]
async fn holds_that_ended_while_no_server_ran_end_at_the_start() {
    let server = server();
    server.granted("a", "5").await;
    server.held("h").await;
    server.at("2026-09-01T00:01:00Z");
    let Server { expiry, projections, config, .. } = server;
    let expiry = Arc::into_inner(expiry).unwrap().start().unwrap();
    assert!(tokio::task::spawn_blocking(|| expiry.stop()).await.unwrap());
    let ledger = config.ledgers.keys().next().unwrap();
    let account = domain::ids::AccountId::new("a").unwrap();
    let view = projections.account(ledger, &account).unwrap().unwrap();
    assert_eq!(view.books.available().unwrap().to_string(), "5");
}
