//! Audits of generated ledgers.

mod exceptions;
mod made;
