//! The project's own fixtures as one story, with exact balances after every step.

use serde_json::{Value, json};
use tallyhook_tests::{
    home::{Home, SOURCE, Setup},
    nats::{Broker, Subscriber, gapless},
    paddle::{Delivery, fixture},
    server::{Server, verify},
};

const ACCOUNT: &str = "acct-demo";

/// A delivery, what it is answered and how the account stands then.
struct Step {
    fixture: &'static str,
    outcome: &'static str,
    available: &'static str,
    held: &'static str,
    status: &'static str,
}

const fn step(
    fixture: &'static str,
    outcome: &'static str,
    (available, held, status): (&'static str, &'static str, &'static str),
) -> Step {
    Step { fixture, outcome, available, held, status }
}

const FREE: (&str, &str, &str) = ("10", "0", "active");
const HELD: (&str, &str, &str) = ("0", "10", "active");
const TAKEN: (&str, &str, &str) = ("0", "0", "active");
const FROZEN: (&str, &str, &str) = ("0", "0", "frozen");

/// Before there is money.
const BEFORE: [(&str, &str); 3] = [
    ("transaction.created", "recorded"),
    ("transaction.payment_failed", "recorded"),
    ("customer.updated", "ignored"),
];

const STEPS: [Step; 15] = [
    step("transaction.paid", "recorded", FREE),
    step("subscription.created", "ignored", FREE),
    step("transaction.updated", "recorded", FREE),
    step("transaction.completed", "recorded", FREE),
    step("adjustment.created.refund-pending", "recorded", HELD),
    step("adjustment.updated.refund-rejected", "recorded", FREE),
    step("adjustment.created.credit", "recorded", TAKEN),
    step("adjustment.created.credit-reverse", "recorded", FREE),
    step("adjustment.created.chargeback-warning", "recorded", FROZEN),
    step("adjustment.created.chargeback-warning-reverse", "recorded", FREE),
    step("adjustment.created.chargeback", "recorded", FROZEN),
    step("adjustment.created.chargeback-reverse", "recorded", FREE),
    // The same undo in its other spelling: it must not be undone twice.
    step("adjustment.updated.chargeback-reversed-status", "recorded", FREE),
    step("payout.paid", "ignored", FREE),
    step("simulated.transaction.completed", "quarantined", FREE),
];

/// What of a view a step says.
fn standing(view: &Value) -> (&str, &str, &str) {
    let text = |name: &str| view[name].as_str().unwrap();
    assert_eq!((text("owed"), text("written_off")), ("0", "0"), "{view}");
    (text("available"), text("held"), text("status"))
}

fn deliver(server: &Server, name: &str) -> Value {
    let answer = server.deliver(SOURCE, &Delivery::of(&fixture(name).unwrap()).unwrap()).unwrap();
    assert_eq!(answer.status, 200, "{name}: {}", answer.text());
    answer.json().unwrap()
}

#[test]
fn a_payments_life_moves_balances_as_told() {
    let broker = Broker::start().unwrap();
    let home = Home::new(&Setup::with_nats(broker.url())).unwrap();
    let server = Server::start(&home).unwrap();
    let subscriber = Subscriber::follow(&broker);
    let mut sequences = Vec::new();
    for (name, outcome) in BEFORE {
        let said = deliver(&server, name);
        assert_eq!(said["outcome"], outcome, "{name}: {said}");
        sequences.push((name, said["sequence"].clone()));
    }
    let mut told = Vec::new();
    for step in &STEPS {
        let said = deliver(&server, step.fixture);
        assert_eq!(said["outcome"], step.outcome, "{}: {said}", step.fixture);
        sequences.push((step.fixture, said["sequence"].clone()));
        let view = server.account(ACCOUNT).unwrap();
        let expected = (step.available, step.held, step.status);
        assert_eq!(standing(&view), expected, "{}: {view}", step.fixture);
        let frozen = step.status == "frozen";
        assert_eq!(view["can_spend"], !frozen && step.available != "0", "{view}");
        assert_eq!(view["checkout"], if frozen { "limited" } else { "open" }, "{view}");
        assert_eq!(view["freezes"].as_array().unwrap().len(), usize::from(frozen), "{view}");
        if view["sequence"] == said["sequence"] {
            told.push((step.fixture, view));
        }
    }
    // Everything once more, backwards: nothing is new.
    let last = server.account(ACCOUNT).unwrap();
    for (name, sequence) in sequences.iter().rev() {
        let said = deliver(&server, name);
        assert_eq!(said["outcome"], "duplicate", "{name}: {said}");
        assert_eq!(said["sequence"], *sequence, "{name}");
    }
    assert_eq!(server.account(ACCOUNT).unwrap(), last);

    let published = subscriber.account(ACCOUNT, last["version"].as_u64().unwrap()).unwrap();
    gapless(&published).unwrap();
    for (name, view) in &told {
        let envelope = published.iter().find(|one| view["sequence"] == one.data.record);
        let change = envelope.unwrap_or_else(|| panic!("{name} was not published")).clone();
        assert_eq!(serde_json::to_value(change.data.into_view()).unwrap(), *view, "{name}");
        let past = format!("/v1/ledgers/main/accounts/{ACCOUNT}?at_sequence={}", view["sequence"]);
        assert_eq!(server.get(&past).unwrap().json().unwrap(), *view, "{name}");
    }
    let types: Vec<Value> = published
        .iter()
        .map(|one| serde_json::to_value(one.event_type).unwrap())
        .filter(|name| *name != "com.tallyhook.balance.changed.v1")
        .collect();
    let frozen = json!("com.tallyhook.account.frozen.v1");
    let unfrozen = json!("com.tallyhook.account.unfrozen.v1");
    assert_eq!(types, [frozen.clone(), unfrozen.clone(), frozen, unfrozen]);

    let open = server.list("exceptions", 50).unwrap();
    let kinds: Vec<&Value> = open.iter().map(|exception| &exception["kind"]).collect();
    assert_eq!(kinds, [&json!("simulated")], "{open:?}");
    server.stop().unwrap();
    let report = verify(&home).unwrap();
    assert_eq!(report["ok"], true, "{report}");
}

/// Every order of arrival ends alike, `updated` before `created` and refund before purchase too.
#[test]
fn the_order_of_arrival_does_not_matter() {
    let names = [
        "transaction.paid",
        "transaction.completed",
        "adjustment.created.refund-pending",
        "adjustment.updated.refund-approved",
    ];
    for turn in 0..names.len() {
        for backwards in [false, true] {
            let mut order = names;
            order.rotate_left(turn);
            if backwards {
                order.reverse();
            }
            let home = Home::new(&Setup::one()).unwrap();
            let server = Server::start(&home).unwrap();
            for name in order {
                assert_eq!(deliver(&server, name)["outcome"], "recorded", "{order:?}");
            }
            let view = server.account(ACCOUNT).unwrap();
            assert_eq!(standing(&view), TAKEN, "{order:?}: {view}");
            assert_eq!(server.list("exceptions", 50).unwrap(), Vec::<Value>::new(), "{order:?}");
        }
    }
}
