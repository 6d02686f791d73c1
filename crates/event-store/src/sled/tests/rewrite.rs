//! Logs that are written anew without the bodies that a record erases, cut short anywhere or not.

use std::{collections::BTreeSet, path::Path};

use domain::{
    ids::{LedgerId, Sequence, Text},
    input::{Input, Order},
};

use super::{SMALL_RUNS, copy, debit, ledger, open, purchase, sequence};
use crate::{
    erasure::{self, erased_by, unfinished},
    frame,
    key::StoredKey,
    log::{Append, EventLog},
    sled::{SledStore, rewrite::exchange},
    verify::{Finding, FindingKind, verify},
};

/// What must be nowhere.
const SECRET: &[u8] = b"zoe@example.com, 12 Some Street";

/// Records of `main` with the secret in their bodies.
const SECRETS: [u64; 4] = [3, 7, 8, 12];

fn erasure(ledger: &LedgerId, number: u64, at: u64, records: &[u64]) -> Append {
    let mut append = debit(ledger, at, format!("erasure {at}").into_bytes());
    let Input::Command(command) = &mut append.record.input else { panic!("a command") };
    command.key = erasure::key(number).unwrap();
    let records = records.iter().map(|number| sequence(*number)).collect();
    command.order = Order::Erase { records, reason: Text::new("they asked").unwrap() };
    append.record.decision.effects.clear();
    append.record.decision.transfers.clear();
    append
}

/// Two ledgers, several groups, runs of the index, a body of several pieces.
fn filled(dir: &Path) -> SledStore {
    let store = open(dir);
    let (main, other) = (ledger("main"), ledger("b"));
    for group in 0..5 {
        let bodies = (1..=6).map(|at| {
            let number = group * 6 + at;
            let mut body = format!("{{\"number\":{number}}}").into_bytes();
            if SECRETS.contains(&number) {
                body.extend(SECRET);
            }
            if number == 8 {
                let noise =
                    (0..400_000_u32).map(|at| at.wrapping_mul(2_654_435_761).to_le_bytes()[3]);
                body.extend(noise);
            }
            debit(&main, number, body)
        });
        store.log().append(&bodies.collect::<Vec<_>>()).unwrap();
    }
    store.log().append(&[purchase(&other, 1), purchase(&other, 2)]).unwrap();
    store
}

fn erase(store: &SledStore) {
    store.log().append(&[erasure(&ledger("main"), 1, 31, &SECRETS)]).unwrap();
}

fn rewrite(dir: &Path) {
    let mut told = (0, 0);
    SledStore::rewrite(dir, SMALL_RUNS, &mut |done, total| told = (done, total)).unwrap();
    assert!(told.0 > 0 && told.0 <= told.1, "{told:?}");
}

fn findings(store: &SledStore) -> Vec<Finding> {
    let ledgers = [ledger("main"), ledger("b")];
    ledgers.iter().flat_map(|ledger| verify(store, ledger, &mut |_| ()).unwrap()).collect()
}

/// All that a log says: records with their hashes, bodies, and what its index finds.
fn said(log: &dyn EventLog) -> Vec<String> {
    let one = |ledger: LedgerId| {
        let records = log.scan(&ledger, None, usize::MAX).unwrap().into_iter();
        let lines: Vec<String> = records
            .map(|recorded| {
                let at = recorded.record().sequence;
                let body = log.body(&ledger, at).unwrap().unwrap();
                let found = log.find(&ledger, &crate::log::key_of(recorded.record())).unwrap();
                format!("{ledger} {recorded:?} {found:?} {}", hex::encode(body))
            })
            .collect();
        lines
    };
    [ledger("main"), ledger("b")].into_iter().flat_map(one).collect()
}

/// Whether any stored value has the secret, each unpacked.
fn has_secret(store: &SledStore) -> bool {
    let values: std::collections::BTreeMap<_, _> =
        store.stored_values().unwrap().into_iter().collect();
    let firsts = values.keys().map(|key| StoredKey::decode(key).unwrap()).filter(|it| it.part == 0);
    let raw = |key: StoredKey| {
        let opened = frame::open(&key, |at| Ok::<_, std::convert::Infallible>(values.get(at)));
        opened.unwrap().unwrap().raw
    };
    firsts.map(raw).any(|raw| raw.windows(SECRET.len()).any(|part| part == SECRET))
}

/// A store that was erased from is as it was, but for the bodies that are gone.
fn check_erased(dir: &Path, before: &[String]) {
    let store = open(dir);
    assert_eq!(findings(&store), []);
    assert!(!has_secret(&store));
    let log = store.log();
    assert_eq!(unfinished(&*log, &ledger("main")).unwrap(), None);
    let after = said(&*log);
    assert_eq!(after.len(), before.len());
    for (now, then) in after.iter().zip(before) {
        let (now, then) = (now.rsplit_once(' ').unwrap(), then.rsplit_once(' ').unwrap());
        assert_eq!(now.0, then.0);
        let had_secret = then.1.contains(&hex::encode(SECRET));
        assert_eq!(now.1, if had_secret { "" } else { then.1 });
    }
    let names: BTreeSet<String> = std::fs::read_dir(dir)
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    assert!(names.iter().all(|name| !name.starts_with("log.")), "{names:?}");
    drop((log, store));
}

#[test]
fn erased_bodies_are_gone_and_all_else_is_as_it_was() {
    let dir = tempfile::tempdir().unwrap();
    let store = filled(dir.path());
    erase(&store);
    assert!(has_secret(&store));
    let before = said(&*store.log());
    drop(store);
    rewrite(dir.path());
    check_erased(dir.path(), &before);
    let store = open(dir.path());
    for number in SECRETS {
        let by = erased_by(&*store.log(), &ledger("main"), sequence(number)).unwrap();
        assert_eq!(by, Some(sequence(31)));
    }
    assert_eq!(erased_by(&*store.log(), &ledger("main"), sequence(4)).unwrap(), None);
    assert_eq!(erased_by(&*store.log(), &ledger("b"), sequence(3)).unwrap(), None);
    // It goes on, and a second erasure leaves what the first one left.
    store.log().append(&[erasure(&ledger("main"), 2, 32, &[1, 30])]).unwrap();
    let before = said(&*store.log());
    drop(store);
    rewrite(dir.path());
    let store = open(dir.path());
    assert_eq!(findings(&store), []);
    let changed = said(&*store.log()).iter().zip(&before).filter(|(now, then)| now != then).count();
    assert_eq!(changed, 2);
}

#[test]
fn a_log_without_erasures_is_written_anew_as_it_is() {
    let dir = tempfile::tempdir().unwrap();
    let store = filled(dir.path());
    let values = store.stored_values().unwrap();
    drop(store);
    rewrite(dir.path());
    assert_eq!(open(dir.path()).stored_values().unwrap(), values);
}

#[test]
fn a_body_may_be_missing_only_where_a_record_erases_it_and_must_be_then() {
    let dir = tempfile::tempdir().unwrap();
    let store = filled(dir.path());
    let main = ledger("main");
    // Without its body, by a group that keeps none.
    let mut bodiless = debit(&main, 31, b"kept nowhere".to_vec());
    bodiless.body = [].into();
    store.log().append(&[bodiless]).unwrap();
    let missing = findings(&store);
    assert_eq!(missing.len(), 1, "{missing:?}");
    assert_eq!((missing[0].kind, missing[0].sequence), (FindingKind::Body, Some(sequence(31))));
    // A body of no bytes has the digest of nothing.
    store.log().append(&[debit(&main, 32, Vec::new())]).unwrap();
    assert_eq!(findings(&store).len(), 1);

    store.log().append(&[erasure(&main, 1, 33, &[31])]).unwrap();
    assert_eq!(findings(&store), []);
    store.log().append(&[erasure(&main, 2, 34, &[3, 7, 31, 32])]).unwrap();
    let there = findings(&store);
    assert_eq!(there.len(), 1, "{there:?}");
    let finding = &there[0];
    assert_eq!(
        (finding.kind, finding.sequence),
        (FindingKind::ErasureUnfinished, Some(sequence(34)))
    );
    assert!(finding.detail.starts_with("2 of the bodies"), "{finding:?}");
    assert_eq!(unfinished(&*store.log(), &main).unwrap(), Some(sequence(34)));
    drop(store);
    rewrite(dir.path());
    let store = open(dir.path());
    assert_eq!(findings(&store), []);
    assert_eq!(unfinished(&*store.log(), &main).unwrap(), None);
}

/// What a crash leaves while the new log is written: at every point the old log is whole, the
/// erasure is unfinished, and the next run finishes it.
#[test]
fn a_rewriting_that_was_cut_short_is_begun_again() {
    let dir = tempfile::tempdir().unwrap();
    let store = filled(dir.path());
    erase(&store);
    let before = said(&*store.log());
    drop(store);
    let (crashes, mut states) = (tempfile::tempdir().unwrap(), 0_u32);
    let state = |number: u32| crashes.path().join(number.to_string());
    SledStore::rewrite(dir.path(), SMALL_RUNS, &mut |_, _| {
        if states.is_multiple_of(4) {
            copy(dir.path(), &state(states / 4));
        }
        states += 1;
    })
    .unwrap();
    check_erased(dir.path(), &before);
    assert!(states > 12, "{states}");
    for number in 0..states.div_ceil(4) {
        let crashed = state(number);
        assert!(crashed.join("log.new").exists());
        let store = open(&crashed);
        assert!(
            !crashed.join("log.new").exists(),
            "a leftover is cleaned when the store is opened"
        );
        assert_eq!(said(&*store.log()), before);
        let kinds: Vec<FindingKind> = findings(&store).into_iter().map(|it| it.kind).collect();
        assert_eq!(kinds, [FindingKind::ErasureUnfinished]);
        drop(store);
        // A leftover does not stand in the way of the next run either.
        copy(&dir.path().join("log"), &crashed.join("log.new"));
        rewrite(&crashed);
        check_erased(&crashed, &before);
    }
}

/// What a crash leaves after a new log was made.
#[test]
fn an_empty_database_that_was_left_is_removed_by_whoever_opens_the_store() {
    let dir = tempfile::tempdir().unwrap();
    drop(filled(dir.path()));
    for left in ["log.making", "log.new.making"] {
        copy(&dir.path().join("log"), &dir.path().join(left).join("made"));
        drop(open(dir.path()));
        assert!(!dir.path().join(left).exists(), "{left}");
    }
}

/// What a crash leaves between the exchange and the end of the old log.
#[test]
fn an_old_log_that_was_left_is_removed_by_whoever_opens_the_store() {
    let dir = tempfile::tempdir().unwrap();
    let store = filled(dir.path());
    erase(&store);
    let before = said(&*store.log());
    drop(store);
    copy(&dir.path().join("log"), &dir.path().join("log.new"));
    let old = tempfile::tempdir().unwrap();
    copy(dir.path(), old.path());
    rewrite(dir.path());
    for left in ["log.new", "log.probe"] {
        copy(&old.path().join("log"), &dir.path().join(left));
        check_erased(dir.path(), &before);
    }
    // Half of it was removed.
    copy(&old.path().join("log"), &dir.path().join("log.new"));
    std::fs::remove_file(dir.path().join("log.new/db")).unwrap();
    check_erased(dir.path(), &before);
    // The exchange itself, as the crash would leave it.
    copy(&dir.path().join("log"), &old.path().join("log.new"));
    let secret = old.path();
    std::fs::remove_dir_all(secret.join("log.new")).unwrap();
    copy(&dir.path().join("log"), &secret.join("log.new"));
    exchange(secret, "log", "log.new").unwrap();
    check_erased(secret, &before);
}

#[test]
fn a_damaged_block_of_erased_bodies_stops_the_rewriting_and_the_log_stays() {
    let dir = tempfile::tempdir().unwrap();
    let store = filled(dir.path());
    erase(&store);
    let values = store.stored_values().unwrap();
    let key = StoredKey::first(crate::key::Kind::Bodies, ledger("main"), Sequence::FIRST).encode();
    let (_, value) = values.iter().find(|(it, _)| *it == key).unwrap();
    let mut bad = value.clone();
    bad[30] ^= 1;
    store.replace_stored_value(&key, Some(&bad)).unwrap();
    let values = store.stored_values().unwrap();
    drop(store);
    let error = SledStore::rewrite(dir.path(), SMALL_RUNS, &mut |_, _| ()).unwrap_err();
    assert!(matches!(error, crate::sled::RewriteError::Read(_)), "{error:?}");
    assert!(!dir.path().join("log.new").exists());
    assert_eq!(open(dir.path()).stored_values().unwrap(), values);
}

#[test]
fn whether_a_log_can_be_written_anew_is_tried_without_a_trace() {
    let dir = tempfile::tempdir().unwrap();
    let store = filled(dir.path());
    SledStore::may_rewrite(dir.path()).unwrap();
    assert!(!dir.path().join("log.new").exists() && !dir.path().join("log.probe").exists());
    assert_eq!(findings(&store), []);
}
