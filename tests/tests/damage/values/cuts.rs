//! A log whose tail is gone: the high-water file tells, and so do the stored projections.

use audit::findings::Kind;
use event_store::sled::{OpenError, SledStore};

use super::{Place, Values, audited, named};
use crate::{extent::folder, sample};

/// The first records of a ledger's blocks.
fn firsts(values: &Values, ledger: &str) -> Vec<u64> {
    let places = values.iter().filter_map(|(key, _)| Place::of(key));
    let blocks = places.filter(|place| place.kind == b'r' && place.ledger == ledger);
    blocks.map(|place| place.number).collect()
}

/// Removes all of a ledger's values from a record on, as if it had never been there.
fn cut(store: &SledStore, values: &Values, ledger: &str, first: u64) {
    for (key, _) in values {
        let place = Place::of(key).unwrap();
        if place.ledger == ledger && place.number >= first {
            store.replace_stored_value(key, None).unwrap();
        }
    }
}

#[test]
fn every_cut_tail_is_found_by_the_high_water_file_or_the_stored_projections() {
    for ledger in [sample::MAIN, sample::OTHER] {
        let values = sample::write(folder().path()).stored_values().unwrap();
        let firsts = firsts(&values, ledger);
        assert!(ledger != sample::MAIN || firsts == [1, 3, 6, 8, 9]);
        for first in firsts {
            check(ledger, first);
        }
    }
}

fn check(ledger: &str, first: u64) {
    let dir = folder();
    let store = sample::write(dir.path());
    let values = store.stored_values().unwrap();
    let checkpoint = 8;
    cut(&store, &values, ledger, first);
    // While the store is open, it knows how many records there are.
    let lost = Place { kind: b'r', ledger: ledger.to_owned(), number: first, item: 0, part: 0 };
    named(&audited(&store), &lost.key(), "cut").unwrap();
    drop(store);

    let refused = SledStore::open(dir.path(), sample::OPTIONS);
    let Err(error @ OpenError::WentBack { .. }) = refused else {
        panic!("opened a log that was cut from {first} on");
    };
    let said = format!("open ledger {ledger}: it ends at record {} and was at record", first - 1);
    assert!(error.to_string().starts_with(&said), "{error}");

    std::fs::remove_file(dir.path().join("high-water")).unwrap();
    let store = SledStore::open(dir.path(), sample::OPTIONS).unwrap();
    let report = audited(&store);
    if ledger == sample::MAIN && first > checkpoint {
        // It is the log as it was before its last records came in: nothing left tells of them.
        assert_eq!(report.findings, []);
        return;
    }
    let behind = report.findings.iter().any(|finding| {
        finding.kind == Kind::ProjectionDiffers && finding.ledger.as_str() == ledger
    });
    assert!(behind, "cut {ledger} from {first} on: {:?}", report.findings);
}

#[test]
fn a_log_that_is_gone_is_refused() {
    let dir = folder();
    drop(sample::write(dir.path()));
    std::fs::remove_dir_all(dir.path().join("log")).unwrap();
    let refused = SledStore::open(dir.path(), sample::OPTIONS);
    assert!(matches!(refused, Err(OpenError::WentBack { found: 0, .. })));
}
