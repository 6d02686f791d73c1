//! Requests at a fixed rate.
//!
//! A request is due at its moment whatever became of those before it, and its latency counts from
//! then: a server that falls behind can't make its figures better by being asked less.

use std::{
    cell::{Cell, RefCell},
    net::SocketAddr,
    time::Duration,
};

use anyhow::{Context, Result};
use tokio::{
    net::TcpStream,
    time::{Instant, sleep_until},
};

use crate::{drive::answered, figures::Figures};

/// Over how many connections they go.
const CONNECTIONS: usize = 64;

/// Requests that are due at a fixed rate.
pub(crate) struct Paced {
    pub(crate) address: SocketAddr,
    /// When the first is due.
    pub(crate) start: Instant,
    /// In a second.
    pub(crate) rate: u32,
    /// The status that all are answered with.
    pub(crate) status: &'static str,
}

impl Paced {
    /// Sends them until there is none.
    pub(crate) async fn run<'r>(
        &self,
        request: impl Fn(usize) -> Option<&'r [u8]>,
    ) -> Result<Figures> {
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
