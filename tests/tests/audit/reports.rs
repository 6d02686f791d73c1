//! Reports of random courses and of a merchant's ledger: differences are zero, what closes a period
//! opens the next, and what is reported equals balances that were computed otherwise.

use std::collections::{BTreeMap, BTreeSet};

use audit::{
    as_of,
    cut::{Cut, Known},
    reports::{
        Axis, Kind, Listed, Made, Query,
        amount::Amount,
        layout::{Block, Cell, Format, Row, Table, Weight},
        period::Period,
        reports,
    },
};
use domain::{
    account::View,
    decision::{Effect, Taking, Transfer},
    ids::{AccountId, LedgerId, Sequence},
    input::Input,
    notice::{Action, Extent, Notice, Status},
    record::Record,
    time::Timestamp,
};
use event_store::log::EventLog;
use tallyhook_tests::{dice::Dice, history::ledger, merchant::Merchant};

use crate::{
    drawn::{drawn, log_of},
    made,
    told::{adjusted, paid, told},
};

/// How many random courses are reported on.
const COURSES: u64 = 400;

/// A merchant's records: enough for two years with all that can be in them.
const RECORDS: u64 = 5_000;

const PERIODS: [Period; 4] = [Period::Day, Period::Month, Period::Quarter, Period::Year];

pub(crate) const END: Query =
    Query { cut: Cut::END, axis: Axis::Recorded, period: Period::Month, listed: Listed::Open };

pub(crate) fn all(log: &dyn EventLog, ledger: &LedgerId, query: &Query) -> BTreeMap<Kind, Made> {
    let made = reports(log, ledger, query, &Kind::ALL.into(), |_, _| ()).unwrap();
    made.into_iter().map(|made| (made.kind, made)).collect()
}

pub(crate) fn tables<'m>(made: &'m Made, key: &str) -> Vec<&'m Table> {
    let blocks = made.document.sections.iter().flat_map(|section| &section.blocks);
    let tables = blocks.filter_map(|block| match block {
        Block::Table(table) if table.key == key => Some(table),
        Block::Table(_) | Block::Words(_) | Block::Chart(_) => None,
    });
    tables.collect()
}

pub(crate) fn table<'m>(made: &'m Made, key: &str) -> &'m Table {
    let [table] = tables(made, key)[..] else { panic!("not one table {key}") };
    table
}

pub(crate) fn lines(table: &Table) -> impl Iterator<Item = &Row> {
    table.rows.iter().filter(|row| row.weight == Weight::Line)
}

pub(crate) fn cell<'t>(table: &Table, row: &'t Row, column: &str) -> &'t Cell {
    let at = table.columns.iter().position(|known| known.key == column);
    &row.cells[at.unwrap_or_else(|| panic!("no column {column}"))]
}

/// An amount in billionths.
pub(crate) fn amount(table: &Table, row: &Row, column: &str) -> i128 {
    let cell = cell(table, row, column);
    let Cell::Amount(amount) = cell else { panic!("{column} is {cell:?}") };
    amount.with_decimals(9).units()
}

pub(crate) fn text<'t>(table: &Table, row: &'t Row, column: &str) -> &'t str {
    let cell = cell(table, row, column);
    let Cell::Text(text) = cell else { panic!("{column} is {cell:?}") };
    text
}

/// Checks a table with an opening, a closing and what is between, by another sum. The closing has
/// another source too.
fn rolls_forward(table: &Table, source: &str) {
    let between = |row: &Row| {
        let ends = ["period", "opening", "closing", "books", "lots", "difference"];
        let columns = table.columns.iter().filter(|column| !ends.contains(&column.key));
        columns.map(|column| amount(table, row, column.key)).sum::<i128>()
    };
    let mut opening = 0;
    for row in lines(table) {
        assert_eq!(amount(table, row, "opening"), opening, "{row:?}");
        let closing = amount(table, row, "closing");
        assert_eq!(opening + between(row), closing, "{row:?}");
        assert_eq!(amount(table, row, source), closing, "{row:?}");
        assert_eq!(amount(table, row, "difference"), 0, "{row:?}");
        opening = closing;
    }
    let total = table.rows.last().expect("a total ends the table");
    assert_eq!(total.weight, Weight::Total);
    assert_eq!(amount(table, total, "opening"), 0);
    assert_eq!(amount(table, total, "closing"), opening);
    assert_eq!(between(total), opening);
}

fn closing(table: &Table) -> i128 {
    amount(table, table.rows.last().expect("a total ends the table"), "closing")
}

/// Everything that reports of one ledger must say, held against accounts as of the same cut.
fn check(log: &dyn EventLog, ledger: &LedgerId, query: &Query) {
    let made = all(log, ledger, query);
    assert!(made.values().all(|made| !made.differs), "a difference is not zero");
    let forward = &made[&Kind::RollForward];
    for (key, source) in [("credits", "books"), ("owed", "lots"), ("money", "books")] {
        tables(forward, key).into_iter().for_each(|table| rolls_forward(table, source));
    }
    let (_, views) = as_of::accounts(log, ledger, &query.cut, |_, _| ()).unwrap();
    let sum = |of: fn(&View) -> i128| views.values().map(of).sum::<i128>();
    let position = |view: &View| {
        let books = view.books;
        let had = [books.paid, books.gift, books.held].map(|part| part.billionths());
        had.iter().sum::<i128>() - books.owed.billionths()
    };
    assert_eq!(closing(table(forward, "credits")), sum(position));
    let owed = sum(|view| view.books.owed.billionths());
    assert_eq!(closing(table(forward, "owed")), owed);
    let receivables = &made[&Kind::Receivables];
    let by_age = table(receivables, "receivables");
    let listed: BTreeMap<&str, i128> = lines(by_age)
        .map(|row| (text(by_age, row, "account"), amount(by_age, row, "total")))
        .collect();
    let owing = views.iter().filter(|(_, view)| view.books.owed.billionths() != 0);
    let owing = owing.map(|(account, view)| (account.as_str(), view.books.owed.billionths()));
    assert_eq!(listed, owing.collect());
    assert_eq!(amount(by_age, by_age.rows.last().unwrap(), "total"), owed);
    // Freezes are those of the balance, by whichever axis it is asked.
    let disputes = table(&made[&Kind::Disputes], "disputes");
    let of = |row, column| text(disputes, row, column).to_owned();
    let listed: BTreeSet<[String; 4]> = lines(disputes)
        .map(|row| ["account", "cause", "id", "since"].map(|column| of(row, column)))
        .collect();
    let open = views.iter().flat_map(|(account, view)| {
        view.freezes.values().map(move |freeze| {
            let id = match freeze.id.payment() {
                Some(payment) => format!("{}/{}", payment.origin, payment.id),
                None => freeze.id.to_string(),
            };
            let since = freeze.since.to_string();
            [account.to_string(), freeze.id.cause().to_owned(), id, since]
        })
    });
    assert_eq!(listed, open.collect(), "{:?}", query.cut);
}

#[test]
fn every_difference_of_random_courses_is_zero() {
    let (mut owing, mut moved) = (0_u32, BTreeSet::new());
    for seed in 0..COURSES {
        let (drawn, mut dice) = (drawn(seed), Dice::new(seed ^ 0x7e_90));
        let known_to = dice.below(drawn.records.len() + 1);
        let record = dice.pick(&drawn.records);
        let known = dice.pick(&[
            Known::All,
            Known::All,
            Known::Sequence(u64::try_from(known_to).unwrap()),
            Known::RecordedAt(record.recorded_at),
        ]);
        // What happened before something else is known on no day: balances may fall below zero.
        let happened = dice.chance(25).then_some(record.recorded_at);
        let axis = dice.pick(&[Axis::Recorded, Axis::Happened]);
        let query =
            Query { cut: Cut { known, happened }, axis, period: dice.pick(&PERIODS), ..END };
        if as_of::accounts(&drawn.log, &ledger(), &query.cut, |_, _| ()).is_err() {
            continue;
        }
        check(&drawn.log, &ledger(), &query);
        let made = all(&drawn.log, &ledger(), &query);
        owing += u32::from(table(&made[&Kind::Receivables], "receivables").rows.len() > 1);
        moved.extend(["credits", "money"].into_iter().flat_map(|key| {
            let tables = tables(&made[&Kind::RollForward], key).into_iter();
            tables.flat_map(move |table| moved_for(table).into_iter().map(move |of| (key, of)))
        }));
    }
    assert!(owing > 20, "only {owing} courses have debts");
    // Eleven lines of credits, seven of money.
    assert_eq!(moved.len(), 18, "the courses have not all that there is: {moved:?}");
}

#[test]
fn every_difference_of_a_merchants_ledger_is_zero() {
    let made = made::Made::by(Merchant::new(3, RECORDS).unwrap());
    check(&*made.log, &made.ledger, &Query { period: Period::Day, ..END });
    check(&*made.log, &made.ledger, &Query { axis: Axis::Happened, ..END });
    let forward = &all(&*made.log, &made.ledger, &END)[&Kind::RollForward];
    let credits = table(forward, "credits");
    assert!(lines(credits).count() > 20, "two years have more than twenty months");
    let moved = moved_for(credits);
    assert_eq!(moved.len(), 8, "a merchant brings in, corrects and undoes no refund: {moved:?}");
}

/// What something came or went for.
fn moved_for(table: &Table) -> BTreeSet<&'static str> {
    let ends = ["period", "opening", "closing", "books", "lots", "difference"];
    let total = table.rows.last().unwrap();
    let lines = table.columns.iter().map(|column| column.key).filter(|key| !ends.contains(key));
    lines.filter(|key| amount(table, total, key) != 0).collect()
}

#[test]
fn a_report_of_the_past_is_the_one_that_was_made_then() {
    for seed in 0..40 {
        let drawn = drawn(seed);
        let half = drawn.records.len() / 2;
        let log = log_of(&drawn.records[..half]);
        let cut = Cut { known: Known::Sequence(u64::try_from(half).unwrap()), happened: None };
        let query = Query { listed: Listed::All, ..END };
        let then = all(&log, &ledger(), &query);
        let now = all(&drawn.log, &ledger(), &Query { cut, ..query });
        for format in [Format::Text, Format::Csv, Format::Json, Format::Html] {
            for (kind, made) in &then {
                let then = made.document.render(format);
                assert_eq!(then, now[kind].document.render(format), "seed {seed}, {kind:?}");
            }
        }
    }
}

#[test]
fn exceptions_and_cases_are_those_that_records_left() {
    let made = made::Made::by(Merchant::new(5, RECORDS).unwrap().with_exceptions());
    let records = made.log.scan(&made.ledger, None, usize::MAX).unwrap();
    let effects: Vec<&Effect> =
        records.iter().flat_map(|recorded| &recorded.record().decision.effects).collect();
    let raised = effects.iter().filter(|effect| matches!(effect, Effect::Raised(_))).count();
    let mut cases = BTreeMap::new();
    for effect in &effects {
        if let Effect::CaseChanged(case) = effect {
            cases.insert(case.id, case.status.is_final());
        }
    }
    let query = Query { listed: Listed::All, ..END };
    let told = all(&*made.log, &made.ledger, &query);
    let count =
        |kind: Kind, keys: [&str; 2]| keys.map(|key| lines(table(&told[&kind], key)).count());
    let [open, ended] = count(Kind::Exceptions, ["exceptions", "exceptions_ended"]);
    assert_eq!((open, open + ended), (16, raised));
    let over = cases.values().filter(|over| **over).count();
    assert_eq!(count(Kind::Cases, ["cases", "cases_ended"]), [cases.len() - over, over]);
    let by_verdict = table(&told[&Kind::Cases], "cases_by_verdict");
    let counted = cell(by_verdict, by_verdict.rows.last().unwrap(), "cases");
    assert_eq!(*counted, Cell::Count(u64::try_from(cases.len()).unwrap()));
}

#[test]
fn the_oldest_debt_is_paid_first() {
    use domain::{
        credits::Credits,
        decision::{CreditBook, House, Section},
    };
    let base = drawn(1).records;
    let alice = AccountId::new("alice").unwrap();
    let owed = CreditBook::Customer(alice.clone(), Section::Owed);
    let paid = CreditBook::Customer(alice, Section::Paid);
    let used = CreditBook::House(House::Used);
    let moves = |debit: &CreditBook, credit: &CreditBook, amount: &str| Transfer::Credits {
        debit: debit.clone(),
        credit: credit.clone(),
        amount: Credits::parse(amount, 2).unwrap(),
    };
    let now = Timestamp::parse("2026-06-01T00:00:00Z").unwrap();
    let story = [
        (100, vec![moves(&owed, &used, "5")]),
        (70, vec![moves(&owed, &used, "7.5")]),
        // It changes hands within a record: nothing becomes young.
        (50, vec![moves(&owed, &paid, "3"), moves(&paid, &owed, "3")]),
        (40, vec![moves(&paid, &owed, "6")]),
        (10, vec![moves(&owed, &used, "1")]),
        (0, vec![]),
    ];
    let records = (1..).zip(story).map(|(sequence, (days, transfers))| {
        let mut record = base[0].clone();
        record.sequence = Sequence::new(sequence).unwrap();
        record.recorded_at = now.days_before(days);
        record.decision.effects.clear();
        record.decision.transfers = transfers;
        record
    });
    let log = log_of(&records.collect::<Vec<_>>());
    let made = all(&log, &ledger(), &END);
    let aged = table(&made[&Kind::Receivables], "receivables");
    let row = &aged.rows[0];
    let of = |column| amount(aged, row, column);
    let whole = |amount: &str| Credits::parse(amount, 2).unwrap().billionths();
    assert_eq!(
        ["days_0_30", "days_31_60", "days_61_90", "days_over_90", "total"].map(of),
        ["1", "0", "6.5", "0", "7.5"].map(whole)
    );
    assert_eq!(*cell(aged, row, "days"), Cell::Count(70));
    assert_eq!(text(aged, row, "oldest"), now.days_before(70).to_string());
    assert_eq!(*cell(aged, row, "total"), Cell::Amount(Amount::new(75, 1)));
}

/// What a record says went back of money, with nine decimals.
fn went_back(record: &Record) -> i128 {
    let moved = record.decision.effects.iter().map(|effect| {
        let Effect::MoneyMoved { currency, reversed, .. } = effect else { return 0 };
        i128::from(reversed.get()) * 10_i128.pow(9 - u32::from(currency.decimals()))
    });
    moved.sum()
}

/// What a record's effects take of credits by refunds and by chargebacks.
fn taken(record: &Record) -> [i128; 2] {
    [Taking::Refund, Taking::Chargeback].map(|wanted| {
        let taken = record.decision.effects.iter().map(|effect| {
            let Effect::Taken { by, amount, .. } = effect else { return 0 };
            if *by == wanted { amount.sum().unwrap().billionths() } else { 0 }
        });
        taken.sum()
    })
}

/// Whether an adjustment's own kind is that of refunds.
const fn is_refund(action: Action) -> bool {
    matches!(action, Action::Refund | Action::Credit | Action::CreditReverse)
}

#[test]
fn what_went_back_counts_as_what_took_it_in_credits_and_in_money() {
    let (mut seen, mut split) = (BTreeMap::new(), BTreeMap::new());
    for mut record in (0..COURSES).flat_map(|seed| drawn(seed).records) {
        let (money, credits) = (went_back(&record), taken(&record));
        if (money, credits) == (0, [0, 0]) {
            continue;
        }
        let delivery = match &record.input {
            Input::Delivery(delivery) => Some(&**delivery),
            Input::Command(command) => command.order.released(),
        };
        let action = match delivery.map(|delivery| &delivery.notice) {
            Some(Ok(Notice::Adjustment(fact))) => Some(fact.action),
            Some(Ok(Notice::Purchase(_) | Notice::Nothing) | Err(_)) | None => None,
        };
        record.sequence = Sequence::FIRST;
        let made = all(&log_of(&[record]), &ledger(), &END);
        let of = |key, name: &str| {
            let Some(table) = tables(&made[&Kind::RollForward], key).first().copied() else {
                return [0, 0];
            };
            let row = &table.rows[0];
            [amount(table, row, name), amount(table, row, &format!("{name}_undone"))]
        };
        for (key, [refunds, chargebacks]) in
            [("credits", credits), ("money", split_of(money, credits))]
        {
            let net = refunds + chargebacks;
            let expected = match action {
                Some(action) if is_refund(action) => [net, 0],
                Some(_) => [0, net],
                None => [refunds, chargebacks],
            };
            let told = ["refunds", "chargebacks"].map(|name| {
                let [went, undone] = of(key, name);
                assert!(went <= 0 && undone >= 0, "{key} {name}: {went} {undone}");
                assert!(went == 0 || undone == 0, "one record does both: {went} {undone}");
                -(went + undone)
            });
            if key == "credits" || action.is_some() {
                assert_eq!(told, expected, "{key}: {action:?}");
            } else {
                // A part of money is rounded to a minor unit.
                assert_eq!(told.iter().sum::<i128>(), money, "{key}: {credits:?}");
                assert!(told[0].abs_diff(expected[0]) <= 1_000_000_000, "{told:?} {expected:?}");
            }
        }
        *seen.entry(action).or_insert(0_u32) += 1;
        if credits[0].signum() * credits[1].signum() < 0 {
            *split.entry(action).or_insert(0_u32) += 1;
        }
    }
    assert_eq!(seen.len(), 8, "every action and what is none takes back: {seen:?}");
    assert!(split.contains_key(&Some(Action::Refund)), "no cap is split anew: {split:?}");
}

/// Money in the proportion of credits; all of it where only one kind took any.
fn split_of(money: i128, [refunds, chargebacks]: [i128; 2]) -> [i128; 2] {
    match (refunds, chargebacks) {
        (_, 0) => [money, 0],
        (0, _) => [0, money],
        _ if refunds.signum() == chargebacks.signum() => {
            let part = money / 1_000_000_000 * (chargebacks / 1_000) * 1_000_000_000
                / ((refunds + chargebacks) / 1_000);
            [money - part, part]
        }
        _ if chargebacks.abs() > refunds.abs() => [0, money],
        _ => [money, 0],
    }
}

/// Paid 100, 60 charged back, then refunded in full: what the refund takes more is 40, and the
/// chargeback is open as before.
#[test]
fn a_refund_that_takes_the_place_of_a_chargeback_undoes_none() {
    let (log, _) = told(vec![
        paid(100, 0),
        adjusted("adj_a", (Action::Chargeback, Status::Approved, Extent::Unsaid), 60, 1),
        adjusted("adj_b", (Action::Refund, Status::Approved, Extent::Full), 100, 2),
    ]);
    let made = all(&log, &ledger(), &END);
    for key in ["credits", "money"] {
        let table = table(&made[&Kind::RollForward], key);
        let of = |column| amount(table, &table.rows[0], column) / 1_000_000_000;
        assert_eq!(
            ["refunds", "refunds_undone", "chargebacks", "chargebacks_undone"].map(of),
            [-40, 0, -60, 0],
            "{key}"
        );
    }
    assert!(!made[&Kind::RollForward].differs);
}
