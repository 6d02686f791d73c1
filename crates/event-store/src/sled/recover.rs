//! What the log reads when it opens: each ledger's last record, the heads of its index runs, and
//! the records after the last run, whose marks are put back into the overlay.
//!
//! The index is derived from the records. Where a run's head is damaged or missing, the runs from
//! there on are not used: their records are read again, and, for a server, stored in new runs.

use std::{collections::BTreeMap, sync::Arc};

use domain::ids::{LedgerId, Sequence};

use super::{
    Derived, Options,
    database::Database,
    log::{Book, SledLog},
    values::{Values, damaged, failed, records},
};
use crate::{
    chain::Hash,
    form,
    index::{Overlay, RunHead},
    key::{Kind, StoredKey, prefix},
    log::{EventLog as _, Head, Place, ReadError},
    space::Space,
};

/// How many records of the tail are read at a time.
const TAIL_READ: usize = 4096;

/// Opens the log. Returns with it what was damaged and is used no more, for a person.
pub(super) fn recover(
    database: Database,
    options: Options,
    space: Arc<Space>,
) -> Result<(SledLog, Vec<String>), ReadError> {
    let values = Values::new(database);
    let mut books = BTreeMap::new();
    let mut damaged = BTreeMap::new();
    for ledger in ledgers(&values)? {
        let head = head(&values, &ledger)?;
        let (runs, first_damaged) = runs(&values, &ledger, head.sequence)?;
        if let Some(first) = first_damaged {
            damaged.insert(ledger.clone(), first);
        }
        books.insert(ledger, Book { head, runs, overlay: Overlay::default() });
    }
    let log = SledLog::new(values, books, options.run_records, space)?;
    for ledger in log.ledgers()? {
        let rebuilt = damaged.contains_key(&ledger) && options.derived == Derived::Rebuilt;
        if rebuilt && let Some(first) = damaged.get(&ledger) {
            log.values().remove_runs(&ledger, *first).map_err(failed)?;
        }
        read_tail(&log, &ledger, rebuilt)?;
    }
    let told = |(ledger, first): (LedgerId, Sequence)| {
        format!("the index of ledger {ledger} was damaged from record {first} on")
    };
    Ok((log, damaged.into_iter().map(told).collect()))
}

/// The ledgers that have a block of records: looks at one key for each.
fn ledgers(values: &Values) -> Result<Vec<LedgerId>, ReadError> {
    let mut found = Vec::new();
    let mut start = vec![Kind::Records.tag()];
    while let Some(key) = values.first_key_from(&start)? {
        if key.first() != Some(&Kind::Records.tag()) {
            break;
        }
        let Ok(key) = StoredKey::decode(&key) else {
            // A stray key, which a check of the log reports: the next one that there can be.
            start = [key.as_slice(), &[0]].concat();
            continue;
        };
        start = prefix(Kind::Records, &key.ledger);
        start.extend_from_slice(&[0xff; 13]);
        found.push(key.ledger);
    }
    Ok(found)
}

fn head(values: &Values, ledger: &LedgerId) -> Result<Head, ReadError> {
    let Some(key) = values.last(Kind::Records, ledger)? else {
        return Err(damaged(ledger, Place::Records(Sequence::FIRST), "there is no block"));
    };
    let place = Place::Records(key.number);
    let raw = values.open(&key)?;
    let block = records(&key, &raw)?;
    let mut hash: Hash = block.before;
    let mut last = None;
    for (_, form) in block.forms.iter() {
        hash = hash.then(form);
        last = Some(form);
    }
    let record = last.map(form::record::decode).transpose();
    let unread = |fault| damaged(ledger, place, &format!("its last record can't be read: {fault}"));
    match record.map_err(unread)? {
        Some(record) if record.sequence == block.forms.last() => {
            Ok(Head { sequence: record.sequence, recorded_at: record.recorded_at, hash })
        }
        Some(_) | None => Err(damaged(ledger, place, "its last record is another")),
    }
}

/// The heads of a ledger's runs, which cover its records from the first without gap, and the
/// record from which on they are damaged, if they are.
fn runs(
    values: &Values,
    ledger: &LedgerId,
    last: Sequence,
) -> Result<(Vec<Arc<RunHead>>, Option<Sequence>), ReadError> {
    let mut runs = Vec::new();
    let mut next = Sequence::FIRST;
    for key in values.keys(Kind::RunHead, ledger) {
        let key = StoredKey::decode(&key?);
        if key.as_ref().is_ok_and(|key| key.part != 0) {
            continue;
        }
        let run = key.map(|key| values.try_open(&key)).ok().transpose()?;
        let run = run.and_then(Result::ok).and_then(|opened| RunHead::decode(&opened.raw).ok());
        match run.filter(|run| run.first == next && run.last <= last) {
            Some(run) => {
                next = run.last.next();
                runs.push(Arc::new(run));
            }
            None => return Ok((runs, Some(next))),
        }
    }
    // The last head is missing where there are chunks without one.
    let beyond = match values.last(Kind::RunChunk, ledger) {
        Ok(chunk) => chunk.is_some_and(|chunk| chunk.number >= next),
        Err(ReadError::Damaged { .. }) => true,
        Err(error) => return Err(error),
    };
    Ok((runs, beyond.then_some(next)))
}

/// Puts the records after the last run into the overlay, or into new runs.
fn read_tail(log: &SledLog, ledger: &LedgerId, rebuilt: bool) -> Result<(), ReadError> {
    let mut after = log.indexed_up_to(ledger);
    loop {
        let records = log.scan(ledger, after, TAIL_READ)?;
        let Some(last) = records.last() else { return Ok(()) };
        after = Some(last.record().sequence);
        log.add_to_overlay(ledger, &records);
        if rebuilt {
            log.store_due_run(ledger).map_err(failed)?;
        }
    }
}
