//! Requests of the private API, with webhooks between them, to a server in memory.
//!
//! An input has a request on each line: `METHOD path body`, under the ledger of [`LEDGER`]. `$1` to
//! `$9` stand for the id that the request of that number was answered with. A line that starts with
//! `=` has the idempotency key of the line before. `HOOK body` is a webhook, signed; `WAIT seconds`
//! moves the clock.

use std::{io, path::Path, sync::LazyLock};

use domain::{record::Record, time::Timestamp};
use event_store::log::{EventLog as _, Recorded};
use ingestion::{paddle, secret::Secret};
use serde_json::Value;
use server::{
    config::{Config, Environment},
    in_memory::{Ask, InMemory, Listener, Reply},
};
use sha2::{Digest as _, Sha256};

use super::{SIGNED_AT, ledger::Ledger};
use crate::history;

/// Where all of it happens.
const LEDGER: &str = "/v1/ledgers/main";
/// The most requests of an input.
const REQUESTS_MAX: usize = 12;
/// The most records of a ledger at the end of an input.
const RECORDS_MAX: usize = 10_000;
const SECRET: &str = "pdl_ntfset_fuzz";
const POLICY: &str = include_str!("../../../policies/unused-balance.toml");
/// The digest is that of `all`.
const CONFIG: &str = r#"
[server]
public = "127.0.0.1:0"
private = "127.0.0.1:0"
data = "data"
[[tokens]]
name = "all"
sha256 = "@SHA256@"
roles = ["read", "spend", "operate"]
ledgers = ["main"]
[ledgers.main]
policy = "policy.toml"
mode = "live"
account_from = ["/data/custom_data/account_id"]
[ledgers.main.sources.paddle]
provider = "paddle"
secrets = ["env:SECRET"]
"#;

static CONFIGURED: LazyLock<Config> = LazyLock::new(|| {
    let text = CONFIG.replace("@SHA256@", &hex::encode(Sha256::digest(b"all")));
    let environment = Environment::of(&[("SECRET", SECRET)]);
    let policy = |_: &Path| Ok::<_, io::Error>(POLICY.to_owned());
    Config::parse(&text, Path::new("tallyhook.toml"), &environment, &policy)
        .expect("the configuration is right")
});

/// Checks one input.
///
/// # Panics
/// The server fails, or what it answers is not what it recorded.
pub fn check(input: &[u8]) {
    let now = history::seconds(SIGNED_AT);
    let server = InMemory::start(CONFIGURED.clone(), now).expect("nothing can fail in memory");
    let mut session = Session { server, now, ids: Vec::new() };
    let lines = input.split(|byte| *byte == b'\n').take(REQUESTS_MAX);
    for line in lines {
        session.line(&String::from_utf8_lossy(line));
    }
    let records: Vec<Record> = session.records();
    assert!(session.server.stop(), "the writer's thread failed");
    Ledger::again(&records);
}

struct Session {
    server: InMemory,
    now: Timestamp,
    /// What the requests were answered with.
    ids: Vec<String>,
}

impl Session {
    fn line(&mut self, line: &str) {
        let (again, line) = match line.strip_prefix('=') {
            Some(line) => (1, line),
            None => (0, line),
        };
        let (method, rest) = line.split_once(' ').unwrap_or((line, ""));
        match method {
            "WAIT" => {
                self.now = self.now.seconds_after(rest.parse().unwrap_or(1));
                self.server.clock().set(self.now);
            }
            "HOOK" => self.webhook(rest.as_bytes()),
            method => {
                let (path, body) = rest.split_once(' ').unwrap_or((rest, ""));
                let (path, body) = (self.filled_in(path), self.filled_in(body));
                let key = format!("key-{}", self.ids.len().saturating_sub(again));
                let id = self.request(method, &format!("{LEDGER}{path}"), &key, &body);
                self.ids.push(id.unwrap_or_default());
            }
        }
    }

    /// A text with the ids of earlier answers.
    fn filled_in(&self, text: &str) -> String {
        let ids = self.ids.iter().take(9).enumerate();
        ids.fold(text.to_owned(), |text, (place, id)| text.replace(&format!("${}", place + 1), id))
    }

    /// Asks, and asks the same again if it was carried out. Gives the id in the answer.
    fn request(&self, method: &str, path: &str, key: &str, body: &str) -> Option<String> {
        let before = self.records().len();
        let reply = self.private(method, path, key, body)?;
        let recorded = self.records().len().checked_sub(before);
        let what = format!("{method} {path} {body}: {reply:?}");
        let value: Option<Value> = serde_json::from_slice(&reply.body).ok();
        match reply.status {
            200 | 201 if method == "GET" || reply.replayed => {
                assert_eq!(recorded, Some(0), "{what}")
            }
            201 => assert_eq!(recorded, Some(1), "made without a record: {what}"),
            200 => assert!(recorded <= Some(1), "recorded more than asked: {what}"),
            400..=499 => {
                assert_eq!(recorded, Some(0), "refused and recorded: {what}");
                let code = value.as_ref().and_then(|value| value.get("code")?.as_str());
                assert!(code.is_some_and(|code| !code.is_empty()) || method == "HEAD", "{what}");
            }
            _ => assert!((200..300).contains(&reply.status), "{what}"),
        }
        if recorded > Some(0) {
            let again = self.private(method, path, key, body)?;
            assert!(again.replayed && again.status == reply.status, "{what} again: {again:?}");
            assert_eq!(Some(self.records().len()), before.checked_add(1), "recorded twice: {what}");
        }
        Some(value?.get("id")?.as_str()?.to_owned())
    }

    fn private(&self, method: &str, path: &str, key: &str, body: &str) -> Option<Reply> {
        let headers = [("authorization", "Bearer all"), ("idempotency-key", key)];
        let listener = Listener::Private;
        self.server.ask(&Ask { listener, method, path, headers: &headers, body: body.as_bytes() })
    }

    fn webhook(&self, body: &[u8]) {
        let secret = Secret::new(SECRET).expect("the secret is not empty");
        let signature = paddle::sign(&secret, self.now.seconds(), body);
        let length = body.len().to_string();
        let headers = [(paddle::HEADER, signature.as_str()), ("content-length", length.as_str())];
        let (listener, method, path) = (Listener::Public, "POST", "/webhooks/paddle");
        let ask = Ask { listener, method, path, headers: &headers, body };
        let reply = self.server.ask(&ask).expect("it is HTTP");
        assert_eq!(reply.status, 200, "what is signed is taken: {reply:?}");
    }

    fn records(&self) -> Vec<Record> {
        let ledger = history::ledger();
        let all = self.server.log().scan(&ledger, None, RECORDS_MAX).expect("memory is read");
        all.into_iter().map(Recorded::into_record).collect()
    }
}
