//! Credits as exact decimal numbers, for sums that whoever checks can make again.

use std::fmt;

/// How many decimals credits have at most.
const DECIMALS: usize = 9;

/// One credit.
const ONE: i128 = 1_000_000_000;

/// An exact amount of credits.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Amount(i128);

impl Amount {
    /// Nothing.
    pub const ZERO: Self = Self(0);

    /// Reads a decimal number that is written in the one way: no sign, no exponent, no zeros that
    /// say nothing.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let (whole, part) = text.split_once('.').unwrap_or((text, ""));
        let is_digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
        if part.len() > DECIMALS || !is_digits(whole) || !is_digits(part) {
            return None;
        }
        let whole: i128 = whole.parse().ok()?;
        let part: i128 = format!("{part:0<DECIMALS$}").parse().ok()?;
        let amount = Self(whole.checked_mul(ONE)?.checked_add(part)?);
        (amount.to_string() == text).then_some(amount)
    }

    /// The sum, unless it is out of range.
    #[must_use]
    pub fn plus(self, other: Self) -> Option<Self> {
        self.0.checked_add(other.0).map(Self)
    }

    /// The same below zero.
    #[must_use]
    pub fn negated(self) -> Self {
        // What is read is far within the range, and so is what is added without an overflow.
        Self(self.0.saturating_neg())
    }
}

impl fmt::Display for Amount {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let sign = if self.0 < 0 { "-" } else { "" };
        let (whole, part) = (
            self.0.unsigned_abs() / ONE.unsigned_abs(),
            self.0.unsigned_abs() % ONE.unsigned_abs(),
        );
        let part = format!("{part:0DECIMALS$}");
        let part = part.trim_end_matches('0');
        let point = if part.is_empty() { "" } else { "." };
        write!(f, "{sign}{whole}{point}{part}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn amounts_are_read_in_one_way_only() {
        let most = "79228162514264337593543950335";
        for text in ["0", "1", "10", "0.5", "12.000000001", "100.25", most] {
            assert_eq!(Amount::parse(text).map(|amount| amount.to_string()).as_deref(), Some(text));
        }
        for text in
            ["", ".", "1.", ".5", "00", "01", "1.0", "-1", "+1", "1e3", "1.0000000001", " 1"]
        {
            assert_eq!(Amount::parse(text), None, "{text:?}");
        }
    }

    #[test]
    fn sums_are_exact() {
        let amount = |text| Amount::parse(text).unwrap();
        assert_eq!(amount("0.1").plus(amount("0.2")), Some(amount("0.3")));
        let below = amount("0.3").plus(amount("0.300000001").negated()).unwrap();
        assert!(below < Amount::ZERO);
        assert_eq!(below.to_string(), "-0.000000001");
        assert_eq!(Amount::parse("-0"), None);
        assert_eq!(Amount(i128::MAX).plus(amount("1")), None);
    }
}
