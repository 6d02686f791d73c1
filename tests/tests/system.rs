//! The real binary as a process: webhooks over HTTP in, answers, views and NATS messages out.
//!
//! [`vectors`] and [`contract`] are about the public listener, [`payloads`] and [`story`] follow
//! whole payloads to the end of the pipe, [`private`] is the API, [`operators`] the commands that
//! work on it, [`bad_input`] all that is refused, [`exceptions`] what a person must see,
//! [`publishing`] the stream, [`republish`] its mending, [`subscribing`] and [`tail`] what is known at
//! its other end, [`kill`] and [`config`]
//! what happens when the process ends or does not start, [`backup`] what is copied and restored,
//! [`erase`] what is taken out, [`checkpoints`] what outsiders can check, [`doctor`] what is said of
//! the machine, and [`asking`] why something is as it is, or was.

#[cfg(test)]
#[path = "system/asking.rs"]
mod asking;
#[cfg(test)]
#[path = "system/backup.rs"]
mod backup;
#[cfg(test)]
#[path = "system/bad_input.rs"]
mod bad_input;
#[cfg(test)]
#[path = "system/checkpoints.rs"]
mod checkpoints;
#[cfg(test)]
#[path = "system/config.rs"]
mod config;
#[cfg(test)]
#[path = "system/contract.rs"]
mod contract;
#[cfg(test)]
#[path = "system/doctor.rs"]
mod doctor;
#[cfg(test)]
#[path = "system/erase.rs"]
mod erase;
#[cfg(test)]
#[path = "system/exceptions.rs"]
mod exceptions;
#[cfg(test)]
#[path = "system/kill.rs"]
mod kill;
#[cfg(test)]
#[path = "system/operators.rs"]
mod operators;
#[cfg(test)]
#[path = "system/payloads.rs"]
mod payloads;
#[cfg(test)]
#[path = "system/private.rs"]
mod private;
#[cfg(test)]
#[path = "system/publishing.rs"]
mod publishing;
#[cfg(test)]
#[path = "system/republish.rs"]
mod republish;
#[cfg(test)]
#[path = "system/story.rs"]
mod story;
#[cfg(test)]
#[path = "system/subscribing.rs"]
mod subscribing;
#[cfg(test)]
#[path = "system/tail.rs"]
mod tail;
#[cfg(test)]
#[path = "system/vectors.rs"]
mod vectors;
