//! What changes from one policy to another, a sentence for each difference.

use std::fmt;

use domain::policy::Policy;

use super::{
    setting::{Part, Value},
    show::parts,
};

/// One setting that differs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Difference {
    /// The part of the policy, as [`super::show`] titles it.
    pub section: &'static str,
    /// What changes, as a fragment without a final dot.
    pub sentence: String,
}

impl fmt::Display for Difference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.sentence)
    }
}

/// What changes from the old policy to the new one, in the order of the policy's parts.
///
/// Empty exactly when they are equal.
#[must_use]
pub fn diff(old: &Policy, new: &Policy) -> Vec<Difference> {
    let mut differences = Vec::new();
    for (old, new) in parts(old).iter().zip(parts(new).iter()) {
        let mut sentences = Vec::new();
        changed(old, new, &mut sentences);
        let section = new.title;
        differences.extend(sentences.into_iter().map(|sentence| Difference { section, sentence }));
    }
    differences
}

fn changed(old: &Part, new: &Part, sentences: &mut Vec<String>) {
    let pairs = |part: &Part| -> Vec<(String, Value)> {
        let settings = part.settings.iter();
        settings.map(|setting| (setting.subject.clone(), setting.value.clone())).collect()
    };
    values(&pairs(old), &pairs(new), |subject| subject.clone(), sentences);
}

/// Compares by name: first what was there, then what is new.
fn values<N: PartialEq>(
    old: &[(N, Value)],
    new: &[(N, Value)],
    subject: impl Fn(&N) -> String,
    sentences: &mut Vec<String>,
) {
    let found = |among: &[(N, Value)], name: &N| among.iter().position(|(known, _)| known == name);
    for (name, before) in old {
        match found(new, name).and_then(|index| new.get(index)) {
            Some((_, after)) => value(&subject(name), before, after, sentences),
            None => gone(&subject(name), before, sentences),
        }
    }
    for (name, after) in new.iter().filter(|(name, _)| found(old, name).is_none()) {
        added(&subject(name), after, sentences);
    }
}

fn value(subject: &str, old: &Value, new: &Value, sentences: &mut Vec<String>) {
    if old == new {
        return;
    }
    match (old, new) {
        (
            Value::Number { size, digits, unit },
            Value::Number { size: new_size, unit: new_unit, .. },
        ) if unit == new_unit => {
            let verb = if new_size > size { "rises" } else { "falls" };
            sentences.push(format!("{subject} {verb} from {digits} to {new}"));
        }
        (Value::Set(old), Value::Set(new)) => {
            let only = |these: &[String], those: &[String], what: &str| -> Vec<String> {
                let these = these.iter().filter(|item| !those.contains(item));
                these.map(|item| format!("{subject} {item} is {what}")).collect()
            };
            sentences.extend(only(old, new, "removed"));
            sentences.extend(only(new, old, "added"));
        }
        (Value::Group { values: old, .. }, Value::Group { values: new, .. }) => {
            values(old, new, |name| format!("{subject}: {name}"), sentences);
        }
        (old, new) => sentences.push(format!("{subject} changes from {old} to {new}")),
    }
}

fn gone(subject: &str, value: &Value, sentences: &mut Vec<String>) {
    match value {
        Value::Set(items) => {
            sentences.extend(items.iter().map(|item| format!("{subject} {item} is removed")));
        }
        Value::There | Value::Number { .. } | Value::Word(_) | Value::Group { .. } => {
            sentences.push(format!("{subject} is removed"));
        }
    }
}

fn added(subject: &str, value: &Value, sentences: &mut Vec<String>) {
    match value {
        Value::Set(items) => {
            sentences.extend(items.iter().map(|item| format!("{subject} {item} is added")));
        }
        Value::There => sentences.push(format!("{subject} is added")),
        Value::Number { .. } | Value::Word(_) | Value::Group { .. } => {
            sentences.push(format!("{subject} is added: {value}"));
        }
    }
}
