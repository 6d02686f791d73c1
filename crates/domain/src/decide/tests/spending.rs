use super::*;
use crate::{account::Status, usage::HoldEnd};

fn hold(whose: &str, amount: &str, seconds: u32) -> Order {
    let account = account(whose);
    Order::Hold { account, amount: credits(amount), expires_in_seconds: seconds }
}

fn capture(whose: &str, hold: OperationId, amount: &str) -> Order {
    let (account, amount) = (account(whose), credits(amount));
    Order::Capture { account, hold, amount, metadata: Metadata::NONE }
}

fn release(whose: &str, hold: OperationId) -> Order {
    Order::ReleaseHold { account: account(whose), hold }
}

fn expire(whose: &str, hold: OperationId) -> Order {
    Order::ExpireHold { account: account(whose), hold }
}

fn make_good(whose: &str, debit: OperationId, amount: &str) -> Order {
    let (account, amount) = (account(whose), credits(amount));
    Order::Return { account, debit, amount, reason: text("failed request") }
}

fn chargeback(ledger: &mut Ledger, id: &str, of: &str, cents: i64) {
    ledger.adjust(id, of, Action::Chargeback, Stage::Approved, cents);
}

#[test]
fn a_hold_reserves_in_spending_order_and_its_capture_draws_that() {
    let mut ledger = Ledger::new(policy());
    ledger.buy("txn_1", Some("alice"), 1_000);
    ledger.done(grant("alice", "4", LotKind::Gift));
    let held = ledger.done(hold("alice", "6", 60)).id;
    assert_eq!(ledger.books("alice"), "8 0 6 0 0");
    let captured = ledger.done(capture("alice", held, "5"));
    // The gift first, then one of the two paid credits; the other is free again.
    assert_eq!(ledger.books("alice"), "9 0 0 0 0");
    assert_eq!(ledger.refused(capture("alice", held, "1")), Refusal::HoldFinished);
    assert_eq!(ledger.refused(release("alice", held)), Refusal::HoldFinished);
    let ended = ledger.state.entities.hold(&held).flatten().unwrap().ended;
    let amount = credits("5");
    assert_eq!(ended, Some(HoldEnd::Captured { debit: captured.id, amount }));
    // What was captured can be made good, into the lot that was drawn last.
    ledger.done(make_good("alice", captured.id, "2"));
    assert_eq!(ledger.books("alice"), "10 1 0 0 0");
}

#[test]
fn a_hold_is_released_or_expires_and_leaves_everything_as_it_was() {
    let mut ledger = Ledger::new(policy());
    ledger.buy("txn_1", Some("alice"), 1_000);
    let held = ledger.done(hold("alice", "6", 60)).id;
    ledger.done(release("alice", held));
    assert_eq!(ledger.books("alice"), "10 0 0 0 0");
    let held = ledger.done(hold("alice", "10", 60)).id;
    assert_eq!(ledger.refused(expire("alice", held)), Refusal::HoldNotOver);
    assert_eq!(ledger.state.book.holds.len(), 1);
    ledger.wait(60);
    // Nobody recorded that its time is over, but it is.
    assert_eq!(ledger.refused(capture("alice", held, "1")), Refusal::HoldFinished);
    ledger.done(expire("alice", held));
    assert_eq!(ledger.books("alice"), "10 0 0 0 0");
    assert_eq!(ledger.refused(expire("alice", held)), Refusal::HoldFinished);
    assert!(ledger.state.book.holds.is_empty());
}

#[test]
fn holds_refuse_what_they_cannot_be() {
    let mut ledger = Ledger::new(policy());
    ledger.buy("txn_1", Some("alice"), 1_000);
    ledger.buy("txn_2", Some("bob"), 1_000);
    let available = credits("10");
    let refusals = [
        (hold("alice", "10.000001", 60), Refusal::CreditsInsufficient { available }),
        (hold("alice", "1", 0), Refusal::HoldTimeInvalid),
        (hold("alice", "1", 31_536_001), Refusal::HoldTimeInvalid),
        (hold("nobody", "1", 60), Refusal::AccountUnknown),
    ];
    for (order, refusal) in refusals {
        assert_eq!(ledger.refused(order), refusal);
    }
    let held = ledger.done(hold("alice", "6", 60)).id;
    let reserved = credits("6");
    let refusals = [
        (capture("alice", held, "6.000001"), Refusal::CaptureAboveHold { reserved }),
        (capture("bob", held, "1"), Refusal::HoldUnknown),
        (release("bob", held), Refusal::HoldUnknown),
        (debit("alice", "5"), Refusal::CreditsInsufficient { available: credits("4") }),
    ];
    for (order, refusal) in refusals {
        assert_eq!(ledger.refused(order), refusal);
    }
    for amount in ["0", "-1", "0.0000001"] {
        let refusal = ledger.refused(capture("alice", held, amount));
        assert!(matches!(refusal, Refusal::AmountInvalid { .. }), "{amount}: {refusal:?}");
    }
}

#[test]
fn reserved_credits_are_captured_even_when_their_payment_is_charged_back() {
    let mut ledger = Ledger::new(policy());
    ledger.buy("txn_1", Some("alice"), 1_000);
    let held = ledger.done(hold("alice", "6", 600)).id;
    chargeback(&mut ledger, "adj_1", "txn_1", 1_000);
    assert_eq!(ledger.books("alice"), "0 0 6 6 0");
    assert_eq!(ledger.refused(debit("alice", "1")), Refusal::AccountFrozen);
    let captured = ledger.done(capture("alice", held, "6"));
    assert_eq!(ledger.books("alice"), "0 0 0 6 0");
    let debit = ledger.state.entities.debit(&captured.id).flatten().unwrap();
    assert_eq!(debit.standing, Status::Frozen);
    // A release instead pays the shortfall.
    let mut ledger = Ledger::new(policy());
    ledger.buy("txn_1", Some("alice"), 1_000);
    let held = ledger.done(hold("alice", "6", 600)).id;
    chargeback(&mut ledger, "adj_1", "txn_1", 1_000);
    ledger.done(release("alice", held));
    assert_eq!(ledger.books("alice"), "0 0 0 0 0");
}

#[test]
fn a_debit_is_made_good_once_and_never_above_itself() {
    let mut ledger = Ledger::new(policy());
    ledger.buy("txn_1", Some("alice"), 1_000);
    ledger.buy("txn_2", Some("bob"), 1_000);
    let used = ledger.debit("alice", "4");
    let unknown = ledger.debit("bob", "4");
    let refusals = [
        (make_good("alice", used, "4.000001"), Refusal::ReturnAboveDebit { used: credits("4") }),
        (make_good("alice", unknown, "1"), Refusal::DebitUnknown),
        (make_good("nobody", used, "1"), Refusal::AccountUnknown),
    ];
    for (order, refusal) in refusals {
        assert_eq!(ledger.refused(order), refusal);
    }
    ledger.done(make_good("alice", used, "1.5"));
    assert_eq!(ledger.books("alice"), "7.5 0 0 0 0");
    assert_eq!(ledger.refused(make_good("alice", used, "1")), Refusal::ReturnAlreadyMade);
}

#[test]
fn a_return_of_usage_beyond_what_was_there_lowers_what_is_owed_first() {
    let mut ledger = Ledger::new(policy());
    ledger.buy("txn_1", Some("alice"), 1_000);
    let (usage, metadata) = (Usage::AlreadyHappened, Metadata::NONE);
    let order = Order::Debit { account: account("alice"), amount: credits("12"), usage, metadata };
    let used = ledger.done(order).id;
    assert_eq!(ledger.books("alice"), "0 0 0 2 0");
    ledger.done(make_good("alice", used, "3"));
    assert_eq!(ledger.books("alice"), "1 0 0 0 0");
}

#[test]
fn a_policy_can_ask_for_metadata_and_refuse_returns() {
    let metadata = [text("model"), text("request_id")].into();
    let usage = UsageRules { metadata, returns: Returns::Refuse };
    let mut ledger = Ledger::new(Policy { usage, ..policy() });
    ledger.buy("txn_1", Some("alice"), 1_000);
    let says = |names: &[&str]| {
        let entries = names.iter().map(|name| (text(name), Arc::from("\"x\"")));
        let metadata = Metadata::new(entries.collect()).unwrap();
        let (account, amount, usage) = (account("alice"), credits("1"), Usage::Asked);
        Order::Debit { account, amount, usage, metadata }
    };
    let names = [text("model")].into();
    assert_eq!(ledger.refused(says(&["request_id"])), Refusal::MetadataMissing { names });
    let used = ledger.done(says(&["request_id", "model"])).id;
    assert_eq!(ledger.refused(make_good("alice", used, "1")), Refusal::ReturnsNotOffered);
}
