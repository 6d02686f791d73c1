//! A real broker and real subscribers. The only module that names `async_nats`.

pub mod session;

use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
    process::{Command, Stdio},
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
    thread::{self, JoinHandle},
    time::{Duration, SystemTime},
};

use anyhow::{Context, Result, ensure};
use async_nats::{
    Client, ConnectOptions,
    jetstream::{
        self,
        consumer::{DeliverPolicy, pull::OrderedConfig},
        stream,
    },
};
use balance_events::{
    envelope::Envelope,
    subject::{MessageId, PREFIX, subject},
};
use futures_util::StreamExt as _;
use tempfile::TempDir;
use tokio::runtime;

use crate::{environment, home, process::Process, wait};

/// The stream of the contract.
pub const STREAM: &str = "TALLYHOOK_BALANCES";

/// The stream of signed checkpoints.
const CHECKPOINTS: &str = "TALLYHOOK_CHECKPOINTS";

/// How long a subscriber waits for a message before it looks whether it should end.
const LISTEN: Duration = Duration::from_millis(200);

/// A broker without a message this long may be gone: look anew.
const SILENCE: u32 = 10;

/// A running nats-server with JetStream; killed when dropped.
#[derive(Debug)]
pub struct Broker {
    process: Process,
    folder: TempDir,
    url: String,
}

impl Broker {
    /// Starts a broker on a free port.
    ///
    /// # Errors
    /// There is no nats-server, or it does not start.
    pub fn start() -> Result<Self> {
        let folder = home::folder()?;
        let process = launch(folder.path(), "-1")?;
        let ports = wait::until("nats-server to say its port", || ports(folder.path()));
        let url = ports.with_context(|| log(folder.path()))?;
        Ok(Self { process, folder, url })
    }

    /// Where it is.
    #[must_use]
    pub fn url(&self) -> &str {
        &self.url
    }

    /// Makes the stream of balance events before the publisher does, which then takes it as it is:
    /// with this window in which the broker finds repeated messages by itself.
    ///
    /// # Errors
    /// It can't be made.
    pub fn make_stream(&self, duplicate_window: Duration) -> Result<()> {
        let runtime = runtime::Builder::new_current_thread().enable_all().build()?;
        runtime.block_on(async {
            let client = async_nats::connect(&self.url).await?;
            let stream = stream::Config {
                name: STREAM.to_owned(),
                subjects: vec![format!("{PREFIX}.>")],
                duplicate_window,
                allow_direct: true,
                allow_atomic_publish: true,
                ..stream::Config::default()
            };
            jetstream::new(client).create_stream(stream).await?;
            Ok(())
        })
    }

    /// How many messages the stream has.
    ///
    /// # Errors
    /// There is no stream, or no answer.
    pub fn messages(&self) -> Result<u64> {
        let runtime = runtime::Builder::new_current_thread().enable_all().build()?;
        runtime.block_on(async {
            let client = async_nats::connect(&self.url).await?;
            let stream = jetstream::new(client).get_stream(STREAM).await?;
            Ok(stream.cached_info().state.messages)
        })
    }

    /// A client that connects and connects again by itself, by another address if there is one.
    ///
    /// # Errors
    /// It can't connect.
    pub async fn connect(&self, address: Option<&str>) -> Result<Client> {
        let options = ConnectOptions::new().connection_timeout(LISTEN).retry_on_initial_connect();
        Ok(options.connect(address.unwrap_or(&self.url)).await?)
    }

    /// Takes the messages of an account out of the stream, all but the last so many of it.
    ///
    /// # Errors
    /// The broker refused.
    pub async fn purge(&self, ledger: &str, account: &str, keep: u64) -> Result<()> {
        let stream = jetstream::new(self.connect(None).await?).get_stream(STREAM).await?;
        stream.purge().filter(subject(ledger, account)).keep(keep).await?;
        Ok(())
    }

    /// Deletes the last message of an account from the stream.
    ///
    /// # Errors
    /// There is none.
    pub async fn delete_last(&self, ledger: &str, account: &str) -> Result<()> {
        let stream = jetstream::new(self.connect(None).await?).get_stream(STREAM).await?;
        let last = stream.get_last_raw_message_by_subject(&subject(ledger, account)).await?;
        stream.delete_message(last.sequence).await?;
        Ok(())
    }

    /// The last checkpoint of a ledger that the broker has; none where there is none.
    ///
    /// # Errors
    /// The broker doesn't answer, or has no such stream.
    pub fn last_checkpoint(&self, ledger: &str) -> Result<String> {
        let runtime = runtime::Builder::new_current_thread().enable_all().build()?;
        runtime.block_on(async {
            let client = self.connect(None).await?;
            let stream = jetstream::new(client).get_stream(CHECKPOINTS).await?;
            let subject = format!("tallyhook.checkpoints.{ledger}");
            let message = stream.get_last_raw_message_by_subject(&subject).await?;
            Ok(String::from_utf8(message.payload.to_vec())?)
        })
    }

    /// Adds anything behind a ledger's last checkpoint, as whoever may publish there can.
    ///
    /// # Errors
    /// The broker doesn't answer, or has no such stream.
    pub fn add_checkpoint(&self, ledger: &str, text: &str) -> Result<()> {
        let runtime = runtime::Builder::new_current_thread().enable_all().build()?;
        runtime.block_on(async {
            let context = jetstream::new(self.connect(None).await?);
            let subject = format!("tallyhook.checkpoints.{ledger}");
            context.publish(subject, text.to_owned().into()).await?.await?;
            Ok(())
        })
    }

    /// Tries to take every checkpoint out of the stream.
    ///
    /// # Errors
    /// The broker refused.
    pub fn purge_checkpoints(&self) -> Result<()> {
        let runtime = runtime::Builder::new_current_thread().enable_all().build()?;
        runtime.block_on(async {
            let client = self.connect(None).await?;
            let stream = jetstream::new(client).get_stream(CHECKPOINTS).await?;
            stream.purge().await?;
            Ok(())
        })
    }

    /// Where it keeps its streams: what a test may copy while it is killed.
    #[must_use]
    pub fn store(&self) -> PathBuf {
        self.folder.path().join("store")
    }

    /// Ends the broker at once, as a crash would.
    ///
    /// # Errors
    /// The system refused.
    pub fn kill(&mut self) -> Result<()> {
        self.process.kill()
    }

    /// Starts the killed broker again, at the same address, with what it had stored.
    ///
    /// # Errors
    /// It does not start.
    pub fn restart(&mut self) -> Result<()> {
        self.process.kill()?;
        let port = self.url.rsplit(':').next().context("an address without a port")?;
        self.process = launch(self.folder.path(), port)?;
        Ok(())
    }
}

fn launch(folder: &Path, port: &str) -> Result<Process> {
    let program = program()?;
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        if path.extension().is_some_and(|extension| extension == "ports") {
            fs::remove_file(path)?;
        }
    }
    let store = folder.join("store");
    let config = format!(
        "listen: \"127.0.0.1:{port}\"\nports_file_dir: {folder:?}\nlog_file: {:?}\njetstream {{ store_dir: {store:?}, sync_interval: always }}\n",
        folder.join("log")
    );
    let path = folder.join("nats.conf");
    fs::write(&path, config)?;
    Process::start(
        Command::new(program)
            .arg("--config")
            .arg(path)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null()),
    )
}

fn program() -> Result<PathBuf> {
    let installed = || environment::workspace().join(".tools/bin/nats-server");
    let path = environment::variable(environment::NATS_SERVER).unwrap_or_else(installed);
    ensure!(
        path.is_file(),
        "no nats-server at {}: run scripts/test, which installs it, or set {}",
        path.display(),
        environment::NATS_SERVER
    );
    Ok(path)
}

fn ports(folder: &Path) -> Option<String> {
    let files = fs::read_dir(folder).ok()?;
    let path = files
        .filter_map(|entry| Some(entry.ok()?.path()))
        .find(|path| path.extension().is_some_and(|extension| extension == "ports"))?;
    let said: serde_json::Value = serde_json::from_slice(&fs::read(path).ok()?).ok()?;
    said.pointer("/nats/0")?.as_str().map(str::to_owned)
}

fn log(folder: &Path) -> String {
    fs::read_to_string(folder.join("log")).unwrap_or_default()
}

/// A message, and when it came.
#[derive(Clone, Debug)]
pub struct Arrived {
    /// What it says.
    pub envelope: Envelope,
    /// By the clock of this machine.
    pub at: SystemTime,
}

/// Follows the stream from its first message, in a thread of its own, until dropped.
///
/// When the broker goes away it connects again and goes on after the last message that it has, as
/// a good subscriber does. Everything that arrives is kept as it came, repetitions included.
#[derive(Debug)]
pub struct Subscriber {
    seen: Arc<Mutex<Vec<Arrived>>>,
    stop: Arc<AtomicBool>,
    thread: Option<JoinHandle<Result<()>>>,
}

impl Subscriber {
    /// Starts to follow.
    #[must_use]
    pub fn follow(broker: &Broker) -> Self {
        let seen = Arc::new(Mutex::new(Vec::new()));
        let stop = Arc::new(AtomicBool::new(false));
        let listener = Listener {
            url: broker.url().to_owned(),
            seen: Arc::clone(&seen),
            stop: Arc::clone(&stop),
            next: 1,
        };
        let thread = thread::spawn(move || listener.run());
        Self { seen, stop, thread: Some(thread) }
    }

    /// What has arrived so far.
    #[must_use]
    pub fn seen(&self) -> Vec<Envelope> {
        let seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        seen.iter().map(|arrived| arrived.envelope.clone()).collect()
    }

    /// How much has arrived so far.
    #[must_use]
    pub fn count(&self) -> usize {
        self.seen.lock().unwrap_or_else(PoisonError::into_inner).len()
    }

    /// What has arrived so far behind the first `skipped`, and when.
    #[must_use]
    pub fn arrived(&self, skipped: usize) -> Vec<Arrived> {
        let seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        seen.iter().skip(skipped).cloned().collect()
    }

    /// Waits until what has arrived satisfies a test, and returns it.
    ///
    /// # Errors
    /// It does not come to that, or something arrived that is not as the contract says.
    pub fn until(&self, what: &str, test: impl Fn(&[Envelope]) -> bool) -> Result<Vec<Envelope>> {
        wait::until(what, || {
            let seen = self.seen();
            let ended = self.thread.as_ref().is_none_or(JoinHandle::is_finished);
            (ended || test(&seen)).then_some(seen)
        })
        .and_then(|seen| {
            ensure!(test(&seen), "the subscriber ended while it waited for {what}");
            Ok(seen)
        })
        .with_context(|| format!("{} messages arrived", self.seen().len()))
    }

    /// Waits for an account's version and returns all that was published for that account.
    ///
    /// # Errors
    /// It does not arrive.
    pub fn account(&self, account: &str, version: u64) -> Result<Vec<Envelope>> {
        let fits = |one: &Envelope| one.subject == account;
        let what = format!("version {version} of {account}");
        let seen = self
            .until(&what, |seen| seen.iter().any(|one| fits(one) && one.data.version >= version))?;
        Ok(seen.into_iter().filter(fits).collect())
    }
}

impl Drop for Subscriber {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Relaxed);
        match self.thread.take().map(JoinHandle::join) {
            Some(Ok(Err(error))) => eprintln!("a subscriber ended: {error:#}"),
            Some(Err(_)) => eprintln!("a subscriber panicked"),
            Some(Ok(Ok(()))) | None => {}
        }
    }
}

struct Listener {
    url: String,
    seen: Arc<Mutex<Vec<Arrived>>>,
    stop: Arc<AtomicBool>,
    next: u64,
}

impl Listener {
    fn run(mut self) -> Result<()> {
        let runtime = runtime::Builder::new_current_thread().enable_all().build()?;
        runtime.block_on(async {
            while !self.stop.load(Ordering::Relaxed) {
                // Whatever went wrong with the connection, the stream is asked for the rest.
                if let Some(message) = self.session().await {
                    message?;
                }
            }
            Ok(())
        })
    }

    /// Listens on one connection until it breaks, is silent or should end; says what arrived that
    /// is no message of ours.
    async fn session(&mut self) -> Option<Result<()>> {
        let options = ConnectOptions::new().connection_timeout(LISTEN).max_reconnects(1);
        let Ok(client) = options.connect(&self.url).await else {
            tokio::time::sleep(LISTEN).await;
            return None;
        };
        let Ok(stream) = jetstream::new(client).get_stream(STREAM).await else {
            tokio::time::sleep(LISTEN).await;
            return None;
        };
        let config = OrderedConfig {
            deliver_policy: DeliverPolicy::ByStartSequence { start_sequence: self.next },
            ..OrderedConfig::default()
        };
        let consumer = stream.create_consumer(config).await.ok()?;
        let mut messages = consumer.messages().await.ok()?;
        let mut silent = 0;
        while !self.stop.load(Ordering::Relaxed) && silent < SILENCE {
            match tokio::time::timeout(LISTEN, messages.next()).await {
                Err(_) => silent += 1,
                Ok(Some(Ok(message))) => {
                    silent = 0;
                    if let Err(error) = self.take(&message) {
                        return Some(Err(error));
                    }
                }
                Ok(Some(Err(_)) | None) => return None,
            }
        }
        None
    }

    fn take(&mut self, message: &jetstream::Message) -> Result<()> {
        let place = message.info().map_err(|error| anyhow::anyhow!(error))?.stream_sequence;
        let envelope = Envelope::from_json(&message.payload)?;
        let data = &envelope.data;
        ensure!(*message.subject == *subject(&data.ledger, &data.account), "{}", message.subject);
        let known_by = message.headers.as_ref().and_then(|all| all.get("Nats-Msg-Id"));
        let known_by = known_by.context("a message without id")?.as_str();
        let expected = MessageId {
            ledger: data.ledger.clone(),
            sequence: data.record,
            account: data.account.clone(),
        };
        ensure!(MessageId::parse(known_by).as_ref() == Some(&expected), "{known_by}");
        self.next = place.saturating_add(1);
        #[expect(clippy::disallowed_methods, reason = "how late it is, by the server's own clock")]
        let at = SystemTime::now();
        self.seen.lock().unwrap_or_else(PoisonError::into_inner).push(Arrived { envelope, at });
        Ok(())
    }
}

/// Checks that each account's versions are gapless from 1, in order, without repetition, and
/// returns the last message of each account.
///
/// # Errors
/// They are not.
pub fn gapless(seen: &[Envelope]) -> Result<BTreeMap<String, Envelope>> {
    let mut last: BTreeMap<String, Envelope> = BTreeMap::new();
    for envelope in seen {
        let before = last.get(&envelope.subject).map_or(0, |one| one.data.version);
        ensure!(
            envelope.data.version == before.saturating_add(1),
            "{}: version {} after {before}",
            envelope.subject,
            envelope.data.version
        );
        last.insert(envelope.subject.clone(), envelope.clone());
    }
    Ok(last)
}
