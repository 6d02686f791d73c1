//! Histories that once went wrong: each was found in review and is kept.

use super::*;
use crate::{
    account::{DisputeCause, Status},
    case::CaseStatus,
    notice::Line,
    payment::Conclusion,
    policy::PriceCredits,
};

fn approve(case: OperationId) -> Order {
    Order::ApproveCase { case, remedy: None, note: None }
}

fn mild(refund_first: bool) -> bool {
    let with_open_case = Some(Measures::NONE);
    let refunds = Some(super::cases::refunds());
    let mut ledger = Ledger::new(Policy { with_open_case, refunds, ..policy() });
    let bought = ledger.buy("txn_1", Some("alice"), 1_000);
    let case = ledger.done(open_case("alice", &bought, "duplicate")).id;
    ledger.done(approve(case));
    ledger.wait(60);
    let start = ledger.now();
    let adjustment = |id: &str, action, at| {
        Notice::Adjustment(Adjustment {
            id: AdjustmentId::new(id).unwrap(),
            payment: payment("txn_1"),
            occurred_at: at,
            filed_at: at,
            action,
            status: Stage::Approved,
            extent: Extent::Partial,
            currency: usd(),
            subtotal: minor(1_000),
            total: minor(1_000),
            lines: Vec::new(),
            customer: None,
        })
    };
    // The money went back, then a dispute was filed; both are told later, in either order.
    let refund = adjustment("adj_1", Action::Refund, start);
    let dispute = adjustment("adj_2", Action::Chargeback, start.seconds_after(100));
    ledger.wait(60);
    let (first, second) = if refund_first { (refund, dispute) } else { (dispute, refund) };
    ledger.tell(first);
    ledger.wait(60);
    ledger.tell(second);
    assert_eq!(ledger.case(case).status, CaseStatus::Refunded);
    ledger.view("alice").status() == Status::Active
}

#[test]
fn what_was_forgiven_is_forgotten_when_a_giver_gets_its_credits_back() {
    let mut ledger = Ledger::new(policy());
    ledger.buy("txn_1", Some("alice"), 1_000);
    ledger.wait(1);
    ledger.debit("alice", "10");
    ledger.buy("txn_2", Some("alice"), 1_000);
    // txn_1 lacks ten, txn_2 gives them.
    ledger.adjust("adj_1", "txn_1", Action::Refund, Stage::Approved, 1_000);
    // txn_2 lacks five, which are forgiven.
    ledger.adjust("adj_2", "txn_2", Action::Refund, Stage::Approved, 500);
    assert_eq!(ledger.books("alice"), "0 0 0 5 0");
    let (account, amount) = (account("alice"), None);
    ledger.done(Order::WriteOff { account, amount, reason: text("goodwill") });
    assert_eq!(ledger.books("alice"), "0 0 0 0 5");
    // The refund of txn_1 is undone: txn_2 has its ten back and lacks nothing.
    ledger.wait(1);
    ledger.adjust("adj_1", "txn_1", Action::Refund, Stage::Reversed, 1_000);
    assert_eq!(ledger.books("alice"), "5 0 0 0 0");
    // txn_1 lacks ten again and txn_2 gives its five.
    ledger.adjust("adj_3", "txn_1", Action::Refund, Stage::Approved, 1_000);
    assert_eq!(ledger.books("alice"), "0 0 0 5 0");
    // A later lack of txn_2 is owed anew.
    ledger.adjust("adj_4", "txn_2", Action::Refund, Stage::Approved, 500);
    assert_eq!(ledger.books("alice"), "0 0 0 10 0");
}

#[test]
fn refunds_of_other_items_do_not_end_a_case() {
    let price = |id: &str| crate::ids::PriceId::new(id).unwrap();
    let item = |id: &str| crate::ids::ItemId::new(id).unwrap();
    let prices = BTreeMap::from([(
        price("pri_1"),
        PriceCredits { paid: credits("10"), gift: Credits::ZERO },
    )]);
    let refunds = Some(super::cases::refunds());
    let mut ledger = Ledger::new(Policy { prices, refunds, ..policy() });
    let mut purchase = ledger.purchase("txn_1", Some("alice"), 3_000);
    let line = |id: &str, of: &str, cents| Line {
        item: item(id),
        price: Some(price(of)),
        quantity: 1,
        subtotal: minor(cents),
        discount: Minor::ZERO,
    };
    if let Progress::Completed(basket) = &mut purchase.progress {
        basket.lines = vec![line("itm_1", "pri_1", 1_000), line("itm_2", "pri_shirt", 2_000)];
    }
    ledger.tell(Notice::Purchase(purchase));
    assert_eq!(ledger.books("alice"), "10 0 0 0 0");
    let case = ledger.done(open_case("alice", &payment("txn_1"), "duplicate")).id;
    assert_eq!(ledger.case(case).quote.money, minor(1_000));
    ledger.done(approve(case));
    ledger.tell(Notice::Adjustment(Adjustment {
        id: AdjustmentId::new("adj_shirt").unwrap(),
        payment: payment("txn_1"),
        occurred_at: ledger.now(),
        filed_at: ledger.now(),
        action: Action::Refund,
        status: Stage::Approved,
        extent: Extent::Partial,
        currency: usd(),
        subtotal: minor(2_000),
        total: minor(2_000),
        lines: vec![crate::notice::AdjustmentLine { item: item("itm_2"), subtotal: minor(2_000) }],
        customer: None,
    }));
    assert_eq!(
        (ledger.case(case).status, ledger.books("alice")),
        (CaseStatus::Approved { money: minor(1_000) }, "0 0 10 0 0".to_owned())
    );
}

#[test]
fn thirds_of_a_mixed_basket_take_all() {
    let price = |id: &str| crate::ids::PriceId::new(id).unwrap();
    let item = |id: &str| crate::ids::ItemId::new(id).unwrap();
    let prices = BTreeMap::from([(
        price("pri_1"),
        PriceCredits { paid: credits("10"), gift: Credits::ZERO },
    )]);
    let mut ledger = Ledger::new(Policy { prices, ..policy() });
    let mut purchase = ledger.purchase("txn_1", Some("alice"), 2_000);
    let line = |id: &str, of: &str, cents| Line {
        item: item(id),
        price: Some(price(of)),
        quantity: 1,
        subtotal: minor(cents),
        discount: Minor::ZERO,
    };
    if let Progress::Completed(basket) = &mut purchase.progress {
        basket.lines = vec![line("itm_1", "pri_1", 1_000), line("itm_2", "pri_shirt", 1_000)];
    }
    ledger.tell(Notice::Purchase(purchase));
    for (id, cents) in [("a", 667), ("b", 667), ("c", 666)] {
        ledger.adjust(id, "txn_1", Action::Refund, Stage::Approved, cents);
    }
    assert_eq!(ledger.books("alice"), "0 0 0 0 0");
}

#[test]
fn measures_do_not_depend_on_which_of_refund_and_dispute_arrives_first() {
    assert_eq!(mild(true), mild(false));
}

#[test]
fn a_fresh_delivery_that_cannot_be_read_ends_the_stale_one() {
    use crate::input::{Unreadable, UnreadableFault};
    let mut ledger = Ledger::new(policy());
    let purchase = Notice::Purchase(ledger.purchase("txn_1", Some("alice"), 1_000));
    let readable = ledger.delivery(purchase);
    let notice = Err(Unreadable { fault: UnreadableFault::Malformed, detail: Arc::from("x") });
    let old = Delivery { freshness: Freshness::Old, notice, ..readable.clone() };
    ledger.deliver(old.clone());
    let record = ledger.deliver(Delivery { freshness: Freshness::Fresh, ..old });
    let order = Order::Release {
        record,
        event: readable.event.clone(),
        delivery: Box::new(readable),
        reason: text("r"),
    };
    ledger.done(order);
    assert_eq!(ledger.books("alice"), "10 0 0 0 0");
    assert_eq!(ledger.open(), []);
}

#[test]
fn an_import_that_turns_out_to_cost_nothing_keeps_its_credits() {
    use crate::{holding::Pair, input::Import, payment::Opening};
    let mut ledger = Ledger::new(policy());
    let pair = |paid: &str| Pair { paid: credits(paid), gift: Credits::ZERO };
    ledger.done(Order::Import(Box::new(Import {
        account: account("alice"),
        payment: payment("txn_1"),
        paid_at: at("2025-12-01T00:00:00Z"),
        currency: usd(),
        net: minor(1_000),
        tax: Minor::ZERO,
        opening: Opening { granted: pair("10"), used: pair("0") },
        reason: text("r"),
    })));
    let mut told = ledger.purchase("txn_1", Some("alice"), 1_000);
    if let Progress::Completed(basket) = &mut told.progress {
        basket.discount = minor(1_000);
        basket.total = Minor::ZERO;
    }
    ledger.tell(Notice::Purchase(told));
    assert_eq!(ledger.books("alice"), "10 0 0 0 0");
}

#[test]
fn winning_the_second_dispute_ends_its_measures_though_the_first_was_lost() {
    let mut ledger = Ledger::new(policy());
    let bought = ledger.buy("txn_1", Some("alice"), 1_000);
    ledger.adjust("adj_1", "txn_1", Action::Chargeback, Stage::Approved, 400);
    let (payment, cause) = (bought, DisputeCause::Chargeback);
    let conclusion = Conclusion::Lost;
    ledger.done(Order::ConcludeDispute { payment, cause, conclusion, reason: text("r") });
    ledger.wait(60);
    ledger.adjust("adj_2", "txn_1", Action::Chargeback, Stage::Approved, 600);
    assert_eq!(ledger.view("alice").status(), Status::Frozen);
    ledger.adjust("adj_3", "txn_1", Action::ChargebackReverse, Stage::Approved, 600);
    assert_eq!(ledger.view("alice").status(), Status::Active);
}

#[test]
fn what_is_owed_is_settled_before_the_next_command_about_the_account() {
    let mut ledger = Ledger::new(Policy { settle_owed: false, ..policy() });
    ledger.buy("txn_1", Some("alice"), 1_000);
    ledger.debit("alice", "10");
    ledger.adjust("adj_1", "txn_1", Action::Refund, Stage::Approved, 500);
    ledger.buy("txn_2", Some("alice"), 1_000);
    assert_eq!(ledger.books("alice"), "10 0 0 5 0");
    let next = Policy { version: 2, effective_from: ledger.now(), ..policy() };
    ledger.done(Order::ActivatePolicy { policy: Arc::new(next), file: Digest([1; 32]) });
    // No record touches every account; the next one about this account settles it first.
    let available = credits("5");
    assert_eq!(ledger.refused(debit("alice", "6")), Refusal::CreditsInsufficient { available });
    ledger.debit("alice", "1");
    assert_eq!(ledger.books("alice"), "4 0 0 0 0");
}

#[test]
fn a_purchase_that_comes_after_the_chargeback_that_closes_is_shown_too() {
    let close_after = Some(crate::policy::CloseAfter { chargebacks: 1, within_days: 1 });
    let mut ledger = Ledger::new(Policy { close_after, ..policy() });
    ledger.adjust("adj_1", "txn_1", Action::Chargeback, Stage::Approved, 400);
    ledger.buy("txn_1", Some("alice"), 1_000);
    assert!(ledger.view("alice").closed.is_some());
    assert_eq!(ledger.open(), [ExceptionKind::ClosedAccount]);
}

#[test]
fn one_payments_two_events_do_not_disagree_by_an_assignment_between() {
    use crate::ids::{CustomerId, CustomerKey};
    let mut ledger = Ledger::new(policy());
    ledger.buy("txn_1", Some("alice"), 1_000);
    let customer = CustomerId::new("ctm_1").unwrap();
    let purchase = Purchase {
        customer: Some(customer.clone()),
        ..ledger.purchase("txn_2", Some("ctm_1"), 100)
    };
    ledger.tell(Notice::Purchase(purchase.clone()));
    let customer = CustomerKey { origin: payment("x").origin, id: customer };
    ledger.done(Order::AssignCustomer { customer, account: account("alice"), reason: text("r") });
    ledger.wait(1);
    ledger.tell(Notice::Purchase(Purchase { occurred_at: ledger.now(), ..purchase }));
    assert_eq!(ledger.open(), []);
}

#[test]
fn a_basket_without_lines_raises_unlisted_price() {
    let price = |id: &str| crate::ids::PriceId::new(id).unwrap();
    let prices = BTreeMap::from([(
        price("pri_1"),
        PriceCredits { paid: credits("10"), gift: Credits::ZERO },
    )]);
    let mut ledger = Ledger::new(Policy { prices, ..policy() });
    ledger.buy("txn_1", Some("alice"), 1_000);
    assert_eq!(ledger.open(), [ExceptionKind::UnlistedPrice]);
}

#[test]
fn a_balance_never_leaves_the_range_in_all_its_parts_together() {
    let mut ledger = Ledger::new(policy());
    ledger.buy("txn_1", Some("alice"), 1_000);
    let refusal = ledger.refused(grant("alice", "1000000000000000", LotKind::Gift));
    assert!(matches!(refusal, Refusal::AmountInvalid { .. }), "{refusal:?}");
    assert_eq!(ledger.books("alice"), "10 0 0 0 0");
}
