//! Stored projections are held against the records, and give their place to what was replayed.

use std::path::Path;

use event_store::{
    memory::MemoryViews,
    sled::{Options, SledStore},
};

use super::*;
use crate::verify::{tests::write, verify_store};

fn open(dir: &Path) -> SledStore {
    SledStore::open(dir, Options::STANDARD).unwrap()
}

fn replayed(store: &SledStore, into: &Arc<dyn ViewStore>) -> Replayed {
    let mut ledgers = replay(&*store.log(), into, &store.views(), |_, _| ()).unwrap();
    assert_eq!(ledgers.len(), 1);
    ledgers.remove(0)
}

fn in_memory() -> Arc<dyn ViewStore> {
    Arc::new(MemoryViews::new())
}

/// The first stored entry that a look at an account reads.
fn an_account(views: &dyn ViewStore) -> (Vec<u8>, Vec<u8>) {
    let entries = views.scan(&[], None, usize::MAX).unwrap();
    entries.into_iter().find(|(key, _)| key.ends_with(b"acct-demo")).unwrap()
}

#[test]
fn stored_projections_are_compared_as_of_their_own_last_record() {
    let dir = tempfile::tempdir().unwrap();
    let store = write(dir.path());
    let before = replayed(&store, &in_memory());
    let at = Sequence::new(7).unwrap();
    let equal = |accounts| Stored::Compared { at, accounts, differing: vec![], entries: 0 };
    assert_eq!((before.sequence, &before.stored), (Sequence::new(8), &equal(1)));

    let (empty, none) = (in_memory(), in_memory());
    let alone = replay(&*store.log(), &empty, &none, |_, _| ()).unwrap().remove(0);
    assert_eq!((alone.digest, alone.stored), (before.digest, Stored::Absent));
}

#[test]
fn an_account_that_is_stored_otherwise_is_told_with_both_balances() {
    let dir = tempfile::tempdir().unwrap();
    let store = write(dir.path());
    let (views, small) = (store.views(), tempfile::tempdir().unwrap());
    let (key, right) = an_account(&*views);
    // The account as it stands one record later, as a fold that was wrong would have left it.
    let other = write(small.path());
    let projections = Projections::new(other.views());
    projections.catch_up(&*other.log(), |_, _| ()).unwrap();
    projections.checkpoint().unwrap();
    let (_, wrong) = an_account(&*other.views());
    assert_ne!(right, wrong);
    views.write(&[(key.clone(), Some(wrong))]).unwrap();

    let Stored::Compared { accounts, differing, entries, .. } =
        replayed(&store, &in_memory()).stored
    else {
        panic!("they can be compared")
    };
    assert_eq!((accounts, entries), (1, 1));
    let [one] = &differing[..] else { panic!("{differing:?}") };
    let versions = [&one.stored, &one.replayed].map(|view| view.as_ref().unwrap().version);
    assert_eq!(one.account.as_str(), "acct-demo");
    assert_eq!(versions[0], versions[1] + 1);

    views.write(&[(key, None)]).unwrap();
    let stored = replayed(&store, &in_memory()).stored;
    assert!(!stored.agrees());
    let Stored::Compared { differing, .. } = stored else { panic!("they can be compared") };
    assert_eq!(differing[0].stored, None);
}

#[test]
fn what_an_earlier_program_stored_is_not_compared_and_may_be_replaced() {
    let dir = tempfile::tempdir().unwrap();
    let store = write(dir.path());
    let views = store.views();
    for (key, mut value) in views.scan(&[], None, usize::MAX).unwrap() {
        value[0] = 0;
        views.write(&[(key, Some(value))]).unwrap();
    }
    let stored = replayed(&store, &in_memory()).stored;
    assert_eq!(stored, Stored::Outdated);
    assert!(stored.agrees());
    let report = verify_store(&store, &[], |_, _| ()).unwrap();
    assert_eq!((report.findings, report.differences.len()), (vec![], 1));
}

#[test]
fn a_ledger_that_the_log_lost_is_told_and_keeps_its_projections() {
    let dir = tempfile::tempdir().unwrap();
    let store = write(dir.path());
    let lost = event_store::memory::MemoryLog::new();
    let replayed = replay(&lost, &in_memory(), &store.views(), |_, _| ()).unwrap();
    let [one] = &replayed[..] else { panic!("{replayed:?}") };
    assert_eq!((one.ledger.as_str(), &one.stored), ("main", &Stored::WithoutRecords));
    assert!(!one.stored.agrees());
}

#[test]
fn second_views_take_the_place_of_the_first_and_keep_what_is_no_projection() {
    let dir = tempfile::tempdir().unwrap();
    let store = write(dir.path());
    let others =
        [(b"a".to_vec(), vec![1]), (b"pub/main/at".to_vec(), vec![2]), (b"zz".to_vec(), vec![3])];
    let written = others.clone().map(|(key, value)| (key, Some(value)));
    store.views().write(&written).unwrap();

    let second = store.second_views().unwrap();
    assert!(replayed(&store, &second).stored.agrees());
    carry_over(&*store.views(), &*second).unwrap();
    drop(second);
    store.take_second_views().unwrap();

    let store = open(dir.path());
    assert!(!dir.path().join("views.second").exists());
    for (key, value) in others {
        assert_eq!(store.views().get(&key).unwrap(), Some(value));
    }
    let Stored::Compared { at, .. } = replayed(&store, &in_memory()).stored else {
        panic!("they can be compared")
    };
    assert_eq!(Some(at), Sequence::new(8));
    assert!(verify_store(&store, &[], |_, _| ()).unwrap().is_clean());
}

#[test]
fn second_views_that_a_crash_left_are_removed() {
    let dir = tempfile::tempdir().unwrap();
    let store = write(dir.path());
    drop(store.second_views().unwrap());
    drop(store);
    assert!(dir.path().join("views.second").exists());
    drop(open(dir.path()));
    assert!(!dir.path().join("views.second").exists());
}
