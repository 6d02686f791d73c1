//! Any value of every type that has a stored form, one file for each of the form's; and two fixed
//! records.

pub(crate) mod decision;
pub(crate) mod entity;
pub(crate) mod fixed;
pub(crate) mod input;
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
