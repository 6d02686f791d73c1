//! One setting of a policy: what it is called, what it says, and a sentence.

use std::fmt;

use domain::{credits::Credits, refunds::Percent};

/// Settings that belong together.
pub(super) struct Part {
    pub(super) title: &'static str,
    pub(super) settings: Vec<Setting>,
}

/// One setting.
pub(super) struct Setting {
    /// What it is called, once in its part.
    pub(super) subject: String,
    pub(super) value: Value,
    /// What it means, for one who reads only this policy; empty where others say it.
    pub(super) sentence: String,
}

/// What a setting says.
#[derive(Clone, PartialEq, Eq)]
pub(super) enum Value {
    /// A quantity, which rises and falls.
    Number {
        /// In the smallest part of its unit, to be compared.
        size: i128,
        digits: String,
        unit: &'static str,
    },
    /// One of several words.
    Word(String),
    /// It is there or not.
    There,
    /// Things that are there or not; the subject names one of them.
    Set(Vec<String>),
    /// Settings of its own, by name, and all of them in words.
    Group { values: Vec<(String, Value)>, words: String },
}

impl Setting {
    pub(super) fn new(
        subject: impl Into<String>,
        value: Value,
        sentence: impl Into<String>,
    ) -> Self {
        Self { subject: subject.into(), value, sentence: sentence.into() }
    }
}

impl Value {
    pub(super) fn word(word: impl fmt::Display) -> Self {
        Self::Word(word.to_string())
    }

    pub(super) fn number(number: u32, unit: &'static str) -> Self {
        Self::Number { size: i128::from(number), digits: number.to_string(), unit }
    }

    pub(super) fn credits(credits: Credits) -> Self {
        Self::Number { size: credits.billionths(), digits: credits.to_string(), unit: "credits" }
    }

    pub(super) fn yes_or_no(yes: bool) -> Self {
        Self::word(if yes { "yes" } else { "no" })
    }

    pub(super) fn percent(percent: Percent) -> Self {
        let size = i128::from(percent.millionths());
        Self::Number { size, digits: percent.to_string(), unit: "%" }
    }

    pub(super) fn group<const N: usize>(
        values: [(&'static str, Self); N],
        words: impl Into<String>,
    ) -> Self {
        let values = values.map(|(name, value)| (name.to_owned(), value));
        Self::Group { values: values.into(), words: words.into() }
    }

    pub(super) fn set(items: impl IntoIterator<Item = impl fmt::Display>) -> Self {
        Self::Set(items.into_iter().map(|item| item.to_string()).collect())
    }
}

impl fmt::Display for Value {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Number { digits, unit: "", .. } => f.write_str(digits),
            Self::Number { digits, unit, .. } if digits == "1" => {
                write!(f, "1 {}", unit.trim_end_matches('s'))
            }
            Self::Number { digits, unit, .. } => write!(f, "{digits} {unit}"),
            Self::There => f.write_str("there"),
            Self::Word(word) => f.write_str(word),
            Self::Set(items) => f.write_str(&items.join(", ")),
            Self::Group { words, .. } => f.write_str(words),
        }
    }
}

/// An operator's text on one line; different texts stay different.
pub(super) fn plain(text: &str) -> String {
    let mut line = String::with_capacity(text.len());
    for c in text.chars() {
        if c.is_control() || c == '\\' { line.extend(c.escape_default()) } else { line.push(c) }
    }
    line
}

/// Texts in a row: `one, two and three`.
pub(super) fn listed(items: impl IntoIterator<Item = impl fmt::Display>) -> String {
    let items: Vec<String> = items.into_iter().map(|item| item.to_string()).collect();
    match items.split_last() {
        Some((last, [])) => last.clone(),
        Some((last, before)) => format!("{} and {last}", before.join(", ")),
        None => "nothing".to_owned(),
    }
}
