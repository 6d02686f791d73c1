//! What a believed delivery says: from bytes to [`domain::input::Delivery`].
//!
//! Reading never fails. A body that can't be understood gives a delivery whose notice is the
//! reason, known by its event id where one can be read and by its SHA-256 where none can.

use std::sync::Arc;

use domain::{
    ids::{AccountId, Digest, EventId, EventKey, Origin, SourceName},
    input::{
        BackFill, Delivery, Evidence, Freshness, Listing, Reality, Unreadable, UnreadableFault,
    },
    notice::Notice,
    time::Timestamp,
};

use crate::{
    content,
    json::{self, Json, JsonFault},
    paddle,
    pointer::Pointer,
    source::{Provider, Source},
    verify::VerifiedDelivery,
};

/// All that the meaning of a body depends on, besides its bytes.
#[derive(Clone, Copy, Debug)]
pub struct Reading<'a> {
    /// Who sent it.
    pub provider: Provider,
    /// Where it came in.
    pub source: &'a SourceName,
    /// The namespace of the provider's ids.
    pub origin: &'a Origin,
    /// Where an event names the account; the first that is there wins.
    pub account_from: &'a [Pointer],
}

impl<'a> From<&'a Source> for Reading<'a> {
    fn from(source: &'a Source) -> Self {
        Self {
            provider: source.provider,
            source: &source.name,
            origin: &source.origin,
            account_from: &source.account_from,
        }
    }
}

impl Reading<'_> {
    /// The account that the event names: a string, or an integer as it is written, of 1 to 128
    /// bytes. A pointer at anything else counts as one at nothing, and the next is tried.
    pub(crate) fn account(&self, event: &Json<'_>) -> Option<AccountId> {
        self.account_from.iter().find_map(|pointer| match pointer.find(event)? {
            Json::Text(text) => AccountId::new(text).ok(),
            Json::Number(number) => {
                let integer = number.bytes().all(|byte| byte == b'-' || byte.is_ascii_digit());
                if integer { AccountId::new(number).ok() } else { None }
            }
            Json::Null | Json::Bool(_) | Json::Array(_) | Json::Object(_) => None,
        })
    }
}

/// What an event says, in any provider's words.
pub(crate) struct Said {
    pub(crate) event: Option<EventId>,
    pub(crate) event_type: Option<Arc<str>>,
    pub(crate) occurred_at: Option<Timestamp>,
    pub(crate) reality: Reality,
    pub(crate) notice: Result<Notice, Unreadable>,
}

/// Reads a verified delivery.
#[must_use]
pub fn read(source: &Source, verified: &VerifiedDelivery<'_>, received_at: Timestamp) -> Delivery {
    let belief = Belief {
        evidence: Evidence::Signed(verified.signature().clone()),
        freshness: verified.freshness(),
        received_at,
    };
    meaning(&source.into(), verified.body(), belief)
}

/// Reads what an operator brings in from one of the provider's lists: nobody signed it, so no age
/// can be held against it.
#[must_use]
pub fn read_back_filled(
    reading: &Reading<'_>,
    body: &[u8],
    back_fill: BackFill,
    received_at: Timestamp,
) -> Delivery {
    let evidence = Evidence::BackFilled(back_fill);
    let belief = Belief { evidence, freshness: Freshness::Fresh, received_at };
    meaning(reading, body, belief)
}

/// Reads the bytes of a recorded delivery again, as it would be read today with these settings.
///
/// Evidence, freshness and time of receipt are those of the record: they can't be found out twice.
/// All else comes from the bytes, so that every difference from the record shows.
#[must_use]
pub fn reread(reading: &Reading<'_>, body: &[u8], recorded: &Delivery) -> Delivery {
    let belief = Belief {
        evidence: recorded.evidence.clone(),
        freshness: recorded.freshness,
        received_at: recorded.received_at,
    };
    meaning(reading, body, belief)
}

/// What is known of a delivery from elsewhere than its bytes.
struct Belief {
    evidence: Evidence,
    freshness: Freshness,
    received_at: Timestamp,
}

fn meaning(reading: &Reading<'_>, body: &[u8], belief: Belief) -> Delivery {
    let raw = content::raw(body);
    let (content, said) = match json::parse(body) {
        Ok(parsed) => told(reading, parsed, listing(&belief.evidence), body.len()),
        Err(fault) => (raw, untold(fault)),
    };
    let origin = reading.origin.clone();
    let event = match said.event {
        Some(id) => EventKey::Event { origin, id },
        None => EventKey::Body { origin, digest: raw },
    };
    Delivery {
        source: reading.source.clone(),
        event,
        event_type: said.event_type,
        occurred_at: said.occurred_at,
        received_at: belief.received_at,
        body: raw,
        content,
        evidence: belief.evidence,
        freshness: belief.freshness,
        reality: said.reality,
        notice: said.notice,
    }
}

/// What bytes are: a signed delivery is always an event.
const fn listing(evidence: &Evidence) -> Listing {
    match evidence {
        Evidence::Signed(_) => Listing::Events,
        Evidence::BackFilled(back_fill) => back_fill.listing,
    }
}

fn told(reading: &Reading<'_>, parsed: Json<'_>, listing: Listing, size: usize) -> (Digest, Said) {
    match reading.provider {
        Provider::Paddle => {
            let content = content::digest(&parsed, paddle::VARIES_BY_DESTINATION, size);
            let said = match listing {
                Listing::Events => paddle::read(reading, &parsed),
                Listing::Payments => paddle::read_entity(reading, parsed, paddle::Entity::Payment),
                Listing::Adjustments => {
                    paddle::read_entity(reading, parsed, paddle::Entity::Adjustment)
                }
            };
            (content, said)
        }
    }
}

fn untold(fault: JsonFault) -> Said {
    let detail = Arc::from(format!("the body is {fault}"));
    Said {
        event: None,
        event_type: None,
        occurred_at: None,
        reality: Reality::Genuine,
        notice: Err(Unreadable { fault: UnreadableFault::Malformed, detail }),
    }
}
