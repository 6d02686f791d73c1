//! Sums of credits over any set of records.
//!
//! A balance of the log is always in the range of [`Credits`] and never below zero. A sum of some of
//! its records, such as those that had happened by a moment, need not be: so sums have a range of
//! their own, which no log can fill.

use std::fmt;

use domain::{
    account::Books,
    credits::Credits,
    decision::{CreditBook, Section, Transfer},
    ids::AccountId,
};

use crate::reports::amount::Amount;

/// A sum of credits of any size, exact to a billionth.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Sum(i128);

impl Sum {
    /// Nothing.
    pub const ZERO: Self = Self(0);

    /// An amount of the log.
    #[must_use]
    pub fn of(credits: Credits) -> Self {
        Self(credits.billionths())
    }

    /// So many billionths of a credit.
    #[must_use]
    pub const fn from_billionths(billionths: i128) -> Self {
        Self(billionths)
    }

    /// In billionths.
    #[must_use]
    pub const fn billionths(self) -> i128 {
        self.0
    }

    /// The sum. Amounts of the log have at most 80 bits, so no log has enough of them to reach the
    /// end of the range.
    #[must_use]
    pub const fn plus(self, other: Self) -> Self {
        Self(self.0.saturating_add(other.0))
    }

    /// The difference.
    #[must_use]
    pub const fn minus(self, other: Self) -> Self {
        Self(self.0.saturating_sub(other.0))
    }

    /// Whether it is nothing.
    #[must_use]
    pub const fn is_zero(self) -> bool {
        self.0 == 0
    }

    /// As an amount of the log; none out of its range.
    #[must_use]
    pub fn credits(self) -> Option<Credits> {
        Credits::from_billionths(self.0)
    }

    /// As reports show it.
    #[must_use]
    pub const fn amount(self) -> Amount {
        Amount::of_billionths(self.0)
    }

    /// With a sign also where it is above zero.
    #[must_use]
    pub fn signed(self) -> String {
        if self.0 > 0 { format!("+{self}") } else { self.to_string() }
    }
}

impl fmt::Display for Sum {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        Amount::of_billionths(self.0).fmt(f)
    }
}

/// The parts of an account's balance, summed over any set of records.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Sums {
    /// Spendable, paid for.
    pub paid: Sum,
    /// Spendable, given.
    pub gift: Sum,
    /// Not spendable now.
    pub held: Sum,
    /// What the account owes.
    pub owed: Sum,
    /// What was owed and is forgiven.
    pub written_off: Sum,
}

impl Sums {
    /// Nothing anywhere.
    pub const ZERO: Self = Self {
        paid: Sum::ZERO,
        gift: Sum::ZERO,
        held: Sum::ZERO,
        owed: Sum::ZERO,
        written_off: Sum::ZERO,
    };

    /// A balance of the log.
    #[must_use]
    pub fn of(books: &Books) -> Self {
        Self {
            paid: Sum::of(books.paid),
            gift: Sum::of(books.gift),
            held: Sum::of(books.held),
            owed: Sum::of(books.owed),
            written_off: Sum::of(books.written_off),
        }
    }

    /// What transfers move in the account.
    #[must_use]
    pub fn moved(account: &AccountId, transfers: &[Transfer]) -> Self {
        let mut sums = Self::ZERO;
        for transfer in transfers {
            let Transfer::Credits { debit, credit, amount } = transfer else { continue };
            sums.post(account, credit, Sum::of(*amount));
            sums.post(account, debit, Sum::of(amount.negated()));
        }
        sums
    }

    /// The books of what is owed and forgiven stand below zero, the sums above.
    fn post(&mut self, account: &AccountId, book: &CreditBook, by: Sum) {
        let CreditBook::Customer(owner, section) = book else { return };
        if owner != account {
            return;
        }
        match section {
            Section::Paid => self.paid = self.paid.plus(by),
            Section::Gift => self.gift = self.gift.plus(by),
            Section::Held => self.held = self.held.plus(by),
            Section::Owed => self.owed = self.owed.minus(by),
            Section::WrittenOff => self.written_off = self.written_off.minus(by),
        }
    }

    /// The sum, part by part.
    #[must_use]
    pub const fn plus(&self, other: &Self) -> Self {
        Self {
            paid: self.paid.plus(other.paid),
            gift: self.gift.plus(other.gift),
            held: self.held.plus(other.held),
            owed: self.owed.plus(other.owed),
            written_off: self.written_off.plus(other.written_off),
        }
    }

    /// The difference, part by part.
    #[must_use]
    pub const fn minus(&self, other: &Self) -> Self {
        Self {
            paid: self.paid.minus(other.paid),
            gift: self.gift.minus(other.gift),
            held: self.held.minus(other.held),
            owed: self.owed.minus(other.owed),
            written_off: self.written_off.minus(other.written_off),
        }
    }

    /// What can be spent: paid and gift.
    #[must_use]
    pub const fn available(&self) -> Sum {
        self.paid.plus(self.gift)
    }

    /// Available + held - owed - written off: what the account is worth to its holder.
    #[must_use]
    pub const fn net(&self) -> Sum {
        self.available().plus(self.held).minus(self.owed).minus(self.written_off)
    }

    /// Whether there is nothing anywhere.
    #[must_use]
    pub fn is_zero(&self) -> bool {
        *self == Self::ZERO
    }

    /// The parts by their names, in the order in which everything shows them.
    #[must_use]
    pub const fn parts(&self) -> [(&'static str, Sum); 5] {
        [
            ("paid", self.paid),
            ("gift", self.gift),
            ("held", self.held),
            ("owed", self.owed),
            ("written_off", self.written_off),
        ]
    }

    /// As a balance of the log; none where a part is out of its range.
    #[must_use]
    pub fn books(&self) -> Option<Books> {
        Some(Books {
            paid: self.paid.credits()?,
            gift: self.gift.credits()?,
            held: self.held.credits()?,
            owed: self.owed.credits()?,
            written_off: self.written_off.credits()?,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sums_print_as_credits_do_and_beyond_their_range() {
        for text in ["0", "1", "-1", "0.000000001", "-12.5", "1000000000000000"] {
            let credits = Credits::parse(text, 9).unwrap();
            assert_eq!(Sum::of(credits).to_string(), credits.to_string());
            assert_eq!(Sum::of(credits).credits(), Some(credits));
        }
        let most = Sum::of(Credits::parse("1000000000000000", 0).unwrap());
        assert_eq!(most.plus(most).to_string(), "2000000000000000");
        assert_eq!(most.plus(most).credits(), None);
        assert_eq!(Sum::ZERO.minus(most).minus(most).to_string(), "-2000000000000000");
    }
}
