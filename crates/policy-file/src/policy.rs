//! Which keys a policy has, and what they become in the domain.

use domain::{
    ids::Text,
    policy::{Policy, Shortfall},
};

use crate::{
    conversion::{self, conversion},
    document::Document,
    faults::Faults,
    measures::{self, Responses, responses},
    moment::moment,
    reader::{Faulted, Reader},
    refunds::refunds,
    spending::{self, spending},
};

/// Reads a policy.
///
/// Required, so that nobody loses money to a default: `name`, `version`, `effective_from`,
/// `credits.unit`, `credits.decimals`, at least one rate or price, `spending.order`,
/// `reversal.shortfall` and `reversal.settle_owed`.
/// Without `[measures]` disputes and chargebacks only take their credits; where the table is
/// there, it names both `on_dispute` and `on_chargeback` (`{}` does nothing). In a set of
/// measures, what is left out does nothing. A price without `gift` gives none.
/// Without `[refunds]`, or with an empty one, no refund can be applied for; where the table has
/// keys, it names `facts`, `review_business_days`, a calendar with its zone and weekend, and at
/// least one reason with its verdict and rule. What a quote leaves out is off.
///
/// # Errors
/// Everything that is wrong with the text, in the order of its lines.
///
/// # Example
/// ```
/// let faults = policy_file::parse("version = 0").unwrap_err();
/// assert!(faults.to_string().starts_with("line 1: name: is missing; "));
/// ```
pub fn parse(text: &str) -> Result<Policy, Faults> {
    const KEYS: [&str; 8] = [
        "name",
        "version",
        "effective_from",
        "credits",
        "spending",
        "reversal",
        "measures",
        "refunds",
    ];
    Document::parse(text)?.read(&KEYS, policy)
}

fn policy(root: &mut Reader<'_, '_>) -> Result<Policy, Faulted> {
    let name = root
        .required("name", "write name = \"...\"")
        .and_then(|mut item| item.text_as("choose a short name", Text::new));
    let version = root
        .required("version", "write version = 1")
        .and_then(|mut item| item.integer(1..=u32::MAX));
    let effective_from = root
        .required("effective_from", "write effective_from = \"2026-07-03T00:00:00Z\"")
        .and_then(|mut item| moment(&mut item));
    let credits = root
        .required("credits", "add [credits] with unit, decimals and rates or prices")
        .and_then(|mut item| item.table(&conversion::KEYS, conversion));
    let spending = root
        .required("spending", "add [spending] with order = [\"gift\", \"paid\"]")
        .and_then(|mut item| item.table(&spending::KEYS, spending));
    let reversal = root
        .required("reversal", "add [reversal] with shortfall and settle_owed")
        .and_then(|mut item| item.table(&["shortfall", "settle_owed"], reversal));
    let responses = root
        .optional("measures")
        .map_or(Ok(Responses::NONE), |mut item| item.table(&measures::KEYS, responses));
    let refunds = root.optional("refunds").map_or(Ok(None), |mut item| refunds(&mut item));

    let (credits, responses) = (credits?, responses?);
    let (spend_first, usage) = spending?;
    let (shortfall, settle_owed) = reversal?;
    Ok(Policy {
        name: name?,
        version: version?,
        effective_from: effective_from?,
        unit: credits.unit,
        decimals: credits.decimals,
        rates: credits.rates,
        prices: credits.prices,
        unlisted: credits.unlisted,
        spend_first,
        shortfall,
        settle_owed,
        on_dispute: responses.on_dispute,
        on_chargeback: responses.on_chargeback,
        with_open_case: responses.with_open_case,
        close_after: responses.close_after,
        usage,
        refunds: refunds?,
    })
}

fn reversal(table: &mut Reader<'_, '_>) -> Result<(Shortfall, bool), Faulted> {
    let shortfall = table
        .required("shortfall", "write shortfall = \"owed\" or \"write-off\"")
        .and_then(|mut item| {
            item.choice(&[("owed", Shortfall::Owed), ("write-off", Shortfall::WriteOff)])
        });
    let settle_owed = table
        .required("settle_owed", "write settle_owed = true or false")
        .and_then(|mut item| item.boolean());
    Ok((shortfall?, settle_owed?))
}
