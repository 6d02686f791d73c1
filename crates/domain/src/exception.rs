//! What a person must see.

use std::sync::Arc;

use crate::{
    ids::{AccountId, PaymentKey, Sequence},
    time::Timestamp,
};

/// Something that a person must see, open until a command resolves it or its cause is gone.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Exception {
    /// Which one.
    pub id: ExceptionId,
    /// When it was raised.
    pub raised_at: Timestamp,
    /// The account that it is about, where one is known.
    pub account: Option<AccountId>,
    /// The payment that it is about.
    pub payment: Option<PaymentKey>,
    /// What a person should know; never an amount of money, a name or other content.
    pub detail: Arc<str>,
}

/// An exception and what became of it: it stays listed once it ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Filed {
    /// What a person must see.
    pub exception: Exception,
    /// How it ended; none while it is open.
    pub ended: Option<Ended>,
}

/// How an exception ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Ended {
    /// The record that ended it.
    pub sequence: Sequence,
    /// When that was recorded.
    pub at: Timestamp,
    /// Whether its cause is gone or a person resolved it.
    pub by: Ending,
}

/// What ends an exception.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ending {
    /// A record removed the cause.
    CauseGone,
    /// A person resolved it, with a note.
    Resolved,
}

/// A record raises at most one exception of a kind.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ExceptionId {
    /// The record that raised it.
    pub sequence: Sequence,
    /// Its kind.
    pub kind: ExceptionKind,
}

/// The kinds of exceptions.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ExceptionKind {
    /// An adjustment waits for its payment.
    Orphan,
    /// A paid purchase names no account.
    Unassigned,
    /// Two bodies have one event id.
    Conflict,
    /// A delivery came too late, or from the future, and waits.
    Stale,
    /// A simulated event came to a live ledger.
    Simulated,
    /// A signed body could not be read.
    Malformed,
    /// An adjustment's action or status is not known.
    UnknownAction,
    /// A currency is not known.
    UnknownCurrency,
    /// An amount is no integer or out of range.
    AmountInvalid,
    /// Events of one payment name different currencies.
    CurrencyMismatch,
    /// Events of one payment name different accounts.
    AccountMismatch,
    /// More was reversed than was paid.
    OverRefund,
    /// A price or currency that the policy has no credits for.
    UnlistedPrice,
    /// A paid purchase changed to another status later.
    PaidThenCanceled,
    /// A purchase was granted to a closed account.
    ClosedAccount,
    /// A decision failed its own checks.
    Undecided,
}

impl ExceptionKind {
    /// All kinds, in the order of their declaration.
    pub const ALL: [Self; 16] = [
        Self::Orphan,
        Self::Unassigned,
        Self::Conflict,
        Self::Stale,
        Self::Simulated,
        Self::Malformed,
        Self::UnknownAction,
        Self::UnknownCurrency,
        Self::AmountInvalid,
        Self::CurrencyMismatch,
        Self::AccountMismatch,
        Self::OverRefund,
        Self::UnlistedPrice,
        Self::PaidThenCanceled,
        Self::ClosedAccount,
        Self::Undecided,
    ];

    /// The kind as one byte: its place in [`Self::ALL`], from 1. Never changes for a kind.
    #[must_use]
    pub fn tag(self) -> u8 {
        let place = Self::ALL.iter().position(|kind| *kind == self).unwrap_or(0);
        u8::try_from(place).unwrap_or(u8::MAX).saturating_add(1)
    }

    /// The kind with this name.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.name() == name)
    }

    /// The name that the API shows.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Orphan => "orphan",
            Self::Unassigned => "unassigned",
            Self::Conflict => "conflict",
            Self::Stale => "stale",
            Self::Simulated => "simulated",
            Self::Malformed => "malformed",
            Self::UnknownAction => "unknown-action",
            Self::UnknownCurrency => "unknown-currency",
            Self::AmountInvalid => "amount-invalid",
            Self::CurrencyMismatch => "currency-mismatch",
            Self::AccountMismatch => "account-mismatch",
            Self::OverRefund => "over-refund",
            Self::UnlistedPrice => "unlisted-price",
            Self::PaidThenCanceled => "paid-then-canceled",
            Self::ClosedAccount => "closed-account",
            Self::Undecided => "undecided",
        }
    }
}
