//! Holds, captures, credit returns.

use domain::usage::HoldEnd;

use super::*;

fn hold(amount: &str) -> Order {
    Order::Hold { account: account(), amount: credits(amount), expires_in_seconds: 60 }
}

fn capture(hold: OperationId, amount: &str) -> Order {
    Order::Capture { account: account(), hold, amount: credits(amount), metadata: Metadata::NONE }
}

fn make_good(debit: OperationId, amount: &str) -> Order {
    let reason = Text::new("it failed").unwrap();
    Order::Return { account: account(), debit, amount: credits(amount), reason }
}

/// Paid and held credits.
fn balance(view: &View) -> (Credits, Credits) {
    (view.books.paid, view.books.held)
}

#[test]
fn a_hold_is_captured_and_the_debit_made_good() {
    let mut own = Ledger::new();
    own.one(purchase("evt1", "txn1", 100));
    let (held, view) = own.done("hold", hold("4"));
    assert_eq!(balance(&view.unwrap()), (credits("6"), credits("4")));
    let (debit, view) = own.done("capture", capture(held, "3"));
    assert_eq!(balance(&view.unwrap()), (credits("7"), credits("0")));
    let (_, view) = own.done("return", make_good(debit, "2"));
    assert_eq!(balance(&view.unwrap()), (credits("9"), credits("0")));
    assert_eq!(own.refused("again", make_good(debit, "1")), Refusal::ReturnAlreadyMade);

    let mut again = own.reopened();
    assert_eq!(again.view(), own.view());
    let known = again.projections.hold(&ledger(), held).unwrap().unwrap();
    assert_eq!(known.ended, Some(HoldEnd::Captured { debit, amount: credits("3") }));
    let known = again.projections.debit(&ledger(), debit).unwrap().unwrap();
    assert_eq!((known.amount, known.returned), (credits("3"), Some(credits("2"))));
    assert_eq!(again.refused("later", make_good(debit, "1")), Refusal::ReturnAlreadyMade);
    assert_eq!(again.refused("twice", capture(held, "1")), Refusal::HoldFinished);
}

#[test]
fn a_hold_ends_when_its_time_is_over() {
    let mut own = Ledger::new();
    own.one(purchase("evt1", "txn1", 100));
    let (first, _) = own.done("first", hold("4"));
    own.clock += 10;
    let (second, _) = own.done("second", hold("5"));
    let placed = Timestamp::from_seconds(own.clock - 11).unwrap();
    let expire = Order::ExpireHold { account: account(), hold: first };
    let due = |own: &Ledger, seconds: u32| {
        own.projections.due_holds(&ledger(), placed.seconds_after(seconds), 10).unwrap()
    };
    assert_eq!(due(&own, 59), []);
    assert_eq!(due(&own, 60), [(account(), first)]);
    assert_eq!(due(&own, 71), [(account(), first), (account(), second)]);
    assert_eq!(own.projections.due_holds(&ledger(), placed.seconds_after(71), 1).unwrap().len(), 1);
    assert_eq!(own.refused("early", expire.clone()), Refusal::HoldNotOver);

    let mut again = own.reopened();
    assert_eq!(due(&again, 71), due(&own, 71));
    again.clock += 60;
    let (_, view) = again.done("expire", expire.clone());
    assert_eq!(balance(&view.unwrap()), (credits("5"), credits("5")));
    assert_eq!(due(&again, 71), [(account(), second)]);
    assert_eq!(again.refused("twice", expire), Refusal::HoldFinished);
    assert_eq!(again.refused("late", capture(first, "1")), Refusal::HoldFinished);
}

#[test]
fn a_hold_of_one_group_can_be_captured_in_it() {
    let mut own = Ledger::new();
    own.one(purchase("evt1", "txn1", 100));
    let id = OperationId::of(&ledger(), &IdempotencyKey::new("hold").unwrap());
    let answers = own.step(vec![command("hold", hold("4")), command("use", capture(id, "4"))]);
    assert!(answers.iter().all(|answer| matches!(answer, Answer::Recorded { .. })));
    assert_eq!(balance(&own.view()), (credits("6"), credits("0")));
    assert!(own.projections.book(&ledger()).unwrap().holds.is_empty());
}
