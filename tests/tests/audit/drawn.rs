//! A random course as a log in memory.

use std::collections::BTreeMap;

use domain::{account::Books, decide::Verdict, decision::Section, record::Record, state::State};
use event_store::{
    log::{Append, EventLog},
    memory::MemoryLog,
};
use tallyhook_tests::{
    course::Course,
    history::ledger,
    naive::{Ledger, Picture},
    plain::{applied, decided, empty},
};

/// What a course led to.
pub(crate) struct Drawn {
    pub(crate) log: MemoryLog,
    pub(crate) records: Vec<Record>,
    /// What `domain` makes of all of them.
    pub(crate) state: State,
}

/// Draws the course of a seed. Whether what becomes of it is right, `invariants` tests.
pub(crate) fn drawn(seed: u64) -> Drawn {
    let mut course = Course::new(seed);
    let (mut state, mut naive, mut picture) = (empty(), Ledger::new(), Picture::default());
    let mut records = Vec::new();
    while let Some(step) = course.next(&naive, &picture) {
        let Verdict::Record(decision) = decided(&mut state, &step.input, step.now) else {
            continue;
        };
        let sequence = state.book.next_sequence();
        let record = Record { sequence, recorded_at: step.now, input: step.input, decision };
        applied(&mut state, &record).expect("what was decided applies");
        picture = naive.take(&record, &picture).expect("what was decided is right");
        records.push(record);
    }
    Drawn { log: log_of(&records), records, state }
}

/// A log of these records.
pub(crate) fn log_of(records: &[Record]) -> MemoryLog {
    let log = MemoryLog::new();
    let append =
        |record: &Record| Append { ledger: ledger(), record: record.clone(), body: [].into() };
    let appends: Vec<Append> = records.iter().map(append).collect();
    log.append(&appends).expect("the records follow each other");
    log
}

/// The parts of a balance by their names, in billionths.
pub(crate) type Parts = BTreeMap<&'static str, i128>;

/// A balance with nothing in any part.
pub(crate) fn nothing() -> Parts {
    ["paid", "gift", "held", "owed", "written_off"].map(|name| (name, 0)).into()
}

/// The part that a section is, and which way it counts: what is owed stands below zero.
pub(crate) const fn part_of(section: Section) -> (&'static str, i128) {
    match section {
        Section::Paid => ("paid", 1),
        Section::Gift => ("gift", 1),
        Section::Held => ("held", 1),
        Section::Owed => ("owed", -1),
        Section::WrittenOff => ("written_off", -1),
    }
}

/// The parts of a balance of `domain`.
pub(crate) fn parts_of(books: &Books) -> Parts {
    [
        ("paid", books.paid),
        ("gift", books.gift),
        ("held", books.held),
        ("owed", books.owed),
        ("written_off", books.written_off),
    ]
    .map(|(name, amount)| (name, amount.billionths()))
    .into()
}
