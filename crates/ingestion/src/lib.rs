//! What arrives at a webhook endpoint, until it is a provider-neutral notice.
//!
//! The order of the modules is the order of the data's path: what is configured ([`secret`],
//! [`mod@pointer`], [`source`]), the check of the signature ([`verify`]), the reading of what was
//! signed ([`read`]) and, below both, one module for each provider ([`paddle`]).
//!
//! A body is parsed only after its signature held, and parsed once: the tree gives both the digest
//! of the content and the notice. Reading is total: what can't be understood becomes a
//! [`domain::input::Unreadable`] inside the delivery, so that nothing signed is ever dropped.
//!
//! Never here: a clock, I/O, randomness, async, a float, a panic; and never an amount, a name or
//! other content of a body in an error.

pub mod pointer;
pub mod secret;
pub mod source;

pub mod paddle;
pub mod read;
pub mod verify;

mod content;
mod fields;
mod json;

#[cfg(test)]
mod tests;
