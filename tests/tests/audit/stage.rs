//! A ledger and its provider, each of which can be told what the other is not.

use std::collections::BTreeMap;

use audit::reconcile::{
    compare::{Extent, Of, reconcile},
    findings::{Importable, Reconciled},
    list::Lists,
    source::{KnownSource, source},
};
use domain::{
    ids::{Actor, Digest, IdempotencyKey, OperationId},
    input::{BackFill, Command, Input, Order},
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
use sha2::{Digest as _, Sha256};
use tallyhook_tests::{
    home,
    merchant::Merchant,
    paddle::{Purchase, fixture},
};

use crate::made::Made;

/// A moment after all that a small ledger's merchant did.
const NOW: &str = "2026-09-01T00:00:00Z";

/// Where events name the account.
pub(crate) const ACCOUNT_FROM: &str = "/data/custom_data/account_id";

/// A ledger and what the provider lists.
pub(crate) struct Stage {
    pub(crate) made: Made,
    pub(crate) known: KnownSource,
    pub(crate) events: Vec<Value>,
    pub(crate) payments: Vec<Value>,
    pub(crate) adjustments: Vec<Value>,
}

pub(crate) fn now() -> Timestamp {
    Timestamp::parse(NOW).unwrap()
}

pub(crate) fn known() -> KnownSource {
    KnownSource {
        name: domain::ids::SourceName::new(home::SOURCE).unwrap(),
        origin: domain::ids::Origin::new("paddle").unwrap(),
        account_from: vec![domain::ids::Text::new("/data/custom_data/account_id").unwrap()],
    }
}

impl Stage {
    /// A ledger with policies and no delivery; the provider lists nothing.
    pub(crate) fn empty() -> Self {
        let made = Made::by(Merchant::new(1, 3).unwrap());
        assert_eq!(source(&*made.log, &made.ledger, None).unwrap(), None);
        let (events, payments, adjustments) = (Vec::new(), Vec::new(), Vec::new());
        Self { made, known: known(), events, payments, adjustments }
    }

    /// A merchant's ledger; the provider lists what was delivered, and how it stands.
    pub(crate) fn whole() -> Self {
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

    pub(crate) fn take(&self, input: Input, body: &[u8]) -> Answer {
        let request = Request { ledger: self.made.ledger.clone(), input, body: body.into() };
        self.engine().step(now(), vec![request]).unwrap().remove(0)
    }

    pub(crate) fn deliver(&self, event: &Value) -> Answer {
        self.deliver_by(event, ACCOUNT_FROM)
    }

    /// Delivers what names its account at this place.
    pub(crate) fn deliver_by(&self, event: &Value, account_from: &str) -> Answer {
        let account_from = vec![Pointer::new(account_from).unwrap()];
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

    /// Carries out a command; gives its id.
    pub(crate) fn order(&self, key: &str, order: Order) -> OperationId {
        self.orders(vec![(key.to_owned(), order)]).remove(0)
    }

    /// Carries out commands, each under its key; gives their ids.
    pub(crate) fn orders(&self, orders: Vec<(String, Order)>) -> Vec<OperationId> {
        let mut ids = Vec::new();
        let requests = orders.into_iter().map(|(key, order)| {
            let key = IdempotencyKey::new(&key).unwrap();
            let id = OperationId::of(&self.made.ledger, &key);
            ids.push(id);
            let request = Digest(Sha256::digest(format!("{order:?}")).into());
            let command = Command { key, id, actor: actor(), request, order };
            // Of what comes by HTTP the digest alone is kept.
            let (ledger, input) = (self.made.ledger.clone(), Input::Command(Box::new(command)));
            Request { ledger, input, body: [].into() }
        });
        for answer in self.engine().step(now(), requests.collect()).unwrap() {
            assert!(matches!(answer, Answer::Recorded { .. }), "{answer:?}");
        }
        ids
    }

    /// Lets the ledger's time go on to after all that happened.
    pub(crate) fn tick(&mut self) {
        let event = fixture("customer.updated").unwrap();
        self.deliver(&event);
        self.events.push(event);
    }

    pub(crate) fn bring_in(&self, one: &Importable) -> Answer {
        let back_fill = BackFill { actor: actor(), listing: one.listing };
        let pointers = [Pointer::new(ACCOUNT_FROM).unwrap()];
        let delivery = read_back_filled(&self.reading(&pointers), &one.body, back_fill, now());
        self.take(Input::Delivery(Box::new(delivery)), &one.body)
    }

    pub(crate) fn reading<'s>(&'s self, account_from: &'s [Pointer]) -> Reading<'s> {
        Reading {
            provider: Provider::Paddle,
            source: &self.known.name,
            origin: &self.known.origin,
            account_from,
        }
    }

    pub(crate) fn reconciled(&self, extent: Extent) -> Reconciled {
        let pointers = [Pointer::new(ACCOUNT_FROM).unwrap()];
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
    pub(crate) fn check(&self, expected: &[(&str, &str)]) -> Reconciled {
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
    pub(crate) fn settle(&self, expected: &[(&str, &str)]) -> Reconciled {
        for one in &self.reconciled(Extent::Whole).importable {
            let answer = self.bring_in(one);
            assert!(matches!(answer, Answer::Recorded { .. }), "{}: {answer:?}", one.id);
        }
        let again = self.check(expected);
        assert_eq!(again.importable, []);
        again
    }
}

pub(crate) fn actor() -> Actor {
    Actor::new("auditor").unwrap()
}

pub(crate) fn text(value: &Value) -> String {
    value.as_str().unwrap().to_owned()
}

pub(crate) fn bought(number: u64) -> Value {
    let purchase = Purchase { number, account: "a".to_owned(), cents: 1_200 };
    let mut body = purchase.body().unwrap();
    body.as_object_mut().unwrap().remove("notification_id");
    body
}

pub(crate) fn refunded(number: u64) -> Value {
    let purchase = Purchase { number, account: "a".to_owned(), cents: 1_200 };
    let mut body = purchase.adjustment("adjustment.updated.refund-approved", 900, 300).unwrap();
    body.as_object_mut().unwrap().remove("notification_id");
    body
}
