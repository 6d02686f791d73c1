//! Debits while webhooks arrive, both at a fixed rate: what a gateway waits for an answer.
//!
//! A request is due at its moment whatever became of those before it, and its latency counts from
//! then: a server that falls behind can't make its figures better by being asked less.

use std::{
    cell::{Cell, RefCell},
    net::SocketAddr,
    time::Duration,
};

use anyhow::{Context, Result};
use tallyhook_tests::{
    home::{LEDGER, TOKEN},
    server::Server,
};
use tokio::{
    net::TcpStream,
    runtime,
    time::{Instant, sleep_until},
};

use crate::{
    drive::{answered, drive},
    figures::Figures,
    requests::{Signed, Template, account},
};

/// Debits in a second.
const DEBITS: u32 = 1_000;

/// Webhooks in a second.
const WEBHOOKS: u32 = 2_000;

/// Over how many connections each of the two go.
const CONNECTIONS: usize = 64;

/// Over how many accounts the debits go: all bought something before.
const SPENDERS: usize = 2_000;

/// What both gave.
pub(crate) struct Spent {
    pub(crate) webhooks: Figures,
    pub(crate) debits: Figures,
}

/// Drives both for so many seconds.
pub(crate) fn spend(
    server: &Server,
    template: &mut Template,
    seconds: u32,
    round: usize,
) -> Result<Spent> {
    drive(server.public, &template.batch(SPENDERS, Signed::Rightly)?, CONNECTIONS)?;
    let count = |rate: u32| usize::try_from(rate.saturating_mul(seconds));
    let deliveries = template.batch(count(WEBHOOKS)?, Signed::Rightly)?;
    let asked: Vec<Vec<u8>> = (0..count(DEBITS)?).map(|index| debit(round, index)).collect();
    let runtime = runtime::Builder::new_current_thread().enable_all().build()?;
    let (webhooks, debits) = runtime.block_on(async {
        let start = Instant::now().checked_add(Duration::from_millis(100)).context("a clock")?;
        let webhooks = Stream { address: server.public, start, rate: WEBHOOKS, status: "200" };
        let debits = Stream { address: server.private, start, rate: DEBITS, status: "201" };
        let debited = debits.run(|index| asked.get(index).map(Vec::as_slice));
        futures_util::future::try_join(webhooks.run(|index| deliveries.request(index)), debited)
            .await
    })?;
    Ok(Spent { webhooks, debits })
}

/// Requests that are due at a fixed rate.
struct Stream {
    address: SocketAddr,
    start: Instant,
    /// In a second.
    rate: u32,
    status: &'static str,
}

impl Stream {
    async fn run<'r>(&self, request: impl Fn(usize) -> Option<&'r [u8]>) -> Result<Figures> {
        let next = Cell::new(0);
        let latencies = RefCell::new(Vec::new());
        let turns = (0..CONNECTIONS).map(|_| self.turn(&request, &next, &latencies));
        for done in futures_util::future::join_all(turns).await {
            done?;
        }
        Ok(Figures::new(self.start.elapsed(), latencies.take()))
    }

    /// One connection: waits until the next request is due, sends it, waits for its answer.
    async fn turn<'r>(
        &self,
        request: &impl Fn(usize) -> Option<&'r [u8]>,
        next: &Cell<usize>,
        latencies: &RefCell<Vec<u32>>,
    ) -> Result<()> {
        let mut stream = TcpStream::connect(self.address).await.context("connect")?;
        stream.set_nodelay(true)?;
        loop {
            let index = next.get();
            let Some(request) = request(index) else { return Ok(()) };
            next.set(index.saturating_add(1));
            let micros = u64::try_from(index)?.saturating_mul(1_000_000) / u64::from(self.rate);
            let due = self.start.checked_add(Duration::from_micros(micros)).context("a clock")?;
            sleep_until(due).await;
            answered(&mut stream, request, self.status).await?;
            let micros = u32::try_from(due.elapsed().as_micros()).unwrap_or(u32::MAX);
            latencies.borrow_mut().push(micros);
        }
    }
}

/// A debit of a hundredth, with metadata as a gateway sends it.
fn debit(round: usize, index: usize) -> Vec<u8> {
    let body = format!(
        "{{\"amount\":\"0.01\",\"metadata\":{{\"request_id\":\"req-{round}-{index}\",\"model\":\"m-1\",\"tokens\":812}}}}"
    );
    format!(
        "POST /v1/ledgers/{LEDGER}/accounts/{}/debits HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {TOKEN}\r\nIdempotency-Key: bench-{round}-{index}\r\nContent-Type: application/json\r\nContent-Length: {}\r\n\r\n{body}",
        account(index % SPENDERS),
        body.len()
    )
    .into_bytes()
}
