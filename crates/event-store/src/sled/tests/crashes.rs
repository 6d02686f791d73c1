//! Restarts, failures and what a crash leaves behind.

use rand::{RngCore as _, SeedableRng as _, rngs::StdRng};

use super::{copy, debit, ledger, open, purchase, purchases, sequence};
use crate::{
    log::{AppendError, BODY_BYTES_MAX},
    sled::{OpenError, SledStore, tests::SMALL_RUNS},
    verify::verify,
};

#[test]
fn a_failed_sync_latches_until_the_store_is_opened_again() {
    let dir = tempfile::tempdir().unwrap();
    let main = ledger("main");
    let store = open(dir.path());
    let log = store.log();
    log.append(&purchases(&main, 1, 3)).unwrap();
    store.fail_next_append();
    let failed = log.append(&purchases(&main, 4, 5));
    assert!(matches!(failed, Err(AppendError::Failed { .. })));
    assert!(log.latched().is_some());
    assert_eq!(log.head(&main).unwrap().sequence, sequence(3));
    assert_eq!(log.read(&main, sequence(4)).unwrap(), None);
    assert_eq!(log.scan(&main, None, 9).unwrap().len(), 3);
    let refused = log.append(&purchases(&main, 4, 5));
    assert!(matches!(refused, Err(AppendError::Latched { .. })));
    drop((log, store));

    // The group was stored whole or not at all.
    let log = open(dir.path()).log();
    assert_eq!(log.latched(), None);
    let end = log.head(&main).unwrap().sequence;
    assert!(end == sequence(3) || end == sequence(5));
    log.append(&[purchase(&main, end.get() + 1)]).unwrap();
}

#[test]
fn a_group_that_does_not_follow_is_refused_and_nothing_is_written() {
    let dir = tempfile::tempdir().unwrap();
    let (main, other) = (ledger("main"), ledger("other"));
    let log = open(dir.path()).log();
    log.append(&purchases(&main, 1, 3)).unwrap();
    let gap = [purchase(&other, 1), purchase(&main, 5)];
    let refused = log.append(&gap);
    assert!(matches!(refused, Err(AppendError::OutOfOrder { expected, found, .. })
        if expected == sequence(4) && found == sequence(5)));
    let again = log.append(&[purchase(&main, 3)]);
    assert!(matches!(again, Err(AppendError::OutOfOrder { .. })));
    let mut early = purchase(&main, 4);
    early.record.recorded_at = purchase(&main, 2).record.recorded_at;
    assert!(matches!(log.append(&[early]), Err(AppendError::TimeFell { .. })));
    let mut swapped = purchase(&main, 4);
    swapped.body = purchase(&main, 1).body;
    assert!(matches!(log.append(&[swapped]), Err(AppendError::BodyDiffers { .. })));
    let large = debit(&main, 4, vec![0; BODY_BYTES_MAX + 1]);
    assert!(matches!(log.append(&[large]), Err(AppendError::BodyTooLarge { .. })));
    assert_eq!(log.ledgers().unwrap(), std::slice::from_ref(&main));
    assert_eq!(log.latched(), None);
    log.append(&[]).unwrap();
    log.append(&purchases(&main, 4, 4)).unwrap();
}

#[test]
fn a_log_that_went_back_is_refused() {
    let dir = tempfile::tempdir().unwrap();
    let (main, other) = (ledger("main"), ledger("other"));
    let store = open(&dir.path().join("store"));
    store.log().append(&purchases(&main, 1, 2)).unwrap();
    copy(&dir.path().join("store/log"), &dir.path().join("old"));
    store.log().append(&purchases(&main, 3, 9)).unwrap();
    store.log().append(&purchases(&other, 1, 1)).unwrap();
    store.note_high_water().unwrap();
    drop(store);
    open(&dir.path().join("store"));

    std::fs::remove_dir_all(dir.path().join("store/log")).unwrap();
    copy(&dir.path().join("old"), &dir.path().join("store/log"));
    let refused = SledStore::open(&dir.path().join("store"), SMALL_RUNS);
    let Err(OpenError::WentBack { ledger, found, noted, path }) = refused else {
        panic!("opened a log that went back");
    };
    assert_eq!((ledger, found, noted), (main.clone(), 2, sequence(9)));
    // The way out that the error names.
    std::fs::remove_file(path).unwrap();
    assert_eq!(open(&dir.path().join("store")).log().head(&main).unwrap().sequence, sequence(2));
}

#[test]
fn an_unfinished_snapshot_is_removed_before_opening() {
    let dir = tempfile::tempdir().unwrap();
    let main = ledger("main");
    open(dir.path()).log().append(&purchases(&main, 1, 2)).unwrap();
    let left = dir.path().join("log/snap.0000000000000001.generating");
    std::fs::write(&left, b"half").unwrap();
    let log = open(dir.path()).log();
    assert!(!left.exists());
    assert_eq!(log.head(&main).unwrap().sequence, sequence(2));
}

#[test]
fn a_directory_is_opened_once_at_a_time() {
    let dir = tempfile::tempdir().unwrap();
    let store = open(dir.path());
    let log = store.log();
    drop(store);
    // The log keeps it open.
    let second = SledStore::open(dir.path(), SMALL_RUNS);
    assert!(matches!(second, Err(OpenError::InUse { .. })));
    drop(log);
    open(dir.path());
}

#[test]
fn a_store_with_blobs_is_refused() {
    let dir = tempfile::tempdir().unwrap();
    drop(open(dir.path()));
    std::fs::write(dir.path().join("log/blobs/1"), b"blob").unwrap();
    let refused = SledStore::open(dir.path(), SMALL_RUNS);
    assert!(matches!(refused, Err(OpenError::Blobs { .. })));
}

#[test]
fn the_largest_bodies_come_back_and_nothing_spills() {
    let dir = tempfile::tempdir().unwrap();
    let main = ledger("main");
    let mut random = StdRng::seed_from_u64(7);
    let mut body = |length: usize| {
        let mut body = vec![0; length];
        random.fill_bytes(&mut body);
        body
    };
    let lengths = [BODY_BYTES_MAX, 0, 1, BODY_BYTES_MAX, 90_000, 100_000, 200_000, 270_000, 5];
    let store = open(dir.path());
    let mut bodies = Vec::new();
    for _ in 0..6 {
        let mut group = Vec::new();
        for length in lengths {
            bodies.push(body(length));
            let number = u64::try_from(bodies.len()).unwrap();
            group.push(debit(&main, number, bodies.last().unwrap().clone()));
        }
        store.log().append(&group).unwrap();
    }
    for number in 55..=400 {
        bodies.push(body(95_000));
        store.log().append(&[debit(&main, number, bodies.last().unwrap().clone())]).unwrap();
    }
    drop(store);
    assert_eq!(std::fs::read_dir(dir.path().join("log/blobs")).unwrap().count(), 0);
    let store = open(dir.path());
    for (number, body) in (1..).zip(&bodies) {
        assert_eq!(store.log().body(&main, sequence(number)).unwrap().unwrap(), *body);
    }
    assert_eq!(verify(&store, &main, &mut |_| ()).unwrap(), []);
}
