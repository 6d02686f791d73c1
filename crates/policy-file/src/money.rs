//! Currencies, amounts of money and percentages as an operator writes them.

use std::fmt;

use domain::{
    credits::CreditFault,
    money::{Currency, MajorFault, Minor},
    refunds::Percent,
};

use crate::reader::{Faulted, Item};

/// The currency of this code, which is the key of an item.
pub(crate) fn currency(code: &str, item: &mut Item<'_, '_>) -> Result<Currency, Faulted> {
    Currency::new(code).ok_or_else(|| {
        let upper = code.to_ascii_uppercase();
        let remedy = match Currency::new(&upper) {
            Some(known) => format!("did you mean \"{known}\"?"),
            None => "use the ISO 4217 code of a currency that the provider sells in".to_owned(),
        };
        item.fault("is not a known currency", remedy)
    })
}

/// Reads an amount above zero in major units, with at most the currency's decimals.
pub(crate) fn minor(item: &mut Item<'_, '_>, currency: Currency) -> Result<Minor, Faulted> {
    let remedy = format!("write major units of {currency}, such as \"1\"");
    item.decimal_as(&remedy, |digits| {
        let minor = Minor::parse_major(digits, currency).map_err(AmountFault::Major)?;
        if minor > Minor::ZERO { Ok(minor) } else { Err(AmountFault::NotPositive) }
    })
}

/// Reads a percentage.
pub(crate) fn percent(item: &mut Item<'_, '_>) -> Result<Percent, Faulted> {
    item.decimal_as("write the parts of a hundred, such as \"2.9\"", |digits| {
        Percent::parse(digits).ok_or("must be from 0 to 100, with at most 4 decimals")
    })
}

/// Why a decimal is no amount.
pub(crate) enum AmountFault {
    NotPositive,
    Negative,
    Decimal(CreditFault),
    Major(MajorFault),
}

impl fmt::Display for AmountFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotPositive => f.write_str("must be above zero"),
            Self::Negative => f.write_str("must not be below zero"),
            Self::Decimal(fault) => fault.fmt(f),
            Self::Major(fault) => fault.fmt(f),
        }
    }
}
