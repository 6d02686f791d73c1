//! What an outsider can check without the log and without the program that wrote it.
//!
//! Every record is a leaf ([`leaf`]) of a Merkle tree ([`merkle`]) over its ledger, in the order of
//! sequences: the root of the tree over the first *n* records stands for all of them. [`tree`] makes
//! proofs from the hashes that [`tile`] keeps, [`check`] checks them. [`bundle`] is what travels.
//!
//! Never here: a dependency on the other crates, a clock, I/O.

pub mod bundle;
pub mod check;
pub mod checkpoint;
pub mod leaf;
pub mod merkle;
pub mod note;
pub mod tile;
pub mod tree;

#[cfg(test)]
mod tests;
