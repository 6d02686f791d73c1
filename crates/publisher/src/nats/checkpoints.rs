//! The stream of signed checkpoints: one message for each, in the order in which they were signed.

use async_nats::{
    HeaderMap, Request,
    header::NATS_EXPECTED_LAST_SUBJECT_SEQUENCE,
    jetstream::{
        self, ErrorCode,
        message::StreamMessage,
        stream::{
            Config as StreamConfig, RawMessageError, RawMessageErrorKind, StorageType, Stream,
        },
    },
};
use domain::ids::LedgerId;
use proof::{
    checkpoint::{Checkpoint, Published},
    note::VerifierKey,
};

use super::{Answer, Refusal, away, connection::Connection, create, find};
use crate::{
    broker::BrokerFault,
    courier::{Last, STREAM, subject, subjects},
    run::Config,
};

/// A connection to the stream.
pub(crate) struct CheckpointStream {
    connection: Connection,
    stream: Stream,
}

/// How many messages are looked at behind a last one that is not believed.
const LOOK_BACK_MAX: u64 = 1_000;

impl CheckpointStream {
    /// Connects, and makes the stream where it is absent.
    pub(crate) async fn open(config: &Config) -> Result<Self, BrokerFault> {
        let connection = Connection::open(&config.access, "tallyhook checkpoints").await?;
        let context = jetstream::new(connection.client.clone());
        let stream = match connection.permitted(find(&context, STREAM)).await? {
            Some(stream) => stream,
            None => connection.permitted(create(&context, wanted(config.replicas))).await?,
        };
        Ok(Self { connection, stream })
    }

    /// The end of a ledger's subject. What these keys did not sign is passed over, as anybody may
    /// have sent it: neither can it accuse a log, nor hide what was signed before it.
    pub(crate) async fn last_of(
        &self,
        ledger: &LedgerId,
        keys: &[VerifierKey],
    ) -> Result<Last, BrokerFault> {
        let subject = subject(ledger);
        let asked = async { found(self.stream.get_last_raw_message_by_subject(&subject).await) };
        let Some(message) = self.connection.permitted(asked).await? else {
            return Ok(Last { place: 0, published: None, is_strange: false });
        };
        let place = message.sequence;
        let mut published = believed(&message.payload, keys);
        let is_strange = published.is_none();
        let mut earlier = (place.saturating_sub(LOOK_BACK_MAX).max(1)..place).rev();
        while published.is_none() {
            let Some(place) = earlier.next() else { break };
            let asked = async { found(self.stream.get_raw_message(place).await) };
            let message = self.connection.permitted(asked).await?;
            let message = message.filter(|message| message.subject.as_str() == subject);
            published = message.and_then(|message| believed(&message.payload, keys));
        }
        Ok(Last { place, published, is_strange })
    }

    /// Adds a checkpoint behind the ledger's last message, which is the one in this place, and gives
    /// its own. What is repeated after an answer was lost no longer has that place, so that no id is
    /// needed, by which another log's would be taken for it.
    pub(crate) async fn add(
        &self,
        ledger: &LedgerId,
        after: u64,
        published: &Published,
    ) -> Result<u64, BrokerFault> {
        let mut headers = HeaderMap::new();
        headers.insert(NATS_EXPECTED_LAST_SUBJECT_SEQUENCE, after.to_string());
        let payload = published.note.clone().into_bytes().into();
        let request = Request::new().headers(headers).payload(payload);
        let asked = async {
            let answer = self.connection.client.send_request(subject(ledger), request).await;
            answer.map_err(|fault| away("publish a checkpoint", fault))
        };
        let answer = self.connection.permitted(asked).await?;
        acknowledged(&answer.payload)
    }
}

fn found(
    answer: Result<StreamMessage, RawMessageError>,
) -> Result<Option<StreamMessage>, BrokerFault> {
    match answer {
        Ok(message) => Ok(Some(message)),
        Err(fault) if fault.kind() == RawMessageErrorKind::NoMessageFound => Ok(None),
        Err(fault) => Err(away("look for the last checkpoint", fault)),
    }
}

/// The checkpoint that one of these keys signed; none where a message has anything else.
fn believed(payload: &[u8], keys: &[VerifierKey]) -> Option<Published> {
    let note = std::str::from_utf8(payload).ok()?;
    let checkpoint = Checkpoint::open(note, keys).ok()?;
    Some(Published { checkpoint, note: note.to_owned() })
}

/// The place of what was added.
fn acknowledged(answer: &[u8]) -> Result<u64, BrokerFault> {
    let answer: Answer =
        serde_json::from_slice(answer).map_err(|fault| away("read an answer", fault))?;
    match answer.error {
        None => Ok(answer.seq),
        Some(Refusal { err_code, .. })
            if ErrorCode(err_code) == ErrorCode::STREAM_WRONG_LAST_SEQUENCE =>
        {
            Err(BrokerFault::Moved)
        }
        Some(Refusal { err_code: code, description }) => {
            Err(BrokerFault::Refused { code, description })
        }
    }
}

/// Nobody can take a checkpoint out of the stream again, but by deleting all of it.
fn wanted(replicas: usize) -> StreamConfig {
    StreamConfig {
        name: STREAM.to_owned(),
        description: Some("tallyhook: signed checkpoints of every ledger".to_owned()),
        subjects: vec![subjects()],
        storage: StorageType::File,
        max_messages: -1,
        max_bytes: -1,
        max_messages_per_subject: -1,
        num_replicas: replicas,
        allow_direct: true,
        deny_delete: true,
        deny_purge: true,
        ..StreamConfig::default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_with_an_error_is_no_acknowledgement() {
        let added = acknowledged(br#"{"stream":"TALLYHOOK_CHECKPOINTS","seq":7}"#);
        assert!(matches!(added, Ok(7)));
        let moved = br#"{"error":{"code":400,"err_code":10071,"description":"wrong last"}}"#;
        assert!(matches!(acknowledged(moved), Err(BrokerFault::Moved)));
        let full = br#"{"error":{"code":503,"err_code":10077,"description":"no space"}}"#;
        assert!(matches!(acknowledged(full), Err(BrokerFault::Refused { code: 10077, .. })));
        assert!(matches!(acknowledged(b""), Err(BrokerFault::Away { .. })));
    }
}
