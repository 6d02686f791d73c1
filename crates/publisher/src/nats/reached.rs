//! The stream as anybody reads it, and what an operator may do to it.

use std::time::Duration;

use async_nats::{
    header::NATS_MESSAGE_ID,
    jetstream::{
        self,
        consumer::{AckPolicy, DeliverPolicy, pull},
        stream::Stream,
    },
};
use balance_events::subject::STREAM;
use bytes::Bytes;
use futures_util::StreamExt as _;

use super::{away, connection::Connection, find, stream::unfit};
use crate::{access::Access, broker::BrokerFault};

/// How long the broker keeps a reader's place after the reader went away.
const READER_KEPT: Duration = Duration::from_secs(30);

/// How often the broker says that it is there while there is nothing to read. Two that are missing
/// mean that the connection is of no more use.
const HEARTBEAT: Duration = Duration::from_secs(5);

/// How long one request for messages is kept open.
const REQUEST_KEPT: Duration = Duration::from_secs(30);

/// How many messages may be on their way.
const MESSAGES_MAX: usize = 500;

/// A connection, and the stream where it is there.
pub(crate) struct Reached {
    connection: Connection,
    stream: Option<Stream>,
}

/// Where reading begins.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Place {
    /// The newest message of each subject, then what follows.
    NewestOfEach,
    /// The message with this place in the stream, or the next that is there.
    At(u64),
    /// The first message stored at this time, in RFC 3339, or later.
    Since(String),
}

/// What of messages is read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Contents {
    Whole,
    WithoutBody,
}

/// Messages on their way.
pub(crate) struct Reading {
    connection: Connection,
    messages: pull::Stream,
    read: u64,
}

/// A message of the stream.
#[derive(Debug)]
pub(crate) struct Read {
    pub(crate) sequence: u64,
    pub(crate) subject: String,
    pub(crate) id: Option<String>,
    pub(crate) body: Bytes,
}

impl Reached {
    pub(crate) async fn open(access: &Access, name: &str) -> Result<Self, BrokerFault> {
        Self::over(Connection::open(access, name).await?).await
    }

    /// Looks for the stream over a connection.
    pub(crate) async fn over(connection: Connection) -> Result<Self, BrokerFault> {
        let context = jetstream::new(connection.client.clone());
        let stream = connection.permitted(find(&context, STREAM)).await?;
        Ok(Self { connection, stream })
    }

    /// Whether there is a stream.
    pub(crate) const fn is_there(&self) -> bool {
        self.stream.is_some()
    }

    /// What of the stream's settings can't be used.
    pub(crate) fn unfit(&self, replicas: usize) -> Option<String> {
        unfit(&self.stream.as_ref()?.cached_info().config, replicas)
    }

    /// When the stream was made: another one is another stream.
    pub(crate) fn made(&self) -> Option<String> {
        Some(self.stream.as_ref()?.cached_info().created.to_string())
    }

    /// The place of the stream's last message; 0 before the first.
    pub(crate) fn last_sequence(&self) -> u64 {
        self.stream.as_ref().map_or(0, |stream| stream.cached_info().state.last_sequence)
    }

    /// How many messages the stream has.
    pub(crate) fn messages(&self) -> u64 {
        self.stream.as_ref().map_or(0, |stream| stream.cached_info().state.messages)
    }

    /// Begins to read; without subjects, all messages.
    pub(crate) async fn read(
        &self,
        place: &Place,
        subjects: &[String],
        contents: Contents,
    ) -> Result<Reading, BrokerFault> {
        let stream = self.stream.as_ref().ok_or(BrokerFault::Moved)?;
        // The broker checks the permission to read one subject by where it is asked.
        let (filter_subject, filter_subjects) = match subjects {
            [] => (String::new(), Vec::new()),
            [one] => (one.clone(), Vec::new()),
            several => (String::new(), several.to_vec()),
        };
        // An inbox is unique; its last token is a name. One that has a name is asked for where its
        // subject stands too.
        let inbox = self.connection.client.new_inbox();
        let config = pull::Config {
            name: Some(format!("tallyhook-{}", inbox.rsplit('.').next().unwrap_or(&inbox))),
            description: Some("tallyhook: reads balance events".to_owned()),
            deliver_policy: deliver_policy(place)?,
            ack_policy: AckPolicy::None,
            filter_subject,
            filter_subjects,
            headers_only: contents == Contents::WithoutBody,
            inactive_threshold: READER_KEPT,
            num_replicas: 1,
            memory_storage: true,
            ..pull::Config::default()
        };
        let asked = async {
            let consumer = stream.create_consumer(config).await;
            let consumer = consumer.map_err(|fault| away("ask for messages", fault))?;
            let messages = consumer
                .stream()
                .max_messages_per_batch(MESSAGES_MAX)
                .heartbeat(HEARTBEAT)
                .expires(REQUEST_KEPT)
                .messages()
                .await;
            messages.map_err(|fault| away("ask for messages", fault))
        };
        let messages = self.connection.permitted(asked).await?;
        Ok(Reading { connection: self.connection.clone(), messages, read: 0 })
    }

    /// Deletes the stream with all that it has.
    pub(crate) async fn delete(&self) -> Result<(), BrokerFault> {
        let context = jetstream::new(self.connection.client.clone());
        let asked = async {
            let deleted = context.delete_stream(STREAM).await;
            deleted.map(drop).map_err(|fault| away("delete the stream", fault))
        };
        self.connection.permitted(asked).await
    }

    /// Deletes one message.
    pub(crate) async fn delete_message(&self, sequence: u64) -> Result<(), BrokerFault> {
        let stream = self.stream.as_ref().ok_or(BrokerFault::Moved)?;
        let asked = async {
            let deleted = stream.delete_message(sequence).await;
            deleted.map(drop).map_err(|fault| away("delete a message", fault))
        };
        self.connection.permitted(asked).await
    }
}

impl Reading {
    /// The next message, whenever it comes.
    pub(crate) async fn next(&mut self) -> Result<Read, BrokerFault> {
        let asked = async {
            let message = self.messages.next().await.ok_or(BrokerFault::Moved)?;
            let message = message.map_err(|fault| away("read the stream", fault))?;
            let info = message.info().map_err(|fault| away("read the stream", fault))?;
            // The broker numbers what it sends: a number that is skipped is a message that is lost.
            self.read = self.read.saturating_add(1);
            if info.consumer_sequence != self.read {
                return Err(away("read the stream", "a message was lost on its way"));
            }
            let sequence = info.stream_sequence;
            let id = message.headers.as_ref().and_then(|all| all.get(NATS_MESSAGE_ID));
            let id = id.map(|id| id.as_str().to_owned());
            let (message, _) = message.split();
            Ok(Read { sequence, subject: message.subject.to_string(), id, body: message.payload })
        };
        self.connection.permitted(asked).await
    }
}

fn deliver_policy(place: &Place) -> Result<DeliverPolicy, BrokerFault> {
    match place {
        Place::NewestOfEach => Ok(DeliverPolicy::LastPerSubject),
        Place::At(sequence) => {
            Ok(DeliverPolicy::ByStartSequence { start_sequence: (*sequence).max(1) })
        }
        // Its type of a time has no other way in that we know of here.
        Place::Since(time) => {
            let form =
                serde_json::json!({"deliver_policy": "by_start_time", "opt_start_time": time});
            serde_json::from_value(form).map_err(|fault| away("read a time", fault))
        }
    }
}
