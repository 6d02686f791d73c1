//! Policy files: TOML to the domain's policy, with every fault named by line and remedy.
//!
//! [`document`] turns text into a tree that knows its lines, [`reader`] takes typed keys from it
//! and collects what is wrong ([`faults`]), [`parse`] says which keys a policy has.
//! The first three know nothing of policies and serve the server's configuration as well.
//! [`show`] and [`diff`] say in words what a policy means and what changes from one to another.
//!
//! Never here: files, the environment, a clock. Callers bring the text.

mod calendar;
mod conversion;
pub mod document;
pub mod faults;
mod measures;
mod moment;
mod money;
mod names;
mod near;
mod policy;
mod quote;
pub mod reader;
mod refunds;
mod spending;
mod words;

pub use policy::parse;
pub use words::{Difference, Section, diff, show};
