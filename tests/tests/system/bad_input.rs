//! Bad input: each has a status, a code and a text of its own, and changes nothing.
//!
//! [`Case`] is what is sent and what must be answered; [`World::check`] is the one place that sends
//! it, and compares the log and all accounts before and after. [`amounts`] is about every place
//! where an amount is told, [`rules`] about what the ledger's rules refuse, [`requests`] about keys,
//! bodies and paths.

#[path = "bad_input/amounts.rs"]
mod amounts;
#[path = "bad_input/requests.rs"]
mod requests;
#[path = "bad_input/rules.rs"]
mod rules;

use serde_json::{Value, json};
use tallyhook_tests::{
    home::{Home, LEDGER, POLICY, SECRET, SOURCE, Setup, TOKEN},
    paddle::{Delivery, Purchase, id, put},
    server::{Server, verify},
};
use ureq::http::Method;

/// What an application says of a person; no problem repeats it.
const EMAIL: &str = "someone@example.com";

/// How the key of all that is refused begins: one key is enough, since no refusal is remembered.
const KEY: &str = "key-of-what-is-refused";

/// An id that nothing has.
const NOTHING: &str = "6ba7b812-9dad-11d1-80b4-00c04fd430c8";

/// Refund cases, and metadata that each debit must have.
const REFUNDS: &str = r#"
[refunds]
facts = ["email"]
review_business_days = 7

[refunds.calendar]
zone = "UTC"
weekend = ["saturday", "sunday"]

[refunds.reasons.mistake]
verdict = "review"
rule = "R1"

[refunds.reasons.regret]
verdict = "deny"
rule = "R2"

[refunds.quote]
tax = true
"#;

/// A request that is refused.
struct Case {
    method: Method,
    path: String,
    /// Those that it is about.
    keys: Option<Vec<String>>,
    body: Vec<u8>,
    status: u16,
    code: &'static str,
}

impl Case {
    fn post(path: impl Into<String>, body: &Value, status: u16, code: &'static str) -> Self {
        Self::raw(path, body.to_string(), status, code)
    }

    fn raw(
        path: impl Into<String>,
        body: impl Into<Vec<u8>>,
        status: u16,
        code: &'static str,
    ) -> Self {
        let (path, body) = (path.into(), body.into());
        Self { method: Method::POST, path, keys: None, body, status, code }
    }

    fn keyed(self, keys: &[&str]) -> Self {
        Self { keys: Some(keys.iter().map(|key| (*key).to_owned()).collect()), ..self }
    }
}

/// A ledger in which there is one of everything.
struct World {
    home: Home,
    server: Server,
    /// A hold of 20 credits of the account `a`, and one of the account `b`.
    hold: String,
    hold_of_b: String,
    /// A hold of the account `a` that was released.
    released: String,
    /// A debit of 10 credits of the account `a`, one of the account `b`, and one that was made good.
    debit: String,
    debit_of_b: String,
    made_good: String,
    /// A case of the account `a` in review for payment 1, one that lacks information for payment 3,
    /// one that ended for payment 4, and one in review of the account `closed` for payment 5.
    review: String,
    incomplete: String,
    denied: String,
    of_closed: String,
    /// An exception that is open and can't be read, and one that ended.
    open: String,
    ended: String,
    /// A freeze of the account `frozen`.
    freeze: String,
}

impl World {
    /// The accounts that are there.
    const ACCOUNTS: [&str; 5] = ["a", "b", "closed", "frozen", "owing"];

    fn new() -> Self {
        let mut setup = Setup::one();
        let order = "order = [\"gift\", \"paid\"]";
        let policy = POLICY.replace(order, &format!("{order}\nmetadata = [\"model\"]"));
        setup.ledger().unwrap().policy = policy + REFUNDS;
        let home = Home::new(&setup).unwrap();
        let server = Server::start(&home).unwrap();
        let unknown = String::new();
        let mut world = Self {
            home,
            server,
            hold: unknown.clone(),
            hold_of_b: unknown.clone(),
            released: unknown.clone(),
            debit: unknown.clone(),
            debit_of_b: unknown.clone(),
            made_good: unknown.clone(),
            review: unknown.clone(),
            incomplete: unknown.clone(),
            denied: unknown.clone(),
            of_closed: unknown.clone(),
            open: unknown.clone(),
            ended: unknown.clone(),
            freeze: unknown,
        };
        world.bought();
        world.used();
        world.applied();
        world.stands();
        world
    }

    fn bought(&mut self) {
        for (number, account) in
            [(1, "a"), (2, "b"), (3, "a"), (4, "a"), (5, "closed"), (6, "frozen"), (7, "")]
        {
            let bought = Purchase { number, account: account.to_owned(), cents: 10_000 };
            let mut body = bought.body().unwrap();
            if account.is_empty() {
                put(&mut body, "/data/custom_data", Value::Null).unwrap();
                put(&mut body, "/data/customer_id", Value::Null).unwrap();
            }
            self.delivered(&Delivery::of(&body).unwrap());
        }
        self.open = format!("{}-malformed", self.delivered(&Delivery::signed("[1]").unwrap()));
        self.ended = format!("{}-malformed", self.delivered(&Delivery::signed("[2]").unwrap()));
        self.done(&format!("exceptions/{}/resolve", self.ended), &json!({"note": "seen"}));
    }

    fn used(&mut self) {
        let hold = json!({"amount": "20", "expires_in_seconds": 3600});
        self.hold = self.done("accounts/a/holds", &hold);
        self.hold_of_b = self.done("accounts/b/holds", &hold);
        let short = json!({"amount": "1", "expires_in_seconds": 3600});
        self.released = self.done("accounts/a/holds", &short);
        self.done(&format!("accounts/a/holds/{}/release", self.released), &json!({}));
        let debit = |amount: &str| json!({"amount": amount, "metadata": {"model": "m"}});
        self.debit = self.done("accounts/a/debits", &debit("10"));
        self.debit_of_b = self.done("accounts/b/debits", &debit("10"));
        self.made_good = self.done("accounts/a/debits", &debit("5"));
        let back = json!({"debit": self.made_good, "amount": "1", "reason": "it failed"});
        self.done("accounts/a/returns", &back);
    }

    fn applied(&mut self) {
        let case = |number, reason: &str, facts: Value| json!({"payment": id("txn", number), "reason": reason, "facts": facts});
        let told = || json!({"email": EMAIL});
        self.review = self.done("accounts/a/refund-cases", &case(1, "mistake", told()));
        self.incomplete = self.done("accounts/a/refund-cases", &case(3, "mistake", json!({})));
        self.denied = self.done("accounts/a/refund-cases", &case(4, "regret", told()));
        self.of_closed = self.done("accounts/closed/refund-cases", &case(5, "mistake", told()));
    }

    fn stands(&mut self) {
        let gift = json!({"amount": "1", "kind": "gift", "reason": "a first look"});
        self.done("accounts/owing/grants", &gift);
        let late = json!({"amount": "8", "metadata": {"model": "m"}, "already_happened": true});
        self.done("accounts/owing/debits", &late);
        self.done("accounts/closed/close", &json!({"reason": "they left"}));
        let freeze = json!({"reason": "odd", "measures": {"spending": "suspend"}});
        self.freeze = self.done("accounts/frozen/freezes", &freeze);
    }

    fn delivered(&self, delivery: &Delivery) -> u64 {
        let answer = self.server.deliver(SOURCE, delivery).unwrap();
        assert_eq!(answer.status, 200, "{}", answer.text());
        answer.json().unwrap()["sequence"].as_u64().unwrap()
    }

    /// Has a command carried out whose key is what it says, and gives its id.
    fn done(&self, path: &str, body: &Value) -> String {
        let body = body.to_string();
        let key = [("idempotency-key", &*format!("{path} {body}"))];
        let whole = format!("/v1/ledgers/{LEDGER}/{path}");
        let answer = self.server.ask(Method::POST, TOKEN, &whole, &key, Some(&body)).unwrap();
        assert!(matches!(answer.status, 200 | 201), "{path}: {}", answer.text());
        answer.json().unwrap()["id"].as_str().unwrap().to_owned()
    }

    /// What the log has after its first records, and each account.
    fn seen(&self, after: usize) -> Vec<String> {
        let accounts = Self::ACCOUNTS.map(|account| format!("accounts/{account}"));
        let paths = [&[format!("records?after={after}")], &accounts[..]].concat();
        let shown = paths
            .iter()
            .map(|path| self.server.get(&format!("/v1/ledgers/{LEDGER}/{path}")).unwrap().text());
        shown.collect()
    }

    fn records(&self) -> usize {
        self.server.list("records", 500).unwrap().len()
    }

    /// Sends all, and checks each answer and that nothing came of it.
    fn check(&self, cases: &[Case]) {
        let mut count = self.records();
        let mut before = self.seen(count);
        let mut wrong = Vec::new();
        for case in cases {
            let body: String = String::from_utf8_lossy(&case.body).chars().take(200).collect();
            let request = format!("{} {} {body}", case.method, case.path);
            if let Err(fault) = self.answered(case, count) {
                wrong.push(format!("{request}\n  {fault}"));
            }
            let after = self.seen(count);
            if after != before {
                wrong.push(format!("{request}\n  something changed: {after:?}"));
                count = self.records();
                before = self.seen(count);
            }
        }
        assert!(wrong.is_empty(), "{} of {}:\n{}", wrong.len(), cases.len(), wrong.join("\n"));
    }

    fn answered(&self, case: &Case, count: usize) -> Result<(), String> {
        // What should have been refused and was not keeps its key.
        let key = format!("{KEY}-{count}");
        let url = format!("http://{}/v1/ledgers/{LEDGER}/{}", self.server.private, case.path);
        let bearer = format!("Bearer {TOKEN}");
        let mut headers = vec![("authorization", &*bearer), ("content-type", "application/json")];
        let keys = case.keys.as_ref().map_or(std::slice::from_ref(&key), Vec::as_slice);
        headers.extend(keys.iter().map(|key| ("idempotency-key", &**key)));
        let body = (case.method == Method::POST).then_some(&*case.body);
        let client = tallyhook_tests::http::Client::default();
        let answer = client.send(case.method.clone(), &url, &headers, body).unwrap();
        let text = answer.text();
        let problem: Value = serde_json::from_slice(&answer.body).unwrap_or_default();
        let told = |name: &str| problem[name].as_str().unwrap_or_default().to_owned();
        let expected = (case.status, case.code, "application/problem+json");
        let kind = answer.header("content-type").unwrap_or_default();
        let code = told("code");
        if (answer.status, &*code, kind) != expected || problem["status"] != case.status {
            return Err(format!("is answered {} {text}, not {expected:?}", answer.status));
        }
        if told("detail").is_empty() || told("title").is_empty() || text.len() > 4_096 {
            return Err(format!("is told too little or too much: {text}"));
        }
        let secrets = [TOKEN, SECRET, EMAIL, KEY];
        let leaked = secrets.iter().find(|secret| text.contains(**secret));
        leaked.map_or(Ok(()), |secret| Err(format!("repeats {secret}: {text}")))
    }

    /// Has the log verified.
    fn closed(self) {
        self.server.stop().unwrap();
        let report = verify(&self.home).unwrap();
        assert_eq!(report["ok"], true, "{report}");
    }

    /// A good body for each route that takes commands.
    fn routes(&self) -> Vec<(String, Value)> {
        let Self { hold, debit, review, incomplete, open, freeze, .. } = self;
        let metadata = json!({"model": "m"});
        let routes = [
            ("accounts/a/debits", json!({"amount": "1", "metadata": metadata})),
            ("accounts/a/holds", json!({"amount": "1", "expires_in_seconds": 60})),
            (
                &*format!("accounts/a/holds/{hold}/capture"),
                json!({"amount": "1", "metadata": metadata}),
            ),
            (&*format!("accounts/a/holds/{hold}/release"), json!({})),
            ("accounts/a/returns", json!({"debit": debit, "amount": "1", "reason": "r"})),
            ("accounts/a/grants", json!({"amount": "1", "kind": "gift", "reason": "r"})),
            ("accounts/owing/write-offs", json!({"amount": "1", "reason": "r"})),
            ("accounts/a/freezes", json!({"measures": {"spending": "suspend"}, "reason": "r"})),
            (
                &*format!("accounts/frozen/freezes/{freeze}/clear"),
                json!({"measure": "service", "reason": "r"}),
            ),
            ("accounts/a/close", json!({"reason": "r"})),
            ("accounts/a/customers", json!({"customer": "ctm_1", "reason": "r"})),
            (
                "accounts/b/refund-cases",
                json!({"payment": id("txn", 2), "reason": "mistake", "facts": {"email": EMAIL}}),
            ),
            (&*format!("cases/{incomplete}/information"), json!({"facts": {"email": EMAIL}})),
            (&*format!("cases/{review}/approve"), json!({"note": "n"})),
            (&*format!("cases/{review}/deny"), json!({"note": "n"})),
            (&*format!("cases/{review}/withdraw"), json!({"note": "n"})),
            (&*format!("payments/{}/assign", id("txn", 7)), json!({"account": "a", "reason": "r"})),
            (
                &*format!("payments/{}/disputes/warning/conclude", id("txn", 1)),
                json!({"outcome": "lost", "reason": "r"}),
            ),
            (&*format!("exceptions/{open}/resolve"), json!({"note": "n"})),
            (&*format!("exceptions/{open}/release"), json!({"reason": "r"})),
            ("imports", import("a", json!({}))),
            ("policies", json!({"toml": POLICY.replace("version = 1", "version = 2")})),
        ];
        routes.map(|(path, body)| (path.to_owned(), body)).to_vec()
    }
}

/// A payment from before, with some fields otherwise.
fn import(account: &str, other: Value) -> Value {
    let mut body = json!({
        "account": account, "payment": "old-1", "paid_at": "2026-01-01T00:00:00Z",
        "currency": "USD", "amount": "10", "tax": "1", "granted": {"paid": "10", "gift": "2"},
        "left": {"paid": "4", "gift": "1"}, "reason": "they were here before",
    });
    with(&mut body, other);
    body
}

fn with(body: &mut Value, other: Value) {
    let fields = other.as_object().cloned().unwrap();
    body.as_object_mut().unwrap().extend(fields);
}

/// Sends all to a world of its own.
fn refused(cases: impl FnOnce(&World) -> Vec<Case>) {
    let world = World::new();
    world.check(&cases(&world));
    world.closed();
}
