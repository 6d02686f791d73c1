//! The form of usage: debits, holds, what callers say of them.
//!
//! ```text
//! debit     account text | amount z | drawn: part .. | standing 1 | returned? z
//! hold      account text | amount z | reserved: part .. | expires_at 8 | ended?
//! hold end  01 | debit 16 | amount z      02      03
//! part      lot | amount z
//! metadata  (name text | value text) .., at most 32
//! ```

use std::{collections::BTreeMap, sync::Arc};

use domain::{
    account::Status,
    ids::Text,
    usage::{Debit, Hold, HoldEnd, Metadata, Part},
};

use super::{
    Form, FormFault, Reader, Writer,
    table::{fields, variants},
};

fields!(Debit { account, amount, drawn, standing, returned });

fields!(Hold { account, amount, reserved, expires_at, ended });

variants!(HoldEnd, "end of a hold" {
    1 => Captured { debit, amount },
    2 => Released,
    3 => Expired,
});

fields!(Part { lot, amount });

variants!(Status, "status of an account" {
    1 => Active,
    2 => Frozen,
    3 => Closed,
});

impl Form for Metadata {
    fn put(&self, to: &mut Writer) {
        self.entries().put(to);
    }

    fn take(from: &mut Reader<'_>) -> Result<Self, FormFault> {
        let offset = from.offset();
        let entries = BTreeMap::<Text, Arc<str>>::take(from)?;
        Self::new(entries).ok_or(FormFault::OutOfRange { of: "metadata", offset })
    }
}
