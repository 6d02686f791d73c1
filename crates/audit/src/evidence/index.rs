//! The index of an archive of evidence.

use domain::{ids::PaymentId, money::Minor};

use super::{ends::KEPT_MAX, gathered::Gathered};
use crate::{
    cut::Provenance,
    reports::layout::{Block, Cell, Document, Section, Table},
};

pub(super) fn document(
    gathered: &Gathered<'_>,
    id: &PaymentId,
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
                    "Every record about the payment, in the log's order. The bytes of each delivery, \
                     as they came, are in bodies/ under its number; a command has none.",
                ),
                Block::words(shown("records", gathered.about.all(), gathered.about.hidden())),
                Block::Table(about(gathered)),
            ],
        ),
        Section::new(
            "Usage after it",
            vec![
                Block::words(used(gathered, &unit)),
                Block::words(shown("uses", gathered.usage.all(), gathered.usage.hidden())),
                Block::Table(usage(gathered)),
            ],
        ),
        earlier(gathered),
        Section::new("What is missing", missing.iter().map(Block::words).collect()),
    ];
    let query = vec![("payment", id.to_string())];
    let title = format!("Evidence on payment {}", id);
    Document { title, provenance, query, sections }
}

fn payment(gathered: &Gathered<'_>, unit: &str) -> String {
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

fn about(gathered: &Gathered<'_>) -> Table {
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
    for line in gathered.about.iter() {
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

/// Says how much of a list is shown.
fn shown(what: &str, all: u64, hidden: u64) -> String {
    if hidden == 0 {
        return format!("{all} {what}, all of them shown.");
    }
    format!(
        "{all} {what}, of which the first {KEPT_MAX} and the last {KEPT_MAX} are shown; {hidden} \
         between them are counted and not shown."
    )
}

fn used(gathered: &Gathered<'_>, unit: &str) -> String {
    let (drawn, returned) = (gathered.drawn, gathered.returned);
    format!(
        "{} uses by the account since the payment granted credits; {} {unit} were drawn from this \
         payment and used: {drawn} drawn, {returned} of them returned.",
        gathered.usage.all(),
        drawn.minus(returned),
    )
}

fn usage(gathered: &Gathered<'_>) -> Table {
    let mut table = Table::new(
        "usage",
        &[
            ("sequence", "record"),
            ("at", "recorded"),
            ("debit", "debit"),
            ("amount", "credits"),
            ("of_payment", "of this payment"),
            ("returned", "returned"),
            ("returned_of_payment", "returned to this payment"),
            ("returned_by", "by record"),
            ("metadata", "what for"),
        ],
    );
    for used in gathered.usage.iter() {
        let returned = used.returned.as_ref();
        let said = used.metadata.iter().map(|(name, value)| format!("{name}={value}"));
        table.line(vec![
            Cell::from(used.sequence.get()),
            Cell::moment(used.at),
            Cell::text(used.debit.to_string()),
            Cell::text(used.amount.to_string()),
            Cell::text(used.of_payment.to_string()),
            Cell::optional(returned.map(|one| one.amount.to_string())),
            Cell::optional(returned.map(|one| one.of_payment.to_string())),
            returned.map_or(Cell::Empty, |one| Cell::from(one.sequence.get())),
            Cell::text(said.collect::<Vec<_>>().join(", ")),
        ]);
    }
    table
}

fn earlier(gathered: &Gathered<'_>) -> Section {
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
    let (earlier, all) = gathered.earlier();
    let words = format!(
        "{all} purchases of the account were paid before and never disputed; the latest {} of them \
         are shown.",
        earlier.len()
    );
    for (payment, other) in earlier {
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
    let blocks = vec![Block::words(words), Block::Table(table)];
    Section::new("Earlier purchases without a dispute", blocks)
}
