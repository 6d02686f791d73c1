//! Every flipped byte of every stored value is found.

use super::{debit, ledger, purchase};
use crate::{
    sled::{OpenError, Options, SledStore},
    verify::{Finding, FindingKind, verify},
};

/// A log with every kind of stored value: two ledgers, several groups, runs of the index.
fn small_store(dir: &std::path::Path) -> SledStore {
    let options = Options { run_records: 4, ..super::SMALL_RUNS };
    let store = SledStore::open(dir, options).unwrap();
    let (main, other) = (ledger("main"), ledger("b"));
    for number in 0..4 {
        let bodies = [vec![1; 40], Vec::new(), vec![3; 9]];
        let group = (number * 3 + 1..).zip(bodies).map(|(at, body)| debit(&main, at, body));
        store.log().append(&group.collect::<Vec<_>>()).unwrap();
    }
    store.log().append(&[purchase(&other, 1)]).unwrap();
    store
}

fn findings(store: &SledStore) -> Vec<Finding> {
    let ledgers = [ledger("main"), ledger("b")];
    ledgers.iter().flat_map(|ledger| verify(store, ledger, &mut |_| ()).unwrap()).collect()
}

/// What readers are told: nothing but what was written, or an error.
fn reads(store: &SledStore) -> Vec<Option<(String, Vec<u8>)>> {
    let log = store.log();
    let one = |at: u64| {
        let (main, at) = (ledger("main"), super::sequence(at));
        let recorded = log.read(&main, at).ok()??;
        Some((format!("{recorded:?}"), log.body(&main, at).ok()??))
    };
    (1..=12).map(one).collect()
}

#[test]
fn every_flipped_byte_is_found() {
    let dir = tempfile::tempdir().unwrap();
    let store = small_store(dir.path());
    assert_eq!(findings(&store), []);
    let good = reads(&store);
    let values = store.stored_values().unwrap();
    let kinds: std::collections::BTreeSet<u8> = values.iter().map(|(key, _)| key[0]).collect();
    assert_eq!(kinds.into_iter().collect::<Vec<_>>(), b"brxy");
    for (key, value) in values {
        // A large value (a purchase and its body) is sampled.
        for at in (0..value.len()).step_by(value.len() / 300 + 1) {
            let mut bad = value.clone();
            bad[at] ^= 1 << (at % 8);
            store.replace_stored_value(&key, Some(&bad)).unwrap();
            let found = findings(&store);
            let named = found
                .iter()
                .any(|finding| finding.kind == FindingKind::Value && finding.sequence.is_some());
            assert!(named, "byte {at} of {}: {found:?}", hex::encode(&key));
            if at % 16 == 0 {
                let same = reads(&store).into_iter().zip(&good);
                assert!(same.into_iter().all(|(now, before)| now.is_none() || now == *before));
            }
        }
        store.replace_stored_value(&key, Some(&value)).unwrap();
    }
    assert_eq!(findings(&store), []);
}

#[test]
fn removed_swapped_and_added_values_are_found() {
    let dir = tempfile::tempdir().unwrap();
    let store = small_store(dir.path());
    let values = store.stored_values().unwrap();
    for (key, value) in &values {
        store.replace_stored_value(key, None).unwrap();
        // The last run of the index is no fact: what it has is read again at open. While the
        // store is open, its chunks are missing or lie there for nothing.
        assert!(!findings(&store).is_empty(), "removed {}", hex::encode(key));
        store.replace_stored_value(key, Some(value)).unwrap();
    }
    for pair in values.windows(2) {
        let [(first, value_1), (second, value_2)] = pair else { panic!("two") };
        store.replace_stored_value(first, Some(value_2)).unwrap();
        store.replace_stored_value(second, Some(value_1)).unwrap();
        assert!(findings(&store).len() >= 2);
        store.replace_stored_value(first, Some(value_1)).unwrap();
        store.replace_stored_value(second, Some(value_2)).unwrap();
    }
    for stray in
        [b"a".as_slice(), b"r", b"r\x04maim", b"r\x04main\x01", b"z", b"y\x01bzzzzzzzzzzzz"]
    {
        store.replace_stored_value(stray, Some(b"value")).unwrap();
        assert!(!findings(&store).is_empty(), "added {}", hex::encode(stray));
        store.replace_stored_value(stray, None).unwrap();
    }
    assert_eq!(findings(&store), []);
}

#[test]
fn a_damaged_end_is_named_at_open() {
    let dir = tempfile::tempdir().unwrap();
    let store = small_store(dir.path());
    let values = store.stored_values().unwrap();
    let (key, value) = values.iter().rfind(|(key, _)| key.starts_with(b"r\x04main")).unwrap();
    let mut bad = value.clone();
    bad[30] ^= 1;
    store.replace_stored_value(key, Some(&bad)).unwrap();
    drop(store);
    let Err(OpenError::Read(error)) = SledStore::open(dir.path(), super::SMALL_RUNS) else {
        panic!("opened a damaged end");
    };
    assert!(error.to_string().contains("block of records from 10"), "{error}");
}
