//! Every kind of exception: the webhook that raises it, how it is found, and what ends it.
//!
//! [`KINDS`](kinds::KINDS) is the table. Each kind is resolved with a note; each whose cause a record can remove
//! is ended by that record too. What ended stays listed, also after a restart.

#[path = "exceptions/kinds.rs"]
mod kinds;

use domain::exception::ExceptionKind;
use serde_json::{Value, json};
use tallyhook_tests::{
    home::{Home, LEDGER, POLICY, SOURCE, Setup, TOKEN},
    http::Answer,
    paddle::{self, Delivery, Purchase},
    server::{Server, verify},
};
use ureq::http::Method;

use self::kinds::{CREDITS_MAX, KINDS, Kind, account, in_currency, payment, purchase, signed};

/// The contract's list, as its readers know it.
const CONTRACT: &str = "orphan, unassigned, conflict, stale, simulated, malformed, unknown-action, \
    unknown-currency, amount-invalid, currency-mismatch, account-mismatch, over-refund, \
    unlisted-price, paid-then-canceled, closed-account, undecided";

/// A list of nothing.
const NONE: [Value; 0] = [];

/// A live ledger in which what comes late waits, and one yen buys all credits that there can be.
struct Desk {
    home: Home,
    server: Server,
}

impl Desk {
    fn open() -> Self {
        let mut setup = Setup::one();
        let ledger = setup.ledger().unwrap();
        (ledger.tolerance, ledger.stale) = ("300", "quarantine");
        let rates = format!(
            "rates = {{ USD = \"1\", JPY = \"{CREDITS_MAX}\" }}\n\
             prices = [ {{ price = \"pri_listed\", paid = \"7\" }} ]\nunlisted = \"rate\""
        );
        ledger.policy = POLICY.replace("rates = { USD = \"1\" }", &rates);
        let home = Home::new(&setup).unwrap();
        let server = Server::start(&home).unwrap();
        Self { home, server }
    }

    fn restarted(self) -> Self {
        let Self { home, server } = self;
        server.stop().unwrap();
        let server = Server::start(&home).unwrap();
        Self { home, server }
    }

    /// Stops the server and has the log verified.
    fn closed(self) {
        self.server.stop().unwrap();
        let report = verify(&self.home).unwrap();
        assert_eq!(report["ok"], true, "{report}");
    }

    fn deliver(&self, delivery: &Delivery) -> Value {
        let answer = self.server.deliver(SOURCE, delivery).unwrap();
        assert_eq!(answer.status, 200, "{}", answer.text());
        answer.json().unwrap()
    }

    /// Delivers what must be recorded, and gives its sequence.
    fn delivered(&self, body: &Value) -> Value {
        let said = self.deliver(&signed(body));
        assert_eq!(said["outcome"], "recorded", "{said} for {body}");
        said["sequence"].clone()
    }

    /// Sends a command; each path and body is sent once, so they make the key.
    fn command(&self, path: &str, body: &Value) -> Answer {
        let (path, body) = (format!("/v1/ledgers/{LEDGER}/{path}"), body.to_string());
        let key = format!("{}-{path}", body.len());
        let headers = [("idempotency-key", &*key)];
        self.server.ask(Method::POST, TOKEN, &path, &headers, Some(&body)).unwrap()
    }

    fn done(&self, path: &str, body: &Value) -> Value {
        let answer = self.command(path, body);
        assert!(matches!(answer.status, 200 | 201), "{path}: {}", answer.text());
        answer.json().unwrap()
    }

    /// A command that is refused, and leaves the log as it is.
    fn refused(&self, path: &str, body: &Value, (status, code): (u16, &str)) {
        let before = self.records();
        let answer = self.command(path, body);
        assert_eq!(answer.status, status, "{path}: {}", answer.text());
        let problem = answer.json().unwrap();
        assert_eq!(problem["code"], code, "{path}: {problem}");
        assert_eq!(self.records(), before, "{path} left a record");
    }

    fn get(&self, path: &str) -> Value {
        let answer = self.server.get(&format!("/v1/ledgers/{LEDGER}/{path}")).unwrap();
        assert_eq!(answer.status, 200, "{path}: {}", answer.text());
        answer.json().unwrap()
    }

    fn records(&self) -> usize {
        self.server.list("records", 500).unwrap().len()
    }

    fn listed(&self, query: &str) -> Vec<Value> {
        let page = self.get(&format!("exceptions?limit=500&{query}"));
        assert_eq!(page["next"], Value::Null, "{page}");
        page["items"].as_array().unwrap().clone()
    }

    fn ids(&self, query: &str) -> Vec<Value> {
        self.listed(query).iter().map(|exception| exception["id"].clone()).collect()
    }

    /// The one exception that a query finds.
    fn only(&self, query: &str) -> Value {
        let found = self.listed(query);
        assert_eq!(found.len(), 1, "{query}: {found:?}");
        found.into_iter().next().unwrap()
    }

    /// What a story's account and payment look like, or that they are not there.
    fn standing(&self, n: u64) -> Vec<String> {
        let paths = [format!("accounts/{}", account(n)), format!("payments/{}", payment(n))];
        let seen = paths.map(|path| {
            let answer = self.server.get(&format!("/v1/ledgers/{LEDGER}/{path}")).unwrap();
            assert!(matches!(answer.status, 200 | 404), "{path}: {}", answer.text());
            answer.text()
        });
        seen.to_vec()
    }
}

/// Raises an exception, finds it by all that it is about and by nothing else, and tries to release
/// it where that must be refused.
fn raised(desk: &Desk, kind: &Kind, n: u64) -> Value {
    let delivery = (kind.raise)(desk, n);
    let (before, open) = (desk.standing(n), desk.ids(""));
    let said = desk.deliver(&delivery);
    assert_eq!(said["outcome"], kind.outcome, "{}: {said}", kind.name);
    if kind.outcome == "quarantined" {
        assert_eq!(said["reason"], kind.name, "{said}");
    }
    if kind.outcome != "recorded" {
        assert_eq!(desk.standing(n), before, "{}: something moved", kind.name);
    }
    let id = json!(format!("{}-{}", said["sequence"], kind.name));
    let with = [open, vec![id.clone()]].concat();
    assert_eq!(desk.ids(""), with, "{}: one more is open, and no other", kind.name);

    let about = |name: &str, value: String| kind.found_by.contains(&name).then_some(value);
    let (account, payment) = (about("account", account(n)), about("payment", payment(n)));
    let seen = desk.get(&format!("exceptions/{}", id.as_str().unwrap()));
    let record = desk.get(&format!("records/{}", said["sequence"]));
    let expected = json!({
        "id": id, "kind": kind.name, "sequence": said["sequence"],
        "raised_at": record["recorded_at"], "account": account, "payment": payment,
        "detail": seen["detail"], "ended": null,
    });
    assert_eq!(seen, expected);
    assert!(seen["detail"].as_str().is_some_and(|text| !text.is_empty()), "{seen}");

    found(desk, kind, n, (&id, "open"));
    if let Some(refusal) = kind.release {
        let path = format!("exceptions/{}/release", id.as_str().unwrap());
        desk.refused(&path, &json!({"reason": "let it in"}), refusal);
        assert_eq!(desk.get(&format!("exceptions/{}", id.as_str().unwrap())), expected);
    }
    seen
}

/// Checks each filter, alone and with others.
fn found(desk: &Desk, kind: &Kind, n: u64, (id, state): (&Value, &str)) {
    let other = if state == "open" { "ended" } else { "open" };
    let own = vec![id.clone()];
    let has = |query: &str| desk.ids(query).contains(id);
    assert!(has(&format!("state={state}")) && has("state=all") && !has(&format!("state={other}")));
    assert!(has(&format!("state={state}&kind={}", kind.name)), "{}", kind.name);
    let another = if kind.name == "orphan" { "conflict" } else { "orphan" };
    assert!(!has(&format!("state=all&kind={another}")), "{}", kind.name);
    for (name, value, foreign) in [
        ("account", account(n), "nobody".to_owned()),
        ("payment", payment(n), paddle::id("txn", 999_999)),
    ] {
        let expected = if kind.found_by.contains(&name) { own.clone() } else { vec![] };
        let query = format!("state={state}&kind={}&{name}", kind.name);
        assert_eq!(desk.ids(&format!("{query}={value}")), expected, "{query}={value}");
        assert_eq!(desk.ids(&format!("{query}={foreign}")), NONE);
    }
}

/// Checks that an exception ended by a record, is no longer open, and can't end again.
fn ended(desk: &Desk, kind: &Kind, n: u64, open: &Value, (sequence, by): (&Value, &str)) -> Value {
    let record = desk.get(&format!("records/{sequence}"));
    let mut expected = open.clone();
    expected["ended"] = json!({"sequence": sequence, "at": record["recorded_at"], "by": by});
    let (id, path) = (&open["id"], format!("exceptions/{}", open["id"].as_str().unwrap()));
    assert_eq!(desk.get(&path), expected, "{}", kind.name);
    found(desk, kind, n, (id, "ended"));
    desk.refused(&format!("{path}/resolve"), &json!({"note": "again"}), (409, "exception_ended"));
    assert_eq!(desk.get(&path), expected, "{}", kind.name);
    expected
}

#[test]
fn every_kind_is_raised_found_and_ended() {
    let table: Vec<&str> = KINDS.iter().map(|kind| kind.name).collect();
    assert_eq!(table, CONTRACT.split(", ").collect::<Vec<_>>());
    assert_eq!(table, ExceptionKind::ALL.map(ExceptionKind::name));

    let desk = Desk::open();
    let mut all = Vec::new();
    for (n, kind) in (1..).map(|place| place * 100).zip(KINDS) {
        let open = raised(&desk, kind, n);
        let path = format!("exceptions/{}/resolve", open["id"].as_str().unwrap());
        desk.refused(&path, &json!({}), (400, "body_malformed"));
        desk.refused(&path, &json!({"note": ""}), (400, "body_malformed"));
        let before = desk.standing(n);
        let resolved = desk.done(&path, &json!({"note": "seen by a person"}));
        let seen = ended(&desk, kind, n, &open, (&resolved["sequence"], "resolved"));
        assert_eq!(resolved["exception"], seen);
        assert_eq!(desk.standing(n), before, "{}: a note moves nothing", kind.name);
        let record = desk.get(&format!("records/{}", resolved["sequence"]));
        assert!(record.to_string().contains("seen by a person"), "{record}");
        all.push(seen);
    }
    for (n, kind) in (1..).map(|place| place * 100 + 50).zip(KINDS) {
        let Some(remove) = kind.remove else { continue };
        let open = raised(&desk, kind, n);
        let sequence = remove(&desk, n);
        all.push(ended(&desk, kind, n, &open, (&sequence, "cause-gone")));
    }
    assert_eq!(desk.ids(""), NONE);
    all.sort_by_key(|exception| exception["sequence"].as_u64());
    assert_eq!(desk.listed("state=ended"), all);
    assert_eq!(desk.listed("state=all"), all);

    let desk = desk.restarted();
    assert_eq!(desk.ids(""), NONE);
    assert_eq!(desk.listed("state=ended"), all);
    desk.closed();
}

#[test]
fn what_was_resolved_stays_so_when_its_cause_goes() {
    let desk = Desk::open();
    for (n, kind) in (1..).map(|place| place * 100).zip(KINDS) {
        // An undecided one is released while it is open.
        let Some(remove) = kind.remove.filter(|_| kind.name != "undecided") else { continue };
        let open = raised(&desk, kind, n);
        let path = format!("exceptions/{}", open["id"].as_str().unwrap());
        let resolved = desk.done(&format!("{path}/resolve"), &json!({"note": "it will go"}));
        remove(&desk, n);
        assert_eq!(desk.get(&path), resolved["exception"], "{}", kind.name);
    }
    assert_eq!(desk.ids(""), NONE);
    desk.closed();
}

#[test]
fn a_late_delivery_acts_once_it_is_released() {
    let desk = Desk::open();
    let stale = KINDS.iter().find(|kind| kind.name == "stale").unwrap();
    let open = raised(&desk, stale, 1);
    let path = format!("exceptions/{}", open["id"].as_str().unwrap());
    desk.refused(&format!("{path}/release"), &json!({}), (400, "body_malformed"));
    let released = desk.done(&format!("{path}/release"), &json!({"reason": "our clock was off"}));
    assert_eq!(released["available"], "10", "{released}");
    let seen = ended(&desk, stale, 1, &open, (&released["sequence"], "cause-gone"));
    assert_eq!(released["exception"], seen);
    let again = json!({"reason": "once more"});
    desk.refused(&format!("{path}/release"), &again, (409, "not_quarantined"));
    // A fresh delivery says nothing new.
    assert_eq!(desk.deliver(&signed(&purchase(1)))["outcome"], "duplicate");
    assert_eq!(desk.server.account(&account(1)).unwrap()["available"], "10");
    desk.closed();
}

#[test]
fn a_purchase_beyond_all_credits_with_the_gifts_is_undecided_too() {
    let desk = Desk::open();
    let gift = json!({"amount": "1", "kind": "gift", "reason": "a first look"});
    desk.done(&format!("accounts/{}/grants", account(1)), &gift);
    let before = desk.standing(1);
    let bought = Purchase { number: 1, account: account(1), cents: 1 };
    let said = desk.deliver(&signed(&in_currency(bought.body().unwrap(), "JPY")));
    assert_eq!((&said["outcome"], &said["reason"]), (&json!("quarantined"), &json!("undecided")));
    assert_eq!(desk.standing(1), before);
    desk.only("kind=undecided");
    desk.closed();
}
