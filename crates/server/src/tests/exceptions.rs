//! What a person must see, and what a person does about it.

use domain::{
    ids::Text,
    input::{Mode, Stale},
};

use super::*;

const SIMULATED: &str =
    include_str!("../../../../tests/fixtures/paddle/simulated.transaction.completed.json");

async fn listed(server: &Server, query: &str) -> Vec<Value> {
    let (status, page) = server.get(&format!("/exceptions?{query}")).await;
    assert_eq!(status, StatusCode::OK, "{page}");
    page["items"].as_array().unwrap().clone()
}

async fn ids(server: &Server, query: &str) -> Vec<String> {
    let items = listed(server, query).await;
    items.iter().map(|item| item["id"].as_str().unwrap().to_owned()).collect()
}

/// A configuration in which late deliveries wait.
fn waiting() -> Config {
    let mut config = config(POLICY, "live");
    for ledger in config.ledgers.values_mut() {
        ledger.settings.stale = Stale::Quarantine;
    }
    config
}

fn late() -> Timestamp {
    Timestamp::parse("2026-09-01T01:00:00Z").unwrap()
}

#[tokio::test]
async fn a_person_resolves_an_exception_once_and_it_stays_listed() {
    let server = server();
    server.deliver("not json").await;
    assert_eq!(ids(&server, "").await, ["3-malformed"]);
    let path = "/exceptions/3-malformed";
    let (status, resolved) =
        server.done(&format!("{path}/resolve"), "note", &json!({"note": "told them"})).await;
    assert_eq!(status, StatusCode::OK);
    let ended = json!({"sequence": 4, "at": NOW, "by": "resolved"});
    assert_eq!(resolved["exception"]["ended"], ended, "{resolved}");
    assert_eq!(server.get(path).await.1["ended"], ended);
    assert_eq!(ids(&server, "state=open").await, [""; 0]);
    assert_eq!(ids(&server, "state=ended").await, ["3-malformed"]);
    assert_eq!(ids(&server, "state=all").await, ["3-malformed"]);
    server.refused(&format!("{path}/resolve"), &json!({"note": "n"}), 409, "exception_ended").await;
    let (_, record) = server.get("/records/4").await;
    assert!(record.to_string().contains("told them"), "{record}");
}

#[tokio::test]
async fn the_record_that_removes_a_cause_ends_the_exception() {
    let server = server();
    server.deliver(CHARGEBACK).await;
    let open = listed(&server, "").await;
    assert_eq!((&open[0]["kind"], &open[0]["payment"]), (&json!("orphan"), &json!(PAYMENT)));
    assert_eq!(open[0]["ended"], Value::Null);
    server.deliver(COMPLETED).await;
    assert_eq!(ids(&server, "").await, [""; 0]);
    let ended = listed(&server, "state=ended").await;
    assert_eq!(ended[0]["ended"], json!({"sequence": 4, "at": NOW, "by": "cause-gone"}));
}

#[tokio::test]
async fn exceptions_are_filtered_and_paged_over_both_states() {
    let server = server();
    for body in ["not json", "nor this", CHARGEBACK, "{}"] {
        server.deliver(body).await;
    }
    server.done("/exceptions/4-malformed/resolve", "r", &json!({"note": "n"})).await;
    assert_eq!(ids(&server, "kind=malformed").await, ["3-malformed", "6-malformed"]);
    assert_eq!(ids(&server, "kind=malformed&state=ended").await, ["4-malformed"]);
    assert_eq!(ids(&server, &format!("payment={PAYMENT}")).await, ["5-orphan"]);
    assert_eq!(ids(&server, "payment=txn_none").await, [""; 0]);
    assert_eq!(ids(&server, "account=acct-demo").await, [""; 0]);
    let (mut all, mut cursor) = (Vec::new(), String::new());
    loop {
        let (_, page) = server.get(&format!("/exceptions?state=all&limit=1{cursor}")).await;
        all.extend(page["items"].as_array().unwrap().iter().map(|item| item["id"].to_string()));
        match page["next"].as_str() {
            Some(next) => cursor = format!("&cursor={next}"),
            None => break,
        }
    }
    let expected = ["3-malformed", "4-malformed", "5-orphan", "6-malformed"];
    assert_eq!(all, expected.map(|id| format!("{id:?}")));
    for bad in ["kind=none", "state=closed", "cursor=x", "limit=0", "other=1"] {
        let (_, problem) = server.get(&format!("/exceptions?{bad}")).await;
        assert_eq!(problem["code"], "query_invalid", "{bad}");
    }
}

#[tokio::test]
async fn a_late_delivery_moves_credits_once_it_is_released() {
    let server = server_of(waiting());
    server.clock.set(late());
    let (_, answer) = server.deliver(COMPLETED).await;
    assert_eq!((&answer["outcome"], &answer["reason"]), (&json!("quarantined"), &json!("stale")));
    assert_eq!(server.get("/accounts/acct-demo").await.0, StatusCode::NOT_FOUND);
    let path = "/exceptions/3-stale/release";
    server.refused(path, &json!({}), 400, "body_malformed").await;
    let (status, released) = server.done(path, "release", &json!({"reason": "our clock"})).await;
    assert_eq!((status, &released["available"]), (StatusCode::OK, &json!("10")), "{released}");
    assert_eq!(released["exception"]["ended"]["by"], "cause-gone");
    let (_, payment) = server.get(&format!("/payments/{PAYMENT}")).await;
    assert_eq!(payment["credits"]["granted"]["paid"], "10");
    server.refused(path, &json!({"reason": "again"}), 409, "not_quarantined").await;
    let (_, again) = server.deliver(COMPLETED).await;
    assert_eq!(again["outcome"], "duplicate");
    assert_eq!(server.get("/accounts/acct-demo").await.1["available"], "10");
}

#[tokio::test]
async fn a_release_reads_the_bytes_with_the_settings_in_force() {
    let mut config = waiting();
    for ledger in config.ledgers.values_mut() {
        ledger.settings.account_from = vec![Text::new("/data/customer_id").unwrap()];
    }
    let server = server_of(config);
    server.clock.set(late());
    server.deliver(COMPLETED).await;
    // What the source reads at arrival is of the configuration; the settings are newer.
    server.done("/exceptions/3-stale/release", "release", &json!({"reason": "r"})).await;
    let (_, payment) = server.get(&format!("/payments/{PAYMENT}")).await;
    assert_eq!(payment["account"], "ctm_01kwecs7t0ta11yh00kdem0001", "{payment}");
}

#[tokio::test]
async fn what_cannot_act_is_not_released() {
    let server = server();
    for body in ["not json", SIMULATED, CHARGEBACK, COMPLETED] {
        server.deliver(body).await;
    }
    let other = COMPLETED.replace("\"1000\"", "\"2000\"");
    server.deliver(&other).await;
    let reason = json!({"reason": "r"});
    for (id, status, code) in [
        ("3-malformed", 422, "record_unreadable"),
        ("4-simulated", 409, "simulated_in_live"),
        ("5-orphan", 409, "not_quarantined"),
        ("7-conflict", 409, "not_quarantined"),
        ("6-stale", 404, "exception_unknown"),
        ("99-malformed", 404, "exception_unknown"),
        ("nonsense", 404, "exception_unknown"),
    ] {
        server.refused(&format!("/exceptions/{id}/release"), &reason, status, code).await;
    }
    for id in ["6-stale", "nonsense"] {
        let path = format!("/exceptions/{id}");
        assert_eq!(server.get(&path).await.1["code"], "exception_unknown");
        let note = json!({"note": "n"});
        server.refused(&format!("{path}/resolve"), &note, 404, "exception_unknown").await;
    }
    server.refused("/exceptions/3-malformed/resolve", &json!({}), 400, "body_malformed").await;
}

#[tokio::test]
async fn a_simulated_delivery_is_released_once_the_ledger_is_a_sandbox() {
    let mut config = config(POLICY, "live");
    let server = server_of(config.clone());
    server.deliver(SIMULATED).await;
    for ledger in config.ledgers.values_mut() {
        ledger.settings.mode = Mode::Sandbox;
    }
    let log: Arc<dyn EventLog> = server.log.clone();
    let engine = Engine::open(log, Arc::clone(&server.projections), |_, _| {}).unwrap();
    settle(&engine, &server.projections, &config, server.clock.now()).unwrap();
    let path = "/exceptions/3-simulated/release";
    let (_, released) = server.done(path, "release", &json!({"reason": "a trial"})).await;
    assert_eq!(released["available"], "10", "{released}");
}
