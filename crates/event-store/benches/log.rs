//! What a group commit costs: the log on sled against the same bytes appended to a file and
//! synced, in turn on the same disk, at groups of 1, 8, 64 and 256 records.
//!
//! `cargo bench -p event-store`, or `-- RECORDS` for another number of records per group size
//! (at most 30,000 by default). With `-- fill RECORDS` it fills one log with groups of 256
//! instead, and reports memory, disk and the time to open it again.
#![expect(clippy::float_arithmetic, reason = "figures for people")]

use std::{
    error::Error,
    fs::File,
    io::Write as _,
    path::Path,
    time::{Duration, Instant},
};

use domain::ids::{LedgerId, Sequence};
use event_store::{
    log::{Append, EventLog},
    sled::{Options, SledStore},
};

#[path = "../tests/samples/mod.rs"]
#[expect(dead_code, reason = "tests use the rest")]
mod samples;

type Outcome<T> = Result<T, Box<dyn Error>>;

const GROUPS: [usize; 4] = [1, 8, 64, 256];
const ACCOUNTS: u64 = 10_000;
const RECORDS_DEFAULT: usize = 30_000;
/// Groups per size, so that small groups don't take for ever.
const COMMITS_MAX: usize = 3_000;

fn main() -> Outcome<()> {
    let words: Vec<String> = std::env::args().skip(1).filter(|word| word != "--bench").collect();
    match words.as_slice() {
        [] => compare(RECORDS_DEFAULT),
        [records] => compare(records.parse()?),
        [fill, records, ..] if fill == "fill" => self::fill(records.parse()?),
        [..] => Err("expected nothing, RECORDS or fill RECORDS".into()),
    }
}

fn compare(records: usize) -> Outcome<()> {
    println!("group  what      records/s   p50 ms   p99 ms   max ms   written/body   disk/body");
    for size in GROUPS {
        let count = records.min(size.saturating_mul(COMMITS_MAX));
        let groups = groups(count, size)?;
        let raw = raw_append(&groups)?;
        let log = log_append(&groups)?;
        raw.print(size, "raw");
        log.print(size, "log");
        println!("{size:>5}  log/raw   {:>9.2}", log.rate() / raw.rate());
    }
    Ok(())
}

/// What one way of writing cost.
struct Cost {
    records: usize,
    body_bytes: u64,
    commits: Vec<Duration>,
    written_bytes: u64,
    disk_bytes: u64,
}

impl Cost {
    fn rate(&self) -> f64 {
        let seconds: f64 = self.commits.iter().map(Duration::as_secs_f64).sum();
        float(self.records) / seconds
    }

    fn print(&self, group: usize, what: &str) {
        let mut sorted = self.commits.clone();
        sorted.sort_unstable();
        let at = |percent: usize| {
            let index = sorted.len().saturating_mul(percent) / 100;
            let last = sorted.last().copied().unwrap_or_default();
            sorted.get(index).copied().unwrap_or(last).as_secs_f64() * 1000.0
        };
        let per_body = |bytes: u64| float(bytes) / float(self.body_bytes);
        let (p50, p99, max) = (at(50), at(99), at(100));
        let (written, disk) = (per_body(self.written_bytes), per_body(self.disk_bytes));
        let rate = self.rate();
        println!(
            "{group:>5}  {what:<8} {rate:>10.0} {p50:>8.2} {p99:>8.2} {max:>8.2} {written:>14.2} \
             {disk:>11.2}"
        );
    }
}

/// Groups of purchases, made before anything is measured.
fn groups(records: usize, size: usize) -> Outcome<Vec<Vec<Append>>> {
    let mut next = Sequence::FIRST;
    (0..records / size).map(|_| group(size, &mut next)).collect()
}

fn group(size: usize, next: &mut Sequence) -> Outcome<Vec<Append>> {
    let ledger = LedgerId::new("main")?;
    let mut group = Vec::with_capacity(size);
    for _ in 0..size {
        let number = next.get();
        let account = format!("acct-{:06}", number.wrapping_mul(7919) % ACCOUNTS);
        let (record, body) = samples::purchase(number, *next, &account)?;
        group.push(Append { ledger: ledger.clone(), record, body });
        *next = next.next();
    }
    Ok(group)
}

/// The bodies as they are, appended to a file and synced.
fn raw_append(groups: &[Vec<Append>]) -> Outcome<Cost> {
    let dir = directory()?;
    let mut file = File::create(dir.path().join("raw"))?;
    let before = written_by_us()?;
    let mut commits = Vec::with_capacity(groups.len());
    for group in groups {
        let begin = Instant::now();
        let bytes = group.iter().map(|append| &*append.body).collect::<Vec<_>>().concat();
        file.write_all(&bytes)?;
        file.sync_data()?;
        commits.push(begin.elapsed());
    }
    cost(groups, commits, before, dir.path())
}

fn log_append(groups: &[Vec<Append>]) -> Outcome<Cost> {
    let dir = directory()?;
    let store = SledStore::open(dir.path(), Options::STANDARD)?;
    let log = store.log();
    let before = written_by_us()?;
    let mut commits = Vec::with_capacity(groups.len());
    for group in groups {
        let begin = Instant::now();
        log.append(group)?;
        commits.push(begin.elapsed());
    }
    cost(groups, commits, before, dir.path())
}

fn cost(groups: &[Vec<Append>], commits: Vec<Duration>, before: u64, dir: &Path) -> Outcome<Cost> {
    let all = || groups.iter().flatten();
    let body_bytes = all().map(|append| append.body.len()).sum::<usize>();
    Ok(Cost {
        records: all().count(),
        body_bytes: u64::try_from(body_bytes)?,
        commits,
        written_bytes: written_by_us()?.saturating_sub(before),
        disk_bytes: disk_bytes(dir)?,
    })
}

/// Beside the target directory's disk, never a memory file system.
fn directory() -> Outcome<tempfile::TempDir> {
    let target = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../target");
    Ok(tempfile::tempdir_in(target)?)
}

/// The bytes that this process had written to disk.
fn written_by_us() -> Outcome<u64> {
    field("/proc/self/io", "write_bytes:")
}

fn field(path: &str, name: &str) -> Outcome<u64> {
    let text = std::fs::read_to_string(path)?;
    let line = text.lines().find_map(|line| line.strip_prefix(name)).ok_or("no such field")?;
    Ok(line.split_whitespace().next().ok_or("no value")?.parse()?)
}

fn disk_bytes(dir: &Path) -> Outcome<u64> {
    use std::os::unix::fs::MetadataExt as _;
    let mut sum = 0;
    for entry in std::fs::read_dir(dir)? {
        let entry = entry?;
        let meta = entry.metadata()?;
        let bytes = if meta.is_dir() {
            disk_bytes(&entry.path())?
        } else {
            meta.blocks().saturating_mul(512)
        };
        sum += bytes;
    }
    Ok(sum)
}

fn float<N: TryInto<u64>>(number: N) -> f64 {
    let number = number.try_into().unwrap_or(u64::MAX);
    u32::try_from(number).map_or_else(
        |_| f64::from(u32::try_from(number >> 20).unwrap_or(u32::MAX)) * 1_048_576.0,
        f64::from,
    )
}

fn fill(records: usize) -> Outcome<()> {
    let dir = directory()?;
    let store = SledStore::open(dir.path(), Options::STANDARD)?;
    let log = store.log();
    let mut next = Sequence::FIRST;
    let mut commits = Vec::new();
    let mut body_bytes = 0_usize;
    while next.get() < u64::try_from(records)? {
        let group = group(256, &mut next)?;
        body_bytes += group.iter().map(|append| append.body.len()).sum::<usize>();
        let begin = Instant::now();
        log.append(&group)?;
        commits.push(begin.elapsed());
    }
    let memory = || field("/proc/self/status", "VmRSS:");
    let cost = Cost {
        records,
        body_bytes: u64::try_from(body_bytes)?,
        commits,
        written_bytes: written_by_us()?,
        disk_bytes: disk_bytes(dir.path())?,
    };
    cost.print(256, "fill");
    println!("resident after filling: {} KB", memory()?);
    drop((log, store));
    println!("resident after closing: {} KB", memory()?);
    let begin = Instant::now();
    let store = SledStore::open(dir.path(), Options::STANDARD)?;
    println!("opened again in {:?}, resident {} KB", begin.elapsed(), memory()?);
    read_all(store.log().as_ref(), records)?;
    println!("resident after reading: {} KB", memory()?);
    drop(store);
    let begin = Instant::now();
    drop(SledStore::open(dir.path(), Options::STANDARD)?);
    println!("opened a third time (and closed) in {:?}", begin.elapsed());
    Ok(())
}

fn read_all(log: &dyn EventLog, records: usize) -> Outcome<()> {
    let ledger = LedgerId::new("main")?;
    let begin = Instant::now();
    let (mut after, mut count) = (None, 0_usize);
    loop {
        let read = log.scan(&ledger, after, 4096)?;
        let Some(last) = read.last() else { break };
        after = Some(last.record().sequence);
        count += read.len();
    }
    let seconds = begin.elapsed().as_secs_f64();
    println!("scanned {count} records, {:.0}/s", float(count) / seconds);
    let begin = Instant::now();
    let tries = 2_000_u64;
    for number in 0..tries {
        let number = number * 7919 % u64::try_from(records)? + 1;
        let sequence = Sequence::new(number).ok_or("no sequence")?;
        log.body(&ledger, sequence)?.ok_or("no body")?;
    }
    println!("one body: {:?}", begin.elapsed() / u32::try_from(tries)?);
    let begin = Instant::now();
    for number in 0..tries {
        let (record, _) = samples::purchase(number * 7919 + 1, Sequence::FIRST, "a")?;
        log.find(&ledger, &event_store::log::key_of(&record))?;
    }
    println!(
        "making a sample and finding its event: {:?}",
        begin.elapsed() / u32::try_from(tries)?
    );
    Ok(())
}
