//! Every kind of exception, once in 100,000 events, is found, and nothing else is.

use std::collections::{BTreeMap, BTreeSet};

use audit::{
    cut::Cut,
    reports::{
        Axis, Kind, Listed, Query,
        layout::{Block, Cell, Weight},
        period::Period,
        reports,
    },
};
use domain::{
    decision::Effect,
    exception::{ExceptionKind, Filed},
    input::Input,
};
use projectors::read::Which;
use tallyhook_tests::merchant::Merchant;

use crate::made::Made;

/// The records of which one in some six thousand raises an exception.
const RECORDS: u64 = 100_000;

fn open(made: &Made) -> Vec<Filed> {
    let listed = made.projections.exceptions(&made.ledger, Which::Open, None, usize::MAX);
    listed.expect("views in memory can be read")
}

#[test]
fn every_kind_that_was_seeded_once_is_found_and_nothing_else() {
    let made = Made::by(Merchant::new(7, RECORDS).unwrap().with_exceptions());
    let mut found: BTreeMap<ExceptionKind, u32> = BTreeMap::new();
    for filed in open(&made) {
        *found.entry(filed.exception.id.kind).or_default() += 1;
    }
    let expected = ExceptionKind::ALL.map(|kind| (kind, 1));
    assert_eq!(found, BTreeMap::from(expected));

    let reported = reported(&made);
    let expected = ExceptionKind::ALL.map(|kind| (kind.name().to_owned(), 1));
    assert_eq!(reported, BTreeMap::from(expected));
}

/// How many are open by the report, by kind.
fn reported(made: &Made) -> BTreeMap<String, u64> {
    let query =
        Query { cut: Cut::END, axis: Axis::Recorded, period: Period::Month, listed: Listed::Open };
    let made = reports(&*made.log, &made.ledger, &query, &[Kind::Exceptions].into(), |_, _| ());
    let made = made.expect("a log in memory can be read");
    let [report] = &made[..] else { panic!("one report was asked for") };
    let blocks = report.document.sections.iter().flat_map(|section| &section.blocks);
    let rows = blocks.filter_map(|block| match block {
        Block::Table(table) if table.key == "exceptions_by_age" => Some(&table.rows),
        Block::Table(_) | Block::Words(_) | Block::Chart(_) => None,
    });
    let mut open = BTreeMap::new();
    for row in rows.flatten().filter(|row| row.weight == Weight::Line) {
        let [Cell::Text(kind), _, _, _, _, Cell::Count(count), ..] = &row.cells[..] else {
            panic!("a kind, four ages and their sum: {row:?}")
        };
        open.insert(kind.clone(), *count);
    }
    open
}

#[test]
fn an_ordinary_ledger_has_none() {
    let made = Made::by(Merchant::new(8, RECORDS / 5).unwrap());
    assert_eq!(open(&made), []);
}

#[test]
fn a_ledger_has_all_that_merchants_and_operators_do() {
    let made = Made::by(Merchant::new(8, RECORDS / 5).unwrap());
    let records = made.log.scan(&made.ledger, None, usize::MAX).unwrap();
    let orders: BTreeSet<&str> = records
        .iter()
        .filter_map(|recorded| match &recorded.record().input {
            Input::Command(command) => Some(command.order.name()),
            Input::Delivery(_) => None,
        })
        .collect();
    let effects = records.iter().flat_map(|recorded| &recorded.record().decision.effects);
    let cases: BTreeSet<&str> = effects
        .filter_map(|effect| {
            let Effect::CaseChanged(case) = effect else { return None };
            Some(case.status.name())
        })
        .collect();
    for order in [
        "activate_policy",
        "configure",
        "debit",
        "hold",
        "capture",
        "release_hold",
        "expire_hold",
        "return",
        "grant",
        "freeze",
        "unfreeze",
        "write_off",
        "open_case",
        "approve_case",
        "deny_case",
        "conclude_dispute",
    ] {
        assert!(orders.contains(order), "{order} is not among {orders:?}");
    }
    for case in ["eligible", "in-review", "approved", "refunded", "denied"] {
        assert!(cases.contains(case), "{case} is not among {cases:?}");
    }
}
