//! What an auditor asks, held against computations that share no code with the answers.
//!
//! [`drawn`] puts random courses into a log, [`told`] short stories, [`made`] a merchant's ledger of
//! any size; [`as_of`] asks for balances of the past, [`explain`] why a balance is what it is,
//! [`named`] what an id names, [`exceptions`] for what a person must see, [`reports`] for what adds
//! up, [`exports`] for the same in the forms of other programs; [`insider`] edits records and makes
//! all hashes anew; the commands are asked as anybody asks them, and [`determinism`] a hundred
//! times.

#[cfg(test)]
mod as_of;
#[cfg(test)]
mod commands;
#[cfg(test)]
mod contested;
#[cfg(test)]
mod determinism;
#[cfg(test)]
mod differences;
#[cfg(test)]
mod drawn;
#[cfg(test)]
mod exceptions;
#[cfg(test)]
mod explain;
#[cfg(test)]
mod exports;
#[cfg(test)]
mod inquiries;
#[cfg(test)]
mod insider;
#[cfg(test)]
mod made;
#[cfg(test)]
mod named;
#[cfg(test)]
mod reconcile;
#[cfg(test)]
mod reports;
#[cfg(test)]
mod shown;
#[cfg(test)]
mod stage;
#[cfg(test)]
mod statement;
#[cfg(test)]
mod told;
#[cfg(test)]
mod what_if;
