//! The server: configuration, the writer's thread, the listeners.
//!
//! In the order of the data's path: [`config`] says what there is, [`run`] opens and closes it all,
//! `listen` accepts connections, `public` takes webhooks, `writer` has them decided and stored,
//! `private` shows what came of them. `settle` brings configuration and log together at the start,
//! `upkeep` stores the projections now and then, `room` keeps room on the
//! disk, `expiry` ends holds whose time is over.
//!
//! The time is read in [`clock`] only, the environment in [`config`] only.
//! Never here: a rule about credits; a body in a log line; an answer before its record is durable.

pub mod activate;
pub mod checkpoints;
pub mod checkup;
pub mod clock;
pub mod config;
pub mod erase;
mod limits;
pub mod offline;
pub mod run;

#[cfg(feature = "in-memory")]
pub mod in_memory;

mod canonical;
mod expiry;
mod listen;
mod metrics;
mod path;
mod private;
mod problem;
mod public;
mod room;
mod settle;
mod upkeep;
mod writer;

#[cfg(test)]
mod tests;
