//! The golden store: what an earlier program left on somebody's disk.

use std::collections::BTreeMap;

use super::{SMALL_RUNS, ledger, open, purchase, sequence};
use crate::{
    log::key_of,
    sled::{Options, SledStore},
    verify::verify,
};

/// What the golden file has.
struct Golden {
    /// Each ledger's last record and its hash.
    heads: BTreeMap<String, (u64, String)>,
    values: BTreeMap<Vec<u8>, Vec<u8>>,
}

fn golden() -> Golden {
    let mut golden = Golden { heads: BTreeMap::new(), values: BTreeMap::new() };
    let mut key = Vec::new();
    let text = include_str!("../../../tests/golden/store-1.values");
    for line in text.lines().filter(|line| !line.is_empty() && !line.starts_with('#')) {
        if let Some(head) = line.strip_prefix("head ") {
            let [ledger, last, hash] = head.split(' ').collect::<Vec<_>>().try_into().unwrap();
            golden.heads.insert(ledger.to_owned(), (last.parse().unwrap(), hash.to_owned()));
        } else if let Some(more) = line.strip_prefix("  ") {
            golden.values.entry(key.clone()).or_default().extend(hex::decode(more).unwrap());
        } else {
            key = hex::decode(line).unwrap();
        }
    }
    golden
}

#[test]
fn the_golden_store_is_read_and_goes_on() {
    let golden = golden();
    assert_eq!((golden.heads.len(), golden.values.len()), (2, 16));
    let dir = tempfile::tempdir().unwrap();
    let store = open(dir.path());
    for (key, value) in &golden.values {
        store.replace_stored_value(key, Some(value)).unwrap();
    }
    drop(store);
    // The first stores had no marker.
    std::fs::remove_file(dir.path().join("format")).unwrap();

    for options in [Options::STANDARD, SMALL_RUNS] {
        let store = SledStore::open(dir.path(), options).unwrap();
        let log = store.log();
        assert_eq!(log.ledgers().unwrap(), [ledger("main"), ledger("other-1")]);
        for (name, (last, hash)) in &golden.heads {
            let ledger = ledger(name);
            let head = log.head(&ledger).unwrap();
            assert_eq!((head.sequence.get(), &head.hash.to_string()), (*last, hash), "{name}");
            assert_eq!(verify(&store, &ledger, &mut |_| {}).unwrap(), []);
            let records = log.scan(&ledger, None, usize::MAX).unwrap();
            assert_eq!(records.len(), usize::try_from(*last).unwrap());
            for recorded in records {
                let (at, key) = (recorded.record().sequence, key_of(recorded.record()));
                assert_eq!(log.find(&ledger, &key).unwrap(), Some(at));
                assert!(log.body(&ledger, at).unwrap().is_some());
            }
        }
        let main = ledger("main");
        let bodies = [13, 14, 22].map(|at| log.body(&main, sequence(at)).unwrap().unwrap());
        assert_eq!(bodies.each_ref().map(Vec::len), [1500, 0, 2]);
    }
    let store = open(dir.path());
    assert_eq!(
        store.stored_values().unwrap(),
        Vec::from_iter(golden.values),
        "nothing is rewritten"
    );
    store.log().append(&[purchase(&ledger("main"), 25)]).unwrap();
    assert_eq!(verify(&store, &ledger("main"), &mut |_| {}).unwrap(), []);
}
