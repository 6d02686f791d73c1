//! The state of every ledger, folded from the log and readable at any time.
//!
//! [`keys`] says under which key each part of the state is kept, [`entity`] what is kept there,
//! [`projections`] holds what changed since the last checkpoint over what the store of views has,
//! [`read`] is what others see of it, [`checkpoint`] writes it to the store, [`fold`] brings it up
//! to the log's end, `fresh` knows what is stored of a ledger that is folded from its first record,
//! and `outdated` removes what an earlier program stored in another form.
//!
//! Never here: a decision, a clock, a thread that outlives the call that began it. Everything may be
//! deleted and is folded again.

pub mod checkpoint;
pub mod fold;
pub mod projections;
pub mod read;

mod entity;
mod fresh;
mod keys;
mod outdated;
