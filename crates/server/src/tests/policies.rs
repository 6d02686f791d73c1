//! The versions of the policy.

use super::*;

/// The policy as a later version.
fn later(from: &str) -> String {
    let policy = POLICY.replace("version = 1", "version = 2");
    policy.replace("2026-06-05T00:00:00Z", from).replace("USD = \"1\"", "USD = \"2\"")
}

#[tokio::test]
async fn a_version_is_put_in_force_and_shown_as_it_was_written() {
    let server = server();
    server.deliver(COMPLETED).await;
    let text = later("2026-09-02T00:00:00Z");
    let (status, activated) = server.done("/policies", "v2", &json!({"toml": text})).await;
    assert_eq!(status, StatusCode::CREATED);
    assert_eq!((&activated["version"], &activated["name"]), (&json!(2), &json!("all-sales-final")));
    assert_eq!(activated["effective_from"], "2026-09-02T00:00:00Z");
    let digest = hex::encode(Sha256::digest(text.as_bytes()));
    assert_eq!(activated["file_sha256"], json!(digest));

    let (_, page) = server.get("/policies").await;
    let versions = page["items"].as_array().unwrap().iter().map(|item| item["version"].as_u64());
    assert_eq!(versions.collect::<Vec<_>>(), [Some(1), Some(2)]);
    for (version, toml) in [(1, POLICY), (2, &text)] {
        let (status, shown) = server.get(&format!("/policies/{version}")).await;
        assert_eq!((status, &shown["toml"]), (StatusCode::OK, &json!(toml)));
        assert_eq!(shown["version"], version);
    }
    for none in ["3", "0", "x", "-1"] {
        let (_, problem) = server.get(&format!("/policies/{none}")).await;
        assert_eq!(problem["code"], "policy_unknown", "{none}");
    }
    // What was sold before keeps its version, what is sold later follows the new one.
    let (_, payment) = server.get(&format!("/payments/{PAYMENT}")).await;
    assert_eq!(payment["conversion"]["policy"], 1, "{payment}");
    let sold = COMPLETED.replace(PAYMENT, "txn_later").replace("evt_", "evt_later");
    server.deliver(&sold.replace("2026-07-06", "2026-09-02")).await;
    let (_, payment) = server.get("/payments/txn_later").await;
    assert_eq!(payment["conversion"]["rate"], json!({"currency": "USD", "credits": "2"}));
    assert_eq!(payment["credits"]["granted"]["paid"], "20");

    let file = config(&text, "live");
    let log: Arc<dyn EventLog> = server.log.clone();
    let engine = Engine::open(log, Arc::clone(&server.projections), |_, _| {}).unwrap();
    settle(&engine, &server.projections, &file, server.clock.now()).unwrap();
}

#[tokio::test]
async fn a_policy_that_cannot_follow_or_is_wrong_is_refused() {
    let server = server();
    let future = "2026-09-02T00:00:00Z";
    for (text, status, code) in [
        (POLICY.to_owned(), 409, "policy_refused"),
        (POLICY.replace("version = 1", "version = 2"), 409, "policy_refused"),
        (later(future).replace("unit = \"USD\"", "unit = \"EUR\""), 409, "policy_refused"),
        (later(future).replace("decimals = 6", "decimals = 2"), 409, "policy_refused"),
        ("version = 2".to_owned(), 422, "policy_invalid"),
        (later(future).replace("[spending]", "[spendings]"), 422, "policy_invalid"),
        ("not toml".to_owned(), 422, "policy_invalid"),
        (String::new(), 422, "policy_invalid"),
    ] {
        server.refused("/policies", &json!({"toml": text}), status, code).await;
    }
    server.refused("/policies", &json!({}), 400, "body_malformed").await;
    server.refused("/policies", &json!({"toml": 1}), 400, "body_malformed").await;
    let wrong = later(future).replace("decimals = 6", "decimals = 10");
    let problem = server.refused("/policies", &json!({"toml": wrong}), 422, "policy_invalid").await;
    let line = 1 + wrong.lines().position(|line| line.starts_with("decimals")).unwrap();
    assert_eq!(problem["faults"][0]["line"], json!(line), "{problem}");
    assert_eq!(problem["faults"][0]["key"], "credits.decimals");
    assert!(problem["faults"][0]["remedy"].is_string());
    assert_eq!(problem["faults"].as_array().unwrap().len(), 1);
}

#[tokio::test]
async fn a_key_that_put_a_policy_in_force_stands_for_no_other_text() {
    let server = server();
    server.done("/policies", "key", &json!({"toml": later("2026-09-02T00:00:00Z")})).await;
    let other = json!({"toml": later("2026-09-03T00:00:00Z")});
    let (status, _, answer) = server.post("/policies", "key", &other).await;
    assert_eq!((status.as_u16(), &answer["code"]), (422, &json!("idempotency_key_reused")));
}
