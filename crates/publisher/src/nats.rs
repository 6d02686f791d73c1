//! NATS JetStream as the broker. The only module that names `async_nats`.

use std::{borrow::Cow, time::Duration};

use async_nats::{
    Client, ConnectOptions, HeaderMap, Request,
    connection::State as ConnectionState,
    header::{NATS_EXPECTED_LAST_SEQUENCE, NATS_MESSAGE_ID},
    jetstream::{
        self, ErrorCode,
        context::GetStreamErrorKind,
        message::StreamMessage,
        stream::{
            Config as StreamConfig, DiscardPolicy, Info as StreamInfo, LastRawMessageErrorKind,
            RetentionPolicy, StorageType,
        },
    },
};
use balance_events::subject;
use domain::ids::LedgerId;
use serde::Deserialize;

use crate::{
    broker::{Broker, BrokerFault, Message, Session, Stored},
    seen::{Seen, StreamSettings},
};

/// The stream that has all balance events.
const STREAM: &str = "TALLYHOOK_BALANCES";

/// How long the broker also finds repeated messages by itself: a second net that nothing needs.
const DUPLICATE_WINDOW: Duration = Duration::from_secs(120);

/// The first server that takes message ids in atomic batches: 2.12.0 refuses them, older ones pass
/// over what asks for a batch.
const VERSION_MIN: [u64; 3] = [2, 12, 1];

const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);
const REQUEST_TIMEOUT: Duration = Duration::from_secs(10);

/// A connection that is lost is given up soon: finding out where to go on is the caller's, on a
/// new one.
const RECONNECTS_MAX: usize = 2;

/// A nats-server by its address, which may hold a password.
pub struct Nats {
    url: String,
}

/// A connection, and the stream's last sequence when it was opened.
#[derive(Debug)]
pub struct NatsSession {
    client: Client,
    stream: jetstream::stream::Stream,
    last_sequence: u64,
}

impl Nats {
    pub(crate) const fn new(url: String) -> Self {
        Self { url }
    }
}

/// Looks at a nats-server and the stream of balance events, and changes nothing.
///
/// # Errors
/// The server doesn't answer.
pub async fn look(url: &str) -> Result<Seen, BrokerFault> {
    let client = connect(url, "tallyhook doctor").await?;
    let server = client.server_info();
    let (version, has_jetstream) = (server.version, server.jetstream);
    let mut stream = None;
    if has_jetstream {
        match jetstream::new(client).get_stream(STREAM).await {
            Ok(found) => stream = Some(settings(found.cached_info())),
            Err(fault) if is_stream_absent(&fault.kind()) => {}
            Err(fault) => return Err(away("look at the stream", fault)),
        }
    }
    Ok(Seen { is_new_enough: is_new_enough(&version), version, has_jetstream, stream })
}

fn settings(found: &StreamInfo) -> StreamSettings {
    StreamSettings {
        unfit: unfit(&found.config).map(Cow::into_owned),
        replicas: found.config.num_replicas,
        duplicate_window: found.config.duplicate_window,
        messages: found.state.messages,
        bytes: found.state.bytes,
    }
}

async fn connect(url: &str, name: &str) -> Result<Client, BrokerFault> {
    ConnectOptions::new()
        .name(name)
        .connection_timeout(CONNECT_TIMEOUT)
        .request_timeout(Some(REQUEST_TIMEOUT))
        .max_reconnects(RECONNECTS_MAX)
        .connect(url)
        .await
        .map_err(|fault| away("connect", fault))
}

impl Broker for Nats {
    type Session = NatsSession;

    /// Connects, checks the server, creates the stream where it is absent and checks it.
    async fn open(&self) -> Result<NatsSession, BrokerFault> {
        let client = connect(&self.url, "tallyhook publisher").await?;
        let found = client.server_info().version;
        if !is_new_enough(&found) {
            return Err(BrokerFault::ServerTooOld { found });
        }
        let context = jetstream::new(client.clone());
        let stream = match context.get_stream(STREAM).await {
            Ok(stream) => stream,
            Err(fault) if is_stream_absent(&fault.kind()) => {
                context
                    .create_stream(wanted())
                    .await
                    .map_err(|fault| away("create the stream", fault))?;
                context
                    .get_stream(STREAM)
                    .await
                    .map_err(|fault| away("look at the stream", fault))?
            }
            Err(fault) => return Err(away("look at the stream", fault)),
        };
        if let Some(what) = unfit(&stream.cached_info().config) {
            return Err(BrokerFault::StreamUnfit { stream: STREAM, what: what.into_owned() });
        }
        let last_sequence = stream.cached_info().state.last_sequence;
        Ok(NatsSession { client, stream, last_sequence })
    }
}

impl Session for NatsSession {
    fn last_sequence(&self) -> u64 {
        self.last_sequence
    }

    async fn last_of(&self, ledger: &LedgerId) -> Result<Option<Stored>, BrokerFault> {
        let subjects = subject::ledger_subjects(ledger.as_str());
        let message = match self.stream.get_last_raw_message_by_subject(&subjects).await {
            Ok(message) => message,
            Err(fault) if fault.kind() == LastRawMessageErrorKind::NoMessageFound => {
                return Ok(None);
            }
            Err(fault) => return Err(away("look for the last message", fault)),
        };
        Ok(Some(stored(&message)))
    }

    async fn publish(&mut self, after: u64, batch: &[Message]) -> Result<u64, BrokerFault> {
        let Some((last, before)) = batch.split_last() else { return Ok(after) };
        // An inbox is unique; its last token is an id as batches need one.
        let inbox = self.client.new_inbox();
        let id = inbox.rsplit('.').next().unwrap_or(&inbox);
        for (index, message) in before.iter().enumerate() {
            let headers = headers(message, id, (index, after));
            self.client
                .publish_with_headers(message.subject(), headers, message.body.clone())
                .await
                .map_err(|fault| away("publish", fault))?;
        }
        let mut headers = headers(last, id, (before.len(), after));
        headers.insert("Nats-Batch-Commit", "1");
        let request = Request::new().headers(headers).payload(last.body.clone());
        let answer = self.client.send_request(last.subject(), request);
        let answer = answer.await.map_err(|fault| away("publish", fault))?;
        acknowledged(&answer.payload, after, u64::try_from(batch.len()).unwrap_or(u64::MAX))
    }

    fn is_connected(&self) -> bool {
        self.client.connection_state() == ConnectionState::Connected
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

fn is_stream_absent(kind: &GetStreamErrorKind) -> bool {
    matches!(kind, GetStreamErrorKind::JetStream(fault)
        if fault.error_code() == ErrorCode::STREAM_NOT_FOUND)
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

/// The stream as it is created.
fn wanted() -> StreamConfig {
    StreamConfig {
        name: STREAM.to_owned(),
        description: Some("tallyhook: every change of every balance, in order".to_owned()),
        subjects: vec![subjects()],
        storage: StorageType::File,
        retention: RetentionPolicy::Limits,
        discard: DiscardPolicy::Old,
        max_messages: -1,
        max_bytes: -1,
        max_messages_per_subject: -1,
        duplicate_window: DUPLICATE_WINDOW,
        allow_direct: true,
        allow_atomic_publish: true,
        ..StreamConfig::default()
    }
}

fn subjects() -> String {
    format!("{}.>", subject::PREFIX)
}

/// What a stream has that we can't publish to exactly once, or that loses messages; `None` when
/// it will do. Replicas, the dedupe window and placement are the operator's.
fn unfit(found: &StreamConfig) -> Option<Cow<'static, str>> {
    let unlimited = |limit: i64| limit <= 0;
    let faults = [
        (found.subjects != [subjects()], "other subjects than `tallyhook.balances.>`"),
        (found.storage != StorageType::File, "storage other than file"),
        (found.retention != RetentionPolicy::Limits, "retention other than limits"),
        (found.discard != DiscardPolicy::Old, "discard other than old"),
        (!unlimited(found.max_messages), "a limit on messages"),
        (!unlimited(found.max_bytes), "a limit on bytes"),
        (!unlimited(found.max_messages_per_subject), "a limit on messages of a subject"),
        (!found.max_age.is_zero(), "a limit on age"),
        (!found.allow_direct, "no direct access (allow_direct)"),
        (!found.allow_atomic_publish, "no atomic batches (allow_atomic)"),
        (found.no_ack, "acknowledgements turned off (no_ack)"),
        (found.sealed, "been sealed"),
        (found.mirror.is_some(), "a mirror's configuration"),
        (found.sources.is_some(), "other streams as sources"),
        (found.subject_transform.is_some(), "a subject transform"),
    ];
    let what = faults.iter().filter(|(is_fault, _)| *is_fault).map(|(_, what)| *what);
    let what: Vec<&str> = what.collect();
    if what.is_empty() { None } else { Some(Cow::Owned(what.join(", "))) }
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
    fn a_stream_that_can_lose_or_repeat_is_unfit() {
        assert_eq!(unfit(&wanted()), None);
        let ignored = StreamConfig { allow_atomic_publish: false, max_bytes: 5, ..wanted() };
        let what = "a limit on bytes, no atomic batches (allow_atomic)";
        assert_eq!(unfit(&ignored).as_deref(), Some(what));
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
