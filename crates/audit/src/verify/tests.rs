//! A small log on disk: clean as written. What becomes of damage to its stored values and files is
//! tested in `tests/tests/damage`.

mod parts;
mod rules;
mod signatures;

use std::{collections::BTreeMap, path::Path};

use domain::{
    credits::Credits,
    ids::{
        AccountId, Actor, Digest, IdempotencyKey, LedgerId, OperationId, Origin, SourceName, Text,
    },
    input::{Command, Input, LotKind, Mode, Order, Settings, Stale, Usage},
    money::Currency,
    policy::{Balance, Measures, Policy, Shortfall, Spending, Unlisted, UsageRules},
    usage::Metadata,
};
use engine::step::{Engine, Request};
use event_store::sled::Options;
use ingestion::{
    paddle,
    pointer::Pointer,
    read::read,
    secret::Secret,
    source::{Provider, Source},
    verify::{Headers, verify as authentic},
};
use sha2::Digest as _;

use super::*;

/// Deliveries of the project's own story, in an order in which one waits as an orphan.
const BODIES: [&str; 5] = [
    include_str!("../../../../tests/fixtures/paddle/adjustment.created.refund-pending.json"),
    include_str!("../../../../tests/fixtures/paddle/transaction.completed.json"),
    include_str!("../../../../tests/fixtures/paddle/adjustment.created.chargeback.json"),
    include_str!("../../../../tests/fixtures/paddle/customer.updated.json"),
    "this is no JSON",
];

fn ledger() -> LedgerId {
    LedgerId::new("main").unwrap()
}

fn policy() -> Policy {
    let frozen =
        Measures { spending: Spending::Suspend, balance: Balance::FreezeAccount, ..Measures::NONE };
    Policy {
        name: Text::new("test").unwrap(),
        version: 1,
        effective_from: domain::time::Timestamp::EPOCH,
        unit: Text::new("USD").unwrap(),
        decimals: 6,
        rates: BTreeMap::from([(Currency::new("USD").unwrap(), Credits::parse("1", 0).unwrap())]),
        prices: BTreeMap::new(),
        unlisted: Unlisted::Ignore,
        spend_first: LotKind::Gift,
        shortfall: Shortfall::Owed,
        settle_owed: true,
        on_dispute: frozen,
        on_chargeback: frozen,
        with_open_case: None,
        close_after: None,
        usage: UsageRules::PLAIN,
        refunds: None,
    }
}

fn source() -> Source {
    Source {
        name: SourceName::new("paddle").unwrap(),
        origin: Origin::new("paddle").unwrap(),
        provider: Provider::Paddle,
        secrets: vec![Secret::new("pdl_ntfset_test").unwrap()],
        tolerance_seconds: None,
        future_seconds: 60,
        account_from: vec![Pointer::new("/data/custom_data/account_id").unwrap()],
    }
}

fn command(key: &str, order: Order) -> Request {
    let body = format!("{order:?}").into_bytes();
    let key = IdempotencyKey::new(key).unwrap();
    let request = Digest(sha2::Sha256::digest(&body).into());
    let (id, actor) = (OperationId::of(&ledger(), &key), Actor::new("test").unwrap());
    let input = Input::Command(Box::new(Command { key, id, actor, request, order }));
    Request { ledger: ledger(), input, body: body.into() }
}

fn delivery(body: &str, at: domain::time::Timestamp) -> Request {
    let source = source();
    let header = paddle::sign(&source.secrets[0], at.seconds(), body.as_bytes());
    let headers = [(paddle::HEADER, header.as_bytes())];
    let verified = authentic(&source, Headers(&headers), body.as_bytes(), at).unwrap();
    let input = Input::Delivery(Box::new(read(&source, &verified, at)));
    Request { ledger: ledger(), input, body: body.as_bytes().into() }
}

/// The commands that put policy and settings in force.
fn in_force(policy: Policy, stale: Stale) -> Vec<Request> {
    let settings = Settings {
        mode: Mode::Live,
        stale,
        account_from: vec![Text::new("/data/custom_data/account_id").unwrap()],
        tolerance_seconds: None,
        future_seconds: 60,
    };
    let file = Digest([7; 32]);
    vec![
        command("policy", Order::ActivatePolicy { policy: Arc::new(policy), file }),
        command("settings", Order::Configure(settings)),
    ]
}

/// Writes the log: two groups, with a checkpoint of the projections between them.
pub(crate) fn write(dir: &Path) -> SledStore {
    let store = SledStore::open(dir, Options::STANDARD).unwrap();
    let projections = Arc::new(Projections::new(store.views()));
    let engine = Engine::open(store.log(), Arc::clone(&projections), |_, _| ()).unwrap();
    let at = domain::time::Timestamp::from_seconds(1_800_000_000).unwrap();
    let mut first = in_force(policy(), Stale::Accept);
    first.extend(BODIES.map(|body| delivery(body, at)));
    engine.step(at, first).unwrap();
    projections.checkpoint().unwrap();
    let account = AccountId::new("acct-demo").unwrap();
    let (amount, metadata) = (Credits::parse("0.5", 1).unwrap(), Metadata::NONE);
    let usage = Usage::AlreadyHappened;
    let used = command("use", Order::Debit { account, amount, usage, metadata });
    engine.step(at, vec![used]).unwrap();
    store
}

fn audited(store: &SledStore) -> Report {
    verify_store(store, &[], |_, _| ()).unwrap()
}

#[test]
fn a_log_is_clean_as_written_and_after_a_restart() {
    let dir = tempfile::tempdir().unwrap();
    let report = audited(&write(dir.path()));
    assert_eq!((report.findings, report.differences, report.records), (vec![], vec![], 8));
    let reopened = SledStore::open(dir.path(), Options::STANDARD).unwrap();
    assert!(audited(&reopened).is_clean());
}

#[test]
fn stored_projections_that_the_records_do_not_lead_to_are_found() {
    let dir = tempfile::tempdir().unwrap();
    let store = write(dir.path());
    check_views(&store);
}

/// Flips a byte of every stored projection.
fn check_views(store: &SledStore) {
    let views = store.views();
    for (key, value) in views.scan(&[], None, usize::MAX).unwrap() {
        let mut flipped = value.clone();
        let last = flipped.len() - 1;
        flipped[last] ^= 1;
        views.write(&[(key.clone(), Some(flipped))]).unwrap();
        let found = verify_store(store, &[], |_, _| ()).map(|report| report.is_clean());
        assert!(!found.unwrap_or(false), "key {}", hex::encode(&key));
        views.write(&[(key, Some(value))]).unwrap();
    }
    assert!(audited(store).is_clean());
}
