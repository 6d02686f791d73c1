//! Both listeners over the real engine, with a log in memory.

mod assignments;
mod back_fills;
mod cases;
mod checkpoints;
mod erasures;
mod exceptions;
mod holds;
mod imports;
mod openapi;
mod operators;
mod payments;
mod policies;
mod readiness;
mod reading;
mod records;
mod settling;
mod spending;
mod standing;
mod statements;
mod webhooks;

use std::{
    fs,
    sync::{
        Arc, Mutex,
        atomic::{AtomicU64, Ordering},
    },
};

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
    space::Space,
    views::ViewStore,
};
use http_body_util::BodyExt;
use ingestion::{paddle, secret::Secret};
use projectors::projections::Projections;
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};
use tempfile::TempDir;
use tokio::sync::watch;
use tower::ServiceExt;

use crate::{
    checkpoints::Notary,
    clock::{Clock, ManualClock},
    config::{Config, Environment},
    expiry::Expiry,
    private::Backups,
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

/// A server without sockets.
struct Server {
    public: Router,
    private: Router,
    log: Arc<MemoryLog>,
    projections: Arc<Projections>,
    config: Config,
    clock: Arc<ManualClock>,
    expiry: Arc<Expiry>,
    /// How many bytes the disk has free.
    free: Arc<AtomicU64>,
    /// Signs when it is told to.
    notary: Mutex<Notary>,
    /// Has the file of checkpoints.
    folder: TempDir,
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
[[tokens]]
name = "spender"
sha256 = "{}"
roles = ["read", "spend"]
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
        sha("reader"),
        sha("spender")
    );
    let path = folder.path().join("tallyhook.toml");
    fs::write(&path, text).unwrap();
    Config::load(&path, &Environment::of(&[("SECRET", SECRET)])).unwrap()
}

fn server() -> Server {
    server_under(POLICY)
}

fn server_under(policy: &str) -> Server {
    server_of(config(policy, "live"))
}

fn server_of(config: Config) -> Server {
    let free = Arc::new(AtomicU64::new(u64::MAX));
    let said = Arc::clone(&free);
    let space = Space::told(&config.data, move |_| Ok(said.load(Ordering::Relaxed)));
    let space = Arc::new(space);
    let log = Arc::new(MemoryLog::with_space(Arc::clone(&space)));
    let dynamic: Arc<dyn EventLog> = log.clone();
    let views: Arc<dyn ViewStore> = Arc::new(MemoryViews::new());
    let projections = Arc::new(Projections::new(Arc::clone(&views)));
    let engine = Engine::open(Arc::clone(&dynamic), Arc::clone(&projections), |_, _| {}).unwrap();
    let clock = Arc::new(ManualClock::new(Timestamp::parse(NOW).unwrap()));
    let served = settle(&engine, &projections, &config, clock.now()).unwrap();
    let folder = tempfile::tempdir().unwrap();
    let ledgers = served.keys().cloned();
    let signing = &config.checkpoints;
    let opened = Notary::open(signing, folder.path(), ledgers, Arc::clone(&dynamic), &views);
    let (notary, checkpoints) = opened.unwrap();
    let notary = Mutex::new(notary);
    let app = App::start(Parts {
        config: config.clone(),
        engine,
        served,
        log: dynamic,
        projections: Arc::clone(&projections),
        clock: clock.clone(),
        publisher: None,
        space,
        backups: Backups::of(None),
        wake: watch::Sender::new(0),
        checkpoints,
    })
    .unwrap();
    let expiry = Arc::new(app.expiry);
    let (public, private) = (app.public, app.private);
    Server { public, private, log, projections, config, clock, expiry, free, notary, folder }
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

    /// Asks the same twice: the second answer is the first one again, but for what is available.
    async fn done(&self, path: &str, key: &str, body: &Value) -> (StatusCode, Value) {
        let (status, replayed, mut first) = self.post(path, key, body).await;
        assert!(status.is_success() && !replayed, "{path} {body}: {first}");
        let (again, replayed, mut second) = self.post(path, key, body).await;
        assert_eq!((again, replayed), (status, true), "{path} {body}: {second}");
        let shown = first.clone();
        for answer in [&mut first, &mut second] {
            answer.as_object_mut().unwrap().remove("available");
        }
        assert_eq!(first, second, "{path} {body}");
        (status, shown)
    }

    /// Asks what is refused each time in the same way, and changes nothing.
    async fn refused(&self, path: &str, body: &Value, status: u16, code: &str) -> Value {
        let before = self.records();
        for _ in 0..2 {
            let (found, _, answer) = self.post(path, "refused", body).await;
            let expected = (status, &json!(code));
            assert_eq!((found.as_u16(), &answer["code"]), expected, "{path} {body}: {answer}");
        }
        assert_eq!(self.records(), before, "{path} {body}");
        self.post(path, "refused", body).await.2
    }

    /// Signs what there is.
    fn sign(&self) {
        self.notary.lock().unwrap().turn(true, &mut || false);
    }

    fn records(&self) -> u64 {
        self.log.head(self.config.ledgers.keys().next().unwrap()).unwrap().sequence.get()
    }

    /// An account with so many paid credits of a grant.
    async fn granted(&self, account: &str, amount: &str) {
        let body = json!({"amount": amount, "kind": "paid", "reason": "test"});
        let path = format!("/accounts/{account}/grants");
        let (status, _, answer) = self.post(&path, &format!("grant-{account}"), &body).await;
        assert_eq!(status, StatusCode::CREATED, "{answer}");
    }
}
