//! The log that is copied: what a backup holds that begins now, and the values of that.

use std::{io::Write, sync::Arc};

use domain::{
    ids::{LedgerId, Sequence},
    time::Timestamp,
};

use super::{
    manifest::{End, Ends, Manifest, Span},
    stream::{self, SendError},
};
use crate::{
    erasure::Erasures,
    key::Kind,
    log::{EventLog as _, ReadError},
    sled::{SledLog, SledStore, Value},
};

/// A log that can be copied while it is written. Keeps its store open.
#[derive(Clone)]
pub struct Source {
    log: Arc<SledLog>,
}

/// Why what came after a backup can't be told.
#[derive(Debug, thiserror::Error)]
pub enum PlanError {
    /// The log does not have the record at which the earlier backup ends.
    #[error(
        "the earlier backup is of another log: ledger {ledger} has no record {sequence} with the \
         hash that the backup names"
    )]
    OtherLog {
        /// The ledger.
        ledger: LedgerId,
        /// The record.
        sequence: Sequence,
    },
    /// The log's values are others than when the earlier backup was made, as after an erasure.
    #[error(
        "ledger {ledger} was rewritten since the earlier backup, which ends at record {sequence}: \
         make a full backup; after an erasure, delete the backups that still hold what was erased"
    )]
    Rewritten {
        /// The ledger.
        ledger: LedgerId,
        /// The record.
        sequence: Sequence,
    },
    /// The log can't be read.
    #[error("read the log")]
    Read(#[from] ReadError),
}

impl Source {
    /// The log of an open store.
    #[must_use]
    pub fn of(store: &SledStore) -> Self {
        Self { log: Arc::clone(store.raw()) }
    }

    /// What a backup holds that begins now, of what came after `since`.
    ///
    /// # Errors
    /// The log does not go on after `since`, or can't be read.
    pub fn plan(&self, since: &Ends, made_at: Timestamp) -> Result<Manifest, PlanError> {
        let ends = self.log.backup_ends();
        for (ledger, end) in since.iter() {
            if !ends.contains_key(ledger) {
                return Err(PlanError::OtherLog { ledger: ledger.clone(), sequence: end.sequence });
            }
        }
        let spans = ends.into_iter().map(|(ledger, last)| {
            let after = since.of(&ledger);
            after.map_or(Ok(()), |after| self.goes_on(&ledger, after))?;
            Ok((ledger, Span { after, last }))
        });
        Ok(Manifest::new(made_at, spans.collect::<Result<_, PlanError>>()?))
    }

    /// Checks that the log has the record with its hash, and that a block and a part of the index
    /// end there.
    fn goes_on(&self, ledger: &LedgerId, after: End) -> Result<(), PlanError> {
        let sequence = after.sequence;
        let recorded = self.log.read(ledger, sequence)?;
        if recorded.is_none_or(|recorded| recorded.hash() != after.hash) {
            return Err(PlanError::OtherLog { ledger: ledger.clone(), sequence });
        }
        let values = self.log.values();
        let ends = |kind| values.ends_block(kind, ledger, sequence);
        let indexed = after.indexed.is_none_or(|last| self.log.has_run(ledger, last));
        if ends(Kind::Records)?
            && ends(Kind::Bodies)?
            && indexed
            && !self.erased(ledger, sequence)?
        {
            Ok(())
        } else {
            Err(PlanError::Rewritten { ledger: ledger.clone(), sequence })
        }
    }

    /// Whether bodies of the earlier backup, which ends with this record, were erased since.
    fn erased(&self, ledger: &LedgerId, last: Sequence) -> Result<bool, ReadError> {
        for erasure in Erasures::of(&*self.log, ledger) {
            let erasure = erasure?;
            if erasure.sequence > last && erasure.records.first().is_some_and(|it| *it <= last) {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// The values that the manifest names.
    pub(super) fn values(
        &self,
        manifest: &Manifest,
    ) -> impl Iterator<Item = Result<Value, ReadError>> {
        self.log.values().within(manifest)
    }

    /// Sends the values that the manifest names. Holds no lock between two of them, and no more
    /// than one value in memory.
    ///
    /// # Errors
    /// A value is damaged, which the receiver is told, or the receiver is gone.
    pub fn send(&self, manifest: &Manifest, out: &mut impl Write) -> Result<(), SendError> {
        stream::send(manifest, self.values(manifest), out)
    }
}
