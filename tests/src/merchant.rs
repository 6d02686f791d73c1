//! A merchant's ledger of any size, for audits: purchases, usage, refunds, chargebacks, refund cases
//! and all that an operator does, as signed bodies and as commands, taken in by the real engine.
//!
//! A seed and a size give the same ledger on every machine. Nothing in it is wrong: no exception is
//! ever raised, unless [`Merchant::with_exceptions`] asks for one of every kind.

mod bodies;
mod exceptions;
mod orders;
mod story;
mod template;

use std::sync::Arc;

use anyhow::{Context, Result};
use domain::{
    ids::{Actor, IdempotencyKey, LedgerId, OperationId, Origin, SourceName},
    input::{Command, Input, Mode, Order, Settings, Stale},
    policy::Policy,
    time::Timestamp,
};
use engine::step::{Answer, Engine, Request};
use ingestion::{
    paddle,
    pointer::Pointer,
    read::read,
    secret::Secret,
    source::{Provider, Source},
    verify::{Headers, verify},
};
use sha2::{Digest as _, Sha256};

use self::story::Story;
use crate::{history::text, home};

/// One credit for one yuan, seven for a dollar, a thousand and a gift for a listed price; two
/// versions, the second with another rate for dollars.
pub const POLICIES: [&str; 2] =
    [include_str!("merchant/first.toml"), include_str!("merchant/second.toml")];

/// When the ledger begins, in seconds since 1970: 2024-01-01.
const BEGIN: i64 = 1_704_067_200;

/// How long it lasts, whatever its size: two years.
const SECONDS: i64 = 2 * 366 * 86_400;

/// How many inputs are taken in by one group at most.
const GROUP_MAX: u64 = 256;

/// How many groups there are at least, each with a moment of its own: some four hours lie between.
const GROUPS_MIN: u64 = 4_000;

/// What makes a ledger.
pub struct Merchant {
    story: Story,
    records: u64,
    source: Source,
    ledger: LedgerId,
}

impl Merchant {
    /// The ledger of a seed, with so many records or a few more.
    ///
    /// # Errors
    /// A fixture has another shape.
    pub fn new(seed: u64, records: u64) -> Result<Self> {
        let source = Source {
            name: SourceName::new(home::SOURCE)?,
            origin: Origin::new("paddle")?,
            provider: Provider::Paddle,
            secrets: vec![home::secret()?],
            tolerance_seconds: Some(300),
            future_seconds: 60,
            account_from: vec![Pointer::new("/data/custom_data/account_id").context("a pointer")?],
        };
        Ok(Self {
            story: Story::new(seed, records)?,
            records,
            source,
            ledger: LedgerId::new(home::LEDGER)?,
        })
    }

    /// The same with one exception of every kind, at moments spread over the ledger.
    #[must_use]
    pub fn with_exceptions(mut self) -> Self {
        self.story.raise_exceptions();
        self
    }

    /// Takes everything in. `progress` is told how many records there are.
    ///
    /// # Errors
    /// The engine fails.
    pub fn run(mut self, engine: &Engine, mut progress: impl FnMut(u64)) -> Result<()> {
        let mut recorded = self.begin(engine)?;
        while recorded < self.records {
            let passed = i64::try_from(recorded)? * SECONDS / i64::try_from(self.records)?;
            let now = moment(BEGIN + passed)?;
            let group = (self.records / GROUPS_MIN).clamp(1, GROUP_MAX);
            let mut requests = Vec::new();
            for _ in 0..group.min(self.records - recorded) {
                let told = self.story.next(now, recorded)?;
                requests.push(self.request(now, told)?);
            }
            for answer in engine.step(now, requests)? {
                if let Answer::Recorded { record, .. } = answer {
                    recorded += 1;
                    self.story.learn(&record);
                }
            }
            progress(recorded);
        }
        Ok(())
    }

    /// Puts policies and settings in force.
    fn begin(&mut self, engine: &Engine) -> Result<u64> {
        let settings = Settings {
            mode: Mode::Live,
            stale: Stale::Quarantine,
            account_from: vec![text("/data/custom_data/account_id")],
            tolerance_seconds: Some(300),
            future_seconds: 60,
        };
        let mut orders = vec![Order::Configure(settings)];
        for policy in POLICIES {
            let file = domain::ids::Digest(Sha256::digest(policy).into());
            orders.push(Order::ActivatePolicy { policy: Arc::new(parsed(policy)?), file });
        }
        let (now, mut requests) = (moment(BEGIN)?, Vec::new());
        for (number, order) in orders.into_iter().enumerate() {
            let key = format!("begin-{number}");
            requests.push(self.request(now, Told::Order { key, order })?);
        }
        Ok(u64::try_from(engine.step(now, requests)?.len())?)
    }

    fn request(&self, now: Timestamp, told: Told) -> Result<Request> {
        let (input, body) = match told {
            Told::Event { body, signed_at } => {
                let header = paddle::sign(&secret()?, signed_at.seconds(), &body);
                let headers = [(paddle::HEADER, header.as_bytes())];
                let verified = verify(&self.source, Headers(&headers), &body, now)?;
                (Input::Delivery(Box::new(read(&self.source, &verified, now))), body)
            }
            Told::Order { key, order } => {
                let body = format!("{order:?}").into_bytes();
                let key = IdempotencyKey::new(&key)?;
                let (id, actor) = (OperationId::of(&self.ledger, &key), Actor::new("tests")?);
                let request = domain::ids::Digest(Sha256::digest(&body).into());
                (Input::Command(Box::new(Command { key, id, actor, request, order })), body)
            }
        };
        Ok(Request { ledger: self.ledger.clone(), input, body: body.into() })
    }
}

/// What is asked of the ledger next.
enum Told {
    /// By the provider.
    Event { body: Vec<u8>, signed_at: Timestamp },
    /// By our own users.
    Order { key: String, order: Order },
}

fn parsed(policy: &str) -> Result<Policy> {
    policy_file::parse(policy).map_err(|faults| anyhow::anyhow!("{faults:?}"))
}

fn moment(seconds: i64) -> Result<Timestamp> {
    Timestamp::from_seconds(seconds).context("moments of a ledger are in range")
}

/// The secret that all deliveries are signed with.
///
/// # Errors
/// Never.
pub fn secret() -> Result<Secret> {
    home::secret()
}
