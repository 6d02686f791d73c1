//! The only place that reads the time.

use std::{
    sync::atomic::{AtomicI64, Ordering},
    time::{SystemTime, UNIX_EPOCH},
};

use domain::time::Timestamp;

/// Tells the time. Two implementations: the machine's, and one that scenarios and tests set.
pub trait Clock: Send + Sync + 'static {
    /// The moment that it is now.
    fn now(&self) -> Timestamp;
}

/// The machine's clock.
#[derive(Clone, Copy, Debug)]
pub struct SystemClock;

impl Clock for SystemClock {
    /// A machine whose clock stands before 1970 or after 9999 gets the epoch: the log's time never
    /// falls, so that no order is lost by it.
    #[expect(clippy::disallowed_methods, reason = "this is the one place that reads the time")]
    fn now(&self) -> Timestamp {
        SystemTime::now()
            .duration_since(UNIX_EPOCH)
            .ok()
            .and_then(|since| i64::try_from(since.as_micros()).ok())
            .and_then(Timestamp::from_micros)
            .unwrap_or(Timestamp::EPOCH)
    }
}

/// A clock that stands until it is set: for scenarios and tests.
#[derive(Debug)]
pub struct ManualClock(AtomicI64);

impl ManualClock {
    /// A clock that stands at a moment.
    #[must_use]
    pub fn new(moment: Timestamp) -> Self {
        Self(AtomicI64::new(moment.micros()))
    }

    /// Moves it, forwards or back.
    pub fn set(&self, moment: Timestamp) {
        self.0.store(moment.micros(), Ordering::SeqCst);
    }
}

impl Clock for ManualClock {
    fn now(&self) -> Timestamp {
        Timestamp::from_micros(self.0.load(Ordering::SeqCst)).unwrap_or(Timestamp::EPOCH)
    }
}
