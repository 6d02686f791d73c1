//! Both logs give the same answers, whatever was appended, across restarts.

use std::collections::BTreeSet;

use domain::ids::{AccountId, LedgerId, Sequence};
use proptest::prelude::*;

use super::{SMALL_RUNS, copy, ledger, sequence};
use crate::{
    log::{Append, EventLog, key_of},
    memory::MemoryLog,
    samples,
    sled::SledStore,
    verify::verify,
};

#[derive(Clone, Debug)]
enum Step {
    /// Records for these ledgers.
    Append(Vec<Entry>),
    /// Closes the store and opens it again.
    Reopen,
    /// Opens what a killed process leaves behind.
    Kill,
}

#[derive(Clone, Debug)]
struct Entry {
    ledger: &'static str,
    account: u8,
    what: What,
}

#[derive(Clone, Debug)]
enum What {
    /// A purchase; numbers repeat, so that events do.
    Purchase(u64),
    /// Usage by one of a few keys, with a body of this size.
    Debit { key: u8, body: usize },
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let what = prop_oneof![
        3 => (0_u64..60).prop_map(What::Purchase),
        3 => (0_u8..40, 0_usize..300).prop_map(|(key, body)| What::Debit { key, body }),
        1 => (0_u8..40, 100_000_usize..200_000).prop_map(|(key, body)| What::Debit { key, body }),
    ];
    let ledger = prop_oneof![3 => Just("main"), 1 => Just("b")];
    let entry = (ledger, 0_u8..4, what);
    let entry = entry.prop_map(|(ledger, account, what)| Entry { ledger, account, what });
    let step = prop_oneof![
        8 => prop::collection::vec(entry, 1..16).prop_map(Step::Append),
        1 => Just(Step::Reopen),
        1 => Just(Step::Kill),
    ];
    prop::collection::vec(step, 1..14)
}

fn appends(log: &MemoryLog, entries: &[Entry]) -> Vec<Append> {
    let mut group: Vec<Append> = Vec::new();
    for entry in entries {
        let ledger = ledger(entry.ledger);
        let in_group = group.iter().rfind(|append| append.ledger == ledger);
        let last = in_group.map(|append| append.record.sequence);
        let last = last.or_else(|| log.head(&ledger).map(|head| head.sequence));
        let next = last.map_or(Sequence::FIRST, Sequence::next);
        let account = format!("account {}", entry.account);
        let (record, body) = match entry.what {
            What::Purchase(number) => samples::purchase(number, next, &account).unwrap(),
            What::Debit { key, body } => {
                let body: Vec<u8> = (0..body).map(|at| (at * at).to_le_bytes()[1]).collect();
                let key = format!("key {key}");
                let record = samples::debit(&ledger, &key, next, &account, &body).unwrap();
                (record, body.into())
            }
        };
        group.push(Append { ledger, record, body });
    }
    group
}

/// Asks both everything that can be asked.
fn same_answers(model: &dyn EventLog, log: &dyn EventLog) {
    assert_eq!(model.ledgers().unwrap(), log.ledgers().unwrap());
    for name in ["main", "b", "unknown"] {
        let ledger = ledger(name);
        assert_eq!(model.head(&ledger), log.head(&ledger));
        let all = model.scan(&ledger, None, usize::MAX).unwrap();
        assert_eq!(all, log.scan(&ledger, None, usize::MAX).unwrap());
        let end = u64::try_from(all.len()).unwrap();
        for number in 1..=end + 1 {
            let at = sequence(number);
            assert_eq!(model.read(&ledger, at).unwrap(), log.read(&ledger, at).unwrap());
            assert_eq!(model.body(&ledger, at).unwrap(), log.body(&ledger, at).unwrap());
        }
        same_scans(model, log, &ledger, end);
        let keys: BTreeSet<_> = all.iter().map(|recorded| key_of(recorded.record())).collect();
        for key in keys {
            assert_eq!(model.find(&ledger, &key).unwrap(), log.find(&ledger, &key).unwrap());
        }
        let unknown = key_of(&samples::purchase(9999, Sequence::FIRST, "a").unwrap().0);
        assert_eq!(log.find(&ledger, &unknown).unwrap(), None);
        same_accounts(model, log, &ledger, end);
    }
}

/// Scans in steps: a step of the one on sled is at least as long, since it reads whole blocks.
fn same_scans(model: &dyn EventLog, log: &dyn EventLog, ledger: &LedgerId, end: u64) {
    for number in 0..=end + 1 {
        let after = Sequence::new(number);
        let least = model.scan(ledger, after, 3).unwrap();
        let found = log.scan(ledger, after, 3).unwrap();
        assert!(found.len() >= least.len());
        assert_eq!(found, model.scan(ledger, after, found.len()).unwrap()[..found.len()]);
    }
}

fn same_accounts(model: &dyn EventLog, log: &dyn EventLog, ledger: &LedgerId, end: u64) {
    for account in 0..5 {
        let account = AccountId::new(&format!("account {account}")).unwrap();
        for after in [0, 1, end / 2, end].map(Sequence::new) {
            for limit in [0, 1, 5, usize::MAX] {
                let expected = model.by_account(ledger, &account, after, limit).unwrap();
                let found = log.by_account(ledger, &account, after, limit).unwrap();
                assert_eq!(found, expected);
            }
        }
    }
}

fn check(steps: &[Step]) {
    let parent = tempfile::tempdir().unwrap();
    let mut dir = parent.path().join("0");
    let mut store = Some(SledStore::open(&dir, SMALL_RUNS).unwrap());
    let mut log = store.as_ref().unwrap().log();
    let model = MemoryLog::new();
    for (number, step) in (1..).zip(steps) {
        match step {
            Step::Append(entries) => {
                let group = appends(&model, entries);
                model.append(&group).unwrap();
                log.append(&group).unwrap();
                continue;
            }
            Step::Reopen => {
                drop(log);
                drop(store.take());
            }
            Step::Kill => {
                let next = parent.path().join(number.to_string());
                copy(&dir, &next);
                dir = next;
            }
        }
        let opened = SledStore::open(&dir, SMALL_RUNS).unwrap();
        log = opened.log();
        store = Some(opened);
        same_answers(&model, log.as_ref());
    }
    same_answers(&model, log.as_ref());
    for ledger in log.ledgers().unwrap() {
        let findings = verify(store.as_ref().unwrap(), &ledger, &mut |_| ()).unwrap();
        assert_eq!(findings, []);
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, failure_persistence: None, ..Default::default() })]

    #[test]
    fn the_log_on_sled_answers_like_the_one_in_memory(steps in steps()) {
        check(&steps);
    }
}

#[test]
fn the_index_of_the_tail_is_rebuilt_at_open() {
    let entries = |from: u64, to: u64| {
        let what = (from..=to).map(What::Purchase);
        what.map(|what| Entry { ledger: "main", account: 1, what }).collect()
    };
    // Two runs and a tail.
    let steps = [(0, 24), (25, 49), (50, 58)].map(|(from, to)| Step::Append(entries(from, to)));
    check(&[&steps[..], &[Step::Reopen, Step::Append(entries(0, 9)), Step::Kill]].concat());
}
