//! How money became credits: by which version of the policy, at which rate or prices.

use std::{collections::BTreeMap, sync::Arc};

use domain::{
    credits::Credits,
    decision::Effect,
    ids::{LedgerId, PriceId, Sequence},
    input::{Input, Order},
    money::{Currency, Minor},
    notice::{Basket, Notice, Progress},
    policy::{Policy, Unlisted},
    record::Record,
};
use event_store::log::{EventLog, ReadError};

use crate::{
    names::{self, payment_behind},
    reports::amount::Amount,
};

/// The versions of the policy that were put in force, each as its record has it.
#[derive(Clone, Debug)]
pub struct Policies(BTreeMap<u32, Activated>);

/// A version and the record that put it in force.
#[derive(Clone, Debug)]
pub struct Activated {
    /// The record.
    pub sequence: Sequence,
    /// What it put in force.
    pub policy: Arc<Policy>,
}

impl Policies {
    /// None.
    pub const NONE: Self = Self(BTreeMap::new());

    /// Reads the versions from the records that are said to put them in force: only what these
    /// records say counts.
    ///
    /// # Errors
    /// The log can't be read.
    pub fn read(
        log: &dyn EventLog,
        ledger: &LedgerId,
        activations: &BTreeMap<u32, Sequence>,
    ) -> Result<Self, ReadError> {
        let mut policies = Self::NONE;
        for sequence in activations.values() {
            if let Some(recorded) = log.read(ledger, *sequence)? {
                policies.take(recorded.record());
            }
        }
        Ok(policies)
    }

    /// Takes in the version that a record puts in force, if it does.
    pub fn take(&mut self, record: &Record) {
        let Input::Command(command) = &record.input else { return };
        let Order::ActivatePolicy { policy, .. } = &command.order else { return };
        let activated = Activated { sequence: record.sequence, policy: Arc::clone(policy) };
        self.0.insert(policy.version, activated);
    }

    /// A version.
    #[must_use]
    pub fn version(&self, version: u32) -> Option<&Activated> {
        self.0.get(&version)
    }

    /// What credits are called; nothing before a policy is in force.
    #[must_use]
    pub fn unit(&self) -> &str {
        self.0.values().next().map_or("", |activated| activated.policy.unit.as_str())
    }
}

/// How a payment's money became credits.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Conversion {
    /// The policy's name.
    pub name: String,
    /// Its version.
    pub version: u32,
    /// The record that put it in force.
    pub activated: Sequence,
    /// The net money that came in, where the record says so; of a correction the difference.
    pub money: Option<(Currency, Minor)>,
    /// Of what the money is.
    pub share: Share,
    /// How.
    pub by: Way,
}

/// What of a payment a record posts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Share {
    /// All of it.
    Whole,
    /// The difference to what earlier records posted: the basket or the entity was corrected.
    Difference,
}

/// By what money became credits.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Way {
    /// Credits for one major unit of a currency.
    Rate(Currency, Credits),
    /// Listed prices; with a rate for what is not listed.
    Prices(Vec<Bought>, Option<(Currency, Credits)>),
    /// What was left of a payment from before Tallyhook.
    Imported,
    /// Something that the policy does not list, as an operator or an earlier total had it.
    Unsaid,
}

/// Items of a listed price.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Bought {
    /// The price.
    pub price: PriceId,
    /// How many.
    pub quantity: u32,
    /// Paid credits for each.
    pub paid: Credits,
    /// Gift credits for each.
    pub gift: Credits,
}

impl Conversion {
    /// How the credits that a record grants a payment came about; none where it grants none.
    #[must_use]
    pub fn of(record: &Record, policies: &Policies) -> Option<Self> {
        let effects = &record.decision.effects;
        let grants = |effect: &Effect| matches!(effect, Effect::Granted { lot, .. } if payment_behind(&lot.holding).is_some());
        if !effects.iter().any(grants) {
            return None;
        }
        let activated = policies.version(record.decision.policy?)?;
        let money = effects.iter().find_map(|effect| {
            let Effect::MoneyMoved { currency, received, .. } = effect else { return None };
            Some((*currency, *received))
        });
        let opens = |effect: &Effect| matches!(effect, Effect::HoldingOpened { .. });
        let share = if effects.iter().any(opens) { Share::Whole } else { Share::Difference };
        let imports = |effect: &Effect| matches!(effect, Effect::PaymentImported(_));
        let by = if effects.iter().any(imports) {
            Way::Imported
        } else {
            way(&activated.policy, basket(record), money.map(|(currency, _)| currency))
        };
        Some(Self {
            name: activated.policy.name.to_string(),
            version: activated.policy.version,
            activated: activated.sequence,
            money,
            share,
            by,
        })
    }

    /// All that was posted once this followed what `earlier` posted: the money of both, by the rule
    /// of the last.
    #[must_use]
    pub fn after(self, earlier: &Self) -> Self {
        let money = match (earlier.money, self.money) {
            (Some((currency, before)), Some((same, more))) if currency == same => {
                before.plus(more).ok().map(|sum| (currency, sum))
            }
            (Some(before), None) => Some(before),
            // An import may not say what was paid.
            (None, more) if earlier.by != Way::Imported => more,
            (Some(_) | None, Some(_)) | (None, None) => None,
        };
        Self { money, share: earlier.share, ..self }
    }

    /// For a person, the policy apart.
    #[must_use]
    pub fn told(&self, unit: &str) -> String {
        let rate = |(currency, credits): &(Currency, Credits)| {
            format!("1 {currency} = {credits} {unit} of credits")
        };
        let how = match &self.by {
            Way::Rate(currency, credits) => format!("at {}", rate(&(*currency, *credits))),
            Way::Prices(bought, rest) => {
                let lines = bought.iter().map(|bought| {
                    let Bought { price, quantity, paid, gift } = bought;
                    format!("for {quantity} x price {price} of {paid} paid and {gift} gift credits")
                });
                let rest = rest.iter().map(|rest| format!("the rest at {}", rate(rest)));
                lines.chain(rest).collect::<Vec<_>>().join(", ")
            }
            Way::Imported => "as it was when it was imported".to_owned(),
            Way::Unsaid => "as the policy says".to_owned(),
        };
        let money = self
            .money
            .map(|(currency, money)| format!("{} {currency} net", Amount::money(money, currency)));
        match (self.share, money) {
            (Share::Whole, Some(money)) => format!("{money} {how}"),
            (Share::Whole, None) => how,
            (Share::Difference, Some(money)) => {
                format!("the difference of {money} to what was posted before, now {how}")
            }
            (Share::Difference, None) => {
                format!("the difference to what was posted before, now {how}")
            }
        }
    }
}

/// What the record's delivery says was bought.
fn basket(record: &Record) -> Option<&Basket> {
    let Notice::Purchase(purchase) = names::delivery(record)?.notice.as_ref().ok()? else {
        return None;
    };
    match &purchase.progress {
        Progress::Unpaid(_) => None,
        Progress::Paid(basket) | Progress::Completed(basket) => Some(basket),
    }
}

fn way(policy: &Policy, basket: Option<&Basket>, currency: Option<Currency>) -> Way {
    let currency = basket.map(|basket| basket.currency).or(currency);
    let rate = currency.and_then(|currency| Some((currency, *policy.rates.get(&currency)?)));
    if policy.prices.is_empty() {
        return rate.map_or(Way::Unsaid, |(currency, credits)| Way::Rate(currency, credits));
    }
    let lines = basket.map_or(&[][..], |basket| &basket.lines);
    let bought = lines.iter().filter_map(|line| {
        let price = line.price.clone()?;
        let credits = policy.prices.get(&price)?;
        let (paid, gift) = (credits.paid, credits.gift);
        Some(Bought { price, quantity: line.quantity, paid, gift })
    });
    let bought: Vec<Bought> = bought.collect();
    let listed = bought.len() == lines.len() || policy.unlisted == Unlisted::Ignore;
    let rate = rate.filter(|_| !listed);
    match (bought.is_empty(), rate) {
        (true, None) => Way::Unsaid,
        (true, Some((currency, credits))) => Way::Rate(currency, credits),
        (false, rate) => Way::Prices(bought, rate),
    }
}
