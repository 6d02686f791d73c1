//! The part "Reasons".

use domain::{
    ids::Text,
    refunds::{Reason, ReasonVerdict, Remedy},
};

use super::setting::{Setting, Value, listed, plain};

/// One reason.
pub(super) fn reason(name: &Text, reason: &Reason) -> Setting {
    let Reason { verdict, rule, facts, within_days, unused, remedy, despite } = reason;
    let verdict = match verdict {
        ReasonVerdict::Deny => "deny",
        ReasonVerdict::Review => "review",
        ReasonVerdict::Eligible => "eligible",
    };
    let remedy = match remedy {
        Remedy::Refund => "refund",
        Remedy::Credits => "credits",
    };
    let mut values = vec![
        ("verdict".to_owned(), Value::word(verdict)),
        ("rule".to_owned(), Value::word(plain(rule.as_str()))),
        ("fact".to_owned(), Value::set(facts)),
    ];
    let window = within_days.map(|days| Value::number(days, "days"));
    values.extend(window.map(|window| ("within_days".to_owned(), window)));
    values.extend([
        ("unused".to_owned(), Value::yes_or_no(*unused)),
        ("remedy".to_owned(), Value::word(remedy)),
        ("despite".to_owned(), Value::set(despite.iter().map(|condition| condition.name()))),
    ]);
    let words = words(reason);
    let sentence = format!("{name}: {words}.");
    Setting::new(format!("reason {name}"), Value::Group { values, words }, sentence)
}

/// What becomes of an application with this reason.
fn words(reason: &Reason) -> String {
    let rule = plain(reason.rule.as_str());
    let answer = match reason.verdict {
        ReasonVerdict::Deny => return format!("denied ({rule})"),
        ReasonVerdict::Review => "reviewed by a person",
        ReasonVerdict::Eligible => "granted once a person approves the quote",
    };
    let remedy = match reason.remedy {
        Remedy::Refund => "made good in money",
        Remedy::Credits => "made good in credits",
    };
    let mut words = vec![answer.to_owned(), remedy.to_owned()];
    let late = reason.within_days.map(|days| Value::number(days, "days"));
    let late = late.map(|within| format!("later than {within} after the payment"));
    let used = reason.unused.then(|| "once any of its paid credits are used".to_owned());
    let denied: Vec<String> = late.into_iter().chain(used).collect();
    if !denied.is_empty() {
        words.push(format!("denied ({rule}) {}", denied.join(" or ")));
    }
    if !reason.facts.is_empty() {
        words.push(format!("must give {} too", listed(&reason.facts)));
    }
    if !reason.despite.is_empty() {
        let names = reason.despite.iter().map(|condition| condition.name());
        words.push(format!("not denied for being {}", names.collect::<Vec<_>>().join(" or ")));
    }
    words.join("; ")
}
