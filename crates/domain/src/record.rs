//! The unit of the log.

use crate::{decision::Decision, ids::Sequence, input::Input, time::Timestamp};

/// One input with what was decided from it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Record {
    /// Its place in the ledger's log.
    pub sequence: Sequence,
    /// When it was recorded: never before the record before it.
    pub recorded_at: Timestamp,
    /// What came in.
    pub input: Input,
    /// What was decided.
    pub decision: Decision,
}
