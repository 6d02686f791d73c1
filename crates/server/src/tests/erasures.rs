//! Records whose bodies were erased, as the API tells of them.

use domain::{
    ids::{Actor, EventId, EventKey, LedgerId, OperationId, Sequence, Text},
    input::{Command, Delivery, Input, Order},
};
use engine::step::Request;
use event_store::erasure;

use super::*;

fn ledger() -> LedgerId {
    LedgerId::new("main").unwrap()
}

impl Server {
    /// Records a delivery like the last one, of another event, without its body: as if that had been
    /// erased.
    async fn bodiless(&self, event: &str) -> u64 {
        let last = Sequence::new(self.records()).unwrap();
        let record = self.log.read(&ledger(), last).unwrap().unwrap().into_record();
        let Input::Delivery(delivery) = record.input else { panic!("a delivery") };
        let EventKey::Body { origin, .. } = &delivery.event else { panic!("it has no id") };
        let event = EventKey::Event { origin: origin.clone(), id: EventId::new(event).unwrap() };
        let input = Input::Delivery(Box::new(Delivery { event, ..*delivery }));
        self.record(input).await;
        self.records()
    }

    async fn erase(&self, number: u64, records: &[u64]) -> u64 {
        let key = erasure::key(number).unwrap();
        let records = records.iter().map(|at| Sequence::new(*at).unwrap()).collect();
        let order = Order::Erase { records, reason: Text::new("ticket 7").unwrap() };
        let (id, actor) = (OperationId::of(&ledger(), &key), Actor::new("operator").unwrap());
        let request = domain::ids::Digest([7; 32]);
        self.record(Input::Command(Box::new(Command { key, id, actor, request, order }))).await;
        self.records()
    }

    async fn record(&self, input: Input) {
        let request = Request { ledger: ledger(), input, body: [].into() };
        let before = self.records();
        let writer = self.expiry.writer.clone();
        let submit = move || writer.submit_blocking(vec![request]).is_ok();
        assert!(tokio::task::spawn_blocking(submit).await.unwrap());
        assert_eq!(self.records(), before + 1);
    }
}

#[tokio::test]
async fn erased_bytes_are_gone_and_the_record_that_erases_them_is_named() {
    let server = server();
    server.deliver("not json").await;
    let kept = server.records();
    let gone = server.bodiless("evt_1").await;
    // Before any erasure names it, there is nothing to tell.
    let (status, _) = server.get(&format!("/records/{gone}/body")).await;
    assert_eq!(status, StatusCode::OK);
    server.erase(1, &[1]).await;
    let by = server.erase(2, &[gone]).await;
    let (status, answer) = server.get(&format!("/records/{gone}/body")).await;
    assert_eq!(status, StatusCode::GONE);
    assert_eq!((&answer["code"], &answer["erased_by"]), (&json!("body_erased"), &json!(by)));
    let (_, record) = server.get(&format!("/records/{by}")).await;
    let asked = json!({"order": "erase", "records": [gone], "reason": "ticket 7"});
    assert_eq!(
        (&record["input"]["order"], &record["input"]["actor"]),
        (&asked, &json!("operator"))
    );
    assert_eq!(record["decision"]["effects"], json!([]));
    let (status, _) = server.get(&format!("/records/{kept}/body")).await;
    assert_eq!(status, StatusCode::OK);
    let (status, answer) = server.get("/records/999/body").await;
    assert_eq!((status, &answer["code"]), (StatusCode::NOT_FOUND, &json!("record_unknown")));
}

#[tokio::test]
async fn a_quarantined_record_without_its_bytes_is_not_released() {
    let server = server();
    server.deliver("not json").await;
    let gone = server.bodiless("evt_1").await;
    let path = format!("/exceptions/{gone}-malformed/release");
    let body = json!({"reason": "r"});
    server.refused(&path, &body, 422, "record_unreadable").await;
    let by = server.erase(1, &[gone]).await;
    let answer = server.refused(&path, &body, 410, "body_erased").await;
    assert_eq!(answer["erased_by"], json!(by));
    // What was decided of it can still be ended by a note.
    let (status, _) = server
        .done(&format!("/exceptions/{gone}-malformed/resolve"), "n", &json!({"note": "n"}))
        .await;
    assert_eq!(status, StatusCode::OK);
}

#[tokio::test]
async fn no_caller_takes_a_key_of_an_erasure() {
    let server = server();
    let body = json!({"amount": "1", "kind": "paid", "reason": "test"});
    let (status, _, answer) = server.post("/accounts/a/grants", "erase:1", &body).await;
    assert_eq!((status.as_u16(), &answer["code"]), (400, &json!("idempotency_key_missing")));
}
