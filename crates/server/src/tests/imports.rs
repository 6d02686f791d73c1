//! Payments from before Tallyhook.

use super::*;

const REFUNDED: &str =
    include_str!("../../../../tests/fixtures/paddle/adjustment.updated.refund-approved.json");

/// A row: 1000 paid and 100 gift credits for 10 USD, of which 400 and 25 are left.
fn row() -> Value {
    json!({
        "account": "old", "payment": PAYMENT, "paid_at": "2025-01-31T12:00:00+08:00",
        "currency": "USD", "amount": "10.00", "tax": "2",
        "granted": {"paid": "1000", "gift": "100"}, "left": {"paid": "400", "gift": "25"},
        "reason": "from the old system",
    })
}

fn with(name: &str, value: Value) -> Value {
    let mut row = row();
    row[name] = value;
    row
}

#[tokio::test]
async fn an_imported_payment_has_what_is_left_and_a_later_refund_finds_it() {
    let server = server();
    let (status, imported) = server.done("/imports", "row", &row()).await;
    assert_eq!((status, &imported["available"]), (StatusCode::CREATED, &json!("425")));
    assert_eq!(imported["used"], json!({"paid": "600", "gift": "75"}));
    let (_, view) = server.get("/accounts/old").await;
    assert_eq!((&view["paid"], &view["gift"]), (&json!("400"), &json!("25")), "{view}");

    let (_, payment) = server.get(&format!("/payments/{PAYMENT}")).await;
    assert_eq!(payment["opening"]["used"], json!({"paid": "600", "gift": "75"}), "{payment}");
    assert_eq!(payment["opening"]["granted"], json!({"paid": "1000", "gift": "100"}));
    assert_eq!(payment["conversion"]["imported"], true);
    assert_eq!(payment["conversion"]["rate"], Value::Null);
    assert_eq!(payment["paid"]["total"], "1200");
    let (_, page) = server.get(&format!("/accounts/old/statement?payment={PAYMENT}")).await;
    assert_eq!(page["items"][0]["sequence"], 3, "{page}");

    server.deliver(REFUNDED).await;
    let (_, view) = server.get("/accounts/old").await;
    assert_eq!((&view["available"], &view["owed"]), (&json!("0"), &json!("675")), "{view}");
    server.refused("/imports", &row(), 409, "payment_known").await;
}

#[tokio::test]
async fn rows_that_cannot_be_are_refused_with_their_code() {
    let server = server();
    server.granted("closed", "1").await;
    server.done("/accounts/closed/close", "close", &json!({"reason": "r"})).await;
    for (body, status, code) in [
        (with("amount", json!("0")), 422, "import_invalid"),
        (with("paid_at", json!("2026-09-01T00:00:01Z")), 422, "import_invalid"),
        (with("left", json!({"paid": "1000.000001"})), 422, "import_invalid"),
        (with("left", json!({"paid": "0", "gift": "101"})), 422, "import_invalid"),
        (with("left", json!({"paid": "-1"})), 422, "amount_invalid"),
        (with("left", json!({"paid": "0.0000001"})), 422, "amount_invalid"),
        (with("granted", json!({"paid": "0"})), 422, "import_invalid"),
        (with("granted", json!({"paid": "x"})), 422, "amount_invalid"),
        (with("granted", json!({"gift": "1"})), 400, "body_malformed"),
        (with("amount", json!("10.001")), 422, "amount_invalid"),
        (with("amount", json!("-10")), 422, "amount_invalid"),
        (with("tax", json!("1e2")), 422, "amount_invalid"),
        (with("currency", json!("XBT")), 422, "amount_invalid"),
        (with("paid_at", json!("last year")), 400, "body_malformed"),
        (with("payment", json!("")), 400, "body_malformed"),
        (with("account", json!("")), 400, "body_malformed"),
        (with("account", json!("closed")), 409, "account_closed"),
        (with("origin", json!("stripe")), 400, "body_malformed"),
        (with("reason", json!("")), 400, "body_malformed"),
        (with("other", json!("")), 400, "body_malformed"),
    ] {
        server.refused("/imports", &body, status, code).await;
    }
    let nothing = with("granted", json!({"paid": "0"}));
    let mut nothing_left = nothing;
    nothing_left["left"] = json!({"paid": "0"});
    server.refused("/imports", &nothing_left, 422, "amount_invalid").await;
}

#[tokio::test]
async fn a_payment_that_came_before_its_import_is_known() {
    let server = server();
    server.deliver(COMPLETED).await;
    server.refused("/imports", &row(), 409, "payment_known").await;
}

#[tokio::test]
async fn a_refund_that_came_before_the_import_takes_from_it() {
    let server = server();
    server.deliver(REFUNDED).await;
    let (_, imported) = server.done("/imports", "row", &row()).await;
    assert_eq!(imported["available"], "0");
    let (_, view) = server.get("/accounts/old").await;
    assert_eq!(view["owed"], "675", "{view}");
    let (_, page) = server.get("/exceptions").await;
    assert_eq!(page["items"], json!([]), "the refund is no orphan any more");
}
