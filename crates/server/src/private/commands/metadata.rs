//! What usage says of itself, checked.

use std::{collections::BTreeMap, sync::Arc};

use axum::http::StatusCode;
use domain::{
    ids::Text,
    usage::{METADATA_ENTRIES_MAX, Metadata},
};
use serde_json::{Map, Value};

use crate::{
    limits::{METADATA_NAME_BYTES_MAX, METADATA_VALUE_BYTES_MAX},
    problem::Problem,
};

/// Each value is kept as the text of one JSON scalar.
pub(super) fn metadata(said: &Map<String, Value>) -> Result<Metadata, Problem> {
    let entries = said.iter().map(|(name, value)| Ok((self::name(name)?, scalar(name, value)?)));
    let entries = entries.collect::<Result<BTreeMap<Text, Arc<str>>, Problem>>()?;
    Metadata::new(entries)
        .ok_or_else(|| invalid(format!("has more than {METADATA_ENTRIES_MAX} entries")))
}

fn name(name: &str) -> Result<Text, Problem> {
    let fits = Text::new(name).ok().filter(|_| name.len() <= METADATA_NAME_BYTES_MAX);
    fits.ok_or_else(|| {
        invalid(format!("has a name that is empty or over {METADATA_NAME_BYTES_MAX} bytes"))
    })
}

/// The entry's name is told where it fits: it is the caller's own, and short.
fn scalar(name: &str, value: &Value) -> Result<Arc<str>, Problem> {
    let written = value.to_string();
    let bytes = match value {
        Value::String(text) => text.len(),
        Value::Number(_) | Value::Bool(_) => written.len(),
        Value::Null | Value::Array(_) | Value::Object(_) => {
            return Err(invalid(format!("{name:?} is not a string, a number or a boolean")));
        }
    };
    if bytes > METADATA_VALUE_BYTES_MAX {
        return Err(invalid(format!("{name:?} is over {METADATA_VALUE_BYTES_MAX} bytes")));
    }
    Ok(Arc::from(written))
}

fn invalid(why: String) -> Problem {
    let detail = format!("metadata {why}");
    Problem::new(StatusCode::UNPROCESSABLE_ENTITY, "metadata_invalid", detail)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn of(value: &Value) -> Result<Metadata, Problem> {
        metadata(value.as_object().unwrap())
    }

    #[test]
    fn values_are_kept_as_json_scalars() {
        let kept = of(&json!({"a": "x \"y\"", "b": 1.5, "c": true, "d": 12})).unwrap();
        let shown: Vec<(&str, &str)> =
            kept.entries().iter().map(|(name, value)| (name.as_str(), &**value)).collect();
        assert_eq!(shown, [("a", "\"x \\\"y\\\"\""), ("b", "1.5"), ("c", "true"), ("d", "12")]);
    }

    #[test]
    fn what_is_no_short_scalar_is_refused() {
        let long = |bytes: usize| "ü".repeat(bytes / 2);
        let many = |count: usize| -> Value {
            Value::Object((0..count).map(|place| (place.to_string(), json!(1))).collect())
        };
        assert!(of(&json!({long(64): long(256)})).is_ok());
        assert!(of(&many(32)).is_ok());
        for bad in [
            many(33),
            json!({"": "x"}),
            json!({long(66): "x"}),
            json!({"a": long(258)}),
            json!({"a": null}),
            json!({"a": ["x"]}),
            json!({"a": {"b": 1}}),
        ] {
            assert_eq!(of(&bad).unwrap_err().code, "metadata_invalid", "{bad}");
        }
    }
}
