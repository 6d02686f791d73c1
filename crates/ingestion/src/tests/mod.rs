//! The crate as its callers see it: scenarios through `verify`, `read` and `reread`.

mod adjustments;
mod content;
mod entities;
mod envelopes;
mod fixtures;
mod freshness;
mod json;
mod purchases;
mod vectors;

use domain::{
    ids::{Origin, SourceName},
    input::{Delivery, UnreadableFault},
    notice::Notice,
    time::Timestamp,
};
use serde_json::{Value, json};

use crate::{
    paddle,
    pointer::Pointer,
    read::read,
    secret::Secret,
    source::{Provider, Source},
    verify::{Headers, SignatureFault, VerifiedDelivery, verify},
};

/// When all scenarios happen, in seconds.
const NOW: i64 = 1_700_000_000;

fn secret() -> Secret {
    Secret::new("pdl_ntfset_test").unwrap()
}

fn source(secrets: Vec<Secret>) -> Source {
    Source {
        name: SourceName::new("paddle-main").unwrap(),
        origin: Origin::new("paddle").unwrap(),
        provider: Provider::Paddle,
        secrets,
        tolerance_seconds: None,
        future_seconds: 60,
        account_from: ["/data/custom_data/account_id", "/data/customer_id"]
            .map(|text| Pointer::new(text).unwrap())
            .to_vec(),
    }
}

fn now() -> Timestamp {
    Timestamp::from_seconds(NOW).unwrap()
}

/// Verifies one delivery with the header that is given.
fn check<'a>(
    source: &Source,
    header: &str,
    body: &'a [u8],
    now: Timestamp,
) -> Result<VerifiedDelivery<'a>, SignatureFault> {
    let headers =
        [("content-type", &b"application/json"[..]), ("paddle-signature", header.as_bytes())];
    verify(source, Headers(&headers), body, now)
}

/// Signs a body, verifies it and reads it.
fn deliver(body: &[u8]) -> Delivery {
    deliver_to(&source(vec![secret()]), body)
}

fn deliver_to(source: &Source, body: &[u8]) -> Delivery {
    let header = paddle::sign(&secret(), NOW, body);
    let verified = check(source, &header, body, now()).unwrap();
    read(source, &verified, now())
}

/// An event with this data.
fn event(event_type: &str, data: &Value) -> Vec<u8> {
    let event = json!({
        "event_id": "evt_01hv8x29kz0t586xy6zn1a62ny",
        "event_type": event_type,
        "occurred_at": "2024-04-12T10:18:49.738971Z",
        "notification_id": "ntf_01hv8x2acma2gz7he8kg2s0hna",
        "data": data,
    });
    serde_json::to_vec(&event).unwrap()
}

/// A value with the one at the pointer set, or taken away when `None`.
fn with(mut value: Value, pointer: &str, new: Option<Value>) -> Value {
    let (parent, key) = pointer.rsplit_once('/').unwrap();
    match (value.pointer_mut(parent).unwrap(), new) {
        (Value::Object(fields), Some(new)) => drop(fields.insert(key.to_owned(), new)),
        (Value::Object(fields), None) => drop(fields.remove(key)),
        (other, _) => panic!("no object at {parent}: {other}"),
    }
    value
}

/// The fault of a delivery's notice, and where.
fn fault(delivery: &Delivery) -> (UnreadableFault, &str) {
    match &delivery.notice {
        Err(unreadable) => (unreadable.fault, &unreadable.detail),
        Ok(notice) => panic!("readable: {notice:?}"),
    }
}

fn notice(delivery: &Delivery) -> &Notice {
    delivery.notice.as_ref().unwrap()
}
