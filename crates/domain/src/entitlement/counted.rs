//! Which adjustments of a payment count, and how much of each (rules 3 and 6).

use std::collections::{BTreeMap, BTreeSet};

use crate::{
    account::DisputeCause,
    entitlement::{OpenDispute, sale::Sale},
    ids::AdjustmentId,
    money::{Currency, Minor, MoneyOverflow},
    notice::{Action, Adjustment, Basket, Extent, Status},
    payment::{Clearable, Conclusion, Payment, Ruled, Ruling},
    time::Timestamp,
};

/// The adjustments of a payment that count, summed by what they do.
pub(super) struct Counted<'p> {
    /// Each with its amount, times `scale`, so that proportions are rounded once, in the end.
    adjustments: Vec<(&'p Adjustment, i128)>,
    scale: i128,
    pub(super) refunded_in_full: bool,
    pub(super) pending_in_full: bool,
}

impl<'p> Counted<'p> {
    /// By the net of what granted credits (rule 3).
    pub(super) fn of(payment: &'p Payment, basket: &Basket, sale: &Sale) -> Self {
        let net = i128::from(basket.subtotal.get()).saturating_sub(basket.discount.get().into());
        let scale = if sale.items.is_some() { net.max(1) } else { 1 };
        Self::by(payment, basket.currency, scale, |fact| counted(fact, sale, scale))
    }

    fn by(
        payment: &'p Payment,
        currency: Currency,
        scale: i128,
        amount: impl Fn(&Adjustment) -> i128,
    ) -> Self {
        let facts = payment.adjustments.values().filter(|fact| fact.currency == currency);
        let adjustments = facts.map(|fact| (fact, amount(fact))).collect();
        let mut all = Self { adjustments, scale, refunded_in_full: false, pending_in_full: false };
        all.refunded_in_full = all.has_full(Status::Approved);
        all.pending_in_full = all.has_full(Status::Pending);
        all
    }

    /// A sum of amounts in minor units, rounded down.
    pub(super) fn units(&self, sum: i128) -> i128 {
        sum.div_euclid(self.scale)
    }

    /// Refunds and credits that are only asked for.
    pub(super) fn pending(&self) -> i128 {
        let asked = |fact: &Adjustment| gives_back(fact.action) && fact.status == Status::Pending;
        self.units(self.sum(asked))
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
        self.units(all.saturating_sub(reversed.max(undone)).max(0))
    }

    /// The refunds and credits that these are, each with its amount, by the provider's time.
    pub(super) fn refunds_by_time(
        &self,
        which: impl Fn(&Adjustment) -> bool,
    ) -> Vec<(&'p Adjustment, i128)> {
        let all = self.adjustments.iter();
        let chosen = all.filter(|(fact, _)| gives_back(fact.action) && which(fact));
        by_time(chosen.copied().collect())
    }

    /// The money of these adjustments, tax included.
    pub(super) fn money(&self, which: impl Fn(&Adjustment) -> bool) -> i128 {
        let chosen = self.adjustments.iter().filter(|(fact, _)| which(fact));
        chosen.fold(0, |sum, (fact, _)| sum.saturating_add(self.money_of(fact)))
    }

    /// The money of an adjustment that is about what granted credits, tax included.
    pub(super) fn money_of(&self, of: &Adjustment) -> i128 {
        let found = self.adjustments.iter().find(|(fact, _)| fact.id == of.id);
        let counted = found.map_or(0, |(_, amount)| *amount);
        let (total, subtotal) = (i128::from(of.total.get()), i128::from(of.subtotal.get()));
        let whole = subtotal.saturating_mul(self.scale);
        // Parts of a whole that don't fit a sum are as good as rounded before.
        match counted == whole {
            true => total,
            false => total.saturating_mul(self.units(counted)).checked_div(subtotal).unwrap_or(0),
        }
    }

    /// The larger of net chargebacks and net warnings.
    pub(super) fn disputed(&self) -> i128 {
        let net = |cause| self.units(self.net(cause));
        net(DisputeCause::Chargeback).max(net(DisputeCause::Warning))
    }

    /// Disputes of a kind in every status but rejected, less what undid them.
    fn net(&self, cause: DisputeCause) -> i128 {
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
        let all = self.adjustments.iter();
        let filings =
            all.filter(|(fact, _)| fact.action == filed && fact.status != Status::Rejected);
        by_time(filings.copied().collect())
    }

    pub(super) fn first_filed(&self, cause: DisputeCause) -> Option<Timestamp> {
        self.filings(cause).first().map(|(fact, _)| fact.filed_at)
    }

    /// The open disputes. An undo ends filings with status `reversed` first, then those that nobody
    /// concluded, then the others, each from the earliest; the earliest that is left and that nobody
    /// concluded gives the moment.
    pub(super) fn open_disputes(&self, rulings: &[Ruling]) -> BTreeMap<DisputeCause, OpenDispute> {
        let causes = [DisputeCause::Warning, DisputeCause::Chargeback].into_iter();
        let open = causes.filter(|cause| self.net(*cause) > 0);
        open.filter_map(|cause| Some((cause, self.open_dispute(cause, rulings)?))).collect()
    }

    fn open_dispute(&self, cause: DisputeCause, rulings: &[Ruling]) -> Option<OpenDispute> {
        let all = self.filings(cause).into_iter();
        let (ended, left): (Vec<_>, Vec<_>) =
            all.partition(|(fact, _)| fact.status == Status::Reversed);
        let by_status = ended.iter().fold(0_i128, |sum, (_, amount)| sum.saturating_add(*amount));
        let mut undone = self.undone(cause).saturating_sub(by_status);
        // What is concluded stays concluded: only the others can be left open.
        let unsettled = left.into_iter().filter(|(fact, _)| !is_concluded(fact, cause, rulings));
        let open = unsettled.skip_while(|(_, amount)| {
            undone = undone.saturating_sub(*amount);
            undone >= 0
        });
        let open: Vec<&Adjustment> = open.map(|(fact, _)| fact).collect();
        let since = open.first()?.filed_at;
        let covered = |ruling: &Ruling| open.iter().all(|fact| ruling.filings.contains(&fact.id));
        let measures = [Clearable::Verification, Clearable::Service].into_iter();
        let cleared = |one| said(cause, Ruled::Cleared(one), rulings).any(covered);
        Some(OpenDispute { since, cleared: measures.filter(|one| cleared(*one)).collect() })
    }
}

fn by_time(mut facts: Vec<(&Adjustment, i128)>) -> Vec<(&Adjustment, i128)> {
    facts.sort_by(|(a, _), (b, _)| (a.filed_at, &a.id).cmp(&(b.filed_at, &b.id)));
    facts
}

fn said(cause: DisputeCause, what: Ruled, rulings: &[Ruling]) -> impl Iterator<Item = &Ruling> {
    rulings.iter().filter(move |ruling| ruling.cause == cause && ruling.what == what)
}

fn is_concluded(fact: &Adjustment, cause: DisputeCause, rulings: &[Ruling]) -> bool {
    let ends = [Conclusion::Lost, Conclusion::Settled].map(Ruled::Concluded);
    let mut ended = ends.into_iter().flat_map(|what| said(cause, what, rulings));
    ended.any(|ruling| ruling.filings.contains(&fact.id))
}

/// How much of an adjustment is about the lines that granted credits, times the net of the whole
/// basket where not all did.
fn counted(fact: &Adjustment, sale: &Sale, scale: i128) -> i128 {
    let Some(items) = &sale.items else { return i128::from(fact.subtotal.get()) };
    if fact.lines.is_empty() {
        // Nothing says which lines: their part of the whole basket.
        return i128::from(fact.subtotal.get()).saturating_mul(i128::from(sale.paid.get()));
    }
    let granted = fact.lines.iter().filter(|line| items.contains(&line.item));
    let sum = granted.fold(0_i128, |sum, line| sum.saturating_add(line.subtotal.get().into()));
    sum.saturating_mul(scale)
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

/// What went back of a payment's money in all, tax included: at most what was paid.
pub(crate) fn paid_back(payment: &Payment, basket: &Basket) -> Minor {
    let all = Counted::by(payment, basket.currency, 1, |fact| i128::from(fact.total.get()));
    gone(&all, basket.total)
}

/// What was reversed of a payment's net, whatever it bought: at most that.
pub(crate) fn reversed(payment: &Payment, basket: &Basket) -> Result<Minor, MoneyOverflow> {
    let all = Counted::by(payment, basket.currency, 1, |fact| i128::from(fact.subtotal.get()));
    Ok(gone(&all, basket.subtotal.minus(basket.discount)?))
}

fn gone(all: &Counted<'_>, most: Minor) -> Minor {
    let most = i128::from(most.get());
    let refunds = if all.refunded_in_full { most } else { all.refunds() };
    super::clamp(refunds.saturating_add(all.disputed()), most)
}

/// The refunds, credits and undone credits in force, by id.
pub(crate) fn in_force(payment: &Payment) -> BTreeSet<AdjustmentId> {
    let of_refunds = |action| gives_back(action) || action == Action::CreditReverse;
    let facts = payment.adjustments.values();
    let in_force = facts.filter(|fact| of_refunds(fact.action) && fact.status == Status::Approved);
    in_force.map(|fact| fact.id.clone()).collect()
}

/// The filings of a kind of dispute, won or not, by id.
pub(crate) fn filings(payment: &Payment, cause: DisputeCause) -> BTreeSet<AdjustmentId> {
    let (filed, _) = actions(cause);
    let all = payment.adjustments.values().filter(|fact| fact.action == filed);
    all.map(|fact| fact.id.clone()).collect()
}
