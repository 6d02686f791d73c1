//! Under which key each part of a ledger's state is kept.
//!
//! ```text
//! 's' | length of the ledger's name (1 byte) | name | part (1 byte) | id
//! ```
//! The id of an account is its bytes, so accounts are listed in the order of their names; that of
//! an exception is its record's sequence (8 bytes, big-endian) and its kind (1 byte). Open and
//! ended exceptions are different parts, so that listing the open ones never meets ended ones.
//! Texts inside an id end with a zero byte.

use domain::{
    entities::Key,
    exception::{ExceptionId, Filed},
    holding::HoldingId,
    ids::{AccountId, LedgerId, PaymentKey},
};
use event_store::form::entity::Kind;

/// The parts of a ledger's state.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Part {
    Book,
    Account,
    Payment,
    Holding,
    Hold,
    Debit,
    Case,
    Customer,
    OpenException,
    EndedException,
    Release,
}

impl Part {
    const fn tag(self) -> u8 {
        match self {
            Self::Book => b'b',
            Self::Account => b'a',
            Self::Payment => b'p',
            Self::Holding => b'h',
            Self::Hold => b'r',
            Self::Debit => b'd',
            Self::Case => b'c',
            Self::Customer => b'u',
            Self::OpenException => b'x',
            Self::EndedException => b'y',
            Self::Release => b'q',
        }
    }

    /// The kind of the entities that it has; none for the book.
    pub(crate) const fn kind(self) -> Option<Kind> {
        match self {
            Self::Book => None,
            Self::Account => Some(Kind::Account),
            Self::Payment => Some(Kind::Payment),
            Self::Holding => Some(Kind::Holding),
            Self::Hold => Some(Kind::Hold),
            Self::Debit => Some(Kind::Debit),
            Self::Case => Some(Kind::Case),
            Self::Customer => Some(Kind::Customer),
            Self::OpenException | Self::EndedException => Some(Kind::Exception),
            Self::Release => Some(Kind::Release),
        }
    }

    /// The part that an exception is kept in.
    pub(crate) const fn of_exception(filed: &Filed) -> Self {
        match filed.ended {
            None => Self::OpenException,
            Some(_) => Self::EndedException,
        }
    }
}

/// What all keys of all ledgers start with.
pub(crate) const ANY_LEDGER: &[u8] = b"s";

/// The ledger of a key; none where no key is like it.
pub(crate) fn ledger_of(key: &[u8]) -> Option<LedgerId> {
    let (length, rest) = key.strip_prefix(ANY_LEDGER)?.split_first()?;
    let (name, _) = rest.split_at_checked(usize::from(*length))?;
    LedgerId::new(std::str::from_utf8(name).ok()?).ok()
}

/// What comes after all keys of a ledger and before those of the next: parts are plain letters.
pub(crate) fn after_ledger(ledger: &LedgerId) -> Vec<u8> {
    let mut key = ledger_prefix(ledger);
    key.push(u8::MAX);
    key
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

/// The part and the key of an entity, an exception's as if it were open; `None` for what the log
/// itself knows.
pub(crate) fn of(ledger: &LedgerId, key: &Key) -> Option<(Part, Vec<u8>)> {
    let part = match key {
        Key::Account(_) => Part::Account,
        Key::Payment(_) => Part::Payment,
        Key::Holding(_) => Part::Holding,
        Key::Hold(_) => Part::Hold,
        Key::Debit(_) => Part::Debit,
        Key::Case(_) => Part::Case,
        Key::Customer(_) => Part::Customer,
        Key::Exception(_) => Part::OpenException,
        Key::Release(_) => Part::Release,
        Key::Event(_) | Key::Conflict(..) | Key::Command(_) => return None,
    };
    let mut at = prefix(ledger, part);
    push_id(&mut at, key);
    Some((part, at))
}

pub(crate) fn exception(ledger: &LedgerId, part: Part, id: ExceptionId) -> Vec<u8> {
    let mut at = prefix(ledger, part);
    push_id(&mut at, &Key::Exception(id));
    at
}

pub(crate) fn account(ledger: &LedgerId, id: &AccountId) -> Vec<u8> {
    let mut at = prefix(ledger, Part::Account);
    push_account(&mut at, id);
    at
}

fn push_id(at: &mut Vec<u8>, key: &Key) {
    match key {
        Key::Account(id) => push_account(at, id),
        Key::Payment(payment) => push_payment(at, payment),
        Key::Holding(HoldingId::Payment(payment)) => {
            at.push(b'p');
            push_payment(at, payment);
        }
        Key::Holding(HoldingId::Grant(id)) => {
            at.push(b'g');
            at.extend(id.0.as_bytes());
        }
        Key::Holding(HoldingId::Overdraft(account)) => {
            at.push(b'o');
            push_account(at, account);
        }
        Key::Hold(id) | Key::Debit(id) | Key::Case(id) => at.extend(id.0.as_bytes()),
        Key::Customer(customer) => {
            push_pair(at, customer.origin.as_str(), customer.id.as_str());
        }
        Key::Exception(id) => {
            at.extend(id.sequence.get().to_be_bytes());
            at.push(id.kind.tag());
        }
        Key::Release(record) => at.extend(record.get().to_be_bytes()),
        Key::Event(_) | Key::Conflict(..) | Key::Command(_) => {}
    }
}

fn push_account(at: &mut Vec<u8>, account: &AccountId) {
    at.extend(account.as_str().as_bytes());
}

fn push_payment(at: &mut Vec<u8>, payment: &PaymentKey) {
    push_pair(at, payment.origin.as_str(), payment.id.as_str());
}

fn push_pair(at: &mut Vec<u8>, origin: &str, id: &str) {
    at.extend(origin.as_bytes());
    at.push(0);
    at.extend(id.as_bytes());
}
