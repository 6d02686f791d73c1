//! What a refund would give back, line by line from the ledger's own records.
//!
//! Every line is rounded down to the minor unit, towards zero.

use crate::{
    case::{Application, Charge, Invoice, Quote, QuoteLine},
    credits::Credits,
    entitlement::{self, OutOfRange},
    holding::{Holding, Pair},
    money::Minor,
    payment::{Paid, Payment},
    policy::Policy,
    refunds::{QuoteRules, Reason, Refunds, Remedy},
};

/// What a payment's records say of a refund.
struct Records<'p> {
    paid: &'p Paid,
    /// What the credits cost, net.
    price: i128,
    granted: Credits,
    /// Of the credits granted.
    unused: Pair,
    /// Of the paid ones.
    used: Credits,
    gift_used: Credits,
    /// Whether no credits stand for the money, so that all of it is unused.
    ungranted: bool,
}

/// Quotes a refund of a paid payment.
///
/// # Errors
/// A sum out of range.
pub(crate) fn quote(
    refunds: &Refunds,
    reason: &Reason,
    application: &Application,
    (payment, paid): (&Payment, &Paid),
    (holding, policy): (Option<&Holding>, &Policy),
) -> Result<Quote, OutOfRange> {
    let nothing = Quote::nothing(reason.remedy, paid.basket.currency);
    if reason.remedy == Remedy::Credits {
        return Ok(nothing);
    }
    let records = Records::of(payment, paid, holding, policy)?;
    let lines = records.lines(&refunds.quote, application);
    let sum = lines.iter().fold(0_i128, |sum, (_, amount)| sum.saturating_add(*amount));
    let lines =
        lines.into_iter().map(|(what, amount)| Ok(QuoteLine { what, amount: minor(amount)? }));
    let lines: Vec<QuoteLine> = lines.collect::<Result<_, OutOfRange>>()?;
    let credits = records.credits(holding, policy)?;
    Ok(Quote { lines, money: minor(sum.max(0))?, credits, ..nothing })
}

fn minor(amount: i128) -> Result<Minor, OutOfRange> {
    i64::try_from(amount).ok().and_then(Minor::new).ok_or(OutOfRange)
}

impl<'p> Records<'p> {
    fn of(
        payment: &Payment,
        paid: &'p Paid,
        holding: Option<&Holding>,
        policy: &Policy,
    ) -> Result<Self, OutOfRange> {
        let sale = entitlement::sale(payment, &paid.basket, policy)?;
        let ungranted = holding.is_none_or(|known| known.granted().paid == Credits::ZERO);
        let price = if ungranted {
            let net = paid.basket.subtotal.minus(paid.basket.discount)?;
            i128::from(net.minus(entitlement::reversed(payment, &paid.basket)?)?.get())
        } else {
            i128::from(sale.paid.get())
        };
        let nothing = Self {
            paid,
            price,
            granted: Credits::ZERO,
            unused: Pair::ZERO,
            used: Credits::ZERO,
            gift_used: Credits::ZERO,
            ungranted,
        };
        let Some(known) = holding else { return Ok(nothing) };
        let (granted, fate) = (known.granted().paid, known.fate()?);
        let gift_used = known.gift.drawn;
        Ok(Self { granted, unused: fate.unused, used: fate.used, gift_used, ..nothing })
    }

    /// The lines that the policy has, in its order; deductions are below zero.
    fn lines(&self, rules: &QuoteRules, application: &Application) -> Vec<(Charge, i128)> {
        let balance = self.unused(self.price);
        let tax = if rules.tax { self.tax() } else { 0 };
        let money = balance.saturating_add(tax);
        let mut lines = vec![(Charge::UnusedBalance, balance)];
        if rules.tax {
            lines.push((Charge::Tax, tax));
        }
        if let Some(fee) = &rules.channel_fee {
            let fixed = fee.fixed.get(&self.paid.basket.currency).map_or(0, |fixed| fixed.get());
            let fee = fee.percent.of(money).saturating_add(i128::from(fixed));
            lines.push((Charge::ChannelFee, fee.saturating_neg()));
        }
        if let Some(percent) = rules.invoice_tax {
            let issued = matches!(application.invoice, Some(Invoice::Reversible | Invoice::Final));
            let tax = if issued { percent.of(balance) } else { 0 };
            lines.push((Charge::InvoiceTax, tax.saturating_neg()));
        }
        if rules.gift_used {
            lines.push((Charge::GiftUsed, self.worth(self.price, self.gift_used).saturating_neg()));
        }
        if rules.promotion {
            let discount = i128::from(self.paid.basket.discount.get());
            lines.push((Charge::Promotion, self.worth(discount, self.used).saturating_neg()));
        }
        if rules.third_party_costs {
            let costs = application.third_party_costs.map_or(0, |costs| i128::from(costs.get()));
            lines.push((Charge::ThirdPartyCosts, costs.saturating_neg()));
        }
        lines
    }

    /// The part of an amount that belongs to what is unused: all where no credits stand for it.
    fn unused(&self, amount: i128) -> i128 {
        if self.ungranted { amount } else { self.worth(amount, self.unused.paid) }
    }

    /// The part of an amount that belongs to so many of the paid credits granted.
    fn worth(&self, amount: i128, credits: Credits) -> i128 {
        let part = amount.saturating_mul(credits.billionths());
        part.checked_div(self.granted.billionths()).unwrap_or(0)
    }

    /// The tax on what the credits cost, for its unused part.
    fn tax(&self) -> i128 {
        let basket = &self.paid.basket;
        let net =
            i128::from(basket.subtotal.get()).saturating_sub(i128::from(basket.discount.get()));
        let tax = i128::from(basket.tax.get()).saturating_mul(self.price);
        self.unused(tax.checked_div(net).unwrap_or(0))
    }

    /// The unused paid credits, and the share of the gift credits that a refund takes with them.
    fn credits(&self, holding: Option<&Holding>, policy: &Policy) -> Result<Pair, OutOfRange> {
        let Some(holding) = holding else { return Ok(Pair::ZERO) };
        let (part, whole) = (minor(self.unused(self.price))?, minor(self.price)?);
        let gift = match whole > Minor::ZERO {
            true => holding.gift.granted.share(part, whole, policy.decimals)?,
            false => Credits::ZERO,
        };
        Ok(Pair { paid: self.unused.paid, gift: gift.min(self.unused.gift) })
    }
}
