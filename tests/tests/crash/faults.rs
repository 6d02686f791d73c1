//! Every write and every sync of a run in turn fails.

use std::{fs, sync::Arc};

use anyhow::{Context as _, Result, ensure};
use tallyhook_tests::{
    dice::Dice,
    environment,
    home::{Home, Setup},
    server::Server,
};

use crate::{
    check::{Known, audit, check},
    kept,
    load::{self, Item},
    shim::{self, Fault},
    trace::Trace,
};

/// Events of a run.
const EVENTS: u64 = 1_000;
const CLIENTS: (usize, usize) = (2, 25);
/// Faults of each kind, unless the environment asks for `all`, or for all `syncs`.
const FAULTS: u64 = 6;
/// Syncs while a store is made, each of which is another: all of them fail in every run.
const SYNCS_AT_START: u64 = 8;
/// After so many runs the real binary audits.
const AUDITS: u64 = 8;

/// After so many runs the progress is told.
const PROGRESS: u64 = 50;

/// What became of the runs.
#[derive(Default)]
struct Seen {
    runs: u64,
    /// Those in which a server did not start.
    refused: u64,
    /// Those in which it stopped to take anything.
    latched: u64,
    /// Those in which nobody noticed, since it was about what may be lost.
    unnoticed: u64,
    /// Those that made fewer calls than the one that was to fail.
    missed: u64,
}

#[test]
fn no_failed_write_or_sync_loses_anything() {
    let items: Vec<Arc<Item>> = (0..EVENTS)
        .map(|number| {
            let account = format!("account-{}", number % 20);
            Arc::new(Item::purchase(number, &account, 0, &mut Dice::new(number)))
        })
        .collect();
    let (writes, syncs) = calls(&items);
    let mut seen = Seen::default();
    let faults = faults(writes, syncs);
    for fault in &faults {
        run(*fault, &items, &mut seen);
        if seen.runs.is_multiple_of(PROGRESS) {
            eprintln!("{} of {} faults", seen.runs, faults.len());
        }
    }
    let Seen { runs, refused, latched, unnoticed, missed } = seen;
    eprintln!(
        "{runs} runs with a fault ({writes} writes and {syncs} syncs without one): {refused} did \
         not start, {latched} stopped taking events, {unnoticed} went on, {missed} did not get to \
         the fault; nothing acknowledged lost"
    );
    assert!(refused > 0 && latched > 0, "both kinds of fault occur");
}

/// How many writes and syncs a run without faults has.
fn calls(items: &[Arc<Item>]) -> (u64, u64) {
    let home = Home::new(&Setup::one()).unwrap();
    let server = Server::start_with(&home, &shim::variables(&home, None)).unwrap();
    let posted = load::post(&server, items, CLIENTS, &shim::trace_path(&home));
    assert!(posted.refused.is_empty() && posted.broke.is_none());
    server.stop().unwrap();
    Trace::read(&shim::trace_path(&home)).counts()
}

fn faults(writes: u64, syncs: u64) -> Vec<Fault> {
    type Kind = fn(u64) -> Fault;
    let (write, full): (Kind, Kind) = (Fault::Write, Fault::Full);
    let (sync, syncs_on): (Kind, Kind) = (Fault::Sync, Fault::Syncs);
    let kinds = [(write, writes), (full, writes), (sync, syncs), (syncs_on, syncs)];
    let asked = environment::setting("TALLYHOOK_FAULTS").unwrap_or_default();
    let mut dice = Dice::new(environment::number(environment::SEED).unwrap_or(0));
    let mut faults = Vec::new();
    if asked == "all" || asked == "syncs" {
        let skipped = if asked == "syncs" { 2 } else { 0 };
        for (fault, calls) in kinds.into_iter().skip(skipped) {
            faults.extend((1..=calls).map(fault));
        }
        return faults;
    }
    faults.extend((1..=SYNCS_AT_START).map(sync));
    for (fault, calls) in kinds {
        // One in each part of the run.
        let part = calls / FAULTS;
        let drawn = (0..FAULTS).map(|number| {
            number * part + 1 + u64::try_from(dice.below(usize::try_from(part).unwrap())).unwrap()
        });
        faults.extend(drawn.map(fault));
    }
    faults
}

fn run(fault: Fault, items: &[Arc<Item>], seen: &mut Seen) {
    let home = Home::new(&Setup::one()).unwrap();
    let mut known = Known::default();
    known.send(items);
    let looked = with_fault(&home, fault, items, &mut known, seen)
        .and_then(|()| again(&home, items, &mut known, seen.runs.is_multiple_of(AUDITS)));
    if let Err(error) = looked {
        let name = format!("{fault:?}").replace(['(', ')'], "-");
        let error = error.context(fs::read_to_string(home.file("log")).unwrap_or_default());
        let trace = shim::trace_path(&home);
        kept::fail(&name, &home.file("data"), Some(&trace), &known, &error);
    }
    seen.runs += 1;
}

/// Runs with the fault. What failed is told, by a server that does not start or that takes nothing
/// more, unless it is about the views or the note of how far the log came.
fn with_fault(
    home: &Home,
    fault: Fault,
    items: &[Arc<Item>],
    known: &mut Known,
    seen: &mut Seen,
) -> Result<()> {
    let started = Server::start_with(home, &shim::variables(home, Some(fault)));
    let Ok(server) = started else {
        seen.refused += 1;
        let log = fs::read_to_string(home.file("log"))?;
        ensure!(!log.contains("panicked"), "it panicked");
        ensure!(log.contains("No space left") || log.contains("Input/output error"), "no reason");
        return Ok(());
    };
    let posted = load::post(&server, items, CLIENTS, &shim::trace_path(home));
    known.acknowledge(&posted.acknowledged);
    ensure!(posted.broke.is_none(), "no answer: {:?}", posted.broke);
    let strange = posted.refused.iter().find(|(status, _)| *status != 503);
    ensure!(strange.is_none(), "{strange:?}");
    let ready = server.get("/readyz")?;
    if posted.refused.is_empty() {
        ensure!(ready.status == 200, "ready, but {}", ready.text());
    } else {
        seen.latched += 1;
        ensure!(ready.status == 503, "not ready, but {}", ready.status);
        let reasons = ready.json()?;
        let reason = reasons["reasons"][0].as_str().context("no reason")?;
        ensure!(reason.contains("until a restart"), "{reason}");
    }
    let trace = Trace::read(&shim::trace_path(home));
    if posted.refused.is_empty() {
        match trace.failed() {
            None => seen.missed += 1,
            // What sled makes under `log.making` is copied, and the copy's syncs are ours.
            Some((_, path)) if path.starts_with("data/log.making/made/") => seen.unnoticed += 1,
            Some((_, path)) if path.starts_with("data/log") => {
                anyhow::bail!("{path} failed and nobody was told")
            }
            Some(_) => seen.unnoticed += 1,
        }
    }
    server.stop()
}

/// Starts without the fault and sends everything again: each counts once.
fn again(home: &Home, items: &[Arc<Item>], known: &mut Known, audits: bool) -> Result<()> {
    check(&home.file("data"), known).context("after the fault")?;
    let server = Server::start(home)?;
    let posted = load::post(&server, items, CLIENTS, &shim::trace_path(home));
    known.acknowledge(&posted.acknowledged);
    known.expect_all(&posted);
    server.stop()?;
    check(&home.file("data"), known).context("after everything was sent again")?;
    if audits { audit(home) } else { Ok(()) }
}
