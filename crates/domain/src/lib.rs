//! What payments mean for prepaid credits: the words, the rules, and nothing else.
//!
//! The order of the modules is the order of the data's path: the values ([`ids`], [`money`],
//! [`credits`], [`time`]), what arrives ([`notice`], [`input`]), the rules ([`policy`]), the state
//! ([`payment`], [`holding`], [`account`], [`state`]), what is decided ([`decision`], [`decide`])
//! and how a recorded decision changes the state ([`apply`]).
//!
//! Never here: a clock, I/O, randomness, async, serde, storage, a float, a panic.

pub mod ids;
pub mod money;
pub mod credits;
pub mod time;

pub mod notice;
pub mod input;
pub mod policy;

pub mod payment;
pub mod holding;
pub mod account;
pub mod exception;
pub mod state;

pub mod decision;
pub mod record;


