//! Signed checkpoints to NATS, where others keep them out of their signer's reach.
//!
//! The stream has the newest checkpoint of each ledger when it can be reached, and all that were
//! signed while it could be; the server's file has every one. What the broker has is told back, and
//! nothing is added behind it before the signer held its log to that: what contradicts the log stays
//! the last one, and stays told.

use std::{collections::BTreeMap, time::Duration};

use domain::ids::LedgerId;
use proof::{checkpoint::Published, note::VerifierKey};
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

/// What the signer has of each ledger.
pub type Offered = BTreeMap<LedgerId, Offer>;

/// What the broker has of each ledger that was looked for.
pub type Seen = BTreeMap<LedgerId, Last>;

/// Whose notes are believed of each ledger: its own key's, and those of keys it had before.
pub type Believed = BTreeMap<LedgerId, Vec<VerifierKey>>;

/// A ledger's newest checkpoint, and what of the broker's it was held to.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Offer {
    /// The newest checkpoint; none where nothing is signed yet.
    pub newest: Option<Published>,
    /// The [`Last::place`] that the log was held to; none as long as it was held to nothing.
    pub held_to: Option<u64>,
}

/// The end of a ledger's subject, as last seen.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Last {
    /// The last message's place in the stream, whoever sent it; 0 where there is none.
    pub place: u64,
    /// The newest checkpoint that is believed; none where there is none.
    pub published: Option<Published>,
    /// Whether the last message is nothing that is believed.
    pub is_strange: bool,
}

/// Takes checkpoints to the broker.
pub struct Courier {
    config: Config,
    believed: Believed,
    offered: watch::Receiver<Offered>,
    seen: watch::Sender<Seen>,
    /// The places of what it added itself, last of each ledger.
    added: BTreeMap<LedgerId, u64>,
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
    pub fn new(config: Config, believed: Believed, offered: watch::Receiver<Offered>) -> Self {
        let seen = watch::Sender::new(Seen::new());
        Self { config, believed, offered, seen, added: BTreeMap::new(), open: None, failures: 0 }
    }

    /// What the broker has, as last seen.
    #[must_use]
    pub fn seen(&self) -> watch::Receiver<Seen> {
        self.seen.subscribe()
    }

    /// Takes every newest checkpoint to the broker until the signer has ended. A fault is logged
    /// and tried again; what is signed meanwhile is in the server's file.
    pub async fn run(mut self) {
        loop {
            let is_last = self.offered.has_changed().is_err();
            let offered = self.offered.borrow_and_update().clone();
            if is_last {
                let sent = timeout(CLOSING_MAX, self.send(&offered)).await;
                if !matches!(sent, Ok(Ok(()))) {
                    tracing::warn!("the last checkpoints were not published; the file has them");
                }
                return;
            }
            // What takes long is given up once the signer has ended: the last turn has its own time.
            let mut watched = self.offered.clone();
            let ended = async { while watched.changed().await.is_ok() {} };
            let sent = tokio::select! {
                sent = self.send(&offered) => sent,
                () = ended => continue,
            };
            match sent {
                Ok(()) => {
                    self.failures = 0;
                    // It ends with an error once the signer has, and then comes the last turn.
                    let _ = self.offered.changed().await;
                }
                Err(fault) => {
                    self.open = None;
                    if self.failures == 0 {
                        let fault: &dyn std::error::Error = &fault;
                        tracing::warn!(fault, "checkpoints are not published for now");
                    }
                    let delay = delay_after(self.failures);
                    self.failures = self.failures.saturating_add(1);
                    let ended = async { while self.offered.changed().await.is_ok() {} };
                    let _ = timeout(delay, ended).await;
                }
            }
        }
    }

    /// Adds what the broker doesn't have. What contradicts it is the signer's affair, which is told.
    async fn send(&mut self, offered: &Offered) -> Result<(), BrokerFault> {
        let stream = match self.open.take() {
            Some(stream) => stream,
            None => CheckpointStream::open(&self.config).await?,
        };
        for (ledger, keys) in &self.believed {
            let offer = offered.get(ledger).cloned().unwrap_or_default();
            let added = self.added.get(ledger).copied();
            let is_held = |place| offer.held_to == Some(place) || added == Some(place);
            // What the log was not held to yet is not looked away from.
            let known = self.seen.borrow().get(ledger).map(|last| last.place);
            if known.is_some_and(|place| !is_held(place)) {
                continue;
            }
            let last = stream.last_of(ledger, keys).await?;
            let place = last.place;
            let size = last.published.as_ref().map(|published| published.checkpoint.size);
            saw(&self.seen, ledger, last);
            let Some(published) = offer.newest.clone().filter(|_| is_held(place)) else { continue };
            if size.is_none_or(|size| size < published.checkpoint.size) {
                let place = stream.add(ledger, place, &published).await?;
                self.added.insert(ledger.clone(), place);
                let own = Last { place, published: Some(published), is_strange: false };
                saw(&self.seen, ledger, own);
            }
        }
        self.open = Some(stream);
        Ok(())
    }
}

fn saw(seen: &watch::Sender<Seen>, ledger: &LedgerId, last: Last) {
    seen.send_if_modified(|seen| seen.insert(ledger.clone(), last.clone()) != Some(last));
}

impl std::fmt::Debug for Courier {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Courier").field("believed", &self.believed).finish_non_exhaustive()
    }
}
