//! A policy as sentences.

use domain::policy::{Policy, PriceCredits, Shortfall, Unlisted};

use super::{
    measures::disputes,
    refunds::refunds,
    setting::{Part, Setting, Value, plain},
    usage::spending,
};

/// A part of a policy in words.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Section {
    /// What it is about.
    pub title: &'static str,
    /// What holds, each a sentence on one line.
    pub sentences: Vec<String>,
}

/// What a policy says, part by part; a part that says nothing is left out.
#[must_use]
pub fn show(policy: &Policy) -> Vec<Section> {
    let sections = parts(policy).into_iter().map(|part| {
        let sentences = part.settings.into_iter().map(|setting| setting.sentence);
        Section { title: part.title, sentences: sentences.filter(|one| !one.is_empty()).collect() }
    });
    sections.filter(|section| !section.sentences.is_empty()).collect()
}

/// All settings, always in the same parts.
///
/// The policy is taken apart without `..`, so that a new field can't be forgotten.
pub(super) fn parts(policy: &Policy) -> Vec<Part> {
    let Policy {
        name,
        version,
        effective_from,
        unit: _,
        decimals: _,
        rates: _,
        prices: _,
        unlisted: _,
        spend_first,
        shortfall,
        settle_owed,
        on_dispute,
        on_chargeback,
        with_open_case,
        close_after,
        usage,
        refunds: refund_rules,
    } = policy;
    let name = plain(name.as_str());
    let this = vec![
        Setting::new("name", Value::word(&name), format!("This is the policy \"{name}\".")),
        Setting::new("version", Value::number(*version, ""), format!("Its version is {version}.")),
        Setting::new(
            "effective_from",
            Value::word(effective_from),
            format!("It applies from {effective_from}; a ledger's first policy always did."),
        ),
    ];
    let mut parts = vec![
        Part { title: "Version", settings: this },
        Part { title: "Credits", settings: credits(policy) },
        Part { title: "Spending", settings: spending(*spend_first, usage) },
        Part { title: "Reversals", settings: reversals(*shortfall, *settle_owed) },
        Part {
            title: "Disputes",
            settings: disputes((on_dispute, on_chargeback), *with_open_case, *close_after),
        },
    ];
    parts.extend(refunds(refund_rules.as_ref()));
    parts
}

fn credits(policy: &Policy) -> Vec<Setting> {
    let unit = plain(policy.unit.as_str());
    let decimals = policy.decimals;
    let mut settings = vec![
        Setting::new("unit", Value::word(&unit), format!("Credits are called {unit}.")),
        Setting::new(
            "decimals",
            Value::number(u32::from(decimals), ""),
            format!("They have {decimals} decimals and never expire."),
        ),
    ];
    settings.extend(policy.rates.iter().map(|(currency, rate)| {
        let rate = Value::credits(*rate);
        let sentence = format!("1 {currency}, net of tax, buys {rate}.");
        Setting::new(format!("rate of {currency}"), rate, sentence)
    }));
    settings.extend(policy.prices.iter().map(|(price, PriceCredits { paid, gift })| {
        let price = plain(price.as_str());
        let words = format!("{paid} paid and {gift} gift credits");
        let sentence = format!("One item of price {price} gives {words}.");
        let values = [("paid", Value::credits(*paid)), ("gift", Value::credits(*gift))];
        Setting::new(format!("price {price}"), Value::group(values, words), sentence)
    }));
    let (word, sentence) = match policy.unlisted {
        _ if policy.prices.is_empty() => (unlisted(policy.unlisted), ""),
        Unlisted::Ignore => ("ignore", "Items of other prices give nothing."),
        Unlisted::Rate => ("rate", "Items of other prices give credits by the rate."),
    };
    settings.push(Setting::new("unlisted", Value::word(word), sentence));
    settings
}

const fn unlisted(unlisted: Unlisted) -> &'static str {
    match unlisted {
        Unlisted::Ignore => "ignore",
        Unlisted::Rate => "rate",
    }
}

fn reversals(shortfall: Shortfall, settle_owed: bool) -> Vec<Setting> {
    let (word, sentence) = match shortfall {
        Shortfall::Owed => ("owed", "Credits that are taken back but spent are owed."),
        Shortfall::WriteOff => ("write-off", "Credits that are taken back but spent are forgiven."),
    };
    let settled = match settle_owed {
        true => "Free paid credits go to what is owed.",
        false => "What is owed stays owed beside free credits.",
    };
    vec![
        Setting::new("shortfall", Value::word(word), sentence),
        Setting::new("settle_owed", Value::yes_or_no(settle_owed), settled),
    ]
}
