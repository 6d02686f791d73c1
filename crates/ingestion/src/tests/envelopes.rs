//! Envelopes: which event it is, whether it is real, and what is no envelope.

use domain::{
    ids::{Digest, EventId, EventKey},
    input::Reality,
};
use proptest::prelude::*;
use sha2::Digest as _;

use super::*;
use crate::read::{Reading, reread};

fn sha256(body: &[u8]) -> Digest {
    Digest(sha2::Sha256::digest(body).into())
}

/// An event of a kind that says nothing for balances, with one field changed.
fn envelope(pointer: &str, new: Option<Value>) -> Delivery {
    let event = serde_json::from_slice(&event("customer.updated", &json!({}))).unwrap();
    deliver(&serde_json::to_vec(&with(event, pointer, new)).unwrap())
}

#[test]
fn unknown_events_and_fields_are_normal() {
    for event_type in ["customer.updated", "payout.paid", "transactions.created", "new.thing"] {
        let delivery = deliver(&event(event_type, &json!({"id": 7})));
        assert_eq!(notice(&delivery), &Notice::Nothing);
        assert_eq!(delivery.event_type.as_deref(), Some(event_type));
        assert_eq!(delivery.source.as_str(), "paddle-main");
    }
    let delivery = envelope("/new_field", Some(json!([1])));
    let id = EventId::new("evt_01hv8x29kz0t586xy6zn1a62ny").unwrap();
    assert_eq!(delivery.event, EventKey::Event { origin: Origin::new("paddle").unwrap(), id });
    assert_eq!(notice(&envelope("/data", None)), &Notice::Nothing);
    assert_eq!(notice(&envelope("/notification_id", None)), &Notice::Nothing);
}

#[test]
fn a_time_is_needed_only_where_it_decides() {
    for wrong in [None, Some(Value::Null), Some(json!("today")), Some(json!(1))] {
        let delivery = envelope("/occurred_at", wrong.clone());
        assert_eq!((notice(&delivery), delivery.occurred_at), (&Notice::Nothing, None));
        for event_type in ["transaction.paid", "adjustment.created"] {
            let event = serde_json::from_slice(&event(event_type, &json!({}))).unwrap();
            let event = with(event, "/occurred_at", wrong.clone());
            let delivery = deliver(&serde_json::to_vec(&event).unwrap());
            let (kind, detail) = fault(&delivery);
            assert_eq!(kind, UnreadableFault::Malformed);
            assert!(detail.starts_with("/occurred_at "), "{detail}");
        }
    }
}

#[test]
fn without_an_event_id_the_body_is_known_by_its_digest() {
    let long = "e".repeat(256);
    for wrong in [None, Some(json!(null)), Some(json!("")), Some(json!(1)), Some(json!(long))] {
        let delivery = envelope("/event_id", wrong);
        let EventKey::Body { digest, .. } = &delivery.event else { panic!("has an id") };
        assert_eq!(*digest, delivery.body);
        assert_eq!(fault(&delivery).0, UnreadableFault::Malformed);
        assert_eq!(delivery.event_type.as_deref(), Some("customer.updated"));
    }
}

#[test]
fn an_event_has_a_type() {
    for wrong in [None, Some(json!("")), Some(json!(1)), Some(json!("t".repeat(256)))] {
        let delivery = envelope("/event_type", wrong);
        assert_eq!(fault(&delivery).0, UnreadableFault::Malformed);
        assert!(matches!(delivery.event, EventKey::Event { .. }));
        assert_eq!(delivery.event_type, None);
    }
}

#[test]
fn the_simulator_is_recognised_by_either_id() {
    assert_eq!(envelope("/data", None).reality, Reality::Genuine);
    for (pointer, id) in [("/event_id", "ntfsimevt_1"), ("/notification_id", "ntfsimntf_1")] {
        assert_eq!(envelope(pointer, Some(json!(id))).reality, Reality::Simulated, "{id}");
    }
}

#[test]
fn what_is_no_envelope_is_malformed_and_known_by_its_digest() {
    let good = event("customer.updated", &json!({}));
    let trailing = [&good[..], b" x"].concat();
    let marked = [b"\xEF\xBB\xBF", &good[..]].concat();
    let deep = format!("{{\"event_id\":\"evt_1\",\"a\":{}1{}}}", "[".repeat(200), "]".repeat(200));
    for (body, detail) in [
        (&b""[..], "the body is not JSON at byte 0"),
        (b"null", "/event_id is missing"),
        (b"[]", "/event_id is missing"),
        (b"{\"event_id\":\"evt_1\"", "the body is not JSON at byte 19"),
        (b"{\"event_id\":\"\xFF\"}", "the body is not UTF-8"),
        (
            b"{\"a\":1,\"b\":2,\"a\":1}",
            "the body is an object that ends at byte 19 with a key twice",
        ),
        (deep.as_bytes(), "the body is nested deeper than 127"),
        (&trailing, &format!("the body is not JSON at byte {}", good.len() + 1)),
        (&marked, "the body is not JSON at byte 0"),
    ] {
        let delivery = deliver(body);
        assert_eq!(fault(&delivery), (UnreadableFault::Malformed, detail));
        let digest = sha256(body);
        let origin = Origin::new("paddle").unwrap();
        assert_eq!(delivery.event, EventKey::Body { origin, digest });
        assert_eq!(delivery.body, digest);
    }
}

#[test]
fn an_unparsable_body_is_its_own_content() {
    let delivery = deliver(b"{");
    assert_eq!(delivery.content, sha256(b"{"));
}

#[test]
fn reading_again_gives_the_same_with_the_same_settings() {
    let source = source(vec![secret()]);
    let body = event(
        "transaction.created",
        &json!({
            "id": "txn_1", "status": "draft", "customer_id": "ctm_1", "custom_data": {"account_id": "a"},
        }),
    );
    let recorded = deliver(&body);
    assert_eq!(reread(&Reading::from(&source), &body, &recorded), recorded);
    let other = [Pointer::new("/data/customer_id").unwrap()];
    let again =
        reread(&Reading { account_from: &other, ..Reading::from(&source) }, &body, &recorded);
    let Notice::Purchase(purchase) = notice(&again) else { panic!("no purchase") };
    assert_eq!(purchase.account.as_ref().unwrap().as_str(), "ctm_1");
    assert_eq!((again.received_at, again.evidence), (recorded.received_at, recorded.evidence));
}

/// Bodies that look like events, so that the reading gets past the envelope.
fn event_like() -> impl Strategy<Value = Vec<u8>> {
    let data = super::json::any_json();
    let kind = prop_oneof!["transaction\\.[a-z]{1,9}", "adjustment\\.[a-z]{1,9}", ".*"];
    (kind, data).prop_map(|(kind, data)| event(&kind, &data))
}

proptest! {
    #[test]
    fn any_bytes_are_read_and_read_again_alike(body in prop::collection::vec(any::<u8>(), 0..200)) {
        let delivery = deliver(&body);
        prop_assert_eq!(reread(&Reading::from(&source(vec![])), &body, &delivery), delivery);
    }

    #[test]
    fn any_event_is_read_and_read_again_alike(body in event_like()) {
        let delivery = deliver(&body);
        prop_assert_eq!(reread(&Reading::from(&source(vec![])), &body, &delivery), delivery);
    }

    #[test]
    fn any_header_is_refused_and_none_breaks(header in prop::collection::vec(any::<u8>(), 0..200)) {
        let headers = [("paddle-signature", &header[..])];
        let refused = verify(&source(vec![secret()]), Headers(&headers), b"{}", now()).is_err();
        prop_assert!(refused);
    }
}
