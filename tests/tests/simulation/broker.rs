//! A broker in memory: one stream with atomic batches that name the sequence they follow, as NATS
//! JetStream has them, and all that can go wrong on the way to it.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use balance_events::subject;
use bytes::Bytes;
use domain::ids::LedgerId;
use publisher::broker::{Broker, BrokerFault, Message, Session, Stored};

/// The most messages that a broker takes in one batch.
const BATCH_MESSAGES_MAX: usize = 1_000;

/// What goes wrong with the next batch, or with the next connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Mishap {
    /// Nobody answers to the next connection.
    ConnectionRefused,
    /// Nobody answers when the next session looks for where to go on.
    LookFails,
    /// The next batch never arrives.
    BatchLost,
    /// The next batch is stored, its acknowledgement never arrives.
    AcknowledgementLost,
    /// The next batch is held up, is given up by who sent it, and arrives then.
    BatchLate(Lands),
    /// The next batch is refused, as by a full disk.
    BatchRefused,
    /// The connection breaks under the next batch.
    ConnectionBreaks,
}

/// When a batch that was held up arrives: right before something that the next session does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Lands {
    /// It opens.
    Opening,
    /// It looks where to go on.
    Look,
    /// It publishes.
    Batch,
}

/// How the broker keeps its stream.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Keeping {
    /// How long it finds repeated messages by itself, in microseconds; 0: never.
    pub(crate) window: i64,
    /// Whether it acknowledges only what is synced, as the deployment's page demands.
    pub(crate) synced: bool,
}

/// A message in the stream.
#[derive(Clone, Debug)]
pub(crate) struct Kept {
    pub(crate) id: String,
    pub(crate) subject: String,
    pub(crate) body: Bytes,
    at: i64,
}

/// The broker, as everyone who has its address sees it.
#[derive(Clone)]
pub(crate) struct MemoryBroker(Arc<Mutex<Inside>>);

struct Inside {
    keeping: Keeping,
    stream: Vec<Kept>,
    /// How many messages of it survive a crash.
    synced: usize,
    /// Which connections stand: those of this number.
    connection: u64,
    mishap: Option<Mishap>,
    late: Vec<Late>,
    now: i64,
    happened: Vec<&'static str>,
}

struct Late {
    lands: Lands,
    after: u64,
    batch: Vec<Kept>,
}

/// A connection.
pub(crate) struct MemorySession {
    inside: Arc<Mutex<Inside>>,
    connection: u64,
    last_sequence: u64,
}

#[derive(Debug, thiserror::Error)]
#[error("the simulated network lost it")]
struct Lost;

impl MemoryBroker {
    pub(crate) fn new(keeping: Keeping) -> Self {
        Self(Arc::new(Mutex::new(Inside {
            keeping,
            stream: Vec::new(),
            synced: 0,
            connection: 0,
            mishap: None,
            late: Vec::new(),
            now: 0,
            happened: Vec::new(),
        })))
    }

    /// Lets time go by.
    pub(crate) fn at(&self, now: i64) {
        self.inside().now = now;
    }

    pub(crate) fn mishap(&self, mishap: Option<Mishap>) {
        self.inside().mishap = mishap;
    }

    /// What went wrong since this was asked last.
    pub(crate) fn happened(&self) -> Vec<&'static str> {
        std::mem::take(&mut self.inside().happened)
    }

    /// The messages after so many, at most some.
    pub(crate) fn messages(&self, after: usize, most: usize) -> Vec<Kept> {
        self.inside().stream.iter().skip(after).take(most).cloned().collect()
    }

    pub(crate) fn len(&self) -> usize {
        self.inside().stream.len()
    }

    /// All that was held up arrives now.
    pub(crate) fn calm(&self) {
        let mut inside = self.inside();
        inside.mishap = None;
        for lands in [Lands::Opening, Lands::Look, Lands::Batch] {
            inside.land(lands);
        }
    }

    /// All connections break.
    pub(crate) fn disconnect(&self) {
        self.inside().disconnect();
    }

    /// What is not synced becomes so, as it does every two minutes.
    pub(crate) fn sync(&self) {
        let mut inside = self.inside();
        inside.synced = inside.stream.len();
    }

    /// The broker is killed and starts again. Says how many messages are gone.
    pub(crate) fn restart(&self) -> usize {
        let mut inside = self.inside();
        inside.disconnect();
        let lost = inside.stream.len() - inside.synced;
        let synced = inside.synced;
        inside.stream.truncate(synced);
        lost
    }

    /// An operator deletes the stream. Says how many messages are gone.
    pub(crate) fn delete(&self) -> usize {
        let mut inside = self.inside();
        inside.disconnect();
        inside.synced = 0;
        std::mem::take(&mut inside.stream).len()
    }

    fn inside(&self) -> MutexGuard<'_, Inside> {
        lock(&self.0)
    }
}

fn lock(inside: &Arc<Mutex<Inside>>) -> MutexGuard<'_, Inside> {
    inside.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Inside {
    fn last_sequence(&self) -> u64 {
        u64::try_from(self.stream.len()).unwrap_or(u64::MAX)
    }

    fn land(&mut self, lands: Lands) {
        let (now, later) = std::mem::take(&mut self.late)
            .into_iter()
            .partition::<Vec<Late>, _>(|late| late.lands == lands);
        self.late = later;
        for late in now {
            let stored = self.store(late.after, late.batch).is_ok();
            self.happened.push(if stored { "late-batch-stored" } else { "late-batch-refused" });
            self.synced = if self.keeping.synced { self.stream.len() } else { self.synced };
        }
    }

    /// What a server does with a batch: all of it or nothing.
    fn store(&mut self, after: u64, batch: Vec<Kept>) -> Result<(), BrokerFault> {
        if after != self.last_sequence() {
            return Err(BrokerFault::Moved);
        }
        let since = self.now - self.keeping.window;
        let recent = self.stream.iter().rev().take_while(|kept| kept.at > since);
        if recent.into_iter().any(|kept| batch.iter().any(|new| new.id == kept.id)) {
            return Err(BrokerFault::Moved);
        }
        self.stream.extend(batch);
        Ok(())
    }

    /// The next mishap, if it is one of these.
    fn strikes(&mut self, one_of: impl Fn(Mishap) -> bool) -> Option<Mishap> {
        let mishap = self.mishap.filter(|mishap| one_of(*mishap))?;
        self.mishap = None;
        Some(mishap)
    }

    fn disconnect(&mut self) {
        self.connection += 1;
        self.happened.push("disconnected");
    }

    fn away(&mut self, what: &'static str) -> BrokerFault {
        self.happened.push(what);
        BrokerFault::Away { doing: "use the simulated broker", source: Box::new(Lost) }
    }
}

impl Broker for MemoryBroker {
    type Session = MemorySession;

    async fn open(&self) -> Result<MemorySession, BrokerFault> {
        let mut inside = self.inside();
        inside.land(Lands::Opening);
        if inside.strikes(|mishap| mishap == Mishap::ConnectionRefused).is_some() {
            return Err(inside.away("connection-refused"));
        }
        let (connection, last_sequence) = (inside.connection, inside.last_sequence());
        Ok(MemorySession { inside: Arc::clone(&self.0), connection, last_sequence })
    }
}

impl MemorySession {
    /// The broker, while the connection stands.
    fn connected(&self) -> Result<MutexGuard<'_, Inside>, BrokerFault> {
        let mut inside = lock(&self.inside);
        if inside.connection == self.connection {
            Ok(inside)
        } else {
            Err(inside.away("connection-lost"))
        }
    }
}

impl Session for MemorySession {
    fn last_sequence(&self) -> u64 {
        self.last_sequence
    }

    async fn last_of(&self, ledger: &LedgerId) -> Result<Option<Stored>, BrokerFault> {
        let mut inside = self.connected()?;
        inside.land(Lands::Look);
        if inside.strikes(|mishap| mishap == Mishap::LookFails).is_some() {
            return Err(inside.away("look-failed"));
        }
        let subjects = subject::ledger_subjects(ledger.as_str());
        let subjects = subjects.trim_end_matches('>');
        let last = inside.stream.iter().rposition(|kept| kept.subject.starts_with(subjects));
        Ok(last.and_then(|index| {
            let id = inside.stream.get(index)?.id.clone();
            Some(Stored { sequence: u64::try_from(index).ok()? + 1, id: Some(id) })
        }))
    }

    async fn publish(&mut self, after: u64, batch: &[Message]) -> Result<u64, BrokerFault> {
        let mut inside = self.connected()?;
        inside.land(Lands::Batch);
        let kept = |message: &Message| Kept {
            id: message.id(),
            subject: message.subject(),
            body: message.body().clone(),
            at: inside.now,
        };
        let kept: Vec<Kept> = batch.iter().map(kept).collect();
        let too_many = batch.len() > BATCH_MESSAGES_MAX;
        let mishap = inside
            .strikes(|mishap| !matches!(mishap, Mishap::ConnectionRefused | Mishap::LookFails));
        match mishap {
            Some(Mishap::BatchLost) => return Err(inside.away("batch-lost")),
            Some(Mishap::BatchLate(lands)) => {
                inside.late.push(Late { lands, after, batch: kept });
                return Err(inside.away("batch-late"));
            }
            Some(Mishap::AcknowledgementLost) if inside.store(after, kept.clone()).is_ok() => {
                return Err(inside.away("acknowledgement-lost"));
            }
            Some(Mishap::ConnectionBreaks) => {
                inside.disconnect();
                return Err(inside.away("connection-lost"));
            }
            Some(Mishap::BatchRefused) => {
                inside.happened.push("batch-refused");
                let description = "no space".to_owned();
                return Err(BrokerFault::Refused { code: 10_077, description });
            }
            Some(Mishap::AcknowledgementLost | Mishap::ConnectionRefused | Mishap::LookFails)
            | None => {}
        }
        if too_many {
            let description = "the batch is too large".to_owned();
            return Err(BrokerFault::Refused { code: 10_199, description });
        }
        if let Err(moved) = inside.store(after, kept) {
            inside.happened.push("stream-moved");
            return Err(moved);
        }
        if inside.keeping.synced {
            inside.synced = inside.stream.len();
        }
        Ok(inside.last_sequence())
    }

    fn is_connected(&self) -> bool {
        lock(&self.inside).connection == self.connection
    }
}
