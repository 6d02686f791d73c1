//! The project's own Paddle fixtures against the real payloads of Paddle's SDKs.
//!
//! `tests/fixtures/paddle/` is written by hand, so two things are proved here: every file is a
//! whole delivery of the one story told in its README, and its fields are those of real payloads.
//! The real payloads are not part of the project; where they are missing, shapes are not compared.
//! Values are never compared with real ones, and nothing is ever written.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

use serde_json::Value;

/// How many fixtures there are: a file that is lost must not go unnoticed.
const FIXTURES: usize = 21;
/// The field whose content belongs to the seller and has no shape.
const FREE_FORM: &str = "custom_data";
/// Real payments may be made by other methods than the card in ours.
const METHOD_DETAILS: &str = ".method_details.";
const METHODS_OURS: [&str; 2] = ["type", "card"];

/// A JSON body with the place it came from.
struct Sample {
    name: String,
    event_type: String,
    body: Value,
}

impl Sample {
    /// What the event is about. All events of an entity carry the same `data`.
    fn entity(&self) -> &str {
        self.event_type.split('.').next().unwrap_or_default()
    }
}

/// The field paths of a JSON value, with array indexes collapsed to `[]`.
#[derive(Default)]
struct Shape {
    paths: BTreeSet<String>,
    /// Paths seen as null or as an empty array: what would be below is not known.
    open: BTreeSet<String>,
}

impl Shape {
    fn of(value: &Value) -> Self {
        let mut shape = Self::default();
        shape.add("", value);
        shape
    }

    fn add(&mut self, path: &str, value: &Value) {
        match value {
            Value::Object(fields) => {
                for (name, field) in fields {
                    let below = format!("{path}.{name}");
                    if name != FREE_FORM {
                        self.add(&below, field);
                    }
                    self.paths.insert(below);
                }
            }
            Value::Array(elements) if !elements.is_empty() => {
                for element in elements {
                    self.add(&format!("{path}[]"), element);
                }
            }
            Value::Null | Value::Array(_) => {
                self.open.insert(path.to_owned());
            }
            Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
        }
    }

    fn merge(&mut self, other: Self) {
        self.paths.extend(other.paths);
        self.open.extend(other.open);
    }

    /// Whether `path` is here, or could be: below a null that is never filled here.
    fn allows(&self, path: &str) -> bool {
        self.paths.contains(path)
            || self.open.iter().any(|open| {
                is_below(path, open) && !self.paths.iter().any(|known| is_below(known, open))
            })
    }
}

fn is_below(path: &str, ancestor: &str) -> bool {
    path.strip_prefix(ancestor).is_some_and(|rest| rest.starts_with('.') || rest.starts_with('['))
}

fn is_other_method(path: &str) -> bool {
    path.split_once(METHOD_DETAILS).is_some_and(|(_, details)| {
        let method = details.split(['.', '[']).next().unwrap_or_default();
        !METHODS_OURS.contains(&method)
    })
}

/// What distinguishes the shape of `ours` from the union of real ones.
fn differences(ours: &Shape, real: &Shape) -> Vec<String> {
    let missing = real
        .paths
        .iter()
        .filter(|path| !ours.allows(path) && !is_other_method(path))
        .map(|path| format!("lacks {path}"));
    let invented =
        ours.paths.iter().filter(|path| !real.allows(path)).map(|path| format!("invents {path}"));
    missing.chain(invented).collect()
}

fn read_json(path: &Path) -> Value {
    let text = fs::read_to_string(path).expect("a listed file is readable");
    serde_json::from_str(&text).unwrap_or_else(|error| panic_at(path, &error.to_string()))
}

#[expect(clippy::panic, reason = "a fixture that is not JSON fails the test")]
fn panic_at(path: &Path, fault: &str) -> Value {
    panic!("{}: {fault}", path.display())
}

fn json_files(dir: &Path, found: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(dir).expect("the directory exists") {
        let path = entry.expect("a directory entry is readable").path();
        if path.is_dir() {
            json_files(&path, found);
        } else if path.extension().is_some_and(|extension| extension == "json") {
            found.push(path);
        }
    }
    found.sort();
}

/// Adds every event at any depth of `value`: an object with `event_type` and `data`.
fn events_within(name: &str, value: &Value, found: &mut Vec<Sample>) {
    if let (Some(event_type), Some(data)) = (
        value.get("event_type").and_then(Value::as_str),
        value.get("data").filter(|data| data.is_object()),
    ) {
        found.push(Sample {
            name: name.to_owned(),
            event_type: event_type.to_owned(),
            body: data.clone(),
        });
        return;
    }
    match value {
        Value::Object(fields) => {
            fields.values().for_each(|field| events_within(name, field, found));
        }
        Value::Array(elements) => {
            elements.iter().for_each(|element| events_within(name, element, found));
        }
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}

/// The `data` objects of all real events below `dir`.
fn real_samples(dir: &Path) -> Vec<Sample> {
    let mut files = Vec::new();
    json_files(dir, &mut files);
    let mut samples = Vec::new();
    for file in files {
        let name = file.strip_prefix(dir).unwrap_or(&file).display().to_string();
        let folder = file.parent().expect("a file is in a directory");
        let body = read_json(&file);
        if folder.ends_with("notification/entity") || folder.ends_with("Simulations/payload") {
            let stem = file.file_stem().expect("a JSON file has a name");
            samples.push(Sample { name, event_type: stem.to_string_lossy().into_owned(), body });
        } else {
            events_within(&name, &body, &mut samples);
        }
    }
    samples
}

/// Our fixtures as whole deliveries.
fn our_deliveries() -> Vec<Sample> {
    let dir = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/paddle");
    let mut files = Vec::new();
    json_files(&dir, &mut files);
    files
        .iter()
        .map(|file| {
            let body = read_json(file);
            let stem = file.file_stem().expect("a JSON file has a name");
            Sample {
                name: stem.to_string_lossy().into_owned(),
                event_type: text(&body, "/event_type").to_owned(),
                body,
            }
        })
        .collect()
}

fn text<'a>(body: &'a Value, pointer: &str) -> &'a str {
    body.pointer(pointer).and_then(Value::as_str).unwrap_or_default()
}

fn real_directory() -> PathBuf {
    #[expect(clippy::disallowed_methods, reason = "no configuration: a test is told where to look")]
    let given = std::env::var("TALLYHOOK_FIXTURES");
    given.map_or_else(
        |_| Path::new(env!("CARGO_MANIFEST_DIR")).join("../../shared/fixtures"),
        PathBuf::from,
    )
}

fn is_id(id: &str, prefix: &str) -> bool {
    id.strip_prefix(prefix).and_then(|rest| rest.strip_prefix('_')).is_some_and(|rest| {
        rest.len() == 26 && rest.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit())
    })
}

#[test]
fn fixtures_have_the_fields_of_real_payloads() {
    let dir = real_directory();
    if !dir.is_dir() {
        eprintln!("fixtures not found at {}: shapes not compared", dir.display());
        return;
    }
    let mut real: BTreeMap<String, Shape> = BTreeMap::new();
    for sample in real_samples(&dir) {
        assert!(!sample.entity().is_empty(), "{}: no event type", sample.name);
        real.entry(sample.entity().to_owned()).or_default().merge(Shape::of(&sample.body));
    }
    let mut faults = Vec::new();
    for ours in our_deliveries() {
        let data = ours.body.get("data").unwrap();
        match real.get(ours.entity()) {
            Some(shape) => faults.extend(
                differences(&Shape::of(data), shape)
                    .into_iter()
                    .map(|difference| format!("{} {difference}", ours.name)),
            ),
            None => faults.push(format!("{} has no real counterpart", ours.name)),
        }
    }
    assert!(faults.is_empty(), "in {}:\n{}", dir.display(), faults.join("\n"));
}

#[test]
fn fixtures_are_whole_deliveries_of_one_story() {
    let deliveries = our_deliveries();
    assert_eq!(deliveries.len(), FIXTURES);
    let known = |name: &str, pointer: &str| {
        let delivery = deliveries.iter().find(|delivery| delivery.name == name).unwrap();
        text(&delivery.body, pointer).to_owned()
    };
    let payment = known("transaction.completed", "/data/id");
    let line_item = known("transaction.completed", "/data/details/line_items/0/id");
    let customer = known("customer.updated", "/data/id");
    let subscription = known("subscription.created", "/data/id");
    assert!(is_id(&payment, "txn") && is_id(&line_item, "txnitm"));
    assert!(is_id(&customer, "ctm") && is_id(&subscription, "sub"));

    let mut event_ids = BTreeSet::new();
    let mut notification_ids = BTreeSet::new();
    for Sample { name, event_type, body } in &deliveries {
        let keys: Vec<&str> = body.as_object().unwrap().keys().map(String::as_str).collect();
        let envelope = ["data", "event_id", "event_type", "notification_id", "occurred_at"];
        assert_eq!(keys, envelope, "{name}");
        let simulated = name.strip_prefix("simulated.");
        assert!(simulated.unwrap_or(name).starts_with(event_type.as_str()), "{name}");
        let (event, notification) =
            if simulated.is_some() { ("ntfsimevt", "ntfsimntf") } else { ("evt", "ntf") };
        assert!(is_id(text(body, "/event_id"), event), "{name}");
        assert!(is_id(text(body, "/notification_id"), notification), "{name}");
        assert!(event_ids.insert(text(body, "/event_id")), "{name}: event id used twice");
        assert!(notification_ids.insert(text(body, "/notification_id")), "{name}");

        let data = |pointer: &str| text(body, &format!("/data{pointer}"));
        match event_type.split('.').next().unwrap() {
            "transaction" => {
                assert_eq!(data("/id"), payment, "{name}");
                assert_eq!(data("/details/line_items/0/id"), line_item, "{name}");
                assert_eq!(data("/customer_id"), customer, "{name}");
                assert_eq!(data("/custom_data/account_id"), "acct-demo", "{name}");
            }
            "adjustment" => {
                assert_eq!(data("/transaction_id"), payment, "{name}");
                assert_eq!(data("/items/0/item_id"), line_item, "{name}");
                assert_eq!(data("/customer_id"), customer, "{name}");
                assert_eq!(data("/subscription_id"), subscription, "{name}");
            }
            "subscription" => assert_eq!(data("/transaction_id"), payment, "{name}"),
            _ => {}
        }
    }
}

#[test]
fn a_field_too_few_or_too_many_is_a_difference() {
    let real = r#"{"id": "a", "period": {"start": "b"}, "items": [{"fee": null}], "gone": null}"#;
    let check = |ours: &str, expected: &[&str]| {
        let ours = Shape::of(&serde_json::from_str(ours).unwrap());
        let found = differences(&ours, &Shape::of(&serde_json::from_str(real).unwrap()));
        assert_eq!(found, expected);
    };
    check(real, &[]);
    // A null matches anything, on either side; so does an empty array.
    check(r#"{"id": "a", "period": null, "items": [], "gone": {"x": 1}}"#, &[]);
    check(r#"{"id": "a", "period": null, "items": [{}], "gone": 1}"#, &["lacks .items[].fee"]);
    check(
        r#"{"id": "a", "period": {"end": "b"}, "items": null, "gone": 1}"#,
        &["lacks .period.start", "invents .period.end"],
    );
}
