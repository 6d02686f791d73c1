//! Every flipped byte of a store's files harms no record or is reported.

use std::{collections::BTreeMap, error::Error, path::Path};

use audit::verify::verify_store;
use domain::ids::{AccountId, Sequence};
use event_store::{
    log::{EventLog, key_of},
    sled::{Derived, OpenError, Options, SledStore},
    views::Entry,
};
use projectors::projections::Projections;
use tempfile::TempDir;

use crate::{
    extent::{attempt, folder, stride},
    sample,
    snapshot::{Files, Flip},
};

/// Tried in a short run: one flip in so many.
const ONE_IN: usize = 131;

/// What a store holds, by all that reads it.
#[derive(Debug, PartialEq, Eq)]
struct Contents {
    records: Vec<String>,
    views: Vec<Entry>,
}

/// What an audit says of a damaged store.
enum Audited {
    /// It does not open, or can't be read at all.
    Refused { by_views: bool, text: String },
    /// It has findings.
    Found,
    /// It is clean.
    Clean(SledStore),
}

/// A place for one store after another.
struct Place {
    dir: TempDir,
}

impl Place {
    fn new() -> Self {
        Self { dir: folder() }
    }

    fn path(&self) -> &Path {
        self.dir.path()
    }
}

/// All records with their hashes and bodies; none where one can't be read.
fn records(log: &dyn EventLog) -> Vec<Option<String>> {
    let mut records = Vec::new();
    for name in [sample::MAIN, sample::OTHER] {
        let ledger = sample::ledger(name);
        let end = log.head(&ledger).map_or(0, |head| head.sequence.get());
        for sequence in 1..=end {
            let sequence = Sequence::new(sequence).unwrap();
            let record = log.read(&ledger, sequence).ok().flatten();
            let body = log.body(&ledger, sequence).ok().flatten();
            records.push(record.zip(body).map(|both| format!("{both:?}")));
        }
    }
    records
}

/// What the views hold once all records are folded; an error where the server would stop.
fn folded(store: &SledStore) -> Result<Vec<Entry>, Box<dyn Error>> {
    let projections = Projections::new(store.views());
    projections.catch_up(&*store.log(), |_, _| ())?;
    projections.checkpoint()?;
    Ok(store.views().scan(&[], None, usize::MAX)?)
}

fn audited(dir: &Path) -> Audited {
    let store = match SledStore::open(dir, sample::OPTIONS) {
        Ok(store) => store,
        Err(error) => {
            let by_views = matches!(error, OpenError::Views { .. });
            return Audited::Refused { by_views, text: causes(&error) };
        }
    };
    match verify_store(&store, &[], |_, _| ()) {
        Err(error) => Audited::Refused { by_views: false, text: causes(&error) },
        Ok(report) if report.is_clean() => Audited::Clean(store),
        Ok(_) => Audited::Found,
    }
}

/// A refusal names a file of the store and a way out.
fn is_helpful(text: &str, dir: &Path) -> bool {
    let ways_out = ["restore a backup", "delete"];
    text.contains(dir.to_str().unwrap()) && ways_out.iter().any(|way| text.contains(way))
}

fn causes(error: &dyn Error) -> String {
    let causes = std::iter::successors(error.source(), |&cause| cause.source());
    causes.fold(error.to_string(), |text, cause| format!("{text}: {cause}"))
}

/// What a server makes of the store: it refuses it, or what it reads is right or an error.
fn served(dir: &Path, good: &Contents, by_views: bool) -> Result<(), String> {
    let options = Options { derived: Derived::Rebuilt, ..sample::OPTIONS };
    let store = match SledStore::open(dir, options) {
        Ok(store) => store,
        Err(error) if by_views || !is_helpful(&causes(&error), dir) => {
            return Err(format!("a server refused: {}", causes(&error)));
        }
        Err(_) => return Ok(()),
    };
    if by_views && store.damaged().is_empty() {
        return Err("nothing was said of damaged views".to_owned());
    }
    let now = records(&*store.log());
    let right =
        |(now, good): (&Option<String>, &String)| now.as_ref().is_none_or(|now| now == good);
    if now.len() != good.records.len() || !now.iter().zip(&good.records).all(right) {
        return Err(format!("a server read other records: {now:?}"));
    }
    let projections = Projections::new(store.views());
    match projections.catch_up(&*store.log(), |_, _| ()) {
        Ok(()) => {}
        Err(error) if by_views => return Err(format!("a server could not fold: {error}")),
        // A server does not start.
        Err(_) => return Ok(()),
    }
    // Asked for by its key, everything is there and right, or an error.
    let written = projections.checkpoint();
    let views = store.views();
    let wrong = |(key, value): &&Entry| views.get(key).is_ok_and(|now| now.as_ref() != Some(value));
    match good.views.iter().find(wrong) {
        Some((key, _)) => Err(format!("a server had another state at {}", hex::encode(key))),
        None if by_views && written.is_err() => {
            Err("a server could not store its state".to_owned())
        }
        None => Ok(()),
    }
}

fn tried(place: &Path, files: &Files, flip: &Flip, good: &Contents) -> Result<(), String> {
    files.write(place, Some(flip));
    let by_views = match audited(place) {
        Audited::Clean(store) => {
            let now: Vec<_> = records(&*store.log()).into_iter().flatten().collect();
            return if now == good.records { Ok(()) } else { Err(format!("clean, but {now:?}")) };
        }
        Audited::Refused { text, .. } if !is_helpful(&text, place) => {
            return Err(format!("refused without a way out: {text}"));
        }
        Audited::Refused { by_views, .. } => by_views,
        Audited::Found => false,
    };
    files.write(place, Some(flip));
    served(place, good, by_views)
}

fn check(what: &str, files: &Files, flips: &[Flip], good: &Contents) {
    attempt(what, flips, stride(ONE_IN), Place::new, |place, flip| {
        tried(place.path(), files, flip, good).map_err(|fault| format!("{flip:?}: {fault}"))
    });
}

/// A store that was closed in order, and what is in it.
fn closed() -> (TempDir, Contents) {
    let dir = folder();
    let store = sample::write(dir.path());
    let records = records(&*store.log()).into_iter().map(Option::unwrap).collect();
    drop(store);
    let copy = folder();
    Files::read(dir.path()).write(copy.path(), None);
    let views = folded(&SledStore::open(copy.path(), sample::OPTIONS).unwrap()).unwrap();
    (dir, Contents { records, views })
}

#[test]
fn every_flipped_byte_of_a_log_without_a_snapshot_harms_no_record_or_is_reported() {
    let (dir, good) = closed();
    let files = Files::read(dir.path());
    let flips = files.flips(|path| !path.ends_with("views"));
    assert!(flips.len() > 8_000, "{} flips", flips.len());
    check("flips of a log that was written once", &files, &flips, &good);
}

#[test]
fn every_flipped_byte_of_a_log_with_a_snapshot_harms_no_record_or_is_reported() {
    let (dir, good) = closed();
    // sled writes its snapshot when it opens.
    drop(SledStore::open(dir.path(), sample::OPTIONS).unwrap());
    let files = Files::read(dir.path());
    let flips = files.flips(|path| !path.ends_with("views"));
    assert!(flips.iter().any(|flip| flip.path.to_string_lossy().contains("snap.")));
    check("flips of a log that was opened again", &files, &flips, &good);
}

#[test]
fn every_flipped_byte_of_the_views_is_reported_or_folded_again() {
    let (dir, good) = closed();
    drop(SledStore::open(dir.path(), sample::OPTIONS).unwrap());
    let files = Files::read(dir.path());
    let flips = files.flips(|path| path.ends_with("views"));
    check("flips of the views", &files, &flips, &good);
}

#[test]
fn a_damaged_index_answers_right_and_its_heads_are_made_anew() {
    let good = closed().1;
    let values = sample::write(folder().path()).stored_values().unwrap();
    let index = values.iter().filter(|(key, _)| b"xy".contains(&key[0]));
    assert!(index.clone().count() >= 4);
    for (key, value) in index {
        for damaged in [None, Some([value.as_slice(), b"!"].concat())] {
            let dir = folder();
            let store = sample::write(dir.path());
            store.replace_stored_value(key, damaged.as_deref()).unwrap();
            answers(&store);
            drop(store);
            // An audit tells of it, and changes nothing.
            for _ in 0..2 {
                assert!(matches!(audited(dir.path()), Audited::Found));
            }
            let options = Options { derived: Derived::Rebuilt, ..sample::OPTIONS };
            let store = SledStore::open(dir.path(), options).unwrap();
            // Chunks are read when they are needed.
            let is_head = key[0] == b'x';
            assert_eq!(store.damaged().is_empty(), !is_head);
            answers(&store);
            assert_eq!(verify_store(&store, &[], |_, _| ()).unwrap().is_clean(), is_head);
            drop(store);
            served(dir.path(), &good, false).unwrap();
        }
    }
}

/// Asks the index of every key and account of the main ledger.
fn answers(store: &SledStore) {
    let (log, ledger) = (store.log(), sample::ledger(sample::MAIN));
    let all = log.scan(&ledger, None, usize::MAX).unwrap();
    let mut changes: BTreeMap<AccountId, Vec<Sequence>> = BTreeMap::new();
    for recorded in &all {
        let record = recorded.record();
        assert_eq!(log.find(&ledger, &key_of(record)).unwrap(), Some(record.sequence));
        for account in record.decision.accounts() {
            changes.entry(account).or_default().push(record.sequence);
        }
    }
    assert!(!changes.is_empty());
    for (account, expected) in changes {
        assert_eq!(log.by_account(&ledger, &account, None, usize::MAX).unwrap(), expected);
    }
}
