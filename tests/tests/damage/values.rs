//! Every change of the stored values is found and named.

mod cuts;
mod places;

use std::path::Path;

use audit::{
    findings::{Finding, Kind, Report},
    verify::verify_store,
};
use event_store::{sled::SledStore, verify::FindingKind};
use tallyhook_tests::dice::Dice;

use self::places::{Place, copies, strays};
use crate::{
    extent::{attempt, folder, stride},
    sample,
};

/// Stored keys and values.
type Values = Vec<(Vec<u8>, Vec<u8>)>;

/// Tried in a short run: one change of a byte in so many.
const ONE_IN: usize = 23;

/// One in so many bytes of the value in two pieces is changed, beside all bytes near the ends of
/// its pieces. It is random, so no place between is like any other; each change writes 96 KiB.
const LARGE_STEP: usize = 251;

/// Bytes at both ends of a piece of the large value that are all changed.
const LARGE_ENDS: usize = 64;

/// What is done to a value.
#[derive(Clone, Copy, Debug)]
enum Change {
    /// The byte there becomes another.
    Set(usize, u8),
    Remove(usize),
    Insert(usize, u8),
    /// The byte there and the next change places.
    Swap(usize),
}

impl Change {
    fn of(self, value: &[u8]) -> Vec<u8> {
        let mut changed = value.to_vec();
        match self {
            Self::Set(at, byte) => changed[at] = byte,
            Self::Remove(at) => drop(changed.remove(at)),
            Self::Insert(at, byte) => changed.insert(at, byte),
            Self::Swap(at) => changed.swap(at, at + 1),
        }
        changed
    }
}

/// Every change at these places of a value: each bit flipped, one more byte instead, the byte
/// removed, one inserted before it, and it and the next swapped.
fn changes(value: &[u8], places: impl Iterator<Item = usize>, dice: &mut Dice) -> Vec<Change> {
    let mut changes = Vec::new();
    for at in places {
        let byte = value[at];
        changes.extend((0..8).map(|bit| Change::Set(at, byte ^ (1 << bit))));
        changes.push(Change::Set(at, byte.wrapping_add(dice.roll().to_le_bytes()[0].max(1))));
        changes.push(Change::Remove(at));
        changes.push(Change::Insert(at, dice.roll().to_le_bytes()[0]));
        if value.get(at + 1).is_some_and(|next| *next != byte) {
            changes.push(Change::Swap(at));
        }
    }
    changes.push(Change::Insert(value.len(), dice.roll().to_le_bytes()[0]));
    changes
}

/// After so many tries a store is written anew: sled never gives space back while it is open.
const TRIES_MAX: usize = 500;

/// A store to damage, and its values as they were written.
struct Subject {
    store: SledStore,
    values: Values,
    tries: usize,
    _dir: tempfile::TempDir,
}

impl Subject {
    fn new(write: fn(&Path) -> SledStore) -> Self {
        let dir = folder();
        let store = write(dir.path());
        let values = store.stored_values().unwrap();
        assert_eq!(audited(&store).findings, []);
        Self { store, values, tries: 0, _dir: dir }
    }

    fn put(&self, key: &[u8], value: Option<&[u8]>) {
        self.store.replace_stored_value(key, value).unwrap();
    }

    /// What the audit says while these keys have these values.
    fn with(&self, changed: &[(&[u8], Option<&[u8]>)]) -> Report {
        changed.iter().for_each(|(key, value)| self.put(key, *value));
        let report = audited(&self.store);
        for (key, _) in changed {
            let before = self.values.iter().find(|(known, _)| known == key);
            self.put(key, before.map(|(_, value)| value.as_slice()));
        }
        report
    }
}

fn audited(store: &SledStore) -> Report {
    verify_store(store, &[], |_, _| ()).unwrap()
}

/// Whether a finding about stored values names the value under this key.
fn names(finding: &Finding, key: &[u8]) -> bool {
    let Kind::Stored(_) = finding.kind else { return false };
    let here = Place::of(key).is_some_and(|place| {
        finding.ledger.as_str() == place.ledger
            && finding.sequence.map(|at| at.get()) == Some(place.number)
    });
    here || finding.detail.contains(&hex::encode(key))
}

fn named(report: &Report, key: &[u8], what: &str) -> Result<(), String> {
    if report.findings.iter().any(|finding| names(finding, key)) {
        return Ok(());
    }
    Err(format!("{what}, {}: {:?}", hex::encode(key), report.findings))
}

/// A changed byte is not only missed somewhere: the value itself is named as damaged.
fn damaged(report: &Report, key: &[u8], change: Change) -> Result<(), String> {
    let value = |finding: &&Finding| finding.kind == Kind::Stored(FindingKind::Value);
    let findings = report.findings.iter().filter(value);
    if findings.clone().any(|finding| names(finding, key)) {
        return Ok(());
    }
    Err(format!("{change:?} of {}: {:?}", hex::encode(key), report.findings))
}

/// Tries every change at these places of each value.
fn check(what: &str, write: fn(&Path) -> SledStore, places: fn(&[u8], &[u8]) -> Vec<usize>) {
    let mut dice = Dice::new(8);
    let values = Subject::new(write).values;
    let mut cases = Vec::new();
    for (number, (key, value)) in values.iter().enumerate() {
        let places = places(key, value).into_iter();
        let changes = changes(value, places, &mut dice);
        cases.extend(changes.into_iter().map(|change| (number, change)));
    }
    let subject = || Subject::new(write);
    attempt(what, &cases, stride(ONE_IN), subject, |subject, (number, change)| {
        if subject.tries == TRIES_MAX {
            *subject = Subject::new(write);
        }
        subject.tries += 1;
        let (key, value) = &subject.values[*number];
        let report = subject.with(&[(key, Some(&change.of(value)))]);
        damaged(&report, key, *change)
    });
}

#[test]
fn every_changed_removed_inserted_and_swapped_byte_is_found_and_named() {
    let sample = Subject::new(sample::write);
    let mut kinds: Vec<u8> = sample.values.iter().map(|(key, _)| key[0]).collect();
    kinds.dedup();
    assert_eq!(kinds, b"brxy", "there is every kind of value");
    check("bytes", sample::write, |_, value| (0..value.len()).collect());
}

#[test]
fn every_changed_byte_of_a_value_in_several_pieces_is_found_and_named() {
    let sample = Subject::new(sample::write_large);
    let pieces = sample.values.iter().filter(|(key, _)| is_large(key));
    assert_eq!(pieces.count(), 2, "one value has two pieces");
    check("bytes of a large value", sample::write_large, |key, value| {
        if !is_large(key) {
            return Vec::new();
        }
        let end = value.len() - LARGE_ENDS;
        (0..LARGE_ENDS)
            .chain((LARGE_ENDS..end).step_by(LARGE_STEP))
            .chain(end..value.len())
            .collect()
    });
}

/// Whether a key is that of the body of record 3, the only large one in its log.
fn is_large(key: &[u8]) -> bool {
    Place::of(key).is_some_and(|place| (place.kind, place.number) == (b'b', 3))
}

#[test]
fn every_removed_value_is_found_and_named() {
    for write in [sample::write, sample::write_large] {
        let subject = Subject::new(write);
        for (key, _) in &subject.values {
            named(&subject.with(&[(key, None)]), key, "removed").unwrap();
        }
    }
}

#[test]
fn every_two_swapped_values_are_found_and_named() {
    for write in [sample::write, sample::write_large] {
        let subject = Subject::new(write);
        for (number, (key_1, value_1)) in subject.values.iter().enumerate() {
            for (key_2, value_2) in &subject.values[number + 1..] {
                let report = subject.with(&[(key_1, Some(value_2)), (key_2, Some(value_1))]);
                named(&report, key_1, "swapped").unwrap();
                named(&report, key_2, "swapped").unwrap();
            }
        }
    }
}

#[test]
fn every_copied_and_stray_value_is_found_and_named() {
    for write in [sample::write, sample::write_large] {
        let subject = Subject::new(write);
        for (key, value) in &subject.values {
            for copy in copies(key) {
                let report = subject.with(&[(&copy, Some(value))]);
                named(&report, &copy, &format!("copied from {}", hex::encode(key))).unwrap();
            }
        }
        for stray in strays(&subject.values) {
            let report = subject.with(&[(&stray, Some(b"value"))]);
            named(&report, &stray, "stray").unwrap();
        }
    }
}
