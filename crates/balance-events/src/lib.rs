//! The published form of a balance change: what a subscriber depends on.
//!
//! A message is a CloudEvents 1.0 envelope ([`Envelope`]) around a [`BalanceChange`]: the account's
//! view after one record, with what that record moved and why. [`subject`] says where it is sent
//! and [`MessageId`] what it is known by. [`AccountView`] is also what the HTTP API answers.
//!
//! Never here: the domain's types, a rule, a clock, I/O. Amounts are decimal text, never numbers.

pub mod account_view;
pub mod envelope;
pub mod subject;
