//! The task that publishes.

use std::{collections::BTreeMap, error::Error, fmt, sync::Arc, time::Duration};

use domain::ids::{LedgerId, Sequence};
use event_store::{
    log::{EventLog, ReadError, Recorded},
    views::ViewStore,
};
use tokio::{sync::watch, time::sleep};
use tokio_util::sync::CancellationToken;

pub use crate::checkpoint::forget;
use crate::{
    checkpoint::CheckpointFault,
    fold::{Fold, FoldFault},
    nats::{NatsFault, Session},
    position::{Position, Resume, resume},
    project::Message,
    standing::{Progress, Standing, State},
};

/// How many records are read at once: the log returns whole blocks, so a few more.
const SCAN_RECORDS: usize = 512;

/// The most messages in one batch; the broker takes 1,000.
const BATCH_MESSAGES_MAX: usize = 512;

/// A batch ends after the message that reaches so many bytes.
const BATCH_BYTES_MAX: usize = 1 << 20;

/// How many records are folded between two checkpoints.
const CHECKPOINT_RECORDS: u64 = 4_096;

/// The first delay after a fault; each further one doubles it.
const DELAY_MIN: Duration = Duration::from_millis(250);

/// The longest delay after a fault.
const DELAY_MAX: Duration = Duration::from_secs(30);

/// How often an idle publisher looks at its connection and the log by itself.
const IDLE_CHECK: Duration = Duration::from_secs(5);

/// Where to publish.
#[derive(Clone, PartialEq, Eq)]
pub struct Config {
    /// The broker, such as `nats://127.0.0.1:4222`. May hold a password, so it is never shown.
    pub url: String,
}

impl fmt::Debug for Config {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Config").finish_non_exhaustive()
    }
}

/// Publishes every change of every account in a log, in order, exactly once.
pub struct Publisher {
    config: Config,
    log: Arc<dyn EventLog>,
    views: Arc<dyn ViewStore>,
    standing: watch::Sender<Standing>,
}

/// A recorded fact contradicts the publisher's fold: the process must stop.
#[derive(Debug, thiserror::Error)]
#[error("publish ledger {ledger}")]
pub struct RunError {
    /// The ledger.
    pub ledger: LedgerId,
    /// What contradicts what.
    #[source]
    pub source: Box<dyn Error + Send + Sync>,
}

/// Why publishing stopped for now, or for good.
#[derive(Debug, thiserror::Error)]
enum Fault {
    #[error(transparent)]
    Nats(#[from] NatsFault),
    #[error(transparent)]
    Log(#[from] ReadError),
    #[error(transparent)]
    Checkpoint(#[from] CheckpointFault),
    #[error("the stream and the checkpoint or log disagree")]
    Apart(State),
    #[error(transparent)]
    Contradiction(#[from] RunError),
}

/// One ledger in a session.
struct Lane {
    fold: Fold,
    /// The ledger's last message in the stream when the session met it.
    published: Option<Position>,
}

impl Publisher {
    /// A publisher of all ledgers of a log. Its checkpoint is in `views`, apart from all others.
    #[must_use]
    pub fn new(config: Config, log: Arc<dyn EventLog>, views: Arc<dyn ViewStore>) -> Self {
        Self { config, log, views, standing: watch::Sender::new(Standing::START) }
    }

    /// How it stands, now and from now on.
    #[must_use]
    pub fn standing(&self) -> watch::Receiver<Standing> {
        self.standing.subscribe()
    }

    /// Publishes until `stop`: whenever `wake` changes, and in between by itself.
    ///
    /// Reads the log and writes checkpoints in place, for milliseconds at a time: give it a thread
    /// and a runtime of its own. Dropping it loses and repeats nothing.
    ///
    /// # Errors
    /// A record contradicts the fold of those before it. All other faults are told by
    /// [`Self::standing`] and tried again.
    pub async fn run(
        self,
        mut wake: watch::Receiver<u64>,
        stop: CancellationToken,
    ) -> Result<(), RunError> {
        let mut failures = 0;
        while let Err(fault) = self.session(&mut wake, &stop, &mut failures).await {
            match state_after(fault) {
                Ok(state) => self.enter(state),
                Err(contradiction) => {
                    self.enter(State::Stopped);
                    return Err(contradiction);
                }
            }
            self.look_at_heads();
            let delay = delay_after(failures);
            failures = failures.saturating_add(1);
            if stop.run_until_cancelled(sleep(delay)).await.is_none() {
                break;
            }
        }
        self.enter(State::Stopped);
        Ok(())
    }

    /// Publishes over one connection, until told to stop. `failures` falls to 0 once it works.
    async fn session(
        &self,
        wake: &mut watch::Receiver<u64>,
        stop: &CancellationToken,
        failures: &mut u32,
    ) -> Result<(), Fault> {
        let Some(opened) = stop.run_until_cancelled(Session::open(&self.config.url)).await else {
            return Ok(());
        };
        let mut session = opened?;
        let mut lanes = BTreeMap::new();
        loop {
            wake.borrow_and_update();
            let worked = self.round(&mut session, &mut lanes, stop).await?;
            *failures = 0;
            self.enter(State::Publishing);
            if stop.is_cancelled() {
                return self.checkpoint(lanes.values_mut(), 1);
            }
            self.checkpoint(lanes.values_mut(), CHECKPOINT_RECORDS)?;
            if !worked {
                idle(wake, stop).await;
                if !session.is_connected() {
                    let source = "the connection is lost".into();
                    return Err(NatsFault::Away { doing: "stay connected", source }.into());
                }
            }
        }
    }

    /// Takes one step in each ledger. Says whether there was anything to do.
    async fn round(
        &self,
        session: &mut Session,
        lanes: &mut BTreeMap<LedgerId, Lane>,
        stop: &CancellationToken,
    ) -> Result<bool, Fault> {
        let mut worked = false;
        for ledger in self.log.ledgers()? {
            if stop.is_cancelled() {
                break;
            }
            let lane = match lanes.remove(&ledger) {
                Some(lane) => lane,
                None => self.open_lane(session, &ledger).await?,
            };
            let lane = lanes.entry(ledger.clone()).or_insert(lane);
            worked |= self.step(session, &ledger, lane).await?;
        }
        Ok(worked)
    }

    /// Finds out where a ledger goes on.
    async fn open_lane(&self, session: &Session, ledger: &LedgerId) -> Result<Lane, Fault> {
        let fold = Fold::load(&*self.views, ledger)?;
        let stream = session.last_of(ledger).await?;
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
        session: &mut Session,
        ledger: &LedgerId,
        lane: &mut Lane,
    ) -> Result<bool, Fault> {
        let records = self.log.scan(ledger, lane.fold.folded(), SCAN_RECORDS)?;
        let mut batch: Vec<Message> = Vec::new();
        let mut bytes = 0_usize;
        for record in &records {
            for message in self.fold(ledger, lane, record)? {
                bytes = bytes.saturating_add(message.body.len());
                batch.push(message);
                if batch.len() >= BATCH_MESSAGES_MAX || bytes >= BATCH_BYTES_MAX {
                    session.publish(&batch).await?;
                    batch.clear();
                    bytes = 0;
                }
            }
        }
        session.publish(&batch).await?;
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

    fn head(&self, ledger: &LedgerId) -> Option<Sequence> {
        self.log.head(ledger).map(|head| head.sequence)
    }

    fn enter(&self, state: State) {
        self.standing.send_if_modified(|standing| {
            let is_new = standing.state != state;
            if is_new {
                log_change(&state);
                standing.state = state;
            }
            is_new
        });
    }

    fn note(&self, ledger: &LedgerId, published: Option<Sequence>) {
        let progress = Progress { published, head: self.head(ledger) };
        self.standing.send_if_modified(|standing| {
            standing.ledgers.insert(ledger.clone(), progress) != Some(progress)
        });
    }

    /// Lets the lag grow while nothing can be published.
    fn look_at_heads(&self) {
        for ledger in self.log.ledgers().unwrap_or_default() {
            let known = self.standing.borrow().ledgers.get(&ledger).copied();
            self.note(&ledger, known.and_then(|progress| progress.published));
        }
    }
}

impl fmt::Debug for Publisher {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Publisher")
            .field("standing", &*self.standing.borrow())
            .finish_non_exhaustive()
    }
}

/// Waits for something to do.
async fn idle(wake: &mut watch::Receiver<u64>, stop: &CancellationToken) {
    let woken = async {
        if wake.changed().await.is_err() {
            // Nobody wakes any more: look at the log now and then.
            sleep(IDLE_CHECK).await;
        }
    };
    tokio::select! {
        () = stop.cancelled() => {}
        () = woken => {}
        () = sleep(IDLE_CHECK) => {}
    }
}

/// What the publisher stands in after a fault.
fn state_after(fault: Fault) -> Result<State, RunError> {
    let reason = with_causes(&fault);
    match fault {
        Fault::Nats(NatsFault::Away { .. }) => Ok(State::BrokerAway { reason }),
        Fault::Nats(NatsFault::Moved) => Ok(State::Connecting),
        Fault::Nats(
            NatsFault::ServerTooOld { .. }
            | NatsFault::StreamUnfit { .. }
            | NatsFault::ForeignMessage { .. }
            | NatsFault::Refused { .. },
        ) => Ok(State::BrokerUnfit { reason }),
        Fault::Log(_) | Fault::Checkpoint(_) => Ok(State::StoreFailed { reason }),
        Fault::Apart(state) => Ok(state),
        Fault::Contradiction(contradiction) => Err(contradiction),
    }
}

fn with_causes(error: &dyn Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        text.push_str(": ");
        text.push_str(&error.to_string());
        cause = error.source();
    }
    text
}

fn log_change(state: &State) {
    match state {
        State::Connecting | State::Publishing | State::Stopped => {
            tracing::info!(%state, "publisher")
        }
        State::BrokerAway { .. }
        | State::BrokerUnfit { .. }
        | State::StreamBehind { .. }
        | State::LogBehind { .. }
        | State::StoreFailed { .. } => tracing::warn!(%state, "publisher"),
    }
}

/// Doubles with each failure, up to the longest.
fn delay_after(failures: u32) -> Duration {
    DELAY_MIN.saturating_mul(2_u32.saturating_pow(failures)).min(DELAY_MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn delays_double_up_to_the_longest() {
        assert_eq!(delay_after(0), DELAY_MIN);
        assert_eq!(delay_after(3), DELAY_MIN * 8);
        assert_eq!(delay_after(7), DELAY_MAX);
        assert_eq!(delay_after(u32::MAX), DELAY_MAX);
    }

    #[test]
    fn a_password_in_the_address_is_not_shown() {
        let config = Config { url: "nats://user:secret@broker".into() };
        assert!(!format!("{config:?}").contains("secret"));
    }
}
