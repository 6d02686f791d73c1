//! Ends holds whose time is over: each end is a record like any other, asked by Tallyhook itself.

use std::{io, sync::Arc, thread};

use crossbeam_channel::{RecvTimeoutError, Sender, bounded};
use domain::{
    ids::{AccountId, Actor, IdFault, IdempotencyKey, LedgerId, OperationId},
    input::{Command, Input, Order},
    refusal::Refusal,
};
use engine::step::{Answer, Request};
use projectors::projections::{Projections, StateError};
use serde_json::json;

use crate::{
    canonical::{Canonical, canonical},
    clock::Clock,
    limits::{EXPIRY_INTERVAL, HOLDS_EXPIRED_AT_ONCE_MAX},
    private::request::EXPIRY_KEYS,
    settle::ACTOR,
    writer::{Unavailable, Writer, with_causes},
};

/// What it takes to end holds.
pub(crate) struct Expiry {
    pub(crate) ledgers: Vec<LedgerId>,
    pub(crate) projections: Arc<Projections>,
    pub(crate) writer: Writer,
    pub(crate) clock: Arc<dyn Clock>,
}

/// The thread that ends holds, to be stopped and awaited by its owner before the writer is.
pub(crate) struct ExpiryThread {
    stop: Sender<()>,
    thread: thread::JoinHandle<()>,
}

/// Why holds could not be ended this time; the next time tries again.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ExpiryError {
    /// The state could not be read.
    #[error(transparent)]
    State(#[from] StateError),
    /// The writer took nothing.
    #[error("the writer takes no inputs: {0:?}")]
    Unavailable(Unavailable),
    /// A name of ours is none; never with the constants of today.
    #[error("name the end of a hold")]
    Name(#[from] IdFault),
}

impl Expiry {
    /// Starts the thread, which looks at once: holds may have ended while no server ran.
    ///
    /// # Errors
    /// The system has no thread left.
    pub(crate) fn start(self) -> io::Result<ExpiryThread> {
        let (stop, stopped) = bounded(1);
        let run = move || loop {
            for ledger in &self.ledgers {
                if let Err(error) = self.end_due(ledger) {
                    let error = with_causes(&error);
                    tracing::warn!(%ledger, error, "holds whose time is over could not be ended");
                }
            }
            if stopped.recv_timeout(EXPIRY_INTERVAL) != Err(RecvTimeoutError::Timeout) {
                break;
            }
        };
        let thread = thread::Builder::new().name("expiry".to_owned()).spawn(run)?;
        Ok(ExpiryThread { stop, thread })
    }

    /// Ends the holds of a ledger whose time is over. Blocks until that is durable.
    ///
    /// # Errors
    /// See [`ExpiryError`]; holds that were not ended are still due.
    pub(crate) fn end_due(&self, ledger: &LedgerId) -> Result<(), ExpiryError> {
        loop {
            let now = self.clock.now();
            let due = self.projections.due_holds(ledger, now, HOLDS_EXPIRED_AT_ONCE_MAX)?;
            let requests: Result<Vec<Request>, IdFault> =
                due.iter().map(|(account, hold)| request(ledger, account, *hold)).collect();
            let answers =
                self.writer.submit_blocking(requests?).map_err(ExpiryError::Unavailable)?;
            let ended =
                answers.into_iter().map(|answer| told(ledger, answer)).filter(|ended| *ended);
            // Those that are refused stay due: without any progress there is nothing more to do now.
            if ended.count() == 0 || due.len() < HOLDS_EXPIRED_AT_ONCE_MAX {
                return Ok(());
            }
        }
    }
}

/// The command that ends a hold; by its key a hold's time is over once.
fn request(ledger: &LedgerId, account: &AccountId, hold: OperationId) -> Result<Request, IdFault> {
    let asked = json!({"account": account.as_str(), "hold": hold.to_string()});
    let Canonical { bytes: body, digest } = canonical("expire hold", &asked);
    let key = IdempotencyKey::new(&format!("{EXPIRY_KEYS}{hold}"))?;
    let id = OperationId::of(ledger, &key);
    let order = Order::ExpireHold { account: account.clone(), hold };
    let command = Command { key, id, actor: Actor::new(ACTOR)?, request: digest, order };
    Ok(Request { ledger: ledger.clone(), input: Input::Command(Box::new(command)), body })
}

/// Whether a hold ended. One that was captured or released in the meantime is refused, and that is
/// as it should be.
fn told(ledger: &LedgerId, answer: Answer) -> bool {
    match answer {
        Answer::Recorded { .. } | Answer::Replayed { .. } => true,
        Answer::Refused(Refusal::HoldFinished | Refusal::HoldNotOver) => false,
        Answer::Refused(refusal) => {
            tracing::error!(%ledger, ?refusal, "a hold whose time is over could not be ended");
            false
        }
        Answer::Duplicate { .. } | Answer::KnownConflict { .. } => {
            tracing::error!(%ledger, "a command was answered like a delivery");
            false
        }
    }
}

impl ExpiryThread {
    /// Ends the thread. Blocks; `false` when it had failed.
    pub(crate) fn stop(self) -> bool {
        // A full channel means that it was told already.
        let _ = self.stop.try_send(());
        self.thread.join().is_ok()
    }
}
