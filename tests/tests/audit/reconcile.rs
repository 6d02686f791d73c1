//! The provider's own lists against the log: what is composed from the log agrees with it, every
//! single change to a list is found as what it is, and what is brought in settles it.

use std::path::PathBuf;

use audit::reconcile::{compare::Extent, list::Lists};
use domain::input::{Listing, Mode, Order, Settings, Stale};
use engine::step::Answer;
use serde_json::Value;
use tallyhook_tests::{
    environment,
    paddle::{fixture, id, put},
};

use crate::stage::{ACCOUNT_FROM, Stage, actor, bought, refunded, text};

/// The ledger's settings.
fn settings(mode: Mode, stale: Stale, account_from: &str) -> Order {
    Order::Configure(Settings {
        mode,
        stale,
        account_from: vec![domain::ids::Text::new(account_from).unwrap()],
        tolerance_seconds: None,
        future_seconds: 60,
    })
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
    stage.adjustments[3] = own.clone();
    // What the amounts do not show: a full refund reverses all, and filings count by their time.
    for (field, other) in [
        ("/type", if own["type"] == "full" { "partial" } else { "full" }),
        ("/created_at", "2023-01-01T00:00:00Z"),
    ] {
        put(&mut stage.adjustments[3], field, other).unwrap();
        stage.check(&[("adjustment-differs", &text(&own["id"]))]);
        stage.adjustments[3] = own.clone();
    }
    let gone = stage.adjustments.remove(3);
    stage.check(&[("adjustment-unlisted", &text(&gone["id"]))]);
}

#[test]
fn a_missing_event_is_brought_in_once_and_its_delivery_is_a_duplicate() {
    let mut stage = Stage::whole();
    stage.tick();
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

/// A backup ends where it was made, and the provider goes on.
#[test]
fn what_happened_after_the_log_ends_is_noted_and_no_finding() {
    let mut stage = Stage::empty();
    stage.deliver(&bought(1));
    // The last record is of 2026-09-01T00:00:00Z, and what is on its way needs ten minutes.
    let at = |number, at: &str| {
        let mut event = bought(number);
        put(&mut event, "/occurred_at", at).unwrap();
        put(&mut event, "/data/updated_at", at).unwrap();
        event
    };
    let (before, shortly) = (at(2, "2026-08-31T23:50:00Z"), at(3, "2026-08-31T23:50:01Z"));
    let mut refund = refunded(1);
    for field in ["/occurred_at", "/data/updated_at"] {
        put(&mut refund, field, "2026-09-01T12:00:00Z").unwrap();
    }
    stage.events = vec![before.clone(), shortly.clone(), refund.clone()];
    stage.payments = vec![before["data"].clone(), shortly["data"].clone()];
    stage.adjustments = vec![refund["data"].clone()];
    let (event, payment) = (text(&before["event_id"]), text(&before["data"]["id"]));
    let found = stage.check(&[
        ("event-missing", &event),
        ("payment-missing", &payment),
        ("log-ends-early", "2026-09-01T12:00:00Z"),
    ]);
    assert_eq!(found.importable.len(), 1);
    let noted = |name: &str| found.notes.iter().find(|note| note.name == name).map(|one| one.count);
    assert_eq!((noted("events-later"), noted("entities-later")), (Some(2), Some(2)));
}

/// The simulator, and what waits in quarantine, are no sign that a destination is subscribed.
#[test]
fn what_was_not_taken_in_did_not_arrive() {
    let mut stage = Stage::empty();
    stage.order("quarantine", settings(Mode::Live, Stale::Quarantine, ACCOUNT_FROM));
    let mut simulated = fixture("simulated.transaction.completed").unwrap();
    put(&mut simulated, "/event_type", "adjustment.created").unwrap();
    let mut unknown = refunded(1);
    put(&mut unknown, "/event_id", "evt_unknown").unwrap();
    put(&mut unknown, "/data/action", "unheard_of").unwrap();
    // After the last that is listed.
    put(&mut unknown, "/occurred_at", "2026-08-01T00:00:00Z").unwrap();
    for event in [&bought(1), &simulated, &unknown] {
        assert!(matches!(stage.deliver(event), Answer::Recorded { .. }));
    }
    stage.events = vec![bought(1), refunded(1)];
    let event = text(&refunded(1)["event_id"]);
    let found =
        stage.check(&[("type-never-arrives", "adjustment.updated"), ("event-missing", &event)]);
    let arrived = found.types.iter().map(|one| (one.event_type.as_str(), one.arrived));
    let expected = [("adjustment.updated", 0), ("transaction.completed", 1)];
    assert_eq!(arrived.collect::<Vec<_>>(), expected);
}

#[test]
fn what_the_simulator_paid_in_a_sandbox_is_in_no_list() {
    let mut stage = Stage::empty();
    stage.order("sandbox", settings(Mode::Sandbox, Stale::Accept, ACCOUNT_FROM));
    let mut simulated = fixture("simulated.transaction.completed").unwrap();
    put(&mut simulated, "/data/id", id("txn", 2)).unwrap();
    for event in [&bought(1), &simulated, &bought(3)] {
        stage.deliver(event);
    }
    stage.payments = vec![bought(1)["data"].clone(), bought(3)["data"].clone()];
    stage.check(&[]);
    // One that a genuine event told of, too, must be listed.
    stage.deliver(&bought(2));
    stage.check(&[("payment-unlisted", &id("txn", 2))]);
}

/// An event is held against its record as it was read then, wherever the account is named today.
#[test]
fn events_are_compared_by_the_settings_of_their_time() {
    let mut stage = Stage::empty();
    stage.deliver(&bought(1));
    stage.order("moved", settings(Mode::Live, Stale::Accept, "/data/customer_id"));
    stage.deliver_by(&bought(2), "/data/customer_id");
    stage.events = vec![bought(1), bought(2)];
    for event in &mut stage.events {
        put(event, "/data/checkout", Value::Null).unwrap();
    }
    let found = stage.check(&[]);
    let reworded = found.notes.iter().find(|note| note.name == "events-reworded");
    assert_eq!(reworded.map(|note| note.count), Some(2));
}

/// A payment that nobody can date is not brought in, and it is said why.
#[test]
fn a_paid_payment_without_a_time_is_told() {
    let mut stage = Stage::empty();
    let mut payment = bought(1)["data"].take();
    for field in ["/payments/0/captured_at", "/billed_at"] {
        put(&mut payment, field, Value::Null).unwrap();
    }
    let name = text(&payment["id"]);
    stage.payments = vec![payment];
    let found = stage.check(&[("unreadable", &name)]);
    assert_eq!(found.importable, []);
    let detail = &found.findings[0].detail;
    assert!(detail.contains("can't be brought in"), "{detail}");
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
    stage.deliver(&fixture("customer.updated").unwrap());
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
