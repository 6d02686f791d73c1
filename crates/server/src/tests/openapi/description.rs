//! The description as a test reads it, and what fits its schemas.

use std::{collections::BTreeSet, fmt};

use domain::time::Timestamp;
use serde_json::{Map, Value, json};

pub(super) const METHODS: [&str; 5] = ["get", "post", "put", "patch", "delete"];

/// The whole document.
pub(super) struct Description(pub(super) Value);

/// One method of one path.
#[derive(Clone, Copy)]
pub(super) struct Operation<'d> {
    pub(super) path: &'d str,
    pub(super) method: &'d str,
    pub(super) says: &'d Value,
}

impl fmt::Display for Operation<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.method, self.path)
    }
}

impl<'d> Operation<'d> {
    /// The role that its security names; none where no token is needed.
    pub(super) fn role(&self) -> Option<&'d str> {
        let needed = self.says["security"].as_array().unwrap();
        needed.first().map(|one| one["token"][0].as_str().unwrap())
    }

    /// The names of what its query may ask.
    pub(super) fn query(&self, of: &'d Description) -> BTreeSet<&'d str> {
        let parameters = self.says["parameters"].as_array().into_iter().flatten();
        let parameters = parameters.map(|one| of.resolved(one)).filter(|one| one["in"] == "query");
        parameters.map(|one| one["name"].as_str().unwrap()).collect()
    }

    pub(super) fn body(&self) -> Option<&'d Value> {
        self.says.pointer("/requestBody/content/application~1json/schema")
    }

    /// The codes that it may answer, with their statuses: the description of each such answer.
    pub(super) fn problems(&self) -> Vec<(u16, &'d str)> {
        let answers = self.says["responses"].as_object().unwrap().iter();
        let problems = answers.filter(|(_, answer)| answer.get("$ref").is_some());
        let codes = problems.flat_map(|(status, answer)| {
            let text = answer["description"].as_str().unwrap();
            text.split('`').skip(1).step_by(2).map(|code| (status.parse().unwrap(), code))
        });
        codes.collect()
    }
}

/// The texts of a list.
pub(super) fn texts(list: &Value) -> BTreeSet<&str> {
    list.as_array().unwrap().iter().map(|text| text.as_str().unwrap()).collect()
}

impl Description {
    pub(super) fn read() -> Self {
        Self(serde_json::from_str(include_str!("../../private/openapi.json")).unwrap())
    }

    pub(super) fn paths(&self) -> impl Iterator<Item = &str> {
        self.0["paths"].as_object().unwrap().keys().map(String::as_str)
    }

    pub(super) fn operations(&self) -> impl Iterator<Item = Operation<'_>> {
        self.paths().flat_map(move |path| {
            METHODS.iter().filter_map(move |method| self.operation(path, method))
        })
    }

    pub(super) fn operation<'d>(&'d self, path: &'d str, method: &'d str) -> Option<Operation<'d>> {
        let says = self.0["paths"][path].get(method)?;
        Some(Operation { path, method, says })
    }

    /// The operation that a request is for.
    pub(super) fn asked(&self, method: &str, path: &str) -> Operation<'_> {
        let path = path.split('?').next().unwrap();
        let fits = |one: &Operation<'_>| {
            let (described, asked) = (one.path.split('/'), path.split('/'));
            one.method == method
                && described.clone().count() == asked.clone().count()
                && described.zip(asked).all(|(part, own)| part == own || part.starts_with('{'))
        };
        self.operations().find(fits).unwrap_or_else(|| panic!("{method} {path}"))
    }

    /// A path with something in the place of each variable.
    pub(super) fn example(path: &str) -> String {
        let part = |part: &str| match part {
            "{ledger}" => "main".to_owned(),
            part => {
                if part.starts_with('{') {
                    "x".to_owned()
                } else {
                    part.to_owned()
                }
            }
        };
        path.split('/').map(part).collect::<Vec<_>>().join("/")
    }

    /// Every object of the document, at any depth.
    pub(super) fn objects(&self) -> Vec<&Map<String, Value>> {
        let (mut found, mut rest) = (Vec::new(), vec![&self.0]);
        while let Some(value) = rest.pop() {
            match value {
                Value::Object(fields) => {
                    found.push(fields);
                    rest.extend(fields.values());
                }
                Value::Array(items) => rest.extend(items),
                Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
            }
        }
        found
    }

    /// What a reference leads to, or the value itself.
    pub(super) fn resolved<'d>(&'d self, value: &'d Value) -> &'d Value {
        match value.get("$ref").and_then(Value::as_str) {
            Some(reference) => self.0.pointer(reference.trim_start_matches('#')).unwrap(),
            None => value,
        }
    }

    /// Something that a schema allows, with all that it names.
    pub(super) fn example_of(&self, schema: &Value) -> Value {
        let schema = self.resolved(schema);
        if let Some(choices) = schema.get("anyOf").or_else(|| schema.get("enum")) {
            let first = &choices[0];
            return if schema.get("anyOf").is_some() {
                self.example_of(first)
            } else {
                first.clone()
            };
        }
        let kind = schema["type"].as_str().or_else(|| schema["type"][0].as_str()).unwrap();
        match (kind, schema["format"].as_str()) {
            ("string", Some("uuid")) => json!("00000000-0000-5000-8000-000000000000"),
            ("string", Some("date-time")) => json!("2026-08-31T00:00:00Z"),
            ("string", _) => json!("1"),
            ("integer", _) => json!(1),
            ("boolean", _) => json!(true),
            ("object", _) => {
                let fields = schema["properties"].as_object().into_iter().flatten();
                let fields = fields.map(|(name, schema)| (name.clone(), self.example_of(schema)));
                Value::Object(fields.collect())
            }
            other => panic!("{other:?}"),
        }
    }

    /// Where a value is not as a schema says. A member that no schema names is a fault too, unless
    /// the schema says that there are others.
    pub(super) fn faults(&self, schema: &Value, value: &Value) -> Vec<String> {
        let mut faults = Vec::new();
        self.check(schema, value, "", &mut faults);
        faults
    }

    fn check(&self, schema: &Value, value: &Value, at: &str, faults: &mut Vec<String>) {
        let mut named = Map::new();
        let open = self.members(schema, value, at, &mut named, faults);
        let Value::Object(fields) = value else { return };
        for (name, value) in fields {
            let at = format!("{at}/{name}");
            match named.get(name) {
                Some(schema) => self.check(schema, value, &at, faults),
                None if open => {}
                None => faults.push(format!("{at} is not described")),
            }
        }
    }

    /// Checks all but the values of members, of which it gathers the schemas; whether there may be
    /// others.
    fn members(
        &self,
        schema: &Value,
        value: &Value,
        at: &str,
        named: &mut Map<String, Value>,
        faults: &mut Vec<String>,
    ) -> bool {
        let mut open = schema == &json!({});
        for (word, says) in schema.as_object().unwrap() {
            let fits = match &**word {
                "$ref" => {
                    open |= self.members(self.resolved(schema), value, at, named, faults);
                    true
                }
                "allOf" => {
                    for part in says.as_array().unwrap() {
                        open |= self.members(part, value, at, named, faults);
                    }
                    true
                }
                "anyOf" | "oneOf" => {
                    // Each choice is checked whole.
                    open = true;
                    let choices = says.as_array().unwrap().iter();
                    let fitting = choices.filter(|one| self.faults(one, value).is_empty()).count();
                    fitting == 1
                }
                "properties" => {
                    let says = says.as_object().unwrap().clone();
                    named.extend(says);
                    true
                }
                "additionalProperties" => {
                    open |= says != &json!(false);
                    let fields = value.as_object().into_iter().flatten();
                    !says.is_object()
                        || fields.into_iter().all(|(_, value)| self.faults(says, value).is_empty())
                }
                _ => fits(word, says, value),
            };
            if !fits {
                faults.push(format!("{at}: {value} is against {word} {says}"));
            }
            if let ("items", Value::Array(items)) = (&**word, value) {
                for (place, item) in items.iter().enumerate() {
                    self.check(says, item, &format!("{at}/{place}"), faults);
                }
            }
        }
        open
    }
}

/// Whether a value is as one word of a schema says.
fn fits(word: &str, says: &Value, value: &Value) -> bool {
    match word {
        "type" => match says.as_array() {
            Some(kinds) => kinds.iter().any(|kind| is_a(kind, value)),
            None => is_a(says, value),
        },
        "const" => says == value,
        "enum" => says.as_array().unwrap().contains(value),
        "required" => texts(says).iter().all(|name| value.get(name).is_some()),
        "format" => match (says.as_str().unwrap(), value.as_str()) {
            ("uuid", Some(text)) => text.parse::<uuid::Uuid>().is_ok(),
            ("date-time", Some(text)) => Timestamp::parse(text).is_some(),
            _ => true,
        },
        "minimum" => value.as_u64() >= says.as_u64(),
        "maximum" => value.as_u64() <= says.as_u64(),
        "minLength" | "maxLength" | "maxProperties" | "pattern" | "description" | "examples"
        | "default" | "items" => true,
        other => panic!("{other} is not checked"),
    }
}

fn is_a(kind: &Value, value: &Value) -> bool {
    match kind.as_str().unwrap() {
        "string" => value.is_string(),
        "integer" => value.is_u64(),
        "number" => value.is_number(),
        "boolean" => value.is_boolean(),
        "object" => value.is_object(),
        "array" => value.is_array(),
        "null" => value.is_null(),
        other => panic!("{other}"),
    }
}
