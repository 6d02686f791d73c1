//! Proofs and bundles from end to end.

mod bundles;
mod proofs;
