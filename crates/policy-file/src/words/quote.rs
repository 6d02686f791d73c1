//! The part "Quotes".

use domain::refunds::{Fee, QuoteRules};

use super::setting::{Setting, Value};

/// The lines of a quote.
pub(super) fn quote(rules: &QuoteRules) -> Vec<Setting> {
    let QuoteRules { tax, channel_fee, invoice_tax, gift_used, promotion, third_party_costs } =
        rules;
    let line = |name: &str, on: bool, sentence: &str| {
        on.then(|| Setting::new(format!("quote line {name}"), Value::There, sentence))
    };
    let first = "A quote is what was paid, in proportion to the unused paid credits.";
    let gift = "What used gift credits of the payment are worth is taken off.";
    let discount = "The share of a discount that the used credits had is taken off.";
    let costs = "Costs of third parties that the case names are taken off.";
    let invoice_tax = invoice_tax.map(|percent| {
        let sentence = format!("Where an invoice was issued, its tax of {percent} % is taken off.");
        Setting::new("invoice_tax", Value::percent(percent), sentence)
    });
    let lines = [
        line("unused_balance", true, first),
        line("tax", *tax, "Its share of the tax is added."),
        channel_fee.as_ref().map(fee),
        invoice_tax,
        line("gift_used", *gift_used, gift),
        line("promotion", *promotion, discount),
        line("third_party_costs", *third_party_costs, costs),
    ];
    lines.into_iter().flatten().collect()
}

fn fee(fee: &Fee) -> Setting {
    let Fee { percent, fixed } = fee;
    let mut values = vec![("percent".to_owned(), Value::percent(*percent))];
    let mut amounts = Vec::new();
    for (currency, minor) in fixed {
        let digits = minor.major(*currency);
        amounts.push(format!("{digits} {currency}"));
        let value = Value::Number { size: i128::from(minor.get()), digits, unit: "" };
        values.push((format!("fixed {currency}"), value));
    }
    let words = match amounts.is_empty() {
        true => format!("{percent} %"),
        false => format!("{percent} % and {}", amounts.join(" or ")),
    };
    let sentence = format!("The payment channel's fee of {words} is taken off.");
    Setting::new("channel_fee", Value::Group { values, words }, sentence)
}
