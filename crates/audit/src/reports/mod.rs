//! Reports: what a ledger's records add up to, as of a cut.
//!
//! A report folds in one pass from the effects and transfers of records alone, in the log's order
//! whichever axis cuts, and several share that pass. It is a [`layout::Document`], which knows nothing of where it is shown; [`layout`]
//! renders it as text, CSV, JSON or one HTML file. The same log and query give the same bytes
//! everywhere.
//!
//! Never here: a clock, a locale, the environment, an order that could differ.

pub mod amount;
pub mod layout;
pub mod period;

mod age;
mod cases;
mod disputes;
mod exceptions;
mod receivables;
mod roll_forward;

use std::collections::BTreeSet;

use domain::{
    decision::{Effect, Transfer},
    ids::LedgerId,
    record::Record,
    time::Timestamp,
};
use event_store::log::{EventLog, ReadError};

use self::{
    cases::Cases,
    disputes::Disputes,
    exceptions::Exceptions,
    layout::{Document, Section, asked},
    period::Period,
    receivables::Receivables,
    roll_forward::RollForward,
};
use crate::{
    cut::{Cut, Known, Provenance, happened_at},
    lots::{Lots, Moved},
    pass::pass,
};

/// The reports that there are.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Kind {
    /// What was there, what came, what went, what is there: by period, in credits and in money.
    RollForward,
    /// What accounts owe, by age.
    Receivables,
    /// Open disputes and freezes, by age.
    Disputes,
    /// What a person must see, by kind and age.
    Exceptions,
    /// Refund cases, by verdict, status and age.
    Cases,
}

impl Kind {
    /// All of them, in the order in which they are told.
    pub const ALL: [Self; 5] =
        [Self::RollForward, Self::Receivables, Self::Disputes, Self::Exceptions, Self::Cases];

    /// The name on the command line and of its file.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::RollForward => "roll-forward",
            Self::Receivables => "receivables",
            Self::Disputes => "disputes",
            Self::Exceptions => "exceptions",
            Self::Cases => "cases",
        }
    }

    const fn title(self) -> &'static str {
        match self {
            Self::RollForward => "Roll-forward",
            Self::Receivables => "Aged receivables",
            Self::Disputes => "Open disputes and freezes",
            Self::Exceptions => "Exceptions",
            Self::Cases => "Refund cases",
        }
    }
}

/// By which time a record counts to a period, and a debt is old.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Axis {
    /// When it was recorded.
    Recorded,
    /// When it happened: at the provider, or when a command was recorded.
    Happened,
}

impl Axis {
    /// The name on the command line.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Recorded => "recorded",
            Self::Happened => "happened",
        }
    }

    /// When a record is, on this axis.
    #[must_use]
    pub fn moment(self, record: &Record) -> Timestamp {
        match self {
            Self::Recorded => record.recorded_at,
            Self::Happened => happened_at(record),
        }
    }
}

/// Whether what is over is listed too.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Listed {
    /// Only what is open.
    Open,
    /// What is over as well.
    All,
}

/// What is asked of reports.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Query {
    /// As of when.
    pub cut: Cut,
    /// By which time.
    pub axis: Axis,
    /// By which periods a roll-forward goes.
    pub period: Period,
    /// Which exceptions and cases are listed.
    pub listed: Listed,
}

/// A report that was made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Made {
    /// Which.
    pub kind: Kind,
    /// What it says.
    pub document: Document,
    /// Whether a difference in it is not zero: the log contradicts itself.
    pub differs: bool,
}

/// What a report says, before it is a document.
struct Told {
    sections: Vec<Section>,
    differs: bool,
}

/// Makes reports of a ledger in one pass, in the order of [`Kind::ALL`]. `progress` is told how many
/// records are read, and how many there are.
///
/// # Errors
/// The log can't be read or is damaged.
pub fn reports(
    log: &dyn EventLog,
    ledger: &LedgerId,
    query: &Query,
    kinds: &BTreeSet<Kind>,
    progress: impl FnMut(u64, u64),
) -> Result<Vec<Made>, ReadError> {
    let mut folds: Vec<Fold> = kinds.iter().map(|kind| Fold::new(*kind, query)).collect();
    // What effects come to follows from all that was known before, whether it counts or not.
    let mut lots = folds.iter().any(Fold::asks_lots).then(Lots::default);
    let provenance = pass(log, ledger, &query.cut, progress, |recorded, _| {
        let record = recorded.record();
        let moved = lots.as_mut().map(|lots| lots.take(record)).unwrap_or_default();
        if query.cut.counts(record) {
            let at = query.axis.moment(record);
            folds.iter_mut().for_each(|fold| fold.add(record, &moved, at));
        }
        Ok::<(), ReadError>(())
    })?;
    let now = moment(query, &provenance);
    Ok(folds.into_iter().map(|fold| fold.made(query, &provenance, now)).collect())
}

/// The moment that ages are counted to: the one that was asked for, else that of the last record.
fn moment(query: &Query, provenance: &Provenance) -> Timestamp {
    let known = match query.cut.known {
        Known::RecordedAt(moment) => Some(moment),
        Known::All | Known::Sequence(_) => provenance.recorded_at,
    };
    query.cut.happened.or(known).unwrap_or(Timestamp::EPOCH)
}

/// What a report keeps while it reads.
enum Fold {
    RollForward(RollForward),
    Receivables(Receivables),
    Disputes(Disputes),
    Exceptions(Exceptions),
    Cases(Cases),
}

impl Fold {
    fn new(kind: Kind, query: &Query) -> Self {
        match kind {
            Kind::RollForward => Self::RollForward(RollForward::new(query.period)),
            Kind::Receivables => Self::Receivables(Receivables::default()),
            Kind::Disputes => Self::Disputes(Disputes::default()),
            Kind::Exceptions => Self::Exceptions(Exceptions::new(query.listed)),
            Kind::Cases => Self::Cases(Cases::new(query.listed)),
        }
    }

    const fn kind(&self) -> Kind {
        match self {
            Self::RollForward(_) => Kind::RollForward,
            Self::Receivables(_) => Kind::Receivables,
            Self::Disputes(_) => Kind::Disputes,
            Self::Exceptions(_) => Kind::Exceptions,
            Self::Cases(_) => Kind::Cases,
        }
    }

    /// Whether it asks what effects come to, which takes memory for every lot.
    const fn asks_lots(&self) -> bool {
        match self {
            Self::RollForward(_) | Self::Receivables(_) => true,
            Self::Disputes(_) | Self::Exceptions(_) | Self::Cases(_) => false,
        }
    }

    fn add(&mut self, record: &Record, moved: &Moved, at: Timestamp) {
        let (effects, transfers): (&[Effect], &[Transfer]) =
            (&record.decision.effects, &record.decision.transfers);
        match self {
            Self::RollForward(fold) => fold.add(record, moved, at),
            Self::Receivables(fold) => fold.add(transfers, moved, at),
            Self::Disputes(fold) => effects.iter().for_each(|effect| fold.add(effect)),
            Self::Exceptions(fold) => effects.iter().for_each(|effect| fold.add(record, effect)),
            Self::Cases(fold) => effects.iter().for_each(|effect| fold.add(effect)),
        }
    }

    fn made(self, query: &Query, provenance: &Provenance, now: Timestamp) -> Made {
        let kind = self.kind();
        let told = match self {
            Self::RollForward(fold) => fold.told(),
            Self::Receivables(fold) => fold.told(now),
            Self::Disputes(fold) => fold.told(now),
            Self::Exceptions(fold) => fold.told(now),
            Self::Cases(fold) => fold.told(now),
        };
        let document = Document {
            title: format!("{} of ledger {}", kind.title(), provenance.ledger),
            provenance: provenance.clone(),
            query: shown(kind, query, now),
            sections: told.sections,
        };
        Made { kind, document, differs: told.differs }
    }
}

/// What was asked, as far as it matters for a report.
fn shown(kind: Kind, query: &Query, now: Timestamp) -> Vec<(&'static str, String)> {
    let listed = match query.listed {
        Listed::Open => "open",
        Listed::All => "all",
    };
    let axis = ("by the time of", query.axis.name().to_owned());
    let ages = ("ages at", now.to_string());
    let mut shown = vec![("report", kind.name().to_owned())];
    shown.extend(match kind {
        Kind::RollForward => vec![("period", query.period.name().to_owned()), axis],
        Kind::Receivables => vec![axis, ages],
        Kind::Disputes => vec![ages],
        Kind::Exceptions | Kind::Cases => vec![("listed", listed.to_owned()), ages],
    });
    shown.extend(asked(&query.cut));
    shown
}
