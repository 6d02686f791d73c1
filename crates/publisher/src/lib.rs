//! Log to NATS JetStream: every change of every account, in order, exactly once.
//!
//! The parts, in the order of the data's path: what the log's records mean to subscribers
//! ([`convert`], `project`), how far they were folded (`fold`, `checkpoint`) and published
//! (`position`), how a broker is reached ([`access`]), what it is ([`broker`]) and the one that is
//! used (`nats`), one [`turn`] of publishing, the task that takes them ([`run`]) and how it stands
//! ([`standing`]); what can be seen of a broker without publishing ([`seen`], [`follow`]), and the
//! way out when stream and log disagree ([`mend`]). Signed checkpoints go their own way ([`courier`]).
//!
//! # Exactly once
//! The stream itself says what was published: the last message of each ledger names its record and
//! account. Every batch is atomic and names the stream's last sequence that it expects, so that a
//! batch which was stored though its acknowledgement was lost, or another publisher, is refused by
//! the broker; then the position is read again. Nothing depends on the broker's dedupe window.
//!
//! Never here: a decision, a clock, a guess. A stream that has less than the publisher's checkpoint
//! knows of, or more than the log has, stops publishing. `async_nats` is named in `nats` only.

mod position;

pub mod convert;
mod project;

mod checkpoint;
mod fold;

pub mod access;
pub mod broker;
mod nats;

pub mod courier;
pub mod run;
pub mod standing;
pub mod turn;

pub mod follow;
pub mod mend;
pub mod seen;

#[cfg(test)]
mod fixture;
