//! A refund case: from the application to the processor's refund.

use std::collections::BTreeSet;

use crate::{
    credits::Credits,
    holding::Pair,
    ids::{AccountId, AdjustmentId, OperationId, PaymentKey, Text},
    money::{Currency, Minor},
    refunds::Remedy,
    time::Timestamp,
};

/// One application for a refund of one payment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Case {
    /// The command that opened it.
    pub id: OperationId,
    /// Who applies.
    pub account: AccountId,
    /// For which payment.
    pub payment: PaymentKey,
    /// Why, by the policy's name.
    pub reason: Text,
    /// What was said so far; personal facts only by name.
    pub application: Application,
    /// The version of the policy that decides it: the one in force when it was opened.
    pub policy: u32,
    /// How far it is.
    pub status: CaseStatus,
    /// What would be given back.
    pub quote: Quote,
    /// What it holds and takes of the payment's credits, and when.
    pub claim: Claim,
}

/// What an application says. Names, addresses and proof stay in the request's body.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Application {
    /// The names of all facts that were given.
    pub given: BTreeSet<Text>,
    /// The amount paid, tax included, as the applicant says.
    pub amount: Option<Minor>,
    /// Its currency.
    pub currency: Option<Currency>,
    /// When it was paid.
    pub paid_at: Option<Timestamp>,
    /// Whether there is an invoice.
    pub invoice: Option<Invoice>,
    /// What third parties charge, in the payment's currency.
    pub third_party_costs: Option<Minor>,
}

impl Application {
    /// Nothing said.
    pub const EMPTY: Self = Self {
        given: BTreeSet::new(),
        amount: None,
        currency: None,
        paid_at: None,
        invoice: None,
        third_party_costs: None,
    };
}

impl Application {
    /// Takes in what is said besides; what is said again replaces what was said before.
    pub(crate) fn learn(&mut self, more: &Self) {
        self.given.extend(more.given.iter().cloned());
        self.amount = more.amount.or(self.amount);
        self.currency = more.currency.or(self.currency);
        self.paid_at = more.paid_at.or(self.paid_at);
        self.invoice = more.invoice.or(self.invoice);
        self.third_party_costs = more.third_party_costs.or(self.third_party_costs);
    }
}

/// Whether an invoice stands in the way.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Invoice {
    /// None was issued.
    None,
    /// It was issued and can be reversed.
    Reversible,
    /// It was issued and cannot be reversed.
    Final,
}

/// How far a case is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum CaseStatus {
    /// The applicant must say more.
    NeedsInformation {
        /// What is missing, by name.
        missing: BTreeSet<Text>,
        /// What doesn't match the ledger's records, by name.
        wrong: BTreeSet<Text>,
    },
    /// A person must look at it.
    InReview {
        /// Until when.
        due_at: Timestamp,
    },
    /// The policy says yes; a person must approve the quote.
    Eligible {
        /// Until when.
        due_at: Timestamp,
    },
    /// It waits for the processor's refund.
    Approved {
        /// How much is to be refunded there.
        money: Minor,
    },
    /// It was made good in credits.
    Corrected {
        /// How many.
        credits: Credits,
    },
    /// The answer is no.
    Denied {
        /// The rule of the policy, or an operator's note.
        rule: Text,
        /// Who said so.
        by: Decider,
    },
    /// The applicant took it back.
    Withdrawn,
    /// The processor's refund arrived.
    Refunded,
}

/// Who denied a case.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Decider {
    /// The policy.
    Policy,
    /// An operator.
    Operator,
}

impl CaseStatus {
    /// The name that the API shows.
    #[must_use]
    pub const fn name(&self) -> &'static str {
        match self {
            Self::NeedsInformation { .. } => "needs-information",
            Self::InReview { .. } => "in-review",
            Self::Eligible { .. } => "eligible",
            Self::Approved { .. } => "approved",
            Self::Corrected { .. } => "corrected",
            Self::Denied { .. } => "denied",
            Self::Withdrawn => "withdrawn",
            Self::Refunded => "refunded",
        }
    }

    /// Whether nothing more can become of it.
    #[must_use]
    pub const fn is_final(&self) -> bool {
        match self {
            Self::NeedsInformation { .. }
            | Self::InReview { .. }
            | Self::Eligible { .. }
            | Self::Approved { .. } => false,
            Self::Corrected { .. } | Self::Denied { .. } | Self::Withdrawn | Self::Refunded => true,
        }
    }

    /// Until when a person must have looked at it.
    #[must_use]
    pub const fn due_at(&self) -> Option<Timestamp> {
        match self {
            Self::InReview { due_at } | Self::Eligible { due_at } => Some(*due_at),
            Self::NeedsInformation { .. }
            | Self::Approved { .. }
            | Self::Corrected { .. }
            | Self::Denied { .. }
            | Self::Withdrawn
            | Self::Refunded => None,
        }
    }
}

/// What would be given back, line by line from the ledger's own records.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Quote {
    /// What is given back.
    pub remedy: Remedy,
    /// Of all money in it.
    pub currency: Currency,
    /// The lines in the policy's order; deductions are below zero.
    pub lines: Vec<QuoteLine>,
    /// The sum of the lines, never below zero.
    pub money: Minor,
    /// The credits that go with the money: held while the case is open.
    pub credits: Pair,
}

impl Quote {
    /// Nothing is given back.
    pub(crate) fn nothing(remedy: Remedy, currency: Currency) -> Self {
        let (lines, money, credits) = (Vec::new(), Minor::ZERO, Pair::ZERO);
        Self { remedy, currency, lines, money, credits }
    }
}

/// One line of a quote.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct QuoteLine {
    /// What for.
    pub what: Charge,
    /// How much; deductions are below zero.
    pub amount: Minor,
}

/// What a line of a quote is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Charge {
    /// Paid x unused paid credits / paid credits granted.
    UnusedBalance,
    /// The tax's share.
    Tax,
    /// The payment channel's fee.
    ChannelFee,
    /// The tax on an invoice.
    InvoiceTax,
    /// Gift credits of the payment that were used.
    GiftUsed,
    /// The discount on what was used.
    Promotion,
    /// Costs of third parties.
    ThirdPartyCosts,
}

impl Charge {
    /// The name that the API shows.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::UnusedBalance => "unused-balance",
            Self::Tax => "tax",
            Self::ChannelFee => "channel-fee",
            Self::InvoiceTax => "invoice-tax",
            Self::GiftUsed => "gift-used",
            Self::Promotion => "promotion",
            Self::ThirdPartyCosts => "third-party-costs",
        }
    }
}

/// What a case is to its payment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Claim {
    /// Who applies.
    pub account: AccountId,
    /// When the case was opened.
    pub opened_at: Timestamp,
    /// When it ended, and how; none while it is open.
    pub ended: Option<(Timestamp, ClaimEnd)>,
    /// The credits that go with the money; all that the payment granted when no account had it yet.
    pub credits: Option<Pair>,
    /// The money that must come back through the processor.
    pub money: Minor,
    /// The adjustments that were in force when it was quoted: none of them is its own.
    pub earlier: BTreeSet<AdjustmentId>,
    /// The refunds that ended it; none before.
    pub own: BTreeSet<AdjustmentId>,
}

/// How a claim ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ClaimEnd {
    /// Nothing came of it.
    Dropped,
    /// The money went back.
    Refunded,
}
