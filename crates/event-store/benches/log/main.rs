//! What the log costs: against the same bytes appended to a file and synced, and against sled with
//! one key for each event, in turn on the same disk.
//!
//! `cargo bench -p event-store --bench log` compares groups of 1, 8, 64 and 256 records over a
//! short run. `-- sustained [RECORDS]` (1,000,000 when not said) fills each way at groups of 64 and
//! 256 in a process of its own, which ends as if it was killed, and then opens the log again with
//! nothing in the system's cache.
#![expect(clippy::float_arithmetic, reason = "figures for people")]

mod figures;
mod fill;
#[path = "../../tests/samples/mod.rs"]
#[expect(dead_code, reason = "tests use the rest")]
mod samples;
mod sustained;
mod ways;

use std::{error::Error, path::Path};

use domain::ids::{LedgerId, Sequence};
use event_store::log::Append;

use self::{fill::fill, ways::Way};

type Outcome<T> = Result<T, Box<dyn Error>>;

const ACCOUNTS: u64 = 10_000;
const RECORDS_SHORT: u64 = 30_000;
const RECORDS_SUSTAINED: u64 = 1_000_000;
/// Groups per size in the short run, so that small groups don't take for ever.
const COMMITS_SHORT_MAX: u64 = 3_000;

fn main() -> Outcome<()> {
    let words: Vec<String> = std::env::args().skip(1).filter(|word| word != "--bench").collect();
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    match words.as_slice() {
        [] => compare(),
        ["sustained"] => sustained::run(RECORDS_SUSTAINED),
        ["sustained", records] => sustained::run(records.parse()?),
        [sustained::CHILD, way, size, records, dir] => {
            sustained::child(Way::named(way)?, size.parse()?, records.parse()?, Path::new(dir))
        }
        [..] => Err("expected nothing, or sustained [RECORDS]".into()),
    }
}

fn compare() -> Outcome<()> {
    figures::print_head();
    for size in [1_u64, 8, 64, 256] {
        let records = RECORDS_SHORT.min(size.saturating_mul(COMMITS_SHORT_MAX));
        let mut rates = Vec::new();
        for way in [Way::Raw, Way::Keys, Way::Log] {
            let dir = directory()?;
            let cost = fill(way, size, records, dir.path())?;
            cost.print(size, way.name());
            rates.push(cost.rate());
        }
        if let [raw, keys, log] = rates.as_slice() {
            println!("{size:>5}  log/raw {:>11.2}, log/keys {:.2}", log / raw, log / keys);
        }
    }
    Ok(())
}

/// A group of purchases that follow `next`.
fn group(size: u64, next: &mut Sequence) -> Outcome<Vec<Append>> {
    let ledger = LedgerId::new("main")?;
    let mut group = Vec::new();
    for _ in 0..size {
        let number = next.get();
        let account = format!("acct-{:06}", number.wrapping_mul(7919) % ACCOUNTS);
        let (record, body) = samples::purchase(number, *next, &account)?;
        group.push(Append { ledger: ledger.clone(), record, body });
        *next = next.next();
    }
    Ok(group)
}

/// Beside the target directory's disk, never a memory file system.
fn directory() -> Outcome<tempfile::TempDir> {
    let target = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../target");
    std::fs::create_dir_all(&target)?;
    Ok(tempfile::tempdir_in(target)?)
}
