//! What the log reads when it opens: each ledger's last record, the heads of its index runs, and
//! the records after the last run, whose marks are put back into the overlay.

use std::{collections::BTreeMap, sync::Arc};

use domain::ids::{LedgerId, Sequence};

use super::{
    database::Database,
    log::{Book, SledLog},
    values::{Values, damaged, records},
};
use crate::{
    chain::Hash,
    form,
    index::{Overlay, RunHead},
    key::{Kind, StoredKey, prefix},
    log::{EventLog as _, Head, Place, ReadError},
};

/// How many records of the tail are read at a time.
const TAIL_READ: usize = 4096;

pub(super) fn recover(database: Database, run_records: u64) -> Result<SledLog, ReadError> {
    let values = Values::new(database);
    let mut books = BTreeMap::new();
    for ledger in ledgers(&values)? {
        let head = head(&values, &ledger)?;
        let runs = runs(&values, &ledger, head.sequence)?;
        books.insert(ledger, Book { head, runs, overlay: Overlay::default() });
    }
    let log = SledLog::new(values, books, run_records)?;
    for ledger in log.ledgers()? {
        read_tail(&log, &ledger)?;
    }
    Ok(log)
}

/// The ledgers that have a block of records: looks at one key for each.
fn ledgers(values: &Values) -> Result<Vec<LedgerId>, ReadError> {
    let mut found = Vec::new();
    let mut start = vec![Kind::Records.tag()];
    while let Some(key) = values.first_key_from(&start)? {
        let Ok(key) = StoredKey::decode(&key) else { break };
        if key.kind != Kind::Records {
            break;
        }
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
    let record = last.and_then(|form| form::record::decode(form).ok());
    match record {
        Some(record) if record.sequence == block.forms.last() => {
            Ok(Head { sequence: record.sequence, recorded_at: record.recorded_at, hash })
        }
        Some(_) | None => Err(damaged(ledger, place, "its last record can't be read")),
    }
}

/// The heads of a ledger's runs, which cover its records from the first without gap.
fn runs(
    values: &Values,
    ledger: &LedgerId,
    last: Sequence,
) -> Result<Vec<Arc<RunHead>>, ReadError> {
    let mut runs = Vec::new();
    let mut next = Sequence::FIRST;
    for key in values.keys(Kind::RunHead, ledger) {
        let key = StoredKey::decode(&key?);
        let key = key.map_err(|_| damaged(ledger, Place::Index(next), "a key is malformed"))?;
        if key.part != 0 {
            continue;
        }
        let (number, place) = (key.number, key.place());
        let raw = values.open(&key)?;
        let run = RunHead::decode(&raw).map_err(|_| damaged(ledger, place, "malformed"))?;
        if run.first != next || run.last != number || number > last {
            return Err(damaged(ledger, place, "it does not follow the part before"));
        }
        next = number.next();
        runs.push(Arc::new(run));
    }
    Ok(runs)
}

fn read_tail(log: &SledLog, ledger: &LedgerId) -> Result<(), ReadError> {
    let mut after = log.indexed_up_to(ledger);
    loop {
        let records = log.scan(ledger, after, TAIL_READ)?;
        let Some(last) = records.last() else { return Ok(()) };
        after = Some(last.record().sequence);
        log.add_to_overlay(ledger, &records);
    }
}
