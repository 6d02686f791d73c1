//! What money buys.

use std::collections::BTreeSet;

use domain::{
    ids::ItemId,
    money::Currency,
    notice::{Adjustment, Basket},
    policy::{Policy, Unlisted},
};

use super::Both;

/// What one basket grants under one policy.
#[derive(Clone, Debug, Default)]
pub(super) struct Conversion {
    pub(super) granted: Both,
    /// The money that counts, net of discount and tax.
    pub(super) paid: i128,
    /// All money of the basket, net of discount and tax.
    pub(super) whole: i128,
    /// The only lines that count; none when all do.
    pub(super) lines: Option<BTreeSet<ItemId>>,
    /// Something was bought that the policy has no credits for.
    pub(super) unlisted: bool,
}

impl Conversion {
    /// What is granted for a part of the money; for nothing, and for more than all, as for none and
    /// for all.
    pub(super) fn part(&self, money: i128, policy: &Policy) -> Both {
        let money = money.min(self.paid);
        if money <= 0 {
            return Both::default();
        }
        if money == self.paid {
            return self.granted;
        }
        Both {
            paid: rounded_down(self.granted.paid * money, self.paid, policy),
            gift: rounded_down(self.granted.gift * money, self.paid, policy),
        }
    }

    /// In how many parts a minor unit is counted, so that nothing is rounded before it is summed.
    pub(super) fn parts(&self) -> i128 {
        if self.lines.is_some() { self.whole.max(1) } else { 1 }
    }

    /// What counts of an adjustment, in parts of a minor unit.
    pub(super) fn amount(&self, fact: &Adjustment) -> i128 {
        let all = i128::from(fact.subtotal.get()).abs();
        match &self.lines {
            None => all,
            Some(_) if fact.lines.is_empty() => all * self.paid,
            Some(granting) => {
                let lines = fact.lines.iter().filter(|line| granting.contains(&line.item));
                let own: i128 = lines.map(|line| i128::from(line.subtotal.get()).abs()).sum();
                own * self.parts()
            }
        }
    }

    /// The money of an adjustment that is about what granted credits, tax included.
    pub(super) fn with_tax(&self, fact: &Adjustment) -> i128 {
        let (total, all) =
            (i128::from(fact.total.get()).abs(), i128::from(fact.subtotal.get()).abs());
        let own = self.amount(fact);
        match all {
            _ if own == all * self.parts() => total,
            0 => 0,
            _ => total * (own / self.parts()) / all,
        }
    }
}

pub(super) fn net(basket: &Basket) -> i128 {
    (i128::from(basket.subtotal.get()) - i128::from(basket.discount.get())).max(0)
}

pub(super) fn convert(policy: &Policy, basket: &Basket) -> Conversion {
    let whole = net(basket);
    if policy.prices.is_empty() {
        let Some(paid) = by_rate(policy, basket.currency, whole) else {
            return Conversion { paid: whole, whole, unlisted: true, ..Conversion::default() };
        };
        let granted = Both { paid, gift: 0 };
        return Conversion { granted, paid: whole, whole, lines: None, unlisted: false };
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
    let some_granted_nothing = lines.len() < basket.lines.len();
    // Without lines nobody knows what was bought.
    let unlisted = some_granted_nothing || (basket.lines.is_empty() && whole > 0);
    if paid == 0 {
        granted = Both::default();
    }
    Conversion { granted, paid, whole, lines: some_granted_nothing.then_some(lines), unlisted }
}

pub(super) fn by_rate(policy: &Policy, currency: Currency, money: i128) -> Option<i128> {
    let rate = policy.rates.get(&currency)?.billionths();
    let major = 10_i128.pow(u32::from(currency.decimals()));
    Some(rounded_down(rate * money, major, policy))
}

/// A fraction of credits in billionths, neither part below zero, cut at the policy's decimals.
pub(super) fn rounded_down(numerator: i128, denominator: i128, policy: &Policy) -> i128 {
    if numerator == 0 {
        return 0;
    }
    let unit = 10_i128.pow(9 - u32::from(policy.decimals));
    numerator / (denominator * unit) * unit
}

#[cfg(test)]
mod tests {
    use domain::credits::Credits;

    use super::*;
    use crate::history::History;

    /// 10.00 of money for 7.1 credits each, worked out by hand.
    #[test]
    fn credits_are_rounded_down_at_the_decimals() {
        let usd = Currency::new("USD").unwrap();
        let history = History::generate(0);
        let mut policy = (**history.policies.first().unwrap()).clone();
        policy.decimals = 0;
        policy.rates = [(usd, Credits::parse("7.19", 9).unwrap())].into();
        assert_eq!(by_rate(&policy, usd, 1_000), Some(71_000_000_000));
        policy.decimals = 2;
        assert_eq!(by_rate(&policy, usd, 1_001), Some(71_970_000_000));
        let eur = Currency::new("EUR").unwrap();
        assert_eq!(by_rate(&policy, eur, 1_000), None);
    }
}
