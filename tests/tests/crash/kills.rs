//! `kill -9` at random moments, and the end of the process after every effect of an opening.

use std::{
    fs,
    sync::{Arc, mpsc},
    thread,
    time::{Duration, Instant},
};

use tallyhook_tests::{
    dice::Dice,
    environment,
    home::{Home, Setup},
    server::Server,
};

use crate::{
    check::{Known, audit, check},
    kept,
    load::{self, Item, Posted},
    shim::{self, Fault},
    trace::Trace,
};

/// Kills unless the environment asks for more, and after how many of them the store is looked at.
const KILLS: u64 = 24;
const LOOK: u64 = 8;
/// Records of the store that is killed while it opens.
const RECORDS: u64 = 3_000;
/// The longest time that a load goes on before it is killed.
const LOAD_MILLIS: usize = 150;
const CLIENTS: (usize, usize) = (2, 25);
/// Threads that may have a call under way when a process ends.
const THREADS: u64 = 8;

/// A store with what was sent to it.
struct Stage {
    home: Home,
    known: Known,
    items: Vec<Arc<Item>>,
}

impl Stage {
    /// A store of so many records, whose server was stopped well.
    fn new(records: u64, dice: &mut Dice) -> Self {
        let home = Home::new(&Setup::one()).unwrap();
        let mut stage = Self { home, known: Known::default(), items: Vec::new() };
        let server = Server::start(&stage.home).unwrap();
        let items = purchases(0, records, dice);
        let posted = stage.post(&server, items);
        stage.known.expect_all(&posted);
        server.stop().unwrap();
        stage
    }

    fn post(&mut self, server: &Server, items: Vec<Arc<Item>>) -> Posted {
        self.known.send(&items);
        let posted = load::post(server, &items, CLIENTS, &shim::trace_path(&self.home));
        self.items.extend(items);
        self.known.acknowledge(&posted.acknowledged);
        posted
    }

    /// Loads a server and kills it after this time.
    fn kill_under_load(&mut self, server: Server, items: Vec<Arc<Item>>, after: Duration) {
        let (loaded, load_ended) = mpsc::channel();
        thread::scope(|scope| {
            let posting = scope.spawn(|| {
                let posted = self.post(&server, items);
                let _ = loaded.send(());
                posted
            });
            // Ends at either, so that a kill is never late.
            let _ = load_ended.recv_timeout(after);
            server.crash().unwrap();
            let posted = posting.join().unwrap();
            assert!(posted.refused.is_empty(), "{:?}", posted.refused.first());
        });
    }

    fn look(&self, name: &str) {
        let data = self.home.file("data");
        if let Err(error) = check(&data, &self.known) {
            kept::fail(name, &data, None, &self.known, &error);
        }
    }

    /// Sends everything again: each counts once.
    fn send_all_again(&mut self) {
        let server = Server::start(&self.home).unwrap();
        let items = std::mem::take(&mut self.items);
        let posted = self.post(&server, items);
        self.known.expect_all(&posted);
        server.stop().unwrap();
        self.look("kill-at-the-end");
        audit(&self.home).unwrap();
    }
}

#[test]
fn what_was_acknowledged_survives_kills() {
    let kills = environment::number("TALLYHOOK_KILLS").unwrap_or(KILLS);
    let seed = environment::number(environment::SEED).unwrap_or(0);
    let mut dice = Dice::new(seed);
    let mut stage = Stage::new(RECORDS, &mut dice);
    let started = Instant::now();
    Server::start(&stage.home).unwrap().kill().unwrap();
    // A little longer than it takes to open, so that some are killed at the very start.
    let opening = usize::try_from(started.elapsed().as_millis()).unwrap() * 5 / 4;
    let (mut while_opening, mut under_load) = (0, 0);
    for kill in 1..=kills {
        let within = Duration::from_millis(u64::try_from(dice.below(opening + 1)).unwrap());
        if dice.chance(60) {
            let server = Server::start_within(&stage.home, within).unwrap();
            while_opening += u64::from(server.is_none());
        } else {
            let server = Server::start(&stage.home).unwrap();
            let after = u64::try_from(dice.below(LOAD_MILLIS)).unwrap();
            let items = purchases(kill * 10_000, 1_000, &mut dice);
            stage.kill_under_load(server, items, Duration::from_millis(after));
            under_load += 1;
        }
        if kill % LOOK == 0 {
            stage.look(&format!("kill-{seed}-{kill}"));
            eprintln!("{kill} of {kills} kills");
        }
    }
    stage.send_all_again();
    eprintln!(
        "{kills} kills: {while_opening} while opening (which takes some {opening} ms), \
         {under_load} under load; {} acknowledged, none lost, none twice",
        stage.known.acknowledged.len()
    );
}

#[test]
fn an_opening_that_ends_after_any_effect_harms_nothing() {
    let mut dice = Dice::new(environment::number(environment::SEED).unwrap_or(0));
    let mut ends = 0;
    let empty = Home::new(&Setup::one()).unwrap();
    let empty = Stage { home: empty, known: Known::default(), items: Vec::new() };
    ends += end_after_each_effect(&empty);
    // A store whose last process was killed.
    let mut stage = Stage::new(200, &mut dice);
    let server = Server::start(&stage.home).unwrap();
    let items = purchases(10_000, 200, &mut dice);
    let posted = stage.post(&server, items);
    stage.known.expect_all(&posted);
    server.kill().unwrap();
    ends += end_after_each_effect(&stage);
    eprintln!("{ends} openings that ended after each of their effects: all opened again");
}

/// Starts a server of a copy of a store again and again; each ends one effect later, until one is
/// ready. Each store is then opened.
fn end_after_each_effect(stage: &Stage) -> u64 {
    for effects in 1.. {
        let home = Home::new(&Setup::one()).unwrap();
        if stage.home.file("data").exists() {
            kept::copy(&stage.home.file("data"), &home.file("data"));
        }
        let variables = shim::variables(&home, Some(Fault::Exit(effects)));
        let ready = Server::start_with(&home, &variables);
        let counts = Trace::read(&shim::trace_path(&home)).counts();
        if let Ok(server) = &ready {
            // It did all that an opening does. What comes later is not about opening.
            assert!(effects > 10, "it opened by {counts:?} effects");
            server.crash().unwrap();
            return effects;
        }
        let log = fs::read_to_string(home.file("log")).unwrap_or_default();
        // A call that another thread had begun is counted, and ends with the process.
        let traced = counts.0 + counts.1;
        let is_by_order = traced <= effects && traced + THREADS >= effects;
        assert!(is_by_order, "it ended by itself after {traced} of {effects}:\n{log}");
        let data = home.file("data");
        if let Err(error) = check(&data, &stage.known) {
            kept::fail(&format!("opening-{effects}"), &data, None, &stage.known, &error);
        }
    }
    unreachable!("an opening has an end");
}

fn purchases(first: u64, count: u64, dice: &mut Dice) -> Vec<Arc<Item>> {
    let item = |number| {
        Arc::new(Item::purchase(first + number, &format!("account-{}", number % 20), 0, dice))
    };
    (0..count).map(item).collect()
}
