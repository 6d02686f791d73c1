//! What of a schema a later one must keep.

use std::collections::BTreeSet;

use serde_json::{Map, Value};

/// Keywords that explain and promise nothing.
const EXPLAINING: [&str; 7] =
    ["$schema", "$id", "$defs", "$comment", "title", "description", "examples"];

/// Keywords that are looked into; all others must stay as they are.
const LOOKED_INTO: [&str; 5] = ["properties", "required", "items", "oneOf", "anyOf"];

/// What differs from the promise, each with its place.
pub(crate) fn breaks(promised: &Value, now: &Value) -> Vec<String> {
    let mut search = Search { promised, now, found: Vec::new() };
    search.compare(promised, now, "message");
    search.found
}

struct Search<'s> {
    promised: &'s Value,
    now: &'s Value,
    found: Vec<String>,
}

impl Search<'_> {
    fn compare(&mut self, promised: &Value, now: &Value, place: &str) {
        let promised = resolved(self.promised, promised);
        let now = resolved(self.now, now);
        self.fixed(&promised, &now, place);
        self.required(&promised, &now, place);
        self.members(&promised, &now, place);
        if let (Some(promised), Some(now)) = (promised.get("items"), now.get("items")) {
            self.compare(promised, now, &format!("{place}[]"));
        }
        self.same_presence(&promised, &now, place);
        self.kinds(&promised, &now, place);
        self.words(&promised, &now, place);
    }

    /// Type, format, pattern, limits, closed enumerations, and every keyword that is not known here.
    fn fixed(&mut self, promised: &Map<String, Value>, now: &Map<String, Value>, place: &str) {
        let keywords: BTreeSet<&String> = promised.keys().chain(now.keys()).collect();
        for keyword in keywords {
            let known = [EXPLAINING.as_slice(), &LOOKED_INTO].concat();
            if known.contains(&keyword.as_str()) {
                continue;
            }
            let (before, after) = (promised.get(keyword), now.get(keyword));
            if before.map(in_any_order) != after.map(in_any_order) {
                let (before, after) = (told(before), told(after));
                self.found.push(format!("{place}: {keyword} was {before} and is {after}"));
            }
        }
    }

    fn required(&mut self, promised: &Map<String, Value>, now: &Map<String, Value>, place: &str) {
        let after = texts(now.get("required"));
        for name in texts(promised.get("required")) {
            if !after.contains(&name) {
                self.found.push(format!("{place}.{name} was always there and is optional"));
            }
        }
    }

    fn members(&mut self, promised: &Map<String, Value>, now: &Map<String, Value>, place: &str) {
        let none = Map::new();
        let after = now.get("properties").and_then(Value::as_object).unwrap_or(&none);
        let before = promised.get("properties").and_then(Value::as_object);
        for (name, promised) in before.into_iter().flatten() {
            let place = format!("{place}.{name}");
            match after.get(name) {
                Some(now) => self.compare(promised, now, &place),
                None => self.found.push(format!("{place} has vanished")),
            }
        }
    }

    /// Lists stay lists, choices stay choices.
    fn same_presence(
        &mut self,
        promised: &Map<String, Value>,
        now: &Map<String, Value>,
        place: &str,
    ) {
        for keyword in ["items", "oneOf", "anyOf"] {
            if promised.contains_key(keyword) != now.contains_key(keyword) {
                let came = if now.contains_key(keyword) { "come" } else { "gone" };
                self.found.push(format!("{place}: {keyword} has {came}"));
            }
        }
    }

    /// Alternatives are known by their `kind`. A new one would reach subscribers that decide by it.
    fn kinds(&mut self, promised: &Map<String, Value>, now: &Map<String, Value>, place: &str) {
        let (before, after) = (choices(promised, "oneOf"), choices(now, "oneOf"));
        for promised in &before {
            let kind = kind(promised);
            match after.iter().find(|now| self::kind(now) == kind) {
                Some(now) => self.compare(promised, now, &format!("{place}<{kind}>")),
                None => self.found.push(format!("{place}: the kind {kind} has vanished")),
            }
        }
        for now in &after {
            if !before.iter().any(|promised| kind(promised) == kind(now)) {
                self.found.push(format!("{place}: the kind {} is new", kind(now)));
            }
        }
    }

    /// Open enumerations: words may be added, and those that were published stay.
    fn words(&mut self, promised: &Map<String, Value>, now: &Map<String, Value>, place: &str) {
        let words = |schema: &Map<String, Value>| -> BTreeSet<String> {
            choices(schema, "anyOf").iter().flat_map(|choice| texts(choice.get("enum"))).collect()
        };
        let rest = |schema: &Map<String, Value>| -> Vec<Value> {
            let mut rest = choices(schema, "anyOf");
            rest.retain(|choice| choice.get("enum").is_none());
            rest
        };
        for word in words(promised).difference(&words(now)) {
            self.found.push(format!("{place}: the word {word} has vanished"));
        }
        if rest(promised) != rest(now) {
            self.found.push(format!("{place}: the enumeration is not open as it was"));
        }
    }
}

/// The schema itself where another refers to it, with what is said beside the reference.
fn resolved(document: &Value, schema: &Value) -> Map<String, Value> {
    let mut members = schema.as_object().cloned().unwrap_or_default();
    let Some(Value::String(reference)) = members.remove("$ref") else { return members };
    let target = reference.strip_prefix('#').and_then(|pointer| document.pointer(pointer));
    let target = target.map(|target| resolved(document, target)).unwrap_or_default();
    target.into_iter().chain(members).collect()
}

fn choices(schema: &Map<String, Value>, keyword: &str) -> Vec<Value> {
    schema.get(keyword).and_then(Value::as_array).cloned().unwrap_or_default()
}

fn kind(choice: &Value) -> String {
    choice.pointer("/properties/kind/const").map(ToString::to_string).unwrap_or_default()
}

fn texts(list: Option<&Value>) -> Vec<String> {
    let items = list.and_then(Value::as_array).into_iter().flatten();
    items.filter_map(Value::as_str).map(str::to_owned).collect()
}

/// The items of a list are a set: types and words.
fn in_any_order(value: &Value) -> BTreeSet<String> {
    match value {
        Value::Array(items) => items.iter().map(ToString::to_string).collect(),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) | Value::Object(_) => {
            BTreeSet::from([value.to_string()])
        }
    }
}

fn told(value: Option<&Value>) -> String {
    value.map_or_else(|| "absent".to_owned(), ToString::to_string)
}
