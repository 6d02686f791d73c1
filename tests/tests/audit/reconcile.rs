//! The provider's own lists against the log: what is composed from the log agrees with it, every
//! single change to a list is found as what it is, and what is brought in settles it.

use std::{collections::BTreeMap, path::PathBuf};

use audit::reconcile::{
    compare::{Extent, Of, reconcile},
    findings::{Importable, Reconciled},
    list::Lists,
    source::{KnownSource, source},
};
use domain::{
    ids::Actor,
    input::{BackFill, Input, Listing},
    time::Timestamp,
};
use engine::step::{Answer, Engine, Request};
use ingestion::{
    paddle,
    pointer::Pointer,
    read::{Reading, read, read_back_filled},
    source::{Provider, Source},
    verify::{Headers, verify},
};
use serde_json::{Value, json};
use tallyhook_tests::{
    environment, home,
    merchant::Merchant,
    paddle::{Purchase, fixture, id, put},
};

use crate::made::Made;

/// A moment after all that a small ledger's merchant did.
const NOW: &str = "2026-09-01T00:00:00Z";

/// A ledger and what the provider lists.
struct Stage {
    made: Made,
    known: KnownSource,
    events: Vec<Value>,
    payments: Vec<Value>,
    adjustments: Vec<Value>,
}

fn now() -> Timestamp {
    Timestamp::parse(NOW).unwrap()
}

fn known() -> KnownSource {
    KnownSource {
        name: domain::ids::SourceName::new(home::SOURCE).unwrap(),
        origin: domain::ids::Origin::new("paddle").unwrap(),
        account_from: vec![domain::ids::Text::new("/data/custom_data/account_id").unwrap()],
    }
}

impl Stage {
    /// A ledger with policies and no delivery; the provider lists nothing.
    fn empty() -> Self {
        let made = Made::by(Merchant::new(1, 3).unwrap());
        assert_eq!(source(&*made.log, &made.ledger, None).unwrap(), None);
        let (events, payments, adjustments) = (Vec::new(), Vec::new(), Vec::new());
        Self { made, known: known(), events, payments, adjustments }
    }

    /// A merchant's ledger; the provider lists what was delivered, and how it stands.
    fn whole() -> Self {
        let mut stage = Self { made: Made::by(Merchant::new(5, 1_500).unwrap()), ..Self::empty() };
        let found = source(&*stage.made.log, &stage.made.ledger, None).unwrap();
        assert_eq!(found, Some(stage.known.clone()));
        let (mut payments, mut adjustments) = (BTreeMap::new(), BTreeMap::new());
        for recorded in stage.made.log.scan(&stage.made.ledger, None, usize::MAX).unwrap() {
            let record = recorded.record();
            let Input::Delivery(_) = &record.input else { continue };
            let body = stage.made.log.body(&stage.made.ledger, record.sequence).unwrap().unwrap();
            let mut event: Value = serde_json::from_slice(&body).unwrap();
            event.as_object_mut().unwrap().remove("notification_id");
            let mut entity = event["data"].clone();
            entity["updated_at"] = event["occurred_at"].clone();
            let text = |value: &Value| value.as_str().unwrap().to_owned();
            let (kind, id) = (text(&event["event_type"]), text(&entity["id"]));
            let list = match kind.split('.').next().unwrap() {
                "transaction" => Some(&mut payments),
                "adjustment" => Some(&mut adjustments),
                _ => None,
            };
            if let Some(list) = list {
                let newest: &mut Value = list.entry(id).or_insert_with(|| entity.clone());
                if text(&newest["updated_at"]) <= text(&entity["updated_at"]) {
                    *newest = entity;
                }
            }
            stage.events.push(event);
        }
        stage.payments = payments.into_values().collect();
        stage.adjustments = adjustments.into_values().collect();
        let happened = (stage.events.len(), stage.adjustments.len());
        assert!(happened.0 > 150 && happened.1 > 5, "too little happened: {happened:?}");
        stage
    }

    fn engine(&self) -> Engine {
        let log = std::sync::Arc::clone(&self.made.log);
        Engine::open(log, std::sync::Arc::clone(&self.made.projections), |_, _| ()).unwrap()
    }

    fn take(&self, input: Input, body: &[u8]) -> Answer {
        let request = Request { ledger: self.made.ledger.clone(), input, body: body.into() };
        self.engine().step(now(), vec![request]).unwrap().remove(0)
    }

    fn deliver(&self, event: &Value) -> Answer {
        let account_from = vec![Pointer::new("/data/custom_data/account_id").unwrap()];
        let source = Source {
            name: self.known.name.clone(),
            origin: self.known.origin.clone(),
            provider: Provider::Paddle,
            secrets: vec![home::secret().unwrap()],
            tolerance_seconds: None,
            future_seconds: 60,
            account_from,
        };
        let body = event.to_string().into_bytes();
        let header = paddle::sign(&source.secrets[0], now().seconds(), &body);
        let headers = [(paddle::HEADER, header.as_bytes())];
        let verified = verify(&source, Headers(&headers), &body, now()).unwrap();
        let delivery = read(&source, &verified, now());
        self.take(Input::Delivery(Box::new(delivery)), &body)
    }

    fn bring_in(&self, one: &Importable) -> Answer {
        let back_fill = BackFill { actor: actor(), listing: one.listing };
        let pointers = [Pointer::new("/data/custom_data/account_id").unwrap()];
        let delivery = read_back_filled(&self.reading(&pointers), &one.body, back_fill, now());
        self.take(Input::Delivery(Box::new(delivery)), &one.body)
    }

    fn reading<'s>(&'s self, account_from: &'s [Pointer]) -> Reading<'s> {
        Reading {
            provider: Provider::Paddle,
            source: &self.known.name,
            origin: &self.known.origin,
            account_from,
        }
    }

    fn reconciled(&self, extent: Extent) -> Reconciled {
        let pointers = [Pointer::new("/data/custom_data/account_id").unwrap()];
        let mut lists = Lists::new(self.reading(&pointers), actor());
        for (name, entries) in
            [("events", &self.events), ("payments", &self.payments), ("adj", &self.adjustments)]
        {
            // In several pages, as they come.
            for page in entries.chunks(50) {
                let last = entries.ends_with(page);
                let more = json!({"pagination": {"has_more": !last, "next": "https://x"}});
                lists
                    .add(name, json!({"data": page, "meta": more}).to_string().as_bytes())
                    .unwrap();
            }
        }
        let of = Of {
            ledger: self.made.ledger.clone(),
            source: self.known.name.clone(),
            origin: self.known.origin.clone(),
            extent,
        };
        reconcile(&*self.made.log, &of, &lists, |_, _| ()).unwrap()
    }

    /// What is found, as kinds and ids.
    fn check(&self, expected: &[(&str, &str)]) -> Reconciled {
        let reconciled = self.reconciled(Extent::Whole);
        let found = reconciled.findings.iter().map(|one| (one.kind.name(), one.id.as_str()));
        let mut expected = expected.to_vec();
        let mut found: Vec<_> = found.collect();
        expected.sort_unstable();
        found.sort_unstable();
        assert_eq!(found, expected, "{:#?}", reconciled.findings);
        reconciled
    }

    /// Brings in all that can be, and looks again.
    fn settle(&self, expected: &[(&str, &str)]) -> Reconciled {
        for one in &self.reconciled(Extent::Whole).importable {
            let answer = self.bring_in(one);
            assert!(matches!(answer, Answer::Recorded { .. }), "{}: {answer:?}", one.id);
        }
        let again = self.check(expected);
        assert_eq!(again.importable, []);
        again
    }
}

fn actor() -> Actor {
    Actor::new("auditor").unwrap()
}

fn text(value: &Value) -> String {
    value.as_str().unwrap().to_owned()
}

fn bought(number: u64) -> Value {
    let purchase = Purchase { number, account: "a".to_owned(), cents: 1_200 };
    let mut body = purchase.body().unwrap();
    body.as_object_mut().unwrap().remove("notification_id");
    body
}

fn refunded(number: u64) -> Value {
    let purchase = Purchase { number, account: "a".to_owned(), cents: 1_200 };
    let mut body = purchase.adjustment("adjustment.updated.refund-approved", 900, 300).unwrap();
    body.as_object_mut().unwrap().remove("notification_id");
    body
}

#[test]
fn what_was_delivered_agrees_with_lists_of_it() {
    let stage = Stage::whole();
    let found = stage.check(&[]);
    assert_eq!(found.importable, []);
    assert_eq!(usize::try_from(found.listed.events).unwrap(), stage.events.len());
    let names: Vec<&str> = found.notes.iter().map(|note| note.name).collect();
    assert!(!names.contains(&"lists-unfinished"), "{names:?}");
}

#[test]
fn any_one_change_to_a_list_is_found_as_what_it_is() {
    let mut stage = Stage::whole();
    // Younger than the list is long, and not its last.
    let middle = stage.events.len() - 4;
    let is = |kind: &'static str| move |event: &Value| event["event_type"] == kind;

    let gone = stage.events.remove(middle);
    stage.check(&[("event-unlisted", &text(&gone["event_id"]))]);
    assert_eq!(stage.reconciled(Extent::Partial).findings, []);
    stage.events.insert(middle, gone);

    let place = stage.events.iter().position(is("transaction.completed")).unwrap();
    let total = "/data/details/totals/total";
    let own = stage.events[place].clone();
    put(&mut stage.events[place], total, "123456789").unwrap();
    stage.check(&[("event-differs", &text(&own["event_id"]))]);
    stage.events[place] = own.clone();
    put(&mut stage.events[place], "/data/checkout", Value::Null).unwrap();
    let reworded = stage.check(&[]);
    assert!(reworded.notes.iter().any(|note| (note.name, note.count) == ("events-reworded", 1)));
    stage.events[place] = own;

    let place = stage.payments.iter().position(|one| one["status"] == "completed").unwrap();
    let own = stage.payments[place].clone();
    let name = text(&own["id"]);
    put(&mut stage.payments[place], "/details/totals/total", "123456789").unwrap();
    stage.check(&[("payment-differs", &name)]);
    stage.payments[place] = own.clone();
    put(&mut stage.payments[place], "/status", "canceled").unwrap();
    stage.check(&[("granted-unpaid", &name)]);
    stage.payments[place] = own;

    let middle = stage.payments.len() / 2;
    let gone = stage.payments.remove(middle);
    stage.check(&[("payment-unlisted", &text(&gone["id"]))]);
    stage.payments.insert(middle, gone);

    let own = stage.adjustments[3].clone();
    put(&mut stage.adjustments[3], "/status", "rejected").unwrap();
    stage.check(&[("adjustment-differs", &text(&own["id"]))]);
    stage.adjustments[3] = own;
    let gone = stage.adjustments.remove(3);
    stage.check(&[("adjustment-unlisted", &text(&gone["id"]))]);
}

#[test]
fn a_missing_event_is_brought_in_once_and_its_delivery_is_a_duplicate() {
    let mut stage = Stage::whole();
    let event = bought(900_000);
    stage.events.push(event.clone());
    stage.payments.push(event["data"].clone());
    let (name, payment) = (text(&event["event_id"]), text(&event["data"]["id"]));
    let found = stage.check(&[("event-missing", &name), ("payment-missing", &payment)]);
    // The event says all that its entity says.
    let importable: Vec<_> = found.importable.iter().map(|one| (one.listing, &one.id)).collect();
    assert_eq!(importable, [(Listing::Events, &name)]);
    stage.settle(&[]);
    assert!(matches!(stage.deliver(&event), Answer::Duplicate { .. }));
}

#[test]
fn what_has_no_event_is_brought_in_as_it_stands() {
    let mut stage = Stage::empty();
    let event = bought(1);
    stage.deliver(&event);
    stage.payments = vec![event["data"].clone(), bought(2)["data"].clone()];
    stage.adjustments = vec![refunded(1)["data"].clone()];
    let adjustment = text(&stage.adjustments[0]["id"]);
    let silent = ("type-never-arrives", "adjustment.*");
    let missing = [("payment-missing", id("txn", 2)), ("adjustment-missing", adjustment)];
    let mut expected = vec![silent];
    expected.extend(missing.iter().map(|(kind, id)| (*kind, id.as_str())));
    stage.check(&expected);
    stage.settle(&[silent]);
    // What arrives later of the same changes nothing and takes nothing twice.
    let views = |stage: &Stage| {
        let account = domain::ids::AccountId::new("a").unwrap();
        stage.made.projections.account(&stage.made.ledger, &account).unwrap().unwrap().books
    };
    let before = views(&stage);
    for late in [bought(2), refunded(1)] {
        let Answer::Recorded { record, .. } = stage.deliver(&late) else { panic!("not recorded") };
        assert_eq!(record.decision.transfers, []);
    }
    assert_eq!(views(&stage), before);
    stage.check(&[]);
}

#[test]
fn types_that_nobody_sends_are_told() {
    let mut stage = Stage::empty();
    stage.deliver(&bought(1));
    let found = stage.reconciled(Extent::Whole);
    assert!(found.notes.iter().any(|note| note.name == "adjustments-never-arrived"));
    stage.events = vec![bought(1), refunded(1), fixture("customer.updated").unwrap()];
    let event = text(&stage.events[1]["event_id"]);
    let silent = ("type-never-arrives", "adjustment.updated");
    let found = stage.check(&[silent, ("event-missing", &event)]);
    let seen = found.types.iter().find(|one| one.event_type == "adjustment.updated").unwrap();
    assert_eq!((seen.listed, seen.arrived), (1, 0));
    // An event of a customer changes no balance.
    assert!(found.notes.iter().any(|note| (note.name, note.count) == ("events-not-needed", 1)));
    stage.settle(&[silent]);
}

#[test]
fn what_is_too_old_for_the_list_is_not_judged() {
    let mut stage = Stage::empty();
    let at = |number, at: &str| {
        let mut event = bought(number);
        put(&mut event, "/occurred_at", at).unwrap();
        event
    };
    let (first, old) = (at(1, "2026-01-01T00:00:00Z"), at(2, "2026-01-02T00:00:00Z"));
    let (recent, last) = (at(3, "2026-08-01T00:00:00Z"), at(4, "2026-08-30T00:00:00Z"));
    for event in [&first, &old, &recent, &last] {
        stage.deliver(event);
    }
    stage.events = vec![first, last];
    let found = stage.check(&[("event-unlisted", &text(&recent["event_id"]))]);
    let old = found.notes.iter().find(|note| note.name == "events-too-old").unwrap();
    assert_eq!(old.count, 1);
}

#[test]
fn what_is_no_list_is_refused() {
    let stage = Stage::empty();
    let mut lists = Lists::new(stage.reading(&[]), actor());
    for bad in [
        "",
        "1",
        "null",
        "{}",
        "[1]",
        "[[]]",
        r#"{"data": 1}"#,
        r#"[{"id": "ctm_1"}]"#,
        r#"{"error": {"code": "forbidden"}}"#,
    ] {
        assert!(lists.add("file", bad.as_bytes()).is_err(), "{bad}");
    }
    for good in ["[]", r#"{"data": []}"#, r#"{"data": [{"event_id": "evt_1"}], "meta": {}}"#] {
        lists.add("file", good.as_bytes()).unwrap();
    }
}

fn page(path: PathBuf) -> Value {
    serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap()
}

#[test]
fn the_real_page_of_events_goes_through() {
    let Some(folder) = environment::real_payloads() else { return };
    let mut stage = Stage::empty();
    let listed = page(folder.join("paddle-go-sdk/testdata/events.json"));
    stage.events = listed["data"].as_array().unwrap().clone();
    let types = ["transaction.completed", "transaction.updated"];
    let ids: Vec<String> = stage.events[..2].iter().map(|event| text(&event["event_id"])).collect();
    let silent = types.map(|kind| ("type-never-arrives", kind));
    let missing = ids.iter().map(|id| ("event-missing", id.as_str()));
    stage.check(&silent.into_iter().chain(missing).collect::<Vec<_>>());
    stage.settle(&silent);
}

#[test]
fn pages_of_real_entities_go_through() {
    let Some(folder) = environment::real_payloads() else { return };
    for sdk in ["paddle-go-sdk", "paddle-php-sdk", "paddle-python-sdk"] {
        let entities = folder.join(sdk).join("Unit/Entities/notification/entity");
        if !entities.is_dir() {
            continue;
        }
        let mut stage = Stage::empty();
        stage.deliver(&bought(1));
        let completed = page(entities.join("transaction.completed.json"));
        let adjustment = page(entities.join("adjustment.created.json"));
        let resources = folder.join(sdk).join("Functional/Resources");
        let full = page(resources.join("Adjustments/response/full_entity.json"))["data"].take();
        let draft =
            page(resources.join("Transactions/response/minimal_entity.json"))["data"].take();
        let ids = [&completed, &adjustment, &full].map(|entity| text(&entity["id"]));
        stage.payments = vec![draft, completed];
        stage.adjustments = vec![adjustment, full];
        let silent = ("type-never-arrives", "adjustment.*");
        stage.check(&[
            silent,
            ("payment-missing", &ids[0]),
            ("adjustment-missing", &ids[1]),
            ("adjustment-missing", &ids[2]),
        ]);
        stage.settle(&[silent]);
    }
}
