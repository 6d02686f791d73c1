//! New checkpoints made from a log, unless it contradicts those that were published, and proofs that
//! lead to them.

use domain::ids::LedgerId;
use event_store::log::{EventLog, ReadError};
use proof::{
    bundle::Bundle,
    checkpoint::{Checkpoint, CheckpointFault, notes},
    note::{KeyFault, PrivateKey},
    tile::Tree,
    tree::{OutOfRange, root},
};

use crate::{
    cut::{Cut, Provenance},
    kept::{Broken, Comparing},
    leaf::leaf_bytes,
    pass::pass,
};

/// What a log is called in checkpoints, before a slash and the ledger, where nothing else is said.
pub const LOG_USUAL: &str = "tallyhook";

const FEWER: &str = "the log has fewer records";
const OTHER: &str = "a record that it covers was changed, removed or inserted";

/// The origin of a ledger's checkpoints.
#[must_use]
pub fn origin(log: &str, ledger: &LedgerId) -> String {
    format!("{log}/{ledger}")
}

/// A checkpoint of a whole log with all that proofs are made from.
#[derive(Clone, Debug)]
pub struct Signed {
    /// The tree over all records.
    pub tree: Tree,
    /// What it was made from.
    pub provenance: Provenance,
    /// The checkpoint.
    pub checkpoint: Checkpoint,
    /// Its signed note.
    pub note: String,
}

/// Who signs, and what was signed before.
#[derive(Clone, Copy, Debug)]
pub struct Signing<'a> {
    /// The key.
    pub key: &'a PrivateKey,
    /// What the log is called.
    pub log: &'a str,
    /// The file to which the server's checkpoints were added; empty where there is none.
    pub published: &'a str,
}

/// Why there is no checkpoint or no proof.
#[derive(Debug, thiserror::Error)]
pub enum CheckpointError {
    /// The log can't be read or is damaged.
    #[error(transparent)]
    Read(#[from] ReadError),
    /// The name of the log can't stand in a key.
    #[error("the log's name {0}")]
    Name(#[from] KeyFault),
    /// The log is not the one that was signed before, so nothing is signed of it.
    #[error(
        "the log does not go on from the checkpoint of {size} records: {why}; nothing is signed or \
         proved"
    )]
    Inconsistent {
        /// The published one's records.
        size: u64,
        /// What is different.
        why: &'static str,
    },
    /// An older checkpoint can't be read.
    #[error(transparent)]
    Older(#[from] CheckpointFault),
    /// There is no such record.
    #[error(transparent)]
    Range(#[from] OutOfRange),
}

impl From<Broken> for CheckpointError {
    fn from(broken: Broken) -> Self {
        let why = if broken.size > broken.records { FEWER } else { OTHER };
        Self::Inconsistent { size: broken.size, why }
    }
}

impl Signed {
    /// Signs the tree over a ledger's whole log, unless it contradicts what was published.
    ///
    /// # Errors
    /// See [`CheckpointError`].
    pub fn of(
        log: &dyn EventLog,
        ledger: &LedgerId,
        signing: Signing<'_>,
        progress: impl FnMut(u64, u64),
    ) -> Result<Self, CheckpointError> {
        let origin = origin(signing.log, ledger);
        let signer = signing.key.signer(&origin)?;
        let published = notes(signing.published);
        let published = published.filter_map(|note| Checkpoint::unverified(&note).ok());
        let mut older =
            Comparing::of(published.filter(|older| older.ledger() == ledger.as_str()).collect());
        let mut tree = Tree::new();
        let provenance = pass(log, ledger, &Cut::END, progress, |_, leaf| {
            tree.push(leaf);
            older.push(leaf);
            Ok::<_, ReadError>(())
        })?;
        if let Some(broken) = older.ended().broken {
            return Err(broken.into());
        }
        let checkpoint = Checkpoint { origin, size: tree.size(), root: provenance.root };
        let note = checkpoint.sign(&signer);
        Ok(Self { tree, provenance, checkpoint, note })
    }

    /// Checks that the log begins with what an older checkpoint covers.
    ///
    /// # Errors
    /// It doesn't.
    pub fn goes_on_from(&self, older: &Checkpoint) -> Result<(), CheckpointError> {
        let size = older.size;
        let inconsistent = |why| CheckpointError::Inconsistent { size, why };
        if older.ledger() != self.checkpoint.ledger() {
            return Err(inconsistent("that one is of another ledger"));
        }
        if size > self.tree.size() {
            return Err(inconsistent(FEWER));
        }
        let root = root(size, &mut |place| self.tree.subtree(place))?;
        if root == older.root { Ok(()) } else { Err(inconsistent(OTHER)) }
    }

    /// A bundle of these records, in the order of the log, each once. It goes on from an older
    /// checkpoint's note where one is given.
    ///
    /// # Errors
    /// There is no such record, the older one is no checkpoint of the log, or the log can't be read.
    pub fn bundle(
        &self,
        log: &dyn EventLog,
        sequences: &[domain::ids::Sequence],
        older: Option<&str>,
    ) -> Result<Bundle, CheckpointError> {
        let ledger = &self.provenance.ledger;
        let size = self.tree.size();
        let mut subtree = |place| self.tree.subtree(place);
        let mut bundle = Bundle::of(self.note.clone());
        if let Some(note) = older {
            let older = Checkpoint::unverified(note)?;
            self.goes_on_from(&older)?;
            bundle.follow((note.to_owned(), older.size), size, &mut subtree)?;
        }
        let mut sequences = sequences.to_vec();
        sequences.sort_unstable();
        sequences.dedup();
        for sequence in sequences {
            let index = sequence.get().saturating_sub(1);
            let absent = || OutOfRange { asked: index, size };
            let recorded = log.read(ledger, sequence)?.ok_or_else(absent)?;
            // A leaf is JSON, which is always UTF-8.
            let leaf = String::from_utf8(leaf_bytes(ledger, &recorded)).unwrap_or_default();
            bundle.prove(index, leaf, size, &mut subtree)?;
        }
        Ok(bundle)
    }
}
