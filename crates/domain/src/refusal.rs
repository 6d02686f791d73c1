//! Why a command is not carried out: a normal answer, neither recorded nor remembered.

use std::{collections::BTreeSet, sync::Arc};

use crate::{
    credits::Credits,
    ids::{Sequence, Text},
    money::{Currency, Minor},
    policy::TimelineFault,
};

/// Why a command was refused: a normal answer, neither recorded nor remembered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Refusal {
    /// No such account in the ledger.
    AccountUnknown,
    /// The account is frozen.
    AccountFrozen,
    /// The account is closed.
    AccountClosed,
    /// Less is available than asked for.
    CreditsInsufficient {
        /// What is available.
        available: Credits,
    },
    /// The amount is not positive, too precise or out of range.
    AmountInvalid {
        /// Why.
        detail: Arc<str>,
    },
    /// No such open freeze that an operator made.
    FreezeUnknown,
    /// The key was used for another request.
    KeyReused,
    /// The command failed its own checks; nothing moved.
    Undecided {
        /// Which check.
        what: &'static str,
    },
    /// The policy can't follow those in force.
    PolicyRefused(TimelineFault),
    /// The policy asks for metadata that the usage lacks.
    MetadataMissing {
        /// The names.
        names: BTreeSet<Text>,
    },
    /// The account has no such hold.
    HoldUnknown,
    /// The hold was captured or released, or its time is over.
    HoldFinished,
    /// A hold's time is outside its range.
    HoldTimeInvalid,
    /// A hold's time is not over yet.
    HoldNotOver,
    /// More is captured than was reserved.
    CaptureAboveHold {
        /// What was reserved.
        reserved: Credits,
    },
    /// The account has no such debit.
    DebitUnknown,
    /// The debit was made good already.
    ReturnAlreadyMade,
    /// More is returned than was used.
    ReturnAboveDebit {
        /// What was used.
        used: Credits,
    },
    /// The policy has no credit returns.
    ReturnsNotOffered,
    /// The open cause has no such measure, or there is no such cause.
    MeasureUnknown,
    /// More is written off than is owed.
    WriteOffAboveOwed {
        /// What is owed.
        owed: Credits,
    },
    /// No such payment in the ledger, or nothing was paid yet.
    PaymentUnknown,
    /// The payment belongs to another account.
    PaymentOfAnotherAccount,
    /// The purchase has an account already.
    PaymentAssigned,
    /// The payment to import is in the ledger already.
    PaymentKnown,
    /// A row to import contradicts itself.
    ImportInvalid {
        /// Why.
        detail: &'static str,
    },
    /// The policy in force has no refunds.
    RefundsNotOffered,
    /// The policy in force has no such reason.
    ReasonUnknown {
        /// Those that it has.
        reasons: Vec<Text>,
    },
    /// A case for the payment is open.
    CaseAlreadyOpen,
    /// No such case in the ledger.
    CaseUnknown,
    /// The case has ended, or waits for the processor alone.
    CaseFinished,
    /// The case waits for information.
    CaseIncomplete,
    /// More is approved than was paid.
    ApprovalAbovePaid {
        /// What was paid and not yet paid back, tax included.
        paid: Minor,
        /// Its currency.
        currency: Currency,
    },
    /// What is approved does not fit the case.
    ApprovalUnfit {
        /// Why, as a sentence.
        detail: &'static str,
    },
    /// The payment has no such open dispute.
    DisputeUnknown,
    /// The record is no delivery in quarantine.
    NotQuarantined,
    /// A simulated event never acts in a live ledger.
    SimulatedInLive,
    /// The bytes of the record still can't be understood.
    StillUnreadable {
        /// Why.
        detail: Arc<str>,
    },
    /// No such exception in the ledger.
    ExceptionUnknown,
    /// The exception has ended.
    ExceptionEnded,
    /// No such record in the ledger yet.
    RecordUnknown {
        /// Which.
        record: Sequence,
    },
    /// An erasure names no record, or more than one command erases.
    ErasureInvalid {
        /// How many it names.
        count: usize,
    },
}
