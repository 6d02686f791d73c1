//! Brings each ledger's recorded policy and settings and its configuration together, before any
//! input is taken.

use std::{collections::BTreeMap, path::PathBuf, sync::Arc};

use domain::{
    ids::{Actor, IdFault, IdempotencyKey, LedgerId, OperationId, Sequence},
    input::{Command, Input, Order},
    refusal::Refusal,
    time::Timestamp,
};
use engine::step::{Answer, Engine, Request, StepError};
use projectors::projections::{Projections, StateError};

use crate::{
    canonical::{Canonical, canonical},
    config::{Config, Ledger},
    private::{Served, form},
};

/// Who records what nobody asked for: what the configuration says, and that a hold's time is over.
pub(crate) const ACTOR: &str = "tallyhook";

/// Why the configuration and the log can't be brought together.
#[derive(Debug, thiserror::Error)]
pub enum SettleError {
    /// The policy file is another than the recorded one.
    #[error(
        "ledger {ledger}: the policy file {} is not the one in force; run `tallyhook policy \
         activate` to put it in force, or restore the file", path.display()
    )]
    PolicyDiffers {
        /// The ledger.
        ledger: LedgerId,
        /// The configured file.
        path: PathBuf,
    },
    /// The rules refuse what the configuration says.
    #[error("ledger {ledger}: the configuration was refused: {refusal:?}")]
    Refused {
        /// The ledger.
        ledger: LedgerId,
        /// Why.
        refusal: Refusal,
    },
    /// The ledger has no policy after all.
    #[error("ledger {ledger}: no policy is in force")]
    NoPolicy {
        /// The ledger.
        ledger: LedgerId,
    },
    /// The record could not be stored.
    #[error("record the configuration")]
    Step(#[from] StepError),
    /// The state could not be read.
    #[error("read the recorded configuration")]
    State(#[from] StateError),
    /// A name of ours is none; never with the constants of today.
    #[error("name a record of the configuration")]
    Name(#[from] IdFault),
}

/// Records the first policy and changed settings; refuses a policy that changed by itself.
pub(crate) fn settle(
    engine: &Engine,
    projections: &Projections,
    config: &Config,
    now: Timestamp,
) -> Result<BTreeMap<LedgerId, Served>, SettleError> {
    let mut served = BTreeMap::new();
    for (ledger, configured) in &config.ledgers {
        let book = projections.book(ledger)?;
        if book.timeline.versions().is_empty() {
            activate(engine, ledger, configured, now)?;
        } else if book.policy_file != Some(configured.policy_digest) {
            let path = configured.policy_path.clone();
            return Err(SettleError::PolicyDiffers { ledger: ledger.clone(), path });
        }
        if book.settings.as_ref() != Some(&configured.settings) {
            let next = projections.book(ledger)?.next_sequence();
            configure(engine, ledger, configured, next, now)?;
        }
        served.insert(ledger.clone(), what_never_changes(projections, ledger, configured)?);
    }
    Ok(served)
}

fn activate(
    engine: &Engine,
    ledger: &LedgerId,
    configured: &Ledger,
    now: Timestamp,
) -> Result<(), SettleError> {
    let file = configured.policy_digest;
    let key = IdempotencyKey::new(&format!("policy-{file}"))?;
    let order = Order::ActivatePolicy { policy: Arc::clone(&configured.policy), file };
    let request = Canonical { bytes: Arc::clone(&configured.policy_text), digest: file };
    record(engine, ledger, now, order, key, request)?;
    tracing::info!(%ledger, policy = %configured.policy.name, version = configured.policy.version, "the first policy is in force");
    Ok(())
}

/// The key has the sequence, because the same settings may come back later.
fn configure(
    engine: &Engine,
    ledger: &LedgerId,
    configured: &Ledger,
    next: Sequence,
    now: Timestamp,
) -> Result<(), SettleError> {
    let settings = &configured.settings;
    let request = canonical("configure", &form::settings(settings));
    let key = IdempotencyKey::new(&format!("settings-{next}-{}", request.digest))?;
    record(engine, ledger, now, Order::Configure(settings.clone()), key, request)?;
    tracing::info!(%ledger, "changed settings are recorded");
    Ok(())
}

fn record(
    engine: &Engine,
    ledger: &LedgerId,
    now: Timestamp,
    order: Order,
    key: IdempotencyKey,
    request: Canonical,
) -> Result<(), SettleError> {
    let id = OperationId::of(ledger, &key);
    let Canonical { bytes: body, digest } = request;
    let command = Command { key, id, actor: Actor::new(ACTOR)?, request: digest, order };
    let input = Input::Command(Box::new(command));
    let answers = engine.step(now, vec![Request { ledger: ledger.clone(), input, body }])?;
    let refused = answers.into_iter().find_map(|answer| match answer {
        Answer::Refused(refusal) => Some(refusal),
        Answer::Recorded { .. }
        | Answer::Replayed { .. }
        | Answer::Duplicate { .. }
        | Answer::KnownConflict { .. } => None,
    });
    match refused {
        Some(refusal) => Err(SettleError::Refused { ledger: ledger.clone(), refusal }),
        None => Ok(()),
    }
}

fn what_never_changes(
    projections: &Projections,
    ledger: &LedgerId,
    configured: &Ledger,
) -> Result<Served, SettleError> {
    let book = projections.book(ledger)?;
    let no_policy = || SettleError::NoPolicy { ledger: ledger.clone() };
    let policy = book.timeline.versions().first().ok_or_else(no_policy)?;
    let mut origins: Vec<_> =
        configured.sources.iter().map(|source| source.origin.clone()).collect();
    origins.sort_unstable();
    origins.dedup();
    let sources = configured.sources.clone();
    Ok(Served { unit: policy.unit.clone(), decimals: policy.decimals, origins, sources })
}
