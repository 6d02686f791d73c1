//! The AsyncAPI document has the structure of AsyncAPI 3.0 and says where messages really are.

use balance_events::{
    asyncapi, example,
    subject::{self, MessageId},
};
use serde_json::{Value, json};

/// Calls for each reference of a document.
fn references(value: &Value, each: &mut impl FnMut(&str)) {
    match value {
        Value::Object(members) => {
            if let Some(Value::String(reference)) = members.get("$ref") {
                assert_eq!(members.len(), 1, "something beside the reference {reference}");
                each(reference);
            }
            members.values().for_each(|inner| references(inner, each));
        }
        Value::Array(items) => items.iter().for_each(|item| references(item, each)),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}

#[test]
fn every_reference_leads_somewhere() {
    let document = asyncapi::document();
    let mut found = 0;
    references(&document, &mut |reference| {
        let pointer = reference.strip_prefix('#').expect("a reference within the document");
        assert!(document.pointer(pointer).is_some(), "{reference} leads nowhere");
        found += 1;
    });
    assert!(found > 8, "only {found} references");
}

#[test]
fn the_document_has_the_parts_of_asyncapi_3() {
    let document = asyncapi::document();
    assert_eq!(document["asyncapi"], "3.0.0");
    for place in ["/info/title", "/info/version", "/servers/broker/host"] {
        assert!(document.pointer(place).is_some_and(Value::is_string), "{place}");
    }
    assert_eq!(document["servers"]["broker"]["protocol"], "nats");
    for (name, operation) in document["operations"].as_object().unwrap() {
        assert_eq!(operation["action"], "send", "{name}: Tallyhook is what the document describes");
        let channel = operation["channel"]["$ref"].as_str().unwrap();
        assert!(channel.starts_with("#/channels/"), "{name}: {channel}");
        for message in operation["messages"].as_array().unwrap() {
            let message = message["$ref"].as_str().unwrap();
            assert!(message.starts_with(&format!("{channel}/messages/")), "{name}: {message}");
        }
        assert!(operation["bindings"]["nats"].is_object(), "{name}");
    }
    let message = &document["components"]["messages"]["balanceEvent"];
    assert_eq!(message["payload"], json!({"$ref": "#/components/schemas/Envelope"}));
    assert_eq!(message["headers"]["required"], json!(["Nats-Msg-Id"]));
}

/// The address with the values of its parameters.
fn address(document: &Value, ledger: &str, account: &str) -> String {
    let address = document["channels"]["balances"]["address"].as_str().unwrap();
    address.replace("{ledger}", ledger).replace("{account}", account)
}

#[test]
fn the_address_is_the_subject() {
    let document = asyncapi::document();
    let balances = &document["channels"]["balances"];
    assert_eq!(balances["address"], "tallyhook.balances.{ledger}.{account}");
    let parameters: Vec<&String> = balances["parameters"].as_object().unwrap().keys().collect();
    assert_eq!(parameters, ["account", "ledger"]);
    let told = address(&document, "main", "joe=40example=2Eorg");
    assert_eq!(told, subject::subject("main", "joe@example.org"));
    let text = balances["parameters"]["account"]["description"].as_str().unwrap();
    assert!(text.contains("`=XX`") && text.contains("`joe=40example=2Eorg`"), "{text}");
    assert_eq!(balances["x-jetstream"]["stream"], subject::STREAM);
}

#[test]
fn examples_are_what_headers_and_payload_say() {
    let document = asyncapi::document();
    let message = &document["components"]["messages"]["balanceEvent"];
    let headers = jsonschema::draft7::new(&message["headers"]).unwrap();
    // As a tool reads it: the whole document, entered where the payload is.
    let mut whole = document.clone();
    whole["$ref"] = message["payload"]["$ref"].clone();
    let payload =
        jsonschema::draft7::options().should_validate_formats(true).build(&whole).unwrap();
    let examples = message["examples"].as_array().unwrap();
    assert_eq!(examples.len(), example::all().len());
    for shown in examples {
        assert!(headers.is_valid(&shown["headers"]), "{shown}");
        payload.validate(&shown["payload"]).unwrap();
        let id = MessageId::parse(shown["headers"]["Nats-Msg-Id"].as_str().unwrap()).unwrap();
        assert_eq!(id.account, shown["payload"]["subject"].as_str().unwrap());
    }
    assert!(!headers.is_valid(&json!({})));
    assert!(!headers.is_valid(&json!({"Nats-Msg-Id": "main/0/joe"})));
    assert!(!headers.is_valid(&json!({"Nats-Msg-Id": "main/1/joe@example.org"})));
    assert!(!payload.is_valid(&json!({})));
    let mut wrong = examples[0]["payload"].clone();
    wrong["data"]["freezes"] = json!([{}]);
    assert!(!payload.is_valid(&wrong), "references are followed");
}
