//! Loss of power at random moments of real runs.

use std::{fs, path::Path, sync::Arc};

use anyhow::{Context as _, Error, Result, anyhow};
use tallyhook_tests::{
    dice::Dice,
    environment,
    home::{Home, Setup},
    server::Server,
};

use crate::{
    check::{Known, audit, check},
    disk::{self, Disk, Tree, Unsynced},
    kept,
    load::{self, Acknowledged, Item},
    shim::{self, Fault},
    trace::{Kind, Trace},
};

/// How many states are made of one run.
const STATES: u64 = 25;
/// Every so many states are also checked by the real binary, and every so many served from.
const AUDITS: u64 = 5;
const SERVES: u64 = 12;
/// After so many runs, each from what was left of the one before, one starts from nothing.
const CHAIN: u64 = 3;
/// How many effects after a start are often cut in.
const OPENING: usize = 60;
const ACCOUNTS: u64 = 6;
/// Threads and connections of each.
const CLIENTS: (usize, usize) = (3, 6);

/// A traced run, and what was known at which moment of it.
struct Run {
    home: Home,
    trace: Trace,
    /// What was known before.
    before: Known,
    known: Known,
    acknowledged: Vec<Acknowledged>,
    items: Vec<Arc<Item>>,
    /// What was on the disk before.
    disk: Disk,
}

/// What a run starts from: nothing, or what an earlier loss of power left.
#[derive(Default)]
struct Base {
    tree: Tree,
    known: Known,
    items: Vec<Arc<Item>>,
}

/// What was seen.
#[derive(Default)]
struct Seen {
    states: u64,
    acknowledged: u64,
    /// States without some of what had been sent and written.
    behind: u64,
}

#[test]
fn what_was_acknowledged_survives_a_loss_of_power() {
    let states = environment::number("TALLYHOOK_POWER_LOSSES").unwrap_or(75);
    let first = environment::number(environment::SEED).unwrap_or(0);
    let mut seen = Seen::default();
    let mut base = Base::default();
    let runs = states.div_ceil(STATES);
    for seed in first..first + runs {
        let mut dice = Dice::new(seed);
        let run = Run::record(seed, base, &mut dice);
        if seed == first {
            run.lose_power_without_syncs(&mut dice);
        }
        let left = states - seen.states;
        let next = run.lose_power(seed, left.min(STATES), &mut dice, &mut seen);
        eprintln!("{} of {states} states, run {seed}", seen.states);
        base = if (seed - first) % CHAIN == CHAIN - 1 { Base::default() } else { next };
    }
    eprintln!(
        "{} power-loss states of {runs} runs: {} acknowledged inputs looked for, none lost; \
         {} states without what was not acknowledged",
        seen.states, seen.acknowledged, seen.behind
    );
    assert!(seen.behind > 0, "no state lost anything: is anything unsynced ever dropped?");
}

impl Run {
    /// Runs a server with load, with some restarts in the middle.
    fn record(seed: u64, base: Base, dice: &mut Dice) -> Self {
        let home = Home::new(&Setup::one()).unwrap();
        disk::write(&base.tree, home.path());
        let (mut disk, start) = (Disk::of(home.path()), Disk::of(home.path()));
        let (before, mut known) = (base.known.clone(), base.known.clone());
        let (mut acknowledged, mut items) = (Vec::new(), base.items.clone());
        let parts = 2 + dice.below(2);
        for part in 0..parts {
            let last = part + 1 == parts;
            // As kill -9 would, somewhere in the opening or in the load.
            let exit = dice.chance(60).then(|| {
                let most = dice.pick(&[OPENING, 300]);
                let effects = dice.below(most) + 1;
                Fault::Exit(u64::try_from(effects).unwrap())
            });
            let exit = if last { None } else { exit };
            let number = seed * 1_000_000 + u64::try_from(part).unwrap() * 100_000;
            let (warm_up, load) = items_of(number, seed, dice);
            known.send(&warm_up);
            known.send(&load);
            items.extend(warm_up.iter().chain(&load).cloned());
            let Ok(server) = Server::start_with(&home, &shim::variables(&home, exit)) else {
                if exit.is_none() {
                    fail_run(seed, &home, &known, &anyhow!("it did not start"));
                }
                continue;
            };
            for items in [warm_up, load] {
                let posted = load::post(&server, &items, CLIENTS, &shim::trace_path(&home));
                known.acknowledge(&posted.acknowledged);
                acknowledged.extend(posted.acknowledged);
                if let Some(refused) = posted.refused.first() {
                    fail_run(seed, &home, &known, &anyhow!("refused: {refused:?}"));
                }
                if let Some(broke) = posted.broke.filter(|_| exit.is_none()) {
                    fail_run(seed, &home, &known, &anyhow!("no answer: {broke}"));
                }
            }
            if let Err(error) = server.stop()
                && exit.is_none()
            {
                fail_run(seed, &home, &known, &error);
            }
        }
        let trace = Trace::read(&shim::trace_path(&home));
        for record in &trace.records {
            disk.apply(record, &trace);
        }
        // What was traced is what happened: no write went past the library.
        let whole = disk.lose_power(Unsynced::Kept, &mut Dice::new(0));
        assert_eq!(disk::difference(&whole, home.path()), None, "the trace misses something");
        Self { home, trace, before, known, acknowledged, items, disk: start }
    }

    /// Cuts the run at random moments and checks what may be found then. Returns one of the
    /// states, to go on from.
    fn lose_power(mut self, seed: u64, states: u64, dice: &mut Dice, seen: &mut Seen) -> Base {
        let mut cuts: Vec<usize> = (0..states).map(|_| self.cut(dice)).collect();
        cuts.sort_unstable();
        let chosen = dice.below(cuts.len());
        let mut next = Base::default();
        let mut done = 0;
        for (number, cut) in cuts.into_iter().enumerate() {
            for record in &self.trace.records[done..cut] {
                self.disk.apply(record, &self.trace);
            }
            done = cut;
            let mut known = self.known.clone();
            known.acknowledged = self.before.acknowledged.clone();
            let place = self.trace.place(cut);
            known.acknowledge(self.acknowledged.iter().filter(|answer| answer.at <= place));
            let unsynced =
                dice.pick(&[Unsynced::Dropped, Unsynced::Random, Unsynced::Random, Unsynced::Kept]);
            let tree = self.disk.lose_power(unsynced, dice);
            let name = format!("power-loss-{seed}-{number}");
            self.check(&name, &tree, &known, seen);
            if number == chosen {
                next = Base { tree, known, items: self.items.clone() };
            }
        }
        next
    }

    /// The control: if the log's file were never synced, all of this would notice.
    fn lose_power_without_syncs(&self, dice: &mut Dice) {
        let mut disk = self.disk.clone();
        let is_of_log = |kind: &Kind| {
            let Kind::Synced { path, .. } = kind else { return false };
            path.ends_with("/db")
        };
        for record in self.trace.records.iter().filter(|record| !is_of_log(&record.kind)) {
            disk.apply(record, &self.trace);
        }
        let home = Home::new(&Setup::one()).unwrap();
        disk::write(&disk.lose_power(Unsynced::Dropped, dice), home.path());
        assert!(check(&home.file("data"), &self.known).is_err(), "lost syncs went unnoticed");
    }

    /// A moment of the run: often one shortly after a start.
    fn cut(&self, dice: &mut Dice) -> usize {
        let starts: Vec<usize> = (0..self.trace.records.len())
            .filter(|number| matches!(self.trace.records[*number].kind, Kind::Started))
            .collect();
        let end = self.trace.records.len();
        let anywhere = dice.below(end + 1);
        if dice.chance(40) { (dice.pick(&starts) + dice.below(OPENING)).min(end) } else { anywhere }
    }

    fn check(&self, name: &str, tree: &Tree, known: &Known, seen: &mut Seen) {
        let home = Home::new(&Setup::one()).unwrap();
        disk::write(tree, home.path());
        let data = home.file("data");
        let checked = self.look(&home, &data, known, seen);
        if let Err(error) = checked {
            let pristine = Home::empty().unwrap();
            disk::write(tree, pristine.path());
            let trace = shim::trace_path(&self.home);
            kept::fail(name, &pristine.file("data"), Some(&trace), known, &error);
        }
        seen.states += 1;
        seen.acknowledged += u64::try_from(known.acknowledged.len()).unwrap();
    }

    fn look(&self, home: &Home, data: &Path, known: &Known, seen: &mut Seen) -> Result<()> {
        let serves = seen.states % SERVES == SERVES - 1;
        if seen.states % AUDITS == AUDITS - 1 {
            // Without a store there is nothing to audit.
            if data.exists() {
                audit(home)?;
            }
        } else if serves {
            self.serve_again(home, known)?;
        }
        let records = check(data, known)?;
        seen.behind += u64::from(!serves && records < self.known.acknowledged.len());
        Ok(())
    }

    /// Starts the real server and sends everything again: each counts once.
    fn serve_again(&self, home: &Home, known: &Known) -> Result<()> {
        let server = Server::start(home).context("serve")?;
        let mut known = known.clone();
        let (purchases, debits): (Vec<_>, Vec<_>) =
            self.items.iter().cloned().partition(|item| item.credits > 0);
        for items in [purchases, debits] {
            let posted = load::post(&server, &items, CLIENTS, &home.file("trace"));
            anyhow::ensure!(posted.refused.is_empty(), "{:?}", posted.refused.first());
            known.acknowledge(&posted.acknowledged);
        }
        let all = known.sent.keys().all(|id| known.acknowledged.contains_key(id));
        anyhow::ensure!(all, "something was not acknowledged when sent again");
        server.stop()?;
        check(&home.file("data"), &known)?;
        audit(home)
    }
}

/// Keeps a run that went wrong before power was lost.
fn fail_run(seed: u64, home: &Home, known: &Known, error: &Error) -> ! {
    let log = fs::read_to_string(home.file("log")).unwrap_or_default();
    let trace = shim::trace_path(home);
    let error = anyhow!("{error:#}\n{log}");
    kept::fail(&format!("run-{seed}"), &home.file("data"), Some(&trace), known, &error)
}

/// A purchase for each account, and then purchases of several sizes and debits.
fn items_of(number: u64, seed: u64, dice: &mut Dice) -> (Vec<Arc<Item>>, Vec<Arc<Item>>) {
    let account = |index: u64| format!("account-{seed}-{index}");
    let warm_up = (0..ACCOUNTS)
        .map(|index| Item::purchase(number + index, &account(index), 0, dice))
        .map(Arc::new)
        .collect();
    let count = 60 + u64::try_from(dice.below(300)).unwrap();
    let load = (0..count)
        .map(|index| {
            let number = number + 1_000 + index;
            let owner = account(index % ACCOUNTS);
            if dice.chance(25) {
                return Item::debit(number, &owner);
            }
            let filler = match dice.below(100) {
                0 => 900_000,
                1..5 => dice.below(200_000),
                5..30 => dice.below(20_000),
                _ => 0,
            };
            Item::purchase(number, &owner, filler, dice)
        })
        .map(Arc::new)
        .collect();
    (warm_up, load)
}
