//! A debit that says what for.

use std::sync::Arc;

use domain::{
    account::Status,
    credits::Credits,
    decision::{CreditBook, Effect, House, Section, Transfer},
    ids::{OperationId, Text},
    input::{Order, Usage},
    record::Record,
    usage::{Debit, Metadata, Part},
};

use super::{account, commanded, customer, lot};

/// A debit of 1.5 credits of a frozen account, for usage that happened already.
pub(crate) fn metadata_record() -> Record {
    let amount = Credits::parse("1.5", 6).unwrap();
    let said = [("model", "\"large\""), ("tokens", "1234")];
    let said = said.map(|(name, value)| (Text::new(name).unwrap(), Arc::from(value)));
    let order = Order::Debit {
        account: account(),
        amount,
        usage: Usage::AlreadyHappened,
        metadata: Metadata::new(said.into()).unwrap(),
    };
    let usage = Box::new(Debit {
        account: account(),
        amount,
        drawn: vec![Part { lot: lot(), amount }],
        standing: Status::Frozen,
        returned: None,
    });
    let debit = OperationId(uuid::Uuid::from_bytes([0xcc; 16]));
    let effects = vec![Effect::Drawn { lot: lot(), amount }, Effect::Debited { debit, usage }];
    let mut record = commanded("req-8", 4244, order, effects);
    record.decision.transfers = vec![Transfer::Credits {
        debit: customer(Section::Paid),
        credit: CreditBook::House(House::Used),
        amount,
    }];
    record
}
