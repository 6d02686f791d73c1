use super::*;
use crate::{
    exception::{Ending, ExceptionId},
    input::{Unreadable, UnreadableFault},
};

fn release(record: Sequence, delivery: &Delivery) -> Order {
    Order::Release {
        record,
        event: delivery.event.clone(),
        delivery: Box::new(delivery.clone()),
        reason: text("looked at"),
    }
}

fn ended(ledger: &Ledger, id: ExceptionId) -> Option<Ending> {
    let filed = ledger.state.entities.exception(&id).flatten().unwrap();
    filed.ended.map(|ended| ended.by)
}

#[test]
fn a_stale_delivery_acts_once_it_is_released_and_only_once() {
    let mut ledger = Ledger::new(policy());
    let purchase = Notice::Purchase(ledger.purchase("txn_1", Some("alice"), 1_000));
    let stale = Delivery { freshness: Freshness::Old, ..ledger.delivery(purchase) };
    let record = ledger.deliver(stale.clone());
    let exception = ExceptionId { sequence: record, kind: ExceptionKind::Stale };
    assert_eq!(ledger.open(), [ExceptionKind::Stale]);
    ledger.done(release(record, &stale));
    assert_eq!(ledger.books("alice"), "10 0 0 0 0");
    assert_eq!(ended(&ledger, exception), Some(Ending::CauseGone));
    assert_eq!(ledger.refused(release(record, &stale)), Refusal::NotQuarantined);
    // Neither the same delivery nor a fresh one acts again.
    assert_eq!(ledger.deliver(stale.clone()), record);
    assert_eq!(ledger.deliver(Delivery { freshness: Freshness::Fresh, ..stale }), record);
    assert_eq!(ledger.books("alice"), "10 0 0 0 0");
}

#[test]
fn a_simulated_event_is_never_released_in_a_live_ledger() {
    let mut ledger = Ledger::new(policy());
    let purchase = Notice::Purchase(ledger.purchase("txn_1", Some("alice"), 1_000));
    let simulated = Delivery { reality: Reality::Simulated, ..ledger.delivery(purchase) };
    let record = ledger.deliver(simulated.clone());
    assert_eq!(ledger.refused(release(record, &simulated)), Refusal::SimulatedInLive);
}

#[test]
fn an_unreadable_delivery_is_released_once_its_bytes_can_be_read() {
    let mut ledger = Ledger::new(policy());
    let purchase = Notice::Purchase(ledger.purchase("txn_1", Some("alice"), 1_000));
    let readable = ledger.delivery(purchase);
    let detail: Arc<str> = Arc::from("the status is new");
    let unreadable = Unreadable { fault: UnreadableFault::UnknownAction, detail: detail.clone() };
    let before = Delivery { notice: Err(unreadable), ..readable.clone() };
    let record = ledger.deliver(before.clone());
    assert_eq!(ledger.refused(release(record, &before)), Refusal::StillUnreadable { detail });
    ledger.done(release(record, &readable));
    assert_eq!(ledger.books("alice"), "10 0 0 0 0");
    assert_eq!(ledger.open(), []);
}

#[test]
fn only_records_in_quarantine_are_released() {
    let mut ledger = Ledger::new(policy());
    let purchase = Notice::Purchase(ledger.purchase("txn_1", Some("alice"), 1_000));
    let fine = ledger.delivery(purchase);
    let record = ledger.deliver(fine.clone());
    assert_eq!(ledger.refused(release(record, &fine)), Refusal::NotQuarantined);
    assert_eq!(ledger.refused(release(Sequence::FIRST, &fine)), Refusal::NotQuarantined);
}

#[test]
fn a_resolved_exception_stays_resolved_while_its_cause_holds() {
    let mut ledger = Ledger::new(policy());
    ledger.buy("txn_1", Some("alice"), 1_000);
    ledger.adjust("adj_1", "txn_1", Action::Refund, Stage::Approved, 1_100);
    assert_eq!(ledger.open(), [ExceptionKind::OverRefund]);
    let id = *ledger.state.entities.exceptions.keys().next().unwrap();
    let resolve = |exception| Order::Resolve { exception, note: text("the processor's mistake") };
    ledger.done(resolve(id));
    assert_eq!(ended(&ledger, id), Some(Ending::Resolved));
    assert_eq!(ledger.refused(resolve(id)), Refusal::ExceptionEnded);
    let unknown = ExceptionId { kind: ExceptionKind::Orphan, ..id };
    assert_eq!(ledger.refused(resolve(unknown)), Refusal::ExceptionUnknown);
    // It is not raised again by another event of the payment, and ends quietly with its cause.
    ledger.wait(1);
    ledger.adjust("adj_1", "txn_1", Action::Refund, Stage::Approved, 1_200);
    assert_eq!(ledger.open(), []);
    ledger.wait(1);
    ledger.adjust("adj_1", "txn_1", Action::Refund, Stage::Approved, 900);
    assert_eq!(ended(&ledger, id), Some(Ending::Resolved));
    // A new cause is a new exception.
    ledger.wait(1);
    ledger.adjust("adj_1", "txn_1", Action::Refund, Stage::Approved, 1_300);
    assert_eq!(ledger.open(), [ExceptionKind::OverRefund]);
}
