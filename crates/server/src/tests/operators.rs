//! Grants and write-offs.

use super::*;

#[tokio::test]
async fn a_grant_says_into_which_lot_and_why() {
    let server = server();
    let path = "/accounts/a/grants";
    let body = json!({"amount": "2.5", "kind": "gift", "label": "coupon", "reason": "welcome"});
    let (status, grant) = server.done(path, "g", &body).await;
    assert_eq!((status, &grant["available"]), (StatusCode::CREATED, &json!("2.5")), "{grant}");
    assert_eq!((&grant["kind"], &grant["label"]), (&json!("gift"), &json!("coupon")));
    assert_eq!(server.get("/accounts/a").await.1["gift"], "2.5");
    for bad in [
        json!({"amount": "1", "kind": "gift"}),
        json!({"amount": "1", "kind": "gift", "reason": ""}),
        json!({"amount": "1", "kind": "gift", "reason": "r", "label": ""}),
        json!({"amount": "1", "kind": "gift", "reason": "r".repeat(1001)}),
    ] {
        server.refused(path, &bad, 400, "body_malformed").await;
    }
}

#[tokio::test]
async fn what_is_owed_is_written_off_in_part_or_whole_and_never_more() {
    let server = server();
    server.granted("a", "1").await;
    let path = "/accounts/a/write-offs";
    let nothing = server.refused(path, &json!({"reason": "r"}), 422, "write_off_above_owed").await;
    assert_eq!(nothing["owed"], "0");
    let used = json!({"amount": "6", "already_happened": true});
    server.done("/accounts/a/debits", "d", &used).await;
    let above = json!({"amount": "5.1", "reason": "r"});
    assert_eq!(server.refused(path, &above, 422, "write_off_above_owed").await["owed"], "5");

    let (status, part) = server.done(path, "p", &json!({"amount": "2", "reason": "r"})).await;
    assert_eq!((status, &part["amount"]), (StatusCode::CREATED, &json!("2")), "{part}");
    let (_, rest) = server.done(path, "w", &json!({"reason": "bankrupt"})).await;
    assert_eq!(rest["amount"], "3", "{rest}");
    let (_, view) = server.get("/accounts/a").await;
    assert_eq!((&view["owed"], &view["written_off"]), (&json!("0"), &json!("5")), "{view}");
}

#[tokio::test]
async fn only_operators_may_do_what_operators_do() {
    let server = server();
    server.granted("a", "5").await;
    for path in [
        "/accounts/a/grants",
        "/accounts/a/freezes",
        "/accounts/a/freezes/x/clear",
        "/accounts/a/close",
        "/accounts/a/write-offs",
        "/accounts/a/customers",
        "/payments/x/assign",
        "/payments/x/disputes/chargeback/conclude",
    ] {
        for token in ["reader", "spender"] {
            let request = Request::post(format!("/v1/ledgers/main{path}"))
                .header(header::AUTHORIZATION, format!("Bearer {token}"))
                .header("Idempotency-Key", "k")
                .body(Body::from("{}"));
            let (status, _, answer) = answered(&server.private, request.unwrap()).await;
            let found = (status.as_u16(), &answer["code"]);
            assert_eq!(found, (403, &json!("role_missing")), "{path} {token}");
        }
    }
    for path in ["debits", "holds", "holds/x/capture", "holds/x/release", "returns"] {
        let request = |token: &str| {
            Request::post(format!("/v1/ledgers/main/accounts/a/{path}"))
                .header(header::AUTHORIZATION, format!("Bearer {token}"))
                .header("Idempotency-Key", "k")
                .body(Body::from(r#"{"x":1}"#))
                .unwrap()
        };
        let (_, _, answer) = answered(&server.private, request("reader")).await;
        assert_eq!(answer["code"], "role_missing", "{path}");
        let (_, _, answer) = answered(&server.private, request("spender")).await;
        assert_eq!(answer["code"], "body_malformed", "{path}");
    }
}
