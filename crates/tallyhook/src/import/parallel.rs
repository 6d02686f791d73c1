//! The same for many rows, a few at a time.

use std::{
    sync::atomic::{AtomicBool, AtomicUsize, Ordering},
    thread,
};

use indicatif::ProgressBar;

use crate::exit::Failed;

/// How many requests are open at once: enough to share the server's group commits, too few to be
/// in the way of its other callers.
pub(super) const REQUESTS_AT_ONCE: usize = 8;

/// What was done before all of it was, or before something failed.
pub(super) struct Done<O> {
    /// In the order of the items.
    pub(super) outcomes: Vec<O>,
    pub(super) failed: Option<Failed>,
}

/// Does the same with each item, in no order. After a failure nothing more is begun.
pub(super) fn each<'i, I: Sync, O: Send>(
    items: &'i [I],
    bar: &ProgressBar,
    work: impl Fn(&'i I) -> Result<O, Failed> + Sync,
) -> Done<O> {
    let (next, stopped) = (AtomicUsize::new(0), AtomicBool::new(false));
    let worker = || {
        let mut outcomes = Vec::new();
        while !stopped.load(Ordering::Relaxed) {
            let place = next.fetch_add(1, Ordering::Relaxed);
            let Some(item) = items.get(place) else { break };
            match work(item) {
                Ok(outcome) => outcomes.push((place, outcome)),
                Err(failed) => {
                    stopped.store(true, Ordering::Relaxed);
                    return (outcomes, Some(failed));
                }
            }
            bar.inc(1);
        }
        (outcomes, None)
    };
    let mut outcomes = Vec::with_capacity(items.len());
    let mut failed = None;
    thread::scope(|scope| {
        let count = REQUESTS_AT_ONCE.min(items.len());
        let workers: Vec<_> = (0..count).map(|_| scope.spawn(worker)).collect();
        for worker in workers {
            let (some, fault) =
                worker.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic));
            outcomes.extend(some);
            failed = failed.take().or(fault);
        }
    });
    outcomes.sort_unstable_by_key(|(place, _)| *place);
    Done { outcomes: outcomes.into_iter().map(|(_, outcome)| outcome).collect(), failed }
}

#[cfg(test)]
mod tests {
    use anyhow::anyhow;

    use super::*;

    #[test]
    fn outcomes_are_in_the_order_of_the_items() {
        let items: Vec<u32> = (0..1_000).collect();
        let done = each(&items, &ProgressBar::hidden(), |item| Ok(item * 2));
        assert!(done.failed.is_none());
        assert_eq!(done.outcomes, items.iter().map(|item| item * 2).collect::<Vec<_>>());
        let none = each(&[], &ProgressBar::hidden(), |item: &u32| Ok(*item));
        assert!(none.outcomes.is_empty() && none.failed.is_none());
    }

    #[test]
    fn after_a_failure_nothing_more_is_begun() {
        let items: Vec<usize> = (0..10_000).collect();
        let begun = AtomicUsize::new(0);
        let done = each(&items, &ProgressBar::hidden(), |item| {
            begun.fetch_add(1, Ordering::Relaxed);
            if *item == 5 { Err(Failed::unopened(anyhow!("gone"))) } else { Ok(*item) }
        });
        assert!(done.failed.is_some());
        assert!(!done.outcomes.contains(&5));
        // Each worker may have begun some before it saw the failure, none all of them.
        assert!(begun.load(Ordering::Relaxed) < items.len());
    }
}
