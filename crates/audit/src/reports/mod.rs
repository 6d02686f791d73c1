//! Reports: what a ledger's records add up to, as of a cut.
//!
//! A report is a [`layout::Document`], which knows nothing of where it is shown; [`layout`] renders
//! it as text, CSV, JSON or one HTML file. The same log and query give the same bytes everywhere.
//!
//! Never here: a clock, a locale, the environment, an order that could differ.

pub mod amount;
pub mod layout;
