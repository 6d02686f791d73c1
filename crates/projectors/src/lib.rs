//! The state of every ledger, folded from the log and readable at any time.
//!
//! [`keys`] says under which key each part of the state is kept, [`entity`] what is kept there,
//! [`projections`] holds what changed since the last checkpoint over what the store of views has,
//! [`checkpoint`] writes it there, [`fold`] brings it up to the log's end.
//!
//! Never here: a decision, a clock, a thread. Everything may be deleted and is folded again.

pub mod checkpoint;
pub mod fold;
pub mod projections;

mod entity;
mod keys;
