//! What a bundle proves, once everything in it was checked.

use crate::{
    bundle::{Bundle, FORM, Older, Proved, Statement},
    check::{is_consistent, root_by_inclusion},
    checkpoint::{Checkpoint, CheckpointFault},
    leaf::{self, Leaf},
    merkle::Hash,
    note::VerifierKey,
    statement::{self, StatementFault, Sums},
};

/// What holds. Only [`Verdict::of`] makes one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Verdict {
    checkpoint: Checkpoint,
    older: Option<Checkpoint>,
    records: Vec<Leaf>,
    statement: Option<(Statement, Vec<Sums>)>,
}

/// Why a bundle proves nothing.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refused {
    /// It is no bundle.
    #[error("it is no bundle of proofs: {0}")]
    Unreadable(
        /// What the parser says.
        String,
    ),
    /// Its form is newer.
    #[error("its form {found} is newer than this program, which knows {FORM}; take a newer one")]
    Form {
        /// Which.
        found: u32,
    },
    /// It isn't written as a bundle is: something was changed, if only a space.
    #[error("it is not written as Tallyhook writes it: something was changed, if only a space")]
    Rewritten,
    /// A checkpoint isn't believed.
    #[error("{which}{fault}")]
    Checkpoint {
        /// Which, where it isn't the bundle's own.
        which: &'static str,
        /// Why.
        #[source]
        fault: CheckpointFault,
    },
    /// The older checkpoint is not of the same log, or nothing proves that the newer goes on from it.
    #[error(
        "the checkpoint of {size} records does not go on from the older one of {older}: the log \
         was changed in between, or the proof was"
    )]
    Inconsistent {
        /// The older one's records.
        older: u64,
        /// The newer one's.
        size: u64,
    },
    /// A record is not in the checkpoint's tree.
    #[error("record {sequence} is not in the log that the checkpoint covers, or was changed")]
    NotIncluded {
        /// The sequence that the bundle says.
        sequence: u64,
    },
    /// A record that the log does cover can't be read.
    #[error("record {sequence} can't be read: {why}")]
    Leaf {
        /// Which.
        sequence: u64,
        /// Why.
        why: String,
    },
    /// The records are not in the order of the log, or one is there twice.
    #[error("record {sequence} is out of order")]
    Order {
        /// Which.
        sequence: u64,
    },
    /// The statement doesn't hold.
    #[error("the statement does not hold: {0}")]
    Statement(
        /// Why.
        #[from]
        StatementFault,
    ),
}

impl Verdict {
    /// Checks everything in a bundle's text: that one of these keys signed its checkpoints, that
    /// its records are in their tree, that the newer goes on from the older, and that the statement
    /// is what the records come to.
    ///
    /// # Errors
    /// The first thing that doesn't hold.
    pub fn of(text: &str, keys: &[VerifierKey]) -> Result<Self, Refused> {
        let bundle: Bundle =
            serde_json::from_str(text).map_err(|error| Refused::Unreadable(error.to_string()))?;
        if bundle.form > FORM {
            return Err(Refused::Form { found: bundle.form });
        }
        if bundle.form < FORM || bundle.to_text() != text {
            return Err(Refused::Rewritten);
        }
        let checkpoint = open(&bundle.checkpoint, keys, "")?;
        let older = bundle.older.as_ref().map(|older| follows(older, &checkpoint, keys));
        let older = older.transpose()?;
        let mut records: Vec<Leaf> = Vec::with_capacity(bundle.records.len());
        for proved in &bundle.records {
            let leaf = included(proved, &checkpoint)?;
            if records.last().is_some_and(|last| last.sequence >= leaf.sequence) {
                return Err(Refused::Order { sequence: leaf.sequence });
            }
            records.push(leaf);
        }
        let checked = |statement: Statement| {
            let sums = statement::check(&statement, &records)?;
            Ok::<_, StatementFault>((statement, sums))
        };
        let statement = bundle.statement.map(checked).transpose()?;
        Ok(Self { checkpoint, older, records, statement })
    }

    /// The checkpoint, which is signed.
    #[must_use]
    pub const fn checkpoint(&self) -> &Checkpoint {
        &self.checkpoint
    }

    /// The older checkpoint, which is signed too, and from which the newer goes on.
    #[must_use]
    pub const fn older(&self) -> Option<&Checkpoint> {
        self.older.as_ref()
    }

    /// The records that are in the log, in its order.
    #[must_use]
    pub fn records(&self) -> &[Leaf] {
        &self.records
    }

    /// The statement that holds, and what the account had after each of the records.
    #[must_use]
    pub fn statement(&self) -> Option<(&Statement, &[Sums])> {
        self.statement.as_ref().map(|(statement, sums)| (statement, sums.as_slice()))
    }
}

fn open(note: &str, keys: &[VerifierKey], which: &'static str) -> Result<Checkpoint, Refused> {
    Checkpoint::open(note, keys).map_err(|fault| Refused::Checkpoint { which, fault })
}

fn follows(older: &Older, newer: &Checkpoint, keys: &[VerifierKey]) -> Result<Checkpoint, Refused> {
    let checkpoint = open(&older.checkpoint, keys, "the older one: ")?;
    let holds = checkpoint.origin == newer.origin
        && hashes(&older.path).is_some_and(|path| {
            is_consistent((checkpoint.size, checkpoint.root), (newer.size, newer.root), &path)
        });
    if holds {
        Ok(checkpoint)
    } else {
        Err(Refused::Inconsistent { older: checkpoint.size, size: newer.size })
    }
}

/// The leaf of a record that is in the checkpoint's tree, at its place and in its ledger.
fn included(proved: &Proved, checkpoint: &Checkpoint) -> Result<Leaf, Refused> {
    let sequence = proved.index.saturating_add(1);
    let hash = Hash::of_leaf(proved.leaf.as_bytes());
    let root = hashes(&proved.path)
        .and_then(|path| root_by_inclusion(hash, proved.index, checkpoint.size, &path));
    if root != Some(checkpoint.root) {
        return Err(Refused::NotIncluded { sequence });
    }
    let unread = |why: String| Refused::Leaf { sequence, why };
    let leaf: Leaf =
        serde_json::from_str(&proved.leaf).map_err(|error| unread(error.to_string()))?;
    if leaf.form != leaf::FORM {
        return Err(unread(format!("its form {} is not known to this program", leaf.form)));
    }
    if leaf.sequence != sequence || leaf.ledger != checkpoint.ledger() {
        return Err(unread("it says another place or another ledger than it has".to_owned()));
    }
    Ok(leaf)
}

fn hashes(path: &[String]) -> Option<Vec<Hash>> {
    path.iter().map(|text| Hash::parse(text)).collect()
}
