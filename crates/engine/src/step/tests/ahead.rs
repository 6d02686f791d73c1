//! A group that is decided while the one before is not durable yet.

use super::*;
use crate::step::{Decided, StepError};

impl Ledger {
    fn decide(&self, inputs: Vec<Input>) -> Decided {
        let now = Timestamp::from_seconds(self.clock).unwrap();
        let request = |input| Request { ledger: ledger(), input, body: Arc::from([]) };
        self.engine.decide(now, inputs.into_iter().map(request).collect()).unwrap()
    }

    fn sees(&self) -> Option<View> {
        self.projections.account(&ledger(), &account()).unwrap()
    }
}

#[test]
fn a_group_builds_on_the_one_before_and_nobody_else_sees_either() {
    let own = Ledger::new();
    let first = own.decide(vec![purchase("evt1", "txn1", 100), debit("k1", "1")]);
    let second = own.decide(vec![
        purchase("evt1", "txn1", 100),
        debit("k1", "1"),
        debit("k2", "2"),
        debit("k3", "8"),
        purchase("evt1", "txn1", 900),
    ]);
    let third = own.decide(vec![purchase("evt1", "txn1", 900), debit("k2", "3")]);
    assert_eq!(own.sees(), None);

    let first = own.engine.commit(first).unwrap();
    assert!(matches!(first[1], Answer::Recorded { .. }));
    assert_eq!(own.sees().unwrap().books.paid, credits("9"));

    let second = own.engine.commit(second).unwrap();
    assert!(matches!(second[0], Answer::Duplicate { sequence } if sequence.get() == 3));
    let (Answer::Recorded { record: made, .. }, Answer::Replayed { record, .. }) =
        (&first[1], &second[1])
    else {
        panic!("{:?}", second[1])
    };
    assert_eq!(made, record);
    assert!(matches!(&second[2], Answer::Recorded { view: Some(view), .. }
        if view.books.paid == credits("7")));
    assert!(matches!(&second[3], Answer::Refused(Refusal::CreditsInsufficient { .. })));
    assert!(matches!(&second[4], Answer::Recorded { .. }));

    let third = own.engine.commit(third).unwrap();
    assert!(matches!(third[0], Answer::KnownConflict { sequence } if sequence.get() == 6));
    assert!(matches!(third[1], Answer::Refused(Refusal::KeyReused)));
    assert_eq!(own.sees().unwrap().books.paid, credits("7"));
}

#[test]
fn after_a_failed_commit_nothing_that_built_on_it_is_answered() {
    let own = Ledger::new();
    let first = own.decide(vec![purchase("evt1", "txn1", 100)]);
    // All of these need no record of their own, but say what the first one would have done.
    let second = own.decide(vec![purchase("evt1", "txn1", 100)]);
    own.log.fail_next_append(FailurePoint::BeforeWrite);
    assert!(matches!(own.engine.commit(first), Err(StepError::Append(_))));
    assert!(matches!(own.engine.commit(second), Err(StepError::OutOfTurn)));
    assert_eq!(own.sees(), None);
}

#[test]
fn a_group_is_committed_in_its_turn_only() {
    let own = Ledger::new();
    let first = own.decide(vec![purchase("evt1", "txn1", 100)]);
    let second = own.decide(vec![purchase("evt2", "txn2", 100)]);
    assert!(matches!(own.engine.commit(second), Err(StepError::OutOfTurn)));
    own.engine.commit(first).unwrap();
    assert_eq!(own.sees().unwrap().books.paid, credits("10"));
}

#[test]
fn ledgers_and_entities_that_a_group_did_not_change_come_from_the_projections() {
    let mut own = Ledger::new();
    own.one(purchase("evt1", "txn1", 100));
    let first = own.decide(vec![purchase("evt2", "txn2", 100)]);
    let refund = own.decide(vec![adjustment("evt3", "txn1", Action::Refund, 100)]);
    own.engine.commit(first).unwrap();
    own.engine.commit(refund).unwrap();
    assert_eq!(own.sees().unwrap().books.paid, credits("10"));
    let again = own.reopened();
    assert_eq!(again.view(), own.view());
}
