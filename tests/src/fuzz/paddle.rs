//! Paddle's bodies: from bytes to a notice, and through `domain` into a ledger.
//!
//! An input is a list of bodies, each on a line, which come to an empty ledger one after the other.
//! A line that starts with `#` says something of the ledger or of the deliveries after it:
//! `#sandbox`, `#quarantine` (stale deliveries), `#policy 0` to `2` (of [`POLICIES`]), `#old` and
//! `#fresh` (when the deliveries were signed).
//!
//! Another reader of JSON judges whether a body is JSON, and what the amounts and the ids are.

use std::sync::{Arc, LazyLock};

use domain::{
    decide::Verdict,
    decision::Outcome,
    ids::EventKey,
    input::{
        Delivery, Freshness, Input, Mode, Order, Reality, Settings, Stale, Unreadable,
        UnreadableFault,
    },
    money::Minor,
    notice::{Adjustment, Basket, Notice, Progress, Purchase},
    policy::Policy,
    time::Timestamp,
};
use ingestion::{
    paddle,
    read::{Reading, read, reread},
    source::{Provider, Source},
    verify::{Headers, verify},
};
use serde_json::Value;
use sha2::{Digest as _, Sha256};

use super::{SIGNED_AT, ledger::Ledger, source};
use crate::history;

/// The most bytes of an event's type; a longer one is malformed.
const EVENT_TYPE_BYTES_MAX: usize = 255;

/// The policies that are shipped.
static POLICIES: LazyLock<[Arc<Policy>; 3]> = LazyLock::new(|| {
    let shipped = [
        include_str!("../../../policies/all-sales-final.toml"),
        include_str!("../../../policies/unused-balance.toml"),
        include_str!("../../../policies/case-by-case.toml"),
    ];
    shipped.map(|text| Arc::new(policy_file::parse(text).expect("the policy is shipped")))
});
/// The most bodies of an input.
const BODIES_MAX: usize = 16;
const TOLERANCE: u32 = 300;

/// Checks one input.
///
/// # Panics
/// A body is read wrongly, or what it says is decided wrongly.
pub fn check(input: &[u8]) {
    let lines: Vec<&[u8]> = input.split(|byte| *byte == b'\n').collect();
    let mut now = history::seconds(SIGNED_AT - 3_600);
    let mut ledger = set_up(&lines, now);
    let source = Source { tolerance_seconds: Some(TOLERANCE), ..source(Provider::Paddle) };
    let mut age = 0;
    let mut bodies = 0;
    for line in lines {
        match line {
            b"#old" => age = 3_600,
            b"#fresh" => age = 0,
            [b'#', ..] => {}
            _ if bodies == BODIES_MAX => break,
            body => {
                bodies += 1;
                now = now.seconds_after(60);
                let delivery = delivered(&source, body, now, age);
                taken(&mut ledger, delivery, now);
            }
        }
    }
    ledger.folds_again();
}

/// A ledger with a policy and its settings, as they are at the first start.
fn set_up(lines: &[&[u8]], now: Timestamp) -> Ledger {
    let said = |word: &[u8]| lines.contains(&word);
    let place = [&b"#policy 0"[..], b"#policy 1", b"#policy 2"].into_iter().position(said);
    let [usual, ..] = &*POLICIES;
    let policy = place.and_then(|place| POLICIES.get(place)).unwrap_or(usual);
    let settings = Settings {
        mode: if said(b"#sandbox") { Mode::Sandbox } else { Mode::Live },
        stale: if said(b"#quarantine") { Stale::Quarantine } else { Stale::Accept },
        account_from: vec![history::text("/data/custom_data/account_id")],
        tolerance_seconds: Some(TOLERANCE),
        future_seconds: 60,
    };
    let mut ledger = Ledger::empty();
    let file = history::digest(1, 1);
    let orders =
        [Order::ActivatePolicy { policy: Arc::clone(policy), file }, Order::Configure(settings)];
    for (number, order) in (1..).zip(orders) {
        let verdict = ledger.take(history::command(number, order), now);
        assert!(matches!(verdict, Verdict::Record(_)), "the first start: {verdict:?}");
    }
    ledger
}

/// Signs a body, has it verified and reads it.
fn delivered(source: &Source, body: &[u8], now: Timestamp, age: i64) -> Delivery {
    let secret = source.secrets.first().expect("the source has a secret");
    let header = paddle::sign(secret, now.seconds() - age, body);
    let headers = [(paddle::HEADER, header.as_bytes())];
    let verified = verify(source, Headers(&headers), body, now).expect("it was signed");
    let delivery = read(source, &verified, now);
    assert_eq!(reread(&Reading::from(source), body, &delivery), delivery, "read again");
    assert_eq!(delivery.body.0, <[u8; 32]>::from(Sha256::digest(body)), "the digest of its bytes");
    let fresh = if age == 0 { Freshness::Fresh } else { Freshness::Old };
    assert_eq!(delivery.freshness, fresh, "signed {age} seconds ago");
    judged(body, &delivery);
    delivery
}

/// Compares what was read with what `serde_json` reads.
fn judged(body: &[u8], delivery: &Delivery) {
    let malformed = match &delivery.notice {
        Err(Unreadable { fault: UnreadableFault::Malformed, detail }) => {
            detail.strip_prefix("the body is ")
        }
        Ok(_) | Err(_) => None,
    };
    match (serde_json::from_slice::<Value>(body), malformed) {
        (Ok(_), Some(why)) => assert!(why.ends_with("with a key twice"), "it is JSON, not {why}"),
        (Ok(value), None) => said(&value, delivery),
        // Numbers are kept as text, so that none is out of range.
        (Err(fault), None) => {
            assert!(fault.to_string().starts_with("number out of range"), "no JSON: {fault}");
        }
        (Err(_), Some(_)) => {
            assert!(matches!(delivery.event, EventKey::Body { .. }), "known by its digest");
        }
    }
}

/// Compares what was read with what stands in the body.
fn said(value: &Value, delivery: &Delivery) {
    let text = |pointer: &str| value.pointer(pointer).and_then(Value::as_str);
    if let EventKey::Event { id, .. } = &delivery.event {
        assert_eq!(text("/event_id"), Some(id.as_str()), "the event's id");
        let (known, too_long): (Option<&str>, _) = match text("/event_type") {
            Some(text) if text.len() > EVENT_TYPE_BYTES_MAX => (None, true),
            text => (text, false),
        };
        assert_eq!(known, delivery.event_type.as_deref(), "its type");
        assert!(!too_long || delivery.notice.is_err(), "a type that is too long is malformed");
    }
    let begins = |pointer, prefix| text(pointer).is_some_and(|text| text.starts_with(prefix));
    let simulated = begins("/event_id", "ntfsimevt_") || begins("/notification_id", "ntfsimntf_");
    assert_eq!(delivery.reality == Reality::Simulated, simulated, "whether it is simulated");
    match &delivery.notice {
        Ok(Notice::Purchase(purchase)) => bought(value, purchase),
        Ok(Notice::Adjustment(adjustment)) => adjusted(value, adjustment),
        Ok(Notice::Nothing) => {
            let ours = ["transaction.", "adjustment."];
            let event = text("/event_type").unwrap_or_default();
            assert!(!ours.iter().any(|ours| event.starts_with(ours)), "nothing is said by {event}");
        }
        Err(Unreadable { detail, .. }) => assert!(!detail.is_empty(), "why it can't be read"),
    }
}

fn bought(value: &Value, purchase: &Purchase) {
    let text = |pointer: &str| value.pointer(pointer).and_then(Value::as_str);
    assert_eq!(text("/data/id"), Some(purchase.payment.id.as_str()), "the payment");
    let customer = purchase.customer.as_ref().map(|customer| customer.as_str());
    assert_eq!(text("/data/customer_id").filter(|text| !text.is_empty()), customer, "the customer");
    let status = text("/data/status");
    let basket = match &purchase.progress {
        Progress::Unpaid(said) => {
            assert_eq!(status, Some(said.as_str()), "the status");
            assert!(!matches!(status, Some("paid" | "completed")), "money is here");
            return;
        }
        Progress::Paid(basket) => {
            assert_eq!(status, Some("paid"), "the status");
            basket
        }
        Progress::Completed(basket) => {
            assert_eq!(status, Some("completed"), "the status");
            basket
        }
    };
    let totals = value.pointer("/data/details/totals").unwrap_or(&Value::Null);
    let Basket { currency, subtotal, discount, tax, total, lines } = basket;
    let code = text("/data/currency_code").or_else(|| totals.get("currency_code")?.as_str());
    let code = code.filter(|code| !code.is_empty());
    assert!(code.is_none_or(|code| code == currency.code()), "the currency is {code:?}");
    let amounts = [("subtotal", subtotal), ("discount", discount), ("tax", tax), ("total", total)];
    for (name, amount) in amounts {
        is(totals.get(name), *amount, name);
    }
    let items = value.pointer("/data/details/line_items").and_then(Value::as_array);
    let items = items.expect("a basket was read from its lines");
    assert_eq!(items.len(), lines.len(), "every line is read");
    for (item, line) in items.iter().zip(lines) {
        assert_eq!(item.get("id").and_then(Value::as_str), Some(line.item.as_str()), "the line");
        let quantity = item.get("quantity").and_then(Value::as_u64);
        assert_eq!(quantity, Some(u64::from(line.quantity)), "how many");
        is(item.pointer("/totals/subtotal"), line.subtotal, "the line's subtotal");
        is(item.pointer("/totals/discount"), line.discount, "the line's discount");
    }
}

fn adjusted(value: &Value, adjustment: &Adjustment) {
    let text = |pointer: &str| value.pointer(pointer).and_then(Value::as_str);
    assert_eq!(text("/data/id"), Some(adjustment.id.as_str()), "the adjustment");
    assert_eq!(text("/data/transaction_id"), Some(adjustment.payment.id.as_str()), "the payment");
    let unsigned = |amount: Option<&Value>| {
        amount.and_then(Value::as_str).map(|text| Value::from(text.trim_start_matches('-')))
    };
    for (pointer, amount) in
        [("/data/totals/subtotal", adjustment.subtotal), ("/data/totals/total", adjustment.total)]
    {
        is(unsigned(value.pointer(pointer)).as_ref(), amount, pointer);
    }
    let items = value.pointer("/data/items").and_then(Value::as_array);
    let items = items.expect("an adjustment was read from its lines");
    assert_eq!(items.len(), adjustment.lines.len(), "every line is read");
    for (item, line) in items.iter().zip(&adjustment.lines) {
        assert_eq!(item.get("item_id").and_then(Value::as_str), Some(line.item.as_str()), "a line");
        is(unsigned(item.pointer("/totals/subtotal")).as_ref(), line.subtotal, "its subtotal");
    }
}

/// The amount is what stands there, an integer in a string.
fn is(found: Option<&Value>, amount: Minor, name: &str) {
    let number = found.and_then(Value::as_str).and_then(|text| text.parse::<i64>().ok());
    assert_eq!(number, Some(amount.get()), "{name} of {found:?}");
}

/// Decides a delivery, twice: the second time it is known.
fn taken(ledger: &mut Ledger, delivery: Delivery, now: Timestamp) {
    let readable = delivery.notice.is_ok();
    let input = Input::Delivery(Box::new(delivery));
    let verdict = ledger.take(input.clone(), now);
    if let Verdict::Record(decision) = &verdict {
        let moved = !decision.transfers.is_empty();
        assert!(!moved || decision.outcome == Outcome::Recorded, "moved by {:?}", decision.outcome);
        assert!(readable || !moved, "what can't be read moves nothing");
    }
    assert!(
        !matches!(verdict, Verdict::Replayed(_) | Verdict::Refused(_)),
        "a delivery is no command: {verdict:?}"
    );
    let again = ledger.take(input, now);
    assert!(
        matches!(again, Verdict::Duplicate(_) | Verdict::KnownConflict(_)),
        "known by now: {again:?}"
    );
}
