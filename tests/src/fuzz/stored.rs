//! The stored form of records and of views: what is read is written to the same bytes, and a record
//! that can be read can be tried on a ledger without harm.
//!
//! An input is a letter for the kind, then the form.

use std::fmt::Debug;

use domain::{account::Account, apply::fold_view, entities::Entity, ids::Sequence, record::Record};
use event_store::form::{
    FormFault,
    entity::{self, Kind},
    record,
};

use super::ledger::Ledger;

/// Each kind of entity with its letter.
const KINDS: [(u8, Kind); 9] = [
    (b'a', Kind::Account),
    (b'p', Kind::Payment),
    (b'l', Kind::Holding),
    (b'h', Kind::Hold),
    (b'd', Kind::Debit),
    (b'c', Kind::Case),
    (b'u', Kind::Customer),
    (b'x', Kind::Exception),
    (b'e', Kind::Release),
];

/// Checks one input.
///
/// # Panics
/// A form is read that is not the one form of its value.
pub fn check(input: &[u8]) {
    let Some((letter, bytes)) = input.split_first() else { return };
    match letter {
        b'r' => {
            if let Some(read) = canonical(bytes, record::decode, record::encode) {
                tried(read);
            }
        }
        b'v' => {
            if let Some(view) = canonical(bytes, entity::decode_view, entity::encode_view) {
                // What is shown of it is a sum, which may be out of range but never panics.
                let _ = (view.books.available(), view.status(), view.can_spend(), view.checkout());
            }
        }
        b'b' => {
            canonical(bytes, entity::decode_book, entity::encode_book);
        }
        letter => {
            let Some((_, kind)) = KINDS.iter().find(|(known, _)| known == letter) else { return };
            let read = |bytes: &[u8]| entity::decode(*kind, bytes);
            if let Some(Entity::Account(account)) = canonical(bytes, read, entity::encode) {
                let _ = account.books();
            }
        }
    }
}

/// Reads and writes; gives what was read.
fn canonical<T: Debug>(
    bytes: &[u8],
    read: impl Fn(&[u8]) -> Result<T, FormFault>,
    write: impl Fn(&T) -> Vec<u8>,
) -> Option<T> {
    match read(bytes) {
        Ok(value) => {
            assert_eq!(write(&value), bytes, "not the one form of {value:?}");
            Some(value)
        }
        Err(fault) => {
            let offset = offset(&fault);
            assert!(offset <= bytes.len(), "{fault}, beyond the end at {}", bytes.len());
            None
        }
    }
}

fn offset(fault: &FormFault) -> usize {
    match fault {
        FormFault::VersionUnknown { .. } => 0,
        FormFault::EndedEarly { offset }
        | FormFault::TagUnknown { offset, .. }
        | FormFault::NotCanonical { offset, .. }
        | FormFault::OutOfRange { offset, .. } => *offset,
        FormFault::Trailing { offset, count } => offset.saturating_add(*count),
    }
}

/// Folds a record into an empty ledger, where it follows nothing: it is taken or contradicts.
fn tried(record: Record) {
    let record = Record { sequence: Sequence::FIRST, ..record };
    let accounts = record.decision.accounts();
    assert!(
        accounts.iter().all(|account| record.decision.touches(account)),
        "accounts are touched"
    );
    let mut ledger = Ledger::empty();
    let taken = ledger.apply(&record);
    for account in accounts {
        let mut view = Account::opened().view;
        let folded = fold_view(&mut view, &account, &record);
        if taken.is_ok() {
            assert_eq!(folded, Ok(true), "what the ledger took changes {account}");
            assert_eq!(ledger.view(&account), Some(&view), "the view of {account}");
        }
    }
    ledger.balanced();
}
