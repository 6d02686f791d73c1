//! The stream of signed checkpoints: one message for each, in the order in which they were signed.

use async_nats::{
    HeaderMap, Request,
    header::{NATS_EXPECTED_LAST_SUBJECT_SEQUENCE, NATS_MESSAGE_ID},
    jetstream::{
        self, ErrorCode,
        stream::{Config as StreamConfig, LastRawMessageErrorKind, StorageType, Stream},
    },
};
use domain::ids::LedgerId;
use proof::checkpoint::{Checkpoint, Published};

use super::{Answer, Refusal, away, connection::Connection, create, find};
use crate::{
    broker::BrokerFault,
    courier::{STREAM, subject, subjects},
    run::Config,
};

/// A connection to the stream.
pub(crate) struct CheckpointStream {
    connection: Connection,
    stream: Stream,
}

/// The last message of a ledger.
pub(crate) struct Last {
    /// Its place in the stream; 0 where there is none.
    pub(crate) sequence: u64,
    /// The checkpoint that it has; none where there is no message, or something else in it.
    pub(crate) published: Option<Published>,
}

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

    /// The last message of a ledger, whoever sent it.
    pub(crate) async fn last_of(&self, ledger: &LedgerId) -> Result<Last, BrokerFault> {
        let subject = subject(ledger);
        let asked = async {
            match self.stream.get_last_raw_message_by_subject(&subject).await {
                Ok(message) => {
                    let note = String::from_utf8(message.payload.to_vec()).ok();
                    let published = note.and_then(|note| {
                        let checkpoint = Checkpoint::unverified(&note).ok()?;
                        Some(Published { checkpoint, note })
                    });
                    Ok(Last { sequence: message.sequence, published })
                }
                Err(fault) if fault.kind() == LastRawMessageErrorKind::NoMessageFound => {
                    Ok(Last { sequence: 0, published: None })
                }
                Err(fault) => Err(away("look for the last checkpoint", fault)),
            }
        };
        self.connection.permitted(asked).await
    }

    /// Adds a checkpoint behind the ledger's last message, which is the one in this place.
    pub(crate) async fn add(
        &self,
        ledger: &LedgerId,
        after: u64,
        published: &Published,
    ) -> Result<(), BrokerFault> {
        let mut headers = HeaderMap::new();
        let id = format!("{ledger}/{}", published.checkpoint.size);
        headers.insert(NATS_MESSAGE_ID, id.as_str());
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

fn acknowledged(answer: &[u8]) -> Result<(), BrokerFault> {
    let answer: Answer =
        serde_json::from_slice(answer).map_err(|fault| away("read an answer", fault))?;
    match answer.error {
        None => Ok(()),
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
        assert!(acknowledged(br#"{"stream":"TALLYHOOK_CHECKPOINTS","seq":1}"#).is_ok());
        let moved = br#"{"error":{"code":400,"err_code":10071,"description":"wrong last"}}"#;
        assert!(matches!(acknowledged(moved), Err(BrokerFault::Moved)));
        let full = br#"{"error":{"code":503,"err_code":10077,"description":"no space"}}"#;
        assert!(matches!(acknowledged(full), Err(BrokerFault::Refused { code: 10077, .. })));
        assert!(matches!(acknowledged(b""), Err(BrokerFault::Away { .. })));
    }
}
