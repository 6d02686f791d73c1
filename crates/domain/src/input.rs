//! What can be asked of a ledger: a provider's delivery or our own users' command.

use std::sync::Arc;

use crate::{
    credits::Credits,
    ids::{AccountId, Actor, Digest, EventKey, IdempotencyKey, OperationId, SourceName, Text},
    notice::Notice,
    policy::{Measures, Policy},
    time::Timestamp,
};

/// One input to a ledger.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Input {
    /// A provider's verified delivery.
    Delivery(Box<Delivery>),
    /// A command of our own users.
    Command(Box<Command>),
}

/// A verified delivery and what it says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Delivery {
    /// Where it came in.
    pub source: SourceName,
    /// What the event is known by.
    pub event: EventKey,
    /// The provider's name for the kind of event.
    pub event_type: Option<Arc<str>>,
    /// When the provider says that it happened.
    pub occurred_at: Option<Timestamp>,
    /// When we received it.
    pub received_at: Timestamp,
    /// SHA-256 of the raw bytes.
    pub body: Digest,
    /// SHA-256 of the parsed content without what varies by destination.
    pub content: Digest,
    /// Why we believe that the provider sent it.
    pub evidence: Evidence,
    /// Whether it came in the configured time.
    pub freshness: Freshness,
    /// Whether it is real money's.
    pub reality: Reality,
    /// What it says, or why that can't be read.
    pub notice: Result<Notice, Unreadable>,
}

/// Why a delivery was believed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Evidence {
    /// The signature headers as they stood.
    pub header: Arc<str>,
    /// The first bytes of the SHA-256 of the secret that fits: says which, tells nothing.
    pub secret: [u8; 4],
    /// The moment that was signed.
    pub signed_at: Timestamp,
}

/// Whether an authentic delivery came in the configured time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Freshness {
    /// In time.
    Fresh,
    /// Signed longer ago than the tolerance.
    Old,
    /// Signed further in the future than allowed.
    Future,
}

/// Whether an event is of the real world.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reality {
    /// A real event.
    Genuine,
    /// Made by the provider's simulator, with the genuine secret.
    Simulated,
}

/// Why a delivery says nothing that we can act on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unreadable {
    /// The kind.
    pub fault: UnreadableFault,
    /// Where and why, for a person; never an amount, a name or other content.
    pub detail: Arc<str>,
}

/// The kinds of [`Unreadable`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum UnreadableFault {
    /// Not JSON, not an envelope, or a field missing that every such event has.
    Malformed,
    /// An adjustment's action or status that we don't know.
    UnknownAction,
    /// A currency whose decimals we don't know.
    UnknownCurrency,
    /// An amount that is no integer, or out of range.
    AmountInvalid,
}

/// A command, with what makes it safe to repeat.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Command {
    /// The caller's key.
    pub key: IdempotencyKey,
    /// The id of what it makes: [`OperationId::of`] ledger and key.
    pub id: OperationId,
    /// Who asks.
    pub actor: Actor,
    /// SHA-256 of the whole request; the body is kept beside the record.
    pub request: Digest,
    /// What is asked.
    pub order: Order,
}

/// What a command asks.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Order {
    /// Uses credits.
    Debit {
        /// Whose.
        account: AccountId,
        /// How much, positive.
        amount: Credits,
        /// Whether it can still be refused.
        usage: Usage,
    },
    /// Gives credits that no payment paid for.
    Grant {
        /// To whom.
        account: AccountId,
        /// How much, positive.
        amount: Credits,
        /// Into which kind of lot.
        kind: LotKind,
        /// The lot's label: coupon, campaign, test, compensation.
        label: Option<Text>,
        /// Why.
        reason: Text,
    },
    /// Freezes an account by an operator's word.
    Freeze {
        /// Which.
        account: AccountId,
        /// Why.
        reason: Text,
        /// What is done while it lasts.
        measures: Measures,
    },
    /// Ends an operator's freeze.
    Unfreeze {
        /// Of which account.
        account: AccountId,
        /// Which freeze: the id of the command that made it.
        freeze: OperationId,
    },
    /// Puts a version of the policy in force.
    ActivatePolicy {
        /// The whole policy.
        policy: Arc<Policy>,
        /// SHA-256 of the file that it was read from.
        file: Digest,
    },
    /// Puts the settings that decide in force.
    Configure(Settings),
}

/// Whether usage asks or tells.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Usage {
    /// Asks to be allowed.
    Asked,
    /// Happened already: what is lacking becomes owed.
    AlreadyHappened,
}

/// The two kinds of lots.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum LotKind {
    /// Paid for.
    Paid,
    /// Given.
    Gift,
}

/// The settings of a ledger that decide, recorded whenever they change.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Settings {
    /// Whether simulated events act.
    pub mode: Mode,
    /// What becomes of stale deliveries.
    pub stale: Stale,
    /// JSON pointers to the account in an event, the first that is there wins.
    pub account_from: Vec<Text>,
    /// The most seconds a delivery may be old; `None` when the age is not looked at.
    pub tolerance_seconds: Option<u32>,
    /// The most seconds that a delivery may be ahead.
    pub future_seconds: u32,
}

/// Whether a ledger is of the real world.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mode {
    /// Simulated events never act.
    Live,
    /// Simulated events act.
    Sandbox,
}

/// What becomes of an authentic delivery that is not fresh.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stale {
    /// It is decided like any other.
    Accept,
    /// It is recorded and moves nothing until it is released.
    Quarantine,
}
