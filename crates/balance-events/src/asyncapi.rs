//! The AsyncAPI 3.0 document: where messages are and what they are known by.

use serde_json::{Map, Value, json};

use crate::{
    document::text_of,
    example, schema,
    subject::{self, MessageId, STREAM},
};

/// The version of the published form: the first number changes with the schema's id, the second
/// with every member or word that is added.
pub const VERSION: &str = "1.0.0";

/// The AsyncAPI document.
#[must_use]
pub fn document() -> Value {
    json!({
        "asyncapi": "3.0.0",
        "info": {
            "title": "Tallyhook balance events",
            "version": VERSION,
            "description": ABOUT,
            "license": {"name": "Apache-2.0", "url": "https://www.apache.org/licenses/LICENSE-2.0"}
        },
        "defaultContentType": "application/json",
        "servers": {"broker": {
            "host": "127.0.0.1:4222",
            "protocol": "nats",
            "description": "A NATS server with JetStream, 2.12 or later: `[nats] url` of the configuration."
        }},
        "channels": {"balances": channel()},
        "operations": {"publishBalanceEvent": {
            "action": "send",
            "summary": "Tells every change of every balance, each once and in the order of records.",
            "description": OPERATION,
            "channel": {"$ref": "#/channels/balances"},
            "messages": [{"$ref": "#/channels/balances/messages/balanceEvent"}],
            "bindings": {"nats": {"bindingVersion": "0.1.0"}}
        }},
        "components": {
            "messages": {"balanceEvent": message()},
            "schemas": schemas()
        }
    })
}

const ABOUT: &str = "Every change of every prepaid-credit balance, as CloudEvents 1.0 in JSON on NATS JetStream.\n\n\
    The schema of the payload is also in `balance-event.schema.json`, as JSON Schema 2020-12. \
    Within one major version, no member and no word of a closed enumeration changes or goes; \
    members may be added, and subscribers pass over those that they do not know.";

const OPERATION: &str = "A subscriber reads the stream `TALLYHOOK_BALANCES` by an ordered consumer with the deliver policy \
    `last_per_subject`: first the newest message of each account, which has its whole view, \
    then every change. `data.version` is gapless from 1 in each account: \
    a subscriber passes over a version that it has, and a jump says that it missed some.";

fn channel() -> Value {
    json!({
        "address": format!("{}.{{ledger}}.{{account}}", subject::PREFIX),
        "title": "Balances",
        "description": format!("The subject of an account in the stream `{STREAM}`. `{}` are all accounts of the ledger main.", subject::ledger_subjects("main")),
        "servers": [{"$ref": "#/servers/broker"}],
        "parameters": {
            "ledger": {
                "description": "The ledger's name: 1 to 64 of `a-z 0-9 - _`.",
                "examples": ["main"]
            },
            "account": {
                "description": "The account's id. Each byte of its UTF-8 outside `A-Z a-z 0-9 _ -` stands as `=XX`, in upper-case hexadecimal: `joe@example.org` is `joe=40example=2Eorg`.",
                "examples": ["cus_01", subject::token("joe@example.org")]
            }
        },
        "messages": {"balanceEvent": {"$ref": "#/components/messages/balanceEvent"}},
        "bindings": {"nats": {"bindingVersion": "0.1.0"}},
        // AsyncAPI's binding for NATS does not know streams.
        "x-jetstream": {
            "stream": STREAM,
            "subjects": [format!("{}.>", subject::PREFIX)],
            "consumer": {"type": "ordered", "deliver_policy": "last_per_subject"}
        }
    })
}

fn message() -> Value {
    json!({
        "name": "balanceEvent",
        "title": "Balance event",
        "summary": "An account after one record, with what that record moved and why.",
        "contentType": "application/json",
        "headers": {
            "type": "object",
            "properties": {"Nats-Msg-Id": {
                "type": "string",
                "pattern": "^[a-z0-9_-]{1,64}/[1-9][0-9]*/([A-Za-z0-9_-]|=[0-9A-F]{2})+$",
                "description": "`{ledger}/{sequence}/{account}`, the account as in the subject. No two messages of the stream have the same."
            }},
            "required": ["Nats-Msg-Id"]
        },
        "payload": {"$ref": "#/components/schemas/Envelope"},
        "bindings": {"nats": {"bindingVersion": "0.1.0"}},
        "examples": examples()
    })
}

fn examples() -> Vec<Value> {
    let shown = example::all();
    let shown = shown.iter().map(|message| {
        let id = MessageId {
            ledger: message.data.ledger.clone(),
            sequence: message.data.record,
            account: message.data.account.clone(),
        };
        json!({
            "name": format!("version{}", message.data.version),
            "headers": {"Nats-Msg-Id": id.to_string()},
            "payload": message
        })
    });
    shown.collect()
}

/// The parts of the JSON Schema where AsyncAPI looks for them.
fn schemas() -> Map<String, Value> {
    let mut parts = schema::parts();
    parts.values_mut().for_each(refer);
    parts
}

/// Makes references those of this document. What a part says of itself is enough beside them:
/// AsyncAPI knows no keyword beside a reference.
fn refer(value: &mut Value) {
    match value {
        Value::Object(members) => {
            if let Some(name) = text_of(members.get("$ref")).strip_prefix("#/$defs/") {
                let reference = format!("#/components/schemas/{name}");
                members.clear();
                members.insert("$ref".to_owned(), Value::from(reference));
            }
            members.values_mut().for_each(refer);
        }
        Value::Array(items) => items.iter_mut().for_each(refer),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}
