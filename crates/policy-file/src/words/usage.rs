//! The part "Spending".

use domain::{
    input::LotKind,
    policy::{Returns, UsageRules},
};

use super::setting::{Setting, Value, listed, plain};

pub(super) fn spending(spend_first: LotKind, usage: &UsageRules) -> Vec<Setting> {
    let UsageRules { metadata, returns } = usage;
    let (first, then) = match spend_first {
        LotKind::Gift => ("gift", "paid"),
        LotKind::Paid => ("paid", "gift"),
    };
    let names = metadata.iter().map(|name| plain(name.as_str()));
    let said = match metadata.is_empty() {
        true => "Debits may say anything of the usage, or nothing.".to_owned(),
        false => format!("Each debit must say {}.", listed(names.clone())),
    };
    let (word, returned) = match returns {
        Returns::Allow => ("allow", "A debit can be made good once by a credit return."),
        Returns::Refuse => ("refuse", "A debit is never made good by a credit return."),
    };
    vec![
        Setting::new(
            "drawn first",
            Value::word(first),
            format!("Usage draws {first} credits first, then {then} ones, the oldest first."),
        ),
        Setting::new("metadata", Value::set(names), said),
        Setting::new("returns", Value::word(word), returned),
    ]
}
