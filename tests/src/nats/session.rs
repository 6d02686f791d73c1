//! Anybody's connection to a broker: what a user may do is what the broker lets it do.

use std::{path::PathBuf, time::Duration};

use anyhow::{Context as _, Result, anyhow, bail, ensure};
use async_nats::{Client, ConnectOptions, Event, ServerError};
use serde_json::{Value, json};
use tokio::{
    runtime::{self, Runtime},
    sync::watch,
};

use super::STREAM;

/// How long a broker may take to answer, or to say that it doesn't let us.
const PATIENCE: Duration = Duration::from_secs(20);

/// As whom a broker is reached.
#[derive(Clone, Debug, Default)]
pub struct Who {
    /// The seed of an nkey.
    pub seed: Option<String>,
    /// Who vouches for the broker.
    pub ca: Option<PathBuf>,
}

/// A connection.
pub struct Session {
    runtime: Runtime,
    client: Client,
    refused: watch::Receiver<Option<String>>,
}

impl Session {
    /// Connects to one of these servers.
    ///
    /// # Errors
    /// None answers, or the user is refused.
    pub fn open(urls: &[String], who: &Who) -> Result<Self> {
        let runtime =
            runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build()?;
        let (refusals, refused) = watch::channel(None);
        let mut options = ConnectOptions::new().event_callback(move |event| {
            if let Event::ServerError(ServerError::Other(said)) = event {
                refusals.send_replace(Some(said));
            }
            async {}
        });
        if let Some(seed) = &who.seed {
            options = options.nkey(seed.clone());
        }
        if let Some(ca) = &who.ca {
            options = options.add_root_certificates(ca.clone()).require_tls(true);
        }
        let client = runtime.block_on(options.connect(urls))?;
        Ok(Self { runtime, client, refused })
    }

    /// Asks a subject; the broker's answer, which may be a refusal of JetStream.
    ///
    /// # Errors
    /// The broker does not permit it, or nobody answers.
    pub fn ask(&self, subject: &str, body: &Value) -> Result<Value> {
        let mut refused = self.refused.clone();
        refused.borrow_and_update();
        let body = if body.is_null() { String::new() } else { body.to_string() };
        self.runtime.block_on(async {
            let asked = self.client.request(subject.to_owned(), body.into());
            tokio::select! {
                answer = asked => {
                    let answer = answer.with_context(|| format!("ask {subject}"))?;
                    Ok(serde_json::from_slice(&answer.payload)?)
                }
                _ = refused.changed() => {
                    Err(anyhow!(refused.borrow().clone().unwrap_or_default()))
                }
                () = tokio::time::sleep(PATIENCE) => bail!("no answer from {subject}"),
            }
        })
    }

    /// Asks JetStream for something about the stream of balance events, such as `STREAM.INFO`.
    ///
    /// # Errors
    /// The broker does not permit it, or JetStream refuses.
    pub fn stream(&self, what: &str, body: &Value) -> Result<Value> {
        let answer = self.ask(&format!("$JS.API.{what}.{STREAM}"), body)?;
        ensure!(answer.get("error").is_none(), "{what}: {answer}");
        Ok(answer)
    }

    /// Publishes a message and waits until it is stored.
    ///
    /// # Errors
    /// The broker does not permit it, or no stream takes it.
    pub fn publish(&self, subject: &str, body: &Value) -> Result<Value> {
        let answer = self.ask(subject, body)?;
        ensure!(answer.get("error").is_none(), "{subject}: {answer}");
        Ok(answer)
    }

    /// Removes the stream's messages from one of these places to before another.
    ///
    /// # Errors
    /// The broker does not permit it, or JetStream refuses.
    pub fn delete_messages(&self, places: impl IntoIterator<Item = u64>) -> Result<()> {
        places.into_iter().try_for_each(|place| {
            self.stream("STREAM.MSG.DELETE", &json!({"seq": place})).map(drop)
        })
    }

    /// The stream's state: `messages`, `first_seq`, `last_seq`.
    ///
    /// # Errors
    /// See [`Self::stream`].
    pub fn state(&self) -> Result<Value> {
        let info = self.stream("STREAM.INFO", &Value::Null)?;
        info.get("state").cloned().context("a stream without state")
    }
}
