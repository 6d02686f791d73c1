//! Credits: exact decimals with at most nine places, never a float.

use std::fmt;

use rust_decimal::Decimal;

use crate::money::{Currency, Minor};

/// The largest amount of credits, either way.
///
/// At nine decimals it has 24 digits; times [`crate::money::MINOR_MAX`] it fits `i128`.
pub const CREDITS_MAX: i64 = 1_000_000_000_000_000;

/// The most decimals that credits can have.
pub const DECIMALS_MAX: u8 = 9;

/// An amount of credits, exact to nine decimals, at most [`CREDITS_MAX`] either way.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Credits(Decimal);

/// A credit computation left the range of [`Credits`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("credit {operation} leaves the range of amounts")]
pub struct CreditOverflow {
    /// What was computed.
    pub operation: &'static str,
}

/// Why a text is no amount of credits.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CreditFault {
    /// Not plain decimal digits.
    #[error("must be a plain decimal number, such as \"12.5\"")]
    NotDecimal,
    /// More decimals than allowed.
    #[error("must have at most {decimals} decimals")]
    TooPrecise {
        /// The most decimals allowed.
        decimals: u8,
    },
    /// Beyond [`CREDITS_MAX`].
    #[error("must be at most {CREDITS_MAX}")]
    TooLarge,
}

impl Credits {
    /// Nothing.
    pub const ZERO: Self = Self(Decimal::ZERO);

    /// The amount; `None` beyond [`CREDITS_MAX`] or with more than nine decimals.
    #[must_use]
    pub fn new(amount: Decimal) -> Option<Self> {
        let amount = amount.normalize();
        let fits = amount.abs() <= Decimal::from(CREDITS_MAX);
        (fits && amount.scale() <= u32::from(DECIMALS_MAX)).then_some(Self(amount))
    }

    /// A sum of two amounts has no more decimals than they have; trailing zeros may stay, since
    /// amounts compare by value and lose them where they are shown.
    fn in_range(sum: Decimal) -> Option<Self> {
        let unit = 10_u128.checked_pow(sum.scale())?;
        let most = u128::try_from(CREDITS_MAX).ok()?.checked_mul(unit)?;
        (sum.mantissa().unsigned_abs() <= most).then_some(Self(sum))
    }

    /// Reads plain decimal digits with an optional minus sign and at most `decimals` decimals.
    ///
    /// # Errors
    /// Anything but digits and one point, too many decimals (zeros count), or out of range.
    pub fn parse(text: &str, decimals: u8) -> Result<Self, CreditFault> {
        let unsigned = text.strip_prefix('-').unwrap_or(text);
        let (whole, fraction) = unsigned.split_once('.').unwrap_or((unsigned, "0"));
        let digits =
            |part: &str| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit());
        if !digits(whole) || !digits(fraction) {
            return Err(CreditFault::NotDecimal);
        }
        if unsigned.contains('.') && fraction.len() > usize::from(decimals) {
            return Err(CreditFault::TooPrecise { decimals });
        }
        let amount = Decimal::from_str_exact(text).map_err(|_| CreditFault::TooLarge)?;
        Self::new(amount).ok_or(CreditFault::TooLarge)
    }

    /// The amount in billionths, the form that is stored.
    #[must_use]
    pub fn billionths(self) -> i128 {
        let scale = u32::from(DECIMALS_MAX).saturating_sub(self.0.scale());
        self.0.mantissa().saturating_mul(10_i128.saturating_pow(scale))
    }

    /// The amount that has so many billionths; `None` out of range.
    #[must_use]
    pub fn from_billionths(billionths: i128) -> Option<Self> {
        let mut scale = u32::from(DECIMALS_MAX);
        // Nearly all amounts that are read fit 64 bits, in which trailing zeros go quickly.
        let Ok(mut amount) = i64::try_from(billionths) else {
            return Self::new(Decimal::try_from_i128_with_scale(billionths, scale).ok()?);
        };
        while scale > 0 && amount % 10 == 0 {
            amount /= 10;
            scale = scale.saturating_sub(1);
        }
        Self::in_range(Decimal::new(amount, scale))
    }

    /// The decimal, without trailing zeros.
    #[must_use]
    pub fn get(self) -> Decimal {
        self.0.normalize()
    }

    /// Whether the amount is above zero.
    #[must_use]
    pub fn is_positive(self) -> bool {
        self.0.is_sign_positive() && !self.0.is_zero()
    }

    /// The sum.
    ///
    /// # Errors
    /// Beyond [`CREDITS_MAX`].
    pub fn plus(self, other: Self) -> Result<Self, CreditOverflow> {
        // Most amounts of a lot are zero.
        if other.0.is_zero() {
            return Ok(self);
        }
        self.0
            .checked_add(other.0)
            .and_then(Self::in_range)
            .ok_or(CreditOverflow { operation: "sum" })
    }

    /// The difference.
    ///
    /// # Errors
    /// Beyond [`CREDITS_MAX`].
    pub fn minus(self, other: Self) -> Result<Self, CreditOverflow> {
        if other.0.is_zero() {
            return Ok(self);
        }
        self.0
            .checked_sub(other.0)
            .and_then(Self::in_range)
            .ok_or(CreditOverflow { operation: "difference" })
    }

    /// The amount with the other sign.
    #[must_use]
    pub fn negated(self) -> Self {
        if self.0.is_zero() { Self::ZERO } else { Self(-self.0) }
    }

    /// The amount, or zero when it is below zero.
    #[must_use]
    pub fn or_zero(self) -> Self {
        if self.0.is_sign_negative() { Self::ZERO } else { self }
    }

    /// `self * part / whole`, rounded down at `decimals`; all of it when `part` is `whole`.
    ///
    /// # Errors
    /// A `whole` that is not positive, or a result out of range.
    pub fn share(self, part: Minor, whole: Minor, decimals: u8) -> Result<Self, CreditOverflow> {
        const OVERFLOW: CreditOverflow = CreditOverflow { operation: "share" };
        if part == whole {
            return Ok(self);
        }
        if whole <= Minor::ZERO {
            return Err(OVERFLOW);
        }
        let product = self.billionths().checked_mul(i128::from(part.get())).ok_or(OVERFLOW)?;
        floored(product.div_euclid(i128::from(whole.get())), decimals).ok_or(OVERFLOW)
    }

    /// The amount times a whole number.
    ///
    /// # Errors
    /// Beyond [`CREDITS_MAX`].
    pub fn times(self, count: u32) -> Result<Self, CreditOverflow> {
        self.0
            .checked_mul(Decimal::from(count))
            .and_then(Self::new)
            .ok_or(CreditOverflow { operation: "product" })
    }

    /// What money buys at `self` credits for one major unit, rounded down at `decimals`.
    ///
    /// # Errors
    /// A result out of range.
    pub fn buying(
        self,
        money: Minor,
        currency: Currency,
        decimals: u8,
    ) -> Result<Self, CreditOverflow> {
        const OVERFLOW: CreditOverflow = CreditOverflow { operation: "conversion" };
        let product = self.billionths().checked_mul(i128::from(money.get())).ok_or(OVERFLOW)?;
        let minor_per_major = 10_i128.pow(u32::from(currency.decimals()));
        floored(product.div_euclid(minor_per_major), decimals).ok_or(OVERFLOW)
    }
}

/// Billionths rounded down (towards minus infinity) to so many decimals.
fn floored(billionths: i128, decimals: u8) -> Option<Credits> {
    let step = 10_i128.checked_pow(u32::from(DECIMALS_MAX.saturating_sub(decimals)))?;
    Credits::from_billionths(billionths.div_euclid(step).checked_mul(step)?)
}

impl fmt::Display for Credits {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.get().fmt(f)
    }
}

impl fmt::Debug for Credits {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.get().fmt(f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn credits(text: &str) -> Credits {
        Credits::parse(text, 9).unwrap()
    }

    #[test]
    fn amounts_print_without_exponent_or_trailing_zeros() {
        for (given, printed) in
            [("10.500", "10.5"), ("0.000000001", "0.000000001"), ("-0", "0"), ("100", "100")]
        {
            assert_eq!(credits(given).to_string(), printed);
        }
    }

    #[test]
    fn bad_amounts_name_their_fault() {
        for (text, fault) in [
            ("", CreditFault::NotDecimal),
            ("1e3", CreditFault::NotDecimal),
            (".5", CreditFault::NotDecimal),
            ("5.", CreditFault::NotDecimal),
            ("+1", CreditFault::NotDecimal),
            ("1_000", CreditFault::NotDecimal),
            ("1.234", CreditFault::TooPrecise { decimals: 2 }),
            ("1000000000000001", CreditFault::TooLarge),
            ("99999999999999999999999999999999", CreditFault::TooLarge),
        ] {
            assert_eq!(Credits::parse(text, 2), Err(fault), "{text}");
        }
    }

    #[test]
    fn shares_round_down_and_the_whole_is_exact() {
        let minor = |value| Minor::new(value).unwrap();
        assert_eq!(credits("10").share(minor(1), minor(3), 2).unwrap(), credits("3.33"));
        assert_eq!(credits("0.01").share(minor(3), minor(3), 2).unwrap(), credits("0.01"));
        let most = Credits::parse("1000000000000000", 9).unwrap();
        assert_eq!(most.share(minor(99), minor(100), 0).unwrap(), credits("990000000000000"));
    }

    #[test]
    fn money_buys_at_the_rate_of_a_major_unit() {
        let minor = |value| Minor::new(value).unwrap();
        let usd = Currency::new("USD").unwrap();
        let jpy = Currency::new("JPY").unwrap();
        assert_eq!(credits("7.1").buying(minor(1_05), usd, 2).unwrap(), credits("7.45"));
        assert_eq!(credits("7.1").buying(minor(105), jpy, 2).unwrap(), credits("745.5"));
    }
}
