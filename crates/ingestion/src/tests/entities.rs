//! What a provider lists, brought in by an operator.

use domain::{
    ids::{Actor, EventKey},
    input::{BackFill, Evidence, Freshness, Listing},
};

use super::{fixtures::folder, *};
use crate::read::{Reading, read_back_filled, reread};

fn brought(listing: Listing, body: &[u8]) -> Delivery {
    let back_fill = BackFill { actor: Actor::new("operator").unwrap(), listing };
    let source = source(vec![]);
    let delivery = read_back_filled(&Reading::from(&source), body, back_fill, now());
    assert_eq!(reread(&Reading::from(&source), body, &delivery), delivery, "read again alike");
    delivery
}

fn transaction() -> Value {
    json!({
        "id": "txn_1", "status": "ready", "customer_id": "ctm_1",
        "custom_data": {"account_id": "a"}, "updated_at": "2026-07-03T00:00:00Z",
        "created_at": "2026-07-01T00:00:00Z",
    })
}

fn bytes(value: &Value) -> Vec<u8> {
    serde_json::to_vec(value).unwrap()
}

#[test]
fn a_listed_event_says_what_its_delivery_says() {
    let body = event("transaction.updated", &transaction());
    let mut listed: Value = serde_json::from_slice(&body).unwrap();
    listed.as_object_mut().unwrap().remove("notification_id");
    let (brought, delivered) = (brought(Listing::Events, &bytes(&listed)), deliver(&body));
    assert!(matches!(brought.evidence, Evidence::BackFilled(_)));
    assert_eq!((&brought.content, &brought.event), (&delivered.content, &delivered.event));
    let Delivery { body, evidence, .. } = delivered.clone();
    assert_eq!(Delivery { body, evidence, ..brought }, delivered);
}

#[test]
fn a_listed_entity_says_what_an_event_of_its_last_change_says() {
    let brought = brought(Listing::Payments, &bytes(&transaction()));
    assert!(matches!(brought.event, EventKey::Body { .. }));
    assert_eq!((brought.event_type.clone(), brought.freshness), (None, Freshness::Fresh));
    let changed_at = Timestamp::parse("2026-07-03T00:00:00Z");
    assert_eq!(brought.occurred_at, changed_at);
    let Notice::Purchase(purchase) = notice(&brought) else { panic!("no purchase") };
    assert_eq!(purchase.account.as_ref().unwrap().as_str(), "a");
    assert_eq!(Some(purchase.occurred_at), changed_at);
}

#[test]
fn an_entity_that_never_changed_is_as_new_as_it_is_old() {
    let entity = with(transaction(), "/updated_at", Some(Value::Null));
    let created_at = Timestamp::parse("2026-07-01T00:00:00Z");
    assert_eq!(brought(Listing::Payments, &bytes(&entity)).occurred_at, created_at);
    let never = with(transaction(), "/updated_at", Some(json!("0001-01-01T00:00:00Z")));
    assert_eq!(brought(Listing::Payments, &bytes(&never)).occurred_at, created_at);
    let entity = with(entity, "/created_at", None);
    let timeless = brought(Listing::Payments, &bytes(&entity));
    assert_eq!(fault(&timeless), (UnreadableFault::Malformed, "/data/created_at is missing"));
}

#[test]
fn an_entity_is_read_as_what_it_is_listed_as() {
    for listing in [Listing::Events, Listing::Adjustments] {
        let mistaken = brought(listing, &bytes(&transaction()));
        assert_eq!(fault(&mistaken).0, UnreadableFault::Malformed, "{listing:?}");
    }
}

#[test]
fn every_real_listed_entity_is_read() {
    let Some(folder) = folder() else { return };
    let resources = "paddle-php-sdk/Functional/Resources";
    for (path, listing) in [
        ("Adjustments/response/full_entity.json", Listing::Adjustments),
        ("Transactions/response/minimal_entity.json", Listing::Payments),
    ] {
        let text = std::fs::read(folder.join(resources).join(path)).unwrap();
        let page: Value = serde_json::from_slice(&text).unwrap();
        let delivery = brought(listing, &bytes(&page["data"]));
        assert!(delivery.notice.is_ok(), "{path}: {:?}", delivery.notice);
    }
}
