//! Messages as they are sent are what the schema says, and others are not.

use balance_events::{
    envelope::{Cause, Envelope},
    example, schema,
};
use jsonschema::Validator;
use serde_json::{Value, json};

fn validator() -> Validator {
    jsonschema::draft202012::options()
        .should_validate_formats(true)
        .build(&schema::balance_event())
        .unwrap()
}

/// The places that the schema finds fault with.
fn faults(message: &Value) -> Vec<String> {
    let validator = validator();
    validator.iter_errors(message).map(|fault| fault.instance_path().to_string()).collect()
}

fn message() -> Value {
    serde_json::to_value(example::disputed()).unwrap()
}

#[test]
fn the_schema_is_a_schema() {
    jsonschema::draft202012::meta::validate(&schema::balance_event()).unwrap();
}

#[test]
fn messages_of_every_type_and_cause_are_what_the_schema_says() {
    let deliveries = [(None, None), (Some("transaction.completed"), None), (None, Some("txn_1"))];
    let deliveries = deliveries.map(|(event_type, payment)| Cause::Delivery {
        event: "sha256:9f86d081884c7d65".to_owned(),
        event_type: event_type.map(str::to_owned),
        payment: payment.map(str::to_owned),
    });
    let orders = ["debit", "an-order-of-later"].map(|order| Cause::Command {
        id: "9b0f1c52-6a0e-5f57-9a3e-5c3a4f1e2d01".to_owned(),
        order: order.to_owned(),
    });
    for shown in example::all() {
        for cause in deliveries.iter().chain(&orders).chain([&shown.data.cause]) {
            let mut sent = shown.clone();
            sent.data.cause = cause.clone();
            let sent = sent.to_json().unwrap();
            assert_eq!(faults(&serde_json::from_slice(&sent).unwrap()), [""; 0], "{cause:?}");
        }
    }
}

#[test]
fn members_that_were_added_are_passed_over() {
    let mut later = message();
    later["traceparent"] = json!("00");
    later["data"]["added"] = json!({"any": 1});
    later["data"]["cause"]["added"] = json!([]);
    assert_eq!(faults(&later), [""; 0]);
}

#[test]
fn words_of_open_enumerations_may_be_new() {
    let mut later = message();
    later["data"]["freezes"][0]["cause"] = json!("inquiry");
    later["data"]["movements"][0]["to"] = json!("house:expired");
    later["type"] = json!("com.tallyhook.account.opened.v1");
    assert_eq!(faults(&later), [""; 0]);
}

#[test]
fn what_is_missing_is_found_wherever_it_is() {
    let whole = message();
    for place in [
        "",
        "/data",
        "/data/freezes/0",
        "/data/freezes/0/measures",
        "/data/movements/0",
        "/data/cause",
    ] {
        let members = whole.pointer(place).unwrap().as_object().unwrap();
        for name in members.keys() {
            let mut lacking = whole.clone();
            let part = lacking.pointer_mut(place).unwrap();
            part.as_object_mut().unwrap().remove(name);
            assert_eq!(faults(&lacking), [place], "without {place}/{name}");
            let read = Envelope::from_json(&serde_json::to_vec(&lacking).unwrap());
            let optional = name == "payment" || name == "event_type";
            assert_eq!(read.is_ok(), optional, "without {place}/{name}");
        }
    }
}

#[test]
fn what_is_wrong_is_found() {
    for (place, wrong) in [
        ("/specversion", json!("1.1")),
        ("/id", json!("main/0/joe@example.org")),
        ("/source", json!("main")),
        ("/type", json!("com.tallyhook.balance.changed.v2")),
        ("/subject", json!("")),
        ("/time", json!("2026-07-03 00:00")),
        ("/time", json!("yesterday")),
        ("/datacontenttype", json!("text/plain")),
        ("/data/ledger", json!("Main")),
        ("/data/account", json!("a".repeat(129))),
        ("/data/status", json!("paused")),
        ("/data/can_spend", json!("false")),
        ("/data/checkout", json!("closed")),
        ("/data/available", json!(12.5)),
        ("/data/available", json!("-1")),
        ("/data/paid", json!("1.50")),
        ("/data/gift", json!("1e3")),
        ("/data/held", json!("01")),
        ("/data/owed", json!("0.0000000001")),
        ("/data/written_off", json!(null)),
        ("/data/unit", json!("")),
        ("/data/version", json!(0)),
        ("/data/sequence", json!(1.5)),
        ("/data/record", json!("42")),
        ("/data/freezes", json!({})),
        ("/data/freezes/0/since", json!("2026-07-03")),
        ("/data/freezes/0/measures/balance", json!("freeze")),
        ("/data/movements/0/amount", json!("0")),
        ("/data/movements/0/amount", json!("0.0")),
    ] {
        let mut message = message();
        *message.pointer_mut(place).unwrap() = wrong.clone();
        assert_eq!(faults(&message), [place], "{wrong}");
    }
    let mut message = message();
    message["data"]["cause"]["kind"] = json!("timer");
    assert_eq!(faults(&message), ["/data/cause"]);
}
