use super::*;
use crate::{
    account::{DisputeCause, FreezeId, Status},
    payment::{Clearable, Conclusion},
    policy::{Service, Verification},
};

fn conclude(of: &PaymentKey, cause: DisputeCause) -> Order {
    let (payment, conclusion) = (of.clone(), Conclusion::Lost);
    Order::ConcludeDispute { payment, cause, conclusion, reason: text("the bank said so") }
}

#[test]
fn a_concluded_dispute_ends_its_measures_and_keeps_what_it_took() {
    let mut ledger = Ledger::new(policy());
    let bought = ledger.buy("txn_1", Some("alice"), 1_000);
    let unknown = ledger.refused(conclude(&bought, DisputeCause::Chargeback));
    assert_eq!(unknown, Refusal::DisputeUnknown);
    ledger.adjust("adj_1", "txn_1", Action::Chargeback, Stage::Approved, 400);
    assert_eq!(
        (ledger.books("alice"), ledger.view("alice").status()),
        ("0 0 6 0 0".to_owned(), Status::Frozen)
    );
    ledger.done(conclude(&bought, DisputeCause::Chargeback));
    assert_eq!(
        (ledger.books("alice"), ledger.view("alice").status()),
        ("6 0 0 0 0".to_owned(), Status::Active)
    );
    let again = ledger.refused(conclude(&bought, DisputeCause::Chargeback));
    assert_eq!(again, Refusal::DisputeUnknown);
    // A new filing opens the cause again, from its own moment.
    ledger.wait(60);
    let filed_at = ledger.now();
    ledger.adjust("adj_2", "txn_1", Action::Chargeback, Stage::Approved, 100);
    let view = ledger.view("alice");
    assert_eq!(view.status(), Status::Frozen);
    assert_eq!(view.freezes.values().next().unwrap().since, filed_at);
}

#[test]
fn a_concluded_dispute_that_is_won_after_all_gives_everything_back() {
    let mut ledger = Ledger::new(policy());
    let bought = ledger.buy("txn_1", Some("alice"), 1_000);
    ledger.adjust("adj_1", "txn_1", Action::Chargeback, Stage::Approved, 400);
    ledger.done(conclude(&bought, DisputeCause::Chargeback));
    ledger.adjust("adj_2", "txn_1", Action::ChargebackReverse, Stage::Approved, 400);
    assert_eq!(
        (ledger.books("alice"), ledger.view("alice").status()),
        ("10 0 0 0 0".to_owned(), Status::Active)
    );
}

#[test]
fn verification_and_service_end_by_an_operators_word() {
    let on_chargeback = Measures {
        verification: Verification::Require,
        service: Service::Restrict,
        ..policy().on_chargeback
    };
    let mut ledger = Ledger::new(Policy { on_chargeback, ..policy() });
    let bought = ledger.buy("txn_1", Some("alice"), 1_000);
    ledger.adjust("adj_1", "txn_1", Action::Chargeback, Stage::Approved, 100);
    let freeze = FreezeId::Dispute { payment: bought, cause: DisputeCause::Chargeback };
    let clear = |measure| Order::ClearMeasure {
        account: account("alice"),
        freeze: freeze.clone(),
        measure,
        reason: text("passport seen"),
    };
    ledger.done(clear(Clearable::Verification));
    let measures = ledger.view("alice").freezes[&freeze].measures;
    assert_eq!(measures, Measures { verification: Verification::None, ..on_chargeback });
    assert_eq!(ledger.refused(clear(Clearable::Verification)), Refusal::MeasureUnknown);
    // The same filing told again leaves it cleared, a new one asks anew.
    ledger.adjust("adj_1", "txn_1", Action::Chargeback, Stage::Approved, 100);
    assert_eq!(ledger.view("alice").freezes[&freeze].measures, measures);
    ledger.adjust("adj_2", "txn_1", Action::Chargeback, Stage::Approved, 100);
    assert_eq!(ledger.view("alice").freezes[&freeze].measures, on_chargeback);
}

#[test]
fn a_case_that_was_open_first_makes_the_measures_milder() {
    let with_open_case = Some(Measures { balance: Balance::FreezePayment, ..Measures::NONE });
    let refunds = Some(super::cases::refunds());
    let mut ledger = Ledger::new(Policy { with_open_case, refunds, ..policy() });
    let bought = ledger.buy("txn_1", Some("alice"), 1_000);
    let before = ledger.now();
    ledger.wait(60);
    let case = ledger.done(open_case("alice", &bought, "duplicate")).id;
    ledger.wait(60);
    let during = ledger.now();
    ledger.wait(60);
    ledger.done(Order::WithdrawCase { case, note: None });
    // Both arrive when the case is over; what counts is when they were filed.
    ledger.adjust_filed("adj_1", "txn_1", (Action::Warning, Stage::Approved), 100, during);
    assert_eq!(ledger.view("alice").status(), Status::Active);
    ledger.adjust_filed("adj_2", "txn_1", (Action::Chargeback, Stage::Approved), 100, before);
    assert_eq!(ledger.view("alice").status(), Status::Frozen);
}
