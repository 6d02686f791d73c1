//! Balances of the past, by sequence, by time of recording and by time at the provider, equal a
//! model that goes through plain lists of movements in the log's order anew for each question; and
//! what leaves nothing out equals the present, which nobody folds by a cut.

use std::collections::{BTreeMap, BTreeSet};

use audit::{
    as_of,
    cut::{Cut, Known},
};
use domain::{
    account::{Closing, View},
    decision::{CreditBook, Effect, Section, Transfer},
    ids::AccountId,
    input::Input,
    notice::{Action, Extent, Status},
    policy::Measures,
    record::Record,
    time::Timestamp,
};
use tallyhook_tests::{
    dice::Dice,
    history::{account, ledger},
};

use crate::{
    drawn::{Drawn, Parts, drawn, nothing, part_of, parts_of},
    told::{adjusted, day, paid, told},
};

/// How many questions are asked.
const QUESTIONS: usize = 10_000;
/// How many of them about one course.
const OF_A_COURSE: usize = 50;
/// More than any course has.
const RECORDS_MAX: u64 = 1_000;

/// What one record did to one account, as plainly as it can be said.
struct Row {
    sequence: u64,
    recorded: i64,
    happened: i64,
    account: String,
    /// Billionths by section: what was added to it.
    moved: Vec<(Section, i128)>,
    standing: Vec<Stood>,
}

/// What became of an account's standing.
enum Stood {
    Frozen(String, i64, Measures),
    Unfrozen(String),
    Closed(Closing),
    Reopened,
}

/// What the model says of an account.
#[derive(Debug, Default, PartialEq)]
struct Said {
    books: Parts,
    freezes: BTreeMap<String, (i64, Measures)>,
    closed: Option<Closing>,
    version: u64,
    sequence: u64,
}

#[test]
fn balances_of_the_past_equal_those_of_plain_lists() {
    let mut seen = BTreeSet::new();
    for seed in 0..(QUESTIONS / OF_A_COURSE) {
        let seed = u64::try_from(seed).unwrap();
        let (drawn, mut dice) = (drawn(seed), Dice::new(seed ^ 0xa5_0f));
        let rows: Vec<Row> = drawn.records.iter().flat_map(rows_of).collect();
        for _ in 0..OF_A_COURSE {
            let (kind, cut) = question(&mut dice, &drawn);
            let account = AccountId::new(dice.pick(&["alice", "bob", "ctm_1", "ctm_2"])).unwrap();
            let asked = format!("seed {seed}, {account:?}, {cut:?}");
            let found = as_of::account(&drawn.log, &ledger(), &account, &cut, RECORDS_MAX);
            let found = found.unwrap().map(|view| said(&view));
            let expected = model(&rows, &account, &cut);
            assert_eq!(found, expected, "{asked}");
            let one_behind_another = rows.windows(2).any(|two| two[0].happened > two[1].happened);
            let below = expected.is_some_and(|said| said.books.values().any(|part| *part < 0));
            seen.insert((kind, one_behind_another, below));
        }
        whole(&drawn, &rows, &question(&mut dice, &drawn).1);
    }
    for kind in KINDS {
        assert!(seen.contains(&(kind, true, false)), "{kind} of a disordered course: {seen:?}");
    }
    assert!(seen.iter().any(|(_, _, below)| *below), "no balance is ever below zero: {seen:?}");
}

/// All accounts at once say the same as each alone.
fn whole(drawn: &Drawn, rows: &[Row], cut: &Cut) {
    let (provenance, all) =
        as_of::accounts(&drawn.log, &ledger(), cut, |_, _| ()).expect("courses are small");
    let names: BTreeSet<&str> = rows.iter().map(|row| row.account.as_str()).collect();
    let model = names.into_iter().filter_map(|name| {
        let account = AccountId::new(name).expect("it was an id before");
        let said = model(rows, &account, cut)?;
        Some((account, said))
    });
    let found = all.iter().map(|(account, view)| (account.clone(), said(view)));
    assert_eq!(found.collect::<Vec<_>>(), model.collect::<Vec<_>>(), "{cut:?}");
    let known = drawn.records.iter().filter(|record| cut.knows(record)).count();
    assert_eq!(provenance.records, u64::try_from(known).expect("courses are short"));
}

#[test]
fn an_account_with_too_many_records_is_said_so() {
    let drawn = drawn(1);
    let account = AccountId::new("alice").unwrap();
    let ask = |most| as_of::account(&drawn.log, &ledger(), &account, &Cut::END, most);
    let all = ask(u64::MAX).unwrap().unwrap().version;
    assert!(all > 1);
    assert_eq!(ask(all).unwrap().unwrap().version, all);
    let refused = ask(all - 1).unwrap_err();
    assert!(matches!(refused, as_of::AsOfError::TooManyRecords { .. }), "{refused}");
}

/// A cut that leaves nothing out says what is so now: the rows' order is the log's, whenever they
/// happened. In these courses what happened last is not what was known last.
#[test]
fn a_cut_that_leaves_nothing_out_is_the_present() {
    let mut disordered = 0_u32;
    for seed in [82, 116, 259].into_iter().chain(0..40) {
        let drawn = drawn(seed);
        let happened = drawn.records.iter().map(happened_micros).max().unwrap();
        let cut = Cut { known: Known::All, happened: Timestamp::from_micros(happened) };
        assert!(cut.happened.is_some());
        let (_, then) = as_of::accounts(&drawn.log, &ledger(), &cut, |_, _| ()).unwrap();
        for (account, view) in &then {
            let now = &drawn.state.entities.account(account).flatten().unwrap().view;
            assert_eq!(view, now, "seed {seed}, {account:?}");
            let alone = as_of::account(&drawn.log, &ledger(), account, &cut, RECORDS_MAX);
            assert_eq!(alone.unwrap().as_ref(), Some(now), "seed {seed}, {account:?}");
        }
        let rows: Vec<Row> = drawn.records.iter().flat_map(rows_of).collect();
        let mut by_happened: Vec<&Row> = rows.iter().collect();
        by_happened.sort_by_key(|row| (row.happened, row.sequence));
        let order = by_happened.iter().filter(|row| !row.standing.is_empty());
        disordered += u32::from(!order.map(|row| row.sequence).is_sorted());
    }
    assert!(disordered > 3, "{disordered} courses tell of standing out of order");
}

#[test]
fn a_chargeback_that_arrives_after_another_was_undone_freezes_still() {
    let filed = (Action::Chargeback, Status::Approved, Extent::Unsaid);
    let undone = (Action::ChargebackReverse, Status::Approved, Extent::Unsaid);
    let (log, records) = told(vec![
        paid(100, 0),
        adjusted("adj_a", filed, 30, 1),
        adjusted("adj_a_undone", undone, 30, 20),
        adjusted("adj_b", filed, 30, 10),
    ]);
    let at = |happened| {
        let cut = Cut { known: Known::All, happened };
        as_of::account(&log, &ledger(), &account(), &cut, RECORDS_MAX).unwrap().unwrap()
    };
    let (now, far) = (at(None), at(Timestamp::parse("2999-01-01T00:00:00Z")));
    assert!(!now.can_spend(), "the second chargeback is open: {now:?}");
    assert_eq!(far, now);
    // What is dated after the cut does not count, and what was known of the rest does.
    assert!(at(Some(day(0))).can_spend());
    assert!(!at(Some(day(1))).can_spend());
    assert!(!at(Some(day(19))).can_spend());
    let last = records.last().unwrap();
    assert_eq!(far.sequence, Some(last.sequence), "the last that counts in the log");
}

/// What an adjustment moves is dated by the record that posted it: that of its purchase, where it
/// came before that.
#[test]
fn an_adjustment_that_came_before_its_purchase_counts_with_the_purchase() {
    let refund = (Action::Refund, Status::Approved, Extent::Partial);
    let (log, _) = told(vec![adjusted("adj_a", refund, 30, 9), paid(100, 0)]);
    let cut = Cut { known: Known::All, happened: Some(day(0)) };
    let view = as_of::account(&log, &ledger(), &account(), &cut, RECORDS_MAX).unwrap().unwrap();
    assert_eq!(view.books.paid.to_string(), "70");
}

const KINDS: [&str; 6] =
    ["end", "sequence", "time", "happened", "sequence+happened", "time+happened"];

/// A question about what happened around the course, its edges included.
fn question(dice: &mut Dice, drawn: &Drawn) -> (&'static str, Cut) {
    let kind = dice.pick(&KINDS);
    let last = i64::try_from(drawn.records.len()).expect("courses are short");
    let known = match kind {
        "sequence" | "sequence+happened" => {
            Known::Sequence(u64::try_from(dice.between(0, last + 1)).unwrap_or(0))
        }
        "time" | "time+happened" => Known::RecordedAt(moment(dice, drawn, false)),
        _ => Known::All,
    };
    let happened = kind.contains("happened").then(|| moment(dice, drawn, true));
    (kind, Cut { known, happened })
}

/// A moment of a record, or one beside it.
fn moment(dice: &mut Dice, drawn: &Drawn, happened: bool) -> Timestamp {
    let moments = drawn
        .records
        .iter()
        .map(|record| if happened { happened_micros(record) } else { record.recorded_at.micros() });
    let moments: Vec<i64> = moments.collect();
    let beside = dice.pick(&[0, 0, -1, 1, 3_600_000_000]);
    Timestamp::from_micros(dice.pick(&moments) + beside).expect("courses are of our time")
}

fn happened_micros(record: &Record) -> i64 {
    let provider = match &record.input {
        Input::Delivery(delivery) => delivery.occurred_at,
        Input::Command(_) => None,
    };
    provider.unwrap_or(record.recorded_at).micros()
}

/// What a record did, account by account.
fn rows_of(record: &Record) -> Vec<Row> {
    let mut rows: BTreeMap<String, Row> = BTreeMap::new();
    let mut row = |account: &AccountId, change: &mut dyn FnMut(&mut Row)| {
        change(rows.entry(account.to_string()).or_insert_with(|| Row {
            sequence: record.sequence.get(),
            recorded: record.recorded_at.micros(),
            happened: happened_micros(record),
            account: account.to_string(),
            moved: Vec::new(),
            standing: Vec::new(),
        }));
    };
    for transfer in &record.decision.transfers {
        let Transfer::Credits { debit, credit, amount } = transfer else { continue };
        for (book, sign) in [(debit, -1), (credit, 1)] {
            if let CreditBook::Customer(account, section) = book {
                let moved = (*section, sign * amount.billionths());
                row(account, &mut |row| row.moved.push(moved));
            }
        }
    }
    for effect in &record.decision.effects {
        #[expect(
            clippy::wildcard_enum_match_arm,
            reason = "the others leave accounts as they stand"
        )]
        let (account, stood) = match effect {
            Effect::AccountOpened { account } => (account, None),
            Effect::Frozen { account, freeze } => {
                let id = freeze.id.to_string();
                (account, Some(Stood::Frozen(id, freeze.since.micros(), freeze.measures)))
            }
            Effect::Unfrozen { account, freeze } => {
                (account, Some(Stood::Unfrozen(freeze.to_string())))
            }
            Effect::Closed { account, by } => (account, Some(Stood::Closed(*by))),
            Effect::Reopened { account } => (account, Some(Stood::Reopened)),
            _ => continue,
        };
        let mut stood = stood;
        row(account, &mut |row| row.standing.extend(stood.take()));
    }
    rows.into_values().collect()
}

/// The account by adding up the rows that count, one question at a time.
fn model(rows: &[Row], account: &AccountId, cut: &Cut) -> Option<Said> {
    let counts = |row: &&Row| {
        let known = match cut.known {
            Known::All => true,
            Known::Sequence(last) => row.sequence <= last,
            Known::RecordedAt(last) => row.recorded <= last.micros(),
        };
        let happened = cut.happened.is_none_or(|last| row.happened <= last.micros());
        row.account == account.as_str() && known && happened
    };
    let mut said = Said { books: nothing(), ..Said::default() };
    for row in rows.iter().filter(counts) {
        for (section, by) in &row.moved {
            let (part, side) = part_of(*section);
            *said.books.entry(part).or_default() += side * by;
        }
        for stood in &row.standing {
            match stood {
                Stood::Frozen(id, since, measures) => {
                    said.freezes.insert(id.clone(), (*since, *measures));
                }
                Stood::Unfrozen(id) => {
                    said.freezes.remove(id);
                }
                Stood::Closed(by) => said.closed = Some(*by),
                Stood::Reopened => said.closed = None,
            }
        }
        said.version += 1;
        said.sequence = row.sequence;
    }
    (said.version > 0).then_some(said)
}

/// A view in the model's words.
fn said(view: &View) -> Said {
    Said {
        books: parts_of(&view.books),
        freezes: view
            .freezes
            .values()
            .map(|freeze| (freeze.id.to_string(), (freeze.since.micros(), freeze.measures)))
            .collect(),
        closed: view.closed,
        version: view.version,
        sequence: view.sequence.map_or(0, domain::ids::Sequence::get),
    }
}
