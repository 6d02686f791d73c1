<<<<<<< HEAD
//! Audits of generated ledgers.

mod exceptions;
mod made;
=======
//! What an auditor asks, held against computations that share no code with the answers.
//!
//! [`drawn`] puts random courses into a log, [`as_of`] asks for balances of the past.

mod as_of;
mod drawn;
>>>>>>> 4e32db4 (audit: accounts as of any cut, on both axes of time)
