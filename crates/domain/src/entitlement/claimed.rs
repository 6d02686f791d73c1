//! What refund cases hold and take of a payment, besides what the processor's events do.

use std::collections::BTreeSet;

use crate::{
    case::{Claim, ClaimEnd},
    entitlement::{OutOfRange, counted::Counted},
    holding::Pair,
    ids::{AdjustmentId, OperationId},
    money::Minor,
    notice::{Action, Adjustment, Status},
    payment::Payment,
    time::Timestamp,
};

/// The claims of a payment's cases, all told.
pub(super) struct Claimed {
    /// Taken beyond what the cases' own refunds take by their money.
    pub(super) taken: Pair,
    /// Held beyond that by open cases.
    pub(super) awaited: Pair,
    /// The open cases whose money is back, with the refunds that brought it.
    pub(super) returned: Vec<(OperationId, BTreeSet<AdjustmentId>)>,
    /// When the cases were open: from, and until.
    pub(super) open: Vec<(Timestamp, Option<Timestamp>)>,
}

impl Claimed {
    /// What the claims come to. `share` gives the credits that a part of the price takes.
    pub(super) fn of(
        payment: &Payment,
        counted: &Counted<'_>,
        granted: Pair,
        share: impl Fn(i128) -> Result<Pair, OutOfRange>,
    ) -> Result<Self, OutOfRange> {
        let (returned, open) = (Vec::new(), Vec::new());
        let mut all = Self { taken: Pair::ZERO, awaited: Pair::ZERO, returned, open };
        for (id, claim) in &payment.claims {
            let own = Own::of(claim, counted);
            let excess = claim.credits.unwrap_or(granted).minus(share(own.counted)?)?.or_zero();
            let (taken, awaited, until) = match (claim.ended, own.back_at) {
                (None, None) => (Pair::ZERO, excess, None),
                (None, Some(at)) => {
                    all.returned.push((*id, own.refunds));
                    (excess, Pair::ZERO, Some(at))
                }
                (Some((_, ClaimEnd::Refunded)), Some(at)) => (excess, Pair::ZERO, Some(at)),
                (Some((at, _)), _) => (Pair::ZERO, Pair::ZERO, Some(at)),
            };
            all.taken = all.taken.plus(taken)?;
            all.awaited = all.awaited.plus(awaited)?;
            all.open.push((claim.opened_at, until));
        }
        Ok(all)
    }
}

/// The refunds that are a case's own: those that ended it; of an open one the first since it was
/// quoted, by the provider's time, that bring its money back, or all until they do.
struct Own {
    refunds: BTreeSet<AdjustmentId>,
    /// How much of them counts by rule 3.
    counted: i128,
    /// When the money was back.
    back_at: Option<Timestamp>,
}

impl Own {
    fn of(claim: &Claim, counted: &Counted<'_>) -> Self {
        let since = |fact: &Adjustment| {
            let own = claim.ended.is_none() || claim.own.contains(&fact.id);
            fact.status == Status::Approved && own && !claim.earlier.contains(&fact.id)
        };
        let undoes = |fact: &Adjustment| {
            fact.action == Action::CreditReverse
                && fact.status == Status::Approved
                && !claim.earlier.contains(&fact.id)
        };
        let undone = counted.money(undoes);
        let mut needed = i128::from(claim.money.get()).saturating_add(undone);
        let mut own = Self { refunds: BTreeSet::new(), counted: 0, back_at: None };
        for (fact, amount) in counted.refunds_by_time(since) {
            own.refunds.insert(fact.id.clone());
            own.counted = own.counted.saturating_add(amount);
            needed = needed.saturating_sub(counted.money_of(fact));
            if needed <= 0 && claim.money > Minor::ZERO {
                own.back_at = Some(fact.filed_at);
                break;
            }
        }
        own.counted = counted.units(own.counted);
        own
    }
}
