//! How far a ledger is published.

use std::fmt;

use balance_events::subject::MessageId;
use domain::ids::{AccountId, LedgerId, Sequence};

/// The message of one account for one record. Its order is the order of publishing in a ledger.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Position {
    pub(crate) sequence: Sequence,
    pub(crate) account: AccountId,
}

impl Position {
    /// What the message there is known by.
    pub(crate) fn message_id(&self, ledger: &LedgerId) -> MessageId {
        MessageId {
            ledger: ledger.as_str().to_owned(),
            sequence: self.sequence.get(),
            account: self.account.as_str().to_owned(),
        }
    }

    /// The position that a message id of this ledger names; `None` for any other text.
    pub(crate) fn of_message(ledger: &LedgerId, message_id: &str) -> Option<Self> {
        let id = MessageId::parse(message_id).filter(|id| id.ledger == ledger.as_str())?;
        Some(Self {
            sequence: Sequence::new(id.sequence)?,
            account: AccountId::new(&id.account).ok()?,
        })
    }
}

impl fmt::Display for Position {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.sequence.fmt(f)
    }
}

/// Where to go on, from what three witnesses say of a ledger.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Resume {
    /// After this message of the stream, or from the first.
    After(Option<Position>),
    /// The stream lacks messages that it had acknowledged.
    StreamBehind,
    /// The log lacks records that were published or folded.
    LogBehind,
}

/// Decides where to go on.
///
/// `acknowledged` is the last message that the checkpoint knows to be in the stream and `folded`
/// its last record, `stream` the last message that is there, `head` the log's last record.
pub(crate) fn resume(
    acknowledged: Option<&Position>,
    folded: Option<Sequence>,
    stream: Option<Position>,
    head: Option<Sequence>,
) -> Resume {
    let last_sent = stream.as_ref().map(|position| position.sequence);
    if stream.as_ref() < acknowledged {
        Resume::StreamBehind
    } else if last_sent.max(folded) > head {
        Resume::LogBehind
    } else {
        Resume::After(stream)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(sequence: u64, account: &str) -> Position {
        Position {
            sequence: Sequence::new(sequence).unwrap(),
            account: AccountId::new(account).unwrap(),
        }
    }

    #[test]
    fn a_position_is_read_back_from_its_message() {
        let main = LedgerId::new("main").unwrap();
        let position = at(7, "jo/@ü");
        let id = position.message_id(&main).to_string();
        assert_eq!(id, "main/7/jo=2F=40=C3=BC");
        assert_eq!(Position::of_message(&main, &id), Some(position));
        for foreign in ["other/7/a", "main/0/a", "main/7/", "7", "", "main/7/a b"] {
            assert_eq!(Position::of_message(&main, foreign), None, "{foreign}");
        }
    }

    #[test]
    fn the_stream_says_where_to_go_on() {
        let head = Sequence::new(9);
        for (acknowledged, stream, expected) in [
            (None, None, Resume::After(None)),
            (None, Some(at(9, "a")), Resume::After(Some(at(9, "a")))),
            (Some(at(5, "a")), Some(at(5, "a")), Resume::After(Some(at(5, "a")))),
            (Some(at(5, "a")), Some(at(5, "b")), Resume::After(Some(at(5, "b")))),
            (Some(at(5, "b")), Some(at(5, "a")), Resume::StreamBehind),
            (Some(at(5, "a")), Some(at(4, "z")), Resume::StreamBehind),
            (Some(at(5, "a")), None, Resume::StreamBehind),
            (Some(at(5, "a")), Some(at(10, "a")), Resume::LogBehind),
            (None, Some(at(10, "a")), Resume::LogBehind),
        ] {
            let folded = acknowledged.as_ref().map(|position: &Position| position.sequence);
            assert_eq!(resume(acknowledged.as_ref(), folded, stream, head), expected);
        }
        assert_eq!(resume(None, None, Some(at(1, "a")), None), Resume::LogBehind);
        assert_eq!(resume(None, Sequence::new(10), None, head), Resume::LogBehind);
        assert_eq!(resume(None, head, None, head), Resume::After(None));
    }
}
