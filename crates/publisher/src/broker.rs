//! What a broker must do for publishing exactly once: one stream in which every message has the
//! next sequence, and batches that are stored whole, at their place, or not at all.
//!
//! `nats` does it over NATS JetStream, the simulator in memory; what publishing makes of it
//! ([`crate::run`]) is the same for both.

use std::{error::Error, future::Future, io, path::PathBuf};

use balance_events::subject;
use bytes::Bytes;
use domain::ids::LedgerId;

use crate::position::Position;

/// One message: an account after a record.
#[derive(Clone, Debug)]
pub struct Message {
    pub(crate) ledger: LedgerId,
    pub(crate) position: Position,
    pub(crate) body: Bytes,
}

impl Message {
    /// Where it is sent.
    #[must_use]
    pub fn subject(&self) -> String {
        subject::subject(self.ledger.as_str(), self.position.account.as_str())
    }

    /// What it is known by.
    #[must_use]
    pub fn id(&self) -> String {
        self.position.message_id(&self.ledger).to_string()
    }

    /// What it says.
    #[must_use]
    pub const fn body(&self) -> &Bytes {
        &self.body
    }
}

/// A message that is in the stream.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Stored {
    /// Its place in the stream, from 1.
    pub sequence: u64,
    /// The id that it was published with, if any.
    pub id: Option<String>,
}

/// A broker with the one stream.
pub trait Broker: Send + Sync {
    /// A connection to it.
    type Session: Session;

    /// Connects and sees to it that the stream is there and can be used.
    fn open(&self) -> impl Future<Output = Result<Self::Session, BrokerFault>> + Send;
}

/// A connection to the stream.
pub trait Session: Send {
    /// The sequence of the stream's last message as it was when the session opened; 0 before the
    /// first. Whatever came later makes the first [`Self::publish`] fail as
    /// [`BrokerFault::Moved`].
    fn last_sequence(&self) -> u64;

    /// The last message of a ledger that is in the stream.
    fn last_of(
        &self,
        ledger: &LedgerId,
    ) -> impl Future<Output = Result<Option<Stored>, BrokerFault>> + Send;

    /// Stores these messages, all or none, if `after` is the sequence of the stream's last one, and
    /// returns once the broker acknowledged them. Gives the sequence of the last of them.
    ///
    /// After any fault it is unknown whether they are stored, now or later, and the session is of
    /// no more use.
    fn publish(
        &mut self,
        after: u64,
        batch: &[Message],
    ) -> impl Future<Output = Result<u64, BrokerFault>> + Send;

    /// Whether the connection stands.
    fn is_connected(&self) -> bool;
}

/// Why the broker didn't do what was asked.
#[derive(Debug, thiserror::Error)]
pub enum BrokerFault {
    /// It doesn't answer.
    #[error("{doing}")]
    Away {
        /// What was asked.
        doing: &'static str,
        /// Why there is no answer.
        #[source]
        source: Box<dyn Error + Send + Sync>,
    },
    /// It can't store batches whole.
    #[error(
        "nats-server {found} is too old: atomic batches with ids need 2.12.1; upgrade the server"
    )]
    ServerTooOld {
        /// Its version.
        found: String,
    },
    /// A file of the access can't be used.
    #[error("read {} for the broker; correct [nats]", path.display())]
    AccessUnreadable {
        /// Which.
        path: PathBuf,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// It does not know us.
    #[error(
        "the broker refused the user; correct the user, password, token, nkey or credentials of \
         [nats], or the broker's own"
    )]
    Unauthorized,
    /// There is no protected connection.
    #[error("connect by TLS; check the ca, cert and key of [nats], and the broker's certificate")]
    TlsFailed {
        /// Why.
        #[source]
        source: Box<dyn Error + Send + Sync>,
    },
    /// It knows us, and doesn't let us.
    #[error(
        "the broker's user may not {what}; grant it that: deploy/nats/README.md lists what is \
         needed"
    )]
    Forbidden {
        /// Do what, to which subject.
        what: String,
    },
    /// Its stream loses, rewrites or refuses messages.
    #[error(
        "stream {stream} has {what}; change it with `nats stream edit {stream}`, or stop the \
         server and make it anew with `tallyhook republish --recreate`"
    )]
    StreamUnfit {
        /// The stream.
        stream: &'static str,
        /// What is wrong with it.
        what: String,
    },
    /// Somebody else publishes to the stream.
    #[error(
        "message {message} of the stream was not published by tallyhook; find out who may publish \
         there, then stop the server and run `tallyhook republish`, which removes it"
    )]
    ForeignMessage {
        /// Its place in the stream.
        message: u64,
    },
    /// The stream is not as we left it: find out where to go on.
    #[error("the stream changed meanwhile")]
    Moved,
    /// It refused for a reason of its own.
    #[error("the broker refused: {description} ({code})")]
    Refused {
        /// The broker's number for it.
        code: u64,
        /// Its words.
        description: String,
    },
}
