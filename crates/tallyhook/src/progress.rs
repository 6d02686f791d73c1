//! How far a long copy is: a bar on a terminal, a line now and then elsewhere.

use std::{
    io::{IsTerminal as _, Write as _},
    time::{Duration, Instant},
};

use indicatif::{ProgressBar, ProgressStyle};

/// How many lines at most tell how far it is where there is no terminal.
const LINES_MAX: u64 = 10;

/// What ends sooner is not told about where there is no terminal.
const QUIET: Duration = Duration::from_secs(2);

/// Shows how far something is, on standard error.
pub(crate) struct Shown {
    what: &'static str,
    /// None where there is no terminal.
    bar: Option<ProgressBar>,
    told: u64,
    begun: Instant,
}

impl Shown {
    pub(crate) fn new(what: &'static str) -> Self {
        let bar = std::io::stderr().is_terminal().then(|| {
            let bar = ProgressBar::new(0).with_message(what);
            match ProgressStyle::with_template("{msg} [{wide_bar}] {percent}% {eta}") {
                Ok(style) => bar.with_style(style.progress_chars("=> ")),
                // The plain bar does as well.
                Err(_) => bar,
            }
        });
        Self { what, bar, told: 0, begun: Instant::now() }
    }

    /// So much of it is done.
    pub(crate) fn at(&mut self, done: u64, total: u64) {
        if let Some(bar) = &self.bar {
            bar.set_length(total);
            bar.set_position(done);
            return;
        }
        let tenths = done.saturating_mul(LINES_MAX).checked_div(total).unwrap_or(0);
        if tenths > self.told && self.begun.elapsed() >= QUIET {
            self.told = tenths;
            let percent = tenths.saturating_mul(100) / LINES_MAX;
            let _ = writeln!(std::io::stderr().lock(), "{}: {percent}%", self.what);
        }
    }
}

impl Drop for Shown {
    fn drop(&mut self) {
        if let Some(bar) = &self.bar {
            bar.finish_and_clear();
        }
    }
}
