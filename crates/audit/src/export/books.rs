//! The books as an export leaves them.

use std::collections::BTreeMap;

use domain::{
    calendar::Day,
    decision::{CreditBook, MoneyBook, Transfer},
    money::Currency,
};

use crate::{
    leaf::{house_name, section_name},
    reports::amount::Amount,
};

/// A book of one asset.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Place {
    /// Of credits.
    Credits(CreditBook),
    /// Of money.
    Money(MoneyBook, Currency),
}

/// What is moved.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Asset {
    Credits,
    Money(Currency),
}

/// The name of a book, and the account that it is a part of.
#[must_use]
pub const fn place_book(place: &Place) -> (&'static str, Option<&domain::ids::AccountId>) {
    match place {
        Place::Credits(CreditBook::Customer(account, section)) => {
            (section_name(*section), Some(account))
        }
        Place::Credits(CreditBook::House(house)) => (house_name(*house), None),
        Place::Money(MoneyBook::Processor, _) => ("processor", None),
        Place::Money(MoneyBook::Receipts, _) => ("receipts", None),
    }
}

impl Place {
    pub(super) const fn asset(&self) -> Asset {
        match self {
            Self::Credits(_) => Asset::Credits,
            Self::Money(_, currency) => Asset::Money(*currency),
        }
    }
}

/// A transfer, as exports tell it.
pub(super) struct Moved {
    pub(super) debit: Place,
    pub(super) credit: Place,
    pub(super) asset: Asset,
    /// Credits in billionths, money in minor units.
    pub(super) units: i128,
}

impl Moved {
    pub(super) fn of(transfer: &Transfer) -> Self {
        match transfer {
            Transfer::Credits { debit, credit, amount } => Self {
                debit: Place::Credits(debit.clone()),
                credit: Place::Credits(credit.clone()),
                asset: Asset::Credits,
                units: amount.billionths(),
            },
            Transfer::Money { debit, credit, currency, amount } => Self {
                debit: Place::Money(*debit, *currency),
                credit: Place::Money(*credit, *currency),
                asset: Asset::Money(*currency),
                units: amount.get().into(),
            },
        }
    }
}

/// So many units of an asset.
pub(super) const fn amount(asset: Asset, units: i128) -> Amount {
    match asset {
        Asset::Credits => Amount::of_billionths(units),
        Asset::Money(currency) => Amount::of_minor(units, currency),
    }
}

/// What is in a book.
pub(super) struct Kept {
    /// The first day on which something moved.
    pub(super) first: Day,
    /// Credits less debits.
    pub(super) units: i128,
}

/// All books in which something moved.
#[derive(Default)]
pub(super) struct Books {
    pub(super) kept: BTreeMap<Place, Kept>,
    /// The last day on which something moved.
    pub(super) last: Option<Day>,
}

impl Books {
    pub(super) fn post(&mut self, transfer: &Transfer, day: Day) {
        self.last = self.last.max(Some(day));
        let moved = Moved::of(transfer);
        for (place, rise) in [(moved.debit, -moved.units), (moved.credit, moved.units)] {
            let kept = self.kept.entry(place).or_insert(Kept { first: day, units: 0 });
            kept.first = kept.first.min(day);
            kept.units += rise;
        }
    }

    /// The sums of all accounts' books of a name, and of the house's.
    pub(super) fn totals(&self) -> BTreeMap<(Asset, &'static str), i128> {
        let mut totals = BTreeMap::new();
        for (place, kept) in &self.kept {
            let (book, _) = place_book(place);
            *totals.entry((place.asset(), book)).or_default() += kept.units;
        }
        totals
    }
}
