//! What credits and money came and went for.

use std::collections::BTreeMap;

use domain::{
    decision::{Effect, Taking},
    holding::HoldingId,
    input::{Input, LotKind, Order},
    record::Record,
};

/// What something came or went for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Line {
    /// What was there before Tallyhook, brought in.
    BroughtIn,
    /// Purchases.
    Purchases,
    /// Earlier totals of purchases that were too high.
    Corrections,
    /// Gifts: coupons, campaigns, bonuses, compensation.
    Gifts,
    /// Usage.
    Usage,
    /// Usage that was made good.
    Returned,
    /// Refunds and credit notes.
    Refunds,
    /// Refunds and credit notes that were undone.
    RefundsUndone,
    /// Chargebacks and warnings.
    Chargebacks,
    /// Chargebacks and warnings that were undone.
    ChargebacksUndone,
    /// Debts that were forgiven.
    WrittenOff,
}

impl Line {
    /// What credits come and go for.
    pub(super) const OF_CREDITS: [Self; 11] = [
        Self::BroughtIn,
        Self::Purchases,
        Self::Corrections,
        Self::Gifts,
        Self::Usage,
        Self::Returned,
        Self::Refunds,
        Self::RefundsUndone,
        Self::Chargebacks,
        Self::ChargebacksUndone,
        Self::WrittenOff,
    ];

    /// What money comes and goes for.
    pub(super) const OF_MONEY: [Self; 7] = [
        Self::BroughtIn,
        Self::Purchases,
        Self::Corrections,
        Self::Refunds,
        Self::RefundsUndone,
        Self::Chargebacks,
        Self::ChargebacksUndone,
    ];

    pub(super) const fn key(self) -> &'static str {
        match self {
            Self::BroughtIn => "brought_in",
            Self::Purchases => "purchases",
            Self::Corrections => "corrections",
            Self::Gifts => "gifts",
            Self::Usage => "usage",
            Self::Returned => "returned",
            Self::Refunds => "refunds",
            Self::RefundsUndone => "refunds_undone",
            Self::Chargebacks => "chargebacks",
            Self::ChargebacksUndone => "chargebacks_undone",
            Self::WrittenOff => "written_off",
        }
    }

    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::BroughtIn => "Brought in",
            Self::Purchases => "Purchases",
            Self::Corrections => "Corrections",
            Self::Gifts => "Gifts",
            Self::Usage => "Usage",
            Self::Returned => "Returned",
            Self::Refunds => "Refunds",
            Self::RefundsUndone => "Refunds undone",
            Self::Chargebacks => "Chargebacks",
            Self::ChargebacksUndone => "Chargebacks undone",
            Self::WrittenOff => "Written off",
        }
    }

    /// What is taken back, or given back again below zero.
    pub(super) const fn taken(by: Taking, amount: i128) -> Self {
        match (by, amount > 0) {
            (Taking::Refund, true) => Self::Refunds,
            (Taking::Refund, false) => Self::RefundsUndone,
            (Taking::Chargeback, true) => Self::Chargebacks,
            (Taking::Chargeback, false) => Self::ChargebacksUndone,
        }
    }
}

/// Amounts by line: what came is above zero, what went below.
#[derive(Clone, Debug, Default)]
pub(super) struct Lines(BTreeMap<Line, i128>);

impl Lines {
    pub(super) fn add(&mut self, line: Line, amount: i128) {
        *self.0.entry(line).or_default() += amount;
    }

    pub(super) fn add_all(&mut self, other: &Self) {
        other.0.iter().for_each(|(line, amount)| self.add(*line, *amount));
    }

    pub(super) fn of(&self, line: Line) -> i128 {
        self.0.get(&line).copied().unwrap_or(0)
    }

    pub(super) fn sum(&self) -> i128 {
        self.0.values().sum()
    }
}

/// Whether a record brings in what was there before Tallyhook.
pub(super) fn brings_in(record: &Record) -> bool {
    matches!(&record.input, Input::Command(command) if matches!(command.order, Order::Import(_)))
}

/// The line of an effect, and what it adds to what customers have, in billionths.
///
/// What is taken back is not here, since a whole record decides as what it counts; nor what is written
/// off, which by policy follows from what is lacking, without an effect of its own.
pub(super) fn line_of(record: &Record, effect: &Effect) -> Option<(Line, i128)> {
    let or_brought_in = |line| if brings_in(record) { Line::BroughtIn } else { line };
    let (line, amount) = match effect {
        Effect::Granted { lot, amount } => {
            let amount = amount.billionths();
            let line = match (&lot.holding, lot.kind) {
                _ if amount < 0 => Line::Corrections,
                (HoldingId::Payment(_), LotKind::Paid) => Line::Purchases,
                (HoldingId::Payment(_), LotKind::Gift)
                | (HoldingId::Grant(_) | HoldingId::Overdraft(_), _) => Line::Gifts,
            };
            (or_brought_in(line), amount)
        }
        Effect::Drawn { amount, .. } => (or_brought_in(Line::Usage), -amount.billionths()),
        Effect::Returned { amount, .. } => (Line::Returned, amount.billionths()),
        Effect::Taken { .. }
        | Effect::PaymentAssigned { .. }
        | Effect::AccountOpened { .. }
        | Effect::HoldingOpened { .. }
        | Effect::Awaited { .. }
        | Effect::HoldPlaced { .. }
        | Effect::Reserved { .. }
        | Effect::Unreserved { .. }
        | Effect::HoldEnded { .. }
        | Effect::Debited { .. }
        | Effect::Forgiven { .. }
        | Effect::Settled { .. }
        | Effect::Unsettled { .. }
        | Effect::MoneyMoved { .. }
        | Effect::Frozen { .. }
        | Effect::Unfrozen { .. }
        | Effect::ChargebackCounted { .. }
        | Effect::Closed { .. }
        | Effect::Reopened { .. }
        | Effect::CustomerAssigned { .. }
        | Effect::PaymentImported(_)
        | Effect::CaseChanged(_)
        | Effect::DisputeRuled { .. }
        | Effect::Raised(_)
        | Effect::Cleared(_)
        | Effect::Resolved(_)
        | Effect::Released(_) => return None,
    };
    Some((line, amount))
}
