//! The form of an operator's rules.
//!
//! ```text
//! policy       name text | version v | effective_from 8 | unit text | decimals 1
//!              | rates: (currency 3 | credits z) .. | prices: (price text | paid z | gift z) ..
//!              | unlisted 1 | spend_first 1 | shortfall 1 | settle_owed 1
//!              | on_dispute 5 | on_chargeback 5 | with_open_case? 5 | close_after?
//!              | usage | refunds?
//! usage        metadata: text .. | returns 1
//! measures     spending 1 | balance 1 | checkout 1 | verification 1 | service 1
//! close_after  chargebacks v | within_days v
//! ```

use std::sync::Arc;

use domain::policy::{
    Balance, Checkout, CloseAfter, Measures, Policy, PriceCredits, Returns, Service, Shortfall,
    Spending, Unlisted, UsageRules, Verification,
};

use super::{
    Form, FormFault, Reader, Writer,
    table::{fields, variants},
};

impl Form for Policy {
    fn put(&self, to: &mut Writer) {
        put_first(self, to);
        self.usage.put(to);
        self.refunds.put(to);
    }

    fn take(from: &mut Reader<'_>) -> Result<Self, FormFault> {
        let first = take_first(from)?;
        Ok(Self { usage: Form::take(from)?, refunds: Form::take(from)?, ..first })
    }
}

/// A policy as it was written before it said anything of usage and refunds.
pub(super) struct FirstPolicy(Arc<Policy>);

impl FirstPolicy {
    /// The policy, when it says nothing of usage and refunds.
    pub(super) fn of(policy: &Arc<Policy>) -> Option<Self> {
        let silent = policy.usage == UsageRules::PLAIN && policy.refunds.is_none();
        silent.then(|| Self(Arc::clone(policy)))
    }

    pub(super) fn into_policy(self) -> Arc<Policy> {
        self.0
    }
}

impl Form for FirstPolicy {
    fn put(&self, to: &mut Writer) {
        put_first(&self.0, to);
    }

    fn take(from: &mut Reader<'_>) -> Result<Self, FormFault> {
        take_first(from).map(|policy| Self(Arc::new(policy)))
    }
}

fn put_first(policy: &Policy, to: &mut Writer) {
    policy.name.put(to);
    policy.version.put(to);
    policy.effective_from.put(to);
    policy.unit.put(to);
    policy.decimals.put(to);
    policy.rates.put(to);
    policy.prices.put(to);
    policy.unlisted.put(to);
    policy.spend_first.put(to);
    policy.shortfall.put(to);
    policy.settle_owed.put(to);
    policy.on_dispute.put(to);
    policy.on_chargeback.put(to);
    policy.with_open_case.put(to);
    policy.close_after.put(to);
}

/// What [`put_first`] wrote: struct fields are read in the order in which they stand here.
fn take_first(from: &mut Reader<'_>) -> Result<Policy, FormFault> {
    Ok(Policy {
        name: Form::take(from)?,
        version: Form::take(from)?,
        effective_from: Form::take(from)?,
        unit: Form::take(from)?,
        decimals: Form::take(from)?,
        rates: Form::take(from)?,
        prices: Form::take(from)?,
        unlisted: Form::take(from)?,
        spend_first: Form::take(from)?,
        shortfall: Form::take(from)?,
        settle_owed: Form::take(from)?,
        on_dispute: Form::take(from)?,
        on_chargeback: Form::take(from)?,
        with_open_case: Form::take(from)?,
        close_after: Form::take(from)?,
        usage: UsageRules::PLAIN,
        refunds: None,
    })
}

fields!(UsageRules { metadata, returns });

variants!(Returns, "rule for credit returns" {
    1 => Allow,
    2 => Refuse,
});

fields!(PriceCredits { paid, gift });

variants!(Unlisted, "rule for unlisted prices" {
    1 => Ignore,
    2 => Rate,
});

variants!(Shortfall, "rule for shortfalls" {
    1 => Owed,
    2 => WriteOff,
});

fields!(Measures { spending, balance, checkout, verification, service });

variants!(Spending, "measure on spending" {
    1 => Allow,
    2 => Suspend,
});

variants!(Balance, "measure on the balance" {
    1 => Keep,
    2 => FreezePayment,
    3 => FreezeAccount,
});

variants!(Checkout, "measure on checkout" {
    1 => Open,
    2 => Limit,
});

variants!(Verification, "measure on verification" {
    1 => None,
    2 => Require,
});

variants!(Service, "measure on service" {
    1 => Normal,
    2 => Restrict,
});

fields!(CloseAfter { chargebacks, within_days });
