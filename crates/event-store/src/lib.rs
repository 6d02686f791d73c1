//! The log: per ledger a gapless, hash-chained sequence of records with the bytes they came from.
//!
//! In the order of reading: what a log is ([`log`]) and what a store of derived views is
//! ([`views`]); the stored form of a record ([`form`]) and the hash chain over it ([`chain`]); the
//! two implementations, in memory ([`memory`]) and on disk (the log in [`mod@sled`],
//! the views in `redb_views`), with the file that tells a lost tail ([`high_water`]), the one that
//! keeps older programs away ([`marker`]) and the room on the disk ([`space`]); the check of a whole
//! log ([`verify`]), copies of it ([`backup`]) and what is no longer in it ([`erasure`]).
//!
//! Below them, without storage: how records and bodies are packed (`pack` makes a group's `block`s
//! into `frame`s under `key`s), and how records are found again (`index`).
//!
//! Never here: a decision, a clock, a record changed or removed. `sled` is named in the module
//! [`mod@sled`] only, redb in `redb_views` only.

pub mod log;
pub mod search;
pub mod views;

pub mod form;

pub mod chain;

pub mod memory;

pub mod high_water;
pub mod marker;
mod redb_views;
pub mod sled;
pub mod space;

pub mod verify;

pub mod backup;

pub mod erasure;

#[cfg(feature = "tamper")]
pub mod any_bytes;
mod block;
mod bytes;
mod frame;
mod index;
mod key;
mod pack;
mod panics;
mod walk;

#[cfg(test)]
mod document;
#[cfg(test)]
#[path = "../tests/samples/mod.rs"]
mod samples;
