//! A second computation of what payments mean: the oracle of the property tests and the simulator.
//!
//! Written from sections 4 and 8 of the design, not from `domain`: it uses that crate's words and
//! none of its rules. It always starts again from the set of all facts, never from what was posted,
//! and computes in integers: credits in billionths, money in minor units.
//!
//! What the design leaves open, and what is taken here:
//! - Adjustments wait until the payment is paid and has an account: before, nothing freezes.
//! - An adjustment in another currency than the payment's counts nowhere: no cause, no closing.
//! - Once a line of a basket granted nothing, only lines that granted count, for causes too: where
//!   no line granted, nothing counts. A currency without a rate grants nothing, but all counts.
//! - Among listed prices, each line that goes by rate is rounded down by itself.
//! - Filings with status `reversed` are over, and what else was undone ends the earliest first: a
//!   cause lasts since the earliest filing that is left.
//! - `paid-then-canceled` stands while the latest fact of all is not paid or completed.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use domain::{
    account::DisputeCause,
    exception::ExceptionKind,
    ids::{AccountId, AdjustmentId, ItemId, PaymentKey},
    money::Currency,
    notice::{Action, Adjustment, Basket, Extent, Notice, Progress, Purchase, Status},
    policy::{Measures, Policy, Shortfall, Unlisted},
    time::Timestamp,
};

/// Credits in billionths: of the paid lot and of the gift lot.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Both {
    /// Of the paid lot.
    pub paid: i128,
    /// Of the gift lot.
    pub gift: i128,
}

impl Both {
    /// Both lots together.
    #[must_use]
    pub const fn sum(self) -> i128 {
        self.paid + self.gift
    }
}

/// What the facts known of one payment amount to.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Entitled {
    /// The account, once a purchase event named one.
    pub account: Option<AccountId>,
    /// What the payment grants.
    pub granted: Both,
    /// What refunds, credits, chargebacks and warnings take of it.
    pub taken: Both,
    /// What refunds that are only requested would take besides.
    pub awaited: Both,
    /// The disputes that are open: since when, and what is done meanwhile.
    pub causes: BTreeMap<DisputeCause, (Timestamp, Measures)>,
    /// When the first chargeback was filed, won or not.
    pub charged_back_at: Option<Timestamp>,
    /// The earliest moment that says paid or completed.
    pub since: Option<Timestamp>,
    /// Whether a shortfall is forgiven.
    pub forgiven: bool,
    /// What a person must see.
    pub exceptions: BTreeSet<ExceptionKind>,
}

/// What every payment amounts to by these facts, in whatever order and however often they stand.
#[must_use]
pub fn entitled<'n>(
    policies: &[Arc<Policy>],
    facts: impl IntoIterator<Item = &'n Notice>,
) -> BTreeMap<PaymentKey, Entitled> {
    let mut payments: BTreeMap<PaymentKey, Facts<'n>> = BTreeMap::new();
    for fact in facts {
        match fact {
            Notice::Purchase(purchase) => {
                payments.entry(purchase.payment.clone()).or_default().purchases.push(purchase);
            }
            Notice::Adjustment(adjustment) => {
                let facts = payments.entry(adjustment.payment.clone()).or_default();
                facts.adjustments.push(adjustment);
            }
            Notice::Nothing => {}
        }
    }
    payments.into_iter().map(|(key, facts)| (key, facts.entitled(policies))).collect()
}

/// Whether the chargebacks of these payments of one account close it: enough of them were filed
/// within the days of one window, wherever it lies.
#[must_use]
pub fn closes(policy: &Policy, payments: &BTreeMap<PaymentKey, Entitled>) -> bool {
    let Some(rule) = policy.close_after else { return false };
    let filed: Vec<i64> =
        payments.values().filter_map(|paid| paid.charged_back_at).map(Timestamp::micros).collect();
    let window = i64::from(rule.within_days) * 86_400_000_000;
    filed.iter().any(|first| {
        let within = filed.iter().filter(|time| (*first..=first + window).contains(time)).count();
        u32::try_from(within).is_ok_and(|within| within >= rule.chargebacks)
    })
}

/// The version that applies to a moment: the first from the beginning of time.
#[must_use]
pub fn policy_at(policies: &[Arc<Policy>], moment: Timestamp) -> &Policy {
    let mut found = policies.first().expect("a ledger has a policy before it has facts");
    for policy in policies.iter().skip(1) {
        if policy.effective_from <= moment {
            found = policy;
        }
    }
    found
}

/// All that was said of one payment.
#[derive(Default)]
struct Facts<'n> {
    purchases: Vec<&'n Purchase>,
    adjustments: Vec<&'n Adjustment>,
}

/// What one basket grants under one policy.
#[derive(Default)]
struct Conversion {
    granted: Both,
    /// The money that counts, net of discount and tax.
    paid: i128,
    /// The only lines that count; none when all do.
    lines: Option<BTreeSet<ItemId>>,
    /// Something was bought that the policy has no credits for.
    unlisted: bool,
}

/// The sums of the adjustments, in the money that counts.
struct Reversals {
    refunds: i128,
    chargebacks: i128,
    warnings: i128,
    requested: i128,
    refunded_in_full: bool,
    requested_in_full: bool,
}

impl Facts<'_> {
    fn entitled(&self, policies: &[Arc<Policy>]) -> Entitled {
        let account = self.purchases.iter().find_map(|purchase| purchase.account.clone());
        let mut result = Entitled { account, ..Entitled::default() };
        let Some((basket, earliest, latest)) = self.paid() else {
            if !self.adjustments.is_empty() {
                result.exceptions.insert(ExceptionKind::Orphan);
            }
            return result;
        };
        let policy = policy_at(policies, earliest);
        let conversion = convert(policy, basket);
        let adjustments = self.latest_adjustments();
        let (counting, foreign): (Vec<&Adjustment>, Vec<&Adjustment>) =
            adjustments.into_iter().partition(|fact| fact.currency == basket.currency);
        let sums = Reversals::of(&counting, &conversion);

        result.since = Some(earliest);
        result.forgiven = policy.shortfall == Shortfall::WriteOff;
        result.granted = conversion.granted;
        result.taken = sums.taken(policy, &conversion);
        result.awaited = sums.awaited(policy, &conversion);
        result.exceptions = exceptions(&conversion, &sums);
        let mut raise = |cause: bool, kind| {
            if cause {
                result.exceptions.insert(kind);
            }
        };
        raise(!foreign.is_empty(), ExceptionKind::CurrencyMismatch);
        raise(self.unpaid_after(latest), ExceptionKind::PaidThenCanceled);
        raise(result.account.is_none(), ExceptionKind::Unassigned);
        if result.account.is_some() {
            result.causes = causes(policies, &counting, &sums, &conversion);
            result.charged_back_at = first_filed(&counting, Action::Chargeback);
        } else {
            result.granted = Both::default();
            result.taken = Both::default();
            result.awaited = Both::default();
        }
        result
    }

    /// The latest basket that was paid for, with the earliest and the latest moment that says so.
    fn paid(&self) -> Option<(&Basket, Timestamp, Timestamp)> {
        let mut facts: Vec<(Timestamp, bool, &Basket)> = Vec::new();
        for purchase in &self.purchases {
            match &purchase.progress {
                Progress::Unpaid(_) => {}
                Progress::Paid(basket) => facts.push((purchase.occurred_at, false, basket)),
                Progress::Completed(basket) => facts.push((purchase.occurred_at, true, basket)),
            }
        }
        let earliest = facts.iter().map(|fact| fact.0).min()?;
        let (latest, _, basket) = facts.into_iter().max()?;
        Some((basket, earliest, latest))
    }

    fn unpaid_after(&self, paid: Timestamp) -> bool {
        self.purchases.iter().any(|purchase| {
            matches!(purchase.progress, Progress::Unpaid(_)) && purchase.occurred_at > paid
        })
    }

    /// Each adjustment as it was said latest, ties by status.
    fn latest_adjustments(&self) -> Vec<&Adjustment> {
        let mut latest: BTreeMap<&AdjustmentId, &Adjustment> = BTreeMap::new();
        for fact in &self.adjustments {
            let known = latest.entry(&fact.id).or_insert(fact);
            if (known.occurred_at, known.status) < (fact.occurred_at, fact.status) {
                *known = fact;
            }
        }
        latest.into_values().collect()
    }
}

impl Reversals {
    fn of(adjustments: &[&Adjustment], conversion: &Conversion) -> Self {
        let sum = |wanted: &dyn Fn(&Adjustment) -> bool| -> i128 {
            let wanted = adjustments.iter().filter(|fact| wanted(fact));
            wanted.map(|fact| amount(fact, conversion)).sum()
        };
        // Reversed means: was in force, and is undone.
        let in_force = |status| matches!(status, Status::Approved | Status::Reversed);
        let net = |kind: &[Action], counts: &dyn Fn(Status) -> bool, undo: Action| {
            let all = sum(&|fact| kind.contains(&fact.action) && counts(fact.status));
            let by_status =
                sum(&|fact| kind.contains(&fact.action) && fact.status == Status::Reversed);
            let by_undo = sum(&|fact| fact.action == undo && fact.status != Status::Rejected);
            (all - by_status.max(by_undo)).max(0)
        };
        let not_rejected = |status| status != Status::Rejected;
        let refund = |fact: &&&Adjustment, status| {
            fact.action == Action::Refund && fact.status == status && fact.extent == Extent::Full
        };
        Self {
            refunds: net(&[Action::Refund, Action::Credit], &in_force, Action::CreditReverse),
            chargebacks: net(&[Action::Chargeback], &not_rejected, Action::ChargebackReverse),
            warnings: net(&[Action::Warning], &not_rejected, Action::WarningReverse),
            requested: sum(&|fact| fact.action == Action::Refund && fact.status == Status::Pending),
            refunded_in_full: adjustments.iter().any(|fact| refund(&fact, Status::Approved)),
            requested_in_full: adjustments.iter().any(|fact| refund(&fact, Status::Pending)),
        }
    }

    fn uncapped(&self) -> i128 {
        self.refunds + self.chargebacks.max(self.warnings)
    }

    fn taken(&self, policy: &Policy, conversion: &Conversion) -> Both {
        let reversed = if self.refunded_in_full {
            conversion.paid
        } else {
            self.uncapped().min(conversion.paid)
        };
        conversion.part(reversed, policy)
    }

    fn awaited(&self, policy: &Policy, conversion: &Conversion) -> Both {
        let taken = self.taken(policy, conversion);
        let all = if self.refunded_in_full || self.requested_in_full {
            conversion.paid
        } else {
            (self.uncapped() + self.requested).min(conversion.paid)
        };
        let target = conversion.part(all, policy);
        Both { paid: target.paid - taken.paid, gift: target.gift - taken.gift }
    }
}

impl Conversion {
    /// What is granted for a part of the money.
    fn part(&self, money: i128, policy: &Policy) -> Both {
        if money == self.paid {
            return self.granted;
        }
        Both {
            paid: rounded_down(self.granted.paid * money, self.paid, policy),
            gift: rounded_down(self.granted.gift * money, self.paid, policy),
        }
    }
}

fn convert(policy: &Policy, basket: &Basket) -> Conversion {
    let net = i128::from(basket.subtotal.get()) - i128::from(basket.discount.get());
    if policy.prices.is_empty() {
        let Some(paid) = by_rate(policy, basket.currency, net) else {
            return Conversion { paid: net, unlisted: true, ..Conversion::default() };
        };
        let granted = Both { paid, gift: 0 };
        return Conversion { granted, paid: net, lines: None, unlisted: false };
    }
    let mut granted = Both::default();
    let mut lines = BTreeSet::new();
    let mut paid = 0;
    for line in &basket.lines {
        let money = i128::from(line.subtotal.get()) - i128::from(line.discount.get());
        let listed = line.price.as_ref().and_then(|price| policy.prices.get(price));
        let rated = by_rate(policy, basket.currency, money);
        match (listed, policy.unlisted, rated) {
            (Some(credits), ..) => {
                granted.paid += credits.paid.billionths() * i128::from(line.quantity);
                granted.gift += credits.gift.billionths() * i128::from(line.quantity);
            }
            (None, Unlisted::Rate, Some(credits)) => granted.paid += credits,
            (None, ..) => continue,
        }
        paid += money;
        lines.insert(line.item.clone());
    }
    let unlisted = lines.len() < basket.lines.len();
    if paid == 0 {
        granted = Both::default();
    }
    Conversion { granted, paid, lines: unlisted.then_some(lines), unlisted }
}

fn by_rate(policy: &Policy, currency: Currency, money: i128) -> Option<i128> {
    let rate = policy.rates.get(&currency)?.billionths();
    let major = 10_i128.pow(u32::from(currency.decimals()));
    Some(rounded_down(rate * money, major, policy))
}

/// A fraction of credits in billionths, neither part below zero, cut at the policy's decimals.
fn rounded_down(numerator: i128, denominator: i128, policy: &Policy) -> i128 {
    if numerator == 0 {
        return 0;
    }
    let unit = 10_i128.pow(9 - u32::from(policy.decimals));
    numerator / (denominator * unit) * unit
}

/// What counts of an adjustment.
fn amount(fact: &Adjustment, conversion: &Conversion) -> i128 {
    match &conversion.lines {
        None => i128::from(fact.subtotal.get()).abs(),
        Some(granting) => {
            let lines = fact.lines.iter().filter(|line| granting.contains(&line.item));
            lines.map(|line| i128::from(line.subtotal.get()).abs()).sum()
        }
    }
}

fn causes(
    policies: &[Arc<Policy>],
    adjustments: &[&Adjustment],
    sums: &Reversals,
    conversion: &Conversion,
) -> BTreeMap<DisputeCause, (Timestamp, Measures)> {
    let kinds = [
        (DisputeCause::Warning, Action::Warning, sums.warnings),
        (DisputeCause::Chargeback, Action::Chargeback, sums.chargebacks),
    ];
    let mut causes = BTreeMap::new();
    for (cause, action, net) in kinds {
        if let Some(since) = earliest_left(adjustments, action, net, conversion) {
            let policy = policy_at(policies, since);
            let measures = match cause {
                DisputeCause::Warning => policy.on_dispute,
                DisputeCause::Chargeback => policy.on_chargeback,
            };
            causes.insert(cause, (since, measures));
        }
    }
    causes
}

/// When the earliest filing was filed that is left of those that make up `net`: what is left are
/// the latest.
fn earliest_left(
    adjustments: &[&Adjustment],
    action: Action,
    net: i128,
    conversion: &Conversion,
) -> Option<Timestamp> {
    let mut standing: Vec<&&Adjustment> = adjustments
        .iter()
        .filter(|fact| fact.action == action)
        .filter(|fact| matches!(fact.status, Status::Pending | Status::Approved))
        .collect();
    standing.sort_by_key(|fact| (fact.filed_at, &fact.id));
    let mut left = net;
    let mut since = None;
    for fact in standing.into_iter().rev() {
        let amount = amount(fact, conversion);
        if left > 0 && amount > 0 {
            since = Some(fact.filed_at);
        }
        left -= amount;
    }
    since
}

fn first_filed(adjustments: &[&Adjustment], action: Action) -> Option<Timestamp> {
    let filed = adjustments
        .iter()
        .filter(|fact| fact.action == action && fact.status != Status::Rejected)
        .map(|fact| fact.filed_at);
    filed.min()
}

fn exceptions(conversion: &Conversion, sums: &Reversals) -> BTreeSet<ExceptionKind> {
    let over = sums.uncapped() > conversion.paid;
    let mut kinds = BTreeSet::new();
    if over {
        kinds.insert(ExceptionKind::OverRefund);
    }
    if conversion.unlisted {
        kinds.insert(ExceptionKind::UnlistedPrice);
    }
    kinds
}

#[cfg(test)]
mod tests {
    use domain::credits::Credits;

    use super::*;
    use crate::history::History;

    fn conversion(granted: i128, paid: i128) -> Conversion {
        let granted = Both { paid: granted, gift: 0 };
        Conversion { granted, paid, lines: None, unlisted: false }
    }

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

    fn policy(decimals: u8) -> Policy {
        let history = History::generate(0);
        let policy = history.policies.first().expect("a history has a policy");
        Policy { decimals, ..(**policy).clone() }
    }

    /// 10.00 of money for 7.1 credits each, worked out by hand.
    #[test]
    fn credits_are_rounded_down_at_the_decimals() {
        let usd = Currency::new("USD").unwrap();
        let mut policy = policy(0);
        policy.rates = [(usd, Credits::parse("7.19", 9).unwrap())].into();
        assert_eq!(by_rate(&policy, usd, 1_000), Some(71_000_000_000));
        policy.decimals = 2;
        assert_eq!(by_rate(&policy, usd, 1_001), Some(71_970_000_000));
        let eur = Currency::new("EUR").unwrap();
        assert_eq!(by_rate(&policy, eur, 1_000), None);
    }

    #[test]
    fn a_chargeback_after_a_warning_takes_once_and_never_more_than_all() {
        let policy = policy(0);
        let whole = conversion(100_000_000_000, 300);
        let taken = |sums: Reversals| sums.taken(&policy, &whole).paid;
        assert_eq!(taken(reversals(0, 100, 100)), 33_000_000_000);
        assert_eq!(taken(reversals(100, 100, 50)), 66_000_000_000);
        assert_eq!(taken(reversals(300, 300, 300)), 100_000_000_000);
        let full = Reversals { refunded_in_full: true, ..reversals(1, 0, 0) };
        assert_eq!(taken(full), 100_000_000_000);
    }
}
