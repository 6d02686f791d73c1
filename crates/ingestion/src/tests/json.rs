//! Our reader of JSON against `serde_json`: they take and refuse the same, and read it alike.

use proptest::prelude::*;
use serde_json::Value;

use crate::json::{DEPTH_MAX, Json, JsonFault, parse};

/// Any JSON, with the keys that events have among its keys.
pub(super) fn any_json() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<String>().prop_map(Value::from),
        "(txn|paid|completed|USD|refund|-?[0-9]{1,16})".prop_map(Value::from),
    ];
    leaf.prop_recursive(5, 60, 8, |inner| {
        let words = "id|status|details|totals|line_items|items|subtotal|currency_code|action";
        let key = prop_oneof![words, any::<String>()];
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..6).prop_map(Value::from),
            prop::collection::btree_map(key, inner, 0..8)
                .prop_map(|fields| Value::Object(fields.into_iter().collect())),
        ]
    })
}

/// Text near to JSON: mostly its own characters.
fn near_json() -> impl Strategy<Value = String> {
    r#"([{}\[\]:,"\\ \n0-9eE.+-]|true|false|null|"a"|\\u[dD][89a-fA-F][0-9]{2}|\\[bfnrtu/]|[^\x00]){0,12}"#
}

fn same(ours: &Json<'_>, other: &Value) -> bool {
    match (ours, other) {
        (Json::Null, Value::Null) => true,
        (Json::Bool(one), Value::Bool(two)) => one == two,
        (Json::Number(text), Value::Number(_)) => {
            serde_json::from_str::<Value>(text).is_ok_and(|value| value == *other)
                || (*text == "0" && other.as_f64() == Some(0.0))
        }
        (Json::Text(one), Value::String(two)) => one == two,
        (Json::Array(ones), Value::Array(twos)) => {
            ones.len() == twos.len() && ones.iter().zip(twos).all(|(one, two)| same(one, two))
        }
        (Json::Object(fields), Value::Object(others)) => {
            fields.iter().count() == others.len()
                && fields
                    .iter()
                    .all(|(key, value)| others.get(&**key).is_some_and(|other| same(value, other)))
        }
        _ => false,
    }
}

/// Whether both say the same of a text.
fn agree(text: &str) -> Result<(), TestCaseError> {
    match (parse(text.as_bytes()), serde_json::from_str::<Value>(text)) {
        (Ok(ours), Ok(other)) => prop_assert!(same(&ours, &other), "{text:?}: {ours:?}"),
        (Err(JsonFault::KeyRepeated { .. }), _) => {}
        (Err(_), Err(_)) => {}
        // We keep numbers as text, so none is out of range.
        (Ok(_), Err(fault)) => prop_assert!(fault.to_string().starts_with("number out of range")),
        (Err(fault), Ok(_)) => prop_assert!(false, "{text:?}: {fault}"),
    }
    Ok(())
}

#[test]
fn the_corners_of_the_grammar_are_taken_or_refused_alike() {
    for text in [
        "",
        " ",
        "nul",
        "nulll",
        "True",
        "-",
        "-0",
        "0",
        "00",
        "01",
        "-01",
        "1.",
        ".5",
        "1.5",
        "1e",
        "1e+",
        "1E-2",
        "1e5",
        "+1",
        "0x1",
        "NaN",
        "[",
        "[]",
        "[1,]",
        "[,1]",
        "[1 2]",
        "{",
        "{}",
        "{,}",
        "{\"a\"}",
        "{\"a\":}",
        "{\"a\":1,}",
        "{a:1}",
        "{\"a\":1}}",
        "\"",
        "\"a",
        "\"\\\"",
        "\"\\x\"",
        "\"\\u12\"",
        "\"\\u+123\"",
        "\"\\u00e9\"",
        "\"\\ud83d\\ude00\"",
        "\"\\ud83d\"",
        "\"\\ud83d\\u0041\"",
        "\"\\ude00\"",
        "\"\\ud83d\\n\"",
        "\"\t\"",
        "\"\u{7f}\"",
        "\"\\u0000\"",
        "\"é😀\"",
        "\u{feff}1",
        "\u{a0}1",
        "1\u{c}",
        "/**/1",
        "\r\n\t 1 \n",
        "\"\\/\\b\\f\\n\\r\\t\\\\\"",
        "\"\\u12é\"",
        "\"\\u1é\"",
    ] {
        agree(text).unwrap();
    }
}

#[test]
fn nesting_has_a_limit() {
    let nested = |depth| format!("{}{}", "[".repeat(depth), "]".repeat(depth));
    for depth in [DEPTH_MAX - 1, DEPTH_MAX, DEPTH_MAX + 1] {
        agree(&nested(depth)).unwrap();
    }
    assert!(parse(nested(DEPTH_MAX).as_bytes()).is_ok());
    assert_eq!(parse(nested(DEPTH_MAX + 1).as_bytes()), Err(JsonFault::TooDeep));
    assert_eq!(parse("[".repeat(1 << 20).as_bytes()), Err(JsonFault::TooDeep));
}

#[test]
fn a_key_is_there_once_however_it_is_written() {
    for text in [r#"{"a":1,"b":2,"a":1}"#, r#"{"a":1,"\u0061":2}"#, r#"[{"x":{"":1,"":1}}]"#] {
        let fault = parse(text.as_bytes()).unwrap_err();
        assert!(matches!(fault, JsonFault::KeyRepeated { .. }), "{text}: {fault}");
    }
    assert!(parse(br#"{"a":{"a":1},"b":{"a":1}}"#).is_ok());
}

proptest! {
    #[test]
    fn what_serde_json_writes_is_read_alike(value in any_json(), pretty in any::<bool>()) {
        let text = if pretty { serde_json::to_string_pretty(&value) } else { serde_json::to_string(&value) };
        agree(&text.unwrap())?;
    }

    #[test]
    fn what_is_near_json_is_judged_alike(text in near_json()) {
        agree(&text)?;
        agree(&format!("\"{text}\""))?;
        agree(&format!("[{text}]"))?;
    }

    #[test]
    fn a_changed_byte_is_judged_alike(value in any_json(), place in any::<prop::sample::Index>(), byte in 0_u8..128) {
        let mut bytes = serde_json::to_vec(&value).unwrap();
        let place = place.index(bytes.len());
        bytes[place] = byte;
        if let Ok(text) = std::str::from_utf8(&bytes) {
            agree(text)?;
        }
    }
}
