//! What a payment grants and takes: a function of the set of facts about it and of the policies.
//!
//! Nothing here depends on the order of arrival, so neither do balances (rules 1 to 6).

mod claimed;
mod counted;
mod sale;

use std::collections::{BTreeMap, BTreeSet};

use crate::{
    account::DisputeCause,
    credits::CreditOverflow,
    holding::Pair,
    ids::{AdjustmentId, OperationId},
    money::{Minor, MoneyOverflow},
    payment::{Clearable, Payment},
    policy::{Policy, Timeline},
    time::Timestamp,
};
use claimed::Claimed;
use counted::Counted;
pub(crate) use counted::{filings, in_force, paid_back, reversed};
pub(crate) use sale::sale;

/// What a paid payment grants and takes, all told.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Entitlement {
    /// Granted to the paid and the gift lot.
    pub(crate) granted: Pair,
    /// Taken by refunds.
    pub(crate) refunded: Pair,
    /// Taken by chargebacks and warnings.
    pub(crate) charged_back: Pair,
    /// Would be taken by refunds that are only asked for.
    pub(crate) awaited: Pair,
    /// Money that came in for credits, net.
    pub(crate) received: Minor,
    /// Of that, money that went back.
    pub(crate) reversed: Minor,
    /// What was used of it before Tallyhook knew it.
    pub(crate) used_before: Pair,
    /// The disputes that are open.
    pub(crate) disputes: BTreeMap<DisputeCause, OpenDispute>,
    /// When the first chargeback was filed, won or not.
    pub(crate) chargeback_filed_at: Option<Timestamp>,
    /// Whether more was reversed than was paid.
    pub(crate) over_refunded: bool,
    /// Whether something was bought that the policy has no credits for.
    pub(crate) unlisted: bool,
    /// The open refund cases whose money is back, with the refunds that brought it.
    pub(crate) returned: Vec<(OperationId, BTreeSet<AdjustmentId>)>,
    /// When refund cases were open: from, and until.
    cases: Vec<(Timestamp, Option<Timestamp>)>,
}

impl Entitlement {
    /// Whether the customer had a refund case open at a moment.
    pub(crate) fn had_open_case(&self, at: Timestamp) -> bool {
        self.cases.iter().any(|(from, until)| *from <= at && until.is_none_or(|until| at < until))
    }
}

/// A dispute that is open: neither undone nor concluded.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct OpenDispute {
    /// When the earliest filing of it was filed.
    pub(crate) since: Timestamp,
    /// The measures that an operator ended.
    pub(crate) cleared: BTreeSet<Clearable>,
}

/// A sum of the rules left the range of amounts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct OutOfRange;

impl From<CreditOverflow> for OutOfRange {
    fn from(_: CreditOverflow) -> Self {
        Self
    }
}

impl From<MoneyOverflow> for OutOfRange {
    fn from(_: MoneyOverflow) -> Self {
        Self
    }
}

/// What a payment grants and takes; `None` while it is not paid.
///
/// `policy` is the version at the payment's earliest paid moment.
pub(crate) fn of(payment: &Payment, policy: &Policy) -> Result<Option<Entitlement>, OutOfRange> {
    let Some(paid) = &payment.paid else { return Ok(None) };
    let sale = sale(payment, &paid.basket, policy)?;
    let counted = Counted::of(payment, &paid.basket, &sale);
    let decimals = policy.decimals;
    let price = i128::from(sale.paid.get());
    let share = |granted: Pair, part: i128| -> Result<Pair, OutOfRange> {
        let part = clamp(part, price);
        if part == Minor::ZERO {
            return Ok(Pair::ZERO);
        }
        Ok(granted.share(part, sale.paid, decimals)?)
    };

    let net = counted.refunds();
    let refunds = if counted.refunded_in_full { price } else { net.min(price) };
    let disputed = counted.disputed();
    let reversed = refunds.saturating_add(disputed).min(price);
    let awaited = if counted.pending_in_full { price } else { counted.pending() };
    let with_awaited = reversed.saturating_add(awaited).min(price);

    let by_facts = Taken {
        refunded: share(sale.granted, refunds)?,
        all: share(sale.granted, reversed)?,
        asked: share(sale.granted, with_awaited)?,
    };
    let claimed = Claimed::of(payment, &counted, sale.granted, |part| share(sale.granted, part))?;
    let taken = by_facts.with_cases(&claimed, sale.granted)?;
    Ok(Some(Entitlement {
        granted: sale.granted,
        refunded: taken.refunded,
        charged_back: taken.all.minus(taken.refunded)?,
        awaited: taken.asked.minus(taken.all)?,
        received: sale.paid,
        reversed: clamp(reversed, price),
        used_before: payment.opening.map_or(Pair::ZERO, |opening| opening.used),
        disputes: counted.open_disputes(&payment.rulings),
        chargeback_filed_at: counted.first_filed(DisputeCause::Chargeback),
        over_refunded: net.saturating_add(disputed) > price,
        unlisted: sale.unlisted,
        returned: claimed.returned,
        cases: claimed.open,
    }))
}

/// What is taken of a payment's credits, and what would be.
struct Taken {
    refunded: Pair,
    /// By refunds and disputes.
    all: Pair,
    /// With refunds that are only asked for.
    asked: Pair,
}

impl Taken {
    /// What refund cases change: one whose money is back took the credits that it quoted, an open
    /// one awaits them. Of a case and the processor's refunds the larger counts, not the sum
    /// (rules 4 and 5).
    fn with_cases(self, claimed: &Claimed, granted: Pair) -> Result<Self, OutOfRange> {
        let refunded = self.refunded.plus(claimed.taken)?.at_most(granted);
        let all = refunded.plus(self.all.minus(self.refunded)?)?.at_most(granted);
        let by_facts = self.asked.minus(self.all)?;
        let asked = all.plus(larger(by_facts, claimed.awaited)?)?.at_most(granted);
        Ok(Self { refunded, all, asked })
    }
}

/// The one with more credits.
fn larger(one: Pair, other: Pair) -> Result<Pair, OutOfRange> {
    Ok(if other.sum()? > one.sum()? { other } else { one })
}

/// A sum within 0 and `most`, as an amount of money.
fn clamp(sum: i128, most: i128) -> Minor {
    i64::try_from(sum.clamp(0, most.max(0))).ok().and_then(Minor::new).unwrap_or(Minor::ZERO)
}

/// Whether chargebacks filed at these moments close an account: at each, by the policy of then.
pub(crate) fn closes(filed: &[Timestamp], timeline: &Timeline) -> bool {
    filed.iter().any(|at| {
        let Some(rule) = timeline.at(*at).and_then(|policy| policy.close_after) else {
            return false;
        };
        let from = at.days_before(rule.within_days);
        let within = filed.iter().filter(|other| from <= **other && *other <= at).count();
        u32::try_from(within).unwrap_or(u32::MAX) >= rule.chargebacks
    })
}
