//! What an auditor asks, held against computations that share no code with the answers.
//!
//! [`drawn`] puts random courses into a log, [`made`] a merchant's ledger of any size; [`as_of`] asks
//! for balances of the past, [`exceptions`] for what a person must see, [`reports`] for what adds
//! up.

mod as_of;
mod drawn;
mod exceptions;
mod made;
mod reports;
