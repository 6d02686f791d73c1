//! Proofs that records are covered by a checkpoint which somebody else already has: no key is needed
//! to make them.

use domain::ids::{LedgerId, Sequence};
use event_store::log::{EventLog, ReadError};
use proof::{
    bundle::Bundle,
    checkpoint::{self, newest},
    merkle::Hash,
    tile::Tree,
    tree::{OutOfRange, root},
};

use crate::leaf::leaf_bytes;

/// A published checkpoint.
#[derive(Clone, Debug)]
pub struct Published(checkpoint::Published);

/// Why nothing can be proved.
#[derive(Debug, thiserror::Error)]
pub enum ProveError {
    /// The log can't be read.
    #[error(transparent)]
    Log(#[from] ReadError),
    /// The tree does not reach that far.
    #[error(transparent)]
    Range(#[from] OutOfRange),
    /// The file has no checkpoint of the ledger.
    #[error("find a checkpoint of ledger {ledger}: the file has none")]
    NoCheckpoint {
        /// The ledger.
        ledger: LedgerId,
    },
    /// The log is not the one that was signed.
    #[error(
        "prove against the checkpoint of {size} records: the log has other records, or fewer; \
         `audit verify --checkpoint` tells more"
    )]
    Inconsistent {
        /// How many records it covers.
        size: u64,
    },
}

impl Published {
    /// The largest checkpoint of a ledger in a file of signed notes. Whether its signature holds is
    /// for whoever gets the proof to check, with a key that they trust.
    ///
    /// # Errors
    /// The file has none.
    pub fn newest(file: &str, ledger: &LedgerId) -> Result<Self, ProveError> {
        let newest = newest(file, |found| found.ledger() == ledger.as_str());
        newest.map(Self).ok_or_else(|| ProveError::NoCheckpoint { ledger: ledger.clone() })
    }

    /// How many records it covers.
    #[must_use]
    pub const fn size(&self) -> u64 {
        self.0.checkpoint.size
    }
}

/// The tree up to a checkpoint, while the log is read.
#[derive(Debug)]
pub struct Proving<'p> {
    published: &'p Published,
    tree: Tree,
}

impl<'p> Proving<'p> {
    /// Before the first record.
    #[must_use]
    pub fn new(published: &'p Published) -> Self {
        Self { published, tree: Tree::new() }
    }

    /// Takes in the next record's leaf.
    pub fn push(&mut self, leaf: Hash) {
        if self.tree.size() < self.published.size() {
            self.tree.push(leaf);
        }
    }

    /// A bundle of those of these records that the checkpoint covers, in the log's order.
    ///
    /// # Errors
    /// The log is not the one that was signed, or can't be read.
    pub fn bundle(
        &self,
        log: &dyn EventLog,
        ledger: &LedgerId,
        sequences: &[Sequence],
    ) -> Result<Bundle, ProveError> {
        let size = self.published.size();
        let mut subtree = |place| self.tree.subtree(place);
        let found: Result<Hash, OutOfRange> = root(size, &mut subtree);
        if self.tree.size() != size || found? != self.published.0.checkpoint.root {
            return Err(ProveError::Inconsistent { size });
        }
        let mut bundle = Bundle::of(self.published.0.note.clone());
        for sequence in sequences.iter().filter(|sequence| sequence.get() <= size) {
            let Some(recorded) = log.read(ledger, *sequence)? else { continue };
            let leaf = String::from_utf8_lossy(&leaf_bytes(ledger, &recorded)).into_owned();
            let index = sequence.get().saturating_sub(1);
            bundle.prove::<OutOfRange>(index, leaf, size, &mut subtree)?;
        }
        Ok(bundle)
    }
}
