//! Fences are in the database, and nobody sees them. That they keep sled from writing blocks again
//! is measured in `tests/written_once.rs`.

use std::path::Path;

use super::{Options, SledStore, ledger, open, purchases, sequence};
use crate::{
    sled::fences::{Fences, is_fence},
    verify::{FindingKind, verify},
};

/// All that sled has of a store that is closed.
fn raw(dir: &Path) -> Vec<(Vec<u8>, Vec<u8>)> {
    let config = ::sled::Config::new().path(dir.join("log")).segment_size(8 << 20);
    let db = config.flush_every_ms(None).open().unwrap();
    let entries = db.iter().map(Result::unwrap);
    entries.map(|(key, value)| (key.to_vec(), value.to_vec())).collect()
}

/// A store with groups of two, and of one.
fn store(dir: &Path) -> SledStore {
    let store = open(dir);
    for first in (1..=80).step_by(2) {
        store.log().append(&purchases(&ledger("main"), first, first + 1)).unwrap();
    }
    for at in 81..=100 {
        store.log().append(&purchases(&ledger("main"), at, at)).unwrap();
    }
    store
}

#[test]
fn fences_are_there_and_nobody_sees_them() {
    let dir = tempfile::tempdir().unwrap();
    let store = store(dir.path());
    let (main, log) = (ledger("main"), store.log());
    assert_eq!(log.head(&main).unwrap().sequence, sequence(100));
    assert_eq!(log.scan(&main, None, usize::MAX).unwrap().len(), 100);
    for at in 1..=100 {
        assert!(log.body(&main, sequence(at)).unwrap().is_some());
    }
    assert_eq!(verify(&store, &main, &mut |_| {}).unwrap(), []);
    let shown = store.stored_values().unwrap();
    drop((log, store));

    let (fences, values): (Vec<_>, Vec<_>) =
        raw(dir.path()).into_iter().partition(|(key, value)| is_fence(key, value));
    assert_eq!(shown, values);
    assert!(fences.len() > 200, "{} fences", fences.len());
    // They are taken up where they were.
    let store = open(dir.path());
    store.log().append(&purchases(&ledger("main"), 101, 102)).unwrap();
    drop(store);
    let more = raw(dir.path()).iter().filter(|(key, value)| is_fence(key, value)).count();
    assert!(more - fences.len() <= 2 * 4, "{more} fences after {}", fences.len());
}

#[test]
fn a_fence_with_a_value_is_a_stray_key() {
    let dir = tempfile::tempdir().unwrap();
    drop(store(dir.path()));
    let entries = raw(dir.path());
    let (fence, _) = entries.iter().find(|(key, value)| is_fence(key, value)).unwrap();
    let store = open(dir.path());
    store.replace_stored_value(fence, Some(b"x")).unwrap();
    let found = verify(&store, &ledger("main"), &mut |_| {}).unwrap();
    assert_eq!(found.iter().map(|it| it.kind).collect::<Vec<_>>(), [FindingKind::Stray]);
}

/// The numbers of the fences for blocks of `main` that begin there.
fn numbers(fences: &mut Fences, blocks: impl IntoIterator<Item = (u64, usize)>) -> Vec<Vec<u64>> {
    use crate::key::{Kind, StoredKey};

    let key = |at| StoredKey::first(Kind::Bodies, ledger("main"), sequence(at)).encode();
    let ahead = |(at, bytes): (u64, usize)| {
        let fences = fences.ahead(&key(at), bytes, |_| Ok::<_, ()>(None)).unwrap();
        let number = |fence: &Vec<u8>| {
            let bytes = &fence[fence.len() - 12..fence.len() - 4];
            u64::from_be_bytes(bytes.try_into().unwrap())
        };
        fences.iter().map(number).collect()
    };
    blocks.into_iter().map(ahead).collect()
}

#[test]
fn there_are_two_fences_for_a_block_whatever_its_size() {
    let mut fences = Fences::default();
    let first = numbers(&mut fences, [(1, 9000), (65, 9000)]);
    assert_eq!(first[0], [], "nothing is known of how large blocks are");
    let (guards, ahead): (Vec<u64>, Vec<u64>) = first[1].iter().partition(|it| **it > 1 << 40);
    assert_eq!((guards.len(), guards.last()), (32, Some(&u64::MAX)));
    assert_eq!(ahead, (1..=48).map(|it| 65 + 32 * it).collect::<Vec<u64>>());

    // A group of 64 with a large block and a small one is as one with a large one.
    let blocks = (2..200).flat_map(|group| [(group * 64 + 1, 9000), (group * 64 + 61, 0)]);
    let later = numbers(&mut fences, blocks);
    let count = later[20..].iter().map(Vec::len).sum::<usize>();
    assert!((350..=380).contains(&count), "{count} fences for 188 groups");

    // Larger groups are caught up with; smaller ones need none for a while.
    let larger = numbers(&mut fences, (0..40).map(|group| (12_801 + group * 256, 9000)));
    assert!(larger.iter().all(|it| it.len() <= 48));
    assert_eq!(larger[39].len(), 2);
    let smaller = numbers(&mut fences, (0..40).map(|at| (23_042 + at, 9000)));
    assert!(smaller[8..].iter().all(Vec::is_empty), "{smaller:?}");
}

#[test]
fn small_blocks_have_no_fences() {
    let small = numbers(&mut Fences::default(), (1..100).map(|at| (at, 0)));
    assert!(small.iter().all(Vec::is_empty));
}

#[test]
fn fences_end_before_the_last_sequence() {
    let mut fences = Fences::default();
    let first = u64::MAX - 100;
    let made = numbers(&mut fences, (0..9).map(|block| (first + block * 8, 9000)));
    let mut all = made.concat();
    let count = all.len();
    all.sort_unstable();
    all.dedup();
    assert_eq!(all.len(), count, "none twice");
}

#[test]
fn a_store_without_fences_gets_some() {
    let dir = tempfile::tempdir().unwrap();
    let store = store(dir.path());
    let values = store.stored_values().unwrap();
    drop(store);
    let other = tempfile::tempdir().unwrap();
    drop(open(other.path()));
    let config = ::sled::Config::new().path(other.path().join("log")).segment_size(8 << 20);
    let db = config.flush_every_ms(None).open().unwrap();
    for (key, value) in &values {
        db.insert(key.clone(), value.clone()).unwrap();
    }
    db.flush().unwrap();
    drop(db);
    let store = SledStore::open(other.path(), Options::STANDARD).unwrap();
    assert_eq!(store.log().head(&ledger("main")).unwrap().sequence, sequence(100));
    for at in 101..=120 {
        store.log().append(&purchases(&ledger("main"), at, at)).unwrap();
    }
    assert_eq!(verify(&store, &ledger("main"), &mut |_| {}).unwrap(), []);
    drop(store);
    assert!(raw(other.path()).iter().any(|(key, value)| is_fence(key, value)));
}
