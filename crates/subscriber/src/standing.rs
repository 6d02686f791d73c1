//! How a subscription stands: what a gateway looks at before it trusts a view.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use crate::{api::ApiFault, nats::StreamFault};

/// How a subscription stands.
#[derive(Clone, Debug)]
pub struct Standing {
    /// What it does.
    pub state: State,
    /// Whether it ever had all that the stream held. Until then accounts may be missing.
    pub is_complete: bool,
    /// Whether the views were compared with the API's.
    pub reconciliation: Reconciliation,
    /// How many versions of accounts never arrived by the stream.
    pub missed: u64,
    /// How many messages could not be read.
    pub unreadable: u64,
}

/// What a subscription does.
#[derive(Clone, Debug)]
pub enum State {
    /// It has all that is in the stream, and hears of what comes.
    Following,
    /// There is more in the stream than it has read.
    Behind {
        /// Since when.
        since: Instant,
    },
    /// It can't read the stream, and tries again by itself.
    Away {
        /// Since when it may miss something.
        since: Instant,
        /// Why.
        fault: Arc<StreamFault>,
    },
    /// It was stopped.
    Ended {
        /// Since when it may miss something.
        since: Instant,
    },
}

/// Whether the views were compared with the API's.
#[derive(Clone, Debug)]
pub enum Reconciliation {
    /// There is no API.
    NoApi,
    /// They will be, or are just now.
    Due,
    /// They were, since the last time that messages may have been lost.
    Done,
    /// The API didn't answer, or not as it should; it is asked again.
    Failed(Arc<ApiFault>),
}

impl Standing {
    pub(crate) fn new(since: Instant, reconciliation: Reconciliation) -> Self {
        Self {
            state: State::Behind { since },
            is_complete: false,
            reconciliation,
            missed: 0,
            unreadable: 0,
        }
    }

    /// Whether it has all that is in the stream.
    #[must_use]
    pub const fn is_caught_up(&self) -> bool {
        self.is_complete && matches!(self.state, State::Following)
    }

    /// Whether it has all that is in the stream and, where there is an API, what is there.
    #[must_use]
    pub const fn is_reconciled(&self) -> bool {
        self.is_caught_up()
            && matches!(self.reconciliation, Reconciliation::NoApi | Reconciliation::Done)
    }

    /// How long the views may have been behind the stream: zero while it is followed, `None`
    /// before all of it was ever there.
    #[must_use]
    pub fn stale_for(&self) -> Option<Duration> {
        self.is_complete.then(|| self.since().map_or(Duration::ZERO, |since| since.elapsed()))
    }

    /// Since when the views may be behind the stream.
    pub(crate) const fn since(&self) -> Option<Instant> {
        match &self.state {
            State::Following => None,
            State::Behind { since } | State::Away { since, .. } | State::Ended { since } => {
                Some(*since)
            }
        }
    }
}
