//! NATS JetStream as the broker. The only module that names `async_nats`.
//!
//! [`connection`] connects as the access says and tells what the server doesn't permit, [`stream`]
//! says how the stream must be, and [`files`] checks what an access names before anything connects;
//! [`reached`] reads the stream as anybody does, and does to it what an operator may.
//! [`checkpoints`] keeps the stream of signed checkpoints.

pub(crate) mod checkpoints;
pub(crate) mod connection;
pub(crate) mod files;
pub(crate) mod reached;
mod stream;

use async_nats::{
    HeaderMap, Request,
    header::{NATS_EXPECTED_LAST_SEQUENCE, NATS_MESSAGE_ID},
    jetstream::{
        self, Context, ErrorCode,
        context::{CreateStreamErrorKind, GetStreamErrorKind},
        message::StreamMessage,
        stream::{Info as StreamInfo, LastRawMessageErrorKind},
    },
};
use balance_events::subject::{self, STREAM};
use domain::ids::LedgerId;
use serde::Deserialize;

use self::{
    connection::Connection,
    stream::{unfit, wanted},
};
use crate::{
    broker::{Broker, BrokerFault, Message, Session, Stored},
    run::Config,
    seen::{Seen, StreamSettings},
};

/// The first server that takes message ids in atomic batches: 2.12.0 refuses them, older ones pass
/// over what asks for a batch.
const VERSION_MIN: [u64; 3] = [2, 12, 1];

/// A nats-server, and the stream as it must be.
pub struct Nats {
    config: Config,
}

/// A connection, and the stream's last sequence when it was opened.
#[derive(Debug)]
pub struct NatsSession {
    connection: Connection,
    stream: jetstream::stream::Stream,
    last_sequence: u64,
}

impl Nats {
    pub(crate) const fn new(config: Config) -> Self {
        Self { config }
    }
}

/// Looks at a nats-server and the stream of balance events, and changes nothing.
///
/// # Errors
/// The server doesn't answer, or doesn't let us.
pub async fn look(config: &Config) -> Result<Seen, BrokerFault> {
    let connection = Connection::open(&config.access, "tallyhook doctor").await?;
    let server = connection.client.server_info();
    let (version, has_jetstream) = (server.version, server.jetstream);
    let mut stream = None;
    if has_jetstream {
        let context = jetstream::new(connection.client.clone());
        stream = connection.permitted(find(&context, STREAM)).await?;
    }
    let stream = stream.map(|stream| settings(stream.cached_info(), config.replicas));
    Ok(Seen { is_new_enough: is_new_enough(&version), version, has_jetstream, stream })
}

fn settings(found: &StreamInfo, replicas: usize) -> StreamSettings {
    StreamSettings {
        unfit: unfit(&found.config, replicas),
        replicas: found.config.num_replicas,
        duplicate_window: found.config.duplicate_window,
        messages: found.state.messages,
        bytes: found.state.bytes,
    }
}

/// A stream, where it is there.
async fn find(
    context: &Context,
    name: &str,
) -> Result<Option<jetstream::stream::Stream>, BrokerFault> {
    match context.get_stream(name).await {
        Ok(stream) => Ok(Some(stream)),
        Err(fault) => match fault.kind() {
            GetStreamErrorKind::JetStream(refusal)
                if refusal.error_code() == ErrorCode::STREAM_NOT_FOUND =>
            {
                Ok(None)
            }
            GetStreamErrorKind::JetStream(refusal) => Err(refused(&refusal)),
            GetStreamErrorKind::EmptyName
            | GetStreamErrorKind::Request
            | GetStreamErrorKind::InvalidStreamName => Err(away("look at the stream", fault)),
        },
    }
}

/// Makes a stream.
async fn create(
    context: &Context,
    wanted: jetstream::stream::Config,
) -> Result<jetstream::stream::Stream, BrokerFault> {
    let name = wanted.name.clone();
    let created = context.create_stream(wanted).await;
    if let Err(fault) = created {
        return Err(match fault.kind() {
            CreateStreamErrorKind::JetStream(refusal) => refused(&refusal),
            CreateStreamErrorKind::EmptyStreamName
            | CreateStreamErrorKind::InvalidStreamName
            | CreateStreamErrorKind::DomainAndExternalSet
            | CreateStreamErrorKind::JetStreamUnavailable
            | CreateStreamErrorKind::TimedOut
            | CreateStreamErrorKind::Response
            | CreateStreamErrorKind::NotFound
            | CreateStreamErrorKind::ResponseParse => away("create the stream", fault),
        });
    }
    // What was created is looked at like any other: an older server passes over what it doesn't know.
    find(context, &name).await?.ok_or(BrokerFault::Moved)
}

impl Broker for Nats {
    type Session = NatsSession;

    /// Connects, checks the server, creates the stream where it is absent and checks it.
    async fn open(&self) -> Result<NatsSession, BrokerFault> {
        let Config { access, replicas } = &self.config;
        let connection = Connection::open(access, "tallyhook publisher").await?;
        let found = connection.client.server_info().version;
        if !is_new_enough(&found) {
            return Err(BrokerFault::ServerTooOld { found });
        }
        let context = jetstream::new(connection.client.clone());
        let stream = match connection.permitted(find(&context, STREAM)).await? {
            Some(stream) => stream,
            None => connection.permitted(create(&context, wanted(*replicas))).await?,
        };
        if let Some(what) = unfit(&stream.cached_info().config, *replicas) {
            return Err(BrokerFault::StreamUnfit { stream: STREAM, what });
        }
        let last_sequence = stream.cached_info().state.last_sequence;
        Ok(NatsSession { connection, stream, last_sequence })
    }
}

impl Session for NatsSession {
    fn last_sequence(&self) -> u64 {
        self.last_sequence
    }

    async fn last_of(&self, ledger: &LedgerId) -> Result<Option<Stored>, BrokerFault> {
        let subjects = subject::ledger_subjects(ledger.as_str());
        let asked = async {
            match self.stream.get_last_raw_message_by_subject(&subjects).await {
                Ok(message) => Ok(Some(stored(&message))),
                Err(fault) if fault.kind() == LastRawMessageErrorKind::NoMessageFound => Ok(None),
                Err(fault) => Err(away("look for the last message", fault)),
            }
        };
        self.connection.permitted(asked).await
    }

    async fn publish(&mut self, after: u64, batch: &[Message]) -> Result<u64, BrokerFault> {
        let Some((last, before)) = batch.split_last() else { return Ok(after) };
        // An inbox is unique; its last token is an id as batches need one.
        let client = &self.connection.client;
        let inbox = client.new_inbox();
        let id = inbox.rsplit('.').next().unwrap_or(&inbox);
        for (index, message) in before.iter().enumerate() {
            let headers = headers(message, id, (index, after));
            client
                .publish_with_headers(message.subject(), headers, message.body.clone())
                .await
                .map_err(|fault| away("publish", fault))?;
        }
        let mut headers = headers(last, id, (before.len(), after));
        headers.insert("Nats-Batch-Commit", "1");
        let request = Request::new().headers(headers).payload(last.body.clone());
        let asked = async {
            let answer = client.send_request(last.subject(), request).await;
            answer.map_err(|fault| away("publish", fault))
        };
        let answer = self.connection.permitted(asked).await?;
        acknowledged(&answer.payload, after, u64::try_from(batch.len()).unwrap_or(u64::MAX))
    }

    fn is_connected(&self) -> bool {
        self.connection.is_connected()
    }
}

/// The headers of a batch's message with this index; the first names the sequence that the stream
/// must end with.
fn headers(message: &Message, batch: &str, (index, after): (usize, u64)) -> HeaderMap {
    let mut headers = HeaderMap::new();
    headers.insert(NATS_MESSAGE_ID, message.id());
    headers.insert("Nats-Batch-Id", batch);
    headers.insert("Nats-Batch-Sequence", index.saturating_add(1).to_string());
    if index == 0 {
        headers.insert(NATS_EXPECTED_LAST_SEQUENCE, after.to_string());
    }
    headers
}

fn away(doing: &'static str, source: impl Into<async_nats::Error>) -> BrokerFault {
    BrokerFault::Away { doing, source: source.into() }
}

/// JetStream's own refusal.
fn refused(refusal: &jetstream::Error) -> BrokerFault {
    let description = refusal.to_string();
    BrokerFault::Refused { code: refusal.error_code().0, description }
}

fn stored(message: &StreamMessage) -> Stored {
    let id = message.headers.get(NATS_MESSAGE_ID).map(|id| id.as_str().to_owned());
    Stored { sequence: message.sequence, id }
}

/// The answer to the last message of a batch.
#[derive(Deserialize)]
struct Answer {
    #[serde(default)]
    error: Option<Refusal>,
    #[serde(default)]
    seq: u64,
    #[serde(default)]
    count: u64,
    #[serde(default)]
    duplicate: bool,
}

#[derive(Deserialize)]
struct Refusal {
    err_code: u64,
    #[serde(default)]
    description: String,
}

/// The stream's last sequence after a batch of `count` messages followed `last`.
fn acknowledged(answer: &[u8], last: u64, count: u64) -> Result<u64, BrokerFault> {
    let answer: Answer =
        serde_json::from_slice(answer).map_err(|fault| away("read an answer", fault))?;
    if let Some(Refusal { err_code: code, description }) = answer.error {
        let moved = [
            ErrorCode::STREAM_WRONG_LAST_SEQUENCE,
            ErrorCode::STREAM_WRONG_LAST_SEQUENCE_CONSTANT,
            ErrorCode::ATOMIC_PUBLISH_INCOMPLETE_BATCH,
            ErrorCode::ATOMIC_PUBLISH_CONTAINS_DUPLICATE_MESSAGE,
        ];
        let is_moved = moved.contains(&ErrorCode(code));
        return Err(if is_moved {
            BrokerFault::Moved
        } else {
            BrokerFault::Refused { code, description }
        });
    }
    let expected = last.saturating_add(count);
    if answer.seq == expected && answer.count == count && !answer.duplicate {
        Ok(expected)
    } else {
        Err(BrokerFault::Moved)
    }
}

/// Whether a server of this version has what we need. Suffixes don't count.
fn is_new_enough(version: &str) -> bool {
    let release = version.split('-').next().unwrap_or(version);
    let numbers: Option<Vec<u64>> = release.split('.').map(|part| part.parse().ok()).collect();
    numbers.is_some_and(|numbers| numbers.as_slice() >= VERSION_MIN.as_slice())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn servers_before_2_12_1_are_too_old() {
        for (version, expected) in [
            ("2.9.10", false),
            ("2.11.99", false),
            ("1.20.0", false),
            ("2.12.0", false),
            ("2.12.1", true),
            ("2.12.1-RC.3", true),
            ("2.13.0", true),
            ("2.15.1", true),
            ("3.0", true),
            ("", false),
            ("2", false),
            ("two.twelve", false),
        ] {
            assert_eq!(is_new_enough(version), expected, "{version}");
        }
    }

    #[test]
    fn only_the_expected_answer_is_an_acknowledgement() {
        let stored = br#"{"stream":"TALLYHOOK_BALANCES","seq":12,"batch":"b","count":2}"#;
        assert_eq!(acknowledged(stored, 10, 2).unwrap(), 12);
        assert!(matches!(acknowledged(stored, 11, 2), Err(BrokerFault::Moved)));
        let wrong =
            br#"{"error":{"code":400,"err_code":10071,"description":"wrong last"},"seq":0}"#;
        assert!(matches!(acknowledged(wrong, 10, 2), Err(BrokerFault::Moved)));
        let full = br#"{"error":{"code":503,"err_code":10077,"description":"no space"}}"#;
        assert!(matches!(acknowledged(full, 10, 2), Err(BrokerFault::Refused { code: 10077, .. })));
        assert!(matches!(acknowledged(b"", 10, 2), Err(BrokerFault::Away { .. })));
    }
}
