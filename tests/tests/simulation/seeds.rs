//! Many seeds, each of which must hold; one that does not is shortened.

use std::{
    panic::{AssertUnwindSafe, catch_unwind},
    sync::{
        Mutex,
        atomic::{AtomicU64, Ordering},
    },
};

use tallyhook_tests::environment;

use crate::{coverage::Coverage, plan::Plan, world::World};

/// They took 14 to 20 seconds without optimisation.
const IN_A_SHORT_RUN: u64 = 500;

/// From so many seeds on, everything must have happened.
const COVERS_ALL: u64 = 10_000;

/// How many times a failing plan is run again to shorten it.
const RUNS_TO_SHORTEN: u32 = 2_000;

#[test]
fn whatever_fails_all_is_as_the_facts_say() {
    let (first, count) = extent();
    let next = AtomicU64::new(first);
    let covered = Mutex::new(Coverage::default());
    let work = || {
        let mut own = Coverage::default();
        loop {
            let seed = next.fetch_add(1, Ordering::Relaxed);
            if seed >= first + count {
                break;
            }
            let plan = Plan::of(seed);
            match run(&plan) {
                Ok(ran) => own.add(&ran),
                Err(what) => panic!("{}", report(plan, what)),
            }
        }
        covered.lock().expect("no worker panics while it adds").add(&own);
    };
    let threads = std::thread::available_parallelism().map_or(1, usize::from);
    std::thread::scope(|scope| {
        let workers: Vec<_> = (0..threads).map(|_| scope.spawn(work)).collect();
        for worker in workers {
            if let Err(panic) = worker.join() {
                std::panic::resume_unwind(panic);
            }
        }
    });
    let covered = covered.into_inner().expect("no worker panics while it adds");
    eprintln!("{count} seeds\n{covered}");
    if count >= COVERS_ALL {
        assert_eq!(covered.never(), Vec::<&str>::new(), "it never happened");
        assert_eq!(covered.kinds_of_orders(), ORDERS, "not every order was accepted");
    }
}

/// How many kinds of orders there are.
const ORDERS: usize = 26;

#[test]
fn the_same_seed_gives_the_same_trace() {
    let hash = |seed| World::run(&Plan::of(seed)).map(|ran| ran.hash);
    for seed in 0..20 {
        assert_eq!(hash(seed), hash(seed), "seed {seed}");
    }
    assert_ne!(hash(0), hash(1));
}

/// A bug of ours may also be a panic.
fn run(plan: &Plan) -> Result<Coverage, String> {
    let ran = catch_unwind(AssertUnwindSafe(|| World::run(plan)));
    ran.unwrap_or_else(|_| Err("a panic".to_owned())).map(|ran| ran.covered)
}

/// Leaves steps out for as long as the same thing breaks, many at a time first.
fn report(mut plan: Plan, mut what: String) -> String {
    let kind = |what: &str| what.lines().next().unwrap_or_default().to_owned();
    let broken = kind(&what);
    let mut runs = 0;
    let mut size = plan.steps.len().div_ceil(2).max(1);
    loop {
        let before = plan.steps.len();
        let mut end = before;
        while end > 0 && runs < RUNS_TO_SHORTEN {
            let from = end.saturating_sub(size);
            let shorter = plan.without(from, end - from);
            runs += 1;
            if let Err(still) = run(&shorter)
                && kind(&still) == broken
            {
                (plan, what) = (shorter, still);
            }
            end = from.min(plan.steps.len());
        }
        if size == 1 && plan.steps.len() == before || runs >= RUNS_TO_SHORTEN {
            break;
        }
        size = size.div_ceil(2);
    }
    let seed = plan.seed;
    format!(
        "\nseed {seed}, the steps that matter:\n{plan}\n{what}\n\nagain: TALLYHOOK_SEED={seed} \
         cargo test -p tallyhook-tests --test simulation -- --nocapture"
    )
}

/// The first seed and how many: `TALLYHOOK_SEED` alone is that one.
fn extent() -> (u64, u64) {
    match (environment::number(environment::SEED), environment::number("TALLYHOOK_SEEDS")) {
        (Some(seed), None) => (seed, 1),
        (first, count) => (first.unwrap_or(0), count.unwrap_or(IN_A_SHORT_RUN)),
    }
}
