//! Which adjustments of a payment count, and how much of each (rules 3 and 6).

use std::collections::{BTreeMap, BTreeSet};

use crate::{
    account::DisputeCause,
    case::Claim,
    entitlement::{OpenDispute, sale::Sale},
    ids::AdjustmentId,
    money::Minor,
    notice::{Action, Adjustment, Basket, Extent, Status},
    payment::{Clearable, Conclusion, Payment, Ruled, Ruling},
    time::Timestamp,
};

/// The adjustments of a payment that count, summed by what they do.
pub(super) struct Counted<'p> {
    adjustments: Vec<(&'p Adjustment, i128)>,
    pub(super) refunded_in_full: bool,
    pub(super) pending_in_full: bool,
    pub(super) pending: i128,
}

impl<'p> Counted<'p> {
    pub(super) fn of(payment: &'p Payment, basket: &Basket, sale: &Sale) -> Self {
        let same_currency = |fact: &&Adjustment| fact.currency == basket.currency;
        let facts: &BTreeMap<AdjustmentId, Adjustment> = &payment.adjustments;
        let adjustments: Vec<_> = facts
            .values()
            .filter(same_currency)
            .map(|fact| (fact, counted(fact, basket, sale)))
            .collect();
        let mut all =
            Self { adjustments, refunded_in_full: false, pending_in_full: false, pending: 0 };
        all.refunded_in_full = all.has_full(Status::Approved);
        all.pending_in_full = all.has_full(Status::Pending);
        all.pending = all.sum(|fact| gives_back(fact.action) && fact.status == Status::Pending);
        all
    }

    fn has_full(&self, status: Status) -> bool {
        let full = |fact: &Adjustment| {
            fact.action == Action::Refund && fact.extent == Extent::Full && fact.status == status
        };
        self.adjustments.iter().any(|(fact, _)| full(fact))
    }

    fn sum(&self, which: impl Fn(&Adjustment) -> bool) -> i128 {
        let chosen = self.adjustments.iter().filter(|(fact, _)| which(fact));
        chosen.fold(0, |sum, (_, amount)| sum.saturating_add(*amount))
    }

    /// Refunds and credits in force, less what undid them.
    pub(super) fn refunds(&self) -> i128 {
        let in_force = |status| matches!(status, Status::Approved | Status::Reversed);
        let all = self.sum(|fact| gives_back(fact.action) && in_force(fact.status));
        let reversed = self.sum(|fact| gives_back(fact.action) && fact.status == Status::Reversed);
        let undone = self.sum(|fact| fact.action == Action::CreditReverse && in_force(fact.status));
        all.saturating_sub(reversed.max(undone)).max(0)
    }

    /// Disputes of a kind in every status but rejected, less what undid them.
    pub(super) fn net(&self, cause: DisputeCause) -> i128 {
        let (filed, _) = actions(cause);
        let all = self.sum(|fact| fact.action == filed && fact.status != Status::Rejected);
        all.saturating_sub(self.undone(cause)).max(0)
    }

    /// A status `reversed` and a reverse adjustment are one undo, not two.
    fn undone(&self, cause: DisputeCause) -> i128 {
        let (filed, undoing) = actions(cause);
        let reversed = self.sum(|fact| fact.action == filed && fact.status == Status::Reversed);
        let undone = self.sum(|fact| fact.action == undoing && fact.status != Status::Rejected);
        reversed.max(undone)
    }

    /// The filings of a kind that were not rejected, earliest first.
    fn filings(&self, cause: DisputeCause) -> Vec<(&'p Adjustment, i128)> {
        let (filed, _) = actions(cause);
        let mut filings: Vec<_> = self
            .adjustments
            .iter()
            .filter(|(fact, _)| fact.action == filed && fact.status != Status::Rejected)
            .copied()
            .collect();
        filings.sort_by(|(a, _), (b, _)| (a.filed_at, &a.id).cmp(&(b.filed_at, &b.id)));
        filings
    }

    pub(super) fn first_filed(&self, cause: DisputeCause) -> Option<Timestamp> {
        self.filings(cause).first().map(|(fact, _)| fact.filed_at)
    }

    /// The open disputes. An undo ends filings with status `reversed` first, then the earliest;
    /// the earliest filing that is left and that nobody concluded gives the moment.
    pub(super) fn open_disputes(&self, rulings: &[Ruling]) -> BTreeMap<DisputeCause, OpenDispute> {
        [DisputeCause::Warning, DisputeCause::Chargeback]
            .into_iter()
            .filter(|cause| self.net(*cause) > 0)
            .filter_map(|cause| {
                let (ended, open): (Vec<_>, Vec<_>) = self
                    .filings(cause)
                    .into_iter()
                    .partition(|(fact, _)| fact.status == Status::Reversed);
                let by_status =
                    ended.iter().fold(0_i128, |sum, (_, amount)| sum.saturating_add(*amount));
                let mut undone = self.undone(cause).saturating_sub(by_status);
                let left = open.into_iter().skip_while(|(_, amount)| {
                    undone = undone.saturating_sub(*amount);
                    undone >= 0
                });
                Some((cause, still_open(left.map(|(fact, _)| fact), cause, rulings)?))
            })
            .collect()
    }
}

/// What is left of a dispute's filings once operators had their say; `None` when nothing is.
fn still_open<'f>(
    left: impl Iterator<Item = &'f Adjustment>,
    cause: DisputeCause,
    rulings: &[Ruling],
) -> Option<OpenDispute> {
    let about = |what: Ruled| {
        rulings.iter().filter(move |ruling| ruling.cause == cause && ruling.what == what)
    };
    let concluded = |fact: &Adjustment| {
        let ends = [Conclusion::Lost, Conclusion::Settled].map(Ruled::Concluded);
        ends.into_iter().flat_map(about).any(|ruling| ruling.filings.contains(&fact.id))
    };
    let left: Vec<&Adjustment> = left.filter(|fact| !concluded(fact)).collect();
    let since = left.first()?.filed_at;
    let all_in = |ruling: &Ruling| left.iter().all(|fact| ruling.filings.contains(&fact.id));
    let measures = [Clearable::Verification, Clearable::Service].into_iter();
    let cleared = measures.filter(|one| about(Ruled::Cleared(*one)).any(all_in)).collect();
    Some(OpenDispute { since, cleared })
}

/// How much of an adjustment is about the lines that granted credits.
fn counted(fact: &Adjustment, basket: &Basket, sale: &Sale) -> i128 {
    let Some(items) = &sale.items else { return i128::from(fact.subtotal.get()) };
    if fact.lines.is_empty() {
        // Nothing says which lines: their part of the whole basket.
        let whole =
            i128::from(basket.subtotal.get()).saturating_sub(i128::from(basket.discount.get()));
        let part = i128::from(fact.subtotal.get()).saturating_mul(i128::from(sale.paid.get()));
        return part.checked_div(whole).unwrap_or(0);
    }
    let granted = fact.lines.iter().filter(|line| items.contains(&line.item));
    granted.fold(0, |sum, line| sum.saturating_add(i128::from(line.subtotal.get())))
}

/// Whether an action gives money back by our own decision.
const fn gives_back(action: Action) -> bool {
    matches!(action, Action::Refund | Action::Credit)
}

/// The action that files a dispute and the one that undoes it.
const fn actions(cause: DisputeCause) -> (Action, Action) {
    match cause {
        DisputeCause::Warning => (Action::Warning, Action::WarningReverse),
        DisputeCause::Chargeback => (Action::Chargeback, Action::ChargebackReverse),
    }
}

/// Whether the processor's refunds since a case was opened gave all its money back.
pub(crate) fn covers(payment: &Payment, claim: &Claim) -> bool {
    let own = payment.adjustments.values().filter(|fact| {
        gives_back(fact.action)
            && fact.status == Status::Approved
            && Some(fact.currency) == payment.currency
            && !claim.earlier.contains(&fact.id)
    });
    let back = own.fold(0_i128, |sum, fact| sum.saturating_add(i128::from(fact.total.get())));
    let undone = payment
        .adjustments
        .values()
        .filter(|fact| fact.action == Action::CreditReverse && fact.status == Status::Approved);
    let undone = undone.fold(0_i128, |sum, fact| sum.saturating_add(i128::from(fact.total.get())));
    claim.money > Minor::ZERO && back.saturating_sub(undone) >= i128::from(claim.money.get())
}

/// The money of refunds and disputes in force, tax included: at most what was paid.
pub(crate) fn paid_back(payment: &Payment) -> Minor {
    let in_force = payment.adjustments.values().filter(|fact| {
        let counts =
            gives_back(fact.action) || matches!(fact.action, Action::Chargeback | Action::Warning);
        counts && fact.status == Status::Approved && Some(fact.currency) == payment.currency
    });
    let sum = in_force.fold(0_i128, |sum, fact| sum.saturating_add(i128::from(fact.total.get())));
    let total = payment.paid.as_ref().map_or(0, |paid| i128::from(paid.basket.total.get()));
    super::clamp(sum, total)
}

/// The refunds in force, by id.
pub(crate) fn refunds_in_force(payment: &Payment) -> BTreeSet<AdjustmentId> {
    let in_force = payment
        .adjustments
        .values()
        .filter(|fact| gives_back(fact.action) && fact.status == Status::Approved);
    in_force.map(|fact| fact.id.clone()).collect()
}

/// The filings of a kind of dispute, won or not, by id.
pub(crate) fn filings(payment: &Payment, cause: DisputeCause) -> BTreeSet<AdjustmentId> {
    let (filed, _) = actions(cause);
    let all = payment.adjustments.values().filter(|fact| fact.action == filed);
    all.map(|fact| fact.id.clone()).collect()
}
