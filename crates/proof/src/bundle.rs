//! What travels to an outsider: a signed checkpoint, records of its tree with what proves that they
//! are in it, and what is claimed of them.
//!
//! A bundle is JSON, written in one way only (pretty, in the order of these fields, with a line
//! break at the end), so that a byte that was changed anywhere is refused. It has nothing that the
//! checkpoint doesn't cover: what can't be checked is not in it.

use serde::{Deserialize, Serialize};

use crate::{
    merkle::Hash,
    tree::{OutOfRange, Subtree, consistency, inclusion},
};

/// The newest form of a bundle.
pub const FORM: u32 = 1;

/// Records with proofs, and what is claimed of them.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Bundle {
    /// The version of this form.
    pub form: u32,
    /// The signed note of the checkpoint that all paths lead to.
    pub checkpoint: String,
    /// An older checkpoint that this one goes on from.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub older: Option<Older>,
    /// The records, in the order of the log.
    pub records: Vec<Proved>,
    /// What the records come to for an account; none where they are only shown to be in the log.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub statement: Option<Statement>,
}

/// An older checkpoint and the proof that nothing before it was changed since.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Older {
    /// Its signed note.
    pub checkpoint: String,
    /// The hashes of the consistency proof, lower-case hex.
    pub path: Vec<String>,
}

/// A record with the proof that it is in the checkpoint's tree.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Proved {
    /// The leaf's place in the tree, from 0: one less than the record's sequence.
    pub index: u64,
    /// The leaf's bytes as they are hashed: a line of JSON, see [`crate::leaf::Leaf`].
    pub leaf: String,
    /// The hashes of the inclusion proof, from the leaf up, lower-case hex.
    pub path: Vec<String>,
}

/// What an account's records come to. The bundle has all of them that moved credits of the account,
/// from the first on.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Statement {
    /// The account.
    pub account: String,
    /// Before the first record that the statement lists.
    pub opening: Standing,
    /// After the last one, which is the bundle's last.
    pub closing: Standing,
}

/// How an account stood.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Standing {
    /// After so many of the bundle's records.
    pub records: u64,
    /// What was in it.
    pub books: Books,
}

/// The credits of an account by section, as decimal numbers; none is below zero.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Books {
    /// Spendable, paid for.
    pub paid: String,
    /// Spendable, given.
    pub gift: String,
    /// Not spendable now.
    pub held: String,
    /// Owed by the customer.
    pub owed: String,
    /// Forgiven.
    pub written_off: String,
}

impl Bundle {
    /// A bundle of a checkpoint's signed note, without a record so far.
    #[must_use]
    pub const fn of(checkpoint: String) -> Self {
        Self { form: FORM, checkpoint, older: None, records: Vec::new(), statement: None }
    }

    /// Adds a leaf with its path in the tree of `size` leaves, which is the checkpoint's.
    ///
    /// # Errors
    /// The tree has no such leaf, or `subtree` fails.
    pub fn prove<E: From<OutOfRange>>(
        &mut self,
        index: u64,
        leaf: String,
        size: u64,
        subtree: &mut impl FnMut(Subtree) -> Result<Hash, E>,
    ) -> Result<(), E> {
        let path = inclusion(index, size, subtree)?;
        self.records.push(Proved { index, leaf, path: texts(&path) });
        Ok(())
    }

    /// Adds the proof that the checkpoint, of `size` leaves, goes on from an older one.
    ///
    /// # Errors
    /// The older one is the larger, or `subtree` fails.
    pub fn follow<E: From<OutOfRange>>(
        &mut self,
        (checkpoint, older_size): (String, u64),
        size: u64,
        subtree: &mut impl FnMut(Subtree) -> Result<Hash, E>,
    ) -> Result<(), E> {
        let path = consistency(older_size, size, subtree)?;
        self.older = Some(Older { checkpoint, path: texts(&path) });
        Ok(())
    }

    /// The one way to write it.
    #[must_use]
    pub fn to_text(&self) -> String {
        // Texts, numbers and lists are always JSON.
        let mut text = serde_json::to_string_pretty(self).unwrap_or_default();
        text.push('\n');
        text
    }
}

fn texts(path: &[Hash]) -> Vec<String> {
    path.iter().map(Hash::to_string).collect()
}
