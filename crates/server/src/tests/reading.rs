//! What can be seen, and by whom.

use super::*;

#[tokio::test]
async fn tokens_open_only_what_they_are_for() {
    let server = server();
    for (token, method, path, status, code) in [
        (None, "GET", "/v1/ledgers/main/accounts", 401, "token_invalid"),
        (Some("Bearer nobody"), "GET", "/v1/ledgers/main/accounts", 401, "token_invalid"),
        (Some("Bearer reader"), "GET", "/v1/ledgers/other/accounts", 403, "ledger_not_allowed"),
        (Some("Bearer reader"), "POST", "/v1/ledgers/main/accounts/a/debits", 403, "role_missing"),
        (Some("Bearer reader"), "GET", "/v1/ledgers/main/records/1/body", 403, "role_missing"),
        (Some("Bearer reader"), "GET", "/v1/ledgers/main/accounts/a", 404, "account_unknown"),
        (Some("Bearer reader"), "GET", "/v1/ledgers/main/nothing", 404, "not_found"),
        (
            Some("Bearer all"),
            "GET",
            "/v1/ledgers/main/accounts/a/debits",
            405,
            "method_not_allowed",
        ),
        (Some("Bearer all"), "PUT", "/v1/ledgers/main/records", 405, "method_not_allowed"),
        (Some("Bearer all"), "POST", "/v1/ledgers/main/accounts/%FF/debits", 404, "not_found"),
        (Some("Bearer all"), "GET", "/v1/ledgers/main/accounts/%FF", 404, "not_found"),
        (Some("Bearer all"), "GET", "/v1/ledgers/%FF/records", 404, "not_found"),
    ] {
        let request = Request::builder().method(method).uri(path);
        let request = match token {
            Some(token) => request.header(header::AUTHORIZATION, token),
            None => request,
        };
        let (found, _, answer) =
            answered(&server.private, request.body(Body::empty()).unwrap()).await;
        assert_eq!((found.as_u16(), &answer["code"]), (status, &json!(code)), "{path}");
    }
}

#[tokio::test]
async fn lists_go_on_where_they_ended() {
    let server = server();
    server.deliver(COMPLETED).await;
    server.deliver(CHARGEBACK).await;
    server.deliver("not json").await;
    for name in ["b", "c", "d"] {
        let grant = json!({"amount": "1", "kind": "paid", "reason": "r"});
        server.post(&format!("/accounts/{name}/grants"), name, &grant).await;
    }
    for (path, expected) in [
        ("/accounts?limit=3", 4),
        ("/accounts?limit=1&status=active", 3),
        ("/accounts?status=frozen", 1),
        ("/accounts?owed=true", 0),
        ("/accounts/acct-demo/statement?limit=1", 2),
        ("/records?limit=3", 8),
        ("/records?after=6", 2),
        ("/exceptions?limit=1", 1),
    ] {
        let mut items = Vec::new();
        let mut next = Some(path.to_owned());
        while let Some(asked) = next {
            let (status, page) = server.get(&asked).await;
            assert_eq!(status, StatusCode::OK, "{page}");
            items.extend(page["items"].as_array().unwrap().iter().cloned());
            let bare = path.replace("after=6", "limit=50");
            let glue = if bare.contains('?') { '&' } else { '?' };
            next = page["next"].as_str().map(|cursor| format!("{bare}{glue}cursor={cursor}"));
        }
        assert_eq!(items.len(), expected, "{path} {items:#?}");
    }
}

#[tokio::test]
async fn the_past_has_two_axes() {
    let server = server();
    server.deliver(COMPLETED).await;
    server.deliver(CHARGEBACK).await;
    // The purchase happened on 6 July, the chargeback on the 27th; both were recorded at once.
    for (query, available) in [
        ("", Some("0")),
        ("?happened_by=2026-07-06T00:00:00Z", None),
        ("?happened_by=2026-07-20T00:00:00Z", Some("10")),
        ("?happened_by=2999-01-01T00:00:00Z", Some("0")),
        ("?at_sequence=2&happened_by=2026-07-20T00:00:00Z", None),
        ("?at_sequence=3&happened_by=2999-01-01T00:00:00Z", Some("10")),
        ("?at=2000-01-01T00:00:00Z", None),
        ("?at=2999-01-01T00:00:00Z", Some("0")),
        ("?at=2999-01-01T00:00:00Z&happened_by=2026-07-20T00:00:00Z", Some("10")),
    ] {
        let (status, view) = server.get(&format!("/accounts/acct-demo{query}")).await;
        let found = (status == StatusCode::OK).then(|| view["available"].as_str().unwrap());
        assert_eq!(found, available, "{query}: {view}");
    }
    for query in ["?at=x", "?happened_by=x", "?at=2026-07-01T00:00:00Z&at_sequence=1"] {
        let (_, answer) = server.get(&format!("/accounts/acct-demo{query}")).await;
        assert_eq!(answer["code"], "query_invalid", "{query}");
    }
}

#[tokio::test]
async fn a_balance_is_explained_down_to_the_event() {
    let server = server();
    server.deliver(COMPLETED).await;
    let debit = json!({"amount": "2.5", "metadata": {"request_id": "r-9", "model": "m"}});
    server.post("/accounts/acct-demo/debits", "k", &debit).await;
    let (_, told) = server.get("/explain?id=acct-demo").await;
    assert_eq!(told["account"]["balance"]["paid"], "7.5", "{told:#}");
    let lot = &told["account"]["lots"][0];
    assert_eq!(lot["conversion"]["rate"]["credits"], "1");
    assert_eq!(
        (&lot["moves"][0]["amount"], &lot["moves"][1]["amount"]),
        (&json!("10"), &json!("-2.5"))
    );
    assert_eq!(told["steps"][0]["evidence"]["kind"], "event");
    let (_, told) = server.get("/explain?id=r-9").await;
    assert_eq!((&told["kind"], &told["steps"][0]["sequence"]), (&json!("records"), &json!(4)));
    let (_, told) = server.get("/explain?model=m&id=acct-demo").await;
    assert_eq!(told["steps"][0]["metadata"]["request_id"], "r-9");
    let (_, told) = server.get("/explain?id=acct-demo&at_sequence=3").await;
    assert_eq!(told["account"]["available"], "10");
    let (status, told) = server.get("/explain?id=r-9&at_sequence=3").await;
    assert_eq!((status.as_u16(), &told["code"]), (404, &json!("name_unknown")));
}

#[tokio::test]
async fn payments_records_and_bodies_are_shown() {
    let server = server();
    server.deliver(COMPLETED).await;
    server.deliver(CHARGEBACK).await;
    let (status, payment) = server.get(&format!("/payments/{PAYMENT}")).await;
    assert_eq!((status, &payment["account"]), (StatusCode::OK, &json!("acct-demo")), "{payment}");
    assert_eq!(payment["credits"]["charged_back"]["paid"], "10");
    assert_eq!(server.get("/payments/txn_none").await.1["code"], "payment_unknown");

    let (_, record) = server.get("/records/3").await;
    assert_eq!(record["decision"]["outcome"], "recorded");
    let (status, _) = server.get("/records/99").await;
    assert_eq!(status, StatusCode::NOT_FOUND);
    let request =
        Request::get("/v1/ledgers/main/records/3/body").header(header::AUTHORIZATION, "Bearer all");
    let response =
        server.private.clone().oneshot(request.body(Body::empty()).unwrap()).await.unwrap();
    let bytes = response.into_body().collect().await.unwrap().to_bytes();
    assert_eq!(&*bytes, COMPLETED.as_bytes());
}
