//! The first and the last of many: what is shown, and kept in memory, of a list without end.

use std::collections::VecDeque;

/// How many are kept of each end.
pub(super) const KEPT_MAX: usize = 500;

/// The first and the last that were pushed, and how many there were.
pub(super) struct Ends<T> {
    first: Vec<T>,
    last: VecDeque<T>,
    all: u64,
}

impl<T> Ends<T> {
    pub(super) const fn new() -> Self {
        Self { first: Vec::new(), last: VecDeque::new(), all: 0 }
    }

    pub(super) fn push(&mut self, one: T) {
        self.all = self.all.saturating_add(1);
        if self.first.len() < KEPT_MAX {
            self.first.push(one);
            return;
        }
        if self.last.len() == KEPT_MAX {
            self.last.pop_front();
        }
        self.last.push_back(one);
    }

    /// How many were pushed.
    pub(super) const fn all(&self) -> u64 {
        self.all
    }

    /// How many of them are not kept.
    pub(super) fn hidden(&self) -> u64 {
        let kept = self.first.len().saturating_add(self.last.len());
        self.all.saturating_sub(u64::try_from(kept).unwrap_or(u64::MAX))
    }

    /// Those that are kept, in order.
    pub(super) fn iter(&self) -> impl Iterator<Item = &T> {
        self.first.iter().chain(&self.last)
    }

    pub(super) fn iter_mut(&mut self) -> impl Iterator<Item = &mut T> {
        self.first.iter_mut().chain(&mut self.last)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_and_the_last_are_kept_and_the_rest_is_counted() {
        for all in [0, 1, KEPT_MAX, KEPT_MAX + 1, 2 * KEPT_MAX, 2 * KEPT_MAX + 1, 5 * KEPT_MAX] {
            let mut ends = Ends::new();
            (0..all).for_each(|one| ends.push(one));
            let kept: Vec<usize> = ends.iter().copied().collect();
            let expected: Vec<usize> =
                (0..all).filter(|one| *one < KEPT_MAX || *one + KEPT_MAX >= all).collect();
            assert_eq!(kept, expected);
            assert_eq!(ends.all(), u64::try_from(all).unwrap());
            assert_eq!(ends.hidden(), u64::try_from(all - kept.len()).unwrap());
        }
    }
}
