//! What was there, what came, what went, what is there: period by period, in credits and in money.
//!
//! What came and went is told by the records' effects, what is there by the customers' books, to
//! which the records' transfers post: two things that were recorded apart, so that their difference
//! says something. Debts and what was written off follow from lots, folded from effects ([`Lots`]);
//! [`check`] holds every book of every record against both. It is all zero where the log does not
//! contradict itself. As what something counts that was taken back, [`taken`] says.
//!
//! [`Lots`]: crate::lots::Lots

mod check;
mod lines;
mod money;
mod owed;
mod taken;

use std::collections::BTreeMap;

use domain::{
    decision::{CreditBook, Section as Book, Transfer},
    money::Currency,
    record::Record,
    time::Timestamp,
};

use self::{
    check::Check,
    lines::{Line, Lines, line_of},
    money::Money,
    owed::Owed,
};
use super::{
    Told,
    amount::Amount,
    layout::{Block, Cell, Chart, Section, Series, Shape, Table},
    period::{Period, Span},
};
use crate::lots::Moved as ByLots;

/// What a roll-forward keeps: what moved, by period.
pub(super) struct RollForward {
    period: Period,
    spans: BTreeMap<Span, Moved>,
    check: Check,
}

/// What moved in a period.
#[derive(Default)]
struct Moved {
    /// Credits, by what for.
    lines: Lines,
    /// By how much the customers' books rose, in billionths.
    books: BTreeMap<Book, i128>,
    owed: Owed,
    money: BTreeMap<Currency, Money>,
}

impl RollForward {
    pub(super) fn new(period: Period) -> Self {
        Self { period, spans: BTreeMap::new(), check: Check::default() }
    }

    /// Takes in a record that counts, with what its effects come to.
    pub(super) fn add(&mut self, record: &Record, lots: &ByLots, at: Timestamp) {
        if record.decision.transfers.is_empty() && record.decision.effects.is_empty() {
            return;
        }
        let moved = self.spans.entry(self.period.of(at)).or_default();
        for effect in &record.decision.effects {
            if let Some((line, amount)) = line_of(record, effect) {
                moved.lines.add(line, amount);
            }
            money::add(&mut moved.money, record, effect);
        }
        for (by, amount) in taken::credits(record) {
            moved.lines.add(Line::taken(by, amount), -amount);
        }
        for sums in lots.values() {
            moved.lines.add(Line::WrittenOff, sums.written_off.billionths());
            moved.owed.by_lots(sums.owed.billionths());
        }
        for transfer in &record.decision.transfers {
            moved.post(transfer);
        }
        self.check.add(record, lots);
    }

    pub(super) fn told(self) -> Told {
        let mut differs = self.check.differs();
        let mut sections = self.credits(&mut differs);
        let owed = self.spans.iter().map(|(span, moved)| (*span, &moved.owed));
        sections.push(owed::section(owed, &mut differs));
        let currencies = self.spans.values().flat_map(|moved| moved.money.keys().copied());
        let currencies: std::collections::BTreeSet<Currency> = currencies.collect();
        for currency in currencies {
            let spans = self.spans.iter();
            let of = spans.filter_map(|(span, moved)| Some((*span, moved.money.get(&currency)?)));
            sections.push(money::section(currency, of, &mut differs));
        }
        sections.push(self.check.section());
        Told { sections, differs }
    }

    fn credits(&self, differs: &mut bool) -> Vec<Section> {
        let mut columns = vec![("period", "Period"), ("opening", "Opening")];
        columns.extend(Line::OF_CREDITS.map(|line| (line.key(), line.name())));
        columns.extend([
            ("closing", "Closing"),
            ("books", "By the books"),
            ("difference", "Difference"),
        ]);
        let mut table = Table::new("credits", &columns);
        let (mut closing, mut books, mut all) = (0_i128, 0_i128, Lines::default());
        let mut closings = Vec::new();
        for (span, moved) in &self.spans {
            let opening = closing;
            closing += moved.lines.sum();
            books += moved.position();
            *differs |= closing != books;
            all.add_all(&moved.lines);
            let ends = [closing, books, closing - books];
            table.line(row(&span.to_string(), opening, &moved.lines, &ends));
            closings.push(Amount::of_billionths(closing));
        }
        table.total(row("All", 0, &all, &[closing, books, closing - books]));
        let labels: Vec<String> = self.spans.keys().map(ToString::to_string).collect();
        let words = "Credits that customers have, paid, given and held, less what they owe. What \
                     came and went is added up from what records did, the books from what they \
                     posted; the difference is zero unless the log contradicts itself. What an \
                     adjustment takes and gives back counts under its own kind: a refund that takes \
                     the place of a chargeback undoes none. What a late purchase or a command takes \
                     and gives back counts as refunds and chargebacks as it did so. What is written \
                     off is no longer owed, so it raises what is there. Periods in which nothing \
                     moved are left out; they begin and end in UTC.";
        vec![
            Section::new(
                "Credits",
                vec![
                    Block::words(words),
                    Block::Table(table),
                    Block::Chart(balance(labels.clone(), closings)),
                    Block::Chart(self.movements(labels)),
                ],
            ),
            Section::new("Credits at the end", vec![Block::Table(self.at_the_end())]),
        ]
    }

    /// What moved, for the eye.
    fn movements(&self, labels: Vec<String>) -> Chart {
        let shown = [
            Line::Purchases,
            Line::Gifts,
            Line::Usage,
            Line::Refunds,
            Line::Chargebacks,
            Line::WrittenOff,
        ];
        let values = |line| {
            let moved = self.spans.values().map(|moved| moved.lines.of(line));
            moved.map(Amount::of_billionths).collect()
        };
        let series =
            shown.map(|line| Series { name: line.name().to_owned(), values: values(line) });
        let title = "Credits that came and went".to_owned();
        Chart { title, shape: Shape::Bars, labels, series: series.into() }
    }

    /// The customers' books at the end, by their parts.
    fn at_the_end(&self) -> Table {
        let of = |book: Book| {
            let moved = self.spans.values().filter_map(|moved| moved.books.get(&book));
            moved.sum::<i128>()
        };
        let mut table = Table::new("position", &[("part", "Part"), ("credits", "Credits")]);
        let parts = [
            ("Paid", of(Book::Paid)),
            ("Given", of(Book::Gift)),
            ("Held", of(Book::Held)),
            ("Owed", of(Book::Owed)),
        ];
        for (name, credits) in parts {
            table.line(vec![Cell::text(name), Amount::of_billionths(credits).into()]);
        }
        let sum = parts.iter().map(|(_, credits)| credits).sum();
        table.total(vec![Cell::text("Closing"), Amount::of_billionths(sum).into()]);
        let forgiven = -of(Book::WrittenOff);
        table.line(vec![Cell::text("Written off so far"), Amount::of_billionths(forgiven).into()]);
        table
    }
}

impl Moved {
    fn post(&mut self, transfer: &Transfer) {
        match transfer {
            Transfer::Credits { debit, credit, amount } => {
                let amount = amount.billionths();
                for (book, rise) in [(debit, -amount), (credit, amount)] {
                    if let CreditBook::Customer(_, book) = book {
                        *self.books.entry(*book).or_default() += rise;
                    }
                }
                self.owed.post(debit, credit, amount);
            }
            Transfer::Money { debit, credit, currency, amount } => {
                let money = self.money.entry(*currency).or_default();
                money.post(*debit, *credit, amount.get().into());
            }
        }
    }

    /// By how much rose what customers have, less what they owe: the book of what is owed is never
    /// above zero.
    fn position(&self) -> i128 {
        let parts = [Book::Paid, Book::Gift, Book::Held, Book::Owed];
        parts.iter().filter_map(|book| self.books.get(book)).sum()
    }
}

/// A period's row: its opening, its lines, and what it ends with.
fn row(name: &str, opening: i128, lines: &Lines, ends: &[i128]) -> Vec<Cell> {
    let lines = Line::OF_CREDITS.map(|line| lines.of(line));
    let amounts = [opening].into_iter().chain(lines).chain(ends.iter().copied());
    let amounts = amounts.map(|amount| Cell::from(Amount::of_billionths(amount)));
    [Cell::text(name)].into_iter().chain(amounts).collect()
}

fn balance(labels: Vec<String>, values: Vec<Amount>) -> Chart {
    let series = vec![Series { name: "Closing".to_owned(), values }];
    let title = "Credits that customers have, less what they owe".to_owned();
    Chart { title, shape: Shape::Steps, labels, series }
}
