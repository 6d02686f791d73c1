//! What is promised to subscribers: `docs/balance-events` is what the types make, and the types
//! keep what `published/v1.schema.json` says.
//!
//! With `TALLYHOOK_BLESS=1` the documents are written instead of compared. The promise never is:
//! a member that was added becomes part of it by hand, with the release that publishes it.

mod promise;

#[cfg(test)]
mod asyncapi;
#[cfg(test)]
mod breaks;
#[cfg(test)]
mod documents;
#[cfg(test)]
mod messages;
