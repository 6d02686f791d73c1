//! What happened, and how often: a fault that never happens proves nothing.

use std::{collections::BTreeMap, fmt};

/// All that must happen in a long run.
const NAMES: &[&str] = &[
    // What becomes of events.
    "event-recorded",
    "event-ignored",
    "event-conflict",
    "event-quarantined",
    "event-duplicate",
    "event-known-conflict",
    "event-old",
    "event-ahead",
    "event-simulated",
    "event-unreadable",
    "event-without-id",
    "event-released",
    "older-secret",
    "forged-strangers-secret",
    "forged-other-body",
    "forged-other-time",
    "forged-no-header",
    "forged-two-headers",
    // What becomes of commands.
    "command-done",
    "command-replayed",
    "command-refused",
    "command-key-reused",
    "hold-expired",
    "answer-lost",
    "asked-again",
    "asked-again-while-waiting",
    "queue-full",
    // Groups.
    "group-of-several",
    "groups-ahead",
    "group-for-which-there-is-no-room",
    "latched",
    "latched-refuses-what-was-decided",
    "latched-refuses-what-is-new",
    "unanswered-group-was-stored",
    "unanswered-group-was-not-stored",
    // The clock.
    "clock-back",
    "clock-ahead",
    "recorded-at-an-earlier-clock",
    // The power.
    "cut-before-log-prepare",
    "cut-before-log-commit",
    "cut-after-log-commit",
    "cut-at-log-read",
    "cut-at-views-read",
    "cut-before-views-write",
    "cut-after-views-write",
    "cut-between-calls",
    "cut-while-opening",
    "cut-while-deciding",
    "cut-while-committing",
    "cut-while-storing",
    "cut-while-publishing",
    "cut-while-stopping",
    // The disk.
    "refused-log-prepare",
    "refused-before-log-commit",
    "refused-after-log-commit",
    "refused-log-read",
    "refused-views-read",
    "refused-before-views-write",
    "refused-after-views-write",
    "refused-while-opening",
    // Starts and stops.
    "stopped",
    "started",
    "views-lost",
    "views-older",
    "refolded",
    // The broker.
    "connection-refused",
    "connection-lost",
    "disconnected",
    "look-failed",
    "batch-lost",
    "batch-late",
    "late-batch-stored",
    "late-batch-refused",
    "acknowledgement-lost",
    "batch-refused",
    "stream-moved",
    "broker-restarted",
    "broker-lost-messages",
    "stream-deleted",
    "window-of-zero",
    // The publisher and its subscribers.
    "published",
    "publisher-away",
    "publisher-unfit",
    "publisher-connects-anew",
    "publisher-store-failed",
    "stream-behind",
    "republished",
    "published-again-the-same",
    "subscriber-anew",
    "subscriber-repeats",
];

/// What happened, and how often.
#[derive(Clone, Debug, Default)]
pub(crate) struct Coverage {
    counts: BTreeMap<&'static str, u64>,
    /// By the name of the order: accepted.
    orders: BTreeMap<&'static str, u64>,
}

impl Coverage {
    pub(crate) fn reach(&mut self, name: &'static str) {
        debug_assert!(NAMES.contains(&name), "{name} is not listed");
        *self.counts.entry(name).or_default() += 1;
    }

    pub(crate) fn accept(&mut self, order: &'static str) {
        *self.orders.entry(order).or_default() += 1;
    }

    pub(crate) fn add(&mut self, other: &Self) {
        for (own, others) in [(&mut self.counts, &other.counts), (&mut self.orders, &other.orders)]
        {
            others.iter().for_each(|(name, count)| *own.entry(name).or_default() += count);
        }
    }

    /// What never happened and must.
    pub(crate) fn never(&self) -> Vec<&'static str> {
        NAMES.iter().filter(|name| !self.counts.contains_key(*name)).copied().collect()
    }

    /// How many kinds of orders were accepted.
    pub(crate) fn kinds_of_orders(&self) -> usize {
        self.orders.len()
    }
}

impl fmt::Display for Coverage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for counts in [&self.counts, &self.orders] {
            counts.iter().try_for_each(|(name, count)| write!(f, " {name} {count}"))?;
            writeln!(f)?;
        }
        Ok(())
    }
}
