//! Balances of the past, by sequence, by time of recording and by time at the provider, equal a
//! model that adds up plain lists of movements anew for each question.

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
    policy::Measures,
    record::Record,
    time::Timestamp,
};
use tallyhook_tests::{dice::Dice, history::ledger};

use crate::drawn::{Drawn, Parts, drawn, nothing, part_of, parts_of};

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
    let mut own: Vec<&Row> = rows.iter().filter(counts).collect();
    if cut.happened.is_some() {
        own.sort_by_key(|row| (row.happened, row.sequence));
    }
    let mut said = Said { books: nothing(), ..Said::default() };
    for row in &own {
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
