//! The task that publishes.

use std::{error::Error, fmt, sync::Arc, time::Duration};

use domain::ids::{LedgerId, Sequence};
use event_store::{log::EventLog, views::ViewStore};
use tokio::{sync::watch, time::sleep};
use tokio_util::sync::CancellationToken;

pub use crate::checkpoint::forget;
use crate::{
    access::Access,
    broker::Broker,
    nats::Nats,
    standing::{Progress, Standing, State},
    turn::{Open, Pace, Turn},
};

/// The first delay after a fault; each further one doubles it.
const DELAY_MIN: Duration = Duration::from_millis(250);

/// The longest delay after a fault.
const DELAY_MAX: Duration = Duration::from_secs(30);

/// How often an idle publisher looks at its connection and the log by itself.
const IDLE_CHECK: Duration = Duration::from_secs(5);

/// Where to publish.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Config {
    /// How the broker is reached.
    pub access: Access,
    /// On how many servers each message must be stored: 1, 3 or 5.
    pub replicas: usize,
}

/// Publishes every change of every account in a log, in order, exactly once.
pub struct Publisher<B: Broker = Nats> {
    pub(crate) broker: B,
    pub(crate) log: Arc<dyn EventLog>,
    pub(crate) views: Arc<dyn ViewStore>,
    pub(crate) pace: Pace,
    /// None before the first turn and after a fault.
    pub(crate) open: Option<Open<B::Session>>,
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

impl Publisher {
    /// A publisher of all ledgers of a log to NATS. Its checkpoint is in `views`, apart from all
    /// others.
    #[must_use]
    pub fn new(config: Config, log: Arc<dyn EventLog>, views: Arc<dyn ViewStore>) -> Self {
        Self::over(Nats::new(config), log, views, Pace::STANDARD)
    }
}

impl<B: Broker> Publisher<B> {
    /// A publisher to any broker.
    #[must_use]
    pub fn over(broker: B, log: Arc<dyn EventLog>, views: Arc<dyn ViewStore>, pace: Pace) -> Self {
        let standing = watch::Sender::new(Standing::START);
        Self { broker, log, views, pace, open: None, standing }
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
        mut self,
        mut wake: watch::Receiver<u64>,
        stop: CancellationToken,
    ) -> Result<(), RunError> {
        let mut failures = 0;
        while !stop.is_cancelled() {
            wake.borrow_and_update();
            match self.turn(&stop).await? {
                Turn::Worked => failures = 0,
                Turn::Idle => {
                    failures = 0;
                    idle(&mut wake, &stop).await;
                }
                Turn::Failed => {
                    let delay = delay_after(failures);
                    failures = failures.saturating_add(1);
                    stop.run_until_cancelled(sleep(delay)).await;
                }
            }
        }
        self.close()?;
        self.enter(State::Stopped);
        Ok(())
    }

    pub(crate) fn enter(&self, state: State) {
        self.standing.send_if_modified(|standing| {
            let is_new = standing.state != state;
            if is_new {
                log_change(&state);
                standing.state = state;
            }
            is_new
        });
    }

    pub(crate) fn note(&self, ledger: &LedgerId, published: Option<Sequence>) {
        let progress = Progress { published, head: self.head(ledger) };
        self.standing.send_if_modified(|standing| {
            standing.ledgers.insert(ledger.clone(), progress) != Some(progress)
        });
    }

    /// Lets the lag grow while nothing can be published.
    pub(crate) fn look_at_heads(&self) {
        for ledger in self.log.ledgers().unwrap_or_default() {
            let known = self.standing.borrow().ledgers.get(&ledger).copied();
            self.note(&ledger, known.and_then(|progress| progress.published));
        }
    }
}

impl<B: Broker> fmt::Debug for Publisher<B> {
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
pub(crate) fn delay_after(failures: u32) -> Duration {
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
}
