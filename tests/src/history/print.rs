//! Histories as a person reads them.

use std::fmt;

use domain::{
    input::Order,
    notice::{Adjustment, Basket, Notice, Progress, Purchase},
    policy::{Measures, Policy},
};

use super::{Event, FIRST_DAY, History, Slot};

impl fmt::Display for History {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "seed {}", self.seed)?;
        for policy in &self.policies {
            write_policy(f, policy)?;
        }
        for event in &self.events {
            writeln!(f, "  {event}")?;
        }
        f.write_str("  slots:")?;
        for slot in &self.slots {
            match slot {
                Slot::Delivery => f.write_str(" D")?,
                Slot::Command(number, _) => write!(f, " c{number}")?,
            }
        }
        for slot in &self.slots {
            if let Slot::Command(number, order) = slot {
                write!(f, "\n  c{number} ")?;
                write_order(f, order)?;
            }
        }
        Ok(())
    }
}

impl fmt::Display for Event {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "e{} ", self.number)?;
        match &self.notice {
            Notice::Purchase(purchase) => write_purchase(f, purchase),
            Notice::Adjustment(adjustment) => write_adjustment(f, adjustment),
            Notice::Nothing => f.write_str("nothing"),
        }
    }
}

/// A policy as a person reads it.
pub(crate) struct Readable<'p>(pub(crate) &'p Policy);

impl fmt::Display for Readable<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write_policy(f, self.0)
    }
}

fn write_policy(f: &mut fmt::Formatter<'_>, policy: &Policy) -> fmt::Result {
    write!(f, "  policy {} from {}, ", policy.version, policy.effective_from)?;
    write!(f, "decimals {}, rates", policy.decimals)?;
    for (currency, rate) in &policy.rates {
        write!(f, " {currency} {}", rate.get())?;
    }
    for (price, credits) in &policy.prices {
        write!(f, ", {price} {}+{}", credits.paid.get(), credits.gift.get())?;
    }
    write!(f, ", unlisted {:?}, {:?} first", policy.unlisted, policy.spend_first)?;
    write!(f, ", shortfall {:?}, settle {}", policy.shortfall, policy.settle_owed)?;
    f.write_str(", dispute ")?;
    write_measures(f, policy.on_dispute)?;
    f.write_str(", chargeback ")?;
    write_measures(f, policy.on_chargeback)?;
    match policy.close_after {
        None => writeln!(f),
        Some(rule) => {
            writeln!(f, ", close after {} in {} days", rule.chargebacks, rule.within_days)
        }
    }
}

fn write_measures(f: &mut fmt::Formatter<'_>, measures: Measures) -> fmt::Result {
    write!(f, "{:?}/{:?}/{:?}", measures.spending, measures.balance, measures.checkout)
}

/// Day and second of the history.
fn write_moment(f: &mut fmt::Formatter<'_>, at: domain::time::Timestamp) -> fmt::Result {
    let offset = at.seconds() - FIRST_DAY;
    write!(f, "d{}+{}s", offset.div_euclid(86_400), offset.rem_euclid(86_400))
}

fn write_purchase(f: &mut fmt::Formatter<'_>, purchase: &Purchase) -> fmt::Result {
    write!(f, "{} at ", purchase.payment.id)?;
    write_moment(f, purchase.occurred_at)?;
    if purchase.account.is_none() {
        f.write_str(" (no account)")?;
    }
    match &purchase.progress {
        Progress::Unpaid(status) => write!(f, " {status}"),
        Progress::Paid(basket) => {
            f.write_str(" paid")?;
            write_basket(f, basket)
        }
        Progress::Completed(basket) => {
            f.write_str(" completed")?;
            write_basket(f, basket)
        }
    }
}

fn write_basket(f: &mut fmt::Formatter<'_>, basket: &Basket) -> fmt::Result {
    let (subtotal, discount) = (basket.subtotal.get(), basket.discount.get());
    write!(f, " {} {subtotal}-{discount} tax {}:", basket.currency, basket.tax.get())?;
    for line in &basket.lines {
        let price = line.price.as_ref().map_or("-", |price| price.as_str());
        let (subtotal, discount) = (line.subtotal.get(), line.discount.get());
        write!(f, " [{} {}x {price} {subtotal}-{discount}]", line.item, line.quantity)?;
    }
    Ok(())
}

fn write_adjustment(f: &mut fmt::Formatter<'_>, fact: &Adjustment) -> fmt::Result {
    write!(f, "{} {} at ", fact.payment.id, fact.id)?;
    write_moment(f, fact.occurred_at)?;
    f.write_str(" filed ")?;
    write_moment(f, fact.filed_at)?;
    write!(f, " {:?} {:?} {:?}", fact.action, fact.status, fact.extent)?;
    write!(f, " {} {}", fact.currency, fact.subtotal.get())?;
    for line in &fact.lines {
        write!(f, " [{} {}]", line.item, line.subtotal.get())?;
    }
    Ok(())
}

fn write_order(f: &mut fmt::Formatter<'_>, order: &Order) -> fmt::Result {
    if let Order::Debit { amount, usage, .. } = order {
        return write!(f, "debit {} {usage:?}", amount.get());
    }
    if let Order::Grant { amount, kind, .. } = order {
        return write!(f, "grant {kind:?} {}", amount.get());
    }
    if let Order::Freeze { measures, .. } = order {
        f.write_str("freeze ")?;
        return write_measures(f, *measures);
    }
    if let Order::Unfreeze { freeze, .. } = order {
        return write!(f, "unfreeze {freeze}");
    }
    write!(f, "{order:?}")
}
