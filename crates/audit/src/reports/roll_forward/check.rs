//! What records posted, held against what they did: book by book, record by record.
//!
//! Transfers and effects are recorded apart. The balances that follow from the lots, which fold from
//! effects alone, must move as the transfers say; so must the house's books by what effects issue, and
//! money by what they say was received and paid back.
//! What neither moves shows nowhere: an effect that opens an account, counts a chargeback, files a
//! case or an exception, or changes lots whose credits are all held or lacking either way.

use std::collections::BTreeMap;

use domain::{
    decision::{CreditBook, Effect, House, MoneyBook, Section as Book, Taking, Transfer},
    holding::HoldingId,
    ids::{AccountId, Sequence},
    input::LotKind,
    money::Currency,
    record::Record,
};

use super::super::{
    amount::Amount,
    layout::{Block, Cell, Section, Table},
};
use crate::{lots::Moved, sums::Sums};

/// How many contradictions are listed; all are counted.
const LISTED_MAX: usize = 100;

/// By how much a book rose, in billionths, or moved one way, in minor units.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Rise {
    transfers: i128,
    effects: i128,
}

/// A book of which a record's transfers and effects say different things.
struct Contradiction {
    record: Sequence,
    account: Option<AccountId>,
    book: String,
    amounts: [Amount; 3],
}

/// What the check keeps.
#[derive(Default)]
pub(super) struct Check {
    books: BTreeMap<Kind, Rise>,
    listed: Vec<Contradiction>,
    contradictions: u64,
}

/// A kind of book, whoever's.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Kind {
    Customers(Book),
    House(House),
}

impl Kind {
    const ALL: [(Self, &'static str); 10] = [
        (Self::Customers(Book::Paid), "Paid"),
        (Self::Customers(Book::Gift), "Given"),
        (Self::Customers(Book::Held), "Held"),
        (Self::Customers(Book::Owed), "Owed"),
        (Self::Customers(Book::WrittenOff), "Written off"),
        (Self::House(House::Sold), "House: sold"),
        (Self::House(House::Given), "House: given"),
        (Self::House(House::Used), "House: used"),
        (Self::House(House::Returned), "House: returned"),
        (Self::House(House::ChargedBack), "House: charged back"),
    ];

    const fn of(book: &CreditBook) -> Self {
        match book {
            CreditBook::Customer(_, book) => Self::Customers(*book),
            CreditBook::House(house) => Self::House(*house),
        }
    }

    fn name(self) -> &'static str {
        let known = Self::ALL.iter().find(|(kind, _)| *kind == self);
        known.map_or("", |(_, name)| name)
    }
}

impl Check {
    /// Takes in a record that counts, with what its effects come to.
    pub(super) fn add(&mut self, record: &Record, lots: &Moved) {
        for (book, rise) in rises(record, lots) {
            let sum = self.books.entry(Kind::of(&book)).or_default();
            sum.transfers += rise.transfers;
            sum.effects += rise.effects;
            self.compare(rise, || Contradiction {
                record: record.sequence,
                account: book.customer().cloned(),
                book: Kind::of(&book).name().to_owned(),
                amounts: rise.amounts(Amount::of_billionths),
            });
        }
        for ((currency, way), moved) in moneys(record) {
            self.compare(moved, || Contradiction {
                record: record.sequence,
                account: None,
                book: format!("{currency} {}", way.name()),
                amounts: moved.amounts(|amount| Amount::of_minor(amount, currency)),
            });
        }
    }

    fn compare(&mut self, rise: Rise, contradiction: impl FnOnce() -> Contradiction) {
        if rise.transfers != rise.effects {
            self.contradictions += 1;
            if self.listed.len() < LISTED_MAX {
                self.listed.push(contradiction());
            }
        }
    }

    pub(super) const fn differs(&self) -> bool {
        self.contradictions > 0
    }

    pub(super) fn section(&self) -> Section {
        let columns = [
            ("book", "Book"),
            ("transfers", "By transfers"),
            ("effects", "By effects"),
            ("difference", "Difference"),
        ];
        let mut table = Table::new("check", &columns);
        for (kind, name) in Kind::ALL {
            let rise = self.books.get(&kind).copied().unwrap_or_default();
            let amounts = rise.amounts(Amount::of_billionths).map(Cell::from);
            table.line([Cell::text(name)].into_iter().chain(amounts).collect());
        }
        let words = "By how much the books of credits rose: once by what records posted, once by \
                     what follows from what they did to lots, which is folded without any transfer. \
                     Every record is held against both by itself, account by account, money too, so \
                     that two faults can't make each other good.";
        let mut blocks = vec![Block::words(words), Block::Table(table)];
        if self.differs() {
            let words = format!(
                "{} contradictions; the first {} are listed.",
                self.contradictions,
                self.listed.len()
            );
            blocks.extend([Block::words(words), Block::Table(self.listed())]);
        }
        Section::new("Check", blocks)
    }

    fn listed(&self) -> Table {
        let columns = [
            ("record", "Record"),
            ("account", "Account"),
            ("book", "Book"),
            ("transfers", "By transfers"),
            ("effects", "By effects"),
            ("difference", "Difference"),
        ];
        let mut table = Table::new("contradictions", &columns);
        for one in &self.listed {
            let names = [
                Cell::Count(one.record.get()),
                Cell::optional(one.account.as_ref().map(|account| account.as_str())),
                Cell::text(&*one.book),
            ];
            table.line(names.into_iter().chain(one.amounts.map(Cell::from)).collect());
        }
        table
    }
}

impl Rise {
    fn amounts(self, amount: impl Fn(i128) -> Amount) -> [Amount; 3] {
        [self.transfers, self.effects, self.transfers - self.effects].map(amount)
    }
}

/// Which way money moves: both in one record are two transfers, and their difference may be nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Way {
    In,
    Back,
}

impl Way {
    const fn name(self) -> &'static str {
        match self {
            Self::In => "received",
            Self::Back => "paid back",
        }
    }
}

/// What money a record moves into the book of receipts and out of it.
fn moneys(record: &Record) -> BTreeMap<(Currency, Way), Rise> {
    let mut moneys: BTreeMap<(Currency, Way), Rise> = BTreeMap::new();
    for transfer in &record.decision.transfers {
        let Transfer::Money { debit, credit, currency, amount } = transfer else { continue };
        for (book, way) in [(credit, Way::In), (debit, Way::Back)] {
            if *book == MoneyBook::Receipts {
                moneys.entry((*currency, way)).or_default().transfers += i128::from(amount.get());
            }
        }
    }
    for effect in &record.decision.effects {
        let Effect::MoneyMoved { currency, received, reversed, .. } = effect else { continue };
        for risen in [i128::from(received.get()), -i128::from(reversed.get())] {
            let way = if risen > 0 { Way::In } else { Way::Back };
            moneys.entry((*currency, way)).or_default().effects += risen.abs();
        }
    }
    moneys
}

/// By how much each book rises by a record.
fn rises(record: &Record, lots: &Moved) -> BTreeMap<CreditBook, Rise> {
    let mut rises: BTreeMap<CreditBook, Rise> = BTreeMap::new();
    for transfer in &record.decision.transfers {
        let Transfer::Credits { debit, credit, amount } = transfer else { continue };
        let amount = amount.billionths();
        rises.entry(debit.clone()).or_default().transfers -= amount;
        rises.entry(credit.clone()).or_default().transfers += amount;
    }
    for (account, moved) in lots {
        for (book, rise) in by_book(moved).into_iter().filter(|(_, rise)| *rise != 0) {
            let book = CreditBook::Customer(account.clone(), book);
            rises.entry(book).or_default().effects += rise;
        }
    }
    for (house, issued) in record.decision.effects.iter().filter_map(issued) {
        rises.entry(CreditBook::House(house)).or_default().effects -= issued;
    }
    rises
}

/// The books of what is owed and forgiven stand below zero, the sums above.
fn by_book(moved: &Sums) -> [(Book, i128); 5] {
    [
        (Book::Paid, moved.paid.billionths()),
        (Book::Gift, moved.gift.billionths()),
        (Book::Held, moved.held.billionths()),
        (Book::Owed, -moved.owed.billionths()),
        (Book::WrittenOff, -moved.written_off.billionths()),
    ]
}

/// What the house issues by an effect, below zero: takes.
fn issued(effect: &Effect) -> Option<(House, i128)> {
    if let Effect::Granted { lot, amount } = effect {
        let sold = matches!((&lot.holding, lot.kind), (HoldingId::Payment(_), LotKind::Paid));
        return Some((if sold { House::Sold } else { House::Given }, amount.billionths()));
    }
    if let Effect::Taken { by, amount, .. } = effect {
        let house = match by {
            Taking::Refund => House::Returned,
            Taking::Chargeback => House::ChargedBack,
        };
        return Some((house, -amount.paid.billionths() - amount.gift.billionths()));
    }
    if let Effect::Drawn { amount, .. } = effect {
        return Some((House::Used, -amount.billionths()));
    }
    if let Effect::Returned { amount, .. } = effect {
        return Some((House::Used, amount.billionths()));
    }
    None
}
