//! What was said of one payment, and what follows from all of it.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use domain::{
    account::DisputeCause,
    exception::ExceptionKind,
    holding::Pair,
    ids::{AccountId, AdjustmentId, OperationId},
    input::Import,
    money::Minor,
    notice::{Action, Adjustment, Basket, Progress, Purchase, Status},
    payment::Ruled,
    policy::{Measures, Policy, Shortfall},
    time::Timestamp,
};

use super::{
    Both,
    convert::{self, Conversion},
    disputes, policy_at,
    reversals::Reversals,
};

/// All that was said of one payment, in the order of the records.
#[derive(Clone, Debug, Default)]
pub struct Told {
    /// Every account that was named for it.
    named: Vec<AccountId>,
    purchases: Vec<Purchase>,
    adjustments: Vec<Adjustment>,
    import: Option<Box<Old>>,
    /// What operators said of disputes, each with the filings known then.
    pub(super) rulings: Vec<(DisputeCause, Ruled, BTreeSet<AdjustmentId>)>,
    /// What refund cases hold and take of it.
    pub(super) claims: BTreeMap<OperationId, Claim>,
}

/// A payment from before the ledger knew it.
#[derive(Clone, Debug)]
struct Old {
    paid_at: Timestamp,
    granted: Both,
    used: Both,
    basket: Basket,
}

/// The basket that was paid for.
struct Paid<'t> {
    earliest: Timestamp,
    latest: Timestamp,
    basket: &'t Basket,
    other_currency: bool,
}

/// What a refund case is to its payment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Claim {
    /// Who applies.
    pub account: AccountId,
    /// When the case was opened.
    pub opened_at: Timestamp,
    /// When it ended, and whether because the money came back.
    pub ended: Option<(Timestamp, bool)>,
    /// The credits that go with the money; all that the payment granted where no account had it.
    pub credits: Option<Both>,
    /// The money that must come back, in minor units.
    pub money: i128,
    /// The refunds, and what undoes refunds, that were in force when it was quoted.
    pub earlier: BTreeSet<AdjustmentId>,
    /// The refunds that ended it.
    pub own: BTreeSet<AdjustmentId>,
}

/// The refunds of a case.
struct Own {
    ids: BTreeSet<AdjustmentId>,
    /// What counts of them by rule 3.
    counted: i128,
    /// When the last of them was filed, if they bring the money back.
    back_at: Option<Timestamp>,
}

/// What the facts known of one payment amount to.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Entitled {
    /// The account, once one was named.
    pub account: Option<AccountId>,
    /// What the payment grants.
    pub granted: Both,
    /// What refunds and credits take of it.
    pub refunded: Both,
    /// What refunds, credits, chargebacks and warnings take of it.
    pub taken: Both,
    /// What refunds that are only requested would take besides.
    pub awaited: Both,
    /// What was used of it before the ledger knew it.
    pub used_before: Both,
    /// The money that counts, in minor units, and what of it went back.
    pub money: (i128, i128),
    /// The money that is gone, tax included, whatever it was for.
    pub paid_back: i128,
    /// The money that is gone of the net, whatever it was for.
    pub net_back: i128,
    /// The disputes that are open: since when, and what is done to the account meanwhile.
    pub causes: BTreeMap<DisputeCause, (Timestamp, Measures)>,
    /// When the first chargeback was filed, won or not.
    pub charged_back_at: Option<Timestamp>,
    /// The earliest moment that says paid or completed.
    pub since: Option<Timestamp>,
    /// The basket that counts.
    pub basket: Option<Basket>,
    /// The version that applies.
    pub policy: Option<u32>,
    /// Whether a shortfall is forgiven.
    pub forgiven: bool,
    /// The open cases whose money came back, each with the refunds that brought it.
    pub covered: BTreeMap<OperationId, BTreeSet<AdjustmentId>>,
    /// What a person must see.
    pub exceptions: BTreeSet<ExceptionKind>,
}

impl Told {
    /// A purchase event, and the account that it names.
    pub fn hear_purchase(&mut self, purchase: &Purchase, names: Option<AccountId>) {
        self.named.extend(names);
        self.purchases.push(purchase.clone());
    }

    /// An adjustment event.
    pub fn hear(&mut self, adjustment: &Adjustment) {
        self.adjustments.push(adjustment.clone());
    }

    /// An operator says whose it is.
    pub fn assign(&mut self, account: &AccountId) {
        self.named.push(account.clone());
    }

    /// An operator brings it in.
    pub fn import(&mut self, import: &Import) {
        self.named.push(import.account.clone());
        let both = |pair: Pair| Both { paid: pair.paid.billionths(), gift: pair.gift.billionths() };
        let total = import.net.get() + import.tax.get();
        self.import = Some(Box::new(Old {
            paid_at: import.paid_at,
            granted: both(import.opening.granted),
            used: both(import.opening.used),
            basket: Basket {
                currency: import.currency,
                subtotal: import.net,
                discount: Minor::ZERO,
                tax: import.tax,
                total: Minor::new(total).expect("imported amounts are in range"),
                lines: Vec::new(),
            },
        }));
    }

    /// An operator says something of the disputes of a kind that are known.
    pub fn rule(&mut self, cause: DisputeCause, what: Ruled) {
        let filed = match cause {
            DisputeCause::Warning => Action::Warning,
            DisputeCause::Chargeback => Action::Chargeback,
        };
        let known = self.latest_adjustments();
        let known = known.into_iter().filter(|fact| fact.action == filed);
        let filings = known.map(|fact| fact.id.clone()).collect();
        self.rulings.push((cause, what, filings));
    }

    /// Whose it is: the first that was named.
    #[must_use]
    pub fn account(&self) -> Option<&AccountId> {
        self.named.first()
    }

    /// Whether anything says that it is paid.
    #[must_use]
    pub fn is_paid(&self) -> bool {
        self.paid().is_some()
    }

    /// What follows from all of it.
    #[must_use]
    pub fn entitled(&self, policies: &[Arc<Policy>]) -> Entitled {
        let account = self.account().cloned();
        let mut result = Entitled { account, ..Entitled::default() };
        let mut raise = |cause: bool, kind| {
            if cause {
                result.exceptions.insert(kind);
            }
        };
        let first = self.named.first();
        raise(self.named.iter().any(|named| Some(named) != first), ExceptionKind::AccountMismatch);
        let Some(paid) = self.paid() else {
            raise(!self.adjustments.is_empty(), ExceptionKind::Orphan);
            return result;
        };
        let policy = policy_at(policies, paid.earliest);
        let conversion = self.conversion(policy, paid.basket);
        let (counting, foreign): (Vec<&Adjustment>, Vec<&Adjustment>) = self
            .latest_adjustments()
            .into_iter()
            .partition(|fact| fact.currency == paid.basket.currency);
        let sums = Reversals::of(&counting, conversion.parts(), |fact| conversion.amount(fact));
        raise(!foreign.is_empty() || paid.other_currency, ExceptionKind::CurrencyMismatch);
        raise(self.unpaid_after(paid.latest), ExceptionKind::PaidThenCanceled);
        raise(self.named.is_empty(), ExceptionKind::Unassigned);
        raise(sums.uncapped() > conversion.paid, ExceptionKind::OverRefund);
        raise(conversion.unlisted, ExceptionKind::UnlistedPrice);

        result.since = Some(paid.earliest);
        result.policy = Some(policy.version);
        result.basket = Some(paid.basket.clone());
        let gone = |all: i128, amount: &dyn Fn(&Adjustment) -> i128| {
            Reversals::of(&counting, 1, amount).reversed(all)
        };
        let total = i128::from(paid.basket.total.get());
        result.paid_back = gone(total, &|fact| i128::from(fact.total.get()).abs());
        let net = convert::net(paid.basket);
        result.net_back = gone(net, &|fact| i128::from(fact.subtotal.get()).abs());
        result.forgiven = policy.shortfall == Shortfall::WriteOff;
        let cases = self.cases(&counting, (&conversion, policy), &mut result.covered);
        result.causes = disputes::causes(policies, self, &counting, (&conversion, &cases.asked));
        if result.account.is_some() {
            let taken = sums.taken(policy, &conversion, (cases.taken, cases.awaited));
            result.granted = conversion.granted;
            result.refunded = taken.refunded;
            result.taken = taken.all;
            result.awaited = taken.awaited;
            result.used_before = self.import.as_ref().map(|old| old.used).unwrap_or_default();
            result.money = (conversion.paid, sums.reversed(conversion.paid));
            result.charged_back_at = disputes::first_chargeback(&counting);
        }
        result
    }

    /// What the payment buys: an old one what the operator said.
    pub(super) fn conversion(&self, policy: &Policy, basket: &Basket) -> Conversion {
        let Some(old) = &self.import else { return convert::convert(policy, basket) };
        let paid = convert::net(basket);
        Conversion { granted: old.granted, paid, whole: paid, lines: None, unlisted: false }
    }

    /// The latest basket that was paid for, in the currency that was named first.
    fn paid(&self) -> Option<Paid<'_>> {
        let old = self.import.iter().map(|old| (old.paid_at, true, &old.basket));
        let said = self.purchases.iter().filter_map(|purchase| match &purchase.progress {
            Progress::Unpaid(_) => None,
            Progress::Paid(basket) => Some((purchase.occurred_at, false, basket)),
            Progress::Completed(basket) => Some((purchase.occurred_at, true, basket)),
        });
        let all: Vec<(Timestamp, bool, &Basket)> = old.chain(said).collect();
        let currency = all.first()?.2.currency;
        let own = || all.iter().filter(|(_, _, basket)| basket.currency == currency);
        let earliest = own().map(|fact| fact.0).min()?;
        let (latest, _, basket) = own().max()?;
        let other_currency = own().count() < all.len();
        Some(Paid { earliest, latest: *latest, basket, other_currency })
    }

    fn unpaid_after(&self, paid: Timestamp) -> bool {
        self.purchases.iter().any(|purchase| {
            matches!(purchase.progress, Progress::Unpaid(_)) && purchase.occurred_at > paid
        })
    }

    /// Each adjustment as it was said latest, ties by status, then by content.
    fn latest_adjustments(&self) -> Vec<&Adjustment> {
        let mut latest: BTreeMap<&AdjustmentId, &Adjustment> = BTreeMap::new();
        let rank = |fact: &Adjustment| (fact.occurred_at, fact.status);
        for fact in &self.adjustments {
            let known = latest.entry(&fact.id).or_insert(fact);
            let further = (rank(known), *known) < (rank(fact), fact);
            if further {
                *known = fact;
            }
        }
        latest.into_values().collect()
    }

    /// The refunds, and what undoes refunds, that are in force: not those of a later case.
    pub(super) fn refunds_in_force(&self) -> BTreeSet<AdjustmentId> {
        let all = self.latest_adjustments().into_iter();
        let in_force = all.filter(|fact| {
            matches!(fact.action, Action::Refund | Action::Credit | Action::CreditReverse)
                && fact.status == Status::Approved
        });
        in_force.map(|fact| fact.id.clone()).collect()
    }
}

/// What the refund cases of a payment come to.
#[derive(Default)]
struct Cases {
    taken: Both,
    awaited: Both,
    asked: disputes::Asked,
}

impl Told {
    /// A case whose money came back takes the credits that go with it beyond what its refunds take;
    /// an open one awaits them.
    fn cases(
        &self,
        counting: &[&Adjustment],
        (conversion, policy): (&Conversion, &Policy),
        covered: &mut BTreeMap<OperationId, BTreeSet<AdjustmentId>>,
    ) -> Cases {
        let mut all = Cases::default();
        for (id, claim) in &self.claims {
            let own = own_refunds(claim, counting, conversion);
            let wanted = claim.credits.unwrap_or(conversion.granted);
            let rest = wanted.minus(conversion.part(own.counted, policy)).at_least_nothing();
            let until = match (claim.ended, own.back_at) {
                (None, back_at) => {
                    all.awaited = all.awaited.plus(rest);
                    if back_at.is_some() {
                        covered.insert(*id, own.ids);
                    }
                    back_at
                }
                (Some((_, true)), Some(back_at)) => {
                    all.taken = all.taken.plus(rest);
                    Some(back_at)
                }
                (Some((ended, _)), _) => Some(ended),
            };
            all.asked.push((claim.opened_at, until));
        }
        all
    }
}

/// The refunds that are a case's own, up to the one that brings all its money back: those that ended
/// it, or while it is open the first since it was quoted, by the provider's time.
fn own_refunds(claim: &Claim, counting: &[&Adjustment], conversion: &Conversion) -> Own {
    let since =
        |fact: &&&Adjustment| fact.status == Status::Approved && !claim.earlier.contains(&fact.id);
    let undone = counting.iter().filter(since).filter(|fact| fact.action == Action::CreditReverse);
    let undone: i128 = undone.map(|fact| conversion.with_tax(fact)).sum();
    let back = counting
        .iter()
        .filter(since)
        .filter(|fact| matches!(fact.action, Action::Refund | Action::Credit))
        .filter(|fact| claim.ended.is_none() || claim.own.contains(&fact.id));
    let mut back: Vec<&Adjustment> = back.copied().collect();
    back.sort_by_key(|fact| (fact.filed_at, fact.id.clone()));

    let mut own = Own { ids: BTreeSet::new(), counted: 0, back_at: None };
    let mut money = 0;
    for fact in back {
        own.ids.insert(fact.id.clone());
        own.counted += conversion.amount(fact);
        money += conversion.with_tax(fact);
        if claim.money > 0 && money - undone >= claim.money {
            own.back_at = Some(fact.filed_at);
            break;
        }
    }
    own.counted /= conversion.parts();
    own
}
