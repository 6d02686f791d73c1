//! Signed checkpoints to NATS, where others keep them out of their signer's reach.
//!
//! The stream has the newest checkpoint of each ledger when it can be reached, and all that were
//! signed while it could be; the server's file has every one. What the broker has is told back, so
//! that the signer holds itself to that, too.

use std::{collections::BTreeMap, time::Duration};

use domain::ids::LedgerId;
use proof::checkpoint::Published;
use tokio::{sync::watch, time::timeout};

use crate::{
    broker::BrokerFault,
    nats::checkpoints::CheckpointStream,
    run::{Config, delay_after},
};

/// The JetStream stream that keeps all checkpoints.
pub const STREAM: &str = "TALLYHOOK_CHECKPOINTS";

/// What all subjects begin with.
const PREFIX: &str = "tallyhook.checkpoints";

/// How long the last checkpoint may take when the server stops.
const CLOSING_MAX: Duration = Duration::from_secs(3);

/// The newest checkpoint of each ledger.
pub type Newest = BTreeMap<LedgerId, Published>;

/// Takes checkpoints to the broker.
pub struct Courier {
    config: Config,
    ledgers: Vec<LedgerId>,
    newest: watch::Receiver<Newest>,
    seen: watch::Sender<Newest>,
    /// None before the first attempt and after a fault.
    open: Option<CheckpointStream>,
    /// How often it failed since it last did not.
    failures: u32,
}

/// The subject of a ledger's checkpoints.
#[must_use]
pub fn subject(ledger: &LedgerId) -> String {
    format!("{PREFIX}.{ledger}")
}

/// The subjects of all checkpoints.
#[must_use]
pub fn subjects() -> String {
    format!("{PREFIX}.*")
}

impl Courier {
    /// A courier of what is signed; it ends once the signer has.
    #[must_use]
    pub fn new(config: Config, ledgers: Vec<LedgerId>, newest: watch::Receiver<Newest>) -> Self {
        let seen = watch::Sender::new(Newest::new());
        Self { config, ledgers, newest, seen, open: None, failures: 0 }
    }

    /// What the broker has, as last seen.
    #[must_use]
    pub fn seen(&self) -> watch::Receiver<Newest> {
        self.seen.subscribe()
    }

    /// Takes every newest checkpoint to the broker until the signer has ended. A fault is logged
    /// and tried again; what is signed meanwhile is in the server's file.
    pub async fn run(mut self) {
        loop {
            let is_last = self.newest.has_changed().is_err();
            let newest = self.newest.borrow_and_update().clone();
            if is_last {
                let sent = timeout(CLOSING_MAX, self.send(&newest)).await;
                if !matches!(sent, Ok(Ok(()))) {
                    tracing::warn!("the last checkpoints were not published; the file has them");
                }
                return;
            }
            // What takes long is given up once the signer has ended: the last turn has its own time.
            let mut watched = self.newest.clone();
            let ended = async { while watched.changed().await.is_ok() {} };
            let sent = tokio::select! {
                sent = self.send(&newest) => sent,
                () = ended => continue,
            };
            match sent {
                Ok(()) => {
                    self.failures = 0;
                    // It ends with an error once the signer has, and then comes the last turn.
                    let _ = self.newest.changed().await;
                }
                Err(fault) => {
                    self.open = None;
                    if self.failures == 0 {
                        let fault: &dyn std::error::Error = &fault;
                        tracing::warn!(fault, "checkpoints are not published for now");
                    }
                    let delay = delay_after(self.failures);
                    self.failures = self.failures.saturating_add(1);
                    let ended = async { while self.newest.changed().await.is_ok() {} };
                    let _ = timeout(delay, ended).await;
                }
            }
        }
    }

    /// Adds what the broker doesn't have. What contradicts it is the signer's affair, which is told.
    async fn send(&mut self, newest: &Newest) -> Result<(), BrokerFault> {
        let stream = match self.open.take() {
            Some(stream) => stream,
            None => CheckpointStream::open(&self.config).await?,
        };
        for ledger in &self.ledgers {
            let last = stream.last_of(ledger).await?;
            let size = last.published.as_ref().map(|published| published.checkpoint.size);
            self.saw(ledger, last.published);
            let Some(published) = newest.get(ledger) else { continue };
            if size.is_none_or(|size| size < published.checkpoint.size) {
                stream.add(ledger, last.sequence, published).await?;
                self.saw(ledger, Some(published.clone()));
            }
        }
        self.open = Some(stream);
        Ok(())
    }

    fn saw(&self, ledger: &LedgerId, published: Option<Published>) {
        let Some(published) = published else { return };
        self.seen.send_if_modified(|seen| {
            seen.insert(ledger.clone(), published.clone()) != Some(published)
        });
    }
}

impl std::fmt::Debug for Courier {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Courier").field("ledgers", &self.ledgers).finish_non_exhaustive()
    }
}
