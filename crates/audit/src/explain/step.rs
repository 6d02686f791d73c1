//! One record, from what came in to what proves it.

use domain::{
    ids::{Digest, LedgerId, Sequence},
    input::{BackFill, Delivery, Evidence, Freshness, Input, Listing, Reality, Signature},
    record::Record,
    time::Timestamp,
};
use event_store::{
    chain::Hash,
    erasure::erased_by,
    log::{EventLog, ReadError, Recorded, body_digest},
};
use serde_json::Value;

use super::words;
use crate::{
    conversion::{Conversion, Policies},
    names,
};

/// A record as a person reads it.
#[derive(Clone, Debug)]
pub struct Step {
    /// Its place in the log.
    pub sequence: Sequence,
    /// When it was recorded.
    pub recorded_at: Timestamp,
    /// When the provider says that it happened.
    pub happened_at: Option<Timestamp>,
    /// Its hash in the chain, which covers all records before it.
    pub hash: Hash,
    /// What came in.
    pub said: String,
    /// What became of it.
    pub outcome: String,
    /// The version of the program's rules that decided.
    pub rules: u16,
    /// The policy that decided; none where none was asked.
    pub policy: Option<DecidedBy>,
    /// How money became credits.
    pub conversion: Option<Conversion>,
    /// What changed, in order.
    pub changes: Vec<String>,
    /// What moved between the books, in order.
    pub moved: Vec<String>,
    /// What usage said of itself: each value as its text.
    pub metadata: Vec<(String, String)>,
    /// Why it is believed.
    pub evidence: Proof,
    /// SHA-256 of the bytes that came in.
    pub body: Digest,
    /// These bytes, where they were asked for.
    pub raw: Option<Raw>,
}

/// A version of the policy that decided.
#[derive(Clone, Debug)]
pub struct DecidedBy {
    /// Its version.
    pub version: u32,
    /// Its name; none where no record that is known puts it in force.
    pub name: Option<String>,
    /// The record that put it in force.
    pub activated: Option<Sequence>,
}

/// Why an input is believed.
#[derive(Clone, Debug)]
pub enum Proof {
    /// A provider's event.
    Event {
        /// Where it came in.
        source: String,
        /// What it is known by.
        event: String,
        /// The provider's name for its kind.
        event_type: Option<String>,
        /// When it was received.
        received_at: Timestamp,
        /// Who vouches for it, in words.
        vouched: String,
        /// What is unusual about it.
        marks: Vec<&'static str>,
    },
    /// A command.
    Command {
        /// The id of what it makes.
        id: String,
        /// The caller's key.
        key: String,
        /// Who asked.
        actor: String,
        /// What is asked, by its name in the API.
        order: &'static str,
    },
}

/// The bytes that came in.
#[derive(Clone, Debug)]
pub enum Raw {
    /// As they are, where they are text.
    Text(String),
    /// In hexadecimal digits, where they are none.
    Hex(String),
    /// They were erased by this record.
    Erased(Sequence),
    /// None were kept.
    None,
}

impl Step {
    pub(super) fn of(recorded: &Recorded, policies: &Policies) -> Self {
        let record = recorded.record();
        let decision = &record.decision;
        let (said, happened_at) = match &record.input {
            Input::Delivery(delivery) => (words::delivery(delivery), delivery.occurred_at),
            Input::Command(command) => (words::order(&command.order), None),
        };
        Self {
            sequence: record.sequence,
            recorded_at: record.recorded_at,
            happened_at,
            hash: recorded.hash(),
            said,
            outcome: words::outcome(decision.outcome),
            rules: decision.rules,
            policy: decision.policy.map(|version| DecidedBy::of(version, policies)),
            conversion: Conversion::of(record, policies),
            changes: decision.effects.iter().filter_map(words::effect).collect(),
            moved: decision.transfers.iter().map(words::transfer).collect(),
            metadata: metadata(record),
            evidence: proof(&record.input),
            body: body_digest(record),
            raw: None,
        }
    }

    /// Adds the bytes that came in.
    pub(super) fn read(&mut self, log: &dyn EventLog, ledger: &LedgerId) -> Result<(), ReadError> {
        let bytes = log.body(ledger, self.sequence)?.filter(|bytes| !bytes.is_empty());
        self.raw = Some(match bytes.map(String::from_utf8) {
            Some(Ok(text)) => Raw::Text(text),
            Some(Err(no_text)) => Raw::Hex(hex::encode(no_text.as_bytes())),
            None => match erased_by(log, ledger, self.sequence)? {
                Some(by) => Raw::Erased(by),
                None => Raw::None,
            },
        });
        Ok(())
    }
}

impl DecidedBy {
    fn of(version: u32, policies: &Policies) -> Self {
        let activated = policies.version(version);
        Self {
            version,
            name: activated.map(|activated| activated.policy.name.to_string()),
            activated: activated.map(|activated| activated.sequence),
        }
    }
}

/// What usage said of itself. Texts lose their quotes; numbers stay as they were written.
pub(crate) fn metadata(record: &Record) -> Vec<(String, String)> {
    let said = names::metadata(record).map(|(_, metadata)| metadata.entries());
    let entries = said.into_iter().flatten().map(|(name, value)| (name.to_string(), plain(value)));
    entries.collect()
}

/// A JSON scalar as its text.
pub(super) fn plain(value: &str) -> String {
    match serde_json::from_str(value) {
        Ok(Value::String(text)) => text,
        Ok(_) | Err(_) => value.to_owned(),
    }
}

fn proof(input: &Input) -> Proof {
    match input {
        Input::Delivery(delivery) => Proof::Event {
            source: delivery.source.to_string(),
            event: words::event(&delivery.event),
            event_type: delivery.event_type.as_deref().map(str::to_owned),
            received_at: delivery.received_at,
            vouched: vouched(&delivery.evidence),
            marks: marks(delivery),
        },
        Input::Command(command) => Proof::Command {
            id: command.id.to_string(),
            key: command.key.to_string(),
            actor: command.actor.to_string(),
            order: command.order.name(),
        },
    }
}

fn vouched(evidence: &Evidence) -> String {
    match evidence {
        Evidence::Signed(Signature { header, secret, signed_at }) => {
            let secret = hex::encode(secret);
            format!(
                "signed at {signed_at} with the secret whose SHA-256 begins with {secret}: {header}"
            )
        }
        Evidence::BackFilled(BackFill { actor, listing }) => {
            let list = match listing {
                Listing::Events => "events",
                Listing::Payments => "payments",
                Listing::Adjustments => "adjustments",
            };
            format!("brought in by {actor} from the provider's list of {list}; nobody signed it")
        }
    }
}

fn marks(delivery: &Delivery) -> Vec<&'static str> {
    let late = match delivery.freshness {
        Freshness::Fresh => None,
        Freshness::Old => Some("it was signed longer ago than allowed"),
        Freshness::Future => Some("it was signed further in the future than allowed"),
    };
    let simulated = match delivery.reality {
        Reality::Genuine => None,
        Reality::Simulated => Some("the provider's simulator made it"),
    };
    late.into_iter().chain(simulated).collect()
}
