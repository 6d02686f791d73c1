//! Stores that a newer program wrote: refused, and not touched.

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
};

use sha2::{Digest as _, Sha256};

use super::{SMALL_RUNS, ledger, open, purchases};
use crate::{
    frame::FrameFault,
    sled::{OpenError, SledStore},
    verify::verify,
};

const UPGRADE: &str = "it was written by a newer program; upgrade";

/// All files below a folder with their bytes and when they were last written.
fn files(dir: &Path) -> BTreeMap<PathBuf, (Vec<u8>, std::time::SystemTime)> {
    let mut found = BTreeMap::new();
    for entry in std::fs::read_dir(dir).unwrap() {
        let entry = entry.unwrap();
        if entry.file_type().unwrap().is_dir() {
            found.extend(files(&entry.path()));
        } else {
            let written = entry.metadata().unwrap().modified().unwrap();
            found.insert(entry.path(), (std::fs::read(entry.path()).unwrap(), written));
        }
    }
    found
}

fn small_store(dir: &Path) {
    let store = open(dir);
    store.log().append(&purchases(&ledger("main"), 1, 3)).unwrap();
}

/// What opening says, all causes, after which not a byte of the store is another.
fn refused(dir: &Path) -> String {
    let before = files(dir);
    let Err(error) = SledStore::open(dir, SMALL_RUNS) else {
        panic!("opened a store of a newer program");
    };
    let mut said = error.to_string();
    let mut cause = std::error::Error::source(&error);
    while let Some(error) = cause {
        said = format!("{said}: {error}");
        cause = error.source();
    }
    assert_eq!(files(dir), before, "{said}");
    said
}

#[test]
fn a_store_of_a_newer_program_is_refused_and_not_touched() {
    let dir = tempfile::tempdir().unwrap();
    small_store(dir.path());
    let marker = dir.path().join("format");
    assert_eq!(std::fs::read_to_string(&marker).unwrap(), "tallyhook store 1\n");
    std::fs::write(&marker, "tallyhook store 2\n").unwrap();
    // What would be done to an ordinary store.
    std::fs::write(dir.path().join("log/snap.0000.generating"), "left by a crash").unwrap();
    std::fs::remove_file(dir.path().join("lock")).unwrap();
    let said = refused(dir.path());
    assert!(
        said.contains("version 2 and this program knows 1") && said.ends_with(UPGRADE),
        "{said}"
    );
}

#[test]
fn a_high_water_file_of_a_newer_program_is_refused_and_not_touched() {
    let dir = tempfile::tempdir().unwrap();
    small_store(dir.path());
    let text = "tallyhook high-water 2\nmain 3 something more\n";
    let text = format!("{text}sha256 {}\n", hex::encode(Sha256::digest(text)));
    std::fs::write(dir.path().join("high-water"), text).unwrap();
    let said = refused(dir.path());
    assert!(said.contains("high-water") && said.ends_with(UPGRADE), "{said}");
}

#[test]
fn a_store_without_a_marker_is_of_the_first_version_and_gets_one() {
    let dir = tempfile::tempdir().unwrap();
    small_store(dir.path());
    let marker = dir.path().join("format");
    std::fs::remove_file(&marker).unwrap();
    let store = open(dir.path());
    assert_eq!(verify(&store, &ledger("main"), &mut |_| {}).unwrap(), []);
    assert_eq!(std::fs::read_to_string(&marker).unwrap(), "tallyhook store 1\n");
}

/// A stored piece as another packing or another record would make it: its digest is right.
fn sealed_again(key: &[u8], piece: &[u8], change: impl FnOnce(&mut Vec<u8>)) -> Vec<u8> {
    let mut rest = piece[16..].to_vec();
    change(&mut rest);
    let length = u64::try_from(key.len()).unwrap().to_le_bytes();
    let covered = [b"tallyhook value 1\n".as_slice(), &length, key, &rest].concat();
    [&Sha256::digest(covered)[..16], &rest].concat()
}

/// Changes the one block of records of a small store and opens it again.
fn with_other_records(change: impl FnOnce(&mut Vec<u8>)) -> (tempfile::TempDir, String) {
    let dir = tempfile::tempdir().unwrap();
    small_store(dir.path());
    let store = open(dir.path());
    let values = store.stored_values().unwrap();
    let (key, piece) = values.iter().find(|(key, _)| key.starts_with(b"r\x04main")).unwrap();
    let changed = sealed_again(key, piece, change);
    assert_ne!(changed, *piece);
    store.replace_stored_value(key, Some(&changed)).unwrap();
    drop(store);
    let Err(OpenError::Read(error)) = SledStore::open(dir.path(), SMALL_RUNS) else {
        panic!("opened a block of a newer program");
    };
    (dir, error.to_string())
}

#[test]
fn a_packing_of_a_newer_program_is_named() {
    let (_dir, said) = with_other_records(|rest| rest[2] = 2);
    assert!(said.ends_with(&FrameFault::PackingUnknown(2).to_string()), "{said}");
    assert!(said.ends_with(UPGRADE), "{said}");
}

#[test]
fn a_record_of_a_newer_program_is_named() {
    let (_dir, said) = with_other_records(|rest| {
        let length = u32::from_le_bytes(rest[3..7].try_into().unwrap());
        let mut raw = zstd::bulk::decompress(&rest[7..], usize::try_from(length).unwrap()).unwrap();
        // Behind the block's head and the lengths of three forms stand the forms; the head is the
        // last record.
        let forms = 8 + 4 + 32;
        let lengths: Vec<usize> = raw[forms..forms + 12]
            .chunks(4)
            .map(|length| usize::try_from(u32::from_le_bytes(length.try_into().unwrap())).unwrap())
            .collect();
        let last = forms + 12 + lengths[0] + lengths[1];
        assert_eq!(raw[last], 1, "the version of a record's form");
        raw[last] = 2;
        rest.truncate(7);
        rest.extend(zstd::bulk::compress(&raw, 1).unwrap());
    });
    assert!(said.contains("version 2 of the stored form"), "{said}");
    assert!(said.ends_with(UPGRADE), "{said}");
}
