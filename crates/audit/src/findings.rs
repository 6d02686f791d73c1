//! What an audit found.

use std::collections::BTreeMap;

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
    /// How many signatures were checked again, and which were not.
    pub signatures: Signatures,
}

/// How many deliveries' signatures were checked again.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Signatures {
    /// They hold.
    pub hold: u64,
    /// They do not: each is a finding.
    pub broken: u64,
    /// The secret that the record names was not given, by what the record knows it by: somebody must
    /// say whose it was, or it was nobody's.
    pub secret_not_given: BTreeMap<[u8; 4], Span>,
    /// The bytes that were signed are erased.
    pub erased: u64,
    /// Nobody signed them: an operator brought them in.
    pub back_filled: u64,
}

/// Some records of one or several ledgers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Span {
    /// How many.
    pub count: u64,
    /// The first of them.
    pub first: Sequence,
    /// The last of them.
    pub last: Sequence,
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
    /// The signature that a delivery was believed for is not that of its bytes.
    SignatureBroken,
    /// The raw bytes say something else than the recorded notice.
    NoticeDiffers,
    /// The rules decide otherwise than was recorded.
    DecisionDiffers,
    /// The log is not the one that a signed checkpoint covers.
    Checkpoint,
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
            Self::SignatureBroken => "signature",
            Self::NoticeDiffers => "notice-differs",
            Self::DecisionDiffers => "decision-differs",
            Self::Checkpoint => "checkpoint",
        }
    }
}

impl Signatures {
    /// None was looked at.
    pub const NONE: Self =
        Self { hold: 0, broken: 0, secret_not_given: BTreeMap::new(), erased: 0, back_filled: 0 };

    /// How many were not checked because their secret was not given.
    #[must_use]
    pub fn without_secret(&self) -> u64 {
        self.secret_not_given.values().map(|span| span.count).sum()
    }

    /// Counts a record whose secret was not given.
    pub(crate) fn miss(&mut self, secret: [u8; 4], at: Sequence) {
        self.add_missed(secret, Span { count: 1, first: at, last: at });
    }

    fn add_missed(&mut self, secret: [u8; 4], other: Span) {
        let span = self.secret_not_given.entry(secret).or_insert(Span { count: 0, ..other });
        span.count = span.count.saturating_add(other.count);
        span.first = span.first.min(other.first);
        span.last = span.last.max(other.last);
    }

    /// Counts others too.
    pub(crate) fn add(&mut self, other: &Self) {
        self.hold = self.hold.saturating_add(other.hold);
        self.broken = self.broken.saturating_add(other.broken);
        self.erased = self.erased.saturating_add(other.erased);
        self.back_filled = self.back_filled.saturating_add(other.back_filled);
        for (secret, span) in &other.secret_not_given {
            self.add_missed(*secret, *span);
        }
    }
}

impl Report {
    /// A report in which nothing was looked at yet.
    #[must_use]
    pub const fn empty() -> Self {
        Self {
            records: 0,
            findings: Vec::new(),
            differences: Vec::new(),
            signatures: Signatures::NONE,
        }
    }

    /// Where something about a record is listed: what an older version of the rules made is no
    /// finding.
    pub(crate) const fn list(&mut self, by_older_rules: bool) -> &mut Vec<Finding> {
        if by_older_rules { &mut self.differences } else { &mut self.findings }
    }

    /// Whether nothing is wrong.
    #[must_use]
    pub fn is_clean(&self) -> bool {
        self.findings.is_empty()
    }
}

/// An error with all its causes.
pub(crate) fn told(error: &dyn std::error::Error) -> String {
    let causes = std::iter::successors(error.source(), |&cause| cause.source());
    causes.fold(error.to_string(), |text, cause| format!("{text}: {cause}"))
}
