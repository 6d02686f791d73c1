//! Invariants 1 to 7 of the design's section 8 over generated inputs.
//!
//! - `courses`: all that can come to a ledger, in one order: every command, several accounts and
//!   payments, versions of the policy, deliveries late, again, contradicting, stale, simulated or
//!   unreadable. What becomes of each input is said before it is decided, and after every record
//!   everything is compared with a ledger that starts again from the set of all facts
//!   ([`tallyhook_tests::naive`]). A run of 10,000 or more fails where an order, an effect, an
//!   exception or a verdict never occurred.
//! - `crashes`: the same over the engine and a log that fails: what was answered is there
//!   afterwards, counts once, and folds to the same bytes.
//! - `properties`: the deliveries of one account in many orders and repeated, with commands between
//!   them: the same commands accepted end alike.
//! - `undo`: a reversal and its undo leave every lot as it was.
//!
//! A short run is part of `cargo test`. The long ones, in `properties` with all 5,040 orders of
//! seven deliveries:
//!
//! ```sh
//! TALLYHOOK_HISTORIES=1000000 \
//!     cargo test --release -p tallyhook-tests --test invariants -- --nocapture after_
//! TALLYHOOK_HISTORIES=20000 TALLYHOOK_ORDERS=all \
//!     cargo test --release -p tallyhook-tests --test invariants -- --nocapture every_ a_reversal
//! ```
//!
//! `TALLYHOOK_SEED` (default 0) is the first history's seed: with `TALLYHOOK_HISTORIES=1` it runs
//! one history again.

#[cfg(test)]
mod check;
#[cfg(test)]
mod courses;
#[cfg(test)]
mod coverage;
#[cfg(test)]
mod crashes;
#[cfg(test)]
mod ledger;
#[cfg(test)]
mod lots;
#[cfg(test)]
mod orders;
#[cfg(test)]
mod properties;
#[cfg(test)]
mod undo;
