//! Whether a log is what it says it is, why a number is what it is, and whether all adds up:
//! trusting nobody.
//!
//! A [`cut::Cut`] says which records count, a [`mod@pass`] reads them with the root of their tree.
//! [`verify`] checks the stored values, the fold, the signatures and every decision again; [`replay`]
//! rebuilds the projections elsewhere and holds the stored ones against them. [`as_of`],
//! [`statement`] and [`explain`] answer for one account, [`reports`] and [`export`] for a ledger,
//! [`reconcile`] against the provider's lists, [`what_if`] under another policy; [`sample`] and
//! [`evidence`] show records with proofs against a [`mod@checkpoint`].
//!
//! Never here: a change to the log or to the stored projections.

pub mod checkpoint;
pub mod cut;
pub mod kept;
pub mod leaf;
pub mod pass;
pub mod sums;

pub mod conversion;
pub mod names;

pub mod as_of;
pub mod explain;
pub mod statement;

pub mod export;
pub mod reports;

pub mod findings;
pub mod reconcile;
pub mod replay;
pub mod verify;
pub mod what_if;

pub mod about;
pub mod evidence;
pub mod proved;
pub mod sample;

mod compare;
mod history;
mod lots;
