//! What a step expects of an answer: the named fields, and no others.

use serde_json::Value as Json;

use super::tree::{Node, Value};

/// Stands for a field that is absent or null.
pub(super) const NOTHING: &str = "(nothing)";

/// The most items of a list that a difference shows.
const LISTED_MAX: usize = 5;

/// What is not as expected.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Difference {
    /// Where the expectation stands.
    pub(super) line: usize,
    /// The path of the field.
    pub(super) field: String,
    pub(super) expected: String,
    pub(super) found: String,
}

/// Every difference between what is expected and what came, in the order of the file's lines.
pub(super) fn differences(
    expected: &Node,
    found: &Json,
    texts: &dyn Fn(&str) -> String,
) -> Vec<Difference> {
    let mut comparing = Comparing { texts, differences: Vec::new() };
    comparing.compare("", expected, Some(found));
    comparing.differences.sort_by_key(|difference| difference.line);
    comparing.differences
}

struct Comparing<'t> {
    texts: &'t dyn Fn(&str) -> String,
    differences: Vec<Difference>,
}

impl Comparing<'_> {
    fn compare(&mut self, field: &str, expected: &Node, found: Option<&Json>) {
        let fits = match (&expected.value, found) {
            (Value::Table(entries), Some(Json::Object(fields))) => {
                for entry in entries {
                    let path = joined(field, &entry.key);
                    self.compare(&path, &entry.node, fields.get(&entry.key));
                }
                true
            }
            (Value::List(items), Some(Json::Array(values))) if items.len() == values.len() => {
                for (index, (item, value)) in items.iter().zip(values).enumerate() {
                    self.compare(&format!("{field}[{index}]"), item, Some(value));
                }
                true
            }
            (Value::Text(text), None | Some(Json::Null)) => text == NOTHING,
            (Value::Text(text), Some(Json::String(value))) => same(&(self.texts)(text), value),
            (Value::Text(text), Some(Json::Number(value))) => *text == value.to_string(),
            (Value::Integer(number), Some(Json::Number(value))) => {
                number.to_string() == value.to_string()
            }
            (Value::Integer(number), Some(Json::String(value))) => same(&number.to_string(), value),
            (Value::Flag(flag), Some(Json::Bool(value))) => flag == value,
            _ => false,
        };
        if !fits {
            let found = match found {
                None | Some(Json::Null) => NOTHING.to_owned(),
                Some(found) => found.to_string(),
            };
            let expected_text = match &expected.value {
                Value::Text(text) if text == NOTHING => NOTHING.to_owned(),
                Value::List(items) if items.len() > LISTED_MAX => {
                    format!("a list of {}", items.len())
                }
                Value::Text(_)
                | Value::Integer(_)
                | Value::Flag(_)
                | Value::List(_)
                | Value::Table(_) => expected.json(self.texts).to_string(),
            };
            let (line, field) = (expected.line, field.to_owned());
            self.differences.push(Difference { line, field, expected: expected_text, found });
        }
    }
}

fn joined(field: &str, key: &str) -> String {
    if field.is_empty() { key.to_owned() } else { format!("{field}.{key}") }
}

/// Texts are the same as they stand; amounts also when zeros end them: 10 is 10.00.
fn same(expected: &str, found: &str) -> bool {
    expected == found
        || matches!((plain(expected), plain(found)), (Some(one), Some(other)) if one == other)
}

/// A decimal number without zeros at its end; none for other texts.
fn plain(text: &str) -> Option<&str> {
    let digits = text.strip_prefix('-').unwrap_or(text);
    let (whole, fraction) = digits.split_once('.').unwrap_or((digits, "0"));
    let all = |part: &str| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit());
    let decimal = all(whole) && all(fraction) && (whole == "0" || !whole.starts_with('0'));
    if !decimal {
        return None;
    }
    Some(if text.contains('.') { text.trim_end_matches('0').trim_end_matches('.') } else { text })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::policy_test::tree::{Faults, parsed};

    /// What differs between an expectation in TOML and an answer, by field.
    fn check(expected: &str, found: &Json, differing: &[&str]) {
        let mut faults = Faults::default();
        let entries = parsed(expected, &mut faults);
        assert!(faults.is_empty(), "{faults:?}");
        let node = Node { line: 1, value: Value::Table(entries) };
        let found: Vec<String> = differences(&node, found, &|text| text.replace("{x}", "7"))
            .into_iter()
            .map(|difference| difference.field)
            .collect();
        assert_eq!(found, differing, "{expected}");
    }

    #[test]
    fn only_what_is_named_is_compared() {
        let answer =
            json!({"available": "10", "freezes": [], "refund": null, "sequence": 3, "on": true});
        for good in [
            "available = 10",
            "available = \"10.00\"",
            "freezes = []",
            "refund = \"(nothing)\"\nother = \"(nothing)\"",
            "sequence = 3\non = true",
            "",
        ] {
            check(good, &answer, &[]);
        }
        check("available = 11", &answer, &["available"]);
        check("available = \"\"", &answer, &["available"]);
        check("available = \"(nothing)\"", &answer, &["available"]);
        check("refund = \"null\"", &answer, &["refund"]);
        check("on = \"true\"\nsequence = 4", &answer, &["on", "sequence"]);
        check("freezes = [{}]", &answer, &["freezes"]);
        check("missing = {}", &answer, &["missing"]);
    }

    #[test]
    fn lists_are_compared_item_by_item() {
        let answer = json!({"items": [{"kind": "orphan", "id": "7"}, {"kind": "stale"}]});
        check("items = [{ kind = \"orphan\", id = \"{x}\" }, {}]", &answer, &[]);
        check("items = [{}]", &answer, &["items"]);
        check("items = [{ kind = \"stale\" }, {}]", &answer, &["items[0].kind"]);
    }

    #[test]
    fn zeros_at_the_end_say_nothing_and_others_do() {
        for (one, other) in [("10", "10.00"), ("0.50", "0.5"), ("-1.0", "-1"), ("100", "100")] {
            assert!(same(one, other), "{one} {other}");
        }
        for (one, other) in [("10", "100"), ("1", "01"), ("1.", "1"), ("v1.0", "v1"), ("", "0")] {
            assert!(!same(one, other), "{one} {other}");
        }
    }
}
