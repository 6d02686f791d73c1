//! A gateway that knows who may spend: `gateway NATS API TOKEN LEDGER`
//!
//! ```text
//! cargo run -p subscriber --example gateway -- nats://127.0.0.1:4222 http://127.0.0.1:8081 TOKEN main
//! curl http://127.0.0.1:PORT/may-spend/jo@example.org
//! ```
//!
//! `GET /may-spend/{account}` answers 200 when the account may spend, 402 when not, 404 when it is
//! not known, and 503 when the gateway can't be sure: before it has all accounts, and when it was
//! away from the stream for longer than [`STALE_MAX`]. It fails closed: only a 200 lets a request
//! pass. `GET /measured` says how long the answers took to find.

use std::{
    error::Error,
    sync::Arc,
    time::{Duration, Instant},
};

use axum::{
    Router,
    extract::{Path, State},
    http::StatusCode,
    routing::get,
};
use parking_lot::Mutex;
use subscriber::{Accounts, Filter, HttpApi, Subscriber};
use tokio::net::TcpListener;

/// How long the gateway trusts what it knows while it is away from the stream: what is spent
/// meanwhile may not be there.
const STALE_MAX: Duration = Duration::from_secs(2);

/// How many measurements are kept: the latest.
const MEASUREMENTS_MAX: usize = 10_000;

struct Gateway {
    accounts: Accounts,
    ledger: String,
    measured: Mutex<Measured>,
}

/// How long the latest answers took, in nanoseconds.
#[derive(Default)]
struct Measured {
    nanoseconds: Vec<u128>,
    next: usize,
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [nats, api, token, ledger] = arguments.as_slice() else {
        return Err("usage: gateway NATS API TOKEN LEDGER".into());
    };
    let client = async_nats::ConnectOptions::new()
        .name("example gateway")
        .retry_on_initial_connect()
        .connect(nats)
        .await?;
    let subscription = Subscriber::new(client, Filter::ledger(ledger)?)
        .repaired_by(HttpApi::new(api, token)?)
        .start();
    let gateway = Arc::new(Gateway {
        accounts: subscription.accounts(),
        ledger: ledger.clone(),
        measured: Mutex::default(),
    });
    let router = Router::new()
        .route("/may-spend/{account}", get(may_spend))
        .route("/measured", get(measured))
        .with_state(gateway);
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    println!("{{\"gateway\":\"{}\"}}", listener.local_addr()?);
    axum::serve(listener, router).await?;
    subscription.stop().await;
    Ok(())
}

async fn may_spend(
    State(gateway): State<Arc<Gateway>>,
    Path(account): Path<String>,
) -> (StatusCode, &'static str) {
    let begun = Instant::now();
    let answer = gateway.answer(&account);
    let taken = begun.elapsed();
    gateway.measured.lock().note(taken);
    answer
}

impl Gateway {
    fn answer(&self, account: &str) -> (StatusCode, &'static str) {
        let is_sure = self.accounts.stale_for().is_some_and(|stale| stale <= STALE_MAX);
        match self.accounts.may_spend(&self.ledger, account) {
            _ if !is_sure => (StatusCode::SERVICE_UNAVAILABLE, "unsure\n"),
            Some(true) => (StatusCode::OK, "may spend\n"),
            Some(false) => (StatusCode::PAYMENT_REQUIRED, "may not spend\n"),
            None => (StatusCode::NOT_FOUND, "not known\n"),
        }
    }
}

async fn measured(State(gateway): State<Arc<Gateway>>) -> String {
    let measured = gateway.measured.lock().to_json(gateway.accounts.len());
    println!("{measured}");
    measured
}

impl Measured {
    fn note(&mut self, taken: Duration) {
        let taken = taken.as_nanos();
        match self.nanoseconds.get_mut(self.next) {
            Some(oldest) => *oldest = taken,
            None => self.nanoseconds.push(taken),
        }
        self.next = self.next.saturating_add(1) % MEASUREMENTS_MAX;
    }

    fn to_json(&self, accounts: usize) -> String {
        let mut sorted = self.nanoseconds.clone();
        sorted.sort_unstable();
        let at = |percent: usize| {
            let place = sorted.len().saturating_sub(1).saturating_mul(percent) / 100;
            sorted.get(place).copied().unwrap_or(0)
        };
        format!(
            "{{\"accounts\":{accounts},\"answers\":{},\"p50_ns\":{},\"p99_ns\":{},\"max_ns\":{}}}\n",
            sorted.len(),
            at(50),
            at(99),
            at(100)
        )
    }
}
