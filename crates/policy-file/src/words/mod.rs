//! Policies in words that an operator understands: one policy ([`show`]) and what changes from one
//! to another ([`diff`]).
//!
//! Both come from one list of settings, taken from the policy without leaving out a field.

mod diff;
mod measures;
mod quote;
mod reason;
mod refunds;
mod setting;
mod show;
mod usage;

pub use diff::{Difference, diff};
pub use show::{Section, show};
