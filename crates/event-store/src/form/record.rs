//! The form of a record: what the log stores and what its hash chain covers.
//!
//! ```text
//! +---------+------------+----------------+---------+------------+
//! | version | sequence v | recorded_at 8  | input.. | decision.. |
//! |   01    |            |                |         |            |
//! +---------+------------+----------------+---------+------------+
//! ```

use domain::record::Record;

use super::{FormFault, table::fields};

/// The version that is written. Every version up to it is read.
const VERSION: u8 = 1;

fields!(Record { sequence, recorded_at, input, decision });

/// The bytes of a record, always the same for the same record.
#[must_use]
pub fn encode(record: &Record) -> Vec<u8> {
    super::encode(VERSION, record)
}

/// Reads a record back: `decode(&encode(record))` is the record, and what is accepted encodes to
/// the same bytes again.
///
/// # Errors
/// See [`FormFault`].
pub fn decode(bytes: &[u8]) -> Result<Record, FormFault> {
    super::decode(VERSION, bytes)
}
