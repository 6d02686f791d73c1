//! A sum as it is shown: exact, wider than any one amount, with a number of decimals.

use std::fmt;

use domain::{
    credits::{Credits, DECIMALS_MAX},
    money::{Currency, Minor},
};

/// A sum of credits or of money.
///
/// One amount of credits fits 24 digits and one of money 15; the sum over any log fits 38.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Amount {
    units: i128,
    decimals: u8,
}

impl Amount {
    /// So many units, of which 10 to the power of `decimals` are one.
    #[must_use]
    pub const fn new(units: i128, decimals: u8) -> Self {
        Self { units, decimals }
    }

    /// A sum of credits in billionths, with no more decimals than it needs.
    #[must_use]
    pub const fn of_billionths(billionths: i128) -> Self {
        let (mut units, mut decimals) = (billionths, DECIMALS_MAX);
        while decimals > 0 && units % 10 == 0 {
            units /= 10;
            decimals -= 1;
        }
        Self { units, decimals }
    }

    /// An amount of credits, with no more decimals than it needs.
    #[must_use]
    pub fn credits(credits: Credits) -> Self {
        Self::of_billionths(credits.billionths())
    }

    /// A sum of money in minor units, with the decimals of its currency.
    #[must_use]
    pub const fn of_minor(minor: i128, currency: Currency) -> Self {
        Self { units: minor, decimals: currency.decimals() }
    }

    /// An amount of money, with the decimals of its currency.
    #[must_use]
    pub fn money(amount: Minor, currency: Currency) -> Self {
        Self::of_minor(i128::from(amount.get()), currency)
    }

    /// How many decimals it has.
    #[must_use]
    pub const fn decimals(self) -> u8 {
        self.decimals
    }

    /// Whether it is nothing.
    #[must_use]
    pub const fn is_zero(self) -> bool {
        self.units == 0
    }

    /// The same sum with at least so many decimals.
    #[must_use]
    pub fn with_decimals(self, decimals: u8) -> Self {
        let more = u32::from(decimals.saturating_sub(self.decimals));
        let units = self.units.saturating_mul(10_i128.saturating_pow(more));
        Self { units, decimals: self.decimals.max(decimals) }
    }

    /// The number of units, of which 10 to the power of [`Self::decimals`] are one.
    #[must_use]
    pub const fn units(self) -> i128 {
        self.units
    }
}

impl fmt::Display for Amount {
    /// Plain digits with a point and, below zero, a minus sign; never an exponent or a group mark.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let decimals = usize::from(self.decimals);
        let digits = format!("{:0>1$}", self.units.unsigned_abs(), decimals.saturating_add(1));
        let (whole, fraction) =
            digits.split_at_checked(digits.len().saturating_sub(decimals)).unwrap_or((&digits, ""));
        let sign = if self.units < 0 { "-" } else { "" };
        let point = if fraction.is_empty() { "" } else { "." };
        write!(f, "{sign}{whole}{point}{fraction}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sums_are_shown_exactly() {
        let usd = Currency::new("USD").unwrap();
        let jpy = Currency::new("JPY").unwrap();
        for (amount, shown) in [
            (Amount::of_billionths(0), "0"),
            (Amount::of_billionths(10_500_000_000), "10.5"),
            (Amount::of_billionths(-1), "-0.000000001"),
            (Amount::of_billionths(100_000_000_000), "100"),
            (Amount::of_minor(-5, usd), "-0.05"),
            (Amount::of_minor(1_000, usd), "10.00"),
            (Amount::of_minor(-1_200, jpy), "-1200"),
            (Amount::of_billionths(10_500_000_000).with_decimals(3), "10.500"),
            (Amount::of_billionths(1_250_000_000).with_decimals(1), "1.25"),
            (Amount::new(i128::MIN, 0), "-170141183460469231731687303715884105728"),
        ] {
            assert_eq!(amount.to_string(), shown);
        }
    }
}
