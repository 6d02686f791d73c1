//! What an audit found.

use domain::ids::{LedgerId, Sequence};
use event_store::verify::FindingKind;

/// What an audit of a log found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Report {
    /// How many records were looked at.
    pub records: u64,
    /// What is wrong, in the order of ledgers and sequences.
    pub findings: Vec<Finding>,
    /// Decisions that an older version of the rules made and today's would make otherwise. They
    /// are history and no fault.
    pub differences: Vec<Finding>,
}

/// One thing that is wrong.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    /// In which ledger.
    pub ledger: LedgerId,
    /// At which record; for a damaged block its first.
    pub sequence: Option<Sequence>,
    /// The kind.
    pub kind: Kind,
    /// What exactly, for a person; never content.
    pub detail: String,
}

/// The kinds of findings.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Kind {
    /// A stored value is not as it was written.
    Stored(FindingKind),
    /// A part of the log can't be read any further.
    Damaged,
    /// A record contradicts the state that the records before it lead to.
    Contradiction,
    /// The stored projections are not what the records lead to.
    ProjectionDiffers,
    /// The raw bytes say something else than the recorded notice.
    NoticeDiffers,
    /// The rules decide otherwise than was recorded.
    DecisionDiffers,
}

impl Kind {
    /// The name in reports.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Stored(FindingKind::Value) => "value",
            Self::Stored(FindingKind::Gap) => "gap",
            Self::Stored(FindingKind::Chain) => "chain",
            Self::Stored(FindingKind::Form) => "form",
            Self::Stored(FindingKind::TimeFell) => "time-fell",
            Self::Stored(FindingKind::Body) => "body",
            Self::Stored(FindingKind::ErasureUnfinished) => "erasure-unfinished",
            Self::Stored(FindingKind::Index) => "index",
            Self::Stored(FindingKind::Stray) => "stray",
            Self::Damaged => "damaged",
            Self::Contradiction => "contradiction",
            Self::ProjectionDiffers => "projection-differs",
            Self::NoticeDiffers => "notice-differs",
            Self::DecisionDiffers => "decision-differs",
        }
    }
}

impl Report {
    /// A report in which nothing was looked at yet.
    #[must_use]
    pub const fn empty() -> Self {
        Self { records: 0, findings: Vec::new(), differences: Vec::new() }
    }

    /// Whether nothing is wrong.
    #[must_use]
    pub fn is_clean(&self) -> bool {
        self.findings.is_empty()
    }
}
