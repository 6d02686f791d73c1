//! The stream of balance events over NATS JetStream. The only module that names `async_nats`.
//!
//! A session is one ordered reading: every message has the number after the one before, or the
//! session ends with a fault and the next one goes on. It is made of a pull consumer without
//! acknowledgements, because the library's own ordered consumer goes on at a sequence whatever
//! became of the stream, and passes over that the stream was made anew.

use std::{error::Error, sync::atomic::Ordering, time::Duration};

pub(crate) use async_nats::Client;
use async_nats::{
    connection::State as ConnectionState,
    header::NATS_MESSAGE_ID,
    jetstream::{
        self, ErrorCode,
        consumer::{AckPolicy, Consumer, DeliverPolicy, pull},
        context::GetStreamErrorKind,
    },
};
use balance_events::subject::STREAM;
use bytes::Bytes;
use futures_util::StreamExt as _;

/// The longest that the broker may take for an answer.
const REQUEST_TIMEOUT: Duration = Duration::from_secs(5);

/// How often the broker says that it is there while nothing happens. Two that are missing are
/// silence.
const HEARTBEAT: Duration = Duration::from_secs(1);

/// How long a silent broker goes unnoticed.
pub(crate) const SILENCE_MAX: Duration = Duration::from_secs(2);

/// How long the broker keeps a consumer that asks for nothing.
const CONSUMER_KEPT: Duration = Duration::from_secs(30);

/// The most messages that wait here, read from the connection and not looked at.
const MESSAGES_WAITING_MAX: usize = 500;

/// Why the stream can't be read for now. It is tried again.
#[derive(Debug, thiserror::Error)]
pub enum StreamFault {
    /// There is no connection; the client connects again by itself.
    #[error("there is no connection to the broker")]
    Disconnected,
    /// The stream is not there yet, or no more: Tallyhook makes it.
    #[error("there is no stream {STREAM}; start `tallyhook serve` with a broker")]
    StreamAbsent,
    /// The broker didn't do what was asked; it may be a right that is missing.
    #[error("the broker didn't {doing}")]
    Refused {
        /// What was asked.
        doing: &'static str,
        /// What it said.
        source: Box<dyn Error + Send + Sync>,
    },
    /// The broker sends neither messages nor signs of life, or ended the reading.
    #[error("reading the stream ended")]
    Ended(#[source] Option<Box<dyn Error + Send + Sync>>),
    /// A message was lost on the way; it is asked for again.
    #[error("message {expected} of this reading was lost on the way")]
    Lost {
        /// Its number.
        expected: u64,
    },
    /// The stream was made again, or its last message is gone: it is read from its state.
    #[error("the stream is not the one that was read before")]
    Replaced,
}

/// The broker, as a subscription needs it.
pub(crate) struct Nats {
    client: Client,
    context: jetstream::Context,
    subjects: String,
}

/// How far a stream was read.
#[derive(Clone, Debug)]
pub(crate) struct Place {
    stream: StreamId,
    sequence: u64,
    message_id: Option<String>,
}

/// What tells a stream from another of its name: when it was made, in nanoseconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct StreamId(i128);

/// Where a reading begins.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Start {
    /// With the last message of each account.
    State,
    /// After the place.
    Place,
}

/// One reading of the stream.
pub(crate) struct Session {
    client: Client,
    connects: u64,
    consumer: Consumer<pull::Config>,
    messages: pull::Stream,
    stream: StreamId,
    /// How many messages of this reading arrived.
    arrived: u64,
    /// The message that must come first, if the stream still has it.
    resumed: Option<Place>,
}

/// A message of a reading.
pub(crate) struct Message {
    pub(crate) subject: String,
    pub(crate) payload: Bytes,
    pub(crate) sequence: u64,
    /// How many more there were when it was sent.
    pub(crate) pending: u64,
    pub(crate) place: Place,
}

impl Nats {
    pub(crate) fn new(client: Client, subjects: String) -> Self {
        let mut context = jetstream::new(client.clone());
        context.set_timeout(REQUEST_TIMEOUT);
        Self { client, context, subjects }
    }

    pub(crate) fn is_connected(&self) -> bool {
        self.client.connection_state() == ConnectionState::Connected
    }

    /// Begins a reading: after a place where the stream is still the same and has it, else with the
    /// last message of each account.
    pub(crate) async fn open(
        &self,
        place: Option<&Place>,
    ) -> Result<(Session, Start), StreamFault> {
        if !self.is_connected() {
            return Err(StreamFault::Disconnected);
        }
        let connects = connects(&self.client);
        let stream = self.context.get_stream(STREAM).await.map_err(|fault| {
            if is_stream_absent(&fault.kind()) {
                StreamFault::StreamAbsent
            } else {
                refused("show the stream", fault)
            }
        })?;
        let info = stream.cached_info();
        let id = StreamId(info.created.unix_timestamp_nanos());
        let has = |place: &&Place| place.stream == id && place.sequence <= info.state.last_sequence;
        let resumed = place.filter(has).cloned();
        let (start, deliver_policy) = match &resumed {
            // With the last one that is known, which tells whether it is still the same stream.
            Some(Place { sequence, .. }) => {
                (Start::Place, DeliverPolicy::ByStartSequence { start_sequence: *sequence })
            }
            None => (Start::State, DeliverPolicy::LastPerSubject),
        };
        let consumer = stream.create_consumer(self.config(deliver_policy)).await;
        let consumer = consumer.map_err(|fault| refused("make a consumer", fault))?;
        let messages = consumer
            .stream()
            .max_messages_per_batch(MESSAGES_WAITING_MAX)
            .heartbeat(HEARTBEAT)
            .messages()
            .await
            .map_err(|fault| refused("begin to read", fault))?;
        let client = self.client.clone();
        let session =
            Session { client, connects, consumer, messages, stream: id, arrived: 0, resumed };
        Ok((session, start))
    }

    fn config(&self, deliver_policy: DeliverPolicy) -> pull::Config {
        // An inbox is unique; its last token is a name as consumers need one.
        let inbox = self.client.new_inbox();
        let unique = inbox.rsplit('.').next().unwrap_or(&inbox);
        pull::Config {
            name: Some(format!("subscriber-{unique}")),
            description: Some("tallyhook: a subscriber to balance events".to_owned()),
            deliver_policy,
            ack_policy: AckPolicy::None,
            filter_subject: self.subjects.clone(),
            inactive_threshold: CONSUMER_KEPT,
            num_replicas: 1,
            memory_storage: true,
            ..pull::Config::default()
        }
    }
}

impl Session {
    /// Whether nothing was there to read when it began.
    pub(crate) fn is_empty(&self) -> bool {
        self.consumer.cached_info().num_pending == 0
    }

    /// Whether the connection is the one that it began with. After another, messages may have been
    /// lost in between, and no later one might ever tell.
    pub(crate) fn is_connected(&self) -> bool {
        self.client.connection_state() == ConnectionState::Connected
            && connects(&self.client) == self.connects
    }

    /// Asks the broker whether all there was has arrived.
    pub(crate) async fn has_all(&self) -> Result<bool, StreamFault> {
        let info = self.consumer.get_info().await;
        let info = info.map_err(|fault| refused("show the consumer", fault))?;
        Ok(info.num_pending == 0 && info.delivered.consumer_sequence == self.arrived)
    }

    /// Waits for the next message. Nothing is lost when the future is dropped.
    pub(crate) async fn next(&mut self) -> Result<Message, StreamFault> {
        let message = match self.messages.next().await {
            Some(Ok(message)) => message,
            Some(Err(fault)) => return Err(StreamFault::Ended(Some(fault.into()))),
            None => return Err(StreamFault::Ended(None)),
        };
        let info = message.info().map_err(|fault| StreamFault::Ended(Some(fault)))?;
        let expected = self.arrived.saturating_add(1);
        if info.consumer_sequence != expected {
            return Err(StreamFault::Lost { expected });
        }
        let (sequence, pending) = (info.stream_sequence, info.pending);
        let message_id = message.headers.as_ref().and_then(|headers| headers.get(NATS_MESSAGE_ID));
        let message_id = message_id.map(|id| id.as_str().to_owned());
        if let Some(place) = self.resumed.take()
            && (place.sequence != sequence || place.message_id != message_id)
        {
            return Err(StreamFault::Replaced);
        }
        self.arrived = expected;
        Ok(Message {
            subject: message.subject.to_string(),
            payload: message.payload.clone(),
            sequence,
            pending,
            place: Place { stream: self.stream, sequence, message_id },
        })
    }
}

fn connects(client: &Client) -> u64 {
    client.statistics().connects.load(Ordering::Relaxed)
}

fn is_stream_absent(kind: &GetStreamErrorKind) -> bool {
    matches!(kind, GetStreamErrorKind::JetStream(fault)
        if fault.error_code() == ErrorCode::STREAM_NOT_FOUND)
}

fn refused(doing: &'static str, fault: impl Into<async_nats::Error>) -> StreamFault {
    StreamFault::Refused { doing, source: fault.into() }
}
