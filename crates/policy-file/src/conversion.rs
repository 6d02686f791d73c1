//! The table `[credits]`: what money becomes.

use std::collections::{BTreeMap, BTreeSet};

use domain::{
    credits::{Credits, DECIMALS_MAX},
    ids::{PriceId, Text},
    money::Currency,
    policy::{PriceCredits, Unlisted},
};

use crate::{
    money::{AmountFault, currency},
    reader::{Faulted, Item, Reader},
};

/// The keys of the table.
pub(crate) const KEYS: [&str; 6] = ["unit", "decimals", "rates", "prices", "unlisted", "expiry"];

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
    let expiry = table.optional("expiry").map_or(Ok(()), |mut item| expiry(&mut item));
    if buys_nothing && prices.as_ref().is_ok_and(Vec::is_empty) {
        let remedy = "add rates = { USD = \"1\" } or prices";
        return Err(table.fault("has neither rates nor prices, so nothing buys credits", remedy));
    }
    expiry?;
    Ok(Conversion {
        unit: unit?,
        decimals: decimals?,
        rates: rates?.into_iter().collect(),
        prices: prices?.into_iter().collect(),
        unlisted: unlisted?,
    })
}

/// The key only says what holds anyway: an operator who wants another must hear it here.
fn expiry(item: &mut Item<'_, '_>) -> Result<(), Faulted> {
    if item.is_text("never") {
        return Ok(());
    }
    Err(item.fault("must be \"never\", since credits do not expire", "write expiry = \"never\""))
}

fn rate(code: &str, item: &mut Item<'_, '_>) -> Result<(Currency, Credits), Faulted> {
    let currency = currency(code, item);
    let remedy = "write credits for one major unit of money, such as \"7.1\"";
    let rate = item.decimal_as(remedy, |digits| match Credits::parse(digits, DECIMALS_MAX) {
        Ok(rate) if rate.is_positive() => Ok(rate),
        Ok(_) => Err(AmountFault::NotPositive),
        Err(fault) => Err(AmountFault::Decimal(fault)),
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
        Err(fault) => Err(AmountFault::Decimal(fault)),
    })
}
