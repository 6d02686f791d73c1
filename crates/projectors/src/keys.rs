//! Under which key each part of a ledger's state is kept.
//!
//! ```text
//! 's' | length of the ledger's name (1 byte) | name | part (1 byte) | id
//! ```
//! The id of an account is its bytes, so accounts are listed in the order of their names; that of
//! an exception is its record's sequence (8 bytes, big-endian) and its kind (1 byte). Texts inside
//! an id end with a zero byte.

use domain::{
    exception::ExceptionId,
    holding::HoldingId,
    ids::{AccountId, LedgerId, PaymentKey},
    state::Key,
};

/// The parts of a ledger's state.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Part {
    Book,
    Account,
    Payment,
    Holding,
    Exception,
}

impl Part {
    const fn tag(self) -> u8 {
        match self {
            Self::Book => b'b',
            Self::Account => b'a',
            Self::Payment => b'p',
            Self::Holding => b'h',
            Self::Exception => b'x',
        }
    }
}

/// What all keys of a ledger start with.
pub(crate) fn ledger_prefix(ledger: &LedgerId) -> Vec<u8> {
    let name = ledger.as_str().as_bytes();
    // A ledger's name has at most 64 bytes.
    let length = u8::try_from(name.len()).unwrap_or(u8::MAX);
    let mut key = Vec::with_capacity(name.len().saturating_add(48));
    key.extend([b's', length]);
    key.extend(name);
    key
}

/// What all keys of one part of a ledger start with.
pub(crate) fn prefix(ledger: &LedgerId, part: Part) -> Vec<u8> {
    let mut key = ledger_prefix(ledger);
    key.push(part.tag());
    key
}

pub(crate) fn book(ledger: &LedgerId) -> Vec<u8> {
    prefix(ledger, Part::Book)
}

pub(crate) fn account(ledger: &LedgerId, id: &AccountId) -> Vec<u8> {
    let mut key = prefix(ledger, Part::Account);
    key.extend(id.as_str().as_bytes());
    key
}

pub(crate) fn payment(ledger: &LedgerId, payment: &PaymentKey) -> Vec<u8> {
    let mut key = prefix(ledger, Part::Payment);
    push_payment(&mut key, payment);
    key
}

pub(crate) fn holding(ledger: &LedgerId, id: &HoldingId) -> Vec<u8> {
    let mut key = prefix(ledger, Part::Holding);
    match id {
        HoldingId::Payment(payment) => {
            key.push(b'p');
            push_payment(&mut key, payment);
        }
        HoldingId::Grant(id) => {
            key.push(b'g');
            key.extend(id.0.as_bytes());
        }
        HoldingId::Overdraft(account) => {
            key.push(b'o');
            key.extend(account.as_str().as_bytes());
        }
    }
    key
}

pub(crate) fn exception(ledger: &LedgerId, id: ExceptionId) -> Vec<u8> {
    let mut key = prefix(ledger, Part::Exception);
    key.extend(id.sequence.get().to_be_bytes());
    key.push(id.kind.tag());
    key
}

/// The key of a part of the state that decisions load; `None` for what the log itself knows.
pub(crate) fn of(ledger: &LedgerId, key: &Key) -> Option<Vec<u8>> {
    match key {
        Key::Account(id) => Some(account(ledger, id)),
        Key::Payment(key) => Some(payment(ledger, key)),
        Key::Holding(id) => Some(holding(ledger, id)),
        Key::Event(_) | Key::Conflict(..) | Key::Command(_) => None,
    }
}

fn push_payment(key: &mut Vec<u8>, payment: &PaymentKey) {
    key.extend(payment.origin.as_str().as_bytes());
    key.push(0);
    key.extend(payment.id.as_str().as_bytes());
}
