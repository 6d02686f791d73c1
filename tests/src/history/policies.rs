//! Generated policies.

use std::{collections::BTreeMap, sync::Arc};

use domain::{
    credits::Credits,
    ids::PriceId,
    input::LotKind,
    money::Currency,
    policy::{
        Balance, Checkout, CloseAfter, Measures, Policy, PriceCredits, Service, Shortfall,
        Spending, Unlisted, UsageRules, Verification,
    },
};

use super::{ACTIVATED, SECOND_VERSION, seconds, text};
use crate::dice::Dice;

/// The prices that a policy can list; [`UNLISTED`] is none of them.
pub(super) const LISTED: [&str; 3] = ["pri_big", "pri_small", "pri_gift"];
/// A price that no policy lists.
pub(super) const UNLISTED: &str = "pri_shirt";

pub(crate) fn price(name: &str) -> PriceId {
    PriceId::new(name).expect("the id is short")
}

pub(crate) fn currency(code: &str) -> Currency {
    Currency::new(code).expect("the currency is known")
}

/// One policy, or two of which the second applies from the middle of the history on.
pub(super) fn generate(dice: &mut Dice) -> Vec<Arc<Policy>> {
    let first = Policy {
        name: text("generated"),
        version: 1,
        effective_from: seconds(ACTIVATED),
        unit: text("credit"),
        decimals: dice.pick(&[0, 2, 6]),
        rates: rates(dice),
        prices: prices(dice),
        unlisted: dice.pick(&[Unlisted::Ignore, Unlisted::Rate]),
        spend_first: dice.pick(&[LotKind::Gift, LotKind::Paid]),
        shortfall: dice.pick(&[Shortfall::Owed, Shortfall::WriteOff]),
        settle_owed: dice.chance(60),
        on_dispute: measures(dice),
        on_chargeback: measures(dice),
        with_open_case: dice.chance(30).then_some(Measures::NONE),
        close_after: close_after(dice),
        usage: UsageRules::PLAIN,
        refunds: None,
    };
    let mut versions = vec![Arc::new(first.clone())];
    if dice.chance(30) {
        // What concerns the whole account stays: which version it follows is not at stake here.
        versions.push(Arc::new(Policy {
            version: 2,
            effective_from: seconds(SECOND_VERSION),
            rates: rates(dice),
            prices: prices(dice),
            unlisted: dice.pick(&[Unlisted::Ignore, Unlisted::Rate]),
            shortfall: dice.pick(&[Shortfall::Owed, Shortfall::WriteOff]),
            on_dispute: measures(dice),
            on_chargeback: measures(dice),
            ..first
        }));
    }
    versions
}

/// Any measures, those that freeze more often than not.
pub(crate) fn measures(dice: &mut Dice) -> Measures {
    Measures {
        spending: dice.pick(&[Spending::Allow, Spending::Suspend]),
        balance: dice.pick(&[
            Balance::Keep,
            Balance::FreezePayment,
            Balance::FreezePayment,
            Balance::FreezeAccount,
        ]),
        checkout: dice.pick(&[Checkout::Open, Checkout::Limit]),
        verification: dice.pick(&[Verification::None, Verification::None, Verification::Require]),
        service: dice.pick(&[Service::Normal, Service::Normal, Service::Restrict]),
    }
}

pub(crate) fn rates(dice: &mut Dice) -> BTreeMap<Currency, Credits> {
    let rate = dice.pick(&["1", "7.1", "0.333333", "123"]);
    let mut rates = BTreeMap::new();
    rates.insert(currency("USD"), amount(rate));
    if dice.chance(80) {
        rates.insert(currency("JPY"), amount("0.07"));
    }
    rates
}

pub(crate) fn prices(dice: &mut Dice) -> BTreeMap<PriceId, PriceCredits> {
    if dice.chance(40) {
        return BTreeMap::new();
    }
    let [big, small, gift] = LISTED;
    let mut prices = BTreeMap::new();
    prices.insert(price(big), PriceCredits { paid: amount("1000"), gift: amount("100") });
    prices.insert(price(small), PriceCredits { paid: amount("7"), gift: amount("0") });
    if dice.chance(50) {
        prices.insert(price(gift), PriceCredits { paid: amount("10"), gift: amount("33") });
    }
    prices
}

pub(crate) fn close_after(dice: &mut Dice) -> Option<CloseAfter> {
    dice.chance(40).then(|| CloseAfter {
        chargebacks: dice.pick(&[1, 2, 2]),
        within_days: dice.pick(&[5, 30]),
    })
}

fn amount(text: &str) -> Credits {
    Credits::parse(text, 9).expect("the amount is plain")
}
