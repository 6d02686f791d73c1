//! Debits while webhooks arrive, both at a fixed rate: what a gateway waits for an answer.

use std::time::Duration;

use anyhow::{Context, Result};
use tallyhook_tests::{
    home::{LEDGER, TOKEN},
    server::Server,
};
use tokio::{runtime, time::Instant};

use crate::{
    drive::drive,
    figures::Figures,
    paced::Paced,
    requests::{Signed, Template, account},
};

/// Debits in a second.
const DEBITS: u32 = 1_000;

/// Webhooks in a second.
const WEBHOOKS: u32 = 2_000;

/// Over how many connections the first purchases go.
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
        let webhooks = Paced { address: server.public, start, rate: WEBHOOKS, status: "200" };
        let debits = Paced { address: server.private, start, rate: DEBITS, status: "201" };
        let debited = debits.run(|index| asked.get(index).map(Vec::as_slice));
        futures_util::future::try_join(webhooks.run(|index| deliveries.request(index)), debited)
            .await
    })?;
    Ok(Spent { webhooks, debits })
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
