//! What a record is, in plain words: for whoever looks at some of many.

use domain::{
    decision::{Outcome, Transfer},
    ids::EventKey,
    input::{Evidence, Input, Listing},
    notice::Notice,
    record::Record,
};

use crate::sums::Sum;

/// What came in.
#[must_use]
pub fn what(record: &Record) -> String {
    match &record.input {
        Input::Command(command) => {
            format!("{} by {}, key {}", command.order.name(), command.actor, command.key)
        }
        Input::Delivery(delivery) => {
            let kind = delivery.event_type.as_deref().unwrap_or("a delivery");
            let event = match &delivery.event {
                EventKey::Event { id, .. } => format!(", event {id}"),
                EventKey::Body { .. } => String::new(),
            };
            let about = match &delivery.notice {
                Ok(Notice::Purchase(purchase)) => format!(" of {}", purchase.payment.id),
                Ok(Notice::Adjustment(adjustment)) => {
                    format!(" {} of {}", adjustment.id, adjustment.payment.id)
                }
                Ok(Notice::Nothing) => String::new(),
                Err(_) => ", which can't be read".to_owned(),
            };
            format!("{kind}{about}{event}")
        }
    }
}

/// Why it was believed.
#[must_use]
pub fn belief(record: &Record) -> String {
    match &record.input {
        Input::Command(command) => format!("command of the token {}", command.actor),
        Input::Delivery(delivery) => match &delivery.evidence {
            Evidence::Signed(signature) => format!(
                "signed by the provider at {} with the secret {}: {}",
                signature.signed_at,
                hex::encode(signature.secret),
                signature.header
            ),
            Evidence::BackFilled(back_fill) => {
                let list = match back_fill.listing {
                    Listing::Events => "events",
                    Listing::Payments => "payments",
                    Listing::Adjustments => "adjustments",
                };
                let actor = &back_fill.actor;
                format!(
                    "brought in by {actor} from the provider's list of {list}; nobody signed it"
                )
            }
        },
    }
}

/// What became of it.
#[must_use]
pub const fn outcome(record: &Record) -> &'static str {
    match record.decision.outcome {
        Outcome::Recorded => "recorded",
        Outcome::Ignored => "ignored",
        Outcome::Conflict { .. } => "conflict",
        Outcome::Quarantined(_) => "quarantined",
        Outcome::Done => "done",
    }
}

/// The credits that it moved, whatever the direction.
#[must_use]
pub fn moved(record: &Record) -> Sum {
    record.decision.transfers.iter().fold(Sum::ZERO, |sum, transfer| match transfer {
        Transfer::Credits { amount, .. } => sum.plus(Sum::of(*amount)),
        Transfer::Money { .. } => sum,
    })
}
