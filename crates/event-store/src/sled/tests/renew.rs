//! Opening the log's database again while the store stays open.

use super::{ledger, open, purchases, sequence};
use crate::{log::AppendError, verify::verify};

#[test]
fn readers_and_the_writer_go_on_while_the_database_is_opened_again() {
    let dir = tempfile::tempdir().unwrap();
    let main = ledger("main");
    let store = open(dir.path());
    let log = store.log();
    std::thread::scope(|scope| {
        let writer = scope.spawn(|| {
            for first in (1..=150).step_by(3) {
                log.append(&purchases(&main, first, first + 2)).unwrap();
            }
        });
        let reader = scope.spawn(|| {
            while log.head(&main).is_none_or(|head| head.sequence < sequence(150)) {
                let records = log.scan(&main, None, usize::MAX).unwrap();
                for (number, recorded) in (1..).zip(&records) {
                    assert_eq!(recorded.record().sequence, sequence(number));
                }
            }
        });
        let mut renewed = 0;
        while !writer.is_finished() {
            store.raw().values().database().renew().unwrap();
            renewed += 1;
        }
        assert!(renewed > 1, "it was renewed {renewed} times");
        reader.join().unwrap();
    });
    assert_eq!(log.scan(&main, None, usize::MAX).unwrap().len(), 150);
    assert_eq!(verify(&store, &main, &mut |_| ()).unwrap(), []);
}

#[test]
fn a_database_that_can_not_be_opened_again_takes_and_answers_nothing() {
    let dir = tempfile::tempdir().unwrap();
    let main = ledger("main");
    let store = open(dir.path());
    let log = store.log();
    log.append(&purchases(&main, 1, 3)).unwrap();
    std::fs::write(dir.path().join("log/blobs/1"), b"not ours").unwrap();
    store.raw().values().database().renew().unwrap_err();
    log.scan(&main, None, 9).unwrap_err();
    assert!(matches!(log.append(&purchases(&main, 4, 5)), Err(AppendError::Failed { .. })));
    assert!(log.latched().is_some());
    std::fs::remove_file(dir.path().join("log/blobs/1")).unwrap();
    drop((log, store));
    assert_eq!(open(dir.path()).log().head(&main).unwrap().sequence, sequence(3));
}

#[test]
fn nothing_is_due_after_a_few_records() {
    let dir = tempfile::tempdir().unwrap();
    let store = open(dir.path());
    store.log().append(&purchases(&ledger("main"), 1, 3)).unwrap();
    assert!(!store.renew_if_due().unwrap());
}
