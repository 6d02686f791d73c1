//! How much is tried.

use std::{
    path::Path,
    sync::{
        Mutex,
        atomic::{AtomicUsize, Ordering},
    },
    time::Instant,
};

use tallyhook_tests::environment;
use tempfile::TempDir;

/// Set to `all`, everything is tried.
const FLIPS: &str = "TALLYHOOK_FLIPS";

/// How many try at a time.
const THREADS: usize = 2;

/// Every how many of the cases one is tried: each, or one in `short`.
pub(crate) fn stride(short: usize) -> usize {
    match environment::setting(FLIPS).as_deref() {
        None => short,
        Some("all") => 1,
        Some(other) => panic!("{FLIPS} is {other}; it can be all, or not be there"),
    }
}

/// A folder for files that need not outlive anything: in memory where there is such a place,
/// since no test here is about what a disk keeps.
pub(crate) fn folder() -> TempDir {
    let memory = Path::new("/dev/shm");
    let folder = if memory.is_dir() { tempfile::tempdir_in(memory) } else { tempfile::tempdir() };
    folder.unwrap()
}

/// Tries one in `stride` of the cases, each thread with a place of its own to try them in, and
/// says how many were tried and what went wrong in any.
pub(crate) fn attempt<C: Sync, P>(
    what: &str,
    cases: &[C],
    stride: usize,
    place: impl Fn() -> P + Sync,
    attempt: impl Fn(&mut P, &C) -> Result<(), String> + Sync,
) {
    let (started, next) = (Instant::now(), AtomicUsize::new(0));
    let wrong = Mutex::new(Vec::new());
    let count = cases.len().div_ceil(stride);
    std::thread::scope(|scope| {
        for _ in 0..THREADS {
            scope.spawn(|| {
                let mut place = place();
                loop {
                    let number = next.fetch_add(1, Ordering::Relaxed);
                    let Some(case) = cases.get(number * stride) else { break };
                    if let Err(fault) = attempt(&mut place, case) {
                        wrong.lock().unwrap().push(fault);
                    }
                    if number % 10_000 == 9_999 {
                        eprintln!("{what}: {} of {count}, {:?}", number + 1, started.elapsed());
                    }
                }
            });
        }
    });
    eprintln!("{what}: {count} of {} tried in {:?}", cases.len(), started.elapsed());
    let wrong = wrong.into_inner().unwrap();
    let shown: Vec<_> = wrong.iter().take(20).cloned().collect();
    assert!(wrong.is_empty(), "{} of {count} went wrong:\n{}", wrong.len(), shown.join("\n"));
}
