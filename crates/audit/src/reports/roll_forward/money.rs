//! Money for credits, net of tax, period by period.

use std::collections::BTreeMap;

use domain::{
    decision::{Effect, MoneyBook},
    money::Currency,
    record::Record,
};

use super::{
    super::{
        amount::Amount,
        layout::{Block, Cell, Section, Table},
        period::Span,
    },
    lines::{Line, Lines, brings_in},
    taken,
};

/// What money moved in a period, in minor units.
#[derive(Clone, Debug, Default)]
pub(super) struct Money {
    lines: Lines,
    /// By how much the book of receipts rose.
    receipts: i128,
}

impl Money {
    pub(super) fn post(&mut self, debit: MoneyBook, credit: MoneyBook, amount: i128) {
        for (book, rise) in [(debit, -amount), (credit, amount)] {
            match book {
                MoneyBook::Receipts => self.receipts += rise,
                // What the processor has for us is the other side of the same transfer.
                MoneyBook::Processor => {}
            }
        }
    }
}

/// Adds what an effect moves of money.
pub(super) fn add(money: &mut BTreeMap<Currency, Money>, record: &Record, effect: &Effect) {
    let Effect::MoneyMoved { payment, currency, received, reversed } = effect else { return };
    let lines = &mut money.entry(*currency).or_default().lines;
    let (received, reversed) = (i128::from(received.get()), i128::from(reversed.get()));
    let line = match received < 0 {
        _ if brings_in(record) => Line::BroughtIn,
        true => Line::Corrections,
        false => Line::Purchases,
    };
    lines.add(line, received);
    for (by, amount) in taken::money(record, payment, reversed) {
        lines.add(Line::taken(by, amount), -amount);
    }
}

pub(super) fn section<'m>(
    currency: Currency,
    spans: impl Iterator<Item = (Span, &'m Money)>,
    differs: &mut bool,
) -> Section {
    let mut columns = vec![("period", "Period"), ("opening", "Opening")];
    columns.extend(Line::OF_MONEY.map(|line| (line.key(), line.name())));
    columns.extend([
        ("closing", "Closing"),
        ("books", "By the books"),
        ("difference", "Difference"),
    ]);
    let mut table = Table::new("money", &columns);
    let row = |name: &str, opening: i128, lines: &Lines, ends: [i128; 3]| {
        let lines = Line::OF_MONEY.map(|line| lines.of(line));
        let amounts = [opening].into_iter().chain(lines).chain(ends);
        let amounts = amounts.map(|amount| Cell::from(Amount::of_minor(amount, currency)));
        [Cell::text(name)].into_iter().chain(amounts).collect::<Vec<_>>()
    };
    let (mut closing, mut books, mut all) = (0_i128, 0_i128, Lines::default());
    for (span, money) in spans {
        let opening = closing;
        closing += money.lines.sum();
        books += money.receipts;
        *differs |= closing != books;
        all.add_all(&money.lines);
        let ends = [closing, books, closing - books];
        table.line(row(&span.to_string(), opening, &money.lines, ends));
    }
    table.total(row("All", 0, &all, [closing, books, closing - books]));
    let words = format!(
        "Money that customers paid for credits, net of tax, less what went back, in {currency}. It \
         counts from the record that gives the payment to an account. What went back counts as \
         refunds or as chargebacks by the same rule as credits."
    );
    Section::new(format!("Money in {currency}"), vec![Block::words(words), Block::Table(table)])
}
