//! Every kind of break is found, and an addition is none.

use balance_events::schema;
use serde_json::{Value, json};

use crate::promise::breaks;

/// The published form. Never written by a test.
const PROMISED: &str = include_str!("../../published/v1.schema.json");

const CHANGE: &str = "/$defs/BalanceChange";

fn promised() -> Value {
    serde_json::from_str(PROMISED).unwrap()
}

/// Changes the published form at a place, and expects exactly this to be said of it.
fn check(place: &str, change: impl Fn(&mut Value), expected: &[&str]) {
    let mut changed = promised();
    change(changed.pointer_mut(place).unwrap_or_else(|| panic!("no {place}")));
    assert_ne!(changed, promised(), "the change at {place} changes nothing");
    assert_eq!(breaks(&promised(), &changed), expected, "{place}");
}

fn without(name: &'static str) -> impl Fn(&mut Value) {
    move |value| {
        if let Some(items) = value.as_array_mut() {
            items.retain(|item| item != name);
        } else {
            value.as_object_mut().unwrap().remove(name).unwrap();
        }
    }
}

fn becomes(new: Value) -> impl Fn(&mut Value) {
    move |value| *value = new.clone()
}

fn with(item: Value) -> impl Fn(&mut Value) {
    move |value| value.as_array_mut().unwrap().push(item.clone())
}

#[test]
fn the_types_keep_what_was_promised() {
    let breaks = breaks(&promised(), &schema::balance_event());
    assert!(
        breaks.is_empty(),
        "subscribers rely on crates/balance-events/published/v1.schema.json, which the types of \
         this crate no longer keep:\n{}\nTake the change back, or publish it beside the old form \
         as a new version of the event types",
        breaks.join("\n")
    );
}

#[test]
fn a_member_that_vanished_or_may_be_absent_is_a_break() {
    check(&format!("{CHANGE}/properties"), without("held"), &["message.data.held has vanished"]);
    check(
        &format!("{CHANGE}/required"),
        without("held"),
        &["message.data.held was always there and is optional"],
    );
    check("/properties", without("time"), &["message.time has vanished"]);
    check(
        "/$defs/MeasuresView/required",
        without("service"),
        &["message.data.freezes[].measures.service was always there and is optional"],
    );
}

#[test]
fn another_type_format_pattern_or_limit_is_a_break() {
    for (place, new, expected) in [
        ("available/type", json!("number"), r#"available: type was "string" and is "number""#),
        (
            "held/type",
            json!(["string", "null"]),
            r#"held: type was "string" and is ["string","null"]"#,
        ),
        (
            "owed/pattern",
            json!("^.*$"),
            r#"owed: pattern was "^(0|[1-9][0-9]*)(\\.[0-9]{0,8}[1-9])?$" and is "^.*$""#,
        ),
        ("version/minimum", json!(0), "version: minimum was 1 and is 0"),
        ("account/maxLength", json!(256), "account: maxLength was 128 and is 256"),
    ] {
        let expected = format!("message.data.{expected}");
        check(&format!("{CHANGE}/properties/{place}"), becomes(new), &[&expected]);
    }
    check(
        "/properties/time/format",
        becomes(json!("date")),
        &[r#"message.time: format was "date-time" and is "date""#],
    );
    check(
        "/properties/specversion",
        without("const"),
        &[r#"message.specversion: const was "1.0" and is absent"#],
    );
    check(
        CHANGE,
        |part| part["additionalProperties"] = json!(false),
        &["message.data: additionalProperties was absent and is false"],
    );
    check(
        &format!("{CHANGE}/properties/movements"),
        without("items"),
        &["message.data.movements: items has gone"],
    );
    check(
        "/$defs/FreezeView/properties/payment/type",
        becomes(json!("string")),
        &[r#"message.data.freezes[].payment: type was ["string","null"] and is "string""#],
    );
}

#[test]
fn a_word_more_or_less_of_a_closed_enumeration_is_a_break() {
    let status = format!("{CHANGE}/properties/status");
    check(
        &format!("{status}/enum"),
        with(json!("paused")),
        &[
            r#"message.data.status: enum was ["active","frozen","closed"] and is ["active","frozen","closed","paused"]"#,
        ],
    );
    check(
        &format!("{status}/enum"),
        without("frozen"),
        &[
            r#"message.data.status: enum was ["active","frozen","closed"] and is ["active","closed"]"#,
        ],
    );
    check(
        &status,
        without("enum"),
        &[r#"message.data.status: enum was ["active","frozen","closed"] and is absent"#],
    );
}

#[test]
fn an_open_enumeration_gains_words_and_loses_none() {
    let cause = "/$defs/FreezeView/properties/cause";
    let types = "/$defs/EventType/anyOf/0/enum";
    check(types, with(json!("com.tallyhook.account.opened.v1")), &[]);
    check(
        types,
        without("com.tallyhook.account.frozen.v1"),
        &["message.type: the word com.tallyhook.account.frozen.v1 has vanished"],
    );
    check(&format!("{cause}/anyOf/0/enum"), with(json!("inquiry")), &[]);
    check(
        &format!("{cause}/anyOf/0/enum"),
        without("operator"),
        &["message.data.freezes[].cause: the word operator has vanished"],
    );
    check(
        &format!("{cause}/anyOf"),
        becomes(json!([{"enum": ["warning", "chargeback", "operator"]}])),
        &["message.data.freezes[].cause: the enumeration is not open as it was"],
    );
    check(
        cause,
        without("anyOf"),
        &[
            "message.data.freezes[].cause: anyOf has gone",
            "message.data.freezes[].cause: the word chargeback has vanished",
            "message.data.freezes[].cause: the word operator has vanished",
            "message.data.freezes[].cause: the word warning has vanished",
            "message.data.freezes[].cause: the enumeration is not open as it was",
        ],
    );
}

#[test]
fn another_kind_of_cause_is_a_break() {
    let kinds = "/$defs/Cause/oneOf";
    check(
        &format!("{kinds}/0/properties/kind/const"),
        becomes(json!("webhook")),
        &[
            r#"message.data.cause: the kind "delivery" has vanished"#,
            r#"message.data.cause: the kind "webhook" is new"#,
        ],
    );
    let timer = json!({"type": "object", "properties": {"kind": {"const": "timer"}}});
    check(kinds, with(timer), &[r#"message.data.cause: the kind "timer" is new"#]);
    check(
        &format!("{kinds}/1/properties"),
        without("order"),
        &[r#"message.data.cause<"command">.order has vanished"#],
    );
    check(
        "/$defs/Cause",
        without("oneOf"),
        &[
            "message.data.cause: oneOf has gone",
            r#"message.data.cause: the kind "delivery" has vanished"#,
            r#"message.data.cause: the kind "command" has vanished"#,
        ],
    );
}

#[test]
fn what_is_added_or_explained_is_no_break() {
    let added = json!({"type": "string", "description": "Who sold it."});
    for members in ["", CHANGE, "/$defs/Movement", "/$defs/Cause/oneOf/0"] {
        check(&format!("{members}/properties"), |part| part["seller"] = added.clone(), &[]);
        check(&format!("{members}/required"), with(json!("seller")), &[]);
    }
    check("/description", becomes(json!("Another text.")), &[]);
    check("/examples", becomes(json!([])), &[]);
    // A part may have another name, or be written where it is used.
    let mut inline = promised();
    let measures = inline["$defs"]["MeasuresView"].take();
    inline["$defs"]["FreezeView"]["properties"]["measures"] = measures;
    assert_eq!(breaks(&promised(), &inline), Vec::<String>::new());
}
