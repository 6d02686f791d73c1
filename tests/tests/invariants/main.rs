//! Invariants 3 to 6 of the design's section 8 over generated histories, and of invariant 7 what
//! `domain` alone can break.
//!
//! Every history runs in many orders of its deliveries, with repeated deliveries, its commands kept
//! in their slots; after every record all invariants are checked against a ledger that starts again
//! from the set of all facts ([`tallyhook_tests::naive`]).
//!
//! A short run is part of `cargo test`. A long one, here with all 5,040 orders of seven deliveries:
//!
//! ```sh
//! TALLYHOOK_HISTORIES=20000 TALLYHOOK_ORDERS=all \
//!     cargo test --release -p tallyhook-tests --test invariants -- --nocapture
//! ```
//!
//! `TALLYHOOK_SEED` (default 0) is the first history's seed: with `TALLYHOOK_HISTORIES=1` it runs
//! one history again.

#[cfg(test)]
mod check;
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
