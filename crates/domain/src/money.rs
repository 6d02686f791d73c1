//! Money: integer minor units of a currency that we know.

use std::fmt;

/// The largest amount of money, in minor units, either way: a trillion in a two-decimal currency.
///
/// With [`crate::credits::CREDITS_MAX`] it keeps every product of the rules inside `i128`.
pub const MINOR_MAX: i64 = 100_000_000_000_000;

/// A currency that the provider sells in, with its number of decimals.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Currency {
    code: [u8; 3],
    decimals: u8,
}

/// The currencies of Paddle's list in order, each with the decimals of its amounts there.
const CURRENCIES: &[(&str, u8)] = &[
    ("ARS", 2),
    ("AUD", 2),
    ("BRL", 2),
    ("CAD", 2),
    ("CHF", 2),
    ("CLP", 0),
    ("CNY", 2),
    ("COP", 2),
    ("CZK", 2),
    ("DKK", 2),
    ("EUR", 2),
    ("GBP", 2),
    ("HKD", 2),
    ("HUF", 2),
    ("ILS", 2),
    ("INR", 2),
    ("JPY", 0),
    ("KRW", 0),
    ("MXN", 2),
    ("NOK", 2),
    ("NZD", 2),
    ("PEN", 2),
    ("PLN", 2),
    ("RUB", 2),
    ("SEK", 2),
    ("SGD", 2),
    ("THB", 2),
    ("TRY", 2),
    ("TWD", 2),
    ("UAH", 2),
    ("USD", 2),
    ("VND", 0),
    ("ZAR", 2),
];

impl Currency {
    /// The currency with this ISO 4217 code in upper case; `None` when we don't know its decimals.
    #[must_use]
    pub fn new(code: &str) -> Option<Self> {
        let place = CURRENCIES.binary_search_by_key(&code, |(known, _)| known).ok()?;
        let (_, decimals) = CURRENCIES.get(place)?;
        Some(Self { code: code.as_bytes().try_into().ok()?, decimals: *decimals })
    }

    /// The ISO 4217 code.
    #[must_use]
    pub fn code(&self) -> &str {
        std::str::from_utf8(&self.code).unwrap_or("???")
    }

    /// How many decimals a major unit has.
    #[must_use]
    pub const fn decimals(self) -> u8 {
        self.decimals
    }
}

impl fmt::Display for Currency {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.code())
    }
}

impl fmt::Debug for Currency {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.code())
    }
}

/// An amount in minor units of some currency: at most [`MINOR_MAX`] either way.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Minor(i64);

/// A sum of money left the range of [`Minor`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("money {operation} leaves the range of amounts")]
pub struct MoneyOverflow {
    /// What was computed.
    pub operation: &'static str,
}

/// Why a text is no amount of money in major units.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum MajorFault {
    /// Not plain decimal digits.
    #[error("must be a plain decimal number, such as \"12.5\"")]
    NotDecimal,
    /// More decimals than the currency has.
    #[error("must have at most {decimals} decimals")]
    TooPrecise {
        /// How many the currency has.
        decimals: u8,
    },
    /// Beyond [`MINOR_MAX`].
    #[error("is too large")]
    TooLarge,
}

impl Minor {
    /// Nothing.
    pub const ZERO: Self = Self(0);

    /// The amount; `None` beyond [`MINOR_MAX`].
    #[must_use]
    pub const fn new(minor: i64) -> Option<Self> {
        if minor > MINOR_MAX || minor < -MINOR_MAX { None } else { Some(Self(minor)) }
    }

    /// Reads an integer in decimal digits with an optional minus sign, as providers write amounts.
    ///
    /// `None` for anything else: fractions, exponents, plus signs, blanks, or out of range.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let digits = text.strip_prefix('-').unwrap_or(text);
        if digits.is_empty() || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
            return None;
        }
        text.parse().ok().and_then(Self::new)
    }

    /// Reads major units as people write them, zero or above, exact to the currency's decimals.
    ///
    /// # Errors
    /// Anything but digits and one point, too many decimals (zeros count), or out of range.
    pub fn parse_major(text: &str, currency: Currency) -> Result<Self, MajorFault> {
        let (whole, fraction) = text.split_once('.').unwrap_or((text, "0"));
        let digits = |part: &str| !part.is_empty() && part.bytes().all(|b| b.is_ascii_digit());
        if !digits(whole) || !digits(fraction) {
            return Err(MajorFault::NotDecimal);
        }
        let decimals = usize::from(currency.decimals);
        let fraction = if text.contains('.') { fraction } else { "" };
        if fraction.len() > decimals {
            return Err(MajorFault::TooPrecise { decimals: currency.decimals });
        }
        Self::parse(&format!("{whole}{fraction:0<decimals$}")).ok_or(MajorFault::TooLarge)
    }

    /// Writes major units, without trailing zeros.
    #[must_use]
    pub fn major(self, currency: Currency) -> String {
        let decimals = usize::from(currency.decimals);
        let digits = format!("{:0>1$}", self.0.unsigned_abs(), decimals.saturating_add(1));
        let (whole, fraction) =
            digits.split_at_checked(digits.len().saturating_sub(decimals)).unwrap_or((&digits, ""));
        let sign = if self.0 < 0 { "-" } else { "" };
        match fraction.trim_end_matches('0') {
            "" => format!("{sign}{whole}"),
            fraction => format!("{sign}{whole}.{fraction}"),
        }
    }

    /// The number of minor units.
    #[must_use]
    pub const fn get(self) -> i64 {
        self.0
    }

    /// The amount without its sign.
    #[must_use]
    pub const fn abs(self) -> Self {
        Self(self.0.abs())
    }

    /// The sum.
    ///
    /// # Errors
    /// Beyond [`MINOR_MAX`].
    pub fn plus(self, other: Self) -> Result<Self, MoneyOverflow> {
        Self::new(self.0.saturating_add(other.0)).ok_or(MoneyOverflow { operation: "sum" })
    }

    /// The difference.
    ///
    /// # Errors
    /// Beyond [`MINOR_MAX`].
    pub fn minus(self, other: Self) -> Result<Self, MoneyOverflow> {
        Self::new(self.0.saturating_sub(other.0)).ok_or(MoneyOverflow { operation: "difference" })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn amounts_are_integers_and_nothing_else() {
        assert_eq!(Minor::parse("1000"), Minor::new(1000));
        assert_eq!(Minor::parse("-7"), Minor::new(-7));
        for bad in ["", "-", "+1", "1.0", "1e3", " 1", "0x1", "١", "100000000000001"] {
            assert_eq!(Minor::parse(bad), None, "{bad}");
        }
    }

    #[test]
    fn currencies_have_the_decimals_of_the_provider() {
        assert_eq!(Currency::new("JPY").unwrap().decimals(), 0);
        assert_eq!(Currency::new("HUF").unwrap().decimals(), 2);
        assert_eq!(Currency::new("usd"), None);
        assert_eq!(Currency::new("XXX"), None);
        assert_eq!(CURRENCIES.len(), 33);
        for (code, decimals) in CURRENCIES {
            assert_eq!(Currency::new(code).map(Currency::decimals), Some(*decimals), "{code}");
        }
    }

    #[test]
    fn amounts_are_exact_to_the_decimals_of_their_currency() {
        for (text, code, amount) in [
            ("12.5", "USD", 1250),
            ("12.50", "USD", 1250),
            ("0", "USD", 0),
            ("007.01", "USD", 701),
            ("12", "JPY", 12),
            ("1000000000000", "USD", 100_000_000_000_000),
        ] {
            let read = Minor::parse_major(text, Currency::new(code).unwrap());
            assert_eq!(read, Ok(Minor(amount)), "{text} {code}");
        }
        for (text, code) in [
            ("", "USD"),
            (".", "USD"),
            (".5", "USD"),
            ("5.", "USD"),
            ("-1", "USD"),
            ("+1", "USD"),
            ("1e3", "USD"),
            ("1,5", "USD"),
            (" 1", "USD"),
            ("1.2.3", "USD"),
            ("12.345", "USD"),
            ("12.500", "USD"),
            ("1.0", "JPY"),
            ("1000000000000.01", "USD"),
            ("99999999999999999999999999", "USD"),
        ] {
            let read = Minor::parse_major(text, Currency::new(code).unwrap());
            assert!(read.is_err(), "{text} {code}: {read:?}");
        }
    }

    #[test]
    fn amounts_are_written_without_trailing_zeros() {
        let usd = Currency::new("USD").unwrap();
        for (amount, text) in
            [(1250, "12.5"), (-1205, "-12.05"), (0, "0"), (-5, "-0.05"), (100, "1"), (1000, "10")]
        {
            assert_eq!(Minor(amount).major(usd), text);
        }
        let yen = Currency::new("JPY").unwrap();
        assert_eq!(Minor(-1200).major(yen), "-1200");
    }
}
