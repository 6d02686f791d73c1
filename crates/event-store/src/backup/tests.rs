//! Copies of a log that is written meanwhile, copies of copies, and all that may be wrong with
//! them.

use std::{
    fs,
    path::Path,
    sync::atomic::{AtomicBool, Ordering},
    thread,
};

use domain::{
    ids::{LedgerId, Sequence, Text},
    input::{Input, Order},
    record::Record,
};

use super::*;
use crate::{
    erasure,
    log::Append,
    samples,
    verify::{Finding, verify},
    views::Entry,
};

/// Runs of the index after a few records, so that there are some.
const SMALL_RUNS: Options =
    Options { run_records: 20, log_cache_bytes: 1 << 20, ..Options::STANDARD };

fn open(dir: &Path) -> SledStore {
    SledStore::open(dir, SMALL_RUNS).unwrap()
}

fn ledger(name: &str) -> LedgerId {
    LedgerId::new(name).unwrap()
}

fn now() -> Timestamp {
    Timestamp::from_seconds(1_788_220_800).unwrap()
}

/// Usage with a body whose size depends on its number; some are larger than one piece.
fn debit(ledger: &LedgerId, number: u64) -> Append {
    let length = if number % 17 == 3 { 300_000 } else { number % 90 };
    let mut salt = number | 1;
    let body: Vec<u8> = (0..length)
        .map(|_| {
            salt = salt.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
            salt.to_be_bytes()[0]
        })
        .collect();
    let sequence = Sequence::new(number).unwrap();
    let record = samples::debit(ledger, &format!("key-{number}"), sequence, "a", &body).unwrap();
    Append { ledger: ledger.clone(), record, body: body.into() }
}

/// Appends so many records, five in a group.
fn append(store: &SledStore, name: &str, records: u64) {
    let ledger = ledger(name);
    let next = store.log().head(&ledger).map_or(1, |head| head.sequence.get() + 1);
    let all: Vec<Append> = (next..next + records).map(|number| debit(&ledger, number)).collect();
    all.chunks(5).for_each(|group| store.log().append(group).unwrap());
}

fn taken(store: &SledStore, since: &Ends, to: &Path) -> Result<Manifest, BackupError> {
    let mut last = Progress { done: 0, total: 0 };
    let made = take(&Source::of(store), since, now(), to, &mut |progress| {
        assert!(progress.done >= last.done && progress.done <= progress.total);
        last = progress;
    })?;
    assert_eq!((last.done, last.total), (made.records() * 2, made.records() * 2));
    Ok(made)
}

fn put_together(from: &[&Path], to: &Path) -> Result<Ends, BackupError> {
    let from: Vec<_> = from.iter().map(|dir| dir.to_path_buf()).collect();
    restore(&from, to, &mut |_| {})
}

fn findings(store: &SledStore) -> Vec<Finding> {
    let ledgers = store.log().ledgers().unwrap();
    ledgers.iter().flat_map(|ledger| verify(store, ledger, &mut |_| ()).unwrap()).collect()
}

/// The stored values of a log that is written no more.
fn values(dir: &Path) -> Vec<Entry> {
    open(dir).stored_values().unwrap()
}

#[test]
fn a_backup_under_appends_is_a_prefix_with_the_same_hashes() {
    let dir = tempfile::tempdir().unwrap();
    let store = open(&dir.path().join("data"));
    append(&store, "main", 30);
    let over = AtomicBool::new(false);
    let copies: Vec<Manifest> = thread::scope(|scope| {
        scope.spawn(|| {
            while !over.load(Ordering::Relaxed) {
                append(&store, "main", 5);
                append(&store, "other", 2);
            }
        });
        let copies = (0..6).map(|copy| {
            let made = taken(&store, &Ends::default(), &dir.path().join(copy.to_string()));
            made.unwrap()
        });
        let copies = copies.collect();
        over.store(true, Ordering::Relaxed);
        copies
    });
    assert!(copies[5].records() > copies[0].records(), "nothing was appended meanwhile");
    for (copy, manifest) in copies.iter().enumerate() {
        let copied = open(&dir.path().join(copy.to_string()));
        assert_eq!(findings(&copied), [], "{copy}");
        assert_eq!(copied.log().ledgers().unwrap().len(), manifest.spans().len());
        for (ledger, span) in manifest.spans() {
            let head = copied.log().head(ledger).unwrap();
            assert_eq!((head.sequence, head.hash), (span.last.sequence, span.last.hash));
            let same = store.log().read(ledger, head.sequence).unwrap().unwrap();
            assert_eq!(same.hash(), head.hash, "{copy} {ledger}");
            let body = |of: &SledStore| of.log().body(ledger, head.sequence).unwrap();
            assert_eq!(body(&copied), body(&store));
        }
    }
}

/// A log with two ledgers, its full backup and three increments: of one ledger more, of nothing,
/// of both.
fn chained(dir: &Path) -> [std::path::PathBuf; 4] {
    let store = open(&dir.join("data"));
    let to = ["full", "one", "two", "three"].map(|name| dir.join(name));
    append(&store, "main", 33);
    let full = taken(&store, &Ends::default(), &to[0]).unwrap();
    assert!(!full.is_increment());
    append(&store, "main", 7);
    append(&store, "other", 3);
    let one = taken(&store, &full.ends(), &to[1]).unwrap();
    assert_eq!((one.is_increment(), one.records()), (true, 10));
    let two = taken(&store, &one.ends(), &to[2]).unwrap();
    assert_eq!((two.records(), two.ends()), (0, one.ends()));
    append(&store, "main", 21);
    append(&store, "other", 40);
    let three = taken(&store, &two.ends(), &to[3]).unwrap();
    assert_eq!(three.records(), 61);
    to
}

#[test]
fn a_backup_and_its_increments_give_the_same_stored_values() {
    let dir = tempfile::tempdir().unwrap();
    let [full, one, two, three] = chained(dir.path());
    let to = dir.path().join("restored");
    let ends = put_together(&[&full, &one, &two, &three], &to).unwrap();
    assert_eq!(ends, Manifest::read(&three).unwrap().ends());
    assert_eq!(values(&to), values(&dir.path().join("data")));
    assert_eq!(findings(&open(&to)), []);
    assert!(matches!(Manifest::read(&to), Err(ManifestError::NoBackup { .. })));

    // It is a store like any other: it goes on, and an increment can be made of it.
    append(&open(&to), "main", 4);
    let more = taken(&open(&to), &ends, &dir.path().join("more")).unwrap();
    assert_eq!(more.records(), 4);

    // The first two alone are the log as it was then, and more can follow.
    let earlier = dir.path().join("earlier");
    put_together(&[&full, &one], &earlier).unwrap();
    assert_eq!(open(&earlier).log().head(&ledger("main")).unwrap().sequence.get(), 40);
}

#[test]
fn increments_are_put_together_in_their_order_only() {
    let dir = tempfile::tempdir().unwrap();
    let [full, one, _, three] = chained(dir.path());
    let to = dir.path().join("restored");
    let refused = |from: &[&Path]| put_together(from, &to).unwrap_err();
    assert!(matches!(refused(&[&one]), BackupError::NotFull { dir } if dir == one));
    for from in [[&*full, &three], [&full, &full]] {
        let expected = (from[1].to_path_buf(), full.clone());
        let error = refused(&from);
        let BackupError::OutOfOrder { dir, before } = error else { panic!("{from:?}: {error}") };
        assert_eq!((dir, before), expected);
    }
    let backward = refused(&[&full, &one, &full]);
    assert!(matches!(backward, BackupError::OutOfOrder { .. }), "{backward}");
    assert!(!to.exists(), "nothing was made");
    let alone = SledStore::open(&three, SMALL_RUNS).err().unwrap();
    assert!(matches!(alone, OpenError::Increment { .. }), "{alone}");
}

#[test]
fn nothing_is_written_over_what_is_there() {
    let dir = tempfile::tempdir().unwrap();
    let [full, ..] = chained(dir.path());
    let store = open(&dir.path().join("data"));
    let before = values(&full);
    for there in [&full, dir.path()] {
        let again = taken(&store, &Ends::default(), there).unwrap_err();
        assert!(matches!(again, BackupError::NotEmpty { .. }), "{again}");
        let again = put_together(&[&full], there).unwrap_err();
        assert!(matches!(again, BackupError::NotEmpty { .. }), "{again}");
    }
    assert_eq!(values(&full), before);
    let empty = dir.path().join("empty");
    fs::create_dir(&empty).unwrap();
    taken(&store, &Ends::default(), &empty).unwrap();
}

#[test]
fn only_what_goes_on_is_an_increment() {
    let dir = tempfile::tempdir().unwrap();
    let [_, one, ..] = chained(dir.path());
    let ends = Manifest::read(&one).unwrap().ends();
    let plan = |store: &SledStore, ends: &Ends| Source::of(store).plan(ends, now()).unwrap_err();
    let is_other = |error: PlanError, name: &str, at: u64| {
        assert!(
            matches!(&error, PlanError::OtherLog { ledger, sequence }
                if ledger.as_str() == name && sequence.get() == at),
            "{error}"
        );
    };
    // Of a log that has other records, fewer, or not this ledger.
    let other = open(&dir.path().join("another"));
    is_other(plan(&other, &ends), "main", 40);
    append(&other, "other", 50);
    is_other(plan(&other, &ends), "main", 40);
    append(&other, "main", 39);
    is_other(plan(&other, &ends), "main", 40);
    let [sample] = [debit(&ledger("main"), 41)].map(|append| append.record);
    let record = Record { sequence: Sequence::new(40).unwrap(), ..sample };
    let body = debit(&ledger("main"), 41).body;
    other.log().append(&[Append { ledger: ledger("main"), record, body }]).unwrap();
    is_other(plan(&other, &ends), "main", 40);

    // Of this log, but not where a block or a part of the index ends.
    let store = open(&dir.path().join("data"));
    for (at, indexed) in [(39, 0), (40, 10)] {
        let read = store.log().read(&ledger("main"), Sequence::new(at).unwrap());
        let hash = read.unwrap().unwrap().hash();
        let cut = Ends::parse(&format!("main:{at}:{hash}:{indexed}"));
        let error = plan(&store, &cut.unwrap());
        assert!(matches!(error, PlanError::Rewritten { .. }), "{at} {indexed}: {error}");
    }
}

/// A record that erases the body of this one.
fn erase(ledger: &LedgerId, number: u64, erased: u64) -> Append {
    let Append { mut record, body, .. } = debit(ledger, number);
    if let Input::Command(command) = &mut record.input {
        command.key = erasure::key(1).unwrap();
        let records = [Sequence::new(erased).unwrap()].into();
        command.order = Order::Erase { records, reason: Text::new("asked for").unwrap() };
    }
    Append { ledger: ledger.clone(), record, body }
}

#[test]
fn nothing_is_an_increment_of_a_backup_with_erased_bodies() {
    for (erased, refused) in [(30, true), (31, false)] {
        let dir = tempfile::tempdir().unwrap();
        let store = open(&dir.path().join("data"));
        append(&store, "main", 30);
        let full = taken(&store, &Ends::default(), &dir.path().join("full")).unwrap();
        append(&store, "main", 1);
        store.log().append(&[erase(&ledger("main"), 32, erased)]).unwrap();
        let next = taken(&store, &full.ends(), &dir.path().join("next"));
        let plan = matches!(next, Err(BackupError::Plan(PlanError::Rewritten { .. })));
        assert_eq!(plan, refused, "{next:?}");
        let again = taken(&store, &Ends::default(), &dir.path().join("again")).unwrap();
        taken(&store, &again.ends(), &dir.path().join("more")).unwrap();
    }
}

#[test]
fn a_damaged_value_stops_a_copy_with_its_place() {
    let dir = tempfile::tempdir().unwrap();
    let data = dir.path().join("data");
    append(&open(&data), "main", 45);
    let all = values(&data);
    // Of each kind one in the middle and the last, and the pieces of a large one.
    let one = |kind: u8| all.iter().filter(move |(key, _)| key[0] == kind).nth(1);
    let last = |kind: u8| all.iter().rfind(move |(key, _)| key[0] == kind);
    let large = all.iter().filter(|(_, value)| value.len() > 90_000);
    let some = b"brxy".iter().flat_map(|kind| [one(*kind), last(*kind)]);
    let some = some.flatten().chain(large.take(2));
    for (at, (key, value)) in some.cloned().enumerate() {
        let to = dir.path().join(format!("flipped-{at}"));
        let mut bad = value.clone();
        bad[value.len() / 2] ^= 1;
        let store = open(&data);
        store.replace_stored_value(&key, Some(&bad)).unwrap();
        let error = taken(&store, &Ends::default(), &to).unwrap_err();
        assert!(matches!(error, BackupError::Read(ReadError::Damaged { .. })), "{error}");
        refused_as_unfinished(&to);

        let to = dir.path().join(format!("removed-{at}"));
        store.replace_stored_value(&key, None).unwrap();
        let error = taken(&store, &Ends::default(), &to).unwrap_err();
        assert!(matches!(error, BackupError::Read(ReadError::Damaged { .. })), "{error}");
        refused_as_unfinished(&to);
        store.replace_stored_value(&key, Some(&value)).unwrap();
    }
    taken(&open(&data), &Ends::default(), &dir.path().join("good")).unwrap();
}

fn refused_as_unfinished(dir: &Path) {
    let opened = SledStore::open(dir, SMALL_RUNS).err().unwrap();
    let unfinished = matches!(opened, OpenError::Backup(ManifestError::Unfinished { .. }));
    assert!(unfinished, "{opened}");
    let restored = put_together(&[dir], &dir.join("never")).unwrap_err();
    let unfinished = matches!(restored, BackupError::Manifest(ManifestError::Unfinished { .. }));
    assert!(unfinished, "{restored}");
    let again = Making::begin(dir).err().unwrap();
    assert!(matches!(again, BackupError::Manifest(ManifestError::Unfinished { .. })), "{again}");
}

#[test]
fn a_damaged_backup_is_not_restored() {
    let dir = tempfile::tempdir().unwrap();
    let [full, one, ..] = chained(dir.path());
    let good = values(&full);
    let (key, value) = &good[good.len() / 2];
    open(&full).replace_stored_value(key, None).unwrap();
    let to = dir.path().join("restored");
    let error = put_together(&[&full, &one], &to).unwrap_err();
    assert!(matches!(error, BackupError::Read(ReadError::Damaged { .. })), "{error}");
    refused_as_unfinished(&to);
    open(&full).replace_stored_value(key, Some(value)).unwrap();

    // A whole value of a log that has other records at the same places.
    let other = open(&dir.path().join("other"));
    let records = (1..=5).map(|number| {
        let Append { record, body, .. } = debit(&ledger("main"), number + 1_000);
        let record = Record { sequence: Sequence::new(number).unwrap(), ..record };
        Append { ledger: ledger("main"), record, body }
    });
    other.log().append(&records.collect::<Vec<_>>()).unwrap();
    let theirs = other.stored_values().unwrap();
    let (key, value) = theirs.iter().find(|(key, _)| key[0] == b'r').unwrap();
    let ours = good.iter().find(|(ours, _)| ours == key).unwrap().1.clone();
    open(&full).replace_stored_value(key, Some(value)).unwrap();
    let error = put_together(&[&full], &dir.path().join("mixed")).unwrap_err();
    assert!(matches!(error, BackupError::Read(ReadError::Damaged { .. })), "{error}");
    open(&full).replace_stored_value(key, Some(&ours)).unwrap();

    // What was added to a backup is not of it.
    append(&open(&full), "main", 10);
    let to = dir.path().join("again");
    put_together(&[&full], &to).unwrap();
    assert_eq!(open(&to).log().head(&ledger("main")).unwrap().sequence.get(), 33);
}

/// What a running server would send.
fn sent(store: &SledStore, since: &Ends) -> Vec<u8> {
    let source = Source::of(store);
    let mut bytes = Vec::new();
    source.send(&source.plan(since, now()).unwrap(), &mut bytes).unwrap();
    bytes
}

/// Takes a stream in without storing it.
fn followed(stream: &[u8]) -> Result<(), BackupError> {
    let received = Received::open(stream)?;
    let mut follow = Follow::new(&received.manifest().clone());
    for value in received {
        follow.add(&value?)?;
    }
    Ok(follow.finish()?)
}

#[test]
fn what_a_server_sends_is_the_backup_that_it_would_make() {
    let dir = tempfile::tempdir().unwrap();
    let [full, one, two, three] = chained(dir.path());
    let store = open(&dir.path().join("data"));
    let made = receive(
        &*sent(&store, &Ends::default()),
        &Ends::default(),
        &dir.path().join("all"),
        &mut |_| {},
    );
    assert_eq!(made.unwrap().records(), 104);
    let since = Manifest::read(&full).unwrap().ends();
    let stream = sent(&store, &since);
    let other = receive(&*stream, &Ends::default(), &dir.path().join("other"), &mut |_| {});
    assert!(matches!(other, Err(BackupError::Other)));
    let rest = dir.path().join("rest");
    receive(&*stream, &since, &rest, &mut |_| {}).unwrap();
    drop(store);
    let (a, b) = (dir.path().join("a"), dir.path().join("b"));
    put_together(&[&full, &rest], &a).unwrap();
    put_together(&[&full, &one, &two, &three], &b).unwrap();
    assert_eq!(values(&a), values(&b));
    assert_eq!(values(&a), values(&dir.path().join("all")));
}

#[test]
fn a_stream_that_is_not_whole_is_noticed() {
    let dir = tempfile::tempdir().unwrap();
    let options = Options { run_records: 1, ..SMALL_RUNS };
    let store = SledStore::open(dir.path(), options).unwrap();
    for number in [1, 2] {
        store.log().append(&[debit(&ledger("main"), number)]).unwrap();
    }
    let good = sent(&store, &Ends::default());
    followed(&good).unwrap();
    assert!(good.len() < 4_000, "{} bytes are many to try one by one", good.len());
    for cut in 0..good.len() {
        let error = followed(&good[..cut]).unwrap_err();
        let broken = matches!(error, BackupError::Stream(StreamFault::BrokenOff { .. }));
        assert!(broken, "cut at {cut}: {error}");
    }
    for at in 0..good.len() {
        for bit in [1, 1 << 5] {
            let mut bad = good.clone();
            bad[at] ^= bit;
            assert!(followed(&bad).is_err(), "byte {at}");
        }
    }
}

#[test]
fn the_receiver_is_told_why_a_server_can_not_go_on() {
    let dir = tempfile::tempdir().unwrap();
    let store = open(&dir.path().join("data"));
    append(&store, "main", 20);
    let source = Source::of(&store);
    let plan = source.plan(&Ends::default(), now()).unwrap();
    let (key, _) = store.stored_values().unwrap().swap_remove(2);
    store.replace_stored_value(&key, None).unwrap();
    let mut stream = Vec::new();
    let error = source.send(&plan, &mut stream).unwrap_err();
    assert!(matches!(error, stream::SendError::Read(_)), "{error}");
    let to = dir.path().join("copy");
    let told = receive(&*stream, &Ends::default(), &to, &mut |_| {}).unwrap_err();
    let BackupError::Stream(StreamFault::Told(why)) = told else { panic!("{told}") };
    assert!(why.contains("ledger main"), "{why}");
    refused_as_unfinished(&to);
}

#[test]
fn an_empty_log_has_a_backup() {
    let dir = tempfile::tempdir().unwrap();
    let store = open(&dir.path().join("data"));
    let full = dir.path().join("full");
    let made = taken(&store, &Ends::default(), &full).unwrap();
    append(&store, "main", 3);
    let next = dir.path().join("next");
    taken(&store, &made.ends(), &next).unwrap();
    let to = dir.path().join("restored");
    put_together(&[&full, &next], &to).unwrap();
    assert_eq!(open(&to).log().head(&ledger("main")).unwrap().sequence.get(), 3);
}
