//! What a person must see: open, by kind and age; and, where asked, what ended.

use std::collections::BTreeMap;

use domain::{
    decision::Effect,
    exception::{Exception, ExceptionId, ExceptionKind},
    ids::Sequence,
    record::Record,
    time::Timestamp,
};

use super::{
    Listed, Told,
    age::{Age, days},
    amount::Amount,
    layout::{Block, Cell, Chart, Section, Series, Shape, Table},
};

/// What a report of exceptions keeps.
pub(super) struct Exceptions {
    listed: Listed,
    open: BTreeMap<ExceptionId, Exception>,
    /// How many of each kind ended because their cause is gone, and by a person.
    ended: BTreeMap<ExceptionKind, (u64, u64)>,
    /// What ended, where that is asked.
    over: BTreeMap<ExceptionId, (Exception, End)>,
}

/// How an exception ended.
struct End {
    at: Timestamp,
    sequence: Sequence,
    by: &'static str,
}

impl Exceptions {
    pub(super) const fn new(listed: Listed) -> Self {
        Self { listed, open: BTreeMap::new(), ended: BTreeMap::new(), over: BTreeMap::new() }
    }

    pub(super) fn add(&mut self, record: &Record, effect: &Effect) {
        if let Effect::Raised(exception) = effect {
            self.open.insert(exception.id, exception.clone());
        } else if let Effect::Cleared(id) = effect {
            self.end(record, *id, "its cause is gone");
        } else if let Effect::Resolved(id) = effect {
            self.end(record, *id, "a person resolved it");
        }
    }

    /// One that was resolved while its cause held is cleared once more when that is gone.
    fn end(&mut self, record: &Record, id: ExceptionId, by: &'static str) {
        let Some(exception) = self.open.remove(&id) else { return };
        let (gone, resolved) = self.ended.entry(id.kind).or_default();
        *(if by == "its cause is gone" { gone } else { resolved }) += 1;
        if self.listed == Listed::All {
            let end = End { at: record.recorded_at, sequence: record.sequence, by };
            self.over.insert(id, (exception, end));
        }
    }

    pub(super) fn told(self, now: Timestamp) -> Told {
        let mut counts: BTreeMap<(ExceptionKind, Age), u64> = BTreeMap::new();
        for exception in self.open.values() {
            let age = Age::of(exception.raised_at, now);
            *counts.entry((exception.id.kind, age)).or_default() += 1;
        }
        let mut sections = vec![
            Section::new(
                "By kind and age",
                vec![
                    Block::words(
                        "An age counts from when it was raised, in whole days of 24 hours.",
                    ),
                    Block::Table(counted(&counts, &self.ended)),
                    Block::Chart(chart(&counts)),
                ],
            ),
            Section::new("Open", vec![Block::Table(open(&self.open, now))]),
        ];
        if self.listed == Listed::All {
            sections.push(Section::new("Ended", vec![Block::Table(over(&self.over))]));
        }
        Told { sections, differs: false }
    }
}

fn counted(
    counts: &BTreeMap<(ExceptionKind, Age), u64>,
    ended: &BTreeMap<ExceptionKind, (u64, u64)>,
) -> Table {
    let mut columns = vec![("kind", "Kind")];
    columns.extend(Age::COLUMNS);
    columns.extend([
        ("open", "Open"),
        ("cause_gone", "Ended: cause gone"),
        ("resolved", "Ended: resolved"),
    ]);
    let mut table = Table::new("exceptions_by_age", &columns);
    let mut sums = [0_u64; 7];
    for kind in ExceptionKind::ALL {
        let ages = Age::ALL.map(|age| counts.get(&(kind, age)).copied().unwrap_or(0));
        let (gone, resolved) = ended.get(&kind).copied().unwrap_or((0, 0));
        let open = ages.iter().sum::<u64>();
        let row: Vec<u64> = ages.into_iter().chain([open, gone, resolved]).collect();
        if row.iter().all(|count| *count == 0) {
            continue;
        }
        sums.iter_mut().zip(&row).for_each(|(sum, count)| *sum += count);
        let cells = row.into_iter().map(Cell::Count);
        table.line([Cell::text(kind.name())].into_iter().chain(cells).collect());
    }
    table.total([Cell::text("Total")].into_iter().chain(sums.map(Cell::Count)).collect());
    table
}

fn chart(counts: &BTreeMap<(ExceptionKind, Age), u64>) -> Chart {
    let of = |kind, age| counts.get(&(kind, age)).copied().unwrap_or(0);
    let any = |kind: &ExceptionKind| Age::ALL.iter().any(|age| of(*kind, *age) > 0);
    let kinds: Vec<ExceptionKind> = ExceptionKind::ALL.into_iter().filter(any).collect();
    let series = Age::ALL.map(|age| Series {
        name: age.name().to_owned(),
        values: kinds.iter().map(|kind| Amount::new(of(*kind, age).into(), 0)).collect(),
    });
    Chart {
        title: "Open exceptions, by kind and age".to_owned(),
        shape: Shape::Bars,
        labels: kinds.iter().map(|kind| kind.name().to_owned()).collect(),
        series: series.into(),
    }
}

const COLUMNS: [(&str, &str); 7] = [
    ("sequence", "Record"),
    ("kind", "Kind"),
    ("raised_at", "Raised"),
    ("days", "Days"),
    ("account", "Account"),
    ("payment", "Payment"),
    ("detail", "What to know"),
];

fn open(open: &BTreeMap<ExceptionId, Exception>, now: Timestamp) -> Table {
    let mut table = Table::new("exceptions", &COLUMNS);
    for exception in open.values() {
        table.line(cells(exception, days(exception.raised_at, now)));
    }
    table
}

fn over(over: &BTreeMap<ExceptionId, (Exception, End)>) -> Table {
    let mut columns = COLUMNS.to_vec();
    columns.extend([("ended_at", "Ended"), ("ended_by", "By record"), ("because", "Because")]);
    let mut table = Table::new("exceptions_ended", &columns);
    for (exception, end) in over.values() {
        let mut cells = cells(exception, days(exception.raised_at, end.at));
        cells.extend([Cell::moment(end.at), Cell::Count(end.sequence.get()), Cell::text(end.by)]);
        table.line(cells);
    }
    table
}

fn cells(exception: &Exception, days: u64) -> Vec<Cell> {
    let payment = exception.payment.as_ref();
    vec![
        Cell::Count(exception.id.sequence.get()),
        Cell::text(exception.id.kind.name()),
        Cell::moment(exception.raised_at),
        Cell::Count(days),
        Cell::optional(exception.account.as_ref().map(|account| account.as_str())),
        Cell::optional(payment.map(|payment| format!("{}/{}", payment.origin, payment.id))),
        Cell::text(&*exception.detail),
    ]
}
