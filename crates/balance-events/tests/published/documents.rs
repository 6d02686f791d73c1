//! The committed documents are what the types make.

use std::{fs, path::Path};

use balance_events::{asyncapi, document, schema};
use serde_json::Value;

/// Set, it has the documents written anew.
const BLESS: &str = "TALLYHOOK_BLESS";

fn check(name: &str, made: &Value) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/balance-events").join(name);
    let made = document::text(made);
    #[expect(clippy::disallowed_methods, reason = "tests have no configuration to read it from")]
    let bless = std::env::var_os(BLESS).is_some();
    if bless {
        fs::write(&path, &made).unwrap();
    }
    let committed = fs::read_to_string(&path).unwrap_or_default();
    let line = committed.lines().zip(made.lines()).take_while(|(old, new)| old == new).count() + 1;
    assert!(
        committed == made,
        "docs/balance-events/{name} is not what the types make; it differs from line {line} on. If \
         the types are right: {BLESS}=1 cargo test --package balance-events --test published"
    );
}

#[test]
fn the_schema_is_what_the_types_make() {
    check("balance-event.schema.json", &schema::balance_event());
}

#[test]
fn the_asyncapi_document_is_what_the_types_make() {
    check("asyncapi.json", &asyncapi::document());
}

#[test]
fn a_documents_text_is_the_document_in_the_order_of_reading() {
    for made in [schema::balance_event(), asyncapi::document()] {
        let text = document::text(&made);
        assert_eq!(serde_json::from_str::<Value>(&text).unwrap(), made);
    }
    let text = document::text(&schema::balance_event());
    let members =
        ["\"specversion\": {", "\"id\": {", "\"source\": {", "\"type\": {", "\"data\": {"];
    let places: Vec<usize> = members.iter().map(|member| text.find(member).unwrap()).collect();
    assert!(places.is_sorted(), "{places:?}");
}
