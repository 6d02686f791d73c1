//! Whose payments are, and how their disputes end.

use super::*;

/// The purchase without an account.
fn unassigned() -> String {
    let named = "\"account_id\": \"acct-demo\"";
    assert!(COMPLETED.contains(named));
    COMPLETED.replace(named, "")
}

/// The purchase again, as another one of the same customer.
fn another(purchase: &str) -> String {
    purchase.replace(PAYMENT, "txn_another").replace("evt_", "evt_x")
}

#[tokio::test]
async fn an_unassigned_purchase_is_granted_once_it_is_assigned() {
    let server = server();
    server.deliver(&unassigned()).await;
    let path = format!("/payments/{PAYMENT}/assign");
    let body = json!({"account": "a", "reason": "asked support"});
    for (bad, code) in [
        (json!({"reason": "r"}), "body_malformed"),
        (json!({"account": "", "reason": "r"}), "body_malformed"),
        (json!({"account": "a".repeat(129), "reason": "r"}), "body_malformed"),
    ] {
        server.refused(&path, &bad, 400, code).await;
    }
    server.refused("/payments/txn_none/assign", &body, 404, "payment_unknown").await;
    let elsewhere = format!("{path}?origin=stripe");
    server.refused(&elsewhere, &body, 404, "payment_unknown").await;

    let (status, assigned) = server.done(&path, "k", &body).await;
    assert_eq!((status, &assigned["available"]), (StatusCode::OK, &json!("10")), "{assigned}");
    assert_eq!((&assigned["origin"], &assigned["payment"]), (&json!("paddle"), &json!(PAYMENT)));
    server.refused(&path, &body, 409, "payment_assigned").await;
    let other = json!({"account": "b", "reason": "r"});
    server.refused(&path, &other, 409, "payment_assigned").await;
}

#[tokio::test]
async fn a_customers_later_purchases_are_of_the_assigned_account() {
    let server = server();
    let path = "/accounts/a/customers";
    let customer = "ctm_01kwecs7t0ta11yh00kdem0001";
    for bad in [
        json!({"customer": "", "reason": "r"}),
        json!({"customer": customer}),
        json!({"customer": customer, "origin": "stripe", "reason": "r"}),
    ] {
        server.refused(path, &bad, 400, "body_malformed").await;
    }
    server.deliver(&unassigned()).await;
    let body = json!({"customer": customer, "reason": "the same person"});
    let (status, assigned) = server.done(path, "k", &body).await;
    assert_eq!((status, &assigned["available"]), (StatusCode::CREATED, &json!("0")), "{assigned}");
    assert_eq!((&assigned["origin"], &assigned["customer"]), (&json!("paddle"), &json!(customer)));
    server.deliver(&another(&unassigned())).await;
    assert_eq!(server.get("/accounts/a").await.1["available"], "10");
}

#[tokio::test]
async fn a_lost_dispute_ends_its_measures_and_keeps_what_was_taken() {
    let server = server();
    server.deliver(COMPLETED).await;
    let path = |cause: &str| format!("/payments/{PAYMENT}/disputes/{cause}/conclude");
    let lost = json!({"outcome": "lost", "reason": "the bank decided"});
    server.refused(&path("chargeback"), &lost, 404, "dispute_unknown").await;
    server.deliver(CHARGEBACK).await;
    server.granted("acct-demo", "2").await;
    server.refused(&path("warning"), &lost, 404, "dispute_unknown").await;
    server.refused(&path("other"), &lost, 404, "dispute_unknown").await;
    let unknown = "/payments/txn_none/disputes/chargeback/conclude";
    server.refused(unknown, &lost, 404, "payment_unknown").await;
    let won = json!({"outcome": "won", "reason": "r"});
    server.refused(&path("chargeback"), &won, 400, "body_malformed").await;

    assert_eq!(server.get("/accounts/acct-demo").await.1["status"], "frozen");
    let (status, concluded) = server.done(&path("chargeback"), "k", &lost).await;
    assert_eq!((status, &concluded["available"]), (StatusCode::OK, &json!("2")), "{concluded}");
    let shown = (&concluded["cause"], &concluded["outcome"]);
    assert_eq!(shown, (&json!("chargeback"), &json!("lost")));
    let (_, view) = server.get("/accounts/acct-demo").await;
    assert_eq!((&view["status"], &view["freezes"]), (&json!("active"), &json!([])), "{view}");
    server.refused(&path("chargeback"), &lost, 404, "dispute_unknown").await;
}
