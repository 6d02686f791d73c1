//! The log against a provider's own lists: what is missing here, what is missing there, what differs.
//!
//! [`list`] reads the provider's pages, `here` gathers what the log says of the same, [`compare`]
//! holds the two against each other and says what could be brought in, [`findings`] is the answer;
//! [`source`] tells which deliveries of the log are meant. Its tests lie in `tests/tests/audit`.
//!
//! A list speaks for what lies between its first and its last entry, and for no more. Never here: a
//! change to the log, a request to the provider.

pub mod compare;
pub mod findings;
pub mod list;
pub mod source;

mod entities;
mod here;
