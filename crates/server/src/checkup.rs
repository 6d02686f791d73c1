//! What `tallyhook doctor` asks of a server's parts: beside a running one or without.

use std::{io, path::Path};

use event_store::{
    sled::is_open,
    space::{RESERVE_BYTES, Space},
};
use publisher::seen::{Seen, look};
use tokio::runtime;

use crate::{config::Nats, limits::OPEN_FILES_WANTED, writer::with_causes};

/// The open files that a server may need.
pub const OPEN_FILES: u64 = OPEN_FILES_WANTED;

/// The size of the reserve that a running server keeps.
pub const RESERVE: u64 = RESERVE_BYTES;

/// The room for the data in a directory.
#[must_use]
pub fn space(data: &Path) -> Space {
    Space::of(data)
}

/// Whether a server, or another command, has the data open.
///
/// # Errors
/// The lock can't be looked at.
pub fn is_running(data: &Path) -> io::Result<bool> {
    is_open(data)
}

/// Looks at the broker and changes nothing. Blocks. The error is for a person.
///
/// # Errors
/// It doesn't answer.
pub fn broker(nats: &Nats) -> Result<Seen, String> {
    let runtime = runtime::Builder::new_current_thread().enable_all().build();
    let runtime = runtime.map_err(|error| with_causes(&error))?;
    runtime.block_on(look(&nats.publishing())).map_err(|error| with_causes(&error))
}
