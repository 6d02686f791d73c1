//! Many records, each way in a process of its own, and opening the log after a kill.

use std::{
    fs::File,
    path::Path,
    process::{Command, Stdio},
    time::Instant,
};

use domain::ids::{LedgerId, Sequence};
use event_store::{
    log::EventLog,
    sled::{Options, SledStore},
};

use crate::{
    Outcome, directory,
    figures::{self, float, resident},
    fill::fill,
    samples,
    ways::Way,
};

/// The first word of a child's arguments.
pub(crate) const CHILD: &str = "child";

pub(crate) fn run(records: u64) -> Outcome<()> {
    figures::print_head();
    for size in [64_u64, 256] {
        for way in [Way::Raw, Way::Keys, Way::Log] {
            let dir = directory()?;
            let words = [CHILD, way.name(), &size.to_string(), &records.to_string()];
            let mut child = Command::new(std::env::current_exe()?);
            // It ends as if it was killed, so its status says nothing.
            child.args(words).arg(dir.path()).stderr(Stdio::null()).status()?;
            if way == Way::Log {
                open_again(&dir.path().join("store"), records / size * size)?;
            }
        }
    }
    Ok(())
}

/// Fills one way, prints what it cost, and ends without closing anything.
pub(crate) fn child(way: Way, size: u64, records: u64, dir: &Path) -> Outcome<()> {
    let cost = fill(way, size, records, dir)?;
    cost.print(size, way.name());
    std::process::abort()
}

fn open_again(dir: &Path, records: u64) -> Outcome<()> {
    forget_pages(dir)?;
    let begin = Instant::now();
    let store = SledStore::open(dir, Options::STANDARD)?;
    let first = begin.elapsed();
    let log = store.log();
    let head = log.head(&LedgerId::new("main")?).ok_or("nothing is there")?;
    if head.sequence.get() != records {
        return Err(format!("{} of {records} records are there", head.sequence).into());
    }
    println!("       after a kill, cold: open in {first:?}, resident {} MiB", resident()? / 1024);
    read_all(log.as_ref(), records)?;
    println!("       resident after reading all: {} MiB", resident()? / 1024);
    drop((log, store));
    forget_pages(dir)?;
    let begin = Instant::now();
    drop(SledStore::open(dir, Options::STANDARD)?);
    println!("       after closing, cold: open and close in {:?}", begin.elapsed());
    Ok(())
}

/// Has the system read all files anew from the disk.
fn forget_pages(dir: &Path) -> Outcome<()> {
    for entry in std::fs::read_dir(dir)? {
        let path = entry?.path();
        if path.is_dir() {
            forget_pages(&path)?;
        } else {
            let file = File::open(&path)?;
            file.sync_all()?;
            rustix::fs::fadvise(&file, 0, None, rustix::fs::Advice::DontNeed)?;
        }
    }
    Ok(())
}

fn read_all(log: &dyn EventLog, records: u64) -> Outcome<()> {
    let ledger = LedgerId::new("main")?;
    let begin = Instant::now();
    let (mut after, mut count) = (None, 0_usize);
    loop {
        let read = log.scan(&ledger, after, 4096)?;
        let Some(last) = read.last() else { break };
        after = Some(last.record().sequence);
        count += read.len();
    }
    let rate = float(u64::try_from(count)?) / begin.elapsed().as_secs_f64();
    println!("       scanned {count} records: {rate:.0}/s on one thread");
    let tries = 2_000_u64;
    let begin = Instant::now();
    for number in 0..tries {
        let sequence = Sequence::new(number * 7919 % records + 1).ok_or("no sequence")?;
        log.body(&ledger, sequence)?.ok_or("no body")?;
    }
    println!("       one body: {:?}", begin.elapsed() / u32::try_from(tries)?);
    let keys: Vec<_> = (0..tries)
        .map(|number| {
            let (record, _) = samples::purchase(number * 7919 % records + 1, Sequence::FIRST, "a")?;
            Ok(event_store::log::key_of(&record))
        })
        .collect::<Outcome<_>>()?;
    let begin = Instant::now();
    for key in &keys {
        log.find(&ledger, key)?.ok_or("an event is not found")?;
    }
    println!("       finding an event: {:?}", begin.elapsed() / u32::try_from(tries)?);
    Ok(())
}
