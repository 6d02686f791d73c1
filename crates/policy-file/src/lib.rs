//! Policy files: TOML to the domain's policy, with every fault named by line and remedy.
//!
//! [`document`] turns text into a tree that knows its lines, [`reader`] takes typed keys from it
//! and collects what is wrong ([`faults`]), [`policy`] says which keys a policy has.
//! The first three know nothing of policies and serve the server's configuration as well.
//!
//! Never here: files, the environment, a clock. Callers bring the text.

pub mod document;
pub mod faults;
mod near;
pub mod policy;
pub mod reader;

pub use faults::Faults;
pub use policy::parse;
