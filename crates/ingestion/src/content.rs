//! The digest by which two bodies of one event are the same or in conflict.
//!
//! SHA-256 over the parsed body written again in one way: keys in the order of their bytes, no
//! white space, strings escaped as RFC 8785 does and otherwise raw UTF-8, numbers as they stood
//! (but `0` for `-0`), without the top-level field that varies by destination (DESIGN.md section 4,
//! rule 8). So `1`, `1.0` and `1e0` differ: a provider writes its numbers in one way, and calling
//! them different is noticed while calling different ones equal is not.
//!
//! An auditor can check it without us. In Python, for a body without fractions:
//! `body.pop("notification_id", None)`, then SHA-256 of
//! `json.dumps(body, sort_keys=True, separators=(",", ":"), ensure_ascii=False)` in UTF-8.

use std::borrow::Cow;

use domain::ids::Digest;
use sha2::{Digest as _, Sha256};

use crate::json::{Fields, Json};

/// The digest of raw bytes.
pub(crate) fn raw(bytes: &[u8]) -> Digest {
    Digest(Sha256::digest(bytes).into())
}

/// The digest of a parsed body without one top-level field. The size only sets room aside.
pub(crate) fn digest(body: &Json<'_>, without: &str, size: usize) -> Digest {
    let mut text = String::with_capacity(size);
    match body {
        Json::Object(fields) => object(&mut text, fields, Some(without)),
        Json::Null | Json::Bool(_) | Json::Number(_) | Json::Text(_) | Json::Array(_) => {
            value(&mut text, body);
        }
    }
    raw(text.as_bytes())
}

fn value(text: &mut String, json: &Json<'_>) {
    match json {
        Json::Null => text.push_str("null"),
        Json::Bool(true) => text.push_str("true"),
        Json::Bool(false) => text.push_str("false"),
        Json::Number(number) => text.push_str(number),
        Json::Text(content) => string(text, content),
        Json::Array(values) => {
            text.push('[');
            for (place, item) in values.iter().enumerate() {
                if place > 0 {
                    text.push(',');
                }
                value(text, item);
            }
            text.push(']');
        }
        Json::Object(fields) => object(text, fields, None),
    }
}

fn object(text: &mut String, fields: &Fields<'_>, without: Option<&str>) {
    text.push('{');
    let kept = fields.iter().filter(|(key, _)| without != Some(&**key));
    for (place, (key, field)) in kept.enumerate() {
        if place > 0 {
            text.push(',');
        }
        string(text, key);
        text.push(':');
        value(text, field);
    }
    text.push('}');
}

/// What was borrowed stood without escapes and needs none.
#[expect(clippy::ptr_arg, reason = "whether the text is borrowed is what is asked")]
fn string(text: &mut String, content: &Cow<'_, str>) {
    text.push('"');
    match content {
        Cow::Borrowed(raw) => text.push_str(raw),
        Cow::Owned(parsed) => parsed.chars().for_each(|character| escaped(text, character)),
    }
    text.push('"');
}

fn escaped(text: &mut String, character: char) {
    match character {
        '"' => text.push_str("\\\""),
        '\\' => text.push_str("\\\\"),
        '\u{8}' => text.push_str("\\b"),
        '\u{c}' => text.push_str("\\f"),
        '\n' => text.push_str("\\n"),
        '\r' => text.push_str("\\r"),
        '\t' => text.push_str("\\t"),
        '\0'..='\u{1f}' => {
            text.push_str("\\u00");
            text.push_str(if character < '\u{10}' { "0" } else { "1" });
            text.extend(char::from_digit(u32::from(character) % 16, 16));
        }
        _ => text.push(character),
    }
}
