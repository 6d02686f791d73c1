//! An account's statement: what it had, what each record moved, what it has.
//!
//! A period is of either axis of time: of when records were recorded, or of when things happened at
//! the provider. What it opens with and its lines come from one pass over the whole log; what it
//! closes with comes from the account's own index and is not made from the lines, so that a
//! difference can show. It is zero, or the index and the log disagree.

use domain::{
    decision::Transfer,
    ids::{AccountId, LedgerId, Sequence},
    input::Input,
    record::Record,
    time::Timestamp,
};
use event_store::log::{EventLog, ReadError};
use proof::bundle;

use crate::{
    as_of::{self, AsOfError},
    conversion::{Conversion, Policies},
    cut::{Cut, Known, Provenance, happened_at},
    explain::{metadata, words},
    history,
    pass::pass,
    reports::{
        Axis,
        layout::{Block, Cell, Chart, Document, Section, Series, Shape, Table, asked},
    },
    sums::{Sum, Sums},
};

/// What is asked.
#[derive(Clone, Debug)]
pub struct Query {
    /// Whose statement.
    pub account: AccountId,
    /// The first moment of the period; none: from the beginning.
    pub from: Option<Timestamp>,
    /// The moment at which it ends, which is not in it; none: up to the cut.
    pub to: Option<Timestamp>,
    /// By which time.
    pub axis: Axis,
    /// Which records count at all.
    pub cut: Cut,
}

/// An account's statement.
#[derive(Clone, Debug)]
pub struct Statement {
    /// What was asked.
    pub query: Query,
    /// What it was made from.
    pub provenance: Provenance,
    /// What was there before the period.
    pub opening: Sums,
    /// What moved in it, in the order of its axis.
    pub lines: Vec<Line>,
    /// What was there at its end.
    pub closing: Sums,
    /// Closing - opening - what the lines moved: zero.
    pub difference: Sums,
    /// The last record that can be in it; 0 where none can.
    pub last: u64,
}

/// What one record did to the account.
#[derive(Clone, Debug)]
pub struct Line {
    /// The record.
    pub sequence: Sequence,
    /// When it was recorded.
    pub recorded_at: Timestamp,
    /// When it happened.
    pub happened_at: Timestamp,
    /// What came in, in words.
    pub said: String,
    /// What it moved.
    pub moved: Sums,
    /// What was there after it.
    pub after: Sums,
    /// What usage says of itself.
    pub metadata: Vec<(String, String)>,
    /// How money became credits.
    pub conversion: Option<Conversion>,
}

/// Makes a statement; none where no record that counts changes the account.
///
/// # Errors
/// The log can't be read.
pub fn statement(
    log: &dyn EventLog,
    ledger: &LedgerId,
    query: Query,
    progress: impl FnMut(u64, u64),
) -> Result<Option<Statement>, AsOfError> {
    let mut fold = Fold::new(&query);
    let provenance = pass(log, ledger, &query.cut, progress, |recorded, _| {
        fold.take(recorded.record());
        Ok::<(), AsOfError>(())
    })?;
    if !fold.known {
        return Ok(None);
    }
    let Fold { opening, mut lines, last, .. } = fold;
    if query.axis == Axis::Happened {
        lines.sort_by_key(|line| (line.happened_at, line.sequence));
    }
    let mut after = opening;
    for line in &mut lines {
        after = after.plus(&line.moved);
        line.after = after;
    }
    let closing = as_of::sums(log, ledger, &query.account, &closing_cut(&query, last))?;
    let difference = closing.minus(&after);
    Ok(Some(Statement { query, provenance, opening, lines, closing, difference, last }))
}

/// What a statement claims of a ledger's tree, for a bundle that an outsider checks.
#[derive(Clone, Debug)]
pub struct Claim {
    /// All records that moved credits of the account up to the period's end, from the first on.
    pub records: Vec<Sequence>,
    /// What they come to.
    pub statement: bundle::Statement,
}

/// Why a statement can't be proved.
#[derive(Debug, thiserror::Error)]
pub enum ClaimError {
    /// The log can't be read.
    #[error(transparent)]
    Read(#[from] ReadError),
    /// It is by the provider's time.
    #[error(
        "the tree has its records in the order of recording: a statement by the time at the provider \
         can't be proved"
    )]
    OtherAxis,
}

impl Statement {
    /// What this statement claims.
    ///
    /// # Errors
    /// It is by the provider's time, which leaves don't have, or the log can't be read.
    pub fn claim(&self, log: &dyn EventLog) -> Result<Claim, ClaimError> {
        let Query { account, from, axis, cut, .. } = &self.query;
        if *axis == Axis::Happened || cut.happened.is_some() {
            return Err(ClaimError::OtherAxis);
        }
        let (mut records, mut before) = (Vec::new(), 0_u64);
        let known = Cut { known: Known::Sequence(self.last), happened: None };
        history::each(log, &self.provenance.ledger, account, &known, |recorded| {
            let record = recorded.record();
            if moves(record, account) {
                records.push(record.sequence);
                let earlier = from.is_some_and(|from| record.recorded_at < from);
                before = before.saturating_add(u64::from(earlier));
            }
            Ok::<(), ReadError>(())
        })?;
        let all = u64::try_from(records.len()).unwrap_or(u64::MAX);
        let standing = |records, sums: &Sums| bundle::Standing { records, books: books(sums) };
        let statement = bundle::Statement {
            account: account.to_string(),
            opening: standing(before, &self.opening),
            closing: standing(all, &self.closing),
        };
        Ok(Claim { records, statement })
    }
}

/// Whether a record moves credits of an account: others only change how it stands.
fn moves(record: &Record, account: &AccountId) -> bool {
    record.decision.transfers.iter().any(|transfer| match transfer {
        Transfer::Credits { debit, credit, .. } => {
            debit.customer() == Some(account) || credit.customer() == Some(account)
        }
        Transfer::Money { .. } => false,
    })
}

fn books(sums: &Sums) -> bundle::Books {
    let text = |sum: Sum| sum.to_string();
    bundle::Books {
        paid: text(sums.paid),
        gift: text(sums.gift),
        held: text(sums.held),
        owed: text(sums.owed),
        written_off: text(sums.written_off),
    }
}

/// Which records have happened when a period ends.
fn closing_cut(query: &Query, last: u64) -> Cut {
    let Some(to) = query.to else { return query.cut };
    match query.axis {
        Axis::Recorded => Cut { known: Known::Sequence(last), ..query.cut },
        Axis::Happened => {
            // The period ends before its last moment, a cut with it.
            let before = Timestamp::from_micros(to.micros().saturating_sub(1)).unwrap_or(to);
            let happened = query.cut.happened.map_or(before, |cut| cut.min(before));
            Cut { happened: Some(happened), ..query.cut }
        }
    }
}

/// What is kept of a pass.
struct Fold<'q> {
    query: &'q Query,
    policies: Policies,
    known: bool,
    opening: Sums,
    lines: Vec<Line>,
    last: u64,
}

impl<'q> Fold<'q> {
    const fn new(query: &'q Query) -> Self {
        Self {
            query,
            policies: Policies::NONE,
            known: false,
            opening: Sums::ZERO,
            lines: Vec::new(),
            last: 0,
        }
    }

    fn take(&mut self, record: &Record) {
        self.policies.take(record);
        let Query { account, from, to, axis, cut } = self.query;
        let at = axis.moment(record);
        if to.is_none_or(|to| at < to) {
            self.last = record.sequence.get();
        }
        if !cut.counts(record) || !record.decision.touches(account) {
            return;
        }
        self.known = true;
        if to.is_some_and(|to| at >= to) {
            return;
        }
        let moved = Sums::moved(account, &record.decision.transfers);
        if from.is_some_and(|from| at < from) {
            self.opening = self.opening.plus(&moved);
            return;
        }
        self.lines.push(Line {
            sequence: record.sequence,
            recorded_at: record.recorded_at,
            happened_at: happened_at(record),
            said: match &record.input {
                Input::Delivery(delivery) => words::delivery(delivery),
                Input::Command(command) => words::order(&command.order),
            },
            moved,
            after: Sums::ZERO,
            metadata: metadata(record),
            conversion: Conversion::of(record, &self.policies),
        });
    }
}

impl Statement {
    /// As a document, to be shown in any form.
    #[must_use]
    pub fn document(&self) -> Document {
        let Query { account, from, to, axis, cut } = &self.query;
        let mut query = vec![("account", account.to_string())];
        query.extend(from.map(|from| ("from", from.to_string())));
        query.extend(to.map(|to| ("to", to.to_string())));
        let by = match axis {
            Axis::Recorded => "time of recording",
            Axis::Happened => "time at the provider",
        };
        query.push(("by", by.to_owned()));
        query.extend(asked(cut));
        let lines = vec![self.movements(), self.chart()];
        Document {
            title: format!("Statement of account {account}"),
            provenance: self.provenance.clone(),
            query,
            sections: vec![
                Section::new("Balance", vec![self.balance()]),
                Section::new("Movements", lines.into_iter().flatten().collect()),
            ],
        }
    }

    fn balance(&self) -> Block {
        let mut table = Table::new("balance", &BALANCE);
        let moved = self.lines.iter().fold(Sums::ZERO, |sum, line| sum.plus(&line.moved));
        table.line(row("Opening", &self.opening));
        table.line(row("Movements", &moved));
        table.total(row("Closing", &self.closing));
        table.total(row("Difference", &self.difference));
        Block::Table(table)
    }

    fn movements(&self) -> Option<Block> {
        let mut table = Table::new("movements", &MOVEMENTS);
        for line in &self.lines {
            let said = line.metadata.iter().map(|(name, value)| format!("{name}={value}"));
            let said = said.collect::<Vec<_>>().join("; ");
            let unit = &self.provenance.unit;
            let rate = line.conversion.as_ref().map(|how| {
                format!("{} (policy {} version {})", how.told(unit), how.name, how.version)
            });
            let mut cells = vec![
                line.sequence.get().into(),
                Cell::moment(line.recorded_at),
                Cell::moment(line.happened_at),
                Cell::text(line.said.as_str()),
            ];
            cells.extend(line.moved.parts().map(|(_, sum)| moved(sum)));
            cells.push(line.after.available().amount().into());
            cells.push(Cell::optional(rate));
            cells.push(if said.is_empty() { Cell::Empty } else { Cell::text(said) });
            table.line(cells);
        }
        Some(Block::Table(table))
    }

    /// The balance line by line; none where there are too few or too many to see anything.
    fn chart(&self) -> Option<Block> {
        if !(2..=CHART_LINES_MAX).contains(&self.lines.len()) {
            return None;
        }
        let series = |name: &str, of: fn(&Sums) -> Sum| Series {
            name: name.to_owned(),
            values: self.lines.iter().map(|line| of(&line.after).amount()).collect(),
        };
        Some(Block::Chart(Chart {
            title: "Balance after each record".to_owned(),
            shape: Shape::Steps,
            labels: self.lines.iter().map(|line| format!("#{}", line.sequence)).collect(),
            series: vec![
                series("Available", Sums::available),
                series("Held", |sums| sums.held),
                series("Owed", |sums| sums.owed),
            ],
        }))
    }
}

/// The most lines that a chart shows.
const CHART_LINES_MAX: usize = 2_000;

/// The columns of the balance.
const BALANCE: [(&str, &str); 8] = [
    ("what", "What"),
    ("paid", "Paid"),
    ("gift", "Gift"),
    ("held", "Held"),
    ("owed", "Owed"),
    ("written_off", "Written off"),
    ("available", "Available"),
    ("net", "Net"),
];

/// The columns of the movements.
const MOVEMENTS: [(&str, &str); 12] = [
    ("sequence", "Record"),
    ("recorded_at", "Recorded"),
    ("happened_at", "Happened"),
    ("what", "What"),
    ("paid", "Paid"),
    ("gift", "Gift"),
    ("held", "Held"),
    ("owed", "Owed"),
    ("written_off", "Written off"),
    ("available", "Available after"),
    ("rate", "Rate"),
    ("usage", "Usage says"),
];

fn row(name: &str, sums: &Sums) -> Vec<Cell> {
    let mut cells = vec![Cell::text(name)];
    cells.extend(sums.parts().map(|(_, sum)| Cell::from(sum.amount())));
    cells.push(sums.available().amount().into());
    cells.push(sums.net().amount().into());
    cells
}

/// What a record moved in a part, where it moved anything.
fn moved(sum: Sum) -> Cell {
    if sum.is_zero() { Cell::Empty } else { sum.amount().into() }
}
