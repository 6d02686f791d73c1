//! The published form of a balance change: what a subscriber depends on.
//!
//! A message is a CloudEvents 1.0 envelope ([`Envelope`]) around a [`BalanceChange`]: the account's
//! view after one record, with what that record moved and why. [`subject`] says where it is sent
//! and [`MessageId`] what it is known by. [`AccountView`] is also what the HTTP API answers.
//!
//! With the feature `schema`, the modules `schema` and `asyncapi` make the documents of
//! `docs/balance-events` from these types, and `example` has the messages that they show.
//!
//! Never here: the domain's types, a rule, a clock, I/O. Amounts are decimal text, never numbers.

pub mod account_view;
pub mod envelope;
pub mod subject;

#[cfg(feature = "schema")]
pub mod asyncapi;
#[cfg(feature = "schema")]
pub mod document;
#[cfg(feature = "schema")]
pub mod example;
#[cfg(feature = "schema")]
pub mod schema;
