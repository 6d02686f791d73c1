//! Both listeners over the real engine, with a log in memory.

use std::{fs, sync::Arc};

use axum::{
    Router,
    body::Body,
    http::{Request, StatusCode, header},
};
use domain::time::Timestamp;
use engine::step::Engine;
use event_store::{
    log::EventLog,
    memory::{FailurePoint, MemoryLog, MemoryViews},
};
use http_body_util::BodyExt;
use ingestion::{paddle, secret::Secret};
use projectors::projections::Projections;
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};
use tokio::sync::watch;
use tower::ServiceExt;

use crate::{
    clock::Clock,
    config::{Config, Environment},
    run::{App, Parts},
    settle::{SettleError, settle},
};

const POLICY: &str = include_str!("../../../policies/all-sales-final.toml");
const COMPLETED: &str = include_str!("../../../tests/fixtures/paddle/transaction.completed.json");
const CUSTOMER: &str = include_str!("../../../tests/fixtures/paddle/customer.updated.json");
const CHARGEBACK: &str =
    include_str!("../../../tests/fixtures/paddle/adjustment.created.chargeback.json");
const PAYMENT: &str = "txn_01kwvafrtpta11yh00kdem0005";
const SECRET: &str = "pdl_ntfset_test";
const NOW: &str = "2026-09-01T00:00:00Z";

/// A clock that stands.
struct Standing(Timestamp);

impl Clock for Standing {
    fn now(&self) -> Timestamp {
        self.0
    }
}

/// A server without sockets.
struct Server {
    public: Router,
    private: Router,
    log: Arc<MemoryLog>,
    projections: Arc<Projections>,
    config: Config,
}

fn config(policy: &str, mode: &str) -> Config {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("policy.toml"), policy).unwrap();
    let sha = |token: &str| hex::encode(Sha256::digest(token.as_bytes()));
    let text = format!(
        r#"
[server]
public = "127.0.0.1:0"
private = "127.0.0.1:0"
data = "data"
[[tokens]]
name = "all"
sha256 = "{}"
roles = ["read", "spend", "operate"]
ledgers = ["main"]
[[tokens]]
name = "reader"
sha256 = "{}"
roles = ["read"]
ledgers = ["main"]
[ledgers.main]
policy = "policy.toml"
mode = "{mode}"
account_from = ["/data/custom_data/account_id"]
[ledgers.main.sources.paddle]
provider = "paddle"
secrets = ["env:SECRET"]
"#,
        sha("all"),
        sha("reader")
    );
    let path = folder.path().join("tallyhook.toml");
    fs::write(&path, text).unwrap();
    Config::load(&path, &Environment::of(&[("SECRET", SECRET)])).unwrap()
}

fn server() -> Server {
    let config = config(POLICY, "live");
    let log = Arc::new(MemoryLog::new());
    let dynamic: Arc<dyn EventLog> = log.clone();
    let projections = Arc::new(Projections::new(Arc::new(MemoryViews::new())));
    let engine = Engine::open(Arc::clone(&dynamic), Arc::clone(&projections), |_, _| {}).unwrap();
    let clock = Arc::new(Standing(Timestamp::parse(NOW).unwrap()));
    let served = settle(&engine, &projections, &config, clock.now()).unwrap();
    let app = App::start(Parts {
        config: config.clone(),
        engine,
        served,
        log: dynamic,
        projections: Arc::clone(&projections),
        clock,
        publisher: None,
        wake: watch::Sender::new(0),
    })
    .unwrap();
    Server { public: app.public, private: app.private, log, projections, config }
}

async fn answered(
    router: &Router,
    request: Request<Body>,
) -> (StatusCode, header::HeaderMap, Value) {
    let response = router.clone().oneshot(request).await.unwrap();
    let (head, body) = response.into_parts();
    let bytes = body.collect().await.unwrap().to_bytes();
    let value = serde_json::from_slice(&bytes).unwrap_or(Value::Null);
    (head.status, head.headers, value)
}

impl Server {
    async fn deliver(&self, body: &str) -> (StatusCode, Value) {
        let seconds = Timestamp::parse(NOW).unwrap().seconds();
        let signature = paddle::sign(&Secret::new(SECRET).unwrap(), seconds, body.as_bytes());
        let request = Request::post("/webhooks/paddle")
            .header(header::CONTENT_LENGTH, body.len())
            .header(paddle::HEADER, signature)
            .body(Body::from(body.to_owned()))
            .unwrap();
        let (status, _, value) = answered(&self.public, request).await;
        (status, value)
    }

    async fn get(&self, path: &str) -> (StatusCode, Value) {
        let request = Request::get(format!("/v1/ledgers/main{path}"))
            .header(header::AUTHORIZATION, "Bearer all")
            .body(Body::empty())
            .unwrap();
        let (status, _, value) = answered(&self.private, request).await;
        (status, value)
    }

    async fn post(&self, path: &str, key: &str, body: &Value) -> (StatusCode, bool, Value) {
        let request = Request::post(format!("/v1/ledgers/main{path}"))
            .header(header::AUTHORIZATION, "Bearer all")
            .header("Idempotency-Key", key)
            .body(Body::from(body.to_string()))
            .unwrap();
        let (status, headers, value) = answered(&self.private, request).await;
        (status, headers.contains_key("idempotent-replayed"), value)
    }
}

#[tokio::test]
async fn a_webhook_is_answered_by_what_became_of_it() {
    let server = server();
    let other = COMPLETED.replace("\"1000\"", "\"2000\"");
    let moved = COMPLETED.replace("ntf_", "ntf_x");
    for (body, outcome, sequence) in [
        (COMPLETED, "recorded", 3),
        (COMPLETED, "duplicate", 3),
        (&moved, "duplicate", 3),
        (&other, "conflict", 4),
        (&other, "conflict", 4),
        (CUSTOMER, "ignored", 5),
        ("not json", "quarantined", 6),
        ("not json", "duplicate", 6),
    ] {
        let (status, answer) = server.deliver(body).await;
        assert_eq!(status, StatusCode::OK, "{answer}");
        assert_eq!(answer["outcome"], outcome, "{answer}");
        assert_eq!(answer["sequence"], sequence, "{answer}");
        assert_eq!(answer["ledger"], "main");
        if outcome == "quarantined" {
            assert_eq!(answer["reason"], "malformed");
        }
    }
}

#[tokio::test]
async fn webhooks_are_checked_in_the_order_of_the_contract() {
    let server = server();
    let over = (1024 * 1024 + 1).to_string();
    for (path, headers, status, code) in [
        ("/webhooks/other", vec![], 404, "source_unknown"),
        ("/webhooks/paddle", vec![("content-encoding", "gzip")], 411, "length_required"),
        (
            "/webhooks/paddle",
            vec![("content-length", &*over), ("content-encoding", "gzip")],
            413,
            "body_too_large",
        ),
        (
            "/webhooks/paddle",
            vec![("content-length", "2"), ("content-encoding", "gzip")],
            415,
            "encoding_unsupported",
        ),
        ("/webhooks/paddle", vec![("content-length", "2")], 401, "signature_invalid"),
        (
            "/webhooks/paddle",
            vec![("content-length", "2"), ("transfer-encoding", "chunked")],
            411,
            "length_required",
        ),
        (
            "/webhooks/paddle",
            vec![("content-length", "2"), ("paddle-signature", "ts=1;h1=00")],
            401,
            "signature_invalid",
        ),
        ("/elsewhere", vec![], 404, "not_found"),
    ] {
        let mut request = Request::post(path);
        for (name, value) in headers {
            request = request.header(name, value);
        }
        let (found, headers, answer) =
            answered(&server.public, request.body(Body::from("{}")).unwrap()).await;
        assert_eq!((found.as_u16(), &answer["code"]), (status, &json!(code)), "{path} {answer}");
        assert_eq!(headers[header::CONTENT_TYPE], "application/problem+json");
    }
}

#[tokio::test]
async fn a_purchase_is_spent_once_for_each_key() {
    let server = server();
    server.deliver(COMPLETED).await;
    let (_, view) = server.get("/accounts/acct-demo").await;
    assert_eq!((&view["available"], &view["unit"]), (&json!("10"), &json!("USD")), "{view}");

    let debit = json!({"amount": "2.5", "metadata": {"model": "x"}});
    let path = "/accounts/acct-demo/debits";
    let (status, replayed, first) = server.post(path, "k1", &debit).await;
    assert_eq!((status, replayed), (StatusCode::CREATED, false), "{first}");
    assert_eq!(first["available"], "7.5");
    assert_eq!(first["drawn"][0]["amount"], "2.5");

    let (status, replayed, again) = server.post(path, "k1", &debit).await;
    assert_eq!((status, replayed), (StatusCode::CREATED, true));
    assert_eq!(again, first);

    let (status, _, reused) = server.post(path, "k1", &json!({"amount": "3"})).await;
    assert_eq!((status.as_u16(), &reused["code"]), (422, &json!("idempotency_key_reused")));

    let (status, _, lacking) = server.post(path, "k2", &json!({"amount": "8"})).await;
    assert_eq!((status.as_u16(), &lacking["code"]), (402, &json!("credits_insufficient")));
    assert_eq!(lacking["available"], "7.5");

    let (_, past) = server.get("/accounts/acct-demo?at_sequence=3").await;
    assert_eq!(past["available"], "10");
    let (status, _) = server.get("/accounts/acct-demo?at_sequence=2").await;
    assert_eq!(status, StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn bad_commands_are_refused_with_their_code() {
    let server = server();
    server.deliver(COMPLETED).await;
    for (path, body, status, code) in [
        ("/accounts/none/debits", json!({"amount": "1"}), 404, "account_unknown"),
        ("/accounts/acct-demo/debits", json!({"amount": 1}), 400, "body_malformed"),
        ("/accounts/acct-demo/debits", json!({"amount": "1", "x": 1}), 400, "body_malformed"),
        ("/accounts/acct-demo/debits", json!({"amount": "0"}), 422, "amount_invalid"),
        ("/accounts/acct-demo/debits", json!({"amount": "1e3"}), 422, "amount_invalid"),
        ("/accounts/acct-demo/debits", json!({"amount": "0.0000001"}), 422, "amount_invalid"),
        (
            "/accounts/acct-demo/grants",
            json!({"amount": "1", "kind": "x", "reason": "r"}),
            400,
            "body_malformed",
        ),
        (
            "/accounts/acct-demo/freezes",
            json!({"reason": "r", "measures": {"spending": "x"}}),
            400,
            "body_malformed",
        ),
    ] {
        let (found, _, answer) = server.post(path, "k", &body).await;
        assert_eq!((found.as_u16(), &answer["code"]), (status, &json!(code)), "{path} {body}");
    }
    let request = Request::post("/v1/ledgers/main/accounts/acct-demo/debits")
        .header(header::AUTHORIZATION, "Bearer all")
        .body(Body::from(r#"{"amount":"1"}"#));
    let (status, _, answer) = answered(&server.private, request.unwrap()).await;
    assert_eq!((status.as_u16(), &answer["code"]), (400, &json!("idempotency_key_missing")));
}

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

#[tokio::test]
async fn after_a_failed_write_nothing_is_acknowledged_and_readiness_says_so() {
    let server = server();
    let ready = || Request::get("/readyz").body(Body::empty()).unwrap();
    assert_eq!(answered(&server.private, ready()).await.0, StatusCode::OK);
    server.log.fail_next_append(FailurePoint::BeforeWrite);
    for _ in 0..2 {
        let (status, answer) = server.deliver(COMPLETED).await;
        assert_eq!((status.as_u16(), &answer["code"]), (503, &json!("try_later")));
    }
    let (status, _, answer) = answered(&server.private, ready()).await;
    assert_eq!(status, StatusCode::SERVICE_UNAVAILABLE);
    assert!(answer["reasons"][0].as_str().unwrap().contains("until a restart"), "{answer}");
}

#[tokio::test]
async fn a_changed_policy_file_is_refused_and_changed_settings_are_recorded() {
    let server = server();
    let log: Arc<dyn EventLog> = server.log.clone();
    let engine = Engine::open(log, Arc::clone(&server.projections), |_, _| {}).unwrap();
    let now = Timestamp::parse(NOW).unwrap();
    let records =
        || server.log.head(server.config.ledgers.keys().next().unwrap()).unwrap().sequence.get();

    settle(&engine, &server.projections, &server.config, now).unwrap();
    assert_eq!(records(), 2);
    for (mode, expected) in [("sandbox", 3), ("live", 4), ("sandbox", 5)] {
        settle(&engine, &server.projections, &config(POLICY, mode), now).unwrap();
        assert_eq!(records(), expected);
    }
    let other = config(&format!("{POLICY}\n"), "live");
    let error = settle(&engine, &server.projections, &other, now).unwrap_err();
    assert!(matches!(error, SettleError::PolicyDiffers { .. }));
    assert!(error.to_string().contains("tallyhook policy activate"), "{error}");
}
