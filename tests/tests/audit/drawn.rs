//! A random course as a log in memory.

use domain::{decide::Verdict, record::Record, state::State};
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
    let log = MemoryLog::new();
    let appends = records.iter().map(|record| Append {
        ledger: ledger(),
        record: record.clone(),
        body: [].into(),
    });
    log.append(&appends.collect::<Vec<_>>()).expect("the records follow each other");
    Drawn { log, records, state }
}
