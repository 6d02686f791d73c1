//! Folding a log from its first byte into a store of its own.

use std::sync::Arc;

use domain::ids::{LedgerId, Sequence};
use event_store::{log::EventLog, views::ViewStore};
use projectors::{fold::FoldError, projections::Projections};

use crate::compare;

/// What a replay of a ledger led to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Replayed {
    /// The ledger.
    pub ledger: LedgerId,
    /// Its last record.
    pub sequence: Option<Sequence>,
    /// SHA-256 over all its projections: equal logs give equal digests.
    pub digest: String,
}

/// Folds all ledgers of a log into `into`, which must be empty, and digests the result.
///
/// # Errors
/// The log can't be read or contradicts itself, or the store fails.
pub fn replay(
    log: &dyn EventLog,
    into: &Arc<dyn ViewStore>,
    progress: impl FnMut(&LedgerId, Sequence),
) -> Result<Vec<Replayed>, FoldError> {
    let projections = Projections::new(Arc::clone(into));
    projections.catch_up(log, progress)?;
    projections.checkpoint()?;
    let ledgers = log.ledgers()?.into_iter();
    ledgers
        .map(|ledger| {
            let sequence = projections.sequence(&ledger)?;
            let digest = hex::encode(compare::digest(&ledger, &**into)?);
            Ok(Replayed { ledger, sequence, digest })
        })
        .collect()
}
