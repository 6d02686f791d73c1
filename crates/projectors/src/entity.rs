//! What is kept under a key.

use domain::{
    account::Account, exception::Exception, holding::Holding, payment::Payment, state::Book,
};
use event_store::form::{
    FormFault,
    entity::{
        decode_account, decode_book, decode_exception, decode_holding, decode_payment,
        encode_account, encode_book, encode_exception, encode_holding, encode_payment,
    },
};

use crate::keys::Part;

/// One part of a ledger's state.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Entity {
    Book(Book),
    Account(Account),
    Payment(Payment),
    Holding(Holding),
    Exception(Exception),
}

impl Entity {
    pub(crate) fn encode(&self) -> Vec<u8> {
        match self {
            Self::Book(book) => encode_book(book),
            Self::Account(account) => encode_account(account),
            Self::Payment(payment) => encode_payment(payment),
            Self::Holding(holding) => encode_holding(holding),
            Self::Exception(exception) => encode_exception(exception),
        }
    }

    pub(crate) fn decode(part: Part, bytes: &[u8]) -> Result<Self, FormFault> {
        match part {
            Part::Book => decode_book(bytes).map(Self::Book),
            Part::Account => decode_account(bytes).map(Self::Account),
            Part::Payment => decode_payment(bytes).map(Self::Payment),
            Part::Holding => decode_holding(bytes).map(Self::Holding),
            Part::Exception => decode_exception(bytes).map(Self::Exception),
        }
    }
}
