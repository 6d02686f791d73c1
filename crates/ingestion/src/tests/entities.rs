//! What a provider lists, brought in by an operator.

use domain::{
    ids::{Actor, EventKey},
    input::{BackFill, Evidence, Freshness, Listing},
};

use super::{fixtures::folder, purchases, *};
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

/// A change long after the purchase doesn't make it one of another day.
#[test]
fn a_listed_payment_with_money_happened_when_the_money_came() {
    let captured = |at: &str| json!({"status": "captured", "captured_at": at});
    let (first, last) = ("2026-06-29T23:00:00Z", "2026-06-30T10:00:00Z");
    let failed = json!({"status": "error", "captured_at": null});
    let stray = json!({"status": "pending", "captured_at": "2026-08-01T00:00:00Z"});
    let billed = json!("2026-06-30T11:00:00Z");
    for status in ["paid", "completed"] {
        let of = |payments: Value, billed_at: Value| {
            let mut entity = purchases::data();
            entity["status"] = json!(status);
            entity["created_at"] = json!("2026-06-20T00:00:00Z");
            entity["updated_at"] = json!("2026-08-31T00:00:00Z");
            entity["payments"] = payments;
            entity["billed_at"] = billed_at;
            brought(Listing::Payments, &bytes(&entity))
        };
        let parts = json!([captured(first), captured(last), failed, stray]);
        for (payments, billed_at, expected) in [
            (parts, billed.clone(), last),
            (json!([failed]), billed.clone(), "2026-06-30T11:00:00Z"),
            (Value::Null, billed.clone(), "2026-06-30T11:00:00Z"),
        ] {
            let brought = of(payments, billed_at);
            let Notice::Purchase(purchase) = notice(&brought) else { panic!("no purchase") };
            assert_eq!(Some(purchase.occurred_at), Timestamp::parse(expected));
            assert_eq!(brought.occurred_at, Timestamp::parse(expected));
        }
        let timeless = of(json!([failed]), Value::Null);
        let (kind, detail) = fault(&timeless);
        assert_eq!(kind, UnreadableFault::Malformed);
        assert!(detail.starts_with("/data/billed_at is missing, and no captured"), "{detail}");
    }
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
