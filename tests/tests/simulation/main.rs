//! The whole service in a simulated world, from one seed.
//!
//! A seed gives a [`plan::Plan`]: what the provider sends and the users ask for, when the program
//! decides, commits, stores and publishes, and what fails. A [`world::World`] takes it step by step:
//! the real ingestion, engine, domain, projectors and publisher over the in-memory log and views,
//! any call of which can be the one at which the power goes out or the disk refuses ([`power`]), and
//! over a broker in memory ([`broker`]). There is no thread, no real time and no other source of
//! chance, so that the same seed gives the same trace.
//!
//! After each step, [`oracle::Oracle`] computes anew from all facts what must be, with the naive
//! ledger that shares no rule with `domain`, and compares:
//!
//! | invariant (DESIGN.md section 8) | here |
//! | --- | --- |
//! | 1 acknowledged inputs are in the log | after every failure and start, all of them |
//! | 2 an event counts once | what is recorded of every attempt, and all balances |
//! | 3, 4, 5 balances | of every account, lot and book after every step, as the program shows them |
//! | 6 frozen and closed accounts | every answer is said beforehand |
//! | 7 folding and deciding again | now and then and at the end, byte for byte |
//! | 8 damage | elsewhere: `tests/damage` and `event-store` |
//! | 9 published versions | every message, and at each subscriber |
//! | 10 nothing private outside | in every message; elsewhere for logs and errors |
//! | 11 limits | the queue's and the batches'; elsewhere for memory |
//!
//! A run of 10,000 or more seeds fails where something in [`coverage`] never happened.
//!
//! ```sh
//! TALLYHOOK_SEEDS=100000 \
//!     cargo test --release -p tallyhook-tests --test simulation -- --nocapture
//! TALLYHOOK_SEED=7 cargo test -p tallyhook-tests --test simulation -- --nocapture
//! ```
//!
//! The second runs one seed again. A seed that fails is shortened: steps are left out as long as the
//! same thing breaks, and what is left is printed.

#[cfg(test)]
mod broker;
#[cfg(test)]
mod coverage;
#[cfg(test)]
mod found;
#[cfg(test)]
mod oracle;
#[cfg(test)]
mod plan;
#[cfg(test)]
mod power;
#[cfg(test)]
mod print;
#[cfg(test)]
mod provider;
#[cfg(test)]
mod seeds;
#[cfg(test)]
mod subscriber;
#[cfg(test)]
mod trace;
#[cfg(test)]
mod world;
