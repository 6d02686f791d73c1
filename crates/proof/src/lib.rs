//! What an outsider can check without the log and without the program that wrote it.
//!
//! Every record is a leaf ([`leaf`]) of a Merkle tree ([`merkle`]) over its ledger, in the order of
//! sequences: the root of the tree over the first *n* records stands for all of them. [`tree`] makes
//! proofs from the hashes that [`tile`] keeps, [`check`] checks them. A [`checkpoint`] is a size and
//! a root in a signed [`note`]. [`bundle`] is what travels, [`verdict`] what it proves; a
//! [`statement`] is added up by exact [`amount`]s.
//!
//! Never here: a dependency on the other crates, a clock, I/O.

pub mod amount;
pub mod bundle;
pub mod check;
pub mod checkpoint;
pub mod leaf;
pub mod merkle;
pub mod note;
pub mod statement;
pub mod tile;
pub mod tree;
pub mod verdict;

#[cfg(test)]
mod tests;
