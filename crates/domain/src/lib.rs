//! What payments mean for prepaid credits: the words, the rules, and nothing else.
//!
//! The order of the modules is the order of the data's path: the values ([`ids`], [`money`],
//! [`credits`], [`time`]), what arrives ([`notice`], [`input`]), the rules ([`policy`],
//! [`refunds`], [`calendar`]), the state ([`payment`], [`holding`], [`account`], [`usage`],
//! [`case`], [`entities`], [`state`]), what is decided ([`decision`], [`refusal`], [`decide`]) and
//! how a recorded decision changes the state ([`apply`]).
//!
//! Never here: a clock, I/O, randomness, async, serde, storage, a float, a panic.

pub mod credits;
pub mod ids;
pub mod money;
pub mod time;

pub mod input;
pub mod notice;

pub mod calendar;
pub mod policy;
pub mod refunds;

pub mod account;
pub mod case;
pub mod entities;
pub mod exception;
pub mod holding;
pub mod payment;
pub mod state;
pub mod usage;

pub mod apply;
pub mod decide;
pub mod decision;
pub mod record;
pub mod refusal;

mod draft;
mod entitlement;
mod posting;
mod quote;
