//! A disk without room.

use std::{
    path::Path,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
};

use rand::{RngCore as _, SeedableRng as _, rngs::StdRng};

use super::{SMALL_RUNS, debit, ledger, open, purchases, sequence};
use crate::{
    log::AppendError,
    sled::{SledStore, open},
    space::{FREE_BYTES_MIN, Space},
};

/// A store whose file system has as much free as the number says.
fn open_with(dir: &Path, free: u64) -> (SledStore, Arc<AtomicU64>) {
    let free = Arc::new(AtomicU64::new(free));
    let said = Arc::clone(&free);
    let space = Space::told(dir, move |_| Ok(said.load(Ordering::Relaxed)));
    (open::open(dir, SMALL_RUNS, space).unwrap(), free)
}

#[test]
fn a_group_without_room_is_refused_and_the_log_goes_on_when_there_is_some() {
    let dir = tempfile::tempdir().unwrap();
    let main = ledger("main");
    let (store, free) = open_with(dir.path(), u64::MAX);
    let log = store.log();
    log.append(&purchases(&main, 1, 3)).unwrap();
    free.store(FREE_BYTES_MIN, Ordering::Relaxed);
    let Err(AppendError::NoSpace(refused)) = log.append(&purchases(&main, 4, 5)) else {
        panic!("a group was taken without room");
    };
    assert_eq!((refused.path.as_path(), refused.free), (dir.path(), FREE_BYTES_MIN));
    assert!(refused.needed > FREE_BYTES_MIN);
    assert_eq!(log.latched(), None);
    assert_eq!(log.head(&main).unwrap().sequence, sequence(3));

    // The larger group needs more.
    free.store(refused.needed, Ordering::Relaxed);
    let mut random = vec![0; 1 << 20];
    StdRng::seed_from_u64(1).fill_bytes(&mut random);
    let large = debit(&main, 4, random);
    assert!(matches!(log.append(&[large]), Err(AppendError::NoSpace(_))));
    log.append(&purchases(&main, 4, 5)).unwrap();
    drop((log, store));

    let log = open(dir.path()).log();
    assert_eq!(log.head(&main).unwrap().sequence, sequence(5));
}

#[test]
fn a_group_that_was_prepared_before_the_room_went_is_still_committed() {
    let dir = tempfile::tempdir().unwrap();
    let main = ledger("main");
    let (store, free) = open_with(dir.path(), u64::MAX);
    let log = store.log();
    let first = log.prepare(purchases(&main, 1, 3)).unwrap();
    free.store(0, Ordering::Relaxed);
    assert!(matches!(log.prepare(purchases(&main, 4, 5)), Err(AppendError::NoSpace(_))));
    log.commit(first).unwrap();
    free.store(u64::MAX, Ordering::Relaxed);
    log.append(&purchases(&main, 4, 5)).unwrap();
    assert_eq!(log.head(&main).unwrap().sequence, sequence(5));
}

#[test]
fn opening_without_room_gives_the_reserve_back() {
    let dir = tempfile::tempdir().unwrap();
    let reserve = dir.path().join("reserve");
    let (store, _) = open_with(dir.path(), u64::MAX);
    assert!(!reserve.exists(), "opening makes no reserve: a backup needs none");
    assert!(store.space().set_aside().unwrap());
    drop(store);
    drop(open_with(dir.path(), FREE_BYTES_MIN));
    assert!(reserve.exists(), "there is room enough");
    drop(open_with(dir.path(), FREE_BYTES_MIN - 1));
    assert!(!reserve.exists());
}
