//! The store on sled against the one in memory, across restarts, crashes and damage.

mod answers;
mod crashes;
mod damage;
mod fences;
mod golden;
mod newer;
mod renew;
mod rewrite;
mod room;
mod search;
mod views;

use std::{path::Path, sync::Arc};

use domain::ids::{LedgerId, Sequence};

use super::{Options, SledStore};
use crate::{log::Append, samples};

/// Runs of the index after a few records, so that there are some.
const SMALL_RUNS: Options =
    Options { run_records: 20, log_cache_bytes: 1 << 20, ..Options::STANDARD };

fn ledger(name: &str) -> LedgerId {
    LedgerId::new(name).unwrap()
}

fn sequence(number: u64) -> Sequence {
    Sequence::new(number).unwrap()
}

fn open(dir: &Path) -> SledStore {
    SledStore::open(dir, SMALL_RUNS).unwrap()
}

/// A purchase of the account `a` with an event of its own.
fn purchase(ledger: &LedgerId, number: u64) -> Append {
    let (record, body) = samples::purchase(number, sequence(number), "a").unwrap();
    Append { ledger: ledger.clone(), record, body }
}

/// Usage with this body.
fn debit(ledger: &LedgerId, number: u64, body: Vec<u8>) -> Append {
    let key = format!("key-{number}");
    let record = samples::debit(ledger, &key, sequence(number), "a", &body).unwrap();
    Append { ledger: ledger.clone(), record, body: Arc::from(body) }
}

/// Purchases from one sequence to another.
fn purchases(ledger: &LedgerId, from: u64, to: u64) -> Vec<Append> {
    (from..=to).map(|number| purchase(ledger, number)).collect()
}

/// Copies the files of an open store as they stand: what a killed process leaves behind.
fn copy(from: &Path, to: &Path) {
    std::fs::create_dir_all(to).unwrap();
    for entry in std::fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let target = to.join(entry.file_name());
        if entry.file_type().unwrap().is_dir() {
            copy(&entry.path(), &target);
        } else {
            std::fs::copy(entry.path(), target).unwrap();
        }
    }
}
