//! Asking until something is so, or a deadline has passed.

use std::{
    thread,
    time::{Duration, Instant},
};

use anyhow::{Result, bail};

/// The longest that anything in a test may take.
pub const LONG: Duration = Duration::from_secs(30);

/// How long to let others work before asking again.
const PAUSE: Duration = Duration::from_millis(5);

/// Asks until there is an answer.
///
/// # Errors
/// There was none within [`LONG`].
pub fn until<T>(what: &str, ask: impl FnMut() -> Option<T>) -> Result<T> {
    within(LONG, what, ask)
}

/// Asks until there is an answer.
///
/// # Errors
/// There was none within the time.
pub fn within<T>(time: Duration, what: &str, mut ask: impl FnMut() -> Option<T>) -> Result<T> {
    let started = Instant::now();
    loop {
        if let Some(answer) = ask() {
            return Ok(answer);
        }
        if started.elapsed() >= time {
            bail!("waited {time:?} in vain for {what}");
        }
        thread::sleep(PAUSE);
    }
}
