//! What can be asked of a ledger: a provider's delivery or our own users' command.

mod order;

use std::{collections::BTreeSet, sync::Arc};

use crate::{
    account::{DisputeCause, FreezeId},
    case::Application,
    credits::Credits,
    exception::ExceptionId,
    ids::{
        AccountId, Actor, CustomerKey, Digest, EventKey, IdempotencyKey, OperationId, PaymentKey,
        Sequence, SourceName, Text,
    },
    money::{Currency, Minor},
    notice::Notice,
    payment::{Clearable, Conclusion, Opening},
    policy::{Measures, Policy},
    time::Timestamp,
    usage::Metadata,
};

/// One input to a ledger.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Input {
    /// A provider's verified delivery.
    Delivery(Box<Delivery>),
    /// A command of our own users.
    Command(Box<Command>),
}

/// A believed delivery and what it says.
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
    /// Why we believe that it is the provider's.
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
pub enum Evidence {
    /// One of the source's secrets signed its bytes.
    Signed(Signature),
    /// An operator brought it in; nobody signed it.
    BackFilled(BackFill),
}

impl Evidence {
    /// The signature, where there is one.
    #[must_use]
    pub const fn signature(&self) -> Option<&Signature> {
        match self {
            Self::Signed(signature) => Some(signature),
            Self::BackFilled(_) => None,
        }
    }
}

/// A signature that held.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Signature {
    /// The signature headers as they stood.
    pub header: Arc<str>,
    /// The first bytes of the SHA-256 of the secret that fits: says which, tells nothing.
    pub secret: [u8; 4],
    /// The moment that was signed.
    pub signed_at: Timestamp,
}

/// Who brought in what the provider's own lists have and what never arrived.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BackFill {
    /// Who brought it in.
    pub actor: Actor,
    /// In which of the provider's lists it was found, which says how its bytes are read.
    pub listing: Listing,
}

/// The lists that a provider shows of what it knows.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Listing {
    /// Of events, each as it would have been delivered.
    Events,
    /// Of payments as they stand, without an event: known by their bytes.
    Payments,
    /// Of adjustments as they stand, without an event: known by their bytes.
    Adjustments,
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
        /// What for.
        metadata: Metadata,
    },
    /// Reserves credits for usage to come.
    Hold {
        /// Whose.
        account: AccountId,
        /// How much, positive.
        amount: Credits,
        /// For how long, 1 to [`HOLD_SECONDS_MAX`].
        expires_in_seconds: u32,
    },
    /// Uses what a hold reserved, and sets the rest free.
    Capture {
        /// Whose.
        account: AccountId,
        /// The hold.
        hold: OperationId,
        /// How much, positive, at most what was reserved.
        amount: Credits,
        /// What for.
        metadata: Metadata,
    },
    /// Sets free what a hold reserved.
    ReleaseHold {
        /// Whose.
        account: AccountId,
        /// The hold.
        hold: OperationId,
    },
    /// Ends a hold whose time is over; asked by Tallyhook itself.
    ExpireHold {
        /// Whose.
        account: AccountId,
        /// The hold.
        hold: OperationId,
    },
    /// Makes a debit good, once.
    Return {
        /// Whose.
        account: AccountId,
        /// The debit.
        debit: OperationId,
        /// How much, positive, at most the debit.
        amount: Credits,
        /// Why.
        reason: Text,
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
    /// Ends one measure of an open cause: the holder was verified, service is restored.
    ClearMeasure {
        /// Of which account.
        account: AccountId,
        /// Of which cause.
        freeze: FreezeId,
        /// Which measure.
        measure: Clearable,
        /// Why.
        reason: Text,
    },
    /// Closes an account for ever.
    Close {
        /// Which.
        account: AccountId,
        /// Why.
        reason: Text,
    },
    /// Forgives what an account owes, the oldest first.
    WriteOff {
        /// Which account.
        account: AccountId,
        /// How much, positive; all without it.
        amount: Option<Credits>,
        /// Why.
        reason: Text,
    },
    /// Says whose an unassigned purchase is.
    AssignPayment {
        /// The purchase.
        payment: PaymentKey,
        /// Whose it is.
        account: AccountId,
        /// Why.
        reason: Text,
    },
    /// Says whose a provider's customer's later purchases are when they name no account.
    AssignCustomer {
        /// The customer.
        customer: CustomerKey,
        /// Whose they are.
        account: AccountId,
        /// Why.
        reason: Text,
    },
    /// Applies for a refund.
    OpenCase {
        /// Who.
        account: AccountId,
        /// Of which payment.
        payment: PaymentKey,
        /// Why, by the policy's name.
        reason: Text,
        /// What is said.
        application: Application,
    },
    /// Says more about a case.
    InformCase {
        /// Which.
        case: OperationId,
        /// What is said besides; what was said before is replaced where it is said again.
        application: Application,
    },
    /// Approves a case.
    ApproveCase {
        /// Which.
        case: OperationId,
        /// What is given back; the quote without it.
        remedy: Option<Approval>,
        /// Why.
        note: Option<Text>,
    },
    /// Denies a case.
    DenyCase {
        /// Which.
        case: OperationId,
        /// Why.
        note: Text,
    },
    /// Takes an application back.
    WithdrawCase {
        /// Which.
        case: OperationId,
        /// Why.
        note: Option<Text>,
    },
    /// Ends a dispute's measures without a win: what was taken stays taken.
    ConcludeDispute {
        /// Of which payment.
        payment: PaymentKey,
        /// Which of the two kinds.
        cause: DisputeCause,
        /// How it ended.
        conclusion: Conclusion,
        /// Why.
        reason: Text,
    },
    /// Decides a quarantined record again, as its bytes read now.
    Release {
        /// The record.
        record: Sequence,
        /// The event that it is known by.
        event: EventKey,
        /// What its bytes say now.
        delivery: Box<Delivery>,
        /// Why.
        reason: Text,
    },
    /// Ends an exception by a person's word.
    Resolve {
        /// Which.
        exception: ExceptionId,
        /// What was done about it.
        note: Text,
    },
    /// Brings in an old payment with what is left of it.
    Import(Box<Import>),
    /// Puts a version of the policy in force.
    ActivatePolicy {
        /// The whole policy.
        policy: Arc<Policy>,
        /// SHA-256 of the file that it was read from.
        file: Digest,
    },
    /// Puts the settings that decide in force.
    Configure(Settings),
    /// Erases the raw bodies of records; what the records themselves say stays.
    Erase {
        /// Which records', 1 to [`ERASED_MAX`].
        records: BTreeSet<Sequence>,
        /// Why.
        reason: Text,
    },
}

/// The longest time that a hold can be asked for, in seconds: 365 days.
pub const HOLD_SECONDS_MAX: u32 = 31_536_000;

/// How many records' bodies one command erases at most: what it records stays small.
pub const ERASED_MAX: usize = 4_096;

/// What an operator gives back instead of what was quoted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Approval {
    /// Money, in the payment's currency, through the processor. Above zero.
    Money(Minor),
    /// Credits. Above zero.
    Credits(Credits),
}

/// A payment from before Tallyhook, with what is left of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Import {
    /// Whose.
    pub account: AccountId,
    /// The processor's id of the payment, so that later refunds and chargebacks find it.
    pub payment: PaymentKey,
    /// When it was paid.
    pub paid_at: Timestamp,
    /// Of both amounts of money.
    pub currency: Currency,
    /// What was paid for the credits, before tax. Above zero.
    pub net: Minor,
    /// The tax on it.
    pub tax: Minor,
    /// What it granted.
    pub opening: Opening,
    /// Why.
    pub reason: Text,
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
