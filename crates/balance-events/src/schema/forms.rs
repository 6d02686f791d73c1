//! What texts and numbers may be, beyond their types in Rust.

use serde_json::{Map, Value, json};

/// What a member may be.
enum Form {
    /// Decimal text of zero or more.
    Amount,
    /// Decimal text above zero.
    AmountMoved,
    /// A whole number from 1. No ledger gets beyond what a number of JavaScript can count.
    Count,
    /// RFC 3339.
    Instant,
    /// A UUID.
    Uuid,
    /// Always this text.
    Always(&'static str),
    /// One of these words, for as long as the form is known by its id.
    OneOf(&'static [&'static str]),
    /// One of these words today; more may be added.
    OneOfToday(&'static [&'static str]),
    /// Text that this expression finds something in.
    Fitting(&'static str),
    /// An account's id.
    Account,
    /// Any text that is not empty.
    Text,
    /// Any text.
    AnyText,
}

/// At most nine decimals, no exponent, no trailing zeros.
const AMOUNT: &str = r"^(0|[1-9][0-9]*)(\.[0-9]{0,8}[1-9])?$";
const AMOUNT_MOVED: &str = r"^([1-9][0-9]*(\.[0-9]{0,8}[1-9])?|0\.[0-9]{0,8}[1-9])$";

/// The largest whole number that every reader of JSON keeps exactly: 2^53 - 1.
const COUNT_MAX: u64 = 9_007_199_254_740_991;

/// An account's id has at most so many bytes, so at most so many characters.
const ACCOUNT_CHARACTERS_MAX: u64 = 128;

/// The books of an account and of the house, and what stands for any of another account.
const BOOKS: &[&str] = &[
    "paid",
    "gift",
    "held",
    "owed",
    "written_off",
    "other",
    "house:sold",
    "house:given",
    "house:used",
    "house:returned",
    "house:charged_back",
];

/// The commands that change a balance.
const ORDERS: &[&str] = &[
    "debit",
    "hold",
    "capture",
    "release_hold",
    "expire_hold",
    "return",
    "grant",
    "freeze",
    "unfreeze",
    "clear_measure",
    "close",
    "write_off",
    "assign_payment",
    "assign_customer",
    "open_case",
    "inform_case",
    "approve_case",
    "deny_case",
    "withdraw_case",
    "conclude_dispute",
    "release",
    "import",
];

/// Each text and number, by where it is.
const FORMS: &[(&str, Form)] = &[
    ("/Envelope/properties/specversion", Form::Always("1.0")),
    ("/Envelope/properties/id", Form::Fitting("^[a-z0-9_-]{1,64}/[1-9][0-9]*/")),
    ("/Envelope/properties/source", Form::Fitting("^/ledgers/[a-z0-9_-]{1,64}$")),
    ("/Envelope/properties/subject", Form::Account),
    ("/Envelope/properties/time", Form::Instant),
    ("/Envelope/properties/datacontenttype", Form::Always("application/json")),
    ("/AccountView/properties/ledger", Form::Fitting("^[a-z0-9_-]{1,64}$")),
    ("/AccountView/properties/account", Form::Account),
    ("/AccountView/properties/status", Form::OneOf(&["active", "frozen", "closed"])),
    ("/AccountView/properties/checkout", Form::OneOf(&["open", "limited"])),
    ("/AccountView/properties/available", Form::Amount),
    ("/AccountView/properties/paid", Form::Amount),
    ("/AccountView/properties/gift", Form::Amount),
    ("/AccountView/properties/held", Form::Amount),
    ("/AccountView/properties/owed", Form::Amount),
    ("/AccountView/properties/written_off", Form::Amount),
    ("/AccountView/properties/unit", Form::Text),
    ("/AccountView/properties/version", Form::Count),
    ("/AccountView/properties/sequence", Form::Count),
    ("/BalanceChange/properties/record", Form::Count),
    ("/FreezeView/properties/id", Form::Text),
    ("/FreezeView/properties/cause", Form::OneOfToday(&["warning", "chargeback", "operator"])),
    ("/FreezeView/properties/payment", Form::Text),
    ("/FreezeView/properties/since", Form::Instant),
    ("/MeasuresView/properties/spending", Form::OneOf(&["allow", "suspend"])),
    (
        "/MeasuresView/properties/balance",
        Form::OneOf(&["keep", "freeze-payment", "freeze-account"]),
    ),
    ("/MeasuresView/properties/checkout", Form::OneOf(&["open", "limit"])),
    ("/MeasuresView/properties/verification", Form::OneOf(&["none", "require"])),
    ("/MeasuresView/properties/service", Form::OneOf(&["normal", "restrict"])),
    ("/Movement/properties/from", Form::OneOfToday(BOOKS)),
    ("/Movement/properties/to", Form::OneOfToday(BOOKS)),
    ("/Movement/properties/amount", Form::AmountMoved),
    ("/Cause/oneOf/0/properties/event", Form::Text),
    ("/Cause/oneOf/0/properties/event_type", Form::AnyText),
    ("/Cause/oneOf/0/properties/payment", Form::Text),
    ("/Cause/oneOf/1/properties/id", Form::Uuid),
    ("/Cause/oneOf/1/properties/order", Form::OneOfToday(ORDERS)),
];

/// Gives every text and number of the types' schemas its form.
pub(super) fn apply(parts: &mut Map<String, Value>) {
    let mut whole = Value::Object(std::mem::take(parts));
    for (place, form) in FORMS {
        let member = whole.pointer_mut(place).and_then(Value::as_object_mut);
        let member = member.expect("every place of the table is a member of a type");
        // What schemars says of a width in bits is no format that others know.
        member.remove("format");
        member.append(&mut form.keywords());
    }
    if let Value::Object(formed) = whole {
        *parts = formed;
    }
}

impl Form {
    fn keywords(&self) -> Map<String, Value> {
        let keywords = match self {
            Self::Amount => json!({"pattern": AMOUNT}),
            Self::AmountMoved => json!({"pattern": AMOUNT_MOVED}),
            Self::Count => json!({"minimum": 1, "maximum": COUNT_MAX}),
            Self::Instant => json!({"format": "date-time"}),
            Self::Uuid => json!({"format": "uuid"}),
            Self::Always(text) => json!({"const": text}),
            Self::OneOf(words) => json!({"enum": words}),
            Self::OneOfToday(words) => json!({"anyOf": [{"enum": words}, {"type": "string"}]}),
            Self::Fitting(pattern) => json!({"pattern": pattern}),
            Self::Account => json!({"minLength": 1, "maxLength": ACCOUNT_CHARACTERS_MAX}),
            Self::Text => json!({"minLength": 1}),
            Self::AnyText => json!({}),
        };
        match keywords {
            Value::Object(keywords) => keywords,
            Value::Null
            | Value::Bool(_)
            | Value::Number(_)
            | Value::String(_)
            | Value::Array(_) => Map::new(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::FORMS;

    /// Pointers of all texts and numbers, but for words that are an enumeration by their type.
    fn plain(value: &serde_json::Value, place: &str, found: &mut Vec<String>) {
        let Some(members) = value.as_object() else { return };
        let kinds = members.get("type").map(ToString::to_string).unwrap_or_default();
        if ["string", "integer", "number"].iter().any(|kind| kinds.contains(kind))
            && !members.contains_key("const")
            && !members.contains_key("enum")
        {
            found.push(place.to_owned());
        }
        for (name, member) in
            members.get("properties").and_then(|all| all.as_object()).into_iter().flatten()
        {
            plain(member, &format!("{place}/properties/{name}"), found);
        }
        for (index, choice) in
            members.get("oneOf").and_then(|all| all.as_array()).into_iter().flatten().enumerate()
        {
            plain(choice, &format!("{place}/oneOf/{index}"), found);
        }
    }

    #[test]
    fn every_text_and_number_has_one_form() {
        use schemars::generate::SchemaSettings;
        let mut generator = SchemaSettings::draft2020_12().for_serialize().into_generator();
        generator.subschema_for::<crate::envelope::Envelope>();
        generator.subschema_for::<crate::account_view::AccountView>();
        let mut parts = generator.take_definitions(true);
        // The change's other members are the view's.
        let change = parts["BalanceChange"]["properties"].as_object_mut().unwrap();
        change.retain(|_, member| {
            !member["description"].as_str().unwrap_or("").starts_with("See [`")
        });
        let mut members = Vec::new();
        for (name, part) in &parts {
            plain(part, &format!("/{name}"), &mut members);
        }
        members.sort();
        let mut formed: Vec<&str> = FORMS.iter().map(|(place, _)| *place).collect();
        formed.sort_unstable();
        assert_eq!(formed, members, "the table of forms and the types differ");
    }
}
