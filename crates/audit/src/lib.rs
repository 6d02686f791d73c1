//! Checking a log from its first byte, trusting nobody.
//!
//! [`verify`] goes through three depths: the stored values (asked of the store itself), folding
//! (does every record follow, and does the result equal the stored projections byte for byte) and
//! deciding again (do the raw bytes, the policy of then and today's rules give the recorded
//! decision). [`replay`] rebuilds the projections elsewhere and says what they are.
//!
//! Never here: a change to the log or to the stored projections.

pub mod checkpoint;
pub mod cut;
pub mod kept;
pub mod leaf;
pub mod pass;
pub mod sums;

pub mod conversion;
pub mod names;

pub mod as_of;
pub mod explain;
pub mod statement;

pub mod export;
pub mod reports;

pub mod findings;
pub mod reconcile;
pub mod replay;
pub mod verify;
pub mod what_if;

pub mod about;
pub mod evidence;
pub mod proved;
pub mod sample;

mod compare;
mod history;
mod lots;
