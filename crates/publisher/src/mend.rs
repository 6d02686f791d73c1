//! The way out when the stream and the log disagree: what `tallyhook republish` does while the
//! server is stopped.
//!
//! [`examine`] holds every message of the stream against the log, by its id: a ledger's messages
//! must be the log's first ones, in order, without a gap. What follows is the least that mends it,
//! a [`Remedy`]: nothing; to forget the publisher's checkpoint, so that it goes on where the stream
//! ends; besides, to remove messages of others; or to make the stream anew.
//!
//! Nothing is published here: the server does that when it starts again.

use std::collections::{BTreeMap, VecDeque};

use domain::ids::{LedgerId, Sequence};
use event_store::{
    log::{EventLog, ReadError},
    memory::MemoryViews,
    views::{ViewError, ViewStore},
};

use crate::{
    broker::BrokerFault,
    checkpoint::{CheckpointFault, forget},
    fold::{Fold, FoldFault},
    nats::reached::{Contents, Place, Reached, Read},
    position::Position,
    run::Config,
};

/// How many records are read at once.
const SCAN_RECORDS: usize = 512;

/// The most messages of others that are removed one by one.
const FOREIGN_MAX: usize = 1_000;

/// What there is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Examined {
    /// The stream; none where it is absent.
    pub stream: Option<StreamExamined>,
    /// How each ledger of the log stands.
    pub ledgers: BTreeMap<LedgerId, Standing>,
}

/// The stream by itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StreamExamined {
    /// How many messages it has.
    pub messages: u64,
    /// What of its settings can't be used.
    pub unfit: Option<String>,
    /// The places of messages in our ledgers that no tallyhook published, as far as they are
    /// listed.
    pub foreign: Vec<u64>,
    /// How many of them there are.
    pub foreign_count: u64,
    /// How many messages are of ledgers that the log doesn't have.
    pub of_other_ledgers: u64,
}

/// How a ledger's messages stand against the log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Standing {
    /// The record of the last message of those that are as they should be.
    pub published: Option<Sequence>,
    /// How many these are.
    pub messages: u64,
    /// The record of the last message that the publisher knows to have been acknowledged.
    pub acknowledged: Option<Sequence>,
    /// The log's last record.
    pub head: Option<Sequence>,
    /// Where and how the messages stop being the log's.
    pub broken: Option<Broken>,
    /// Whether the checkpoint knows more than the stream or the log has.
    is_checkpoint_ahead: bool,
}

/// The first message of a ledger that is not the one that should follow.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Broken {
    /// Its place in the stream.
    pub message: u64,
    /// Its record.
    pub found: Sequence,
    /// The record whose message should be there; none where the log ends before.
    pub expected: Option<Sequence>,
}

/// The least that mends it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Remedy {
    /// Stream, checkpoint and log agree.
    Nothing,
    /// The publisher forgets its checkpoint and goes on where the stream ends.
    Resume,
    /// The messages of others are removed; then as [`Self::Resume`].
    Clean,
    /// The stream is deleted, made anew by the server, and everything published again.
    Recreate,
}

/// Why it could not be looked at or mended.
#[derive(Debug, thiserror::Error)]
pub enum MendFault {
    /// The broker didn't do what was asked.
    #[error(transparent)]
    Broker(#[from] BrokerFault),
    /// The log can't be read.
    #[error("read the log")]
    Log(#[from] ReadError),
    /// The publisher's checkpoint can't be read or removed.
    #[error("use the publisher's checkpoint")]
    Checkpoint(#[source] Box<dyn std::error::Error + Send + Sync>),
}

impl From<ViewError> for MendFault {
    fn from(fault: ViewError) -> Self {
        Self::Checkpoint(fault.into())
    }
}

impl From<CheckpointFault> for MendFault {
    fn from(fault: CheckpointFault) -> Self {
        Self::Checkpoint(fault.into())
    }
}

impl From<FoldFault> for MendFault {
    fn from(fault: FoldFault) -> Self {
        Self::Checkpoint(fault.into())
    }
}

impl Examined {
    /// The least that mends it.
    #[must_use]
    pub fn remedy(&self) -> Remedy {
        let is_broken = self.ledgers.values().any(|ledger| ledger.broken.is_some());
        let is_behind = self.ledgers.values().any(|ledger| ledger.is_checkpoint_ahead);
        let Some(stream) = &self.stream else {
            return if is_behind { Remedy::Resume } else { Remedy::Nothing };
        };
        let listed = u64::try_from(stream.foreign.len()).unwrap_or(u64::MAX);
        if is_broken || stream.unfit.is_some() || stream.foreign_count > listed {
            Remedy::Recreate
        } else if stream.foreign_count > 0 {
            Remedy::Clean
        } else if is_behind {
            Remedy::Resume
        } else {
            Remedy::Nothing
        }
    }
}

/// Holds the stream against the log; changes nothing. `progress` is told how many of the stream's
/// messages were read.
///
/// # Errors
/// The broker doesn't answer, or the store can't be read.
pub async fn examine(
    config: &Config,
    log: &dyn EventLog,
    views: &dyn ViewStore,
    progress: &mut (dyn FnMut(u64, u64) + Send),
) -> Result<Examined, MendFault> {
    let reached = Reached::open(&config.access, "tallyhook republish").await?;
    let mut ledgers = BTreeMap::new();
    for ledger in log.ledgers()? {
        ledgers.insert(ledger.clone(), Compared::new(log, ledger));
    }
    let mut stream = reached.is_there().then(|| StreamExamined {
        messages: reached.messages(),
        unfit: reached.unfit(config.replicas),
        foreign: Vec::new(),
        foreign_count: 0,
        of_other_ledgers: 0,
    });
    if let Some(stream) = &mut stream
        && stream.messages > 0
    {
        let mut reading = reached.read(&Place::At(1), &[], Contents::WithoutBody).await?;
        for read in 1..=stream.messages {
            compare(stream, &mut ledgers, &reading.next().await?)?;
            progress(read, stream.messages);
        }
    }
    let mut standings = BTreeMap::new();
    for (ledger, compared) in ledgers {
        standings.insert(ledger.clone(), compared.standing(log, views, &ledger)?);
    }
    Ok(Examined { stream, ledgers: standings })
}

/// Does what a remedy says. What was broken off is done by doing it again.
///
/// # Errors
/// The broker or the store didn't do it.
pub async fn mend(
    config: &Config,
    views: &dyn ViewStore,
    examined: &Examined,
    remedy: Remedy,
) -> Result<(), MendFault> {
    let is_there = examined.stream.is_some();
    match remedy {
        Remedy::Nothing => return Ok(()),
        Remedy::Recreate if is_there => {
            Reached::open(&config.access, "tallyhook republish").await?.delete().await?;
        }
        Remedy::Clean => {
            let reached = Reached::open(&config.access, "tallyhook republish").await?;
            for message in examined.stream.iter().flat_map(|stream| &stream.foreign) {
                reached.delete_message(*message).await?;
            }
        }
        Remedy::Resume | Remedy::Recreate => {}
    }
    // Last: until then the server would refuse to go on, and this can be done again.
    Ok(forget(views)?)
}

/// A ledger while its messages go by.
struct Compared<'a> {
    expected: Expected<'a>,
    last: Option<Position>,
    messages: u64,
    broken: Option<Broken>,
}

impl<'a> Compared<'a> {
    fn new(log: &'a dyn EventLog, ledger: LedgerId) -> Self {
        Self { expected: Expected::new(log, ledger), last: None, messages: 0, broken: None }
    }

    fn take(&mut self, message: u64, position: Position) -> Result<(), MendFault> {
        if self.broken.is_some() {
            return Ok(());
        }
        let expected = self.expected.next()?;
        if expected.as_ref() == Some(&position) {
            self.last = Some(position);
            self.messages = self.messages.saturating_add(1);
        } else {
            let expected = expected.map(|expected| expected.sequence);
            self.broken = Some(Broken { message, found: position.sequence, expected });
        }
        Ok(())
    }

    fn standing(
        self,
        log: &dyn EventLog,
        views: &dyn ViewStore,
        ledger: &LedgerId,
    ) -> Result<Standing, MendFault> {
        let fold = Fold::load(views, ledger)?;
        let head = log.head(ledger).map(|head| head.sequence);
        Ok(Standing {
            published: self.last.as_ref().map(|last| last.sequence),
            messages: self.messages,
            acknowledged: fold.sent().map(|sent| sent.sequence),
            head,
            is_checkpoint_ahead: fold.sent() > self.last.as_ref() || fold.folded() > head,
            broken: self.broken,
        })
    }
}

fn compare(
    stream: &mut StreamExamined,
    ledgers: &mut BTreeMap<LedgerId, Compared<'_>>,
    read: &Read,
) -> Result<(), MendFault> {
    let named = balance_events::subject::parse(&read.subject);
    let ours =
        named.as_ref().and_then(|(ledger, account)| Some((LedgerId::new(ledger).ok()?, account)));
    if let Some((ledger, account)) = ours {
        let Some(compared) = ledgers.get_mut(&ledger) else {
            stream.of_other_ledgers = stream.of_other_ledgers.saturating_add(1);
            return Ok(());
        };
        let position = read.id.as_ref().and_then(|id| Position::of_message(&ledger, id));
        let position = position.filter(|position| position.account.as_str() == account);
        if let Some(position) = position {
            return compared.take(read.sequence, position);
        }
    }
    stream.foreign_count = stream.foreign_count.saturating_add(1);
    if stream.foreign.len() < FOREIGN_MAX {
        stream.foreign.push(read.sequence);
    }
    Ok(())
}

/// The messages that a ledger's log leads to, one after the other.
struct Expected<'a> {
    log: &'a dyn EventLog,
    ledger: LedgerId,
    fold: Fold,
    /// Nothing is kept of this fold.
    views: MemoryViews,
    waiting: VecDeque<Position>,
}

impl<'a> Expected<'a> {
    fn new(log: &'a dyn EventLog, ledger: LedgerId) -> Self {
        let fold = Fold::new(&ledger);
        Self { log, ledger, fold, views: MemoryViews::new(), waiting: VecDeque::new() }
    }

    fn next(&mut self) -> Result<Option<Position>, MendFault> {
        while self.waiting.is_empty() {
            let records = self.log.scan(&self.ledger, self.fold.folded(), SCAN_RECORDS)?;
            if records.is_empty() {
                return Ok(None);
            }
            for record in &records {
                let messages = self.fold.fold(&self.views, record.record(), None)?;
                self.waiting.extend(messages.into_iter().map(|message| message.position));
            }
        }
        Ok(self.waiting.pop_front())
    }
}
