//! What is shown of a payment.

use super::*;

/// A policy that sells by price, and by rate what has no price.
fn by_price() -> String {
    let prices = r#"rates = { USD = "3" }
unlisted = "rate"
prices = [{ price = "pri_01kv5jqdf0ta11yh00kdem0004", paid = "1000", gift = "100" }]"#;
    POLICY.replace("rates = { USD = \"1\" }", prices)
}

#[tokio::test]
async fn a_payment_tells_by_what_its_money_became_credits() {
    let server = server();
    server.deliver(COMPLETED).await;
    let (_, payment) = server.get(&format!("/payments/{PAYMENT}")).await;
    assert_eq!(
        payment["conversion"],
        json!({
            "policy": 1, "name": "all-sales-final", "imported": false,
            "rate": {"currency": "USD", "credits": "1"}, "prices": [],
        })
    );
    assert_eq!(payment["opening"], Value::Null);

    let server = server_under(&by_price());
    server.deliver(COMPLETED).await;
    let (_, payment) = server.get(&format!("/payments/{PAYMENT}")).await;
    assert_eq!(
        payment["conversion"]["prices"],
        json!([{
            "item": "txnitm_01kwvafrtpta11yh00kdem0006", "price": "pri_01kv5jqdf0ta11yh00kdem0004",
            "quantity": 1, "paid": "1000", "gift": "100",
        }])
    );
    assert_eq!(payment["credits"]["granted"], json!({"paid": "1000", "gift": "100"}));
}

#[tokio::test]
async fn a_payment_tells_its_open_disputes_and_what_operators_said_of_them() {
    let server = server();
    server.deliver(COMPLETED).await;
    server.deliver(CHARGEBACK).await;
    let path = format!("/payments/{PAYMENT}");
    let (_, payment) = server.get(&path).await;
    assert_eq!(payment["disputes"][0]["cause"], "chargeback", "{payment}");
    assert_eq!(payment["rulings"], json!([]));
    let body = json!({"outcome": "lost", "reason": "the bank said so"});
    server.done(&format!("{path}/disputes/chargeback/conclude"), "lost", &body).await;
    let (_, payment) = server.get(&path).await;
    assert_eq!(payment["disputes"], json!([]));
    assert_eq!(payment["rulings"][0]["ruling"], "lost", "{payment}");
    assert_eq!(payment["rulings"][0]["cause"], "chargeback");
}
