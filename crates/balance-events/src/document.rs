//! A document as text that people read: two blanks for each level, keys in the order of reading.

use serde_json::{Map, Value};

/// What documents are made of, in the order in which a reader wants to know it.
const KEYWORDS: &[&str] = &[
    "asyncapi",
    "$schema",
    "$id",
    "$ref",
    "title",
    "name",
    "version",
    "summary",
    "host",
    "protocol",
    "action",
    "address",
    "contentType",
    "type",
    "const",
    "enum",
    "anyOf",
    "oneOf",
    "format",
    "pattern",
    "minimum",
    "maximum",
    "minLength",
    "maxLength",
    "items",
    "description",
    "license",
    "url",
    "info",
    "defaultContentType",
    "servers",
    "channels",
    "operations",
    "channel",
    "parameters",
    "headers",
    "payload",
    "messages",
    "bindings",
    "properties",
    "required",
    "examples",
    "$defs",
    "components",
    "schemas",
];

/// The text of a document, with a line break at its end.
///
/// Objects of keywords are in the order of keywords; members of messages in the order in which
/// the document itself requires them.
#[must_use]
pub fn text(document: &Value) -> String {
    let mut orders = vec![KEYWORDS.to_vec()];
    required(document, &mut orders);
    let mut text = String::new();
    write(&mut text, document, &orders, 0);
    text.push('\n');
    text
}

/// A text's words; nothing where there is none.
pub(crate) fn text_of(value: Option<&Value>) -> &str {
    value.and_then(Value::as_str).unwrap_or_default()
}

/// Every list of required members.
fn required<'d>(value: &'d Value, orders: &mut Vec<Vec<&'d str>>) {
    match value {
        Value::Object(object) => {
            if let Some(names) = object.get("required").and_then(Value::as_array) {
                orders.push(names.iter().filter_map(Value::as_str).collect());
            }
            object.values().for_each(|inner| required(inner, orders));
        }
        Value::Array(items) => items.iter().for_each(|item| required(item, orders)),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}

fn write(text: &mut String, value: &Value, orders: &[Vec<&str>], depth: usize) {
    match value {
        Value::Object(object) if !object.is_empty() => {
            let entries = in_order(object, orders);
            list(text, ('{', '}'), &entries, depth, |text, (key, inner)| {
                text.push_str(&Value::from(*key).to_string());
                text.push_str(": ");
                write(text, inner, orders, depth.saturating_add(1));
            });
        }
        Value::Array(items) if !items.is_empty() => {
            list(text, ('[', ']'), items, depth, |text, item| {
                write(text, item, orders, depth.saturating_add(1));
            });
        }
        Value::Object(_)
        | Value::Array(_)
        | Value::Null
        | Value::Bool(_)
        | Value::Number(_)
        | Value::String(_) => text.push_str(&value.to_string()),
    }
}

fn list<T>(
    text: &mut String,
    (open, close): (char, char),
    items: &[T],
    depth: usize,
    each: impl Fn(&mut String, &T),
) {
    text.push(open);
    for (index, item) in items.iter().enumerate() {
        text.push_str(if index == 0 { "\n" } else { ",\n" });
        text.push_str(&"  ".repeat(depth.saturating_add(1)));
        each(text, item);
    }
    text.push('\n');
    text.push_str(&"  ".repeat(depth));
    text.push(close);
}

/// The entries in the first order that has all their keys; else as they come.
fn in_order<'d>(object: &'d Map<String, Value>, orders: &[Vec<&str>]) -> Vec<(&'d str, &'d Value)> {
    let mut entries: Vec<_> = object.iter().map(|(key, inner)| (key.as_str(), inner)).collect();
    let fits = |order: &&Vec<&str>| entries.iter().all(|(key, _)| order.contains(key));
    if let Some(order) = orders.iter().find(fits) {
        entries.sort_by_key(|(key, _)| order.iter().position(|other| other == key));
    }
    entries
}
