//! A customer's account: what anyone may see of it, and what the rules keep beside that.

use std::{collections::BTreeMap, fmt};

use imbl::OrdSet;

use crate::{
    credits::{CreditOverflow, Credits},
    holding::HoldingId,
    ids::{OperationId, PaymentKey, Sequence, Text},
    input::LotKind,
    policy::{Balance, Checkout, Measures, Spending},
    time::Timestamp,
};

/// The parts of an account's balance. None is ever below zero.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Books {
    /// Spendable, paid for.
    pub paid: Credits,
    /// Spendable, given.
    pub gift: Credits,
    /// Not spendable now: reserved, awaiting a refund decision, or frozen.
    pub held: Credits,
    /// What the account owes.
    pub owed: Credits,
    /// What was owed and is forgiven.
    pub written_off: Credits,
}

impl Books {
    /// Nothing anywhere.
    pub const ZERO: Self = Self {
        paid: Credits::ZERO,
        gift: Credits::ZERO,
        held: Credits::ZERO,
        owed: Credits::ZERO,
        written_off: Credits::ZERO,
    };

    /// Spendable credits: paid and gift.
    ///
    /// # Errors
    /// A sum out of range.
    pub fn available(&self) -> Result<Credits, CreditOverflow> {
        self.paid.plus(self.gift)
    }

    /// The sum, part by part.
    pub(crate) fn plus(&self, other: &Self) -> Result<Self, CreditOverflow> {
        Ok(Self {
            paid: self.paid.plus(other.paid)?,
            gift: self.gift.plus(other.gift)?,
            held: self.held.plus(other.held)?,
            owed: self.owed.plus(other.owed)?,
            written_off: self.written_off.plus(other.written_off)?,
        })
    }

    /// The difference, part by part.
    pub(crate) fn minus(&self, other: &Self) -> Result<Self, CreditOverflow> {
        Ok(Self {
            paid: self.paid.minus(other.paid)?,
            gift: self.gift.minus(other.gift)?,
            held: self.held.minus(other.held)?,
            owed: self.owed.minus(other.owed)?,
            written_off: self.written_off.minus(other.written_off)?,
        })
    }

    /// Whether no part is below zero.
    #[must_use]
    pub fn is_sound(&self) -> bool {
        [self.paid, self.gift, self.held, self.owed, self.written_off]
            .iter()
            .all(|part| *part >= Credits::ZERO)
    }
}

/// What anyone with the right may see of an account. Folds from records alone.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct View {
    /// The balance.
    pub books: Books,
    /// The open causes, by id.
    pub freezes: BTreeMap<FreezeId, Freeze>,
    /// What closed the account.
    pub closed: Option<Closing>,
    /// How many records changed this view: gapless from 1.
    pub version: u64,
    /// The last record that changed this view.
    pub sequence: Option<Sequence>,
}

/// A cause that is open, and what is done while it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Freeze {
    /// Which.
    pub id: FreezeId,
    /// When the provider says that it was filed; an operator's: when it was recorded.
    pub since: Timestamp,
    /// What is done.
    pub measures: Measures,
    /// An operator's reason.
    pub reason: Option<Text>,
}

/// What a freeze is known by.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum FreezeId {
    /// A dispute of a payment.
    Dispute {
        /// The payment.
        payment: PaymentKey,
        /// Which of the two kinds.
        cause: DisputeCause,
    },
    /// An operator's command.
    Operator(OperationId),
}

/// The two kinds of disputes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum DisputeCause {
    /// The bank warned and the provider refunded the buyer.
    Warning,
    /// The bank took the money back.
    Chargeback,
}

impl FreezeId {
    /// The name of the cause that the API shows.
    #[must_use]
    pub const fn cause(&self) -> &'static str {
        match self {
            Self::Dispute { cause: DisputeCause::Warning, .. } => "warning",
            Self::Dispute { cause: DisputeCause::Chargeback, .. } => "chargeback",
            Self::Operator(_) => "operator",
        }
    }

    /// The disputed payment.
    #[must_use]
    pub const fn payment(&self) -> Option<&PaymentKey> {
        match self {
            Self::Dispute { payment, .. } => Some(payment),
            Self::Operator(_) => None,
        }
    }
}

impl fmt::Display for FreezeId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Dispute { payment, .. } => {
                write!(f, "{}/{}/{}", payment.origin, payment.id, self.cause())
            }
            Self::Operator(id) => id.fmt(f),
        }
    }
}

/// What closed an account.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Closing {
    /// Repeated chargebacks, by the policy.
    Policy,
    /// An operator, for ever.
    Operator,
}

/// Whether an account may act.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Status {
    /// Yes.
    Active,
    /// Not while a cause suspends spending or freezes the account.
    Frozen,
    /// No.
    Closed,
}

impl View {
    /// An account that no record changed yet.
    pub const NEW: Self = Self {
        books: Books::ZERO,
        freezes: BTreeMap::new(),
        closed: None,
        version: 0,
        sequence: None,
    };

    /// Whether the account may act.
    #[must_use]
    pub fn status(&self) -> Status {
        let frozen = self.freezes.values().any(|freeze| {
            freeze.measures.spending == Spending::Suspend
                || freeze.measures.balance == Balance::FreezeAccount
        });
        match self.closed {
            Some(_) => Status::Closed,
            None if frozen => Status::Frozen,
            None => Status::Active,
        }
    }

    /// Whether a cause holds all credits of the account.
    #[must_use]
    pub fn holds_everything(&self) -> bool {
        self.freezes.values().any(|freeze| freeze.measures.balance == Balance::FreezeAccount)
    }

    /// Whether a storefront should limit new purchases.
    #[must_use]
    pub fn checkout(&self) -> Checkout {
        let limited =
            self.freezes.values().any(|freeze| freeze.measures.checkout == Checkout::Limit);
        if limited { Checkout::Limit } else { Checkout::Open }
    }

    /// Whether the account is active and has credits.
    #[must_use]
    pub fn can_spend(&self) -> bool {
        self.status() == Status::Active
            && (self.books.paid.is_positive() || self.books.gift.is_positive())
    }
}

/// A holding in the order in which lots are drawn and debts are paid: oldest first.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Aged {
    /// How old.
    pub since: Timestamp,
    /// Whose lots.
    pub holding: HoldingId,
}

/// An account with all that the rules need to know of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Account {
    /// What anyone may see.
    pub view: View,
    /// The sum of what its holdings add, an account-wide freeze apart.
    pub lots: Books,
    /// The holdings whose paid lot has free credits.
    pub free_paid: OrdSet<Aged>,
    /// The holdings whose gift lot has free credits.
    pub free_gift: OrdSet<Aged>,
    /// The holdings that owe.
    pub lacking: OrdSet<Aged>,
    /// Payments with a chargeback, won or not, with the first one's time.
    pub chargebacks: BTreeMap<PaymentKey, Timestamp>,
}

impl Account {
    /// An account that no record changed yet.
    #[must_use]
    pub fn opened() -> Self {
        Self {
            view: View::NEW,
            lots: Books::ZERO,
            free_paid: OrdSet::new(),
            free_gift: OrdSet::new(),
            lacking: OrdSet::new(),
            chargebacks: BTreeMap::new(),
        }
    }

    /// The holding with free credits of a kind that is drawn first.
    #[must_use]
    pub fn oldest_free(&self, kind: LotKind) -> Option<&HoldingId> {
        let free = match kind {
            LotKind::Paid => &self.free_paid,
            LotKind::Gift => &self.free_gift,
        };
        free.get_min().map(|aged| &aged.holding)
    }

    /// The holdings with free credits of a kind, the one that is drawn first in front.
    pub(crate) fn free(&self, kind: LotKind) -> impl Iterator<Item = &HoldingId> {
        let free = match kind {
            LotKind::Paid => &self.free_paid,
            LotKind::Gift => &self.free_gift,
        };
        free.iter().map(|aged| &aged.holding)
    }

    /// The balance that follows from the lots and the open causes.
    ///
    /// # Errors
    /// A sum out of range.
    pub fn books(&self) -> Result<Books, CreditOverflow> {
        if !self.view.holds_everything() {
            return Ok(self.lots);
        }
        let held = self.lots.held.plus(self.lots.paid)?.plus(self.lots.gift)?;
        Ok(Books { paid: Credits::ZERO, gift: Credits::ZERO, held, ..self.lots })
    }
}
