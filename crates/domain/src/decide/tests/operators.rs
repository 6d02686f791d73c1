use super::*;
use crate::{
    account::{Closing, Status},
    holding::Pair,
    ids::{CustomerId, CustomerKey},
    input::{ERASED_MAX, Import},
    payment::Opening,
};

fn write_off(whose: &str, amount: Option<&str>) -> Order {
    let (account, amount) = (account(whose), amount.map(credits));
    Order::WriteOff { account, amount, reason: text("goodwill") }
}

fn close(whose: &str) -> Order {
    Order::Close { account: account(whose), reason: text("abuse") }
}

fn import(id: &str, whose: &str, (granted, used): (&str, &str)) -> Import {
    let pair = |paid: &str| Pair { paid: credits(paid), gift: Credits::ZERO };
    Import {
        account: account(whose),
        payment: payment(id),
        paid_at: at("2025-12-01T00:00:00Z"),
        currency: usd(),
        net: minor(10_000),
        tax: minor(2_000),
        opening: Opening { granted: pair(granted), used: pair(used) },
        reason: text("opening balance"),
    }
}

#[test]
fn what_is_owed_is_forgiven_oldest_first_and_no_more_than_that() {
    let mut ledger = Ledger::new(policy());
    ledger.buy("txn_1", Some("alice"), 1_000);
    ledger.wait(1);
    ledger.buy("txn_2", Some("alice"), 1_000);
    ledger.debit("alice", "20");
    ledger.adjust("adj_1", "txn_1", Action::Refund, Stage::Approved, 1_000);
    ledger.adjust("adj_2", "txn_2", Action::Refund, Stage::Approved, 500);
    assert_eq!(ledger.books("alice"), "0 0 0 15 0");
    let owed = credits("15");
    assert_eq!(
        ledger.refused(write_off("alice", Some("15.1"))),
        Refusal::WriteOffAboveOwed { owed }
    );
    ledger.done(write_off("alice", Some("12")));
    assert_eq!(ledger.books("alice"), "0 0 0 3 12");
    // A purchase pays what is still owed, and not what is forgiven.
    ledger.buy("txn_3", Some("alice"), 1_000);
    assert_eq!(ledger.books("alice"), "7 0 0 0 12");
    let owed = Credits::ZERO;
    assert_eq!(ledger.refused(write_off("alice", None)), Refusal::WriteOffAboveOwed { owed });
}

#[test]
fn when_a_shortfall_falls_owed_falls_first_and_then_what_was_forgiven() {
    let mut ledger = Ledger::new(policy());
    ledger.buy("txn_1", Some("alice"), 1_000);
    let used = ledger.debit("alice", "10");
    ledger.adjust("adj_1", "txn_1", Action::Refund, Stage::Approved, 1_000);
    ledger.done(write_off("alice", Some("4")));
    assert_eq!(ledger.books("alice"), "0 0 0 6 4");
    let reason = text("failed");
    let (account, amount) = (account("alice"), credits("8"));
    ledger.done(Order::Return { account, debit: used, amount, reason });
    assert_eq!(ledger.books("alice"), "0 0 0 0 2");
    // What was forgiven of a lack that is gone is not forgiven of a new one.
    ledger.adjust("adj_1", "txn_1", Action::Refund, Stage::Reversed, 1_000);
    assert_eq!(ledger.books("alice"), "8 0 0 0 0");
}

#[test]
fn an_account_closed_by_an_operator_stays_closed() {
    let mut ledger = Ledger::new(policy());
    ledger.buy("txn_1", Some("alice"), 1_000);
    ledger.done(close("alice"));
    assert_eq!(ledger.view("alice").status(), Status::Closed);
    for order in [debit("alice", "1"), grant("alice", "1", LotKind::Gift), close("alice")] {
        assert_eq!(ledger.refused(order), Refusal::AccountClosed);
    }
    ledger.buy("txn_2", Some("alice"), 1_000);
    assert_eq!(ledger.open(), [ExceptionKind::ClosedAccount]);
    assert_eq!(ledger.books("alice"), "20 0 0 0 0");
}

#[test]
fn an_operator_makes_final_what_the_policy_closed() {
    let close_after = Some(CloseAfter { chargebacks: 1, within_days: 1 });
    let mut ledger = Ledger::new(Policy { close_after, ..policy() });
    ledger.buy("txn_1", Some("alice"), 1_000);
    ledger.adjust("adj_1", "txn_1", Action::Chargeback, Stage::Approved, 1_000);
    assert_eq!(ledger.view("alice").closed, Some(Closing::Policy));
    ledger.done(close("alice"));
    ledger.adjust("adj_1", "txn_1", Action::Chargeback, Stage::Rejected, 1_000);
    assert_eq!(ledger.view("alice").closed, Some(Closing::Operator));
}

#[test]
fn an_unassigned_purchase_is_granted_once_it_is_assigned() {
    let mut ledger = Ledger::new(policy());
    let bought = ledger.buy("txn_1", None, 1_000);
    assert_eq!(ledger.open(), [ExceptionKind::Unassigned]);
    let assign = |payment: &PaymentKey, whose: &str| Order::AssignPayment {
        payment: payment.clone(),
        account: account(whose),
        reason: text("mail from the buyer"),
    };
    assert_eq!(ledger.refused(assign(&payment("txn_9"), "alice")), Refusal::PaymentUnknown);
    ledger.done(assign(&bought, "alice"));
    assert_eq!((ledger.books("alice"), ledger.open()), ("10 0 0 0 0".to_owned(), vec![]));
    assert_eq!(ledger.refused(assign(&bought, "bob")), Refusal::PaymentAssigned);
}

#[test]
fn a_customers_later_purchases_go_to_the_assigned_account() {
    let mut ledger = Ledger::new(policy());
    ledger.buy("txn_1", Some("alice"), 1_000);
    let customer = CustomerId::new("ctm_1").unwrap();
    let key = CustomerKey { origin: payment("x").origin, id: customer.clone() };
    let order =
        Order::AssignCustomer { customer: key, account: account("alice"), reason: text("r") };
    ledger.done(order);
    // The pointers fall back to the customer, or find nothing.
    for (id, whose) in [("txn_2", Some("ctm_1")), ("txn_3", None), ("txn_4", Some("carol"))] {
        let purchase =
            Purchase { customer: Some(customer.clone()), ..ledger.purchase(id, whose, 100) };
        ledger.tell(Notice::Purchase(purchase.clone()));
        // A second event of the same payment names nobody else.
        ledger.tell(Notice::Purchase(Purchase { occurred_at: ledger.now(), ..purchase }));
    }
    assert_eq!(ledger.books("alice"), "12 0 0 0 0");
    assert_eq!(ledger.books("carol"), "1 0 0 0 0");
    assert_eq!(ledger.open(), []);
}

#[test]
fn an_imported_payment_keeps_what_it_granted_and_later_refunds_find_it() {
    let mut ledger = Ledger::new(policy());
    // Its credits were sold at another rate than today's.
    ledger.done(Order::Import(Box::new(import("txn_old", "alice", ("150", "120")))));
    assert_eq!(ledger.books("alice"), "30 0 0 0 0");
    ledger.adjust("adj_1", "txn_old", Action::Refund, Stage::Approved, 2_000);
    // A fifth of the money takes a fifth of what was granted.
    assert_eq!(ledger.books("alice"), "0 0 0 0 0");
    let again = Order::Import(Box::new(import("txn_old", "alice", ("150", "120"))));
    assert_eq!(ledger.refused(again), Refusal::PaymentKnown);
    let above = Order::Import(Box::new(import("txn_x", "alice", ("1", "2"))));
    assert!(matches!(ledger.refused(above), Refusal::ImportInvalid { .. }));
    // The processor tells of it once more: its credits stay as they are.
    let told =
        Purchase { occurred_at: ledger.now(), ..ledger.purchase("txn_old", Some("alice"), 10_000) };
    ledger.tell(Notice::Purchase(told));
    assert_eq!(ledger.books("alice"), "0 0 0 0 0");
}

#[test]
fn an_import_finds_the_chargeback_that_came_before_it() {
    let mut ledger = Ledger::new(policy());
    ledger.adjust("adj_1", "txn_old", Action::Chargeback, Stage::Approved, 10_000);
    assert_eq!(ledger.open(), [ExceptionKind::Orphan]);
    ledger.done(Order::Import(Box::new(import("txn_old", "alice", ("100", "60")))));
    assert_eq!((ledger.books("alice"), ledger.open()), ("0 0 0 60 0".to_owned(), vec![]));
}

#[test]
fn an_erasure_names_records_that_are_there_and_moves_nothing() {
    let mut ledger = Ledger::new(policy());
    ledger.buy("txn_1", Some("alice"), 1_000);
    let last = ledger.state.book.sequence.unwrap();
    let erase = |records: Vec<Sequence>| Order::Erase {
        records: records.into_iter().collect(),
        reason: text("they asked"),
    };
    // Not its own record either: that is not there yet.
    let record = last.next();
    let unknown = Refusal::RecordUnknown { record };
    assert_eq!(ledger.refused(erase(vec![last, record])), unknown);
    assert_eq!(ledger.refused(erase(vec![])), Refusal::ErasureInvalid { count: 0 });
    let (before, most) = (ledger.view("alice"), ERASED_MAX);
    while ledger.state.book.next_sequence().get() <= u64::try_from(most).unwrap() + 1 {
        ledger.done(erase(vec![last]));
    }
    let records = (1..).map(|number| Sequence::new(number).unwrap());
    let many: Vec<Sequence> = records.take(most + 1).collect();
    let refusal = Refusal::ErasureInvalid { count: most + 1 };
    assert_eq!(ledger.refused(erase(many.clone())), refusal);
    let done = ledger.done(erase(many[..most].to_vec()));
    assert!(done.decision.effects.is_empty() && done.decision.transfers.is_empty());
    assert!(done.decision.accounts().is_empty() && done.decision.policy.is_none());
    assert_eq!(ledger.view("alice"), before);
}
