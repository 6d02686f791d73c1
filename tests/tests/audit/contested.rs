//! What a bank is told of a payment: nothing that was only claimed, nothing that came back.

use audit::evidence::{Evidence, EvidenceError, Which, evidence};
use domain::{
    credits::Credits,
    ids::{AccountId, Origin, PaymentId, PaymentKey, Text},
    input::{Order, Usage},
    usage::Metadata,
};
use engine::step::Answer;
use serde_json::{Value, json};
use tallyhook_tests::paddle::{Purchase, put};

use crate::stage::{Stage, bought};

fn asked(stage: &Stage, number: u64, origin: Option<&Origin>) -> Result<Evidence, EvidenceError> {
    let payment = payment(number);
    let which = Which { payment: &payment, origin };
    evidence(&*stage.made.log, &stage.made.ledger, which, None, |_, _| ())
}

/// The index for people, and what is missing.
fn told(stage: &Stage, number: u64) -> (String, String) {
    let found = asked(stage, number, None).unwrap();
    (index(&found), found.missing.join("\n"))
}

/// The index without its line breaks.
fn index(found: &Evidence) -> String {
    let text = String::from_utf8(found.files["index.txt"].clone()).unwrap();
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

fn payment(number: u64) -> PaymentId {
    PaymentId::new(&purchase(number).payment()).unwrap()
}

fn purchase(number: u64) -> Purchase {
    Purchase { number, account: "a".to_owned(), cents: 1_200 }
}

fn account() -> AccountId {
    AccountId::new("a").unwrap()
}

fn at(number: u64, at: &str) -> Value {
    let mut event = bought(number);
    put(&mut event, "/occurred_at", at).unwrap();
    event
}

fn debit(amount: i128) -> Order {
    Order::Debit {
        account: account(),
        amount: Credits::from_billionths(amount).unwrap(),
        usage: Usage::Asked,
        metadata: Metadata::NONE,
    }
}

const ONE: i128 = 1_000_000_000;

#[test]
fn what_was_returned_was_not_used() {
    let stage = Stage::empty();
    stage.deliver(&bought(1));
    let used = stage.order("debit", debit(5 * ONE));
    let (before, _) = told(&stage, 1);
    assert!(before.contains("5 drawn, 0 of them returned"), "{before}");
    let amount = Credits::from_billionths(5 * ONE).unwrap();
    let reason = Text::new("it failed").unwrap();
    stage.order("return", Order::Return { account: account(), debit: used, amount, reason });
    let (after, _) = told(&stage, 1);
    assert!(
        after.contains(" 0 USD were drawn from this payment and used: 5 drawn, 5 of them"),
        "{after}"
    );
}

#[test]
fn a_conflicting_body_is_shown_and_is_no_fact() {
    let stage = Stage::empty();
    let event = at(1, "2026-07-06T00:00:00Z");
    stage.deliver(&event);
    let claimed = stage.deliver(&at(1, "2026-01-01T00:00:00Z"));
    assert!(matches!(claimed, Answer::Recorded { .. }), "{claimed:?}");
    stage.deliver(&at(2, "2026-03-01T00:00:00Z"));
    let (index, _) = told(&stage, 1);
    assert!(index.contains("paid by 2026-07-06T00:00:00Z"), "{index}");
    assert!(index.contains("conflict"), "{index}");
    assert!(index.contains("1 purchases of the account were paid before"), "{index}");
    // Nor is it one of another payment.
    let (index, missing) = told(&stage, 2);
    assert!(missing.contains("no earlier undisputed purchase"), "{index}");
}

/// Won, withdrawn or reversed before it was known: the bank was asked.
#[test]
fn a_purchase_with_any_dispute_is_no_undisputed_one() {
    for (fixture, earlier) in [
        ("adjustment.created.chargeback", 0),
        ("adjustment.created.chargeback-warning", 0),
        ("adjustment.created.chargeback-reverse", 0),
        ("adjustment.created.chargeback-warning-reverse", 0),
        ("adjustment.updated.chargeback-reversed-status", 0),
        ("adjustment.updated.refund-approved", 1),
    ] {
        let stage = Stage::empty();
        stage.deliver(&at(2, "2026-03-01T00:00:00Z"));
        stage.deliver(&purchase(2).adjustment(fixture, 800, 300).unwrap());
        stage.deliver(&bought(1));
        let (index, _) = told(&stage, 1);
        let expected = format!("{earlier} purchases of the account were paid before");
        assert!(index.contains(&expected), "{fixture}: {index}");
    }
}

#[test]
fn a_command_without_bytes_was_not_erased() {
    let stage = Stage::empty();
    let mut unassigned = bought(1);
    put(&mut unassigned, "/data/custom_data", json!({})).unwrap();
    stage.deliver(&unassigned);
    let key = PaymentKey { origin: stage.known.origin.clone(), id: payment(1) };
    let reason = Text::new("asked").unwrap();
    stage.order("assign", Order::AssignPayment { payment: key, account: account(), reason });
    let (index, missing) = told(&stage, 1);
    assert!(index.contains("2 records, all of them shown"), "{index}");
    assert!(!missing.contains("erased"), "{missing}");
}

#[test]
fn payments_of_two_providers_are_kept_apart() {
    let mut stage = Stage::empty();
    stage.deliver(&at(1, "2026-07-06T00:00:00Z"));
    let own = stage.known.origin.clone();
    stage.known.origin = Origin::new("other").unwrap();
    stage.deliver(&at(1, "2026-05-01T00:00:00Z"));
    let unclear = asked(&stage, 1, None);
    assert!(matches!(unclear, Err(EvidenceError::Ambiguous { .. })), "{unclear:?}");
    for (origin, paid) in
        [(&own, "2026-07-06T00:00:00Z"), (&stage.known.origin, "2026-05-01T00:00:00Z")]
    {
        let found = asked(&stage, 1, Some(origin)).unwrap();
        let index = index(&found);
        assert!(index.contains(&format!("paid by {paid}")), "{origin}: {index}");
        assert_eq!(found.records.len(), if origin == &own { 2 } else { 1 }, "{index}");
    }
}

/// An account's usage has no end, an archive has.
#[test]
fn of_very_many_uses_the_first_and_the_last_are_shown() {
    let stage = Stage::empty();
    stage.deliver(&bought(1));
    let uses = (0..1_050).map(|number| (format!("use-{number}"), debit(ONE / 1_000)));
    stage.orders(uses.collect());
    let found = asked(&stage, 1, None).unwrap();
    let index = index(&found);
    let expected = "1050 uses, of which the first 500 and the last 500 are shown; 50";
    assert!(index.contains(expected), "{index}");
    assert!(index.contains("1.05 USD were drawn from this payment and used"), "{index}");
    assert_eq!(found.records.len(), 1_001);
    assert!(found.missing.join("\n").contains("50 uses between the first and the last"));
}
