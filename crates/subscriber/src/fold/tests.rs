use std::{
    collections::{BTreeMap, HashSet},
    hint::black_box,
    sync::atomic::{AtomicBool, Ordering},
    thread,
    time::Instant,
};

use balance_events::envelope::{BalanceChange, Cause, EventType};
use proptest::prelude::*;

use super::*;

const ACCOUNTS: [(&str, &str); 5] =
    [("main", "jo@x"), ("main", "cus_1"), ("main", "ü . *>"), ("eu", "jo@x"), ("eu", "=40")];

fn view((ledger, account): (&str, &str), version: u64, sequence: u64) -> AccountView {
    AccountView {
        ledger: ledger.into(),
        account: account.into(),
        status: "active".into(),
        can_spend: version % 2 == 1,
        checkout: "open".into(),
        available: version.to_string(),
        paid: version.to_string(),
        gift: "0".into(),
        held: "0".into(),
        owed: "0".into(),
        written_off: "0".into(),
        unit: "USD".into(),
        freezes: Vec::new(),
        version,
        sequence,
    }
}

fn payload(view: AccountView) -> Vec<u8> {
    let cause = Cause::Command { id: "id".into(), order: "grant".into() };
    let change = BalanceChange::new(view, Vec::new(), cause);
    let time = "2026-07-03T00:00:00Z".to_owned();
    Envelope::new(EventType::BalanceChanged, time, change).to_json().unwrap()
}

fn fold(repair: Repair) -> (Arc<Table>, Fold) {
    let table = Arc::new(Table::default());
    (Arc::clone(&table), Fold::new(table, repair))
}

fn tell(fold: &mut Fold, view: AccountView) -> Vec<Update> {
    let subject = subject::subject(&view.ledger, &view.account);
    raw(fold, &subject, &payload(view))
}

fn raw(fold: &mut Fold, subject: &str, payload: &[u8]) -> Vec<Update> {
    let mut updates = Vec::new();
    fold.message(Arrived { subject, stream_sequence: 7, payload }, &mut updates);
    updates
}

/// What an update says: account, version, and how it follows.
fn said(updates: &[Update]) -> Vec<(String, u64, &'static str, u64)> {
    let said = updates.iter().map(|update| match update {
        Update::Change(change) => {
            let data = &change.envelope.data;
            let (kind, missed) = match change.kind {
                Kind::New => ("new", 0),
                Kind::Next => ("next", 0),
                Kind::Gap { missed } => ("gap", missed),
            };
            (data.account.clone(), data.version, kind, missed)
        }
        Update::Repaired(Repaired { view, missed }) => {
            (view.account.clone(), view.version, "repaired", *missed)
        }
        Update::Unreadable(message) => {
            (message.subject.clone(), message.stream_sequence, "unreadable", 0)
        }
    });
    said.collect()
}

fn one(
    account: &str,
    version: u64,
    kind: &'static str,
    missed: u64,
) -> Vec<(String, u64, &'static str, u64)> {
    vec![(account.to_owned(), version, kind, missed)]
}

const JO: (&str, &str) = ("main", "jo@x");
const CUS: (&str, &str) = ("main", "cus_1");

#[test]
fn each_version_is_told_once_and_a_gap_is_counted() {
    let (table, mut fold) = fold(Repair::AtOnce);
    assert_eq!(said(&tell(&mut fold, view(JO, 5, 9))), one("jo@x", 5, "new", 0));
    fold.complete();
    assert_eq!(said(&tell(&mut fold, view(JO, 6, 10))), one("jo@x", 6, "next", 0));
    assert_eq!(said(&tell(&mut fold, view(JO, 6, 10))), []);
    assert_eq!(said(&tell(&mut fold, view(JO, 3, 4))), []);
    assert_eq!(said(&tell(&mut fold, view(JO, 9, 20))), one("jo@x", 9, "gap", 2));
    assert_eq!(table.get("main", "jo@x"), Some(Arc::new(view(JO, 9, 20))));
    assert_eq!(table.may_spend("main", "jo@x"), Some(true));
    assert_eq!(table.may_spend("eu", "jo@x"), None);

    assert_eq!(said(&tell(&mut fold, view(CUS, 1, 21))), one("cus_1", 1, "new", 0));
    let other = ("eu", "cus_1");
    assert_eq!(said(&tell(&mut fold, view(other, 3, 22))), one("cus_1", 3, "gap", 2));
    assert_eq!(table.len(), 3);
}

#[test]
fn a_message_of_another_form_is_reported_and_moves_nothing() {
    let (table, mut fold) = fold(Repair::AtOnce);
    tell(&mut fold, view(JO, 1, 1));
    let subject = subject::subject(JO.0, JO.1);
    let good = String::from_utf8(payload(view(JO, 2, 2))).unwrap();
    for bad in [
        String::new(),
        "{}".to_owned(),
        good.replace("\"can_spend\":false,", ""),
        good.replace("\"version\":2", "\"version\":\"2\""),
        good.replace("\"version\":2", "\"version\":-2"),
        good.replace("\"version\":2", "\"version\":0"),
        good.replace("\"account\":\"jo@x\"", "\"account\":\"joe\""),
        good.replace("\"ledger\":\"main\"", "\"ledger\":\"eu\""),
    ] {
        assert_ne!(bad, good);
        let updates = raw(&mut fold, &subject, bad.as_bytes());
        assert_eq!(said(&updates), one(&subject, 7, "unreadable", 0), "{bad}");
    }
    let elsewhere = raw(&mut fold, "tallyhook.balances.main.a.b", good.as_bytes());
    assert_eq!(said(&elsewhere), one("tallyhook.balances.main.a.b", 7, "unreadable", 0));
    assert_eq!((table.len(), table.version("main", "jo@x")), (1, Some(1)));
    assert_eq!(said(&raw(&mut fold, &subject, good.as_bytes())), one("jo@x", 2, "next", 0));
}

fn compare(fold: &mut Fold, view: AccountView) -> Vec<Update> {
    let mut updates = Vec::new();
    fold.compare(view, &mut updates);
    updates
}

fn sweep(fold: &mut Fold) -> Vec<Update> {
    let mut updates = Vec::new();
    fold.sweep(&mut updates);
    updates
}

#[test]
fn the_api_is_taken_at_once_where_nobody_wants_every_change() {
    let (table, mut fold) = fold(Repair::AtOnce);
    tell(&mut fold, view(JO, 4, 8));
    assert_eq!(said(&compare(&mut fold, view(JO, 3, 7))), []);
    assert_eq!(said(&compare(&mut fold, view(JO, 4, 8))), []);
    assert_eq!(said(&compare(&mut fold, view(JO, 7, 90))), one("jo@x", 7, "repaired", 3));
    assert_eq!(said(&compare(&mut fold, view(CUS, 2, 91))), one("cus_1", 2, "repaired", 2));
    assert_eq!(said(&tell(&mut fold, view(JO, 7, 90))), []);
    assert_eq!(table.version("main", "jo@x"), Some(7));
}

#[test]
fn a_message_on_its_way_is_not_passed_over() {
    let (table, mut fold) = fold(Repair::OnceLost);
    tell(&mut fold, view(JO, 4, 8));
    assert_eq!(said(&compare(&mut fold, view(JO, 6, 12))), []);
    assert!(fold.has_suspects());
    assert_eq!(said(&tell(&mut fold, view(JO, 5, 11))), one("jo@x", 5, "next", 0));
    assert_eq!(said(&tell(&mut fold, view(JO, 6, 12))), one("jo@x", 6, "next", 0));
    assert_eq!(said(&tell(&mut fold, view(CUS, 1, 13))), one("cus_1", 1, "new", 0));
    assert!(!fold.has_suspects());
    assert_eq!(table.version("main", "jo@x"), Some(6));
}

#[test]
fn a_message_that_the_stream_has_passed_is_lost() {
    let (_, mut fold) = fold(Repair::OnceLost);
    tell(&mut fold, view(JO, 4, 8));
    assert_eq!(said(&compare(&mut fold, view(JO, 6, 12))), []);
    // Of the same record there may be more.
    assert_eq!(said(&tell(&mut fold, view(CUS, 1, 12))), one("cus_1", 1, "new", 0));
    let updates = tell(&mut fold, view(CUS, 2, 13));
    let expected = [one("jo@x", 6, "repaired", 2), one("cus_1", 2, "next", 0)].concat();
    assert_eq!(said(&updates), expected);
    assert_eq!(said(&compare(&mut fold, view(JO, 7, 12))), one("jo@x", 7, "repaired", 1));
}

#[test]
fn a_message_that_does_not_come_in_a_quiet_ledger_is_lost() {
    let (_, mut fold) = fold(Repair::OnceLost);
    tell(&mut fold, view(JO, 4, 8));
    compare(&mut fold, view(JO, 6, 12));
    assert_eq!(said(&sweep(&mut fold)), []);
    // The ledger is not quiet, though another is.
    tell(&mut fold, view(JO, 5, 11));
    assert_eq!(said(&sweep(&mut fold)), []);
    tell(&mut fold, view(("eu", "jo@x"), 1, 100));
    assert_eq!(said(&sweep(&mut fold)), one("jo@x", 6, "repaired", 1));
    assert!(!fold.has_suspects());

    compare(&mut fold, view(JO, 8, 19));
    assert_eq!(said(&sweep(&mut fold)), []);
    fold.resume();
    assert_eq!(said(&sweep(&mut fold)), []);
    assert_eq!(said(&sweep(&mut fold)), one("jo@x", 8, "repaired", 2));
}

/// What may come, in any order.
#[derive(Clone, Debug)]
enum Step {
    /// A message, whichever: late, early, again.
    Message(prop::sample::Index),
    /// A message that was cut short.
    Cut(prop::sample::Index),
    /// An account as the API knew it then.
    Compare(prop::sample::Index),
    Start,
    Resume,
    Complete,
    Sweep,
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        8 => any::<prop::sample::Index>().prop_map(Step::Message),
        1 => any::<prop::sample::Index>().prop_map(Step::Cut),
        2 => any::<prop::sample::Index>().prop_map(Step::Compare),
        1 => Just(Step::Start),
        1 => Just(Step::Resume),
        1 => Just(Step::Complete),
        1 => Just(Step::Sweep),
    ]
}

/// The views after each record of each ledger.
fn history(accounts: &[usize]) -> Vec<AccountView> {
    let (mut versions, mut records) = ([0; ACCOUNTS.len()], BTreeMap::<&str, u64>::new());
    let views = accounts.iter().map(|&account| {
        let record = records.entry(ACCOUNTS[account].0).or_default();
        *record += 1;
        versions[account] += 1;
        view(ACCOUNTS[account], versions[account], *record)
    });
    views.collect()
}

proptest! {
    /// Whatever arrives in whatever order, each account's versions rise, and after a comparison with
    /// the API the table is what the API shows.
    #[test]
    fn after_a_comparison_the_table_is_the_apis(
        accounts in prop::collection::vec(0..ACCOUNTS.len(), 1..60),
        steps in prop::collection::vec(step(), 0..120),
        at_once: bool,
    ) {
        let history = history(&accounts);
        let repair = if at_once { Repair::AtOnce } else { Repair::OnceLost };
        let (table, mut fold) = fold(repair);
        let (mut updates, mut cut) = (Vec::new(), 0);
        for step in steps {
            match step {
                Step::Message(index) => updates.extend(tell(&mut fold, index.get(&history).clone())),
                Step::Cut(index) => {
                    let view = index.get(&history);
                    let payload = payload(view.clone());
                    let subject = subject::subject(&view.ledger, &view.account);
                    updates.extend(raw(&mut fold, &subject, &payload[..payload.len() / 2]));
                    cut += 1;
                }
                Step::Compare(index) => updates.extend(compare(&mut fold, index.get(&history).clone())),
                Step::Start => fold.start(),
                Step::Resume => fold.resume(),
                Step::Complete => fold.complete(),
                Step::Sweep => updates.extend(sweep(&mut fold)),
            }
        }
        let api: BTreeMap<_, _> =
            history.iter().map(|view| ((&*view.ledger, &*view.account), view)).collect();
        for view in api.values() {
            updates.extend(compare(&mut fold, (*view).clone()));
        }
        // What came before the first of these two counts as recent.
        for _ in 0..3 {
            updates.extend(sweep(&mut fold));
        }
        prop_assert!(!fold.has_suspects());
        prop_assert_eq!(table.len(), api.len());
        for ((ledger, account), view) in &api {
            let known = table.get(ledger, account);
            prop_assert_eq!(known.as_deref(), Some(*view));
        }
        let mut known: BTreeMap<(String, String), u64> = BTreeMap::new();
        let (mut unreadable, mut told) = (0, HashSet::new());
        for update in updates {
            let (place, version) = match update {
                Update::Change(change) => {
                    let data = change.envelope.data;
                    ((data.ledger, data.account), data.version)
                }
                Update::Repaired(Repaired { view, .. }) => {
                    ((view.ledger.clone(), view.account.clone()), view.version)
                }
                Update::Unreadable(_) => {
                    unreadable += 1;
                    continue;
                }
            };
            prop_assert!(told.insert((place.clone(), version)));
            let before = known.insert(place, version).unwrap_or(0);
            prop_assert!(version > before, "{version} after {before}");
        }
        prop_assert_eq!(unreadable, cut);
    }
}

/// Not a benchmark: it says what a reading takes here, and fails when that is far off.
#[test]
fn reading_takes_far_less_than_a_millisecond_while_others_write() {
    const COUNT: u64 = 20_000;
    let (table, mut fold) = fold(Repair::AtOnce);
    let names: Vec<String> = (0..COUNT).map(|number| format!("cus_{number:08}")).collect();
    for name in &names {
        compare(&mut fold, view(("main", name), 1, 1));
    }
    let stop = Arc::new(AtomicBool::new(false));
    let writer = {
        let (stop, names) = (Arc::clone(&stop), names.clone());
        thread::spawn(move || {
            let mut version = 1;
            while !stop.load(Ordering::Relaxed) {
                version += 1;
                for name in &names {
                    compare(&mut fold, view(("main", name), version, version));
                }
            }
        })
    };
    let begun = Instant::now();
    for name in names.iter().cycle().take(200_000) {
        assert!(black_box(table.may_spend("main", black_box(name))).is_some());
    }
    let nanoseconds = begun.elapsed().as_nanos() / 200_000;
    stop.store(true, Ordering::Relaxed);
    writer.join().unwrap();
    println!("may_spend takes {nanoseconds} ns while another thread writes without a pause");
    assert!(nanoseconds < 100_000, "{nanoseconds} ns");
}
