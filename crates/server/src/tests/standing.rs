//! Freezes, single measures, closing.

use super::*;

#[tokio::test]
async fn an_operators_freeze_stops_spending_until_it_is_ended() {
    let server = server();
    let account = "/accounts/a%2Fb%20c";
    let grant = json!({"amount": "5", "kind": "gift", "label": "test", "reason": "r"});
    let (status, _, granted) = server.post(&format!("{account}/grants"), "g", &grant).await;
    assert_eq!((status, &granted["available"]), (StatusCode::CREATED, &json!("5")), "{granted}");
    let freeze = json!({"reason": "looked at", "measures": {"spending": "suspend"}});
    let (_, _, frozen) = server.post(&format!("{account}/freezes"), "f", &freeze).await;
    let (_, _, refused) =
        server.post(&format!("{account}/debits"), "d", &json!({"amount": "1"})).await;
    assert_eq!(refused["code"], "account_frozen");
    let (_, view) = server.get(account).await;
    assert_eq!((&view["account"], &view["status"]), (&json!("a/b c"), &json!("frozen")));

    let id = frozen["id"].as_str().unwrap();
    let path = format!("/v1/ledgers/main{account}/freezes/{id}");
    for replayed in [false, true] {
        let request = Request::delete(&path).header(header::AUTHORIZATION, "Bearer all");
        let (status, headers, answer) =
            answered(&server.private, request.body(Body::empty()).unwrap()).await;
        assert_eq!(status, StatusCode::OK, "{answer}");
        assert_eq!(headers.contains_key("idempotent-replayed"), replayed);
    }
    let (status, _, _) =
        server.post(&format!("{account}/debits"), "d", &json!({"amount": "1"})).await;
    assert_eq!(status, StatusCode::CREATED);
}

#[tokio::test]
async fn a_closed_account_takes_nothing_new_and_keeps_what_it_has() {
    let server = server();
    server.granted("a", "5").await;
    let held = json!({"amount": "1", "expires_in_seconds": 60});
    let (_, hold) = server.done("/accounts/a/holds", "h", &held).await;
    let (_, debit) = server.done("/accounts/a/debits", "d", &json!({"amount": "1"})).await;
    let reason = json!({"reason": "fraud"});
    let (status, closed) = server.done("/accounts/a/close", "c", &reason).await;
    assert_eq!((status, &closed["available"]), (StatusCode::OK, &json!("3")), "{closed}");
    assert_eq!(server.get("/accounts/a").await.1["status"], "closed");

    let grant = json!({"amount": "1", "kind": "gift", "reason": "r"});
    let customer = json!({"customer": "ctm_1", "reason": "r"});
    for (path, body) in [
        ("/accounts/a/debits", &json!({"amount": "1"})),
        ("/accounts/a/holds", &held),
        ("/accounts/a/grants", &grant),
        ("/accounts/a/customers", &customer),
        ("/accounts/a/close", &reason),
    ] {
        server.refused(path, body, 409, "account_closed").await;
    }
    server.refused("/accounts/none/close", &reason, 404, "account_unknown").await;

    // What was allowed before is finished, and what was used wrongly is made good.
    let capture = format!("/accounts/a/holds/{}/capture", hold["id"].as_str().unwrap());
    let (_, captured) = server.done(&capture, "p", &json!({"amount": "1"})).await;
    assert_eq!(captured["while"], "closed", "{captured}");
    let back = json!({"debit": debit["id"], "amount": "1", "reason": "failed"});
    server.done("/accounts/a/returns", "r", &back).await;
    let late = json!({"amount": "1", "already_happened": true});
    assert_eq!(server.done("/accounts/a/debits", "l", &late).await.1["while"], "closed");
}

#[tokio::test]
async fn a_measure_ends_by_an_operators_word_while_its_cause_goes_on() {
    let server = server();
    server.deliver(COMPLETED).await;
    server.deliver(CHARGEBACK).await;
    let account = "/accounts/acct-demo";
    let freeze =
        |view: &Value, place: usize| view["freezes"][place]["id"].as_str().unwrap().to_owned();
    let clear = |freeze: &str| format!("{account}/freezes/{}/clear", freeze.replace('/', "%2F"));
    let (_, view) = server.get(account).await;
    let path = clear(&freeze(&view, 0));
    let service = json!({"measure": "service", "reason": "support agreed"});
    let none = json!({"measure": "verification", "reason": "r"});
    server.refused(&path, &none, 404, "measure_unknown").await;
    let (status, cleared) = server.done(&path, "s", &service).await;
    assert_eq!(status, StatusCode::OK, "{cleared}");
    assert_eq!(cleared["freeze"], view["freezes"][0]["id"]);
    server.refused(&path, &service, 404, "measure_unknown").await;
    let (_, view) = server.get(account).await;
    assert_eq!(view["status"], "frozen");
    assert_eq!(view["freezes"][0]["measures"]["service"], "normal", "{view}");

    let measures = json!({"reason": "r", "measures": {"verification": "require"}});
    let (_, own) = server.done(&format!("{account}/freezes"), "f", &measures).await;
    let path = clear(own["id"].as_str().unwrap());
    let (_, cleared) = server.done(&path, "v", &none).await;
    assert_eq!(cleared["measure"], "verification", "{cleared}");
    for unknown in ["none", "paddle%2Fnone%2Fchargeback"] {
        server.refused(&clear(unknown), &none, 404, "measure_unknown").await;
    }
    server.refused(&path, &json!({"measure": "x", "reason": "r"}), 400, "body_malformed").await;
    server.refused(&path, &json!({"measure": "service"}), 400, "body_malformed").await;
}
