//! An operator's rules for refunds: reasons, verdicts, windows, deductions, calendar.

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt,
};

use crate::{
    calendar::Calendar,
    ids::Text,
    money::{Currency, Minor},
};

/// The rules for refunds of one version of a policy.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refunds {
    /// What every application must say, by name. `amount`, `currency` and `paid_at` are also
    /// matched against the ledger's records.
    pub facts: BTreeSet<Text>,
    /// How many business days a review may take once the material is complete.
    pub review_business_days: u32,
    /// Which days are worked.
    pub calendar: Calendar,
    /// What denies any application, with the name of the rule that is told.
    pub denials: BTreeMap<Condition, Text>,
    /// The reasons that can be given, by name.
    pub reasons: BTreeMap<Text, Reason>,
    /// What a quote adds and takes off.
    pub quote: QuoteRules,
}

/// What denies an application whatever its reason, unless the reason says otherwise.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Condition {
    /// Nothing of the payment's paid credits is unused.
    Consumed,
    /// The account is frozen, closed, or has an open cause.
    Restricted,
    /// An invoice was issued and cannot be reversed.
    Invoiced,
}

impl Condition {
    /// All conditions, in the order in which they are looked at.
    pub const ALL: [Self; 3] = [Self::Restricted, Self::Invoiced, Self::Consumed];

    /// The name in policy files.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Consumed => "consumed",
            Self::Restricted => "restricted",
            Self::Invoiced => "invoiced",
        }
    }
}

/// What becomes of applications with one reason.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reason {
    /// The answer, once nothing denies it and nothing is missing.
    pub verdict: ReasonVerdict,
    /// The name of the rule that is told when this reason is denied, too late, or its credits
    /// are used.
    pub rule: Text,
    /// What it must say besides [`Refunds::facts`].
    pub facts: BTreeSet<Text>,
    /// How many days of 24 hours after the payment it can be applied for, inclusive; for ever
    /// without it.
    pub within_days: Option<u32>,
    /// Whether none of the payment's paid credits may be used.
    pub unused: bool,
    /// What is given back.
    pub remedy: Remedy,
    /// Which of [`Refunds::denials`] don't hold for it.
    pub despite: BTreeSet<Condition>,
}

/// The answer to a reason.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ReasonVerdict {
    /// No.
    Deny,
    /// A person looks at it.
    Review,
    /// Yes, once a person approves the quote.
    Eligible,
}

/// What an approved case gives back.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Remedy {
    /// Money, through the processor.
    Refund,
    /// Credits.
    Credits,
}

/// What a quote adds and takes off. Money in proportion to unused paid credits is always its first
/// line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct QuoteRules {
    /// Adds the tax's share.
    pub tax: bool,
    /// Takes off the payment channel's fee.
    pub channel_fee: Option<Fee>,
    /// Takes off the tax on an invoice that was issued, in proportion to the money.
    pub invoice_tax: Option<Percent>,
    /// Takes off what the payment's gift credits that were used are worth.
    pub gift_used: bool,
    /// Takes off the share of the discount that the used credits had.
    pub promotion: bool,
    /// Takes off costs of third parties that the operator names.
    pub third_party_costs: bool,
}

/// A payment channel's fee.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fee {
    /// In proportion to the money.
    pub percent: Percent,
    /// On top, by currency.
    pub fixed: BTreeMap<Currency, Minor>,
}

/// The parts of a hundred, exact to four decimals, from 0 to 100.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Percent(u32);

impl Percent {
    /// So many millionths; `None` past 100 %.
    #[must_use]
    pub const fn from_millionths(millionths: u32) -> Option<Self> {
        if millionths <= 1_000_000 { Some(Self(millionths)) } else { None }
    }

    /// The parts of a million.
    #[must_use]
    pub const fn millionths(self) -> u32 {
        self.0
    }

    /// Reads plain digits with at most four decimals, such as `2.9`.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let (whole, fraction) = text.split_once('.').unwrap_or((text, "0"));
        let digits = |part: &str| !part.is_empty() && part.bytes().all(|b| b.is_ascii_digit());
        if !digits(whole) || !digits(fraction) || fraction.len() > 4 || whole.len() > 3 {
            return None;
        }
        let whole: u32 = whole.parse().ok()?;
        let fraction: u32 = format!("{fraction:0<4}").parse().ok()?;
        Self::from_millionths(whole.checked_mul(10_000)?.checked_add(fraction)?)
    }

    /// This part of an amount, rounded down.
    pub(crate) fn of(self, amount: i128) -> i128 {
        amount.saturating_mul(i128::from(self.0)).checked_div(1_000_000).unwrap_or(0)
    }
}

impl fmt::Display for Percent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (whole, rest) = (self.0 / 10_000, self.0 % 10_000);
        let fraction = format!("{rest:04}");
        match fraction.trim_end_matches('0') {
            "" => write!(f, "{whole}"),
            fraction => write!(f, "{whole}.{fraction}"),
        }
    }
}

impl fmt::Debug for Percent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{self} %")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn percents_are_exact() {
        for text in ["0", "2.9", "0.0001", "100", "12.5"] {
            assert_eq!(Percent::parse(text).unwrap().to_string(), text);
        }
        assert_eq!(Percent::parse("2.90").unwrap().to_string(), "2.9");
        for text in ["", "-1", "100.0001", "2.", ".5", "1e1", "0.00001"] {
            assert_eq!(Percent::parse(text), None, "{text}");
        }
        assert_eq!(Percent::parse("2.9").unwrap().of(1_000), 29);
    }
}
