use std::collections::BTreeSet;

use super::*;
use crate::{
    calendar::{Calendar, Weekday, Zone},
    case::{CaseStatus, Charge, Decider, Invoice},
    input::Approval,
    refunds::{Condition, Fee, Percent, QuoteRules, Reason, ReasonVerdict, Refunds, Remedy},
};

fn reason(verdict: ReasonVerdict) -> Reason {
    Reason {
        verdict,
        rule: text("rule of the reason"),
        facts: BTreeSet::new(),
        within_days: None,
        unused: false,
        remedy: Remedy::Refund,
        despite: BTreeSet::new(),
    }
}

/// A duplicate is reviewed, a mistake eligible within seven days while unused.
pub(super) fn refunds() -> Refunds {
    let mistake = Reason {
        facts: [text("amount")].into(),
        within_days: Some(7),
        unused: true,
        ..reason(ReasonVerdict::Eligible)
    };
    let despite = Condition::ALL.into();
    Refunds {
        facts: BTreeSet::new(),
        review_business_days: 7,
        calendar: Calendar {
            zone: Zone::named("UTC").unwrap(),
            weekend: [Weekday::Saturday, Weekday::Sunday].into(),
            holidays: BTreeSet::new(),
            working_days: BTreeSet::new(),
        },
        denials: BTreeMap::from([
            (Condition::Consumed, text("consumed")),
            (Condition::Restricted, text("restricted")),
            (Condition::Invoiced, text("invoiced")),
        ]),
        reasons: BTreeMap::from([
            (text("duplicate"), reason(ReasonVerdict::Review)),
            (text("mistake"), mistake),
            (text("unused-credits"), reason(ReasonVerdict::Deny)),
            (text("law"), Reason { despite, ..reason(ReasonVerdict::Review) }),
            (text("incident"), Reason { remedy: Remedy::Credits, ..reason(ReasonVerdict::Review) }),
        ]),
        quote: QuoteRules {
            tax: true,
            channel_fee: None,
            invoice_tax: None,
            gift_used: false,
            promotion: false,
            third_party_costs: false,
        },
    }
}

fn ledger() -> Ledger {
    Ledger::new(Policy { refunds: Some(refunds()), ..policy() })
}

fn quoting(rules: QuoteRules) -> Ledger {
    let refunds = Some(Refunds { quote: rules, ..refunds() });
    Ledger::new(Policy { refunds, ..policy() })
}

fn status(ledger: &mut Ledger, order: Order) -> CaseStatus {
    let id = ledger.done(order).id;
    ledger.case(id).status
}

fn approve(case: OperationId, remedy: Option<Approval>) -> Order {
    Order::ApproveCase { case, remedy, note: None }
}

fn denied(rule: &str) -> CaseStatus {
    CaseStatus::Denied { rule: text(rule), by: Decider::Policy }
}

#[test]
fn a_case_holds_its_quoted_credits_until_the_processors_refund_ends_it() {
    let mut ledger = ledger();
    let bought = ledger.buy("txn_1", Some("alice"), 1_000);
    ledger.debit("alice", "4");
    let case = ledger.done(open_case("alice", &bought, "duplicate")).id;
    // Wednesday, 1 July: the seventh business day is Friday the 10th.
    let due_at = at("2026-07-11T00:00:00Z");
    assert_eq!(ledger.case(case).status, CaseStatus::InReview { due_at });
    assert_eq!(ledger.case(case).quote.money, minor(600));
    assert_eq!(ledger.books("alice"), "0 0 6 0 0");
    ledger.done(approve(case, None));
    assert_eq!(ledger.books("alice"), "0 0 6 0 0");
    ledger.adjust("adj_1", "txn_1", Action::Refund, Stage::Pending, 600);
    assert_eq!(ledger.books("alice"), "0 0 6 0 0");
    assert_eq!(ledger.case(case).status, CaseStatus::Approved { money: minor(600) });
    ledger.adjust("adj_1", "txn_1", Action::Refund, Stage::Approved, 600);
    assert_eq!(ledger.books("alice"), "0 0 0 0 0");
    assert_eq!(ledger.case(case).status, CaseStatus::Refunded);
    assert_eq!(ledger.refused(approve(case, None)), Refusal::CaseFinished);
}

#[test]
fn a_denied_or_withdrawn_case_sets_its_credits_free() {
    let mut ledger = ledger();
    let bought = ledger.buy("txn_1", Some("alice"), 1_000);
    type End = fn(OperationId) -> Order;
    let deny: End = |case| Order::DenyCase { case, note: text("no") };
    let withdraw: End = |case| Order::WithdrawCase { case, note: None };
    for end in [deny, withdraw] {
        let case = ledger.done(open_case("alice", &bought, "duplicate")).id;
        assert_eq!(ledger.books("alice"), "0 0 10 0 0");
        let again = ledger.refused(open_case("alice", &bought, "duplicate"));
        assert_eq!(again, Refusal::CaseAlreadyOpen);
        ledger.done(end(case));
        assert_eq!(ledger.books("alice"), "10 0 0 0 0");
        assert_eq!(ledger.refused(end(case)), Refusal::CaseFinished);
    }
}

#[test]
fn a_case_is_about_the_applicants_own_paid_payment() {
    let mut ledger = ledger();
    let bought = ledger.buy("txn_1", Some("alice"), 1_000);
    ledger.buy("txn_2", Some("bob"), 1_000);
    let reasons = refunds().reasons.into_keys().collect();
    let refusals = [
        (open_case("bob", &bought, "duplicate"), Refusal::PaymentOfAnotherAccount),
        (open_case("bob", &payment("txn_9"), "duplicate"), Refusal::PaymentUnknown),
        (open_case("nobody", &bought, "duplicate"), Refusal::AccountUnknown),
        (open_case("alice", &bought, "boredom"), Refusal::ReasonUnknown { reasons }),
        (
            approve(
                OperationId::of(&LedgerId::new("x").unwrap(), &IdempotencyKey::new("y").unwrap()),
                None,
            ),
            Refusal::CaseUnknown,
        ),
    ];
    for (order, refusal) in refusals {
        assert_eq!(ledger.refused(order), refusal);
    }
    let mut ledger = Ledger::new(policy());
    let bought = ledger.buy("txn_1", Some("alice"), 1_000);
    let refusal = ledger.refused(open_case("alice", &bought, "duplicate"));
    assert_eq!(refusal, Refusal::RefundsNotOffered);
}

#[test]
fn verdicts_follow_reason_facts_window_use_and_standing() {
    let mut ledger = ledger();
    let bought = ledger.buy("txn_1", Some("alice"), 1_000);
    assert_eq!(
        status(&mut ledger, open_case("alice", &bought, "unused-credits")),
        denied("rule of the reason")
    );
    let says = |cents| Application {
        given: [text("amount")].into(),
        amount: Some(minor(cents)),
        ..Application::EMPTY
    };
    let opened = ledger.done(open_case("alice", &bought, "mistake")).id;
    let needs = |missing: &[&str], wrong: &[&str]| {
        let [missing, wrong] =
            [missing, wrong].map(|names| names.iter().map(|name| text(name)).collect());
        CaseStatus::NeedsInformation { missing, wrong }
    };
    assert_eq!(ledger.case(opened).status, needs(&["amount"], &[]));
    assert_eq!(ledger.refused(approve(opened, None)), Refusal::CaseIncomplete);
    ledger.done(Order::InformCase { case: opened, application: says(999) });
    assert_eq!(ledger.case(opened).status, needs(&[], &["amount"]));
    // The seven days were counted from when it was asked, not from when it was complete.
    ledger.wait_days(30);
    ledger.done(Order::InformCase { case: opened, application: says(1_000) });
    assert!(matches!(ledger.case(opened).status, CaseStatus::Eligible { .. }));
    ledger.done(Order::WithdrawCase { case: opened, note: None });

    let apply = |payment: &PaymentKey| Order::OpenCase {
        account: account("alice"),
        payment: payment.clone(),
        reason: text("mistake"),
        application: says(1_000),
    };
    let bought = ledger.buy("txn_2", Some("alice"), 1_000);
    ledger.wait_days(7);
    let in_time = ledger.done(apply(&bought)).id;
    assert!(matches!(ledger.case(in_time).status, CaseStatus::Eligible { .. }));
    ledger.done(Order::WithdrawCase { case: in_time, note: None });
    ledger.wait(1);
    assert_eq!(status(&mut ledger, apply(&bought)), denied("rule of the reason"));
    let bought = ledger.buy("txn_3", Some("alice"), 1_000);
    ledger.debit("alice", "20.000001");
    assert_eq!(status(&mut ledger, apply(&bought)), denied("rule of the reason"));
    ledger.debit("alice", "9.999999");
    assert_eq!(status(&mut ledger, open_case("alice", &bought, "duplicate")), denied("consumed"));
    let lawful = status(&mut ledger, open_case("alice", &bought, "law"));
    assert!(matches!(lawful, CaseStatus::InReview { .. }));
    let bought = ledger.buy("txn_4", Some("bob"), 1_000);
    ledger.adjust("adj_1", "txn_4", Action::Warning, Stage::Approved, 100);
    ledger.wait(1);
    assert_eq!(status(&mut ledger, open_case("bob", &bought, "duplicate")), denied("restricted"));
}

#[test]
fn an_approval_may_differ_from_the_quote_within_what_was_paid() {
    let mut ledger = ledger();
    let bought = ledger.buy("txn_1", Some("alice"), 1_000);
    ledger.debit("alice", "10");
    let case = ledger.done(open_case("alice", &bought, "law")).id;
    assert_eq!(ledger.case(case).quote.money, Minor::ZERO);
    assert!(matches!(ledger.refused(approve(case, None)), Refusal::ApprovalUnfit { .. }));
    let above = ledger.refused(approve(case, Some(Approval::Money(minor(1_001)))));
    assert_eq!(above, Refusal::ApprovalAbovePaid { paid: minor(1_000), currency: usd() });
    ledger.done(approve(case, Some(Approval::Money(minor(250)))));
    ledger.adjust("adj_1", "txn_1", Action::Refund, Stage::Approved, 250);
    assert_eq!(ledger.case(case).status, CaseStatus::Refunded);
    assert_eq!(ledger.books("alice"), "0 0 0 2.5 0");
}

#[test]
fn a_reason_made_good_in_credits_never_gives_money() {
    let mut ledger = ledger();
    let bought = ledger.buy("txn_1", Some("alice"), 1_000);
    let case = ledger.done(open_case("alice", &bought, "incident")).id;
    assert_eq!(ledger.books("alice"), "10 0 0 0 0");
    for remedy in [None, Some(Approval::Money(minor(100)))] {
        assert!(matches!(ledger.refused(approve(case, remedy)), Refusal::ApprovalUnfit { .. }));
    }
    ledger.done(approve(case, Some(Approval::Credits(credits("2")))));
    assert_eq!(ledger.books("alice"), "10 2 0 0 0");
    assert_eq!(ledger.case(case).status, CaseStatus::Corrected { credits: credits("2") });
}

#[test]
fn a_quote_shows_every_line_that_the_policy_has() {
    let fixed = BTreeMap::from([(usd(), minor(30))]);
    let mut ledger = quoting(QuoteRules {
        tax: true,
        channel_fee: Some(Fee { percent: Percent::parse("2.9").unwrap(), fixed }),
        invoice_tax: Percent::parse("6"),
        gift_used: true,
        promotion: true,
        third_party_costs: true,
    });
    let mut purchase = ledger.purchase("txn_1", Some("alice"), 12_000);
    if let Progress::Completed(basket) = &mut purchase.progress {
        basket.discount = minor(2_000);
        basket.tax = minor(1_000);
        basket.total = minor(11_000);
    }
    ledger.tell(Notice::Purchase(purchase));
    ledger.debit("alice", "40");
    let application = Application {
        invoice: Some(Invoice::Reversible),
        third_party_costs: Some(minor(100)),
        ..Application::EMPTY
    };
    let order = Order::OpenCase {
        account: account("alice"),
        payment: payment("txn_1"),
        reason: text("duplicate"),
        application,
    };
    let id = ledger.done(order).id;
    let quote = ledger.case(id).quote;
    let lines: Vec<_> = quote.lines.iter().map(|line| (line.what, line.amount.get())).collect();
    assert_eq!(
        lines,
        [
            (Charge::UnusedBalance, 6_000),
            (Charge::Tax, 600),
            (Charge::ChannelFee, -(191 + 30)),
            (Charge::InvoiceTax, -360),
            (Charge::GiftUsed, 0),
            (Charge::Promotion, -800),
            (Charge::ThirdPartyCosts, -100),
        ]
    );
    assert_eq!(quote.money, minor(6_600 - 221 - 360 - 800 - 100));
    assert_eq!(quote.credits.paid, credits("60"));
    // What was deducted from the money does not stay in credits: the quoted ones go with it.
    ledger.done(approve(id, None));
    ledger.adjust("adj_1", "txn_1", Action::Refund, Stage::Approved, quote.money.get());
    assert_eq!(ledger.books("alice"), "0 0 0 0 0");
}

#[test]
fn a_smaller_refund_than_approved_leaves_the_case_open() {
    let mut ledger = ledger();
    let bought = ledger.buy("txn_1", Some("alice"), 1_000);
    let case = ledger.done(open_case("alice", &bought, "duplicate")).id;
    ledger.done(approve(case, None));
    ledger.adjust("adj_1", "txn_1", Action::Refund, Stage::Approved, 100);
    assert_eq!(ledger.case(case).status, CaseStatus::Approved { money: minor(1_000) });
    assert_eq!(ledger.books("alice"), "0 0 9 0 0");
    ledger.adjust("adj_2", "txn_1", Action::Refund, Stage::Approved, 900);
    assert_eq!(ledger.case(case).status, CaseStatus::Refunded);
    assert_eq!(ledger.books("alice"), "0 0 0 0 0");
}

#[test]
fn of_a_case_and_a_pending_refund_the_larger_is_held() {
    let mut ledger = ledger();
    let bought = ledger.buy("txn_1", Some("alice"), 1_000);
    ledger.adjust("adj_1", "txn_1", Action::Refund, Stage::Pending, 300);
    assert_eq!(ledger.books("alice"), "7 0 3 0 0");
    let case = ledger.done(open_case("alice", &bought, "duplicate")).id;
    assert_eq!(ledger.books("alice"), "0 0 10 0 0");
    ledger.done(Order::WithdrawCase { case, note: None });
    assert_eq!(ledger.books("alice"), "7 0 3 0 0");
}

#[test]
fn a_case_keeps_the_version_that_it_was_opened_under() {
    let mut ledger = ledger();
    let bought = ledger.buy("txn_1", Some("alice"), 1_000);
    let case = ledger.done(open_case("alice", &bought, "mistake")).id;
    let mut stricter = Policy { version: 2, effective_from: ledger.now(), ..policy() };
    stricter.refunds = None;
    ledger.done(Order::ActivatePolicy { policy: Arc::new(stricter), file: Digest([1; 32]) });
    let application = Application {
        given: [text("amount")].into(),
        amount: Some(minor(1_000)),
        ..Application::EMPTY
    };
    let informed = ledger.done(Order::InformCase { case, application });
    assert_eq!(informed.decision.policy, Some(1));
    assert_eq!(ledger.done(approve(case, None)).decision.policy, Some(1));
    let bought = ledger.buy("txn_2", Some("alice"), 1_000);
    let refused = ledger.refused(open_case("alice", &bought, "mistake"));
    assert_eq!(refused, Refusal::RefundsNotOffered);
}

#[test]
fn a_quote_is_made_anew_when_it_is_approved() {
    let mut ledger = ledger();
    let bought = ledger.buy("txn_1", Some("alice"), 1_000);
    let case = ledger.done(open_case("alice", &bought, "duplicate")).id;
    ledger.adjust("adj_1", "txn_1", Action::Refund, Stage::Approved, 600);
    let above = ledger.refused(approve(case, Some(Approval::Money(minor(401)))));
    assert_eq!(above, Refusal::ApprovalAbovePaid { paid: minor(400), currency: usd() });
    ledger.done(approve(case, None));
    // The refund before the approval was not the case's own.
    assert_eq!(ledger.case(case).status, CaseStatus::Approved { money: minor(400) });
    assert_eq!(ledger.books("alice"), "0 0 4 0 0");
    ledger.adjust("adj_2", "txn_1", Action::Refund, Stage::Approved, 400);
    assert_eq!(ledger.case(case).status, CaseStatus::Refunded);
    assert_eq!(ledger.books("alice"), "0 0 0 0 0");
}

#[test]
fn more_information_never_moves_the_due_date_of_a_review() {
    let mut ledger = ledger();
    let bought = ledger.buy("txn_1", Some("alice"), 1_000);
    let case = ledger.done(open_case("alice", &bought, "duplicate")).id;
    let before = ledger.case(case).status;
    ledger.wait_days(30);
    ledger.done(Order::InformCase { case, application: Application::EMPTY });
    assert_eq!(ledger.case(case).status, before);
}

#[test]
fn a_person_must_say_whose_an_unassigned_payment_is() {
    let mut ledger = ledger();
    ledger.buy("txn_1", Some("alice"), 1_000);
    let bought = ledger.buy("txn_2", None, 1_000);
    let application = Application {
        given: [text("amount")].into(),
        amount: Some(minor(1_000)),
        ..Application::EMPTY
    };
    let (account, payment) = (account("alice"), bought);
    let order = Order::OpenCase { account, payment, reason: text("mistake"), application };
    let id = ledger.done(order).id;
    assert!(matches!(ledger.case(id).status, CaseStatus::InReview { .. }));
    assert_eq!(ledger.case(id).quote.money, minor(1_000));
    assert_eq!(ledger.books("alice"), "10 0 0 0 0");
}

#[test]
fn who_asked_first_is_not_denied_for_the_dispute_that_followed() {
    let mut ledger = ledger();
    let bought = ledger.buy("txn_1", Some("alice"), 1_000);
    ledger.buy("txn_2", Some("alice"), 1_000);
    let case = ledger.done(open_case("alice", &bought, "duplicate")).id;
    ledger.wait(60);
    ledger.adjust("adj_1", "txn_1", Action::Warning, Stage::Approved, 100);
    ledger.done(Order::InformCase { case, application: Application::EMPTY });
    assert!(matches!(ledger.case(case).status, CaseStatus::InReview { .. }));
    // A dispute of another payment is a reason.
    ledger.adjust("adj_2", "txn_2", Action::Warning, Stage::Approved, 100);
    ledger.done(Order::InformCase { case, application: Application::EMPTY });
    assert_eq!(ledger.case(case).status, denied("restricted"));
}
