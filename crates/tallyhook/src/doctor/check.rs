//! One thing that was looked at.

use serde_json::{Value, json};

/// What was found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Check {
    pub(super) name: &'static str,
    pub(super) verdict: Verdict,
    found: String,
    remedy: Option<String>,
}

/// How it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Verdict {
    Pass,
    /// It works, but not as it should.
    Warn,
    /// It does not work, or records are in danger.
    Fail,
    /// It can't be looked at here or now.
    Skip,
}

impl Verdict {
    const fn name(self) -> &'static str {
        match self {
            Self::Pass => "pass",
            Self::Warn => "warn",
            Self::Fail => "fail",
            Self::Skip => "skip",
        }
    }
}

impl Check {
    pub(super) fn pass(name: &'static str, found: impl Into<String>) -> Self {
        Self { name, verdict: Verdict::Pass, found: found.into(), remedy: None }
    }

    pub(super) fn warn(
        name: &'static str,
        found: impl Into<String>,
        remedy: impl Into<String>,
    ) -> Self {
        let (found, remedy) = (found.into(), Some(remedy.into()));
        Self { name, verdict: Verdict::Warn, found, remedy }
    }

    pub(super) fn fail(
        name: &'static str,
        found: impl Into<String>,
        remedy: impl Into<String>,
    ) -> Self {
        Self { verdict: Verdict::Fail, ..Self::warn(name, found, remedy) }
    }

    pub(super) fn skip(
        name: &'static str,
        found: impl Into<String>,
        remedy: impl Into<String>,
    ) -> Self {
        Self { verdict: Verdict::Skip, ..Self::warn(name, found, remedy) }
    }

    /// What a machine is told.
    pub(super) fn listed(&self) -> Value {
        let Self { name, verdict, found, remedy } = self;
        json!({"name": name, "verdict": verdict.name(), "found": found, "remedy": remedy})
    }

    /// What a person is told.
    pub(super) fn told(&self) -> String {
        let line = format!("{} {}: {}", self.verdict.name(), self.name, self.found);
        match &self.remedy {
            Some(remedy) => format!("{line}\n     {remedy}"),
            None => line,
        }
    }
}
