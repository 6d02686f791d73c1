//! TOML text as a tree that knows where everything stands. The only module that names `toml`.

use std::{collections::BTreeMap, sync::Arc};

use toml::{
    Spanned,
    de::{DeTable, DeValue},
};

use crate::{
    faults::{At, Faults, Finding},
    reader::{Faulted, Item, Reader},
};

/// The longest text that is read.
pub const TEXT_BYTES_MAX: usize = 1024 * 1024;

/// A TOML text, parsed, with what the environment puts over it.
#[derive(Debug)]
pub struct Document {
    text: String,
    root: Node,
}

/// A value and where it stands.
#[derive(Debug)]
pub(crate) struct Node {
    pub(crate) at: At,
    pub(crate) value: Value,
}

/// A value; numbers keep their text, because a float can't hold every decimal.
#[derive(Debug)]
pub(crate) enum Value {
    Text(String),
    /// `None` beyond 64 bits.
    Integer(Option<i64>),
    Float(String),
    Boolean(bool),
    Moment(String),
    List(Vec<Node>),
    Table(BTreeMap<String, Entry>),
    /// What a variable says: its text, and the value if it is one that needs no quotes.
    Variable(String, Option<Box<Value>>),
}

/// A key's value and where the key stands.
#[derive(Debug)]
pub(crate) struct Entry {
    pub(crate) key_at: At,
    pub(crate) node: Node,
}

impl Document {
    /// Parses a text.
    ///
    /// # Errors
    /// What is not TOML, the first fault of each line; keys are not looked at before that is
    /// corrected, because a broken line would make faults of good keys.
    pub fn parse(text: &str) -> Result<Self, Faults> {
        if text.len() > TEXT_BYTES_MAX {
            let problem = format!("has more than {TEXT_BYTES_MAX} bytes");
            return Err(Faults::new(text, vec![finding(0, problem, "make it shorter")]));
        }
        let (table, errors) = DeTable::parse_recoverable(text);
        if errors.is_empty() {
            let root = Node { at: At::Offset(0), value: table_of(table.into_inner()) };
            return Ok(Self { text: text.to_owned(), root });
        }
        let findings = errors.into_iter().map(|error| {
            let start = error.span().map_or(0, |span| span.start);
            let problem = format!("is not TOML: {}", error.message().escape_debug());
            finding(start, problem, "correct this first, keys were not checked yet")
        });
        let mut findings: Vec<Finding> = findings.collect();
        findings.sort_by(|one, other| one.at.cmp(&other.at));
        findings.dedup_by_key(|finding| line_of(text, &finding.at));
        Err(Faults::new(text, findings))
    }

    /// Puts the text of an environment variable in the place of the value at a path.
    ///
    /// It serves as text, whole number, `true` or `false`, or as a list or table in TOML,
    /// whichever the key takes; its faults name the variable. Tables on the path are made where
    /// they lack.
    pub fn set(&mut self, path: &[&str], variable: &str, text: &str) {
        let at = At::Variable(Arc::from(variable));
        let mut node = &mut self.root;
        for key in path {
            if !matches!(node.value, Value::Table(_)) {
                *node = Node { at: at.clone(), value: Value::Table(BTreeMap::new()) };
            }
            let Value::Table(entries) = &mut node.value else { return };
            let empty = || Entry {
                key_at: at.clone(),
                node: Node { at: at.clone(), value: Value::Table(BTreeMap::new()) },
            };
            node = &mut entries.entry((*key).to_owned()).or_insert_with(empty).node;
        }
        let literal = DeValue::parse(text).ok().map(|value| {
            let mut value = value_of(value.into_inner());
            moved(&mut value, &at);
            Box::new(value)
        });
        *node = Node { at, value: Value::Variable(text.to_owned(), literal) };
    }

    /// Reads the root table, in which only `keys` are known.
    ///
    /// # Errors
    /// All that `read` and the conversions under it found wrong.
    pub fn read<'d, T>(
        &'d self,
        keys: &[&str],
        read: impl FnOnce(&mut Reader<'_, 'd>) -> Result<T, Faulted>,
    ) -> Result<T, Faults> {
        let mut findings = Vec::new();
        match Item::root(&self.root, &mut findings).table(keys, read) {
            Ok(value) if findings.is_empty() => Ok(value),
            Ok(_) | Err(_) => Err(Faults::new(&self.text, findings)),
        }
    }
}

/// A fault of the text as a whole.
fn finding(offset: usize, problem: String, remedy: &str) -> Finding {
    let (key, remedy) = (String::new(), remedy.to_owned());
    Finding { at: At::Offset(offset), key, problem, remedy }
}

/// The start of the line in which a position is, which is the same for all of a line.
fn line_of(text: &str, at: &At) -> Option<usize> {
    match at {
        At::Offset(offset) => text
            .as_bytes()
            .get(..*offset)
            .and_then(|before| before.iter().rposition(|byte| *byte == b'\n')),
        At::Variable(_) => None,
    }
}

fn table_of(table: DeTable<'_>) -> Value {
    let entries = table.into_iter().map(|(key, value)| {
        let key_at = At::Offset(key.span().start);
        (key.into_inner().into_owned(), Entry { key_at, node: node_of(value) })
    });
    Value::Table(entries.collect())
}

fn node_of(value: Spanned<DeValue<'_>>) -> Node {
    let at = At::Offset(value.span().start);
    Node { at, value: value_of(value.into_inner()) }
}

fn value_of(value: DeValue<'_>) -> Value {
    match value {
        DeValue::String(text) => Value::Text(text.into_owned()),
        DeValue::Integer(digits) => {
            Value::Integer(i64::from_str_radix(digits.as_str(), digits.radix()).ok())
        }
        DeValue::Float(digits) => Value::Float(digits.as_str().to_owned()),
        DeValue::Boolean(boolean) => Value::Boolean(boolean),
        DeValue::Datetime(moment) => Value::Moment(moment.to_string()),
        DeValue::Array(items) => Value::List(items.into_iter().map(node_of).collect()),
        DeValue::Table(table) => table_of(table),
    }
}

/// Says of all that is in a value that it stands in a variable.
fn moved(value: &mut Value, at: &At) {
    match value {
        Value::List(nodes) => nodes.iter_mut().for_each(|node| {
            node.at = at.clone();
            moved(&mut node.value, at);
        }),
        Value::Table(entries) => entries.values_mut().for_each(|entry| {
            entry.key_at = at.clone();
            entry.node.at = at.clone();
            moved(&mut entry.node.value, at);
        }),
        Value::Text(_)
        | Value::Integer(_)
        | Value::Float(_)
        | Value::Boolean(_)
        | Value::Moment(_)
        | Value::Variable(..) => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Reads all kinds of keys after the environment had its say.
    fn check(variables: &[(&[&str], &str)], expected: &str) {
        let mut document =
            Document::parse("[server]\npublic = 7\n[limits]\nqueue = 10\n").expect("is TOML");
        for (path, text) in variables {
            document.set(path, &path.join("__").to_uppercase(), text);
        }
        let read = document.read(&["server", "limits"], |root| {
            let public = root.required("server", "add [server]").and_then(|mut server| {
                server.table(&["public", "roles"], |server| {
                    let public = server.required("public", "name an address")?.text();
                    let roles = server
                        .optional("roles")
                        .map(|mut roles| roles.list(|role| role.choice(&[("read", 'r')])));
                    Ok((public?.to_owned(), roles.transpose()?))
                })
            });
            let queue = root.required("limits", "add [limits]").and_then(|mut limits| {
                limits.table(&["queue", "strict"], |limits| {
                    let queue = limits.required("queue", "")?.integer(1..=100_u16);
                    let strict = limits.optional("strict").map(|mut strict| strict.boolean());
                    Ok((queue?, strict.transpose()?))
                })
            });
            Ok(format!("{:?} {:?}", public?, queue?))
        });
        assert_eq!(read.unwrap_or_else(|faults| faults.to_string()), expected);
    }

    #[test]
    fn a_variable_serves_as_whichever_type_its_key_takes() {
        check(
            &[
                (&["server", "public"], "8080"),
                (&["server", "roles"], "[\"read\"]"),
                (&["limits", "queue"], "20"),
                (&["limits", "strict"], "true"),
            ],
            "(\"8080\", Some(['r'])) (20, Some(true))",
        );
    }

    #[test]
    fn faults_of_variables_name_them_after_those_of_the_text() {
        check(
            &[
                (&["server", "roles"], "[\"reed\"]"),
                (&["limits", "queue"], "many"),
                (&["nats", "url"], "nats://host"),
            ],
            "line 2: server.public: must be text, not a whole number; write it in quotes\n\
             environment LIMITS__QUEUE: limits.queue: must be a whole number, not text; write digits without quotes\n\
             environment NATS__URL: nats: is not a known key; remove it; known here are server, limits\n\
             environment SERVER__ROLES: server.roles[0]: \"reed\" is not one of \"read\"; did you mean \"read\"?",
        );
    }

    #[test]
    fn a_fault_of_a_variable_with_an_odd_name_is_on_one_line() {
        check(
            &[(&["li\nmits"], "1")],
            "line 2: server.public: must be text, not a whole number; write it in quotes\n\
             environment LI\\nMITS: \"li\\nmits\": is not a known key; did you mean \"limits\"?",
        );
    }
}
