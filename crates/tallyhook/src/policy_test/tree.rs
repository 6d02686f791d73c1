//! TOML as a tree that knows its lines, and what is wrong with it.
//!
//! Unlike a policy, a scenario's expectations are of any shape, and a step that fails later must
//! still be told by its line: so the lines stay in the tree.

use policy_file::faults::{Fault, Place};
use serde_json::Value as Json;
use toml::{
    Spanned,
    de::{DeTable, DeValue},
};

/// A value and its line.
#[derive(Clone, Debug)]
pub(super) struct Node {
    pub(super) line: usize,
    pub(super) value: Value,
}

/// A value. Dates and times are their text.
#[derive(Clone, Debug)]
pub(super) enum Value {
    Text(String),
    Integer(i64),
    Flag(bool),
    List(Vec<Node>),
    Table(Vec<Entry>),
}

/// A key with its value, in the order of the keys' names.
#[derive(Clone, Debug)]
pub(super) struct Entry {
    pub(super) key: String,
    pub(super) line: usize,
    pub(super) node: Node,
}

/// Collects what is wrong with a file, so that all of it is told at once.
#[derive(Debug, Default)]
pub(super) struct Faults(Vec<Fault>);

impl Faults {
    /// Notes what is wrong at a line and key, and what to do about it.
    pub(super) fn note(
        &mut self,
        line: usize,
        key: impl Into<String>,
        problem: impl Into<String>,
        remedy: impl Into<String>,
    ) {
        let place = Place::Line { line, column: 1 };
        let (key, problem, remedy) = (key.into(), problem.into(), remedy.into());
        self.0.push(Fault { place, key, problem, remedy });
    }

    /// All faults in the order of their lines.
    pub(super) fn sorted(mut self) -> Vec<Fault> {
        self.0.sort_by_key(|fault| match fault.place {
            Place::Line { line, .. } => line,
            Place::Variable(_) => 0,
        });
        self.0
    }

    pub(super) const fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

/// Parses a text; what is not TOML and what can't be kept is noted.
pub(super) fn parsed(text: &str, faults: &mut Faults) -> Vec<Entry> {
    let (table, errors) = DeTable::parse_recoverable(text);
    for error in errors {
        let line = line_of(text, error.span().map_or(0, |span| span.start));
        let problem = format!("is not TOML: {}", error.message().escape_debug());
        faults.note(line, "", problem, "correct this first, steps were not checked yet");
    }
    Growing { text, faults }.entries(table.into_inner())
}

/// The line, from 1, in which a byte stands.
fn line_of(text: &str, offset: usize) -> usize {
    let before = text.as_bytes().get(..offset).unwrap_or_default();
    before.iter().filter(|byte| **byte == b'\n').count().saturating_add(1)
}

struct Growing<'t> {
    text: &'t str,
    faults: &'t mut Faults,
}

impl Growing<'_> {
    fn entries(&mut self, table: DeTable<'_>) -> Vec<Entry> {
        let mut entries = Vec::with_capacity(table.len());
        for (key, value) in table {
            let line = line_of(self.text, key.span().start);
            let key = key.into_inner().into_owned();
            let node = self.node(value, &key);
            entries.push(Entry { key, line, node });
        }
        entries
    }

    fn node(&mut self, value: Spanned<DeValue<'_>>, key: &str) -> Node {
        let line = line_of(self.text, value.span().start);
        let value = match value.into_inner() {
            DeValue::String(text) => Value::Text(text.into_owned()),
            DeValue::Boolean(flag) => Value::Flag(flag),
            DeValue::Datetime(moment) => Value::Text(moment.to_string()),
            DeValue::Array(items) => {
                Value::List(items.into_iter().map(|item| self.node(item, key)).collect())
            }
            DeValue::Table(table) => Value::Table(self.entries(table)),
            DeValue::Integer(digits) => {
                match i64::from_str_radix(digits.as_str(), digits.radix()) {
                    Ok(number) => Value::Integer(number),
                    Err(_) => {
                        self.faults.note(line, key, "is too large", "write it in quotes");
                        Value::Text(digits.as_str().to_owned())
                    }
                }
            }
            DeValue::Float(digits) => {
                let (digits, problem) =
                    (digits.as_str(), "must not be a float, which is not exact");
                self.faults.note(line, key, problem, format!("write it as text: {digits:?}"));
                Value::Text(digits.to_owned())
            }
        };
        Node { line, value }
    }
}

impl Node {
    /// The value of a key of this table.
    pub(super) fn get(&self, key: &str) -> Option<&Self> {
        self.entries().iter().find(|entry| entry.key == key).map(|entry| &entry.node)
    }

    /// The keys of this table; none where it is no table.
    pub(super) fn entries(&self) -> &[Entry] {
        match &self.value {
            Value::Table(entries) => entries,
            Value::Text(_) | Value::Integer(_) | Value::Flag(_) | Value::List(_) => &[],
        }
    }

    /// A text, or a whole number as its digits: nobody has to know which amounts need quotes.
    pub(super) fn text(&self) -> Option<String> {
        match &self.value {
            Value::Text(text) => Some(text.clone()),
            Value::Integer(number) => Some(number.to_string()),
            Value::Flag(_) | Value::List(_) | Value::Table(_) => None,
        }
    }

    /// The same value in JSON, each text through `texts`.
    pub(super) fn json(&self, texts: &dyn Fn(&str) -> String) -> Json {
        match &self.value {
            Value::Text(text) => Json::from(texts(text)),
            Value::Integer(number) => Json::from(*number),
            Value::Flag(flag) => Json::from(*flag),
            Value::List(items) => items.iter().map(|item| item.json(texts)).collect(),
            Value::Table(entries) => {
                let field = |entry: &Entry| (entry.key.clone(), entry.node.json(texts));
                Json::Object(entries.iter().map(field).collect())
            }
        }
    }

    /// The same value in JSON with every number as text, as amounts are sent.
    pub(super) fn amounts(&self, texts: &dyn Fn(&str) -> String) -> Json {
        match &self.value {
            Value::Integer(number) => Json::from(number.to_string()),
            Value::Table(entries) => {
                let field = |entry: &Entry| (entry.key.clone(), entry.node.amounts(texts));
                Json::Object(entries.iter().map(field).collect())
            }
            Value::List(items) => items.iter().map(|item| item.amounts(texts)).collect(),
            Value::Text(_) | Value::Flag(_) => self.json(texts),
        }
    }
}
