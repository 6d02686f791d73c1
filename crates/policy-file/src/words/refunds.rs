//! The parts "Refunds" and "Calendar", and where the others of refunds come in.

use std::collections::BTreeSet;

use domain::{
    calendar::{Calendar, Weekday},
    ids::Text,
    refunds::{Condition, Refunds},
};

use super::{
    quote::quote,
    reason::reason,
    setting::{Part, Setting, Value, listed, plain},
};

/// Always the same parts; those of a policy without refunds are empty but for the first.
pub(super) fn refunds(rules: Option<&Refunds>) -> [Part; 4] {
    let Some(rules) = rules else {
        let sentence = "No refund can be applied for.";
        let none = vec![Setting::new("applying for refunds", Value::word("not offered"), sentence)];
        return named([none, Vec::new(), Vec::new(), Vec::new()]);
    };
    let Refunds { facts, review_business_days, calendar: worked, denials, reasons, quote: lines } =
        rules;
    let review = Value::number(*review_business_days, "business days");
    let mut applications = vec![
        Setting::new("applying for refunds", Value::word("offered"), "Refunds can be applied for."),
        asked(facts),
        Setting::new(
            "review_business_days",
            review.clone(),
            format!("A review is due {review} after that is complete."),
        ),
    ];
    applications.extend(denials.iter().map(|(condition, rule)| {
        let (what, rule) = (condition_words(*condition), plain(rule.as_str()));
        let sentence = format!("They are denied ({rule}) when {what}.");
        Setting::new(format!("denial {}", condition.name()), Value::word(rule), sentence)
    }));
    let reasons = reasons.iter().map(|(name, rules)| reason(name, rules)).collect();
    named([applications, calendar(worked), reasons, quote(lines)])
}

fn named([applications, calendar, reasons, quotes]: [Vec<Setting>; 4]) -> [Part; 4] {
    [
        Part { title: "Refunds", settings: applications },
        Part { title: "Calendar", settings: calendar },
        Part { title: "Reasons", settings: reasons },
        Part { title: "Quotes", settings: quotes },
    ]
}

fn asked(facts: &BTreeSet<Text>) -> Setting {
    let sentence = match facts.is_empty() {
        true => "Applications must give a reason and no other facts.".to_owned(),
        false => format!("Applications must give a reason, and {}.", listed(facts)),
    };
    Setting::new("fact", Value::set(facts), sentence)
}

const fn condition_words(condition: Condition) -> &'static str {
    match condition {
        Condition::Consumed => "none of the payment's paid credits is unused",
        Condition::Restricted => "the account is frozen, closed, or under a measure",
        Condition::Invoiced => "an invoice was issued and cannot be reversed",
    }
}

fn calendar(calendar: &Calendar) -> Vec<Setting> {
    let Calendar { zone, weekend, holidays, working_days } = calendar;
    let free = match weekend.is_empty() {
        true => "There is no weekend.".to_owned(),
        false => {
            format!("The weekend is {}.", listed(weekend.iter().map(|day| format!("{day:?}"))))
        }
    };
    let held = match holidays.is_empty() {
        true => String::new(),
        false => format!("Other days that are not worked: {}.", listed(holidays)),
    };
    let worked = match working_days.is_empty() {
        true => String::new(),
        false => format!("Worked all the same: {}.", listed(working_days)),
    };
    let zone = zone.name();
    vec![
        Setting::new("zone", Value::word(zone), format!("Days begin and end in {zone}.")),
        Setting::new("weekend", Value::set(weekend.iter().map(|day| weekday(*day))), free),
        Setting::new("holiday", Value::set(holidays), held),
        Setting::new("working day", Value::set(working_days), worked),
    ]
}

const fn weekday(day: Weekday) -> &'static str {
    match day {
        Weekday::Monday => "monday",
        Weekday::Tuesday => "tuesday",
        Weekday::Wednesday => "wednesday",
        Weekday::Thursday => "thursday",
        Weekday::Friday => "friday",
        Weekday::Saturday => "saturday",
        Weekday::Sunday => "sunday",
    }
}
