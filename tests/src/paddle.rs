//! What Paddle sends: the project's own fixtures, filled in and signed.

use std::{
    fs,
    path::Path,
    time::{SystemTime, UNIX_EPOCH},
};

use anyhow::{Context, Result};
use ingestion::{paddle, secret::Secret};
use serde_json::Value;

use crate::home;

/// When all deliveries were signed, unless a test is about that: 2026-07-06.
pub const SIGNED_AT: i64 = 1_783_328_714;

/// The seconds since 1970, for tests of what is fresh.
///
/// # Errors
/// The clock is before 1970.
pub fn now() -> Result<i64> {
    #[expect(clippy::disallowed_methods, reason = "the server under test reads its own clock")]
    let now = SystemTime::now();
    Ok(i64::try_from(now.duration_since(UNIX_EPOCH)?.as_secs())?)
}

/// A body with its signature.
#[derive(Clone, Debug)]
pub struct Delivery {
    /// The value of `Paddle-Signature`.
    pub header: String,
    /// The raw body.
    pub body: Vec<u8>,
}

impl Delivery {
    /// Signs a body with the secret of the tests' source.
    ///
    /// # Errors
    /// Never.
    pub fn signed(body: impl Into<Vec<u8>>) -> Result<Self> {
        Ok(Self::signed_by(&home::secret()?, SIGNED_AT, body))
    }

    /// Signs a body with a secret, at so many seconds since 1970.
    #[must_use]
    pub fn signed_by(secret: &Secret, at: i64, body: impl Into<Vec<u8>>) -> Self {
        let body = body.into();
        Self { header: paddle::sign(secret, at, &body), body }
    }

    /// Signs JSON, without white space.
    ///
    /// # Errors
    /// Never.
    pub fn of(body: &Value) -> Result<Self> {
        Self::signed(body.to_string())
    }
}

/// One of the project's own deliveries, by its file's name without `.json`.
///
/// # Errors
/// There is none.
pub fn fixture(name: &str) -> Result<Value> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/paddle");
    let text = fs::read_to_string(folder.join(format!("{name}.json")));
    Ok(serde_json::from_str(&text.with_context(|| format!("read the fixture {name}"))?)?)
}

/// An id in Paddle's form: prefix, then 26 characters.
#[must_use]
pub fn id(prefix: &str, number: u64) -> String {
    format!("{prefix}_{number:026}")
}

/// Puts a value where a JSON pointer points.
///
/// # Errors
/// The pointer points nowhere.
pub fn put(body: &mut Value, pointer: &str, value: impl Into<Value>) -> Result<()> {
    *body.pointer_mut(pointer).with_context(|| format!("no {pointer}"))? = value.into();
    Ok(())
}

/// A purchase of one item, completed; every number gives an event and a payment of their own.
#[derive(Clone, Debug)]
pub struct Purchase {
    /// What ids are made of.
    pub number: u64,
    /// Whose it is.
    pub account: String,
    /// What was paid, in US cents.
    pub cents: u64,
}

impl Purchase {
    /// Paddle's id of the event.
    #[must_use]
    pub fn event(&self) -> String {
        id("evt", self.number)
    }

    /// Paddle's id of the transaction.
    #[must_use]
    pub fn payment(&self) -> String {
        id("txn", self.number)
    }

    /// The body, filled into the fixture `transaction.completed`.
    ///
    /// # Errors
    /// The fixture has another shape.
    pub fn body(&self) -> Result<Value> {
        let mut body = fixture("transaction.completed")?;
        put(&mut body, "/event_id", self.event())?;
        put(&mut body, "/notification_id", id("ntf", self.number))?;
        put(&mut body, "/data/id", self.payment())?;
        put(&mut body, "/data/custom_data/account_id", self.account.clone())?;
        put(&mut body, "/data/details/line_items/0/id", id("txnitm", self.number))?;
        let cents = self.cents.to_string();
        for totals in ["/data/details/totals", "/data/details/line_items/0/totals"] {
            put(&mut body, &format!("{totals}/subtotal"), cents.clone())?;
            put(&mut body, &format!("{totals}/tax"), "0")?;
            put(&mut body, &format!("{totals}/total"), cents.clone())?;
        }
        Ok(body)
    }

    /// The body, signed.
    ///
    /// # Errors
    /// The fixture has another shape.
    pub fn delivery(&self) -> Result<Delivery> {
        Delivery::of(&self.body()?)
    }

    /// An adjustment of this purchase's one item by so many cents, filled into a fixture.
    ///
    /// # Errors
    /// The fixture is absent or has another shape.
    pub fn adjustment(&self, fixture_name: &str, number: u64, cents: u64) -> Result<Value> {
        let mut body = fixture(fixture_name)?;
        put(&mut body, "/event_id", id("evt", number))?;
        put(&mut body, "/notification_id", id("ntf", number))?;
        put(&mut body, "/data/id", id("adj", number))?;
        put(&mut body, "/data/transaction_id", self.payment())?;
        put(&mut body, "/data/items/0/item_id", id("txnitm", self.number))?;
        let cents = cents.to_string();
        for totals in ["/data/totals", "/data/items/0/totals"] {
            put(&mut body, &format!("{totals}/subtotal"), cents.clone())?;
            put(&mut body, &format!("{totals}/tax"), "0")?;
            put(&mut body, &format!("{totals}/total"), cents.clone())?;
        }
        Ok(body)
    }
}
