//! A second computation of what a ledger's inputs mean: the oracle of the property tests and the
//! simulator.
//!
//! Written from sections 4 and 8 of the design, not from `domain`: it uses that crate's words and
//! none of its rules. It always starts again from the set of all facts, never from what was posted,
//! and computes in integers: credits in billionths, money in minor units.
//!
//! [`Told`] is what was said of one payment and [`Entitled`] what follows from it. [`Ledger`] keeps
//! all that was accepted, [`Picture`] is what follows from that, and [`answer`] says what must
//! become of an input before anyone decides it.
//!
//! What the design leaves open, and what is taken here:
//! - Adjustments wait until the payment is paid and has an account: before, nothing freezes.
//! - An adjustment in another currency than the payment's counts nowhere: no cause, no closing.
//! - Once a line of a basket granted nothing, only lines that granted count, for causes too: where
//!   no line granted, nothing counts. A currency without a rate grants nothing, but all counts. An
//!   adjustment without lines is about every line in proportion; proportions are summed before they
//!   are rounded. Without lines in the basket nobody knows what was bought: it grants nothing by
//!   price, and all counts.
//! - Among listed prices, each line that goes by rate is rounded down by itself.
//! - Filings with status `reversed` and those that an operator concluded are over, and what else was
//!   undone ends the others, the earliest first: a cause lasts since the earliest that is left.
//! - A refund case takes and awaits its credits beyond what its own refunds take: the first since it
//!   was quoted that bring its money back, by the provider's time.
//! - `paid-then-canceled` stands while the latest fact of all is not paid or completed.
//! - Nothing happens after it is recorded: a version of the policy never changes what was posted.
//! - Which lots a debit, hold or settlement touches depends on the order of arrival: that it is the
//!   oldest is checked for each by itself, and what moved is then a fact like any other.

mod answer;
mod cases;
mod check;
mod convert;
mod disputes;
mod effects;
mod learn;
mod ledger;
mod lots;
mod payment;
mod picture;
mod refusals;
mod reversals;
mod settle;

use std::{collections::BTreeMap, sync::Arc};

use domain::{
    account::DisputeCause,
    ids::{AccountId, PaymentKey},
    notice::Notice,
    payment::Ruled,
    policy::Policy,
    time::Timestamp,
};

pub use self::{
    answer::{Expected, answer},
    cases::Case,
    ledger::{Debit, Hold, Ledger, Shown, Waiting},
    lots::{Left, Lots},
    payment::{Claim, Entitled, Told},
    picture::{Books, Holding, Picture, Standing},
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

    /// The sum, lot by lot.
    #[must_use]
    pub const fn plus(self, other: Self) -> Self {
        Self { paid: self.paid + other.paid, gift: self.gift + other.gift }
    }

    /// The difference, lot by lot.
    #[must_use]
    pub const fn minus(self, other: Self) -> Self {
        Self { paid: self.paid - other.paid, gift: self.gift - other.gift }
    }

    /// Nothing where it is below zero, lot by lot.
    #[must_use]
    pub fn at_least_nothing(self) -> Self {
        Self { paid: self.paid.max(0), gift: self.gift.max(0) }
    }

    /// The smaller amount, lot by lot.
    #[must_use]
    pub fn at_most(self, other: Self) -> Self {
        Self { paid: self.paid.min(other.paid), gift: self.gift.min(other.gift) }
    }
}

/// Something that is known of a payment.
#[derive(Clone, Debug)]
pub enum Fact {
    /// A provider said it.
    Said(Notice),
    /// An operator said whose it is.
    Assigned(PaymentKey, AccountId),
    /// An operator said it of the disputes that were known.
    Ruled(PaymentKey, DisputeCause, Ruled),
}

/// What every payment amounts to by these facts, in whatever order the provider's stand and however
/// often.
#[must_use]
pub fn entitled<'f>(
    policies: &[Arc<Policy>],
    facts: impl IntoIterator<Item = &'f Fact>,
) -> BTreeMap<PaymentKey, Entitled> {
    let mut payments: BTreeMap<PaymentKey, Told> = BTreeMap::new();
    let mut of = |key: &PaymentKey, tell: &dyn Fn(&mut Told)| {
        tell(payments.entry(key.clone()).or_default());
    };
    for fact in facts {
        match fact {
            Fact::Said(Notice::Purchase(purchase)) => of(&purchase.payment, &|told| {
                told.hear_purchase(purchase, purchase.account.clone());
            }),
            Fact::Said(Notice::Adjustment(adjustment)) => {
                of(&adjustment.payment, &|told| told.hear(adjustment));
            }
            Fact::Said(Notice::Nothing) => {}
            Fact::Assigned(payment, account) => of(payment, &|told| told.assign(account)),
            Fact::Ruled(payment, cause, what) => of(payment, &|told| told.rule(*cause, *what)),
        }
    }
    payments.into_iter().map(|(key, told)| (key, told.entitled(policies))).collect()
}

/// Whether chargebacks filed at these moments close their account: at each of them, by the version
/// of then, enough were filed in the days before.
#[must_use]
pub fn closes(policies: &[Arc<Policy>], filed: &[Timestamp]) -> bool {
    filed.iter().any(|last| {
        let Some(rule) = policy_at(policies, *last).close_after else { return false };
        let window = i64::from(rule.within_days) * 86_400_000_000;
        let first = last.micros() - window;
        let within = filed.iter().filter(|time| (first..=last.micros()).contains(&time.micros()));
        u32::try_from(within.count()).is_ok_and(|within| within >= rule.chargebacks)
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
