//! What customers owe, period by period.

use domain::decision::{CreditBook, Section as Book};

use super::super::{
    amount::Amount,
    layout::{Block, Cell, Section, Table},
    period::Span,
};

/// What happened to debts in a period, in billionths.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Owed {
    arisen: i128,
    /// What was paid, returned or undone, below zero.
    settled: i128,
    /// What was forgiven, below zero.
    written_off: i128,
    /// By how much rose what follows from lots.
    lots: i128,
}

impl Owed {
    pub(super) fn by_lots(&mut self, rise: i128) {
        self.lots += rise;
    }

    pub(super) fn post(&mut self, debit: &CreditBook, credit: &CreditBook, amount: i128) {
        let is = |book: &CreditBook| match book {
            CreditBook::Customer(_, book) => Some(*book),
            CreditBook::House(_) => None,
        };
        // What leaves the book of what is owed makes it lower still: more is owed.
        match (is(debit), is(credit)) {
            (Some(Book::Owed), Some(Book::WrittenOff)) => self.written_off += amount,
            (Some(Book::WrittenOff), Some(Book::Owed)) => self.written_off -= amount,
            (Some(Book::Owed), _) => self.arisen += amount,
            (_, Some(Book::Owed)) => self.settled -= amount,
            (
                Some(Book::Paid | Book::Gift | Book::Held | Book::WrittenOff) | None,
                Some(Book::Paid | Book::Gift | Book::Held | Book::WrittenOff) | None,
            ) => {}
        }
    }
}

pub(super) fn section<'m>(
    spans: impl Iterator<Item = (Span, &'m Owed)>,
    differs: &mut bool,
) -> Section {
    let columns = [
        ("period", "Period"),
        ("opening", "Opening"),
        ("arisen", "Arisen"),
        ("settled", "Settled"),
        ("written_off", "Written off"),
        ("closing", "Closing"),
        ("lots", "By the lots"),
        ("difference", "Difference"),
    ];
    let mut table = Table::new("owed", &columns);
    let row = |name: &str, opening: i128, owed: &Owed, [closing, lots]: [i128; 2]| {
        let moved = [opening, owed.arisen, owed.settled, owed.written_off];
        let amounts = moved.into_iter().chain([closing, lots, closing - lots]);
        let amounts = amounts.map(|amount| Cell::from(Amount::of_billionths(amount)));
        [Cell::text(name)].into_iter().chain(amounts).collect::<Vec<_>>()
    };
    let (mut closing, mut all) = (0_i128, Owed::default());
    for (span, owed) in spans {
        let opening = closing;
        closing += owed.arisen + owed.settled + owed.written_off;
        all.arisen += owed.arisen;
        all.settled += owed.settled;
        all.written_off += owed.written_off;
        all.lots += owed.lots;
        *differs |= closing != all.lots;
        table.line(row(&span.to_string(), opening, owed, [closing, all.lots]));
    }
    table.total(row("All", 0, &all, [closing, all.lots]));
    let words = "Credits that customers owe, because more was used or taken back than was left. \
                 Settled is what later credits paid, or what is no longer lacking. What came and \
                 went is added up from what records posted; what follows from the lots, which fold \
                 from what records did, must be the same.";
    Section::new("Owed by customers", vec![Block::words(words), Block::Table(table)])
}
