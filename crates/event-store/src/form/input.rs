//! The form of what came in.
//!
//! ```text
//! input       01 | delivery, signed      02 | command      03 | delivery, back-filled
//! delivery    source text | event key | event_type? text | occurred_at? 8 | received_at 8
//!             | body 32 | content 32 | evidence | freshness 1 | reality 1
//!             | (01 | notice) or (02 | unreadable)
//! evidence    signature, where the delivery is signed; else (02 | back-fill)
//! signature   header text | secret 4 | signed_at 8
//! back-fill   actor text | listing 1
//! unreadable  fault 1 | detail text
//! command     key text | id 16 | actor text | request 32 | order
//! settings    mode 1 | stale 1 | account_from: text .. | tolerance_seconds? v | future_seconds v
//! ```
//!
//! Deliveries could be back-filled after input 1 was written: a signed delivery is still written as
//! it was, so that it has one form, and every other under a number of its own.

use std::sync::Arc;

use domain::{
    ids::{Digest, EventKey, SourceName},
    input::{
        BackFill, Command, Delivery, Evidence, Freshness, Input, Listing, Mode, Reality, Settings,
        Signature, Stale, Unreadable, UnreadableFault,
    },
    notice::Notice,
    time::Timestamp,
};

use super::{
    Form, FormFault, Reader, Writer,
    table::{fields, variants},
};

/// The inputs that are written as before a delivery could be anything but signed.
enum First {
    Delivery(FirstDelivery),
}

variants!(First, "input" {
    1 => Delivery(delivery),
});

/// The form of all other inputs.
trait Newest: Sized {
    fn put(&self, to: &mut Writer);

    fn take(from: &mut Reader<'_>) -> Result<Self, FormFault>;
}

variants!(Input: Newest, "input" {
    2 => Command(command),
    3 => Delivery(delivery),
});

impl Form for Input {
    fn put(&self, to: &mut Writer) {
        let first = match self {
            Self::Delivery(delivery) => FirstDelivery::of(delivery),
            Self::Command(_) => None,
        };
        match first {
            Some(first) => First::Delivery(first).put(to),
            None => Newest::put(self, to),
        }
    }

    fn take(from: &mut Reader<'_>) -> Result<Self, FormFault> {
        let offset = from.offset();
        if from.next_byte()? == 1 {
            let First::Delivery(delivery) = First::take(from)?;
            return Ok(Self::Delivery(Box::new(delivery.into_delivery())));
        }
        let input = <Self as Newest>::take(from)?;
        match &input {
            Self::Delivery(delivery) if delivery.evidence.signature().is_some() => {
                Err(FormFault::NotCanonical { of: "input", offset })
            }
            Self::Delivery(_) | Self::Command(_) => Ok(input),
        }
    }
}

/// A signed delivery: its evidence has no tag.
pub(super) struct FirstDelivery {
    source: SourceName,
    event: EventKey,
    event_type: Option<Arc<str>>,
    occurred_at: Option<Timestamp>,
    received_at: Timestamp,
    body: Digest,
    content: Digest,
    evidence: Signature,
    freshness: Freshness,
    reality: Reality,
    notice: Result<Notice, Unreadable>,
}

fields!(FirstDelivery {
    source,
    event,
    event_type,
    occurred_at,
    received_at,
    body,
    content,
    evidence,
    freshness,
    reality,
    notice,
});

impl FirstDelivery {
    /// The delivery in its first form, if that says all.
    pub(super) fn of(delivery: &Delivery) -> Option<Self> {
        let evidence = delivery.evidence.signature()?.clone();
        Some(Self {
            source: delivery.source.clone(),
            event: delivery.event.clone(),
            event_type: delivery.event_type.clone(),
            occurred_at: delivery.occurred_at,
            received_at: delivery.received_at,
            body: delivery.body,
            content: delivery.content,
            evidence,
            freshness: delivery.freshness,
            reality: delivery.reality,
            notice: delivery.notice.clone(),
        })
    }

    pub(super) fn into_delivery(self) -> Delivery {
        Delivery {
            source: self.source,
            event: self.event,
            event_type: self.event_type,
            occurred_at: self.occurred_at,
            received_at: self.received_at,
            body: self.body,
            content: self.content,
            evidence: Evidence::Signed(self.evidence),
            freshness: self.freshness,
            reality: self.reality,
            notice: self.notice,
        }
    }
}

fields!(Delivery {
    source,
    event,
    event_type,
    occurred_at,
    received_at,
    body,
    content,
    evidence,
    freshness,
    reality,
    notice,
});

variants!(Evidence, "evidence" {
    1 => Signed(signature),
    2 => BackFilled(back_fill),
});

fields!(Signature { header, secret, signed_at });

fields!(BackFill { actor, listing });

variants!(Listing, "list of a provider" {
    1 => Events,
    2 => Payments,
    3 => Adjustments,
});

variants!(Freshness, "freshness" {
    1 => Fresh,
    2 => Old,
    3 => Future,
});

variants!(Reality, "reality" {
    1 => Genuine,
    2 => Simulated,
});

impl Form for Result<Notice, Unreadable> {
    fn put(&self, to: &mut Writer) {
        match self {
            Ok(notice) => {
                to.byte(1);
                notice.put(to);
            }
            Err(unreadable) => {
                to.byte(2);
                unreadable.put(to);
            }
        }
    }

    fn take(from: &mut Reader<'_>) -> Result<Self, FormFault> {
        let offset = from.offset();
        match from.byte()? {
            1 => Notice::take(from).map(Ok),
            2 => Unreadable::take(from).map(Err),
            tag => Err(FormFault::TagUnknown { of: "content of a delivery", tag, offset }),
        }
    }
}

fields!(Unreadable { fault, detail });

variants!(UnreadableFault, "fault" {
    1 => Malformed,
    2 => UnknownAction,
    3 => UnknownCurrency,
    4 => AmountInvalid,
});

fields!(Command { key, id, actor, request, order });

fields!(Settings { mode, stale, account_from, tolerance_seconds, future_seconds });

variants!(Mode, "mode" {
    1 => Live,
    2 => Sandbox,
});

variants!(Stale, "rule for stale deliveries" {
    1 => Accept,
    2 => Quarantine,
});
