//! Refund cases that once went wrong: each was found in review and is kept.

use super::*;
use crate::{
    case::CaseStatus,
    input::Approval,
    refunds::{Fee, Percent, QuoteRules, Refunds},
};

fn rules() -> QuoteRules {
    super::cases::refunds().quote
}

fn quoting(quote: QuoteRules) -> Ledger {
    let refunds = Some(Refunds { quote, ..super::cases::refunds() });
    Ledger::new(Policy { refunds, ..policy() })
}

fn ledger() -> Ledger {
    quoting(rules())
}

/// Ten percent fee.
fn with_fee() -> Ledger {
    let fee = Fee { percent: Percent::parse("10").unwrap(), fixed: BTreeMap::new() };
    quoting(QuoteRules { channel_fee: Some(fee), ..rules() })
}

fn approve(case: OperationId) -> Order {
    Order::ApproveCase { case, remedy: None, note: None }
}

fn inform(case: OperationId) -> Order {
    Order::InformCase { case, application: Application::EMPTY }
}

fn assign(payment: &PaymentKey, whose: &str) -> Order {
    let (payment, account) = (payment.clone(), account(whose));
    Order::AssignPayment { payment, account, reason: text("r") }
}

fn left_side(first_before: bool) -> String {
    let mut ledger = with_fee();
    let bought = ledger.buy("txn_1", Some("alice"), 1_000);
    let refund = |ledger: &mut Ledger, id: &str, cents| {
        ledger.adjust(id, "txn_1", Action::Refund, Stage::Approved, cents);
    };
    if first_before {
        refund(&mut ledger, "adj_1", 500);
    }
    let case = ledger.done(open_case("alice", &bought, "duplicate")).id;
    let remedy = Some(Approval::Money(minor(450)));
    ledger.done(Order::ApproveCase { case, remedy, note: None });
    if !first_before {
        refund(&mut ledger, "adj_1", 500);
    }
    refund(&mut ledger, "adj_2", 405);
    ledger.done(Order::Grant {
        account: account("alice"),
        amount: credits("1"),
        kind: LotKind::Gift,
        label: None,
        reason: text("r"),
    });
    let books = ledger.view("alice").books;
    books.paid.plus(books.held).unwrap().to_string()
}

#[test]
fn information_does_not_make_an_earlier_refund_the_cases_own() {
    let mut ledger = ledger();
    let bought = ledger.buy("txn_1", Some("alice"), 1_000);
    let case = ledger.done(open_case("alice", &bought, "duplicate")).id;
    ledger.adjust("adj_1", "txn_1", Action::Refund, Stage::Approved, 600);
    ledger.done(inform(case));
    assert!(
        matches!(ledger.case(case).status, CaseStatus::InReview { .. }),
        "{:?}",
        ledger.case(case).status
    );
    assert_eq!(ledger.books("alice"), "0 0 4 0 0");
}

#[test]
fn a_claim_does_not_take_what_an_undone_refund_had_taken() {
    let mut ledger = ledger();
    let bought = ledger.buy("txn_1", Some("alice"), 1_000);
    ledger.adjust("adj_1", "txn_1", Action::Refund, Stage::Approved, 600);
    let case = ledger.done(open_case("alice", &bought, "duplicate")).id;
    ledger.done(approve(case));
    ledger.wait(1);
    ledger.adjust("adj_1", "txn_1", Action::Refund, Stage::Reversed, 600);
    let held = ledger.books("alice");
    ledger.adjust("adj_2", "txn_1", Action::Refund, Stage::Approved, 400);
    // 4 dollars went back, so 4 credits go.
    assert_eq!((held.as_str(), ledger.books("alice").as_str()), ("6 0 4 0 0", "6 0 0 0 0"));
}

#[test]
fn a_credit_undone_before_the_case_does_not_keep_it_open() {
    let mut ledger = with_fee();
    let bought = ledger.buy("txn_1", Some("alice"), 1_000);
    ledger.adjust("adj_1", "txn_1", Action::Credit, Stage::Approved, 600);
    ledger.adjust("adj_2", "txn_1", Action::CreditReverse, Stage::Approved, 600);
    assert_eq!(ledger.books("alice"), "10 0 0 0 0");
    let case = ledger.done(open_case("alice", &bought, "duplicate")).id;
    assert_eq!(ledger.case(case).quote.money, minor(900));
    let remedy = Some(Approval::Money(minor(900)));
    let approved = ledger.ask(Order::ApproveCase { case, remedy, note: None }).map(|_| ());
    assert_eq!(approved, Ok(()));
    ledger.adjust("adj_3", "txn_1", Action::Refund, Stage::Approved, 900);
    assert_eq!(ledger.case(case).status, CaseStatus::Refunded);
}

#[test]
fn a_credit_undone_before_the_case_does_not_keep_it_open_once_approved() {
    let mut ledger = with_fee();
    let bought = ledger.buy("txn_1", Some("alice"), 1_000);
    ledger.adjust("adj_1", "txn_1", Action::Credit, Stage::Approved, 100);
    ledger.adjust("adj_2", "txn_1", Action::CreditReverse, Stage::Approved, 100);
    let case = ledger.done(open_case("alice", &bought, "duplicate")).id;
    ledger.done(approve(case));
    ledger.adjust("adj_3", "txn_1", Action::Refund, Stage::Approved, 900);
    assert_eq!(ledger.case(case).status, CaseStatus::Refunded);
    assert_eq!(ledger.books("alice"), "0 0 0 0 0");
}

#[test]
fn a_won_chargeback_does_not_stand_in_the_way_of_an_approval() {
    let mut ledger = ledger();
    let bought = ledger.buy("txn_1", Some("alice"), 1_000);
    ledger.adjust("adj_1", "txn_1", Action::Chargeback, Stage::Approved, 1_000);
    ledger.adjust("adj_2", "txn_1", Action::ChargebackReverse, Stage::Approved, 1_000);
    assert_eq!(ledger.books("alice"), "10 0 0 0 0");
    let case = ledger.done(open_case("alice", &bought, "duplicate")).id;
    assert_eq!(ledger.case(case).quote.money, minor(1_000));
    assert_eq!(ledger.ask(approve(case)).map(|_| ()), Ok(()));
}

#[test]
fn a_warning_and_its_chargeback_are_paid_back_once() {
    let mut ledger = ledger();
    let bought = ledger.buy("txn_1", Some("alice"), 1_000);
    ledger.adjust("adj_1", "txn_1", Action::Warning, Stage::Approved, 500);
    ledger.adjust("adj_2", "txn_1", Action::Chargeback, Stage::Approved, 500);
    assert_eq!(ledger.books("alice"), "0 0 5 0 0");
    let case = ledger.done(open_case("alice", &bought, "law")).id;
    assert_eq!(ledger.case(case).quote.money, minor(500));
    assert_eq!(ledger.ask(approve(case)).map(|_| ()), Ok(()));
}

#[test]
fn nothing_granted_is_quoted_without_deducting_gifts() {
    let mut ledger = quoting(QuoteRules { gift_used: true, ..rules() });
    ledger.buy("txn_1", Some("alice"), 1_000);
    let bought = ledger.buy("txn_2", None, 1_000);
    let case = ledger.done(open_case("alice", &bought, "duplicate")).id;
    assert_eq!(ledger.case(case).quote.money, minor(1_000), "{:?}", ledger.case(case).quote.lines);
}

#[test]
fn a_case_holds_the_credits_of_a_payment_that_is_assigned_meanwhile() {
    let mut ledger = ledger();
    ledger.buy("txn_1", Some("alice"), 1_000);
    let bought = ledger.buy("txn_2", None, 1_000);
    let case = ledger.done(open_case("alice", &bought, "duplicate")).id;
    ledger.done(assign(&bought, "alice"));
    assert!(matches!(ledger.case(case).status, CaseStatus::InReview { .. }));
    assert_eq!(ledger.books("alice"), "10 0 10 0 0");
}

#[test]
fn a_case_approved_before_the_payment_is_assigned_takes_all_that_it_quoted() {
    let mut ledger = with_fee();
    ledger.buy("txn_1", Some("alice"), 1_000);
    let bought = ledger.buy("txn_2", None, 1_000);
    let case = ledger.done(open_case("alice", &bought, "duplicate")).id;
    ledger.done(approve(case));
    ledger.done(assign(&bought, "alice"));
    ledger.adjust("adj_1", "txn_2", Action::Refund, Stage::Approved, 900);
    assert_eq!(ledger.case(case).status, CaseStatus::Refunded);
    assert_eq!(ledger.books("alice"), "10 0 0 0 0");
}

#[test]
fn a_case_never_holds_another_accounts_credits() {
    let mut ledger = ledger();
    ledger.buy("txn_1", Some("alice"), 1_000);
    let bought = ledger.buy("txn_2", None, 1_000);
    let case = ledger.done(open_case("alice", &bought, "duplicate")).id;
    ledger.done(assign(&bought, "bob"));
    let approved = ledger.ask(approve(case)).map(|_| ());
    assert!(approved.is_err(), "{} {:?}", ledger.books("bob"), ledger.case(case).status);
}

#[test]
fn what_was_refunded_is_not_used() {
    let mut ledger = quoting(QuoteRules { promotion: true, ..rules() });
    let mut purchase = ledger.purchase("txn_1", Some("alice"), 1_200);
    if let Progress::Completed(basket) = &mut purchase.progress {
        basket.discount = minor(200);
        basket.total = minor(1_000);
    }
    ledger.tell(Notice::Purchase(purchase));
    ledger.adjust("adj_1", "txn_1", Action::Refund, Stage::Approved, 500);
    let case = ledger.done(open_case("alice", &payment("txn_1"), "duplicate")).id;
    // Nothing was used: no discount was lost on anything.
    assert_eq!(ledger.case(case).quote.money, minor(500), "{:?}", ledger.case(case).quote.lines);
}

#[test]
fn an_unassigned_payment_is_quoted_without_what_was_refunded() {
    let mut ledger = ledger();
    ledger.buy("txn_1", Some("alice"), 1_000);
    let bought = ledger.buy("txn_2", None, 1_000);
    ledger.adjust("adj_1", "txn_2", Action::Refund, Stage::Approved, 600);
    let case = ledger.done(open_case("alice", &bought, "duplicate")).id;
    assert_eq!(ledger.case(case).quote.money, minor(400));
}

#[test]
fn a_second_claim_does_not_take_what_the_first_ones_undone_refund_had_taken() {
    let mut ledger = with_fee();
    let bought = ledger.buy("txn_1", Some("alice"), 1_000);
    let used = ledger.debit("alice", "4");
    let case = ledger.done(open_case("alice", &bought, "duplicate")).id;
    ledger.done(approve(case));
    ledger.adjust("adj_1", "txn_1", Action::Refund, Stage::Approved, 540);
    assert_eq!(ledger.books("alice"), "0 0 0 0 0");
    let (account, amount) = (account("alice"), credits("4"));
    ledger.done(Order::Return { account, debit: used, amount, reason: text("failed") });
    assert_eq!(ledger.books("alice"), "4 0 0 0 0");
    let case = ledger.done(open_case("alice", &bought, "duplicate")).id;
    assert_eq!(ledger.case(case).quote.money, minor(360));
    ledger.done(approve(case));
    ledger.adjust("adj_2", "txn_1", Action::Refund, Stage::Approved, 360);
    assert_eq!(ledger.books("alice"), "0 0 0 0 0");
    ledger.wait(1);
    ledger.adjust("adj_1", "txn_1", Action::Refund, Stage::Reversed, 540);
    assert_eq!(ledger.books("alice"), "6 0 0 0 0");
}

#[test]
fn an_ended_case_is_not_revived_by_another_refund() {
    let mut ledger = with_fee();
    let bought = ledger.buy("txn_1", Some("alice"), 1_000);
    let case = ledger.done(open_case("alice", &bought, "duplicate")).id;
    ledger.done(approve(case));
    ledger.adjust("adj_1", "txn_1", Action::Refund, Stage::Approved, 900);
    ledger.wait(1);
    ledger.adjust("adj_1", "txn_1", Action::Refund, Stage::Reversed, 900);
    assert_eq!(ledger.books("alice"), "10 0 0 0 0");
    ledger.debit("alice", "1");
    ledger.adjust("adj_2", "txn_1", Action::Refund, Stage::Approved, 900);
    assert_eq!(ledger.books("alice"), "0 0 0 0 0");
}

#[test]
fn a_pending_chargeback_is_paid_back_too() {
    let mut ledger = ledger();
    let bought = ledger.buy("txn_1", Some("alice"), 1_000);
    ledger.adjust("adj_1", "txn_1", Action::Chargeback, Stage::Pending, 1_000);
    assert_eq!(ledger.books("alice"), "0 0 0 0 0");
    let case = ledger.done(open_case("alice", &bought, "law")).id;
    let remedy = Some(Approval::Money(minor(1_000)));
    let asked = ledger.ask(Order::ApproveCase { case, remedy, note: None }).map(|_| ());
    assert!(matches!(asked, Err(Refusal::ApprovalAbovePaid { .. })), "{asked:?}");
}

#[test]
fn a_smaller_approval_takes_what_its_money_is_worth() {
    let mut ledger = ledger();
    let bought = ledger.buy("txn_1", Some("alice"), 1_000);
    let case = ledger.done(open_case("alice", &bought, "duplicate")).id;
    let remedy = Some(Approval::Money(minor(250)));
    ledger.done(Order::ApproveCase { case, remedy, note: None });
    ledger.adjust("adj_1", "txn_1", Action::Refund, Stage::Approved, 250);
    assert_eq!(ledger.books("alice"), "7.5 0 0 0 0");
}

#[test]
fn reserved_credits_are_not_consumed() {
    let mut ledger = ledger();
    let bought = ledger.buy("txn_1", Some("alice"), 1_000);
    let (account, amount) = (account("alice"), credits("10"));
    ledger.done(Order::Hold { account, amount, expires_in_seconds: 60 });
    let case = ledger.done(open_case("alice", &bought, "duplicate")).id;
    assert!(
        matches!(ledger.case(case).status, CaseStatus::InReview { .. }),
        "{:?}",
        ledger.case(case).status
    );
}

#[test]
fn a_case_gives_the_same_left_side_in_either_order() {
    assert_eq!(left_side(true), left_side(false));
}

#[test]
fn the_gift_of_a_payment_that_granted_nothing_else_goes_with_its_money() {
    let price = crate::ids::PriceId::new("pri_1").unwrap();
    let item = crate::ids::ItemId::new("itm_1").unwrap();
    let gift = crate::policy::PriceCredits { paid: Credits::ZERO, gift: credits("5") };
    let prices = BTreeMap::from([(price.clone(), gift)]);
    let refunds = Some(super::cases::refunds());
    let mut ledger = Ledger::new(Policy { prices, refunds, ..policy() });
    let mut purchase = ledger.purchase("txn_1", Some("alice"), 1_000);
    if let Progress::Completed(basket) = &mut purchase.progress {
        let (subtotal, discount) = (minor(1_000), Minor::ZERO);
        let price = Some(price);
        basket.lines = vec![crate::notice::Line { item, price, quantity: 2, subtotal, discount }];
    }
    ledger.tell(Notice::Purchase(purchase));
    assert_eq!(ledger.books("alice"), "0 10 0 0 0");
    ledger.done(open_case("alice", &payment("txn_1"), "duplicate"));
    assert_eq!(ledger.books("alice"), "0 0 10 0 0");
}
