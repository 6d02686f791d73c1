//! The log against signed checkpoints, and new ones made from it: an insider who edits a record and
//! makes every hash after it anew can't make a signature that an outsider already has.

use domain::ids::LedgerId;
use event_store::log::{EventLog, ReadError};
use proof::{
    bundle::Bundle,
    checkpoint::{Checkpoint, CheckpointFault, notes},
    merkle::{Frontier, Hash},
    note::{KeyFault, PrivateKey, VerifierKey},
    tile::Tree,
    tree::{OutOfRange, root},
};

use crate::{
    cut::{Cut, Provenance},
    findings::{Finding, Kind},
    leaf::leaf_bytes,
    pass::pass,
};

/// What a log is called in checkpoints, before a slash and the ledger, where nothing else is said.
pub const LOG_USUAL: &str = "tallyhook";

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
        let mut tree = Tree::new();
        let provenance = pass(log, ledger, &Cut::END, progress, |_, leaf| {
            tree.push(leaf);
            Ok::<_, ReadError>(())
        })?;
        let published = notes(signing.published);
        let published = published.filter_map(|note| Checkpoint::unverified(&note).ok());
        let checkpoint = Checkpoint { origin, size: tree.size(), root: provenance.root };
        let unsigned = Self { tree, provenance, checkpoint, note: String::new() };
        for older in published.filter(|older| older.ledger() == ledger.as_str()) {
            unsigned.goes_on_from(&older)?;
        }
        let note = unsigned.checkpoint.sign(&signer);
        Ok(Self { note, ..unsigned })
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
            return Err(inconsistent("the log has fewer records"));
        }
        let root = root(size, &mut |place| self.tree.subtree(place))?;
        if root == older.root {
            Ok(())
        } else {
            Err(inconsistent("a record that it covers was changed, removed or inserted"))
        }
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

/// Compares a ledger's log with the checkpoints in the text of a file. Whatever is added after a
/// checkpoint is nothing to it.
///
/// Each note must be a checkpoint of this ledger that one of the keys signed, or of another ledger.
///
/// # Errors
/// The log can't be read, which its own verification tells better.
pub fn compared(
    log: &dyn EventLog,
    ledger: &LedgerId,
    file: &str,
    keys: &[VerifierKey],
) -> Result<Vec<Finding>, ReadError> {
    let mut findings = Vec::new();
    let mut wanted = Vec::new();
    for note in notes(file) {
        match Checkpoint::open(&note, keys) {
            Ok(checkpoint) => wanted.push(checkpoint),
            Err(fault) if is_of(&note, ledger) => findings.push(finding(ledger, None, fault)),
            // Another ledger's, whose key nobody gave.
            Err(_) => {}
        }
    }
    wanted.retain(|checkpoint| checkpoint.ledger() == ledger.as_str());
    wanted.sort_by_key(|checkpoint| checkpoint.size);
    let mut open = wanted.iter().peekable();
    let mut equal_up_to = 0_u64;
    let mut look = |tree: &Frontier, findings: &mut Vec<Finding>| {
        while let Some(checkpoint) = open.next_if(|checkpoint| checkpoint.size == tree.size()) {
            if checkpoint.root == tree.root() {
                equal_up_to = checkpoint.size;
                continue;
            }
            let detail = format!(
                "the records from {} to {} are not those that the signed checkpoint covers: one \
                 was changed, removed or inserted",
                equal_up_to.saturating_add(1),
                checkpoint.size
            );
            findings.push(finding(ledger, Some(checkpoint.size), detail));
        }
    };
    let mut tree = Frontier::new();
    look(&tree, &mut findings);
    pass(
        log,
        ledger,
        &Cut::END,
        |_, _| {},
        |_, leaf: Hash| {
            tree.push(leaf);
            look(&tree, &mut findings);
            Ok::<_, ReadError>(())
        },
    )?;
    let size = tree.size();
    findings.extend(open.map(|checkpoint| {
        let covered = checkpoint.size;
        let detail =
            format!("the log has {size} records and the signed checkpoint covers {covered}");
        finding(ledger, None, detail)
    }));
    Ok(findings)
}

/// How many checkpoints of a ledger the text of a file has, whoever signed them.
#[must_use]
pub fn count(file: &str, ledger: &LedgerId) -> usize {
    notes(file).filter(|note| is_of(note, ledger)).count()
}

fn is_of(note: &str, ledger: &LedgerId) -> bool {
    Checkpoint::unverified(note).is_ok_and(|found| found.ledger() == ledger.as_str())
}

fn finding(ledger: &LedgerId, size: Option<u64>, detail: impl ToString) -> Finding {
    let sequence = size.and_then(domain::ids::Sequence::new);
    Finding { ledger: ledger.clone(), sequence, kind: Kind::Checkpoint, detail: detail.to_string() }
}
