//! What goes back of a payment: rule 3, and what refund cases change of it.

use domain::{
    notice::{Action, Adjustment, Extent, Status},
    policy::Policy,
};

use super::{Both, convert::Conversion};

/// The sums of the adjustments, in the money that counts.
pub(super) struct Reversals {
    pub(super) refunds: i128,
    pub(super) chargebacks: i128,
    pub(super) warnings: i128,
    pub(super) requested: i128,
    pub(super) refunded_in_full: bool,
    pub(super) requested_in_full: bool,
}

/// What is taken of a payment's credits.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Taken {
    /// By refunds.
    pub(super) refunded: Both,
    /// By refunds and disputes.
    pub(super) all: Both,
    /// Besides, by what is only asked for.
    pub(super) awaited: Both,
}

impl Reversals {
    /// The sums of amounts in so many parts of a minor unit, each sum rounded down.
    pub(super) fn of(
        adjustments: &[&Adjustment],
        parts: i128,
        amount: impl Fn(&Adjustment) -> i128,
    ) -> Self {
        let sum = |wanted: &dyn Fn(&Adjustment) -> bool| -> i128 {
            let wanted = adjustments.iter().filter(|fact| wanted(fact));
            wanted.map(|fact| amount(fact)).sum()
        };
        // Reversed means: was in force, and is undone.
        let in_force = |status| matches!(status, Status::Approved | Status::Reversed);
        let not_rejected = |status| status != Status::Rejected;
        let net = |kind: &[Action], counts: &dyn Fn(Status) -> bool, undo: Action| {
            let all = sum(&|fact| kind.contains(&fact.action) && counts(fact.status));
            let by_status =
                sum(&|fact| kind.contains(&fact.action) && fact.status == Status::Reversed);
            let by_undo = sum(&|fact| fact.action == undo && counts(fact.status));
            (all - by_status.max(by_undo)).max(0) / parts
        };
        let back = |fact: &Adjustment| matches!(fact.action, Action::Refund | Action::Credit);
        let full = |fact: &&&Adjustment, status| {
            fact.action == Action::Refund && fact.status == status && fact.extent == Extent::Full
        };
        Self {
            refunds: net(&[Action::Refund, Action::Credit], &in_force, Action::CreditReverse),
            chargebacks: net(&[Action::Chargeback], &not_rejected, Action::ChargebackReverse),
            warnings: net(&[Action::Warning], &not_rejected, Action::WarningReverse),
            requested: sum(&|fact| back(fact) && fact.status == Status::Pending) / parts,
            refunded_in_full: adjustments.iter().any(|fact| full(&fact, Status::Approved)),
            requested_in_full: adjustments.iter().any(|fact| full(&fact, Status::Pending)),
        }
    }

    /// More than was paid may come of it.
    pub(super) fn uncapped(&self) -> i128 {
        self.refunds + self.chargebacks.max(self.warnings)
    }

    /// The money that went back by refunds and credits.
    fn refunded(&self, paid: i128) -> i128 {
        if self.refunded_in_full { paid } else { self.refunds.min(paid) }
    }

    /// The money that went back.
    pub(super) fn reversed(&self, paid: i128) -> i128 {
        (self.refunded(paid) + self.chargebacks.max(self.warnings)).min(paid)
    }

    /// What is taken, and what is awaited, with what refund cases take and await besides: of an open
    /// one and what the provider is asked for, the larger.
    pub(super) fn taken(
        &self,
        policy: &Policy,
        conversion: &Conversion,
        cases: (Both, Both),
    ) -> Taken {
        let (paid, granted) = (conversion.paid, conversion.granted);
        let asked_for = match self.requested_in_full {
            true => paid,
            false => self.reversed(paid) + self.requested,
        };
        let by_refunds = conversion.part(self.refunded(paid), policy);
        let by_all = conversion.part(self.reversed(paid), policy);
        let by_request = conversion.part(asked_for, policy).minus(by_all);
        let disputed = by_all.minus(by_refunds);
        let (taken_by_cases, awaited_by_cases) = cases;

        let refunded = by_refunds.plus(taken_by_cases).at_most(granted);
        let all = refunded.plus(disputed).at_most(granted);
        let awaited = all.plus(larger(by_request, awaited_by_cases)).at_most(granted);
        Taken { refunded, all, awaited: awaited.minus(all) }
    }
}

fn larger(one: Both, other: Both) -> Both {
    if other.sum() > one.sum() { other } else { one }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::history::History;

    fn reversals(refunds: i128, chargebacks: i128, warnings: i128) -> Reversals {
        Reversals {
            refunds,
            chargebacks,
            warnings,
            requested: 0,
            refunded_in_full: false,
            requested_in_full: false,
        }
    }

    #[test]
    fn a_chargeback_after_a_warning_takes_once_and_never_more_than_all() {
        let history = History::generate(0);
        let policy = Policy { decimals: 0, ..(**history.policies.first().unwrap()).clone() };
        let granted = Both { paid: 100_000_000_000, gift: 0 };
        let whole = Conversion { granted, paid: 300, whole: 300, ..Conversion::default() };
        let taken = |sums: Reversals| sums.taken(&policy, &whole, Default::default()).all.paid;
        assert_eq!(taken(reversals(0, 100, 100)), 33_000_000_000);
        assert_eq!(taken(reversals(100, 100, 50)), 66_000_000_000);
        assert_eq!(taken(reversals(300, 300, 300)), 100_000_000_000);
        let full = Reversals { refunded_in_full: true, ..reversals(1, 0, 0) };
        assert_eq!(taken(full), 100_000_000_000);
    }
}
