//! The table `[refunds.quote]`: what a quote adds and takes off.

use std::collections::BTreeMap;

use domain::refunds::{Fee, QuoteRules};

use crate::{
    money::{currency, minor, percent},
    reader::{Faulted, Reader},
};

/// The keys of the table.
pub(crate) const KEYS: [&str; 6] =
    ["tax", "channel_fee", "invoice_tax", "gift_used", "promotion", "third_party_costs"];

/// Nothing is added or taken off.
pub(crate) const NOTHING: QuoteRules = QuoteRules {
    tax: false,
    channel_fee: None,
    invoice_tax: None,
    gift_used: false,
    promotion: false,
    third_party_costs: false,
};

/// Reads the table `[refunds.quote]`.
pub(crate) fn quote(table: &mut Reader<'_, '_>) -> Result<QuoteRules, Faulted> {
    let tax = on(table, "tax");
    let channel_fee = table
        .optional("channel_fee")
        .map(|mut item| item.table(&["percent", "fixed"], fee))
        .transpose();
    let invoice_tax = table.optional("invoice_tax").map(|mut item| percent(&mut item)).transpose();
    let gift_used = on(table, "gift_used");
    let promotion = on(table, "promotion");
    let third_party_costs = on(table, "third_party_costs");
    Ok(QuoteRules {
        tax: tax?,
        channel_fee: channel_fee?,
        invoice_tax: invoice_tax?,
        gift_used: gift_used?,
        promotion: promotion?,
        third_party_costs: third_party_costs?,
    })
}

/// Whether a line is on; off where it is left out.
fn on(table: &mut Reader<'_, '_>, key: &str) -> Result<bool, Faulted> {
    table.optional(key).map_or(Ok(false), |mut item| item.boolean())
}

fn fee(table: &mut Reader<'_, '_>) -> Result<Fee, Faulted> {
    let percent = table
        .required("percent", "write percent = \"2.9\"")
        .and_then(|mut item| percent(&mut item));
    let fixed = table.optional("fixed").map_or(Ok(Vec::new()), |mut item| {
        item.entries(|code, item| {
            let currency = currency(code, item)?;
            Ok((currency, minor(item, currency)?))
        })
    });
    Ok(Fee { percent: percent?, fixed: fixed?.into_iter().collect::<BTreeMap<_, _>>() })
}
