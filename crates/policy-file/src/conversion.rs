//! The table `[credits]`: what money becomes.

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt,
};

use domain::{
    credits::{CreditFault, Credits, DECIMALS_MAX},
    ids::{PriceId, Text},
    money::Currency,
    policy::{PriceCredits, Unlisted},
};

use crate::reader::{Faulted, Item, Reader};

/// The keys of the table.
pub(crate) const KEYS: [&str; 5] = ["unit", "decimals", "rates", "prices", "unlisted"];

/// What money becomes.
pub(crate) struct Conversion {
    pub(crate) unit: Text,
    pub(crate) decimals: u8,
    pub(crate) rates: BTreeMap<Currency, Credits>,
    pub(crate) prices: BTreeMap<PriceId, PriceCredits>,
    pub(crate) unlisted: Unlisted,
}

/// Reads the table `[credits]`.
pub(crate) fn conversion(table: &mut Reader<'_, '_>) -> Result<Conversion, Faulted> {
    let unit = table
        .required("unit", "say what credits are called, such as unit = \"USD\"")
        .and_then(|mut item| item.text_as("choose a short name", Text::new));
    let decimals = table
        .required("decimals", "write decimals = 6; it never changes in a ledger")
        .and_then(|mut item| item.integer(0..=DECIMALS_MAX));
    let rates = table.optional("rates").map_or(Ok(Vec::new()), |mut item| item.entries(rate));
    let prices = table
        .optional("prices")
        .map_or(Ok(Vec::new()), |mut item| prices(&mut item, decimals.unwrap_or(DECIMALS_MAX)));
    let buys_nothing = rates.as_ref().is_ok_and(Vec::is_empty);
    let unlisted = table.optional("unlisted").map_or(Ok(Unlisted::Ignore), |mut item| {
        match item.choice(&[("ignore", Unlisted::Ignore), ("rate", Unlisted::Rate)])? {
            Unlisted::Rate if buys_nothing && prices.as_ref().is_ok_and(|all| !all.is_empty()) => {
                Err(item.fault("\"rate\" needs a rate", "add rates = { USD = \"1\" }"))
            }
            unlisted @ (Unlisted::Rate | Unlisted::Ignore) => Ok(unlisted),
        }
    });
    if buys_nothing && prices.as_ref().is_ok_and(Vec::is_empty) {
        let remedy = "add rates = { USD = \"1\" } or prices";
        return Err(table.fault("has neither rates nor prices, so nothing buys credits", remedy));
    }
    Ok(Conversion {
        unit: unit?,
        decimals: decimals?,
        rates: rates?.into_iter().collect(),
        prices: prices?.into_iter().collect(),
        unlisted: unlisted?,
    })
}

fn rate(code: &str, item: &mut Item<'_, '_>) -> Result<(Currency, Credits), Faulted> {
    let currency = Currency::new(code).ok_or_else(|| {
        let upper = code.to_ascii_uppercase();
        let remedy = match Currency::new(&upper) {
            Some(known) => format!("did you mean \"{known}\"?"),
            None => "use the ISO 4217 code of a currency that the provider sells in".to_owned(),
        };
        item.fault("is not a known currency", remedy)
    });
    let remedy = "write credits for one major unit of money, such as \"7.1\"";
    let rate = item.decimal_as(remedy, |digits| match Credits::parse(digits, DECIMALS_MAX) {
        Ok(rate) if rate.is_positive() => Ok(rate),
        Ok(_) => Err(AmountFault::NotPositive),
        Err(fault) => Err(AmountFault::Credits(fault)),
    });
    Ok((currency?, rate?))
}

fn prices(list: &mut Item<'_, '_>, decimals: u8) -> Result<Vec<(PriceId, PriceCredits)>, Faulted> {
    let mut listed = BTreeSet::new();
    list.list(|item| {
        item.table(&["price", "paid", "gift"], |table| {
            let price =
                table.required("price", "write price = \"pri_...\"").and_then(|mut item| {
                    let price =
                        item.text_as("write the provider's id of the price", PriceId::new)?;
                    if listed.insert(price.clone()) {
                        return Ok(price);
                    }
                    Err(item.fault(format!("{price:?} is listed twice"), "keep one of them"))
                });
            let paid = table
                .required("paid", "write the credits of one item, such as paid = \"1000\"")
                .and_then(|mut item| amount(&mut item, decimals));
            let gift = table
                .optional("gift")
                .map_or(Ok(Credits::ZERO), |mut item| amount(&mut item, decimals));
            Ok((price?, PriceCredits { paid: paid?, gift: gift? }))
        })
    })
}

fn amount(item: &mut Item<'_, '_>, decimals: u8) -> Result<Credits, Faulted> {
    let remedy = "write credits with at most credits.decimals decimals, such as \"1000\"";
    item.decimal_as(remedy, |digits| match Credits::parse(digits, decimals) {
        Ok(amount) if amount >= Credits::ZERO => Ok(amount),
        Ok(_) => Err(AmountFault::Negative),
        Err(fault) => Err(AmountFault::Credits(fault)),
    })
}

/// Why a decimal is no rate or no amount.
enum AmountFault {
    NotPositive,
    Negative,
    Credits(CreditFault),
}

impl fmt::Display for AmountFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotPositive => f.write_str("must be above zero"),
            Self::Negative => f.write_str("must not be below zero"),
            Self::Credits(fault) => fault.fmt(f),
        }
    }
}
