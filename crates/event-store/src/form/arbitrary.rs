//! Any value of every type that has a stored form, one file for each of the form's; and
//! the fixed records of the golden files.

pub(crate) mod case;
pub(crate) mod decision;
pub(crate) mod entity;
pub(crate) mod exception;
pub(crate) mod fixed;
pub(crate) mod input;
pub(crate) mod order;
pub(crate) mod payment;
pub(crate) mod policy;
pub(crate) mod refunds;
pub(crate) mod usage;
pub(crate) mod values;

use domain::record::Record;
use proptest::prelude::*;

/// Any record.
pub(crate) fn record() -> BoxedStrategy<Record> {
    let parts = (values::sequence(), values::moment(), input::input(), decision::decision());
    parts
        .prop_map(|(sequence, recorded_at, input, decision)| Record {
            sequence,
            recorded_at,
            input,
            decision,
        })
        .boxed()
}
