//! Spending: usage that happened, and credits reserved for usage to come.

use std::{collections::BTreeMap, sync::Arc};

use crate::{
    account::Status,
    credits::Credits,
    holding::LotId,
    ids::{AccountId, OperationId, Text},
    time::Timestamp,
};

/// The most entries of [`Metadata`].
pub const METADATA_ENTRIES_MAX: usize = 32;

/// What a caller says of a use: request id, model, group, multiplier, tokens, request type, call
/// time. Shown in statements and looked for in billing queries; never computed with.
///
/// Each value is one JSON scalar in its canonical text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Metadata(BTreeMap<Text, Arc<str>>);

impl Metadata {
    /// Nothing said.
    pub const NONE: Self = Self(BTreeMap::new());

    /// What is said; `None` past [`METADATA_ENTRIES_MAX`] entries.
    #[must_use]
    pub fn new(entries: BTreeMap<Text, Arc<str>>) -> Option<Self> {
        (entries.len() <= METADATA_ENTRIES_MAX).then_some(Self(entries))
    }

    /// The entries by name.
    #[must_use]
    pub const fn entries(&self) -> &BTreeMap<Text, Arc<str>> {
        &self.0
    }
}

/// Usage that happened: what a return can make good.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Debit {
    /// Whose.
    pub account: AccountId,
    /// How much, positive.
    pub amount: Credits,
    /// From which lots, in the order in which they were drawn.
    pub drawn: Vec<Part>,
    /// Whether the account was active then.
    pub standing: Status,
    /// What was returned, once.
    pub returned: Option<Credits>,
}

/// An amount in one lot.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Part {
    /// The lot.
    pub lot: LotId,
    /// How much, positive.
    pub amount: Credits,
}

/// Credits reserved for usage to come.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Hold {
    /// Whose.
    pub account: AccountId,
    /// How much was reserved, positive.
    pub amount: Credits,
    /// In which lots, in the order in which a debit would draw them.
    pub reserved: Vec<Part>,
    /// When it ends by itself.
    pub expires_at: Timestamp,
    /// How it ended; none while it is open.
    pub ended: Option<HoldEnd>,
}

/// How a hold ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum HoldEnd {
    /// It was used, or a part of it.
    Captured {
        /// The debit that it became.
        debit: OperationId,
        /// How much of it was used.
        amount: Credits,
    },
    /// The caller gave it back.
    Released,
    /// Its time was over.
    Expired,
}
