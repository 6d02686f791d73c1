//! The writer's step without a disk: loading, deciding, applying, absorbing.
//!
//! `cargo bench -p engine` prints microseconds an input for purchases and debits in groups of 64,
//! over accounts that each have a few lots and, last, many.

use std::{collections::BTreeMap, hint::black_box, sync::Arc, time::Instant};

use domain::{
    credits::Credits,
    ids::{
        AccountId, Actor, Digest, EventId, EventKey, IdempotencyKey, ItemId, LedgerId, OperationId,
        Origin, PaymentId, PaymentKey, SourceName, Text,
    },
    input::{
        Command, Delivery, Evidence, Freshness, Input, LotKind, Order, Reality, Signature, Usage,
    },
    money::{Currency, Minor},
    notice::{Basket, Line, Notice, Progress, Purchase},
    policy::{Measures, Policy, Shortfall, Unlisted, UsageRules},
    time::Timestamp,
    usage::Metadata,
};
use engine::step::{Engine, Request};
use event_store::memory::{MemoryLog, MemoryViews};
use projectors::projections::Projections;
use sha2::Digest as _;

const GROUP: usize = 64;
const INPUTS: usize = 32_768;

type Fallible<T> = Result<T, Box<dyn std::error::Error>>;

fn main() -> Fallible<()> {
    for accounts in [16_384, 1_024, 64] {
        let bench = Bench::new()?;
        let purchases: Vec<Input> =
            (0..INPUTS).map(|n| purchase(n, n % accounts)).collect::<Fallible<_>>()?;
        let bought = bench.run(&purchases)?;
        let debits: Vec<Input> =
            (0..INPUTS).map(|n| debit(n, n % accounts)).collect::<Fallible<_>>()?;
        let spent = bench.run(&debits)?;
        let lots = INPUTS.checked_div(accounts).unwrap_or(0);
        println!("{lots:>4} lots an account: a purchase {bought} us, a debit {spent} us");
    }
    Ok(())
}

struct Bench {
    engine: Engine,
    projections: Arc<Projections>,
}

impl Bench {
    fn new() -> Fallible<Self> {
        let projections = Arc::new(Projections::new(Arc::new(MemoryViews::new())));
        let log = Arc::new(MemoryLog::new());
        let engine = Engine::open(log, Arc::clone(&projections), |_, _| ())?;
        let bench = Self { engine, projections };
        bench.run(&[command(
            "policy",
            Order::ActivatePolicy { policy: Arc::new(policy()?), file: Digest([7; 32]) },
        )?])?;
        Ok(bench)
    }

    /// Microseconds an input.
    fn run(&self, inputs: &[Input]) -> Fallible<String> {
        let now = Timestamp::from_seconds(2_000).ok_or("no such moment")?;
        let ledger = LedgerId::new("main")?;
        let started = Instant::now();
        for group in inputs.chunks(GROUP) {
            let request = |input: &Input| Request {
                ledger: ledger.clone(),
                input: input.clone(),
                body: Arc::from([]),
            };
            black_box(self.engine.step(now, group.iter().map(request).collect())?);
            if self.projections.checkpoint_is_due() {
                self.projections.checkpoint()?;
            }
        }
        let took = started.elapsed().as_nanos();
        let each = took.checked_div(u128::try_from(inputs.len())?).unwrap_or(0);
        Ok(format!("{}.{:02}", each / 1_000, each % 1_000 / 10))
    }
}

fn policy() -> Fallible<Policy> {
    let usd = Currency::new("USD").ok_or("no such currency")?;
    Ok(Policy {
        name: Text::new("bench")?,
        version: 1,
        effective_from: Timestamp::EPOCH,
        unit: Text::new("USD")?,
        decimals: 6,
        rates: BTreeMap::from([(usd, Credits::parse("1", 0)?)]),
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
    })
}

fn account(number: usize) -> Fallible<AccountId> {
    Ok(AccountId::new(&format!("acct-{number:06}"))?)
}

fn command(key: &str, order: Order) -> Fallible<Input> {
    let key = IdempotencyKey::new(key)?;
    let request = Digest(sha2::Sha256::digest(key.as_str()).into());
    let id = OperationId::of(&LedgerId::new("main")?, &key);
    Ok(Input::Command(Box::new(Command { key, id, actor: Actor::new("bench")?, request, order })))
}

fn debit(number: usize, holder: usize) -> Fallible<Input> {
    let (account, amount) = (account(holder)?, Credits::parse("0.5", 1)?);
    let (usage, metadata) = (Usage::Asked, Metadata::NONE);
    command(&format!("use-{number}"), Order::Debit { account, amount, usage, metadata })
}

fn purchase(number: usize, holder: usize) -> Fallible<Input> {
    let origin = Origin::new("paddle")?;
    let at = Timestamp::from_seconds(1_000).ok_or("no such moment")?;
    let amount = Minor::new(1_000).ok_or("no such amount")?;
    let line = Line {
        item: ItemId::new("txnitm_01hv8wt98jahpbm1t1tzr06z6n")?,
        price: None,
        quantity: 1,
        subtotal: amount,
        discount: Minor::ZERO,
    };
    let basket = Basket {
        currency: Currency::new("USD").ok_or("no such currency")?,
        subtotal: amount,
        discount: Minor::ZERO,
        tax: Minor::ZERO,
        total: amount,
        lines: vec![line],
    };
    let id = PaymentId::new(&format!("txn_01hv8wptq8987qeep4{number:08}"))?;
    let notice = Notice::Purchase(Purchase {
        payment: PaymentKey { origin: origin.clone(), id },
        occurred_at: at,
        account: Some(account(holder)?),
        customer: None,
        progress: Progress::Completed(basket),
    });
    let body = Digest(sha2::Sha256::digest(number.to_be_bytes()).into());
    Ok(Input::Delivery(Box::new(Delivery {
        source: SourceName::new("paddle")?,
        event: EventKey::Event {
            origin,
            id: EventId::new(&format!("evt_01hv8wptq8987qeep4{number:08}"))?,
        },
        event_type: Some(Arc::from("transaction.completed")),
        occurred_at: Some(at),
        received_at: at,
        body,
        content: body,
        evidence: Evidence::Signed(Signature {
            header: Arc::from("ts=1;h1=00"),
            secret: [0; 4],
            signed_at: at,
        }),
        freshness: Freshness::Fresh,
        reality: Reality::Genuine,
        notice: Ok(notice),
    })))
}
