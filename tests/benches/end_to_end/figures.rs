//! Rates, percentiles and the table. Whole numbers only.

use std::time::Duration;

use anyhow::{Context, Result};

/// What one round gave.
pub(crate) struct Figures {
    pub(crate) took: Duration,
    count: usize,
    p50: u32,
    p99: u32,
    p999: u32,
}

impl Figures {
    /// Takes the latencies in microseconds.
    pub(crate) fn new(took: Duration, mut latencies: Vec<u32>) -> Self {
        latencies.sort_unstable();
        let count = latencies.len();
        let at = |thousandths: usize| {
            let place = count.saturating_mul(thousandths).div_ceil(1_000).saturating_sub(1);
            latencies.get(place).copied().unwrap_or(0)
        };
        Self { took, count, p50: at(500), p99: at(990), p999: at(999) }
    }

    pub(crate) fn rate(&self) -> u128 {
        rate(self.count, self.took)
    }

    /// In microseconds.
    pub(crate) const fn p99(&self) -> u32 {
        self.p99
    }

    pub(crate) fn latency(&self) -> String {
        format!("{} / {}", milliseconds(self.p50), milliseconds(self.p99))
    }
}

/// Events in a second.
pub(crate) fn rate(count: usize, took: Duration) -> u128 {
    let count = u128::try_from(count).unwrap_or(0);
    count.saturating_mul(1_000_000).checked_div(took.as_micros()).unwrap_or(0)
}

/// The round whose rate is in the middle.
pub(crate) fn median(mut rounds: Vec<Figures>) -> Result<Figures> {
    rounds.sort_by_key(Figures::rate);
    let middle = rounds.len().checked_div(2).unwrap_or(0);
    rounds.into_iter().nth(middle).context("no round")
}

/// The table's head.
pub(crate) const HEAD: &str = "
| connections | durable events/s | p50 / p99 ms | verification only (wrong signature, 401) /s | p50 / p99 ms | raw append + fdatasync /s | p50 / p99 ms | durable : verification | durable : raw |
| --- | --- | --- | --- | --- | --- | --- | --- | --- |";

/// A line of the table.
pub(crate) fn row(
    connections: usize,
    durable: &Figures,
    verified: &Figures,
    raw: &Figures,
) -> String {
    format!(
        "| {connections} | {} | {} | {} | {} | {} | {} | {} | {} |",
        durable.rate(),
        durable.latency(),
        verified.rate(),
        verified.latency(),
        raw.rate(),
        raw.latency(),
        ratio(durable.rate(), verified.rate()),
        ratio(durable.rate(), raw.rate()),
    )
}

/// The head of the table of debits beside webhooks.
pub(crate) const SPENDING_HEAD: &str = "
| debits/s | p50 / p99 / p99.9 ms | webhooks/s | p50 / p99 / p99.9 ms |
| --- | --- | --- | --- |";

/// A line of it.
pub(crate) fn spending_row(debits: &Figures, webhooks: &Figures) -> String {
    let tail =
        |figures: &Figures| format!("{} / {}", figures.latency(), milliseconds(figures.p999));
    format!("| {} | {} | {} | {} |", debits.rate(), tail(debits), webhooks.rate(), tail(webhooks))
}

pub(crate) fn ratio(of: u128, to: u128) -> String {
    let hundredths = of.saturating_mul(100).checked_div(to).unwrap_or(0);
    format!("{}.{:02}", hundredths / 100, hundredths % 100)
}

pub(crate) fn milliseconds(micros: u32) -> String {
    format!("{}.{:02}", micros / 1_000, micros % 1_000 / 10)
}
