//! What a person must see: released and resolved.

use domain::{
    exception::ExceptionId,
    ids::Sequence,
    input::{Unreadable, UnreadableFault},
};

use super::*;

fn text(text: &str) -> Text {
    Text::new(text).unwrap()
}

/// A purchase that could not be read when it came.
fn unread(event_id: &str, id: &str) -> (Input, Delivery) {
    let Input::Delivery(readable) = purchase(event_id, id, 100) else { panic!("a command") };
    let detail = Arc::from("/data/status: not known");
    let notice = Err(Unreadable { fault: UnreadableFault::Malformed, detail });
    (Input::Delivery(Box::new(Delivery { notice, ..(*readable).clone() })), *readable)
}

fn release(record: Sequence, delivery: &Delivery) -> Order {
    let (event, delivery) = (delivery.event.clone(), Box::new(delivery.clone()));
    Order::Release { record, event, delivery, reason: text("it reads now") }
}

#[test]
fn a_release_survives_a_restart_and_is_made_once() {
    let mut own = Ledger::new();
    let (input, delivery) = unread("evt1", "txn1");
    let Answer::Recorded { record, .. } = own.one(input.clone()) else { panic!("not recorded") };
    assert_eq!(record.decision.outcome, Outcome::Quarantined(Quarantine::Malformed));
    assert_eq!(own.exceptions(Which::Open).len(), 1);
    let order = release(record.sequence, &delivery);
    let (_, view) = own.done("release", order.clone());
    assert_eq!(view.unwrap().books.paid, credits("10"));

    let again = own.reopened();
    for mut own in [own, again] {
        assert_eq!(own.view().books.paid, credits("10"));
        assert_eq!(own.refused("twice", order.clone()), Refusal::NotQuarantined);
        let Answer::Replayed { view, .. } = own.command("release", order.clone()) else {
            panic!("not repeated")
        };
        assert_eq!(view.unwrap().books.paid, credits("10"));
        assert!(matches!(own.one(input.clone()), Answer::Duplicate { .. }));
        assert!(own.exceptions(Which::Open).is_empty());
        let ended = own.exceptions(Which::Ended)[0].ended.unwrap();
        assert_eq!((ended.by, ended.sequence), (Ending::CauseGone, record.sequence.next()));
    }
}

#[test]
fn a_resolved_exception_is_listed_as_ended_and_stays_so() {
    let mut own = Ledger::new();
    let (first, _) = unread("evt1", "txn1");
    let (second, _) = unread("evt2", "txn2");
    own.step(vec![first, second]);
    own.projections.checkpoint().unwrap();
    let open = own.exceptions(Which::Open);
    let id = open[0].exception.id;
    let order = |exception: ExceptionId| Order::Resolve { exception, note: text("seen") };
    own.done("resolve", order(id));
    assert_eq!(own.refused("twice", order(id)), Refusal::ExceptionEnded);
    let unknown = ExceptionId { sequence: Sequence::FIRST, ..id };
    assert_eq!(own.refused("other", order(unknown)), Refusal::ExceptionUnknown);
    // Before and after a checkpoint, from the log, and from the store.
    let folded = own.reopened();
    let stored = || Ledger::on(own.log.clone(), own.views.clone(), own.clock);
    let tail = stored();
    own.projections.checkpoint().unwrap();
    for seen in [&own, &folded, &tail, &stored()] {
        assert_eq!(seen.exceptions(Which::Open), &open[1..]);
        let ended = seen.exceptions(Which::Ended);
        assert_eq!(ended[0].exception, open[0].exception);
        assert_eq!(ended[0].ended.map(|ended| ended.by), Some(Ending::Resolved));
        assert_eq!(ended.len(), 1);
        let known = seen.projections.exception(&ledger(), id).unwrap();
        assert_eq!(known.as_ref(), ended.first());
        let after = seen.projections.exceptions(&ledger(), Which::Ended, Some(id), 10).unwrap();
        assert!(after.is_empty());
    }
}
