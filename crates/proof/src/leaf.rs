//! What a record is in the tree: a line of JSON that says what it moved, and the hash that covers
//! the whole record with all before it.
//!
//! The leaf's bytes are hashed as they are, so whoever checks a proof reads what was signed and
//! needs to know nothing of how records are stored.

use serde::{Deserialize, Serialize};

/// A record as an outsider reads it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Leaf {
    /// The version of this form.
    pub form: u32,
    /// The ledger.
    pub ledger: String,
    /// The record's place in it, from 1.
    pub sequence: u64,
    /// When it was recorded: RFC 3339, UTC.
    pub recorded_at: String,
    /// The record's hash in the ledger's chain, lower-case hex: covers all that the record says and
    /// all records before it.
    pub chain: String,
    /// What moved, in order.
    pub movements: Vec<Movement>,
}

/// One debit and one equal credit between two books.
///
/// A customer's book is `paid:`, `gift:`, `held:`, `owed:` or `written_off:` and the account's id; a
/// house's is `house:` and its name; a book of money is `money:` and its name.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Movement {
    /// Where it leaves.
    pub from: String,
    /// Where it arrives.
    pub to: String,
    /// How much: credits, or minor units of `currency`.
    pub amount: String,
    /// The currency of money; none for credits.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub currency: Option<String>,
}

/// The newest form of a leaf.
pub const FORM: u32 = 1;
