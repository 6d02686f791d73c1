//! How the publisher stands, for readiness and metrics.

use std::{collections::BTreeMap, fmt};

use domain::ids::{LedgerId, Sequence};

/// How the publisher stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Standing {
    /// What it does, or why it doesn't.
    pub state: State,
    /// How far each ledger is, as last seen.
    pub ledgers: BTreeMap<LedgerId, Progress>,
}

/// What the publisher does, or why it doesn't.
///
/// In every state but [`State::Stopped`] it tries again by itself, at bounded delays.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum State {
    /// It looks for the broker and for where to go on.
    Connecting,
    /// It publishes whatever comes.
    Publishing,
    /// The broker doesn't answer.
    BrokerAway {
        /// Why.
        reason: String,
    },
    /// The broker or its stream can't be used; the reason names the remedy.
    BrokerUnfit {
        /// Why.
        reason: String,
    },
    /// The stream lacks messages that it had acknowledged: it was deleted, trimmed or restored.
    StreamBehind {
        /// In which ledger.
        ledger: LedgerId,
        /// The record of the last message in the stream.
        stream: Option<Sequence>,
        /// The record of the last message that was acknowledged.
        acknowledged: Option<Sequence>,
    },
    /// The log lacks records that were published: an older log was restored.
    LogBehind {
        /// In which ledger.
        ledger: LedgerId,
        /// The last record that was published.
        published: Option<Sequence>,
        /// The last record in the log.
        log: Option<Sequence>,
    },
    /// The log or the checkpoint can't be read or written.
    StoreFailed {
        /// Why.
        reason: String,
    },
    /// It was told to stop, or can't go on.
    Stopped,
}

/// How far a ledger is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Progress {
    /// The last record up to which the stream has all messages.
    pub published: Option<Sequence>,
    /// The log's last record.
    pub head: Option<Sequence>,
}

impl Progress {
    /// How many records are not published yet.
    #[must_use]
    pub fn lag(&self) -> u64 {
        let number = |sequence: Option<Sequence>| sequence.map_or(0, Sequence::get);
        number(self.head).saturating_sub(number(self.published))
    }
}

impl Standing {
    /// Before anything was looked at.
    pub(crate) const START: Self = Self { state: State::Connecting, ledgers: BTreeMap::new() };

    /// How many records are not published yet, in all ledgers.
    #[must_use]
    pub fn lag(&self) -> u64 {
        self.ledgers.values().fold(0, |sum, progress| sum.saturating_add(progress.lag()))
    }
}

impl fmt::Display for State {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Connecting => f.write_str("connecting to the broker"),
            Self::Publishing => f.write_str("publishing"),
            Self::BrokerAway { reason } => write!(f, "the broker is away: {reason}"),
            Self::BrokerUnfit { reason } => write!(f, "the broker can't be used: {reason}"),
            Self::StreamBehind { ledger, stream, acknowledged } => write!(
                f,
                "ledger {ledger}: the stream ends at record {}, but record {} was published: it \
                 was deleted, trimmed or restored; stop the server and run `tallyhook republish`",
                Shown(*stream),
                Shown(*acknowledged),
            ),
            Self::LogBehind { ledger, published, log } => write!(
                f,
                "ledger {ledger}: record {} was published, but the log ends at record {}: an older \
                 log was restored; restore the newest log, or stop the server and \
                 run `tallyhook republish --recreate`",
                Shown(*published),
                Shown(*log),
            ),
            Self::StoreFailed { reason } => write!(f, "the store failed: {reason}"),
            Self::Stopped => f.write_str("stopped"),
        }
    }
}

/// A sequence, or 0 where there is none.
struct Shown(Option<Sequence>);

impl fmt::Display for Shown {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.map_or(0, Sequence::get).fmt(f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_lag_is_what_is_not_published_in_any_ledger() {
        let progress = |published, head| Progress {
            published: Sequence::new(published),
            head: Sequence::new(head),
        };
        let ledger = |name| LedgerId::new(name).unwrap();
        let ledgers = [(ledger("a"), progress(0, 3)), (ledger("b"), progress(5, 7))];
        let standing = Standing { ledgers: ledgers.into(), ..Standing::START };
        assert_eq!(standing.lag(), 5);
    }

    #[test]
    fn a_stream_behind_names_the_way_out() {
        let state = State::StreamBehind {
            ledger: LedgerId::new("main").unwrap(),
            stream: None,
            acknowledged: Sequence::new(9),
        };
        let expected = "ledger main: the stream ends at record 0, but record 9 was published: it \
                        was deleted, trimmed or restored; stop the server and run `tallyhook \
                        republish`";
        assert_eq!(state.to_string(), expected);
    }
}
