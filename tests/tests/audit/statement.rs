//! Statements: what they open with and what moved come to what they close with, period after
//! period, on both axes of time, and are what plain lists of movements say.

use std::collections::BTreeSet;

use audit::{
    cut::{Cut, Known},
    reports::{Axis, layout::Format},
    statement::{ClaimError, Query, Statement, statement},
    sums::{Sum, Sums},
};
use domain::{
    decision::{CreditBook, Transfer},
    ids::AccountId,
    input::Input,
    record::Record,
    time::Timestamp,
};
use tallyhook_tests::{dice::Dice, history::ledger, merchant::Merchant};

use crate::{
    drawn::{Drawn, Parts, drawn, nothing, part_of, parts_of},
    made::Made,
};

/// How many courses are stated.
const COURSES: u64 = 200;

fn at(record: &Record, axis: Axis) -> Timestamp {
    let told = match &record.input {
        Input::Delivery(delivery) => delivery.occurred_at,
        Input::Command(_) => None,
    };
    match axis {
        Axis::Recorded => record.recorded_at,
        Axis::Happened => told.unwrap_or(record.recorded_at),
    }
}

/// A balance and what a record moved in it.
fn with(mut parts: Parts, record: &Record, account: &AccountId) -> Parts {
    for transfer in &record.decision.transfers {
        let Transfer::Credits { debit, credit, amount } = transfer else { continue };
        for (book, sign) in [(debit, -1), (credit, 1)] {
            let CreditBook::Customer(owner, section) = book else { continue };
            let (part, side) = part_of(*section);
            if owner == account {
                *parts.entry(part).or_default() += side * sign * amount.billionths();
            }
        }
    }
    parts
}

fn billionths(sums: &Sums) -> Parts {
    parts_of(&sums.books().expect("courses are small"))
}

fn stated(drawn: &Drawn, query: &Query) -> Option<Statement> {
    let made = statement(&drawn.log, &ledger(), query.clone(), |_, _| ());
    made.expect("memory can be read")
}

/// One statement is what the plain lists say.
fn check(drawn: &Drawn, made: &Statement, query: &Query, what: &str) {
    assert!(made.difference.is_zero(), "{what}: {:?}", made.difference);
    let counted = drawn
        .records
        .iter()
        .filter(|record| query.cut.counts(record) && record.decision.touches(&query.account));
    let mut counted: Vec<&Record> = counted.collect();
    if query.axis == Axis::Happened {
        counted.sort_by_key(|record| (at(record, query.axis), record.sequence));
    }
    let before = |record: &&&Record| query.from.is_some_and(|from| at(record, query.axis) < from);
    let within = |record: &&Record| {
        query.from.is_none_or(|from| at(record, query.axis) >= from)
            && query.to.is_none_or(|to| at(record, query.axis) < to)
    };
    let earlier = counted.iter().filter(before);
    let opening = earlier.fold(nothing(), |sum, record| with(sum, record, &query.account));
    assert_eq!(billionths(&made.opening), opening, "{what}");
    let mut after = opening;
    let mut lines = made.lines.iter();
    for record in counted.into_iter().filter(within) {
        let line = lines.next().expect("every record that counts has a line");
        after = with(after, record, &query.account);
        assert_eq!(line.sequence, record.sequence, "{what}");
        assert_eq!(billionths(&line.after), after, "{what}");
    }
    assert!(lines.next().is_none(), "{what}");
    assert_eq!(billionths(&made.closing), after, "{what}");
}

/// What is claimed for an outsider: the account's records from the first on, which come to what the
/// statement opens and closes with.
fn claims(drawn: &Drawn, made: &Statement, what: &str) {
    let query = &made.query;
    if query.axis == Axis::Happened || query.cut.happened.is_some() {
        assert!(matches!(made.claim(&drawn.log), Err(ClaimError::OtherAxis)), "{what}");
        return;
    }
    let claim = made.claim(&drawn.log).expect("memory can be read");
    let mut after = nothing();
    let mut opening = nothing();
    for (place, sequence) in claim.records.iter().enumerate() {
        let record = drawn.records.iter().find(|record| record.sequence == *sequence);
        after = with(after, record.expect("it is in the log"), &query.account);
        if u64::try_from(place + 1) == Ok(claim.statement.opening.records) {
            opening = after.clone();
        }
    }
    assert_eq!(opening, billionths(&made.opening), "{what}");
    assert_eq!(after, billionths(&made.closing), "{what}");
    let all = u64::try_from(claim.records.len()).expect("courses are short");
    assert_eq!(claim.statement.closing.records, all, "{what}");
    assert_eq!(claim.statement.closing.books.owed, made.closing.owed.to_string(), "{what}");
}

#[test]
fn every_period_opens_with_what_the_one_before_closed_with() {
    let mut seen = BTreeSet::new();
    for seed in 0..COURSES {
        let (drawn, mut dice) = (drawn(seed), Dice::new(seed));
        let account = AccountId::new(dice.pick(&["alice", "bob"])).expect("it is short");
        let axis = dice.pick(&[Axis::Recorded, Axis::Happened]);
        let last = i64::try_from(drawn.records.len()).expect("courses are short");
        let known = u64::try_from(dice.between(1, last)).expect("it is above zero");
        let known = dice.pick(&[Known::All, Known::Sequence(known)]);
        let moments = drawn.records.iter().map(|record| at(record, axis));
        let moments: Vec<Timestamp> = moments.collect();
        let happened = dice.chance(30).then(|| dice.pick(&moments));
        let mut edges: Vec<Timestamp> = (0..3).map(|_| dice.pick(&moments)).collect();
        edges.sort_unstable();
        edges.dedup();
        let starts = [None].into_iter().chain(edges.iter().copied().map(Some));
        let ends = edges.iter().copied().map(Some).chain([None]);
        let mut closed: Option<Sums> = None;
        for (from, to) in starts.zip(ends) {
            let cut = Cut { known, happened };
            let query = Query { account: account.clone(), from, to, axis, cut };
            let Some(made) = stated(&drawn, &query) else { continue };
            let what = format!("seed {seed}, {query:?}");
            if let Some(closed) = closed {
                assert_eq!(made.opening, closed, "{what}");
            }
            closed = Some(made.closing);
            check(&drawn, &made, &query, &what);
            claims(&drawn, &made, &what);
            seen.insert((format!("{axis:?}"), happened.is_some(), made.lines.len() > 1));
        }
    }
    assert_eq!(seen.len(), 8, "{seen:?}");
}

#[test]
fn a_statement_says_what_usage_says_and_which_rate_applied() {
    let made = Made::by(Merchant::new(7, 600).expect("the fixtures have their shape"));
    let records = made.log.scan(&made.ledger, None, usize::MAX).expect("memory can be read");
    let usage = records.iter().rev().find_map(|one| audit::names::metadata(one.record()));
    let (account, _) = usage.expect("there is usage");
    let cut = Cut::END;
    let query = Query { account: account.clone(), from: None, to: None, axis: Axis::Recorded, cut };
    let stated = statement(&*made.log, &made.ledger, query, |_, _| ());
    let stated = stated.expect("memory can be read").expect("the account is there");
    let any = |is: fn(&audit::statement::Line) -> bool| stated.lines.iter().any(is);
    assert!(any(|line| line.metadata.iter().any(|(name, _)| name == "request_id")));
    assert!(any(|line| line.conversion.is_some()));
    let moved = stated.lines.iter().fold(Sum::ZERO, |sum, line| sum.plus(line.moved.net()));
    assert_eq!(moved, stated.closing.net());
    for format in [Format::Text, Format::Csv, Format::Json, Format::Html] {
        let shown = stated.document().render(format);
        for word in ["request_id", "policy merchant version 1", &stated.closing.paid.to_string()] {
            assert!(shown.contains(word), "{format:?} lacks {word}");
        }
        assert_eq!(shown, stated.document().render(format));
    }
}
