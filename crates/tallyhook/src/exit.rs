//! How a command ends.

use std::{fmt, process::ExitCode};

/// The documented exit codes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Exit {
    /// Done and clean.
    Clean,
    /// Done, with findings, faults or refusals.
    Findings,
    /// Wrong usage or configuration.
    Usage,
    /// Something could not be opened or reached.
    Unopened,
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(match exit {
            Exit::Clean => 0,
            Exit::Findings => 1,
            Exit::Usage => 2,
            Exit::Unopened => 3,
        })
    }
}

/// A command that could not do its work: what failed, and the code that says of which kind.
#[derive(Debug)]
pub(crate) struct Failed {
    exit: Exit,
    error: anyhow::Error,
}

impl Failed {
    /// Wrong usage or configuration.
    pub(crate) fn usage(error: impl Into<anyhow::Error>) -> Self {
        Self { exit: Exit::Usage, error: error.into() }
    }

    /// What was asked for is not there.
    pub(crate) fn absent(error: impl Into<anyhow::Error>) -> Self {
        Self { exit: Exit::Findings, error: error.into() }
    }

    /// Something could not be opened or reached.
    pub(crate) fn unopened(error: impl Into<anyhow::Error>) -> Self {
        Self { exit: Exit::Unopened, error: error.into() }
    }

    /// Says what was tried.
    pub(crate) fn context(self, tried: impl fmt::Display + Send + Sync + 'static) -> Self {
        Self { error: self.error.context(tried), ..self }
    }
}

impl fmt::Display for Failed {
    /// What failed, with all causes.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:#}", self.error)
    }
}

/// Tells a person what failed, with all causes.
pub(crate) fn told(failed: Failed) -> Exit {
    use std::io::Write as _;

    let _ = writeln!(std::io::stderr().lock(), "tallyhook: {failed}");
    failed.exit
}
