//! Invariant 8 of the design's section 8: damage is found and named, or harms no record.
//!
//! - `values`: every changed, removed, inserted or swapped byte of a stored value, every removed,
//!   swapped, copied or stray value, and every cut tail is found by what `audit verify` runs, and
//!   named by sequence or block;
//! - `files`: every flipped byte of a store's files either harms no record or is reported: the
//!   store is refused with a text that says what to do, or `audit verify` finds it;
//! - `binary`: a share of these through the real binary, `audit verify` and `serve`.
//!
//! `cargo test` runs a share, spread over everything. All of them, in about half an hour:
//!
//! ```sh
//! TALLYHOOK_FLIPS=all cargo test -p tallyhook-tests --test damage -- --nocapture
//! ```

#[cfg(test)]
mod binary;
#[cfg(test)]
mod extent;
#[cfg(test)]
mod files;
#[cfg(test)]
mod sample;
#[cfg(test)]
mod snapshot;
#[cfg(test)]
mod values;
