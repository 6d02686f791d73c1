//! Policy files: TOML to the domain's policy, with every fault named by line and remedy.
//!
//! [`document`] turns text into a tree that knows its lines, [`reader`] takes typed keys from it
//! and collects what is wrong ([`faults`]), [`parse`] says which keys a policy has.
//! The first three know nothing of policies and serve the server's configuration as well.
//!
//! Never here: files, the environment, a clock. Callers bring the text.

mod conversion;
pub mod document;
pub mod faults;
mod near;
mod policy;
pub mod reader;

pub use policy::parse;
