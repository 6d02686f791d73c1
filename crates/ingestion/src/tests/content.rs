//! The digest of content: what it must not see, and what it must.

use domain::ids::Digest;
use proptest::prelude::*;
use sha2::Digest as _;

use super::*;

fn content(body: &str) -> Digest {
    deliver(body.as_bytes()).content
}

/// JSON with the fields of every object in reverse, white space everywhere, and escaped strings.
fn rewritten(value: &Value) -> String {
    match value {
        Value::Null | Value::Bool(_) | Value::Number(_) => format!(" {value}\n"),
        Value::String(text) => {
            let units = text.encode_utf16().map(|unit| format!("\\u{unit:04X}"));
            format!("\t\"{}\"", units.collect::<String>())
        }
        Value::Array(values) => {
            let items: Vec<_> = values.iter().map(rewritten).collect();
            format!("[ {} ]", items.join(" ,"))
        }
        Value::Object(fields) => {
            let fields = fields.iter().rev();
            let key = |key: &String| rewritten(&Value::from(key.as_str()));
            let fields: Vec<_> = fields
                .map(|(name, value)| format!("{}: {}", key(name), rewritten(value)))
                .collect();
            format!("{{ {} }}", fields.join(","))
        }
    }
}

#[test]
fn what_varies_by_destination_does_not_count() {
    let at = |notification: &str| {
        format!(r#"{{"event_id":"evt_1","data":{{"a":1}}{notification},"event_type":"x.y"}}"#)
    };
    let one = content(&at(r#","notification_id":"ntf_1""#));
    assert_eq!(one, content(&at(r#","notification_id":"ntf_2""#)));
    assert_eq!(one, content(&at(r#","notification_id":null"#)));
    assert_eq!(one, content(&at("")), "as the Events API has it");
    let inner = |id: &str| format!(r#"{{"data":{{"notification_id":"{id}"}}}}"#);
    assert_ne!(content(&inner("ntf_1")), content(&inner("ntf_2")));
}

#[test]
fn form_does_not_count_and_meaning_does() {
    for (one, other) in [
        (r#"{"a":1,"b":"x"}"#, r#" { "b" : "x" , "a" : 1 } "#),
        (r#"{"a":"é/\n"}"#, r#"{"a":"\u00e9\/\u000A"}"#),
        (r#"{"a":"😀"}"#, r#"{"\u0061":"\uD83d\ude00"}"#),
        (r#"{"a":0}"#, r#"{"a":-0}"#),
        (r#"{"a":"\""}"#, r#"{"a":"\u0022"}"#),
    ] {
        assert_eq!(content(one), content(other), "{one} {other}");
    }
    for (one, other) in [
        (r#"{"a":1}"#, r#"{"a":1.0}"#),
        (r#"{"a":1}"#, r#"{"a":"1"}"#),
        (r#"{"a":[1,2]}"#, r#"{"a":[2,1]}"#),
        (r#"{"a":[1,[2]]}"#, r#"{"a":[1,2]}"#),
        (r#"{"a":null}"#, r#"{}"#),
        (r#"{"a":true}"#, r#"{"a":false}"#),
        (r#"{"a":"b\",\"c"}"#, r#"{"a":"b","c":""}"#),
        (r#"{"a":"\\n"}"#, r#"{"a":"\n"}"#),
        (r#"{"a":"x"}"#, r#"{"a":"x "}"#),
    ] {
        assert_ne!(content(one), content(other), "{one} {other}");
    }
}

#[test]
fn the_digest_is_that_of_the_documented_text() {
    let body = r#"{"z":"\u0001\u001f\u00e9\u2028\u007f\/\"\\\b\f\n\r\t","notification_id":"n","a":[1,{"é":null,"d":-2.50}]}"#;
    let text = "{\"a\":[1,{\"d\":-2.50,\"é\":null}],\"z\":\"\\u0001\\u001fé\u{2028}\u{7f}/\\\"\\\\\\b\\f\\n\\r\\t\"}";
    assert_eq!(content(body), Digest(sha2::Sha256::digest(text).into()));
}

proptest! {
    #[test]
    fn any_event_written_otherwise_has_the_same_digest(data in super::json::any_json()) {
        let written = String::from_utf8(event("x.y", &data)).unwrap();
        let event = serde_json::from_str(&written).unwrap();
        prop_assert_eq!(content(&written), content(&rewritten(&event)));
    }

    #[test]
    fn the_digest_is_that_of_what_serde_json_writes(data in super::json::any_json()) {
        let written = String::from_utf8(event("x.y", &data)).unwrap();
        let event = with(serde_json::from_str(&written).unwrap(), "/notification_id", None);
        let text = serde_json::to_string(&event).unwrap();
        prop_assert_eq!(content(&written), Digest(sha2::Sha256::digest(text).into()));
    }
}
