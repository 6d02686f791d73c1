//! Webhooks from the socket to the disk: the release binary under load, beside what limits it.
//!
//! Started by `scripts/bench`. For each number of keep-alive connections it drives, in turn and in
//! one run: the server with distinct, rightly signed purchases (each answer comes after the sync);
//! the same server with wrongly signed ones, which is all the work but the writer's and the
//! store's; and a plain file with the same bytes, appended and synced in groups as large as the
//! connections. The load generator shares the cores with the server: it is one thread, and all that
//! it sends is made before the clock starts.
//!
//! With `--spending SECONDS` it sends debits at 1,000/s while webhooks arrive at 2,000/s instead.
//! With `--publishing SECONDS` it measures balance events beside webhooks.
//! With `--connections N` it measures that level alone.
//! With `--events N` it goes on until N events are in the log, and says what memory and disk the
//! server holds then and how long it takes to start again.

mod drive;
mod figures;
mod paced;
mod publishing;
mod raw;
mod requests;
mod spending;

use std::{
    fs,
    path::Path,
    time::{Duration, Instant},
};

use anyhow::{Context, Result, ensure};
use tallyhook_tests::{
    binary,
    home::{self, Home, Setup},
    server::Server,
};

use crate::{
    drive::drive,
    figures::{Figures, median, rate},
    requests::{Batch, Signed, Template},
};

/// How many connections, and how many events they send in one round.
const LEVELS: [(usize, usize); 4] = [(1, 4_000), (8, 16_000), (64, 60_000), (256, 60_000)];

/// How often each level is measured; the median is told.
const ROUNDS: usize = 3;

/// The connections of the long run.
const LONG_CONNECTIONS: usize = 64;

/// How many events of the long run are prepared at once.
const LONG_BATCH: usize = 50_000;

/// Sent before anything is measured.
const WARM_UP: usize = 4_000;

fn main() -> Result<()> {
    let asked = Asked::read(std::env::args().skip(1))?;
    if let Some(seconds) = asked.publishing {
        return publishing::measure(seconds);
    }
    let home = Home::new(&Setup::one())?;
    let server = Server::start(&home)?;
    let mut template = Template::new()?;
    println!("{}", binary::path()?.display());
    println!(
        "bodies of {} bytes, {} accounts, rounds {ROUNDS} (medians)",
        template.body_bytes(),
        requests::ACCOUNTS
    );
    let warm = template.batch(WARM_UP, Signed::Rightly)?;
    drive(server.public, &warm, LONG_CONNECTIONS)?;
    if let Some(seconds) = asked.spending {
        return spend(&server, &mut template, seconds);
    }
    println!("{}", figures::HEAD);
    for (connections, events) in LEVELS {
        if asked.connections.is_some_and(|only| only != connections) {
            continue;
        }
        println!("{}", level(&server, &mut template, connections, events)?);
    }
    if let Some(events) = asked.events {
        long(&home, server, &mut template, events)?;
    }
    Ok(())
}

/// Measures debits beside webhooks, so many seconds at a time.
fn spend(server: &Server, template: &mut Template, seconds: u32) -> Result<()> {
    println!("{}", figures::SPENDING_HEAD);
    for round in 0..ROUNDS {
        let spent = spending::spend(server, template, seconds, round)?;
        println!("{}", figures::spending_row(&spent.debits, &spent.webhooks));
    }
    Ok(())
}

/// What the command line asks for.
struct Asked {
    connections: Option<usize>,
    events: Option<usize>,
    spending: Option<u32>,
    publishing: Option<u32>,
}

impl Asked {
    /// Reads the arguments; cargo passes `--bench` of its own accord.
    fn read(arguments: impl Iterator<Item = String>) -> Result<Self> {
        let mut arguments = arguments.filter(|argument| argument != "--bench");
        let mut asked = Self { connections: None, events: None, spending: None, publishing: None };
        while let Some(name) = arguments.next() {
            let number = arguments.next().with_context(|| format!("{name} needs a number"))?;
            let number: u32 = number.parse().with_context(|| format!("read {name}"))?;
            match name.as_str() {
                "--connections" => asked.connections = Some(usize::try_from(number)?),
                "--events" => asked.events = Some(usize::try_from(number)?),
                "--spending" => asked.spending = Some(number),
                "--publishing" => asked.publishing = Some(number),
                other => anyhow::bail!(
                    "unknown argument {other}; there are --connections, --events, --spending and \
                     --publishing"
                ),
            }
        }
        Ok(asked)
    }
}

fn level(
    server: &Server,
    template: &mut Template,
    connections: usize,
    events: usize,
) -> Result<String> {
    let mut durable = Vec::new();
    let mut verified = Vec::new();
    let mut raw = Vec::new();
    for _ in 0..ROUNDS {
        let batch = template.batch(events, Signed::Rightly)?;
        durable.push(drive(server.public, &batch, connections)?);
        raw.push(raw::append(&batch, connections)?);
        let batch = template.batch(events, Signed::Wrongly)?;
        verified.push(drive(server.public, &batch, connections)?);
    }
    Ok(figures::row(connections, &median(durable)?, &median(verified)?, &median(raw)?))
}

/// Goes on until so many events are in the log.
fn long(home: &Home, server: Server, template: &mut Template, events: usize) -> Result<()> {
    let mut took = Duration::ZERO;
    let mut sent: usize = 0;
    while template.made_rightly() < events {
        let left = events.saturating_sub(template.made_rightly());
        let batch: Batch = template.batch(left.min(LONG_BATCH), Signed::Rightly)?;
        let figures: Figures = drive(server.public, &batch, LONG_CONNECTIONS)?;
        took = took.saturating_add(figures.took);
        sent = sent.saturating_add(batch.len());
    }
    println!("\nafter {} events:", template.made_rightly());
    println!("the last {sent} at {} connections: {} events/s", LONG_CONNECTIONS, rate(sent, took));
    for name in ["VmRSS", "VmHWM"] {
        println!("{name} {} MB", memory(server.id(), name)?.div_ceil(1024));
    }
    println!("data on disk {} MB", size(&home.file("data"))?.div_ceil(1_000_000));
    server.stop()?;
    let started = Instant::now();
    let server = Server::start(home)?;
    println!("ready again {} ms after the start", started.elapsed().as_millis());
    println!("VmRSS {} MB", memory(server.id(), "VmRSS")?.div_ceil(1024));
    let account = server.account(&requests::account(0))?;
    ensure!(account.get("can_spend") == Some(&true.into()), "{account}");
    server.stop()
}

/// A figure of `/proc/{id}/status`, in KiB.
pub(crate) fn memory(id: u32, name: &str) -> Result<u64> {
    let status = fs::read_to_string(format!("/proc/{id}/status")).context("read /proc")?;
    let line = status.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(':'));
    let number = line.and_then(|line| line.split_whitespace().next());
    Ok(number.with_context(|| format!("no {name}"))?.parse()?)
}

fn size(folder: &Path) -> Result<u64> {
    let mut bytes = 0_u64;
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        let metadata = entry.metadata()?;
        let more = if metadata.is_dir() { size(&entry.path())? } else { metadata.len() };
        bytes = bytes.saturating_add(more);
    }
    Ok(bytes)
}

/// The folder of raw files, on the disk that the server writes to.
fn folder() -> Result<tempfile::TempDir> {
    home::folder()
}
