//! The forms of the state that views keep. Each starts with its own version; a view in a version
//! that is not known is deleted and rebuilt from the log.
//!
//! ```text
//! view       version 1 | books | freezes: (freeze id | freeze) .. | closed? 1 | version v
//!            | sequence? v
//! books      paid z | gift z | held z | owed z | written_off z
//! account    version 1 | view (without its version) | lots: books
//!            | free_paid: aged .. | free_gift: aged .. | lacking: aged ..
//!            | chargebacks: (payment key | first 8) ..
//! aged       since 8 | holding
//! payment    version 1 | account? text | customer? text | currency? 3 | paid? | unpaid_at? 8
//!            | adjustments: (id text | adjustment) .. | accounts_differ 1 | currencies_differ 1
//!            | received z | reversed z | exceptions: (kind 1 | exception id) ..
//! paid       earliest_at 8 | latest_at 8 | completed 1 | basket
//! holding    version 1 | terms | paid: lot | gift: lot | refunded: pair | charged_back: pair
//!            | awaited: pair | settlements: (giver | amount z) .. | freezes v
//! lot        granted z | received z | drawn z | reserved z | given z
//! book       version 1 | timeline: policy .. | policy_file? 32 | settings? | sequence? v
//!            | recorded_at? 8 | house: (house 1 | billionths z) .. | customers z
//!            | money: (book 1 | currency 3 | minor z) ..
//! exception  version 1 | exception
//! ```

use std::sync::Arc;

use domain::{
    account::{Account, Aged, Books, View},
    exception::Exception,
    holding::{Holding, Lot, Settlement},
    payment::{Paid, Payment},
    policy::{Policy, Timeline},
    state::Book,
};

use super::{Form, FormFault, Reader, Writer, decode, encode, table::fields};

/// The version of [`View`] that is written.
const VIEW_VERSION: u8 = 1;

/// The version of [`Account`] that is written.
const ACCOUNT_VERSION: u8 = 1;

/// The version of [`Payment`] that is written.
const PAYMENT_VERSION: u8 = 1;

/// The version of [`Holding`] that is written.
const HOLDING_VERSION: u8 = 1;

/// The version of [`Book`] that is written.
const BOOK_VERSION: u8 = 1;

/// The version of [`Exception`] that is written.
const EXCEPTION_VERSION: u8 = 1;

/// The bytes of a view.
#[must_use]
pub fn encode_view(view: &View) -> Vec<u8> {
    encode(VIEW_VERSION, view)
}

/// Reads a view back.
///
/// # Errors
/// See [`FormFault`].
pub fn decode_view(bytes: &[u8]) -> Result<View, FormFault> {
    decode(VIEW_VERSION, bytes)
}

/// The bytes of an account.
#[must_use]
pub fn encode_account(account: &Account) -> Vec<u8> {
    encode(ACCOUNT_VERSION, account)
}

/// Reads an account back.
///
/// # Errors
/// See [`FormFault`].
pub fn decode_account(bytes: &[u8]) -> Result<Account, FormFault> {
    decode(ACCOUNT_VERSION, bytes)
}

/// The bytes of a payment.
#[must_use]
pub fn encode_payment(payment: &Payment) -> Vec<u8> {
    encode(PAYMENT_VERSION, payment)
}

/// Reads a payment back.
///
/// # Errors
/// See [`FormFault`].
pub fn decode_payment(bytes: &[u8]) -> Result<Payment, FormFault> {
    decode(PAYMENT_VERSION, bytes)
}

/// The bytes of a holding.
#[must_use]
pub fn encode_holding(holding: &Holding) -> Vec<u8> {
    encode(HOLDING_VERSION, holding)
}

/// Reads a holding back.
///
/// # Errors
/// See [`FormFault`].
pub fn decode_holding(bytes: &[u8]) -> Result<Holding, FormFault> {
    decode(HOLDING_VERSION, bytes)
}

/// The bytes of a ledger's book.
#[must_use]
pub fn encode_book(book: &Book) -> Vec<u8> {
    encode(BOOK_VERSION, book)
}

/// Reads a ledger's book back.
///
/// # Errors
/// See [`FormFault`].
pub fn decode_book(bytes: &[u8]) -> Result<Book, FormFault> {
    decode(BOOK_VERSION, bytes)
}

/// The bytes of an exception.
#[must_use]
pub fn encode_exception(exception: &Exception) -> Vec<u8> {
    encode(EXCEPTION_VERSION, exception)
}

/// Reads an exception back.
///
/// # Errors
/// See [`FormFault`].
pub fn decode_exception(bytes: &[u8]) -> Result<Exception, FormFault> {
    decode(EXCEPTION_VERSION, bytes)
}

fields!(View { books, freezes, closed, version, sequence });

fields!(Books { paid, gift, held, owed, written_off });

fields!(Account { view, lots, free_paid, free_gift, lacking, chargebacks });

fields!(Aged { since, holding });

fields!(Payment {
    account,
    customer,
    currency,
    paid,
    unpaid_at,
    adjustments,
    accounts_differ,
    currencies_differ,
    received,
    reversed,
    exceptions,
});

fields!(Paid { earliest_at, latest_at, completed, basket });

fields!(Holding { terms, paid, gift, refunded, charged_back, awaited, settlements, freezes });

fields!(Lot { granted, received, drawn, reserved, given });

fields!(Settlement { giver, amount });

fields!(Book { timeline, policy_file, settings, sequence, recorded_at, house, customers, money });

impl Form for Timeline {
    fn put(&self, to: &mut Writer) {
        let versions = self.versions();
        to.count(versions.len());
        versions.iter().for_each(|version| version.put(to));
    }

    fn take(from: &mut Reader<'_>) -> Result<Self, FormFault> {
        Vec::<Arc<Policy>>::take(from).map(Self::restore)
    }
}
