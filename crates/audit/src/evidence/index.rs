//! The index of an archive of evidence.

use domain::money::Minor;

use super::gathered::Gathered;
use crate::{
    cut::Provenance,
    reports::layout::{Block, Cell, Document, Section, Table},
    sums::Sum,
};

pub(super) fn document(
    gathered: &Gathered,
    provenance: Provenance,
    missing: &[String],
) -> Document {
    let unit = provenance.unit.clone();
    let sections = vec![
        Section::new("The payment", vec![Block::words(payment(gathered, &unit))]),
        Section::new(
            "What happened to it",
            vec![
                Block::words(
                    "Every record about the payment, in the log's order. The bytes of each, as they \
                 came, are in bodies/ under its number.",
                ),
                Block::Table(about(gathered)),
            ],
        ),
        Section::new(
            "Usage after it",
            vec![Block::words(used(gathered, &unit)), Block::Table(usage(gathered))],
        ),
        Section::new("Earlier purchases without a dispute", vec![Block::Table(earlier(gathered))]),
        Section::new("What is missing", missing.iter().map(Block::words).collect()),
    ];
    let query = vec![("payment", gathered.payment.to_string())];
    let title = format!("Evidence on payment {}", gathered.payment);
    Document { title, provenance, query, sections }
}

fn payment(gathered: &Gathered, unit: &str) -> String {
    let account = match &gathered.account {
        Some(account) => format!("It belongs to the account {account}"),
        None => "It belongs to no account".to_owned(),
    };
    let customer = match &gathered.customer {
        Some(customer) => format!(", the provider's customer {}", customer.id),
        None => String::new(),
    };
    let paid = match gathered.paid_at {
        Some(at) => format!("The provider says that it was paid by {at}."),
        None => "No event says that it was paid.".to_owned(),
    };
    format!("{account}{customer}. {paid} It granted {} {unit}.", gathered.granted)
}

fn about(gathered: &Gathered) -> Table {
    let mut table = Table::new(
        "records",
        &[
            ("sequence", "record"),
            ("happened_at", "happened"),
            ("recorded_at", "recorded"),
            ("what", "what came in"),
            ("outcome", "outcome"),
            ("belief", "why it was believed"),
        ],
    );
    for line in &gathered.about {
        table.line(vec![
            Cell::from(line.sequence.get()),
            Cell::moment(line.happened_at),
            Cell::moment(line.recorded_at),
            Cell::text(line.what.as_str()),
            Cell::text(line.outcome),
            Cell::text(line.belief.as_str()),
        ]);
    }
    table
}

fn used(gathered: &Gathered, unit: &str) -> String {
    let of_payment = gathered.usage.iter().fold(Sum::ZERO, |sum, used| sum.plus(used.of_payment));
    format!(
        "{} uses by the account since the payment granted credits; {of_payment} {unit} of them were \
         drawn from this payment.",
        gathered.usage.len()
    )
}

fn usage(gathered: &Gathered) -> Table {
    let mut table = Table::new(
        "usage",
        &[
            ("sequence", "record"),
            ("at", "recorded"),
            ("debit", "debit"),
            ("amount", "credits"),
            ("of_payment", "of this payment"),
            ("metadata", "what for"),
        ],
    );
    for used in &gathered.usage {
        let said = used.metadata.iter().map(|(name, value)| format!("{name}={value}"));
        table.line(vec![
            Cell::from(used.sequence.get()),
            Cell::moment(used.at),
            Cell::text(used.debit.to_string()),
            Cell::text(used.amount.to_string()),
            Cell::text(used.of_payment.to_string()),
            Cell::text(said.collect::<Vec<_>>().join(", ")),
        ]);
    }
    table
}

fn earlier(gathered: &Gathered) -> Table {
    let mut table = Table::new(
        "earlier",
        &[
            ("payment", "payment"),
            ("paid_at", "paid"),
            ("received", "received, net"),
            ("refunded", "refunded"),
            ("sequence", "first record"),
        ],
    );
    for (payment, other) in gathered.earlier() {
        let money = other.currency.zip(i64::try_from(other.received).ok().and_then(Minor::new));
        let money = money.map(|(currency, minor)| format!("{} {currency}", minor.major(currency)));
        table.line(vec![
            Cell::text(payment.id.as_str()),
            other.paid_at.map_or(Cell::Empty, Cell::moment),
            Cell::optional(money),
            Cell::text(if other.refunded { "in part or whole" } else { "no" }),
            Cell::from(other.first.get()),
        ]);
    }
    table
}
