//! What a reconciliation found.

use domain::{
    ids::{Sequence, SourceName},
    input::Listing,
    time::Timestamp,
};

use crate::cut::Provenance;

/// What a reconciliation found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reconciled {
    /// What of the log it was made from.
    pub provenance: Provenance,
    /// Where deliveries come in, and what is brought in goes.
    pub source: SourceName,
    /// What the lists have.
    pub listed: Counts,
    /// The time between the first and the last listed event.
    pub range: Option<(Timestamp, Timestamp)>,
    /// What is wrong, by kind and id.
    pub findings: Vec<Finding>,
    /// What can't be known, or does not matter for balances.
    pub notes: Vec<Note>,
    /// How often each type of event is listed, and how often it ever arrived.
    pub types: Vec<TypeSeen>,
    /// What could be brought in, in the order in which it happened.
    pub importable: Vec<Importable>,
}

/// How many of each there are.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// Events.
    pub events: u64,
    /// Payments.
    pub payments: u64,
    /// Adjustments.
    pub adjustments: u64,
}

/// One thing that is wrong.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Finding {
    /// The kind.
    pub kind: Kind,
    /// The provider's id of it; of a type of events: its name.
    pub id: String,
    /// The record that says otherwise, where one does.
    pub sequence: Option<Sequence>,
    /// What exactly, for a person.
    pub detail: String,
}

/// The kinds of findings.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Kind {
    /// The provider lists an event that matters for balances and that is not here.
    EventMissing,
    /// An event is here that the provider does not list.
    EventUnlisted,
    /// An event says something else here than in the list.
    EventDiffers,
    /// The provider has the money of a payment that nothing here says is paid.
    PaymentMissing,
    /// A payment's amounts, currency or lines differ.
    PaymentDiffers,
    /// A payment is paid here that the provider does not list.
    PaymentUnlisted,
    /// Credits were granted for a payment that the provider does not call paid.
    GrantedUnpaid,
    /// The provider lists an adjustment that is not here.
    AdjustmentMissing,
    /// An adjustment's action, status, type, time of filing or amounts differ.
    AdjustmentDiffers,
    /// An adjustment is here that the provider does not list.
    AdjustmentUnlisted,
    /// Events of a type are listed, or must have happened, and none ever arrived.
    TypeNeverArrives,
    /// The list goes on long after the last record.
    LogEndsEarly,
    /// What is listed can't be read.
    Unreadable,
}

impl Kind {
    /// The name in reports.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::EventMissing => "event-missing",
            Self::EventUnlisted => "event-unlisted",
            Self::EventDiffers => "event-differs",
            Self::PaymentMissing => "payment-missing",
            Self::PaymentDiffers => "payment-differs",
            Self::PaymentUnlisted => "payment-unlisted",
            Self::GrantedUnpaid => "granted-unpaid",
            Self::AdjustmentMissing => "adjustment-missing",
            Self::AdjustmentDiffers => "adjustment-differs",
            Self::AdjustmentUnlisted => "adjustment-unlisted",
            Self::TypeNeverArrives => "type-never-arrives",
            Self::LogEndsEarly => "log-ends-early",
            Self::Unreadable => "unreadable",
        }
    }
}

/// What is no finding and should be known.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Note {
    /// What, by a stable name.
    pub name: &'static str,
    /// How many.
    pub count: u64,
    /// For a person.
    pub detail: &'static str,
}

/// A type of events.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TypeSeen {
    /// Its name at the provider.
    pub event_type: String,
    /// How many are listed.
    pub listed: u64,
    /// How many of the provider's own arrived by themselves and were taken in, ever.
    pub arrived: u64,
}

/// What could be brought in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Importable {
    /// In which list it stands.
    pub listing: Listing,
    /// Its id.
    pub id: String,
    /// When it became so.
    pub occurred_at: Timestamp,
    /// The bytes as they stand in the list.
    pub body: Vec<u8>,
}
