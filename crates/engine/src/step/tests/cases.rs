//! A refund case from its application to the processor's refund.

use std::collections::BTreeSet;

use domain::{
    calendar::{Calendar, Weekday, Zone},
    case::{Application, CaseStatus},
    refunds::{QuoteRules, Reason, ReasonVerdict, Refunds, Remedy},
};

use super::*;

fn text(text: &str) -> Text {
    Text::new(text).unwrap()
}

/// Unused credits are paid back.
pub(super) fn refunds() -> Refunds {
    let reason = Reason {
        verdict: ReasonVerdict::Eligible,
        rule: text("A1"),
        facts: BTreeSet::new(),
        within_days: None,
        unused: false,
        remedy: Remedy::Refund,
        despite: BTreeSet::new(),
    };
    Refunds {
        facts: BTreeSet::from([text("email")]),
        review_business_days: 7,
        calendar: Calendar {
            zone: Zone::named("UTC").unwrap(),
            weekend: BTreeSet::from([Weekday::Saturday, Weekday::Sunday]),
            holidays: BTreeSet::new(),
            working_days: BTreeSet::new(),
        },
        denials: BTreeMap::new(),
        reasons: BTreeMap::from([(text("unused"), reason)]),
        quote: QuoteRules {
            tax: false,
            channel_fee: None,
            invoice_tax: None,
            gift_used: false,
            promotion: false,
            third_party_costs: false,
        },
    }
}

fn application(facts: &[&str]) -> Application {
    Application { given: facts.iter().map(|fact| text(fact)).collect(), ..Application::EMPTY }
}

fn open(facts: &[&str]) -> Order {
    let application = application(facts);
    Order::OpenCase {
        account: account(),
        payment: payment("txn1"),
        reason: text("unused"),
        application,
    }
}

/// Paid and held credits.
fn balance(view: &View) -> (Credits, Credits) {
    (view.books.paid, view.books.held)
}

fn status(own: &Ledger, case: OperationId) -> CaseStatus {
    own.projections.case(&ledger(), case).unwrap().unwrap().status
}

#[test]
fn a_case_holds_credits_until_the_refund_ends_it() {
    let mut own = Ledger::new();
    own.one(purchase("evt1", "txn1", 1_000));
    own.one(debit("use", "30"));
    let (case, view) = own.done("open", open(&[]));
    assert_eq!(balance(&view.unwrap()), (credits("0"), credits("70")));
    assert!(matches!(status(&own, case), CaseStatus::NeedsInformation { .. }));
    let application = application(&["email"]);
    let (_, view) = own.done("inform", Order::InformCase { case, application });
    assert_eq!(balance(&view.unwrap()), (credits("0"), credits("70")));
    assert!(matches!(status(&own, case), CaseStatus::Eligible { .. }));

    let mut own = own.reopened();
    let approve = Order::ApproveCase { case, remedy: None, note: None };
    let (_, view) = own.done("approve", approve.clone());
    assert_eq!(balance(&view.unwrap()), (credits("0"), credits("70")));
    let money = Minor::new(700).unwrap();
    assert_eq!(status(&own, case), CaseStatus::Approved { money });
    let Answer::Replayed { view, .. } = own.reopened().command("approve", approve) else {
        panic!("not repeated")
    };
    assert_eq!(balance(&view.unwrap()), (credits("0"), credits("70")));

    own.one(adjustment("evt2", "txn1", Action::Refund, 700));
    for own in [own.reopened(), own] {
        assert_eq!(status(&own, case), CaseStatus::Refunded);
        assert_eq!(balance(&own.view()), (credits("0"), credits("0")));
    }
}

#[test]
fn a_withdrawn_case_sets_its_credits_free_and_another_can_follow() {
    let mut own = Ledger::new();
    own.one(purchase("evt1", "txn1", 1_000));
    let (first, _) = own.done("first", open(&["email"]));
    assert_eq!(own.refused("both", open(&["email"])), Refusal::CaseAlreadyOpen);
    let withdraw = Order::WithdrawCase { case: first, note: None };
    let (_, view) = own.done("withdraw", withdraw.clone());
    assert_eq!(balance(&view.unwrap()), (credits("100"), credits("0")));
    assert_eq!(own.refused("twice", withdraw), Refusal::CaseFinished);
    let (second, _) = own.done("second", open(&["email"]));
    let listed = |own: &Ledger, after| own.projections.cases(&ledger(), after, 10).unwrap();
    for own in [own.reopened(), own] {
        let ids: BTreeSet<_> = listed(&own, None).iter().map(|case| case.id).collect();
        assert_eq!(ids, BTreeSet::from([first, second]));
        assert_eq!(listed(&own, Some(first.min(second))).len(), 1);
        assert_eq!(listed(&own, Some(first.max(second))), []);
    }
}

#[test]
fn an_unknown_case_has_no_account() {
    let mut own = Ledger::new();
    let case = OperationId::of(&ledger(), &IdempotencyKey::new("none").unwrap());
    let deny = Order::DenyCase { case, note: text("no") };
    assert_eq!(own.refused("deny", deny), Refusal::CaseUnknown);
}
