//! The JSON Schema (2020-12) of a message, made from the types.
//!
//! The types say which members there are and, in their documentation, what they are for; `forms`
//! adds what a text or a number may be. Members that are not described are allowed, since later
//! versions may add some.

mod forms;

use schemars::generate::SchemaSettings;
use serde_json::{Map, Value, json};

use crate::{account_view::AccountView, document::text_of, envelope::Envelope, example};

/// What the form is known by, as long as nothing is changed or taken away.
pub const ID: &str = "urn:tallyhook:balance-event:v1";

/// The JSON Schema of a message.
#[must_use]
pub fn balance_event() -> Value {
    let mut parts = parts();
    let mut schema = parts.remove("Envelope").expect("the envelope is among the parts");
    let members = schema.as_object_mut().expect("a type with members is an object");
    members.insert("$schema".into(), "https://json-schema.org/draft/2020-12/schema".into());
    members.insert("$id".into(), ID.into());
    members.insert("title".into(), "Balance event".into());
    members.insert("description".into(), ABOUT.into());
    members.insert("examples".into(), json!(example::all()));
    members.insert("$defs".into(), Value::Object(parts));
    schema
}

const ABOUT: &str = "A CloudEvents 1.0 envelope around one change of one account: \
    its view after one record, what that record moved, and why. \
    Members may be added; a subscriber passes over those that it does not know. \
    Where more words may be added, `anyOf` has an `enum` with those of today beside any text; \
    every other `enum` stays as it is.";

/// The schemas of all types that a message is made of, by their names.
pub(crate) fn parts() -> Map<String, Value> {
    let settings = SchemaSettings::draft2020_12().for_serialize();
    let mut generator = settings.into_generator();
    generator.subschema_for::<Envelope>();
    generator.subschema_for::<AccountView>();
    let mut parts = generator.take_definitions(true);
    parts.values_mut().for_each(as_enum);
    forms::apply(&mut parts);
    let view = parts.remove("AccountView").expect("the view is among the parts");
    follow(&mut parts, &view);
    parts.values_mut().for_each(plain_descriptions);
    parts
}

/// Turns a choice of described words into an open `enum` whose description has theirs, since that
/// is what generators of code read.
fn as_enum(part: &mut Value) {
    let choices = part.get("oneOf").and_then(Value::as_array).cloned().unwrap_or_default();
    let words: Option<Vec<Value>> =
        choices.iter().map(|choice| choice.get("const").cloned()).collect();
    let Some(words) = words.filter(|words| !words.is_empty()) else { return };
    let told = choices.iter().zip(&words).map(|(choice, word)| {
        format!("\n- `{}`: {}", text_of(Some(word)), text_of(choice.get("description")))
    });
    let description = text_of(part.get("description")).to_owned() + &told.collect::<String>();
    *part = json!({
        "type": "string",
        "description": description,
        "pattern": EVENT_TYPE,
        "anyOf": [{"enum": words}, {"type": "string"}]
    });
}

/// The names of all types of events, those of later too.
const EVENT_TYPE: &str = r"^com\.tallyhook\.[a-z_.]+\.v1$";

/// Puts the view's members where the change only points to them.
fn follow(parts: &mut Map<String, Value>, view: &Value) {
    let change = parts.get_mut("BalanceChange").and_then(|part| part.get_mut("properties"));
    let change = change.and_then(Value::as_object_mut).expect("a change has members");
    for (name, member) in change {
        let pointer = format!("See [`AccountView::{name}`].");
        if text_of(member.get("description")) == pointer {
            let of_view = view.pointer(&format!("/properties/{name}"));
            *member = of_view.expect("the compiler follows these pointers too").clone();
        }
    }
}

/// Takes out of all descriptions what only our documentation of Rust can show.
fn plain_descriptions(value: &mut Value) {
    match value {
        Value::Object(members) => {
            if let Some(Value::String(text)) = members.get_mut("description") {
                *text = text.replace("[`", "`").replace("`]", "`");
            }
            members.values_mut().for_each(plain_descriptions);
        }
        Value::Array(items) => items.iter_mut().for_each(plain_descriptions),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}
