//! One turn of publishing: connect where there is no connection, find out where each ledger goes
//! on, publish what the stream lacks of its next records, store checkpoints that are due.
//!
//! No clock here: when turns are taken, and how long to wait after a failed one, is [`crate::run`]'s
//! and the simulator's.

use std::collections::BTreeMap;

use domain::ids::{LedgerId, Sequence};
use event_store::log::{ReadError, Recorded};
use tokio_util::sync::CancellationToken;

use crate::{
    broker::{Broker, BrokerFault, Message, Session, Stored},
    checkpoint::CheckpointFault,
    fold::{Fold, FoldFault},
    follow::with_causes,
    position::{Position, Resume, resume},
    run::{Publisher, RunError},
    standing::State,
};

/// How much is done at once.
#[derive(Clone, Copy, Debug)]
pub struct Pace {
    /// How many records are read at once: the log returns whole blocks, so a few more.
    pub scan_records: usize,
    /// The most messages in one batch; the broker takes 1,000.
    pub batch_messages_max: usize,
    /// A batch ends after the message that reaches so many bytes.
    pub batch_bytes_max: usize,
    /// How many records are folded between two checkpoints.
    pub checkpoint_records: u64,
}

impl Pace {
    /// What publishes fastest without much memory.
    pub const STANDARD: Self = Self {
        scan_records: 512,
        batch_messages_max: 512,
        batch_bytes_max: 1 << 20,
        checkpoint_records: 4_096,
    };
}

/// What came of a turn.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Turn {
    /// There was something to do, and there may be more.
    Worked,
    /// There was nothing to do.
    Idle,
    /// It failed, as the standing says; the next turn begins with a new connection.
    Failed,
}

/// Why publishing stopped for now, or for good.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Fault {
    #[error(transparent)]
    Broker(#[from] BrokerFault),
    #[error(transparent)]
    Log(#[from] ReadError),
    #[error(transparent)]
    Checkpoint(#[from] CheckpointFault),
    #[error("the stream and the checkpoint or log disagree")]
    Apart(State),
    #[error(transparent)]
    Contradiction(#[from] RunError),
}

/// A connection, the stream's last sequence as we know it, and the ledgers that were met since.
pub(crate) struct Open<S> {
    session: S,
    last_sequence: u64,
    lanes: BTreeMap<LedgerId, Lane>,
}

/// One ledger in a session.
struct Lane {
    fold: Fold,
    /// The ledger's last message in the stream when the session met it.
    published: Option<Position>,
}

impl<B: Broker> Publisher<B> {
    /// Takes one step in each ledger.
    ///
    /// # Errors
    /// A record contradicts the fold of those before it. All other faults are a turn that failed.
    pub async fn turn(&mut self, stop: &CancellationToken) -> Result<Turn, RunError> {
        match self.work(stop).await {
            Ok(turn) => Ok(turn),
            Err(fault) => {
                self.fail(fault)?;
                self.look_at_heads();
                Ok(Turn::Failed)
            }
        }
    }

    /// Stores what was folded and lets go of the connection.
    ///
    /// # Errors
    /// See [`Self::turn`].
    pub fn close(&mut self) -> Result<(), RunError> {
        let Some(mut open) = self.open.take() else { return Ok(()) };
        self.checkpoint(open.lanes.values_mut(), 1).or_else(|fault| self.fail(fault))
    }

    fn fail(&self, fault: Fault) -> Result<(), RunError> {
        let state = state_after(fault).inspect_err(|_| self.enter(State::Stopped))?;
        self.enter(state);
        Ok(())
    }

    /// After a fault the connection is gone: the next turn finds out where to go on.
    async fn work(&mut self, stop: &CancellationToken) -> Result<Turn, Fault> {
        let mut open = match self.open.take() {
            Some(open) if open.session.is_connected() => open,
            Some(_) => {
                let source = "the connection is lost".into();
                return Err(BrokerFault::Away { doing: "stay connected", source }.into());
            }
            None => match stop.run_until_cancelled(self.broker.open()).await {
                Some(session) => Open::new(session?),
                None => return Ok(Turn::Idle),
            },
        };
        let worked = self.round(&mut open, stop).await?;
        self.enter(State::Publishing);
        self.checkpoint(open.lanes.values_mut(), self.pace.checkpoint_records)?;
        self.open = Some(open);
        Ok(if worked { Turn::Worked } else { Turn::Idle })
    }

    /// Takes one step in each ledger. Says whether there was anything to do.
    async fn round(
        &self,
        open: &mut Open<B::Session>,
        stop: &CancellationToken,
    ) -> Result<bool, Fault> {
        let mut worked = false;
        for ledger in self.log.ledgers()? {
            if stop.is_cancelled() {
                break;
            }
            let mut lane = match open.lanes.remove(&ledger) {
                Some(lane) => lane,
                None => self.open_lane(open, &ledger).await?,
            };
            worked |= self.step(open, &ledger, &mut lane).await?;
            open.lanes.insert(ledger, lane);
        }
        Ok(worked)
    }

    /// Finds out where a ledger goes on.
    async fn open_lane(&self, open: &Open<B::Session>, ledger: &LedgerId) -> Result<Lane, Fault> {
        let fold = Fold::load(&*self.views, ledger)?;
        let stream = open.last_of(ledger).await?;
        let head = self.head(ledger);
        let sequence = |position: Option<&Position>| position.map(|position| position.sequence);
        let last = sequence(stream.as_ref());
        let ledger = ledger.clone();
        match resume(fold.sent(), fold.folded(), stream, head) {
            Resume::After(published) => Ok(Lane { fold, published }),
            Resume::StreamBehind => {
                let acknowledged = sequence(fold.sent());
                Err(Fault::Apart(State::StreamBehind { ledger, stream: last, acknowledged }))
            }
            Resume::LogBehind => {
                let published = last.max(fold.folded());
                Err(Fault::Apart(State::LogBehind { ledger, published, log: head }))
            }
        }
    }

    /// Folds the next records of a ledger and publishes what the stream lacks of them; all of it
    /// is acknowledged when this returns. Says whether there were any.
    async fn step(
        &self,
        open: &mut Open<B::Session>,
        ledger: &LedgerId,
        lane: &mut Lane,
    ) -> Result<bool, Fault> {
        let records = self.log.scan(ledger, lane.fold.folded(), self.pace.scan_records)?;
        let mut batch: Vec<Message> = Vec::new();
        let mut bytes = 0_usize;
        for record in &records {
            for message in self.fold(ledger, lane, record)? {
                bytes = bytes.saturating_add(message.body.len());
                batch.push(message);
                if batch.len() >= self.pace.batch_messages_max || bytes >= self.pace.batch_bytes_max
                {
                    open.publish(&batch).await?;
                    batch.clear();
                    bytes = 0;
                }
            }
        }
        open.publish(&batch).await?;
        self.note(ledger, lane.fold.folded());
        Ok(!records.is_empty())
    }

    fn fold(
        &self,
        ledger: &LedgerId,
        lane: &mut Lane,
        record: &Recorded,
    ) -> Result<Vec<Message>, Fault> {
        let folded = lane.fold.fold(&*self.views, record.record(), lane.published.as_ref());
        folded.map_err(|fault| match fault {
            FoldFault::Checkpoint(fault) => fault.into(),
            FoldFault::Project(fault) => {
                RunError { ledger: ledger.clone(), source: fault.into() }.into()
            }
        })
    }

    /// Writes the checkpoints of the ledgers that folded so many records since the last one.
    /// Only between steps: then everything folded is in the stream.
    fn checkpoint<'a>(
        &self,
        lanes: impl Iterator<Item = &'a mut Lane>,
        records_min: u64,
    ) -> Result<(), Fault> {
        for lane in lanes.filter(|lane| lane.fold.records_since() >= records_min) {
            lane.fold.checkpoint(&*self.views)?;
        }
        Ok(())
    }

    pub(crate) fn head(&self, ledger: &LedgerId) -> Option<Sequence> {
        self.log.head(ledger).map(|head| head.sequence)
    }
}

impl<S: Session> Open<S> {
    fn new(session: S) -> Self {
        Self { last_sequence: session.last_sequence(), session, lanes: BTreeMap::new() }
    }

    /// The last message of a ledger that is in the stream. One that came after the session opened
    /// is another session's: a batch that builds on it would name the place before it.
    async fn last_of(&self, ledger: &LedgerId) -> Result<Option<Position>, BrokerFault> {
        let Some(Stored { sequence, id }) = self.session.last_of(ledger).await? else {
            return Ok(None);
        };
        if sequence > self.last_sequence {
            return Err(BrokerFault::Moved);
        }
        let position = id.and_then(|id| Position::of_message(ledger, &id));
        position.map(Some).ok_or(BrokerFault::ForeignMessage { message: sequence })
    }

    async fn publish(&mut self, batch: &[Message]) -> Result<(), BrokerFault> {
        if !batch.is_empty() {
            self.last_sequence = self.session.publish(self.last_sequence, batch).await?;
        }
        Ok(())
    }
}

/// What the publisher stands in after a fault.
fn state_after(fault: Fault) -> Result<State, RunError> {
    let reason = with_causes(&fault);
    match fault {
        Fault::Broker(BrokerFault::Away { .. }) => Ok(State::BrokerAway { reason }),
        Fault::Broker(BrokerFault::Moved) => Ok(State::Connecting),
        Fault::Broker(
            BrokerFault::ServerTooOld { .. }
            | BrokerFault::AccessUnreadable { .. }
            | BrokerFault::Unauthorized
            | BrokerFault::TlsFailed { .. }
            | BrokerFault::Forbidden { .. }
            | BrokerFault::StreamUnfit { .. }
            | BrokerFault::ForeignMessage { .. }
            | BrokerFault::Refused { .. },
        ) => Ok(State::BrokerUnfit { reason }),
        Fault::Log(_) | Fault::Checkpoint(_) => Ok(State::StoreFailed { reason }),
        Fault::Apart(state) => Ok(state),
        Fault::Contradiction(contradiction) => Err(contradiction),
    }
}
