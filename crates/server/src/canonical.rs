//! What a command's request is known by.
//!
//! One line with method and path, then the body written in one way: keys in the order of their
//! bytes, no white space. So neither the order of keys nor white space makes another request. The
//! bytes are kept as the record's body, and the request's digest is their SHA-256: an auditor can
//! check one by the other.

use std::sync::Arc;

use domain::ids::Digest;
use serde_json::Value;
use sha2::{Digest as _, Sha256};

/// A request in the one way it is written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Canonical {
    pub(crate) bytes: Arc<[u8]>,
    pub(crate) digest: Digest,
}

/// Writes a request in the one way.
pub(crate) fn canonical(route: &str, body: &Value) -> Canonical {
    let mut text = format!("{}\n", route.escape_default());
    write(&mut text, body);
    let digest = Digest(Sha256::digest(text.as_bytes()).into());
    Canonical { bytes: Arc::from(text.into_bytes()), digest }
}

/// Sorts by itself: whether `serde_json` does depends on what others ask of it.
fn write(text: &mut String, value: &Value) {
    match value {
        Value::Object(fields) => {
            let mut sorted: Vec<(&String, &Value)> = fields.iter().collect();
            sorted.sort_unstable_by_key(|(key, _)| key.as_bytes());
            text.push('{');
            for (place, (key, field)) in sorted.into_iter().enumerate() {
                if place > 0 {
                    text.push(',');
                }
                text.push_str(&Value::from(key.as_str()).to_string());
                text.push(':');
                write(text, field);
            }
            text.push('}');
        }
        Value::Array(items) => {
            text.push('[');
            for (place, item) in items.iter().enumerate() {
                if place > 0 {
                    text.push(',');
                }
                write(text, item);
            }
            text.push(']');
        }
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {
            text.push_str(&value.to_string());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn digest(route: &str, body: &str) -> Digest {
        canonical(route, &serde_json::from_str(body).unwrap()).digest
    }

    #[test]
    fn order_of_keys_and_white_space_do_not_matter() {
        let one =
            digest("POST /a", r#"{"amount":"1","metadata":{"x":[1,{"b":2,"a":null}],"é":true}}"#);
        let same = digest(
            "POST /a",
            "{ \"metadata\": {\"é\":true, \"x\":[1, {\"a\":null,\"b\":2}]},\n\"amount\":\"1\"}",
        );
        assert_eq!(one, same);
    }

    #[test]
    fn every_value_and_the_route_matter() {
        let one = digest("POST /a", r#"{"amount":"1","list":[1,2]}"#);
        for (route, body) in [
            ("POST /b", r#"{"amount":"1","list":[1,2]}"#),
            ("DELETE /a", r#"{"amount":"1","list":[1,2]}"#),
            ("POST /a", r#"{"amount":1,"list":[1,2]}"#),
            ("POST /a", r#"{"amount":"1.0","list":[1,2]}"#),
            ("POST /a", r#"{"amount":"1","list":[2,1]}"#),
            ("POST /a", r#"{"amount":"1","list":[1,2],"x":null}"#),
            ("POST /a\n{}", r#"{"amount":"1","list":[1,2]}"#),
        ] {
            assert_ne!(digest(route, body), one, "{route} {body}");
        }
    }

    #[test]
    fn the_kept_bytes_are_what_the_digest_is_of() {
        let kept = canonical("POST /a", &serde_json::json!({"b": "x", "a": 1}));
        assert_eq!(&*kept.bytes, b"POST /a\n{\"a\":1,\"b\":\"x\"}");
        assert_eq!(kept.digest, Digest(Sha256::digest(&kept.bytes).into()));
    }
}
