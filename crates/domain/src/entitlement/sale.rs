//! What a basket buys (rule 2): by price, by rate, or as it was before Tallyhook.

use std::collections::BTreeSet;

use crate::{
    credits::Credits,
    entitlement::OutOfRange,
    holding::Pair,
    ids::ItemId,
    money::Minor,
    notice::{Basket, Line},
    payment::Payment,
    policy::{Policy, Unlisted},
};

/// What a basket buys.
pub(crate) struct Sale {
    /// For how much, net: the lines that granted credits.
    pub(crate) paid: Minor,
    pub(crate) granted: Pair,
    /// The lines that granted credits; `None` when all did.
    pub(super) items: Option<BTreeSet<ItemId>>,
    pub(super) unlisted: bool,
}

/// What a payment's basket buys; one from before Tallyhook bought what it says.
pub(crate) fn sale(
    payment: &Payment,
    basket: &Basket,
    policy: &Policy,
) -> Result<Sale, OutOfRange> {
    match payment.opening {
        None => Sale::of(basket, policy),
        Some(opening) => {
            let paid = net(basket.subtotal, basket.discount)?;
            Ok(Sale { paid, granted: opening.granted, items: None, unlisted: false })
        }
    }
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
        // Without lines nothing says what was bought.
        sale.unlisted |=
            basket.lines.is_empty() && net(basket.subtotal, basket.discount)? > Minor::ZERO;
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
