//! Sample logs, written as a server writes them: decided by the engine, with a checkpoint.

use std::{collections::BTreeMap, path::Path, sync::Arc};

use domain::{
    credits::Credits,
    ids::{
        AccountId, Actor, Digest, IdempotencyKey, LedgerId, OperationId, Origin, SourceName, Text,
    },
    input::{Command, Input, LotKind, Mode, Order, Settings, Stale, Usage},
    money::Currency,
    policy::{Measures, Policy, Shortfall, Unlisted, UsageRules},
    time::Timestamp,
    usage::Metadata,
};
use engine::step::{Engine, Request};
use event_store::sled::{Derived, Options, SledStore};
use ingestion::{
    paddle,
    pointer::Pointer,
    read::read,
    secret::Secret,
    source::{Provider, Source},
    verify::{Headers, verify as authentic},
};
use projectors::projections::Projections;
use sha2::{Digest as _, Sha256};
use tallyhook_tests::{
    dice::Dice,
    home::SECRET,
    paddle::{Purchase, SIGNED_AT, put},
};

/// Index runs after a few records, so that a small log has some; little memory.
pub(crate) const OPTIONS: Options = Options {
    log_cache_bytes: 1 << 20,
    views_cache_bytes: 1 << 20,
    run_records: 3,
    derived: Derived::Kept,
};

/// The ledger with a bit of everything.
pub(crate) const MAIN: &str = "main";

/// A second ledger, whose name sorts before and is shorter.
pub(crate) const OTHER: &str = "b";

/// Writes the log in which every kind of stored value is: blocks of records and of bodies of
/// several groups and of two ledgers, and two runs of the index. It has a purchase, what
/// contradicts it, commands, and something that can't be read.
pub(crate) fn write(dir: &Path) -> SledStore {
    let store = SledStore::open(dir, OPTIONS).unwrap();
    let projections = Arc::new(Projections::new(store.views()));
    let engine = Engine::open(store.log(), Arc::clone(&projections), |_, _| ()).unwrap();
    let step = |group: Vec<Request>| drop(engine.step(moment(), group).unwrap());
    step(in_force(MAIN));
    step(vec![purchase(500), purchase(700), delivery(MAIN, b"this is no JSON")]);
    step(vec![debit(MAIN, "use-1"), debit(MAIN, "use-2")]);
    step([in_force(OTHER), vec![debit(MAIN, "use-3")]].concat());
    projections.checkpoint().unwrap();
    step(vec![debit(MAIN, "use-4")]);
    store
}

/// Writes a log with one body that is stored in two pieces.
pub(crate) fn write_large(dir: &Path) -> SledStore {
    let store = SledStore::open(dir, OPTIONS).unwrap();
    let projections = Arc::new(Projections::new(store.views()));
    let engine = Engine::open(store.log(), Arc::clone(&projections), |_, _| ()).unwrap();
    engine.step(moment(), in_force(MAIN)).unwrap();
    let mut dice = Dice::new(4);
    // Random bytes don't become smaller by being compressed: 96 KiB and a little.
    let body: Vec<u8> = (0..99_000).map(|_| dice.roll().to_le_bytes()[0]).collect();
    engine.step(moment(), vec![delivery(MAIN, &body)]).unwrap();
    store
}

fn moment() -> Timestamp {
    Timestamp::from_seconds(SIGNED_AT).unwrap()
}

pub(crate) fn ledger(name: &str) -> LedgerId {
    LedgerId::new(name).unwrap()
}

fn account() -> AccountId {
    AccountId::new("acct-demo").unwrap()
}

fn source() -> Source {
    Source {
        name: SourceName::new("paddle").unwrap(),
        origin: Origin::new("paddle").unwrap(),
        provider: Provider::Paddle,
        secrets: vec![Secret::new(SECRET).unwrap()],
        tolerance_seconds: None,
        future_seconds: 60,
        account_from: vec![Pointer::new("/data/custom_data/account_id").unwrap()],
    }
}

fn policy() -> Policy {
    Policy {
        name: Text::new("test").unwrap(),
        version: 1,
        effective_from: Timestamp::EPOCH,
        unit: Text::new("USD").unwrap(),
        decimals: 6,
        rates: BTreeMap::from([(Currency::new("USD").unwrap(), Credits::parse("1", 0).unwrap())]),
        prices: BTreeMap::new(),
        unlisted: Unlisted::Ignore,
        spend_first: LotKind::Gift,
        shortfall: Shortfall::Owed,
        settle_owed: true,
        on_dispute: Measures::NONE,
        on_chargeback: Measures::NONE,
        with_open_case: None,
        close_after: None,
        usage: UsageRules::PLAIN,
        refunds: None,
    }
}

/// The commands that put policy and settings in force.
fn in_force(name: &str) -> Vec<Request> {
    let settings = Settings {
        mode: Mode::Live,
        stale: Stale::Accept,
        account_from: vec![Text::new("/data/custom_data/account_id").unwrap()],
        tolerance_seconds: None,
        future_seconds: 60,
    };
    let activation = Order::ActivatePolicy { policy: Arc::new(policy()), file: Digest([7; 32]) };
    vec![command(name, "policy", activation), command(name, "settings", Order::Configure(settings))]
}

fn debit(name: &str, key: &str) -> Request {
    let amount = Credits::parse("0.5", 1).unwrap();
    let (usage, metadata) = (Usage::AlreadyHappened, Metadata::NONE);
    command(name, key, Order::Debit { account: account(), amount, usage, metadata })
}

fn command(name: &str, key: &str, order: Order) -> Request {
    let body = format!("{{\"key\":\"{key}\"}}").into_bytes();
    let key = IdempotencyKey::new(key).unwrap();
    let request = Digest(Sha256::digest(&body).into());
    let (id, actor) = (OperationId::of(&ledger(name), &key), Actor::new("test").unwrap());
    let input = Input::Command(Box::new(Command { key, id, actor, request, order }));
    Request { ledger: ledger(name), input, body: body.into() }
}

/// A purchase for so many cents: always the same event, so that two amounts are a conflict.
fn purchase(cents: u64) -> Request {
    let purchase = Purchase { number: 1, account: account().as_str().to_owned(), cents };
    let mut body = purchase.body().unwrap();
    put(&mut body, "/data/customer_id", "ctm_1").unwrap();
    delivery(MAIN, body.to_string().as_bytes())
}

fn delivery(name: &str, body: &[u8]) -> Request {
    let (source, at) = (source(), moment());
    let header = paddle::sign(&source.secrets[0], at.seconds(), body);
    let headers = [(paddle::HEADER, header.as_bytes())];
    let verified = authentic(&source, Headers(&headers), body, at).unwrap();
    let input = Input::Delivery(Box::new(read(&source, &verified, at)));
    Request { ledger: ledger(name), input, body: body.into() }
}
