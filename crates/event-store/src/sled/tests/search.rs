//! Records are found by any bytes of their form, and bodies read in order, on sled as in memory.

use std::ops::ControlFlow;

use crate::{
    form::record::encode,
    log::{EventLog, Recorded},
    memory::MemoryLog,
    search::{Looked, search},
};

use super::*;

/// The records that have these bytes, by looking at each.
fn expected(log: &dyn EventLog, ledger: &LedgerId, needle: &[u8]) -> Vec<Recorded> {
    let records = log.scan(ledger, None, usize::MAX).unwrap().into_iter();
    let has = |form: &[u8]| form.windows(needle.len()).any(|bytes| bytes == needle);
    records.filter(|recorded| has(&encode(recorded.record()))).collect()
}

/// What a search by all cores gives of the records after one up to another.
fn found(
    log: &dyn EventLog,
    ledger: &LedgerId,
    needles: &[&[u8]],
    (after, last): (u64, u64),
) -> Vec<Recorded> {
    let mut found = Vec::new();
    let (after, last) = (Sequence::new(after), sequence(last));
    let looked = Looked { ledger, needles, after, last };
    let mut ends = vec![after];
    search(
        log,
        looked,
        |recorded| Some(recorded.clone()),
        |up_to, part| {
            ends.push(Some(up_to));
            found.extend(part);
        },
    )
    .unwrap();
    assert!(ends.is_sorted() && ends.last() <= Some(&Some(last)), "{ends:?}");
    found
}

#[test]
fn the_records_with_some_bytes_are_found_in_every_block_and_no_others() {
    let dir = tempfile::tempdir().unwrap();
    let (store, memory, main) = (open(dir.path()), MemoryLog::new(), ledger("main"));
    let log = store.log();
    for number in (1..=90).step_by(3) {
        let mut group = purchases(&main, number, number + 1);
        group.push(debit(&main, number + 2, format!("body {number}").into_bytes()));
        memory.append(&group).unwrap();
        log.append(&group).unwrap();
    }
    for (needle, at_least) in [
        (&b"key-30"[..], 1),
        (b"key-3", 5),
        (b"key-", 30),
        (b"USD", 30),
        (b"no such thing", 0),
        (b"", 90),
    ] {
        let found = self::found(&*log, &main, &[needle], (0, 90));
        assert!(found.len() >= at_least, "{} of {at_least}", found.len());
        if !needle.is_empty() {
            assert_eq!(found, expected(&*log, &main, needle));
        }
        assert_eq!(found, self::found(&memory, &main, &[needle], (0, 90)));
        if needle.starts_with(b"key-") {
            let both = self::found(&*log, &main, &[b"key-30", needle], (0, 90));
            assert_eq!(found, both, "one with several needles is found once");
        }
    }
    assert_eq!(self::found(&*log, &ledger("other"), &[b"key"], (0, 9)), []);
}

#[test]
fn a_search_stays_within_its_range() {
    let dir = tempfile::tempdir().unwrap();
    let (store, memory, main) = (open(dir.path()), MemoryLog::new(), ledger("main"));
    let (log, group) = (store.log(), purchases(&main, 1, 40));
    memory.append(&group).unwrap();
    log.append(&group).unwrap();
    for (after, last) in [(0, 40), (0, 1), (7, 9), (39, 40), (40, 99), (3, 3)] {
        for log in [&*log, &memory] {
            let found = found(log, &main, &[b"USD"], (after, last));
            let found: Vec<u64> =
                found.iter().map(|recorded| recorded.record().sequence.get()).collect();
            assert_eq!(found, (after + 1..=last.min(40)).collect::<Vec<_>>());
        }
    }
}

#[test]
fn a_search_ends_where_it_is_told_to() {
    let dir = tempfile::tempdir().unwrap();
    let (store, memory, main) = (open(dir.path()), MemoryLog::new(), ledger("main"));
    let (log, group) = (store.log(), purchases(&main, 1, 40));
    memory.append(&group).unwrap();
    log.append(&group).unwrap();
    for most in [1, 2, 39] {
        for log in [&*log, &memory] {
            let mut found = Vec::new();
            log.search(&main, &[b"USD"], None, sequence(40), &mut |recorded| {
                found.push(recorded.record().sequence.get());
                if found.len() < most { ControlFlow::Continue(()) } else { ControlFlow::Break(()) }
            })
            .unwrap();
            assert_eq!(found, (1..=u64::try_from(most).unwrap()).collect::<Vec<_>>());
        }
    }
}

#[test]
fn bodies_come_in_order_and_are_those_that_are_asked_for_one_by_one() {
    let dir = tempfile::tempdir().unwrap();
    let (store, memory, main) = (open(dir.path()), MemoryLog::new(), ledger("main"));
    let log = store.log();
    for number in (1..=60).step_by(2) {
        let large = vec![b'x'; usize::try_from(number).unwrap() * 5_000];
        let group = [purchase(&main, number), debit(&main, number + 1, large)];
        memory.append(&group).unwrap();
        log.append(&group).unwrap();
    }
    for log in [&*log, &memory] {
        let (mut after, mut read) = (None, Vec::new());
        loop {
            let bodies = log.bodies(&main, after, 7).unwrap();
            let Some((last, _)) = bodies.last() else { break };
            after = Some(*last);
            read.extend(bodies);
        }
        assert_eq!(read.len(), 60);
        for (place, (at, body)) in read.into_iter().enumerate() {
            assert_eq!(at, sequence(u64::try_from(place).unwrap() + 1));
            assert_eq!(log.body(&main, at).unwrap(), Some(body));
        }
        let rest = log.bodies(&main, Some(sequence(58)), usize::MAX).unwrap();
        assert_eq!(rest.iter().map(|(at, _)| at.get()).collect::<Vec<_>>(), [59, 60]);
    }
}
