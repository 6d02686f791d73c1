//! Adjustments: every action with every status, signs, extent and times.

use domain::notice::{Action, Adjustment, Extent, Status};

use super::*;

const ACTIONS: [(&str, Action); 7] = [
    ("refund", Action::Refund),
    ("credit", Action::Credit),
    ("credit_reverse", Action::CreditReverse),
    ("chargeback", Action::Chargeback),
    ("chargeback_reverse", Action::ChargebackReverse),
    ("chargeback_warning", Action::Warning),
    ("chargeback_warning_reverse", Action::WarningReverse),
];
const STATUSES: [(&str, Status); 4] = [
    ("pending_approval", Status::Pending),
    ("approved", Status::Approved),
    ("rejected", Status::Rejected),
    ("reversed", Status::Reversed),
];

fn data() -> Value {
    json!({
        "id": "adj_1",
        "action": "refund",
        "type": "partial",
        "transaction_id": "txn_1",
        "customer_id": "ctm_1",
        "currency_code": "USD",
        "status": "approved",
        "items": [{"id": "adjitm_1", "item_id": "txnitm_1", "type": "tax", "amount": "108",
                   "totals": {"subtotal": "-100", "tax": "-8", "total": "-108"}}],
        "totals": {"subtotal": "100", "tax": "8", "total": "108", "currency_code": "USD"},
        "created_at": "2024-04-12T09:00:00Z",
        "updated_at": "0001-01-01T00:00:00Z",
    })
}

fn deliver_data(data: &Value) -> Delivery {
    deliver(&event("adjustment.updated", data))
}

fn adjustment(data: &Value) -> Adjustment {
    match deliver_data(data).notice.unwrap() {
        Notice::Adjustment(adjustment) => adjustment,
        other @ (Notice::Purchase(_) | Notice::Nothing) => panic!("{other:?}"),
    }
}

#[test]
fn every_action_has_every_status() {
    for (action_text, action) in ACTIONS {
        for (status_text, status) in STATUSES {
            let data = with(data(), "/action", Some(json!(action_text)));
            let read = adjustment(&with(data, "/status", Some(json!(status_text))));
            assert_eq!((read.action, read.status), (action, status));
        }
    }
}

#[test]
fn an_adjustment_names_its_payment_and_its_lines() {
    let read = adjustment(&data());
    assert_eq!((read.id.as_str(), read.payment.id.as_str()), ("adj_1", "txn_1"));
    assert_eq!(read.payment.origin.as_str(), "paddle");
    assert_eq!(read.customer.unwrap().as_str(), "ctm_1");
    assert_eq!((read.currency.code(), read.subtotal.get(), read.total.get()), ("USD", 100, 108));
    assert_eq!(Some(read.occurred_at), Timestamp::parse("2024-04-12T10:18:49.738971Z"));
    assert_eq!(Some(read.filed_at), Timestamp::parse("2024-04-12T09:00:00Z"));
    let lines: Vec<_> =
        read.lines.iter().map(|line| (line.item.as_str(), line.subtotal.get())).collect();
    assert_eq!(lines, [("txnitm_1", 100)]);
}

#[test]
fn the_sign_says_nothing() {
    let negative = with(data(), "/totals/subtotal", Some(json!("-100")));
    let negative = with(negative, "/totals/total", Some(json!("-108")));
    assert_eq!(adjustment(&negative), adjustment(&data()));
}

#[test]
fn an_action_or_status_that_we_do_not_know_is_seen_to() {
    for pointer in ["/action", "/status"] {
        for word in ["chargeback_lost", "Refund", "refund "] {
            let delivery = deliver_data(&with(data(), pointer, Some(json!(word))));
            let (kind, detail) = fault(&delivery);
            assert_eq!(kind, UnreadableFault::UnknownAction, "{pointer} {word}");
            assert!(!detail.contains(word));
        }
    }
}

#[test]
fn the_extent_is_said_or_unsaid() {
    for (said, extent) in [
        (Some(json!("full")), Extent::Full),
        (Some(json!("partial")), Extent::Partial),
        (Some(json!("tax")), Extent::Unsaid),
        (Some(Value::Null), Extent::Unsaid),
        (None, Extent::Unsaid),
    ] {
        assert_eq!(adjustment(&with(data(), "/type", said)).extent, extent);
    }
}

#[test]
fn an_adjustment_without_its_own_time_was_filed_when_it_occurred() {
    for missing in [None, Some(Value::Null)] {
        let read = adjustment(&with(data(), "/created_at", missing));
        assert_eq!(read.filed_at, read.occurred_at);
    }
    let delivery = deliver_data(&with(data(), "/created_at", Some(json!("yesterday"))));
    assert_eq!(fault(&delivery).0, UnreadableFault::Malformed);
}

#[test]
fn what_every_adjustment_has_must_be_there_and_right() {
    for pointer in [
        "/id",
        "/transaction_id",
        "/action",
        "/status",
        "/totals",
        "/totals/subtotal",
        "/totals/total",
        "/items",
    ] {
        let delivery = deliver_data(&with(data(), pointer, None));
        assert_eq!(fault(&delivery).0, UnreadableFault::Malformed, "{pointer}");
    }
    for (pointer, wrong, kind) in [
        ("/totals/subtotal", json!(100), UnreadableFault::AmountInvalid),
        ("/totals/total", json!("1.08"), UnreadableFault::AmountInvalid),
        ("/currency_code", json!("XXX"), UnreadableFault::UnknownCurrency),
        ("/totals/currency_code", json!("EUR"), UnreadableFault::Malformed),
        ("/items", json!([{"totals": {"subtotal": "1"}}]), UnreadableFault::Malformed),
    ] {
        let delivery = deliver_data(&with(data(), pointer, Some(wrong)));
        assert_eq!(fault(&delivery).0, kind, "{pointer}");
    }
    assert_eq!(adjustment(&with(data(), "/items", Some(json!([])))).lines, []);
}
