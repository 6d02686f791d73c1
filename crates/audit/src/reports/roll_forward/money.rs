//! Money for credits, net of tax, period by period.

use std::collections::BTreeMap;

use domain::{
    decision::{Effect, MoneyBook, Taking},
    holding::HoldingId,
    ids::PaymentKey,
    input::Input,
    money::Currency,
    notice::{Action, Notice},
    record::Record,
};

use super::{
    super::{
        amount::Amount,
        layout::{Block, Cell, Section, Table},
        period::Span,
    },
    lines::{Line, Lines, brings_in},
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
    for (by, amount) in taken(record, payment, reversed) {
        lines.add(Line::taken(by, amount), -amount);
    }
}

/// What took money back, or below zero gave it again: the adjustment that the record is about. A
/// purchase or a command makes adjustments count that were known before; then the money is split as
/// the credits that were taken with it.
fn taken(record: &Record, payment: &PaymentKey, reversed: i128) -> Vec<(Taking, i128)> {
    if let Some(by) = adjusted_by(record, payment) {
        return vec![(by, reversed)];
    }
    let credits = |wanted: Taking| {
        let effects = record.decision.effects.iter();
        let taken = effects.filter_map(|effect| {
            let Effect::Taken { holding: HoldingId::Payment(of), by, amount } = effect else {
                return None;
            };
            let counts = of == payment && *by == wanted;
            counts.then(|| amount.paid.billionths() + amount.gift.billionths())
        });
        taken.sum::<i128>()
    };
    let (refunds, chargebacks) = (credits(Taking::Refund), credits(Taking::Chargeback));
    let by_chargebacks = match chargebacks {
        0 => 0,
        _ if refunds.signum() * chargebacks.signum() <= 0 => reversed,
        // Both are at most 10 to the 24th, and money is at most 10 to the 14th: it fits.
        _ => reversed * chargebacks / (refunds + chargebacks),
    };
    vec![(Taking::Chargeback, by_chargebacks), (Taking::Refund, reversed - by_chargebacks)]
}

/// Of which side the adjustment is that a record is about.
fn adjusted_by(record: &Record, payment: &PaymentKey) -> Option<Taking> {
    let delivery = match &record.input {
        Input::Delivery(delivery) => &**delivery,
        Input::Command(command) => command.order.released()?,
    };
    let Ok(Notice::Adjustment(adjustment)) = &delivery.notice else { return None };
    if adjustment.payment != *payment {
        return None;
    }
    Some(match adjustment.action {
        Action::Refund | Action::Credit | Action::CreditReverse => Taking::Refund,
        Action::Chargeback
        | Action::ChargebackReverse
        | Action::Warning
        | Action::WarningReverse => Taking::Chargeback,
    })
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
         what the record was about that moved it."
    );
    Section::new(format!("Money in {currency}"), vec![Block::words(words), Block::Table(table)])
}
