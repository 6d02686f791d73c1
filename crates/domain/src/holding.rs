//! Lots: the credits that one payment or grant gave, and what is left of them.
//!
//! A holding is the paid and the gift lot of one payment, one grant, or one account's overdraft.
//! It keeps what moved; what is left, held, owed or written off always follows from that.

use std::fmt;

use crate::{
    account::Books,
    credits::{CreditOverflow, Credits},
    ids::{AccountId, OperationId, PaymentKey, Text},
    input::LotKind,
    money::Minor,
    policy::Shortfall,
    time::Timestamp,
};

/// Whose lots.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum HoldingId {
    /// A payment's.
    Payment(PaymentKey),
    /// A grant command's.
    Grant(OperationId),
    /// An account's usage beyond what it had.
    Overdraft(AccountId),
}

/// One lot.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct LotId {
    /// Whose.
    pub holding: HoldingId,
    /// Which of the two.
    pub kind: LotKind,
}

impl fmt::Display for HoldingId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Payment(payment) => write!(f, "{}/{}", payment.origin, payment.id),
            Self::Grant(id) => write!(f, "grant/{id}"),
            Self::Overdraft(_) => f.write_str("overdraft"),
        }
    }
}

impl fmt::Display for LotId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let kind = match self.kind {
            LotKind::Paid => "paid",
            LotKind::Gift => "gift",
        };
        write!(f, "{}/{kind}", self.holding)
    }
}

/// An amount for each of the two lots.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Pair {
    /// Of the paid lot.
    pub paid: Credits,
    /// Of the gift lot.
    pub gift: Credits,
}

impl Pair {
    /// Nothing in either.
    pub const ZERO: Self = Self { paid: Credits::ZERO, gift: Credits::ZERO };

    /// The sum, lot by lot.
    ///
    /// # Errors
    /// Out of range.
    pub fn plus(self, other: Self) -> Result<Self, CreditOverflow> {
        Ok(Self { paid: self.paid.plus(other.paid)?, gift: self.gift.plus(other.gift)? })
    }

    /// The difference, lot by lot.
    ///
    /// # Errors
    /// Out of range.
    pub fn minus(self, other: Self) -> Result<Self, CreditOverflow> {
        Ok(Self { paid: self.paid.minus(other.paid)?, gift: self.gift.minus(other.gift)? })
    }

    /// `self * part / whole`, lot by lot, rounded down at `decimals`.
    ///
    /// # Errors
    /// A `whole` that is not positive, or a result out of range.
    pub(crate) fn share(
        self,
        part: Minor,
        whole: Minor,
        decimals: u8,
    ) -> Result<Self, CreditOverflow> {
        let paid = self.paid.share(part, whole, decimals)?;
        Ok(Self { paid, gift: self.gift.share(part, whole, decimals)? })
    }

    /// The smaller amount, lot by lot.
    pub(crate) fn at_most(self, other: Self) -> Self {
        Self { paid: self.paid.min(other.paid), gift: self.gift.min(other.gift) }
    }

    /// Nothing in place of what is below zero.
    pub(crate) fn or_zero(self) -> Self {
        Self { paid: self.paid.or_zero(), gift: self.gift.or_zero() }
    }

    /// Both lots together.
    ///
    /// # Errors
    /// Out of range.
    pub fn sum(self) -> Result<Credits, CreditOverflow> {
        self.paid.plus(self.gift)
    }
}

/// On what terms a holding exists.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Terms {
    /// Whose credits.
    pub account: AccountId,
    /// How old the lots are: the payment's earliest paid moment, the grant's record.
    pub since: Timestamp,
    /// What becomes of a shortfall.
    pub shortfall: Shortfall,
    /// The label of a grant.
    pub label: Option<Text>,
}

/// What moved in and out of one lot. Never below zero, each.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Lot {
    /// Granted by the payment or command.
    pub granted: Credits,
    /// Received from other lots for what was lacking.
    pub received: Credits,
    /// Used.
    pub drawn: Credits,
    /// Reserved by holds.
    pub reserved: Credits,
    /// Given to other lots for what they lacked.
    pub given: Credits,
}

impl Lot {
    /// A lot in which nothing moved yet.
    pub const EMPTY: Self = Self {
        granted: Credits::ZERO,
        received: Credits::ZERO,
        drawn: Credits::ZERO,
        reserved: Credits::ZERO,
        given: Credits::ZERO,
    };

    /// Granted + received - drawn - reserved - given. Below zero in an overdraft, and where an
    /// earlier total of the payment was too high.
    fn content(self) -> Result<Credits, CreditOverflow> {
        self.granted.plus(self.received)?.minus(self.drawn)?.minus(self.reserved)?.minus(self.given)
    }
}

/// What another holding gave for what was lacking here.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Settlement {
    /// Who gave.
    pub giver: HoldingId,
    /// How much of it is still here, positive.
    pub amount: Credits,
}

/// The two lots of one payment, grant or overdraft.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Holding {
    /// On what terms.
    pub terms: Terms,
    /// The paid lot.
    pub paid: Lot,
    /// The gift lot.
    pub gift: Lot,
    /// What refunds take back, by share.
    pub refunded: Pair,
    /// What chargebacks and warnings take back, by share.
    pub charged_back: Pair,
    /// What awaits a decision on a refund, by share.
    pub awaited: Pair,
    /// What others gave to the paid lot, oldest first.
    pub settlements: Vec<Settlement>,
    /// How many open causes freeze this payment's credits.
    pub freezes: u16,
    /// How much of the shortfall an operator forgave; never more than it.
    pub forgiven: Credits,
}

/// What follows from a holding's movements.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Left {
    paid: Credits,
    gift: Credits,
    shortfall: Credits,
}

/// What became of the credits that a payment granted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Fate {
    /// Left, held or free.
    pub(crate) unused: Pair,
    /// Of the paid ones: reserved by holds.
    pub(crate) reserved: Credits,
    /// Of the paid ones: neither left, reserved nor taken back.
    pub(crate) used: Credits,
}

impl Holding {
    /// Lots in which nothing moved yet.
    #[must_use]
    pub const fn new(terms: Terms) -> Self {
        Self {
            terms,
            paid: Lot::EMPTY,
            gift: Lot::EMPTY,
            refunded: Pair::ZERO,
            charged_back: Pair::ZERO,
            awaited: Pair::ZERO,
            settlements: Vec::new(),
            freezes: 0,
            forgiven: Credits::ZERO,
        }
    }

    /// What was granted to both lots.
    #[must_use]
    pub const fn granted(&self) -> Pair {
        Pair { paid: self.paid.granted, gift: self.gift.granted }
    }

    /// One of the lots.
    #[must_use]
    pub const fn lot(&self, kind: LotKind) -> &Lot {
        match kind {
            LotKind::Paid => &self.paid,
            LotKind::Gift => &self.gift,
        }
    }

    /// One of the lots, to move something.
    pub(crate) const fn lot_mut(&mut self, kind: LotKind) -> &mut Lot {
        match kind {
            LotKind::Paid => &mut self.paid,
            LotKind::Gift => &mut self.gift,
        }
    }

    /// What this holding adds to its account's books, an account-wide freeze apart (rules 4 to 6).
    ///
    /// # Errors
    /// A sum out of range.
    pub fn books(&self) -> Result<Books, CreditOverflow> {
        let taken = self.refunded.plus(self.charged_back)?;
        let now = self.left(taken)?;
        let free = if self.freezes > 0 {
            Left { paid: Credits::ZERO, gift: Credits::ZERO, shortfall: now.shortfall }
        } else {
            self.left(taken.plus(self.awaited)?)?
        };
        let kept_back = now.paid.plus(now.gift)?.minus(free.paid)?.minus(free.gift)?;
        let held = kept_back.plus(self.paid.reserved)?.plus(self.gift.reserved)?;
        let (owed, written_off) = match self.terms.shortfall {
            Shortfall::Owed => {
                let forgiven = self.forgiven.min(now.shortfall);
                (now.shortfall.minus(forgiven)?, forgiven)
            }
            Shortfall::WriteOff => (Credits::ZERO, now.shortfall),
        };
        Ok(Books { paid: free.paid, gift: free.gift, held, owed, written_off })
    }

    /// What is left in both lots, held or free: as much of what was received is no longer lacking.
    /// Of both, since one lot stands in for what the other lacks.
    pub(crate) fn left_over(&self) -> Result<Credits, CreditOverflow> {
        let left = self.left(self.refunded.plus(self.charged_back)?)?;
        left.paid.plus(left.gift)
    }

    /// How much more was forgiven than is lacking.
    pub(crate) fn forgiven_in_excess(&self) -> Result<Credits, CreditOverflow> {
        let taken = self.refunded.plus(self.charged_back)?;
        Ok(self.forgiven.minus(self.left(taken)?.shortfall)?.or_zero())
    }

    /// What became of the credits that the payment itself granted.
    pub(crate) fn fate(&self) -> Result<Fate, CreditOverflow> {
        let (granted, taken) = (self.granted(), self.refunded.plus(self.charged_back)?);
        let left = self.left(taken)?;
        let unused = Pair { paid: left.paid, gift: left.gift }.at_most(granted);
        let reserved = self.paid.reserved.min(granted.paid.minus(unused.paid)?);
        let gone = unused.paid.plus(reserved)?.plus(taken.paid)?;
        Ok(Fate { unused, reserved, used: granted.paid.minus(gone)?.or_zero() })
    }

    /// What is left once `target` is taken: each lot's share off itself first, then what one lacks
    /// from the other.
    fn left(&self, target: Pair) -> Result<Left, CreditOverflow> {
        let paid = self.paid.content()?.minus(target.paid)?;
        let gift = self.gift.content()?.minus(target.gift)?;
        Ok(Left {
            paid: paid.minus(gift.negated().or_zero())?.or_zero(),
            gift: gift.minus(paid.negated().or_zero())?.or_zero(),
            shortfall: paid.plus(gift)?.negated().or_zero(),
        })
    }
}
