//! What a payment grants and takes: a function of the set of facts about it and of the policies.
//!
//! Nothing here depends on the order of arrival, so neither do balances (rules 1 to 6).

use std::collections::{BTreeMap, BTreeSet};

use crate::{
    account::DisputeCause,
    credits::{CreditOverflow, Credits},
    holding::Pair,
    ids::{AdjustmentId, ItemId},
    money::{Minor, MoneyOverflow},
    notice::{Action, Adjustment, Basket, Extent, Line, Status},
    payment::Payment,
    policy::{Policy, Timeline, Unlisted},
    time::Timestamp,
};

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
    /// The disputes that are open, with the moment of the earliest filing that is not undone.
    pub(crate) disputes: BTreeMap<DisputeCause, Timestamp>,
    /// When the first chargeback was filed, won or not.
    pub(crate) chargeback_filed_at: Option<Timestamp>,
    /// Whether more was reversed than was paid.
    pub(crate) over_refunded: bool,
    /// Whether something was bought that the policy has no credits for.
    pub(crate) unlisted: bool,
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
    let sale = Sale::of(&paid.basket, policy)?;
    let counted = Counted::of(payment, &paid.basket, &sale);
    let decimals = policy.decimals;
    let price = i128::from(sale.paid.get());
    let share = |granted: Pair, part: i128| -> Result<Pair, OutOfRange> {
        let part = clamp(part, price);
        Ok(Pair {
            paid: granted.paid.share(part, sale.paid, decimals)?,
            gift: granted.gift.share(part, sale.paid, decimals)?,
        })
    };

    let refunds = if counted.refunded_in_full { price } else { counted.refunds().min(price) };
    let disputed = counted.net(DisputeCause::Chargeback).max(counted.net(DisputeCause::Warning));
    let reversed = refunds.saturating_add(disputed).min(price);
    let awaited = if counted.pending_in_full { price } else { counted.pending };
    let with_awaited = reversed.saturating_add(awaited).min(price);

    let (refunded, taken, asked) = (
        share(sale.granted, refunds)?,
        share(sale.granted, reversed)?,
        share(sale.granted, with_awaited)?,
    );
    Ok(Some(Entitlement {
        granted: sale.granted,
        refunded,
        charged_back: taken.minus(refunded)?,
        awaited: asked.minus(taken)?,
        received: sale.paid,
        reversed: clamp(reversed, price),
        disputes: counted.open_disputes(),
        chargeback_filed_at: counted.first_filed(DisputeCause::Chargeback),
        over_refunded: counted.refunds().saturating_add(disputed) > price,
        unlisted: sale.unlisted,
    }))
}

/// A sum within 0 and `most`, as an amount of money.
fn clamp(sum: i128, most: i128) -> Minor {
    i64::try_from(sum.clamp(0, most.max(0))).ok().and_then(Minor::new).unwrap_or(Minor::ZERO)
}

/// What a basket buys.
struct Sale {
    /// For how much, net: the lines that granted credits.
    paid: Minor,
    granted: Pair,
    /// The lines that granted credits; `None` when all did.
    items: Option<BTreeSet<ItemId>>,
    unlisted: bool,
}

impl Sale {
    /// Rule 2: by price where prices are listed, else by the rate of the currency.
    fn of(basket: &Basket, policy: &Policy) -> Result<Self, OutOfRange> {
        let sale = if policy.prices.is_empty() {
            Self::by_rate(basket, policy)?
        } else {
            Self::by_price(basket, policy)?
        };
        let granted = if sale.paid == Minor::ZERO { Pair::ZERO } else { sale.granted };
        Ok(Self { granted, ..sale })
    }

    fn by_rate(basket: &Basket, policy: &Policy) -> Result<Self, OutOfRange> {
        let paid = net(basket.subtotal, basket.discount)?;
        let bought = at_rate(paid, basket, policy)?;
        let granted = Pair { paid: bought.unwrap_or(Credits::ZERO), gift: Credits::ZERO };
        Ok(Self { paid, granted, items: None, unlisted: bought.is_none() })
    }

    fn by_price(basket: &Basket, policy: &Policy) -> Result<Self, OutOfRange> {
        let mut sale =
            Self { paid: Minor::ZERO, granted: Pair::ZERO, items: None, unlisted: false };
        let mut items = BTreeSet::new();
        for line in &basket.lines {
            let paid = net(line.subtotal, line.discount)?;
            match bought_by(line, paid, basket, policy)? {
                Some(bought) => {
                    sale.paid = sale.paid.plus(paid)?;
                    sale.granted = sale.granted.plus(bought)?;
                    items.insert(line.item.clone());
                }
                None => sale.unlisted = true,
            }
        }
        sale.items = (items.len() < basket.lines.len()).then_some(items);
        Ok(sale)
    }
}

/// Subtotal without discount, never below zero.
fn net(subtotal: Minor, discount: Minor) -> Result<Minor, OutOfRange> {
    Ok(subtotal.minus(discount)?.max(Minor::ZERO))
}

/// What money buys by the rate of its currency; `None` where there is no rate.
fn at_rate(paid: Minor, basket: &Basket, policy: &Policy) -> Result<Option<Credits>, OutOfRange> {
    let Some(rate) = policy.rates.get(&basket.currency) else { return Ok(None) };
    Ok(Some(rate.buying(paid, basket.currency, policy.decimals)?))
}

/// What one line buys; `None` where the policy has no credits for it.
fn bought_by(
    line: &Line,
    paid: Minor,
    basket: &Basket,
    policy: &Policy,
) -> Result<Option<Pair>, OutOfRange> {
    let listed = line.price.as_ref().and_then(|price| policy.prices.get(price));
    match (listed, policy.unlisted) {
        (Some(credits), _) => Ok(Some(Pair {
            paid: credits.paid.times(line.quantity)?,
            gift: credits.gift.times(line.quantity)?,
        })),
        (None, Unlisted::Ignore) => Ok(None),
        (None, Unlisted::Rate) => {
            let bought = at_rate(paid, basket, policy)?;
            Ok(bought.map(|paid| Pair { paid, gift: Credits::ZERO }))
        }
    }
}

/// The adjustments of a payment that count, summed by what they do.
struct Counted<'p> {
    adjustments: Vec<(&'p Adjustment, i128)>,
    refunded_in_full: bool,
    pending_in_full: bool,
    pending: i128,
}

impl<'p> Counted<'p> {
    fn of(payment: &'p Payment, basket: &Basket, sale: &Sale) -> Self {
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
    fn refunds(&self) -> i128 {
        let in_force = |status| matches!(status, Status::Approved | Status::Reversed);
        let all = self.sum(|fact| gives_back(fact.action) && in_force(fact.status));
        let reversed = self.sum(|fact| gives_back(fact.action) && fact.status == Status::Reversed);
        let undone = self.sum(|fact| fact.action == Action::CreditReverse && in_force(fact.status));
        all.saturating_sub(reversed.max(undone)).max(0)
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
        let mut filings: Vec<_> = self
            .adjustments
            .iter()
            .filter(|(fact, _)| fact.action == filed && fact.status != Status::Rejected)
            .copied()
            .collect();
        filings.sort_by(|(a, _), (b, _)| (a.filed_at, &a.id).cmp(&(b.filed_at, &b.id)));
        filings
    }

    fn first_filed(&self, cause: DisputeCause) -> Option<Timestamp> {
        self.filings(cause).first().map(|(fact, _)| fact.filed_at)
    }

    /// The open disputes. An undo ends filings with status `reversed` first, then the earliest;
    /// the earliest filing that is left gives the moment.
    fn open_disputes(&self) -> BTreeMap<DisputeCause, Timestamp> {
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
                let left = open.into_iter().find(|(_, amount)| {
                    undone = undone.saturating_sub(*amount);
                    undone < 0
                });
                left.map(|(fact, _)| (cause, fact.filed_at))
            })
            .collect()
    }
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
