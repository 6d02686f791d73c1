//! Where a scenario is played: the server itself, with a clock that stands until it is moved.
//!
//! Listeners, log, writer and API are those of `tallyhook serve`, in a folder of their own; so what
//! a scenario shows is what the product does.

use std::{
    fs,
    net::SocketAddr,
    path::Path,
    sync::{Arc, mpsc},
    thread,
    time::Duration,
};

use anyhow::{Context as _, anyhow};
use domain::time::Timestamp;
use ingestion::{
    paddle::{HEADER, sign},
    secret::Secret,
};
use serde_json::Value;
use server::{
    clock::{Clock as _, ManualClock},
    config::{Config, Environment},
    run::{RunFault, run_until},
};
use sha2::{Digest as _, Sha256};
use tempfile::TempDir;
use tokio_util::sync::CancellationToken;
use ureq::{
    Agent,
    http::{Method, Request},
};

/// The ledger of every scenario.
pub(super) const LEDGER: &str = "main";

/// The longest that a server may take to start.
const START_WAIT_MAX: Duration = Duration::from_secs(30);

/// The longest that one request may take.
const REQUEST_WAIT_MAX: Duration = Duration::from_secs(30);

/// What a ledger is set to.
#[derive(Clone, Copy, Debug)]
pub(super) struct Setup<'s> {
    pub(super) policy: &'s str,
    pub(super) account_from: &'s [String],
    pub(super) start: Timestamp,
}

/// A running server.
pub(super) struct Stage {
    clock: Arc<ManualClock>,
    stop: CancellationToken,
    thread: Option<thread::JoinHandle<Result<(), RunFault>>>,
    public: SocketAddr,
    private: SocketAddr,
    secret: Secret,
    token: String,
    agent: Agent,
    _folder: TempDir,
}

/// What came back.
#[derive(Clone, Debug)]
pub(super) struct Answer {
    pub(super) status: u16,
    /// Null where the answer has no JSON.
    pub(super) body: Value,
}

impl Stage {
    /// Starts a server with one ledger and one source.
    pub(super) fn start(setup: Setup<'_>) -> anyhow::Result<Self> {
        let folder = tempfile::tempdir().context("make a folder for the server")?;
        let token = hex::encode(rand::random::<[u8; 16]>());
        let secret = format!("pdl_ntfset_{}", hex::encode(rand::random::<[u8; 16]>()));
        let config = configured(folder.path(), setup, &token, &secret)?;
        let clock = Arc::new(ManualClock::new(setup.start));
        let stop = CancellationToken::new();
        let (announce, announced) = mpsc::channel();
        let serve = {
            let (clock, stop) = (Arc::clone(&clock), stop.clone());
            move || {
                run_until(config, clock, stop, move |addresses| {
                    // Nobody waits any more when starting took too long.
                    let _ = announce.send(addresses);
                })
            }
        };
        let thread = thread::Builder::new().name("stage".to_owned()).spawn(serve)?;
        let addresses = match announced.recv_timeout(START_WAIT_MAX) {
            Ok(addresses) => addresses,
            Err(_) => {
                stop.cancel();
                let ended = thread.join().map_err(|_| anyhow!("the server failed"))?;
                ended.context("start the server")?;
                return Err(anyhow!("the server did not start in time"));
            }
        };
        let agent = Agent::config_builder()
            .timeout_global(Some(REQUEST_WAIT_MAX))
            .http_status_as_error(false)
            .proxy(None)
            .max_redirects(0)
            .build()
            .new_agent();
        let (public, private) = (addresses.public, addresses.private);
        let secret = Secret::new(&secret)?;
        let thread = Some(thread);
        Ok(Self { clock, stop, thread, public, private, secret, token, agent, _folder: folder })
    }

    /// The moment that it is.
    pub(super) fn now(&self) -> Timestamp {
        self.clock.now()
    }

    /// Moves the clock.
    pub(super) fn set(&self, moment: Timestamp) {
        self.clock.set(moment);
    }

    /// Has the processor deliver a body, signed now.
    pub(super) fn deliver(&self, body: &[u8]) -> anyhow::Result<Answer> {
        let signature = sign(&self.secret, self.now().seconds(), body);
        let request = Request::builder()
            .method(Method::POST)
            .uri(format!("http://{}/webhooks/{LEDGER}", self.public))
            .header("content-type", "application/json")
            .header(HEADER, signature);
        self.answered(self.agent.run(request.body(body)?))
    }

    /// Asks the API, below the ledger; commands under an idempotency key.
    pub(super) fn ask(
        &self,
        method: Method,
        path: &str,
        key: &str,
        body: Option<&Value>,
    ) -> anyhow::Result<Answer> {
        let path = format!("/v1/ledgers/{LEDGER}/{path}");
        self.ask_at(method, &path, key, body)
    }

    /// Asks the API at any path.
    pub(super) fn ask_at(
        &self,
        method: Method,
        path: &str,
        key: &str,
        body: Option<&Value>,
    ) -> anyhow::Result<Answer> {
        let mut request = Request::builder()
            .method(method.clone())
            .uri(format!("http://{}{path}", self.private))
            .header("authorization", format!("Bearer {}", self.token));
        if method != Method::GET {
            request = request.header("idempotency-key", key);
        }
        match body {
            Some(body) => {
                let request = request.header("content-type", "application/json");
                self.answered(self.agent.run(request.body(body.to_string())?))
            }
            None => self.answered(self.agent.run(request.body(())?)),
        }
    }

    fn answered(
        &self,
        answer: Result<ureq::http::Response<ureq::Body>, ureq::Error>,
    ) -> anyhow::Result<Answer> {
        let mut answer = answer.context("ask the server")?;
        let status = answer.status().as_u16();
        let text = answer.body_mut().read_to_string().context("read the server's answer")?;
        Ok(Answer { status, body: serde_json::from_str(&text).unwrap_or(Value::Null) })
    }

    /// Stops the server and waits until everything is closed.
    pub(super) fn stop(mut self) -> anyhow::Result<()> {
        self.stop.cancel();
        match self.thread.take().map(thread::JoinHandle::join) {
            Some(Ok(ended)) => ended.context("stop the server"),
            Some(Err(_)) | None => Err(anyhow!("the server failed")),
        }
    }
}

impl Drop for Stage {
    /// A scenario that could not be played to its end leaves no server behind.
    fn drop(&mut self) {
        self.stop.cancel();
        if let Some(thread) = self.thread.take() {
            // What went wrong before is told already.
            let _ = thread.join();
        }
    }
}

/// Writes and reads the configuration as `serve` would.
fn configured(
    folder: &Path,
    setup: Setup<'_>,
    token: &str,
    secret: &str,
) -> anyhow::Result<Config> {
    let digest = hex::encode(Sha256::digest(token.as_bytes()));
    let pointers = Value::from(setup.account_from);
    let text = format!(
        r#"[server]
public = "127.0.0.1:0"
private = "127.0.0.1:0"
data = "data"

[[tokens]]
name = "scenario"
sha256 = "{digest}"
roles = ["read", "spend", "operate"]
ledgers = ["{LEDGER}"]

[ledgers.{LEDGER}]
policy = "policy.toml"
mode = "live"
account_from = {pointers}

[ledgers.{LEDGER}.sources.{LEDGER}]
provider = "paddle"
secrets = ["file:secret"]
"#
    );
    let config = folder.join("tallyhook.toml");
    for (path, text) in [
        (&config, text.as_str()),
        (&folder.join("policy.toml"), setup.policy),
        (&folder.join("secret"), secret),
    ] {
        fs::write(path, text).with_context(|| format!("write {}", path.display()))?;
    }
    Config::load(&config, &Environment::of(&[])).context("configure the server")
}
