//! What a provider lists and what never arrived.

use super::*;

const PATH: &str = "/sources/paddle/back-fill";

fn listed(body: &str) -> Value {
    let mut event: Value = serde_json::from_str(body).unwrap();
    event.as_object_mut().unwrap().remove("notification_id");
    event
}

impl Server {
    async fn back_fill(&self, path: &str, body: &Value) -> Value {
        let (status, _, answer) = self.post(path, "k", body).await;
        assert_eq!(status, StatusCode::OK, "{answer}");
        assert_eq!(answer["back_filled"], true);
        answer
    }

    async fn became(&self, path: &str, body: &Value, outcome: &str, sequence: u64) {
        let answer = self.back_fill(path, body).await;
        assert_eq!((&answer["outcome"], &answer["sequence"]), (&json!(outcome), &json!(sequence)));
    }

    async fn paid(&self) -> Value {
        let (_, view) = self.get("/accounts/acct-demo").await;
        view["paid"].clone()
    }
}

#[tokio::test]
async fn a_listed_event_is_recorded_as_brought_in_and_its_delivery_is_a_duplicate() {
    let server = server();
    server.became(PATH, &listed(COMPLETED), "recorded", 3).await;
    let paid = server.paid().await;
    assert_ne!(paid, "0");
    server.became(PATH, &listed(COMPLETED), "duplicate", 3).await;
    let (_, later) = server.deliver(COMPLETED).await;
    assert_eq!((&later["outcome"], &later["sequence"]), (&json!("duplicate"), &json!(3)));
    assert_eq!((server.paid().await, server.records()), (paid, 3));

    let (_, record) = server.get("/records/3").await;
    let brought = json!({"actor": "all", "listing": "events"});
    assert_eq!(record["input"]["back_filled"], brought);
    assert_eq!(
        (&record["input"]["signature"], &record["input"]["freshness"]),
        (&Value::Null, &json!("fresh"))
    );
    let (_, statement) = server.get("/accounts/acct-demo/statement").await;
    assert_eq!(statement["items"][0]["back_filled_by"], "all");
}

#[tokio::test]
async fn what_was_delivered_is_no_news() {
    let server = server();
    server.deliver(COMPLETED).await;
    server.became(PATH, &listed(COMPLETED), "duplicate", 3).await;
    let (_, record) = server.get("/records/3").await;
    assert_eq!(record["input"]["back_filled"], Value::Null);
    let other = listed(&COMPLETED.replace("\"1000\"", "\"2000\""));
    server.became(PATH, &other, "conflict", 4).await;
}

#[tokio::test]
async fn a_listed_payment_counts_once_whatever_of_its_events_arrives() {
    let server = server();
    let mut payment = listed(COMPLETED)["data"].take();
    payment["updated_at"] = json!("2026-08-31T00:00:00Z");
    let path = format!("{PATH}?listing=payments");
    server.became(&path, &payment, "recorded", 3).await;
    let paid = server.paid().await;
    assert_ne!(paid, "0");
    server.became(&path, &payment, "duplicate", 3).await;
    server.deliver(COMPLETED).await;
    server.became(PATH, &listed(COMPLETED), "duplicate", 4).await;
    assert_eq!(server.paid().await, paid);
    let (_, record) = server.get("/records/3").await;
    assert_eq!(record["input"]["back_filled"]["listing"], "payments");
}

/// A payment that was changed under a later version was not bought under it.
#[tokio::test]
async fn a_listed_payment_follows_the_policy_of_when_the_money_came() {
    let server = server();
    let later = POLICY.replace("version = 1", "version = 2").replace("USD = \"1\"", "USD = \"2\"");
    let later = later.replace("2026-06-05T00:00:00Z", "2026-09-02T00:00:00Z");
    server.done("/policies", "v2", &json!({"toml": later})).await;
    let mut payment = listed(COMPLETED)["data"].take();
    payment["updated_at"] = json!("2026-10-31T00:00:00Z");
    let path = format!("{PATH}?listing=payments");
    server.became(&path, &payment, "recorded", 4).await;
    assert_eq!(server.paid().await, "10");
    let (_, shown) = server.get(&format!("/payments/{PAYMENT}")).await;
    assert_eq!(shown["conversion"]["policy"], 1, "{shown}");
    assert_eq!(shown["paid"]["since"], "2026-07-06T09:05:08.77135Z", "{shown}");

    for part in payment["payments"].as_array_mut().unwrap() {
        part["captured_at"] = Value::Null;
    }
    payment["billed_at"] = Value::Null;
    let refused = server.refused(&path, &payment, 422, "back_fill_malformed").await;
    let detail = refused["detail"].as_str().unwrap();
    assert!(detail.contains("can't be brought in"), "{refused}");
}

#[tokio::test]
async fn a_listed_adjustment_counts_once_whatever_of_its_events_arrives() {
    let server = server();
    server.deliver(COMPLETED).await;
    let path = format!("{PATH}?listing=adjustments");
    let adjustment = listed(CHARGEBACK)["data"].take();
    server.became(&path, &adjustment, "recorded", 4).await;
    let (_, before) = server.get("/accounts/acct-demo").await;
    assert_eq!(before["status"], "frozen", "{before}");
    server.deliver(CHARGEBACK).await;
    let (_, mut after) = server.get("/accounts/acct-demo").await;
    for moving in ["version", "sequence", "recorded_at", "at"] {
        if let Some(value) = before.get(moving) {
            after[moving] = value.clone();
        }
    }
    assert_eq!(after, before);
}

#[tokio::test]
async fn what_the_list_can_not_have_is_refused() {
    let server = server();
    let before = server.records();
    let payments = format!("{PATH}?listing=payments");
    for (path, body, status, code) in [
        ("/sources/other/back-fill", listed(COMPLETED), 404, "source_unknown"),
        (PATH, json!([]), 422, "back_fill_malformed"),
        (PATH, json!({"event_type": "customer.updated"}), 422, "back_fill_malformed"),
        (PATH, listed(COMPLETED)["data"].take(), 422, "back_fill_malformed"),
        (&payments, listed(COMPLETED), 422, "back_fill_malformed"),
        ("/sources/paddle/back-fill?listing=all", listed(COMPLETED), 400, "query_invalid"),
    ] {
        server.refused(path, &body, status, code).await;
    }
    assert_eq!(server.records(), before);
}
