//! The real payloads of Paddle's SDKs, to the end of the pipe.

use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
};

use serde_json::{Value, json};
use tallyhook_tests::{
    environment,
    home::{Home, POLICY, SOURCE, Setup},
    nats::{Broker, Subscriber, gapless},
    paddle::{self, Delivery},
    server::{Server, verify},
};

/// Every event under a folder: bare `data` gets an envelope, its type is the file's name.
fn events(folder: &Path) -> Vec<Value> {
    let mut events = Vec::new();
    for path in files(folder) {
        let content: Value = serde_json::from_slice(&fs::read(&path).unwrap()).unwrap();
        let parent = path.parent().unwrap();
        if parent.ends_with("entity") || parent.ends_with("payload") {
            let number = u64::try_from(events.len()).unwrap();
            let at = content.get("updated_at").or(content.get("created_at"));
            events.push(json!({
                "event_id": paddle::id("evt", number),
                "event_type": path.file_stem().unwrap().to_str().unwrap(),
                "occurred_at": at.filter(|at| at.is_string()).unwrap_or(&json!("2024-05-01T00:00:00Z")),
                "notification_id": paddle::id("ntf", number),
                "data": content,
            }));
            continue;
        }
        let listed = content.pointer("/data").and_then(Value::as_array).into_iter().flatten();
        let found = listed.chain(content.pointer("/data/payload")).chain([&content]);
        events.extend(found.filter(|event| event.get("event_type").is_some()).cloned());
    }
    events
}

fn files(folder: &Path) -> Vec<PathBuf> {
    let mut paths: Vec<PathBuf> =
        fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    paths.sort();
    let nested =
        paths.into_iter().flat_map(|path| if path.is_dir() { files(&path) } else { vec![path] });
    nested.filter(|path| path.extension().is_some_and(|extension| extension == "json")).collect()
}

/// What must come out, computed from the payloads alone: hundredths of credits by account, each
/// paid transaction once.
fn credited(events: &[Value]) -> BTreeMap<String, i64> {
    let mut payments = BTreeMap::new();
    for event in events {
        let data = &event["data"];
        let paid = matches!(data["status"].as_str(), Some("paid" | "completed"));
        if paid && event["event_type"].as_str().unwrap().starts_with("transaction.") {
            let cents = |name: &str| -> i64 {
                data["details"]["totals"][name].as_str().unwrap().parse().unwrap()
            };
            let named = data.pointer("/custom_data/account_id").unwrap_or(&data["customer_id"]);
            let account = named.as_str().unwrap().to_owned();
            let rate = match data["currency_code"].as_str() {
                Some("USD") => 1,
                Some("GBP") => 2,
                other => panic!("the policy of this test has no rate for {other:?}"),
            };
            let net = (cents("subtotal") - cents("discount")) * rate;
            payments.insert(data["id"].as_str().unwrap().to_owned(), (account, net));
        }
    }
    // What cost nothing grants nothing.
    payments.into_values().filter(|(_, net)| *net != 0).fold(
        BTreeMap::new(),
        |mut accounts, (account, net)| {
            *accounts.entry(account).or_default() += net;
            accounts
        },
    )
}

fn outcome(event: &Value) -> &'static str {
    match event["event_type"].as_str().unwrap().split('.').next().unwrap() {
        "transaction" | "adjustment" => "recorded",
        _ => "ignored",
    }
}

#[test]
fn real_payloads_end_as_balances_and_messages() {
    let Some(folder) = environment::real_payloads() else { return };
    let events = events(&folder);
    assert!(events.len() >= 35, "{} events", events.len());
    let broker = Broker::start().unwrap();
    let mut setup = Setup::with_nats(broker.url());
    setup.ledger().unwrap().policy = POLICY.replace("USD = \"1\"", "USD = \"1\", GBP = \"2\"");
    let home = Home::new(&setup).unwrap();
    let server = Server::start(&home).unwrap();
    let subscriber = Subscriber::follow(&broker);

    let mut sequences: BTreeMap<String, Value> = BTreeMap::new();
    for event in &events {
        let answer = server.deliver(SOURCE, &Delivery::of(event).unwrap()).unwrap();
        assert_eq!(answer.status, 200, "{event}: {}", answer.text());
        let said = answer.json().unwrap();
        // The SDKs have copies of the same event.
        match sequences.get(event["event_id"].as_str().unwrap()) {
            Some(original) => {
                assert_eq!(said["outcome"], "duplicate", "{event}");
                assert_eq!(said["sequence"], *original, "{event}");
            }
            None => assert_eq!(said["outcome"], outcome(event), "{event}: {said}"),
        }
        let id = event["event_id"].as_str().unwrap().to_owned();
        sequences.entry(id).or_insert(said["sequence"].clone());
    }

    let expected = credited(&events);
    assert!(!expected.is_empty());
    let accounts = server.list("accounts", 2).unwrap();
    let funded: BTreeMap<&str, &str> = accounts
        .iter()
        .map(|view| (view["account"].as_str().unwrap(), view["available"].as_str().unwrap()))
        .filter(|(_, available)| *available != "0")
        .collect();
    assert_eq!(funded.len(), expected.len(), "{funded:?} {expected:?}");
    for (account, cents) in &expected {
        let available: Vec<&str> = funded[&**account].split('.').collect();
        let fraction = available.get(1).copied().unwrap_or_default();
        let shown = format!("{}{fraction:0<2}", available[0]);
        assert_eq!(shown, cents.to_string(), "{account}");
    }
    // The refunds are of transactions that were never seen.
    let open = server.list("exceptions", 50).unwrap();
    let orphans = open.iter().filter(|exception| exception["kind"] == "orphan").count();
    let refunds = events.iter().filter(|event| event["event_type"] == "adjustment.created");
    assert!(orphans > 0 && orphans <= refunds.count(), "{open:?}");

    for view in &accounts {
        let version = view["version"].as_u64().unwrap();
        let account = view["account"].as_str().unwrap();
        let published = subscriber.account(account, version).unwrap();
        let last = gapless(&published).unwrap().remove(account).unwrap();
        assert_eq!(serde_json::to_value(last.data.into_view()).unwrap(), *view);
    }
    let records = server.list("records", 500).unwrap().len();
    server.stop().unwrap();
    let report = verify(&home).unwrap();
    assert_eq!(report["ok"], true, "{report}");
    assert_eq!(report["records"], records, "{report}");
}
