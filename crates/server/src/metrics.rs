//! Counters of the running process, as Prometheus reads them. Never a body, an id or an account.

use std::{
    fmt::Write as _,
    sync::atomic::{AtomicU64, Ordering},
    time::Duration,
};

use ingestion::verify::SignatureFault;

/// Upper bounds of the commit histogram, in microseconds, and their names in seconds.
const BOUNDS: [(u64, &str); 10] = [
    (500, "0.0005"),
    (1_000, "0.001"),
    (2_000, "0.002"),
    (5_000, "0.005"),
    (10_000, "0.01"),
    (25_000, "0.025"),
    (50_000, "0.05"),
    (100_000, "0.1"),
    (500_000, "0.5"),
    (2_000_000, "2"),
];

/// A counter that only grows.
#[derive(Debug)]
pub(crate) struct Counter(AtomicU64);

impl Counter {
    const fn new() -> Self {
        Self(AtomicU64::new(0))
    }

    pub(crate) fn add(&self, number: u64) {
        self.0.fetch_add(number, Ordering::Relaxed);
    }

    fn get(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }
}

/// The answers to authentic webhooks.
#[derive(Debug)]
pub(crate) struct Outcomes {
    pub(crate) recorded: Counter,
    pub(crate) duplicate: Counter,
    pub(crate) conflict: Counter,
    pub(crate) ignored: Counter,
    pub(crate) quarantined: Counter,
    pub(crate) try_later: Counter,
}

/// Requests to the public listener that were refused before the signature was looked at.
#[derive(Debug)]
pub(crate) struct Refused {
    pub(crate) source_unknown: Counter,
    pub(crate) length_required: Counter,
    pub(crate) body_too_large: Counter,
    pub(crate) encoding_unsupported: Counter,
    pub(crate) body_broken: Counter,
}

/// All counters.
#[derive(Debug)]
pub(crate) struct Metrics {
    pub(crate) webhooks: Outcomes,
    pub(crate) refused: Refused,
    signature: Vec<(SignatureFault, &'static str, Counter)>,
    commits: [Counter; BOUNDS.len()],
    commits_above: Counter,
    commit_micros: Counter,
    pub(crate) inputs: Counter,
}

impl Metrics {
    /// Counters that count from zero.
    pub(crate) fn new() -> Self {
        let kinds = [
            (SignatureFault::HeaderMissing, "header-missing"),
            (SignatureFault::HeaderRepeated, "header-repeated"),
            (SignatureFault::HeaderTooLong, "header-too-long"),
            (SignatureFault::HeaderCharacters, "header-characters"),
            (SignatureFault::TimeMissing, "time-missing"),
            (SignatureFault::TimeRepeated, "time-repeated"),
            (SignatureFault::TimeInvalid, "time-invalid"),
            (SignatureFault::SignatureMissing, "signature-missing"),
            (SignatureFault::TooManySignatures, "too-many-signatures"),
            (SignatureFault::Mismatch, "mismatch"),
        ];
        Self {
            webhooks: Outcomes {
                recorded: Counter::new(),
                duplicate: Counter::new(),
                conflict: Counter::new(),
                ignored: Counter::new(),
                quarantined: Counter::new(),
                try_later: Counter::new(),
            },
            refused: Refused {
                source_unknown: Counter::new(),
                length_required: Counter::new(),
                body_too_large: Counter::new(),
                encoding_unsupported: Counter::new(),
                body_broken: Counter::new(),
            },
            signature: kinds.map(|(fault, name)| (fault, name, Counter::new())).into(),
            commits: [const { Counter::new() }; BOUNDS.len()],
            commits_above: Counter::new(),
            commit_micros: Counter::new(),
            inputs: Counter::new(),
        }
    }

    pub(crate) fn signature_fault(&self, fault: SignatureFault) {
        if let Some((_, _, counter)) = self.signature.iter().find(|(kind, _, _)| *kind == fault) {
            counter.add(1);
        }
    }

    /// Counts one group commit.
    pub(crate) fn commit(&self, inputs: usize, took: Duration) {
        let micros = u64::try_from(took.as_micros()).unwrap_or(u64::MAX);
        let mut bounds = BOUNDS.iter().zip(&self.commits);
        match bounds.find(|((bound, _), _)| micros <= *bound) {
            Some((_, counter)) => counter.add(1),
            None => self.commits_above.add(1),
        }
        self.commit_micros.add(micros);
        self.inputs.add(u64::try_from(inputs).unwrap_or(u64::MAX));
    }

    /// The text that Prometheus reads.
    pub(crate) fn render(&self, gauges: &[Gauge]) -> String {
        let mut page = Page(String::with_capacity(4096));
        let webhooks = &self.webhooks;
        page.counters(
            "tallyhook_webhooks_total",
            "Authentic webhooks by answer.",
            "outcome",
            &[
                ("recorded", &webhooks.recorded),
                ("duplicate", &webhooks.duplicate),
                ("conflict", &webhooks.conflict),
                ("ignored", &webhooks.ignored),
                ("quarantined", &webhooks.quarantined),
                ("try-later", &webhooks.try_later),
            ],
        );
        let refused = &self.refused;
        page.counters(
            "tallyhook_webhooks_refused_total",
            "Requests refused before their signature was looked at.",
            "reason",
            &[
                ("source-unknown", &refused.source_unknown),
                ("length-required", &refused.length_required),
                ("body-too-large", &refused.body_too_large),
                ("encoding-unsupported", &refused.encoding_unsupported),
                ("body-broken", &refused.body_broken),
            ],
        );
        let faults: Vec<(&str, &Counter)> =
            self.signature.iter().map(|(_, name, counter)| (*name, counter)).collect();
        page.counters(
            "tallyhook_signature_faults_total",
            "Requests whose signature did not hold.",
            "kind",
            &faults,
        );
        page.head("tallyhook_inputs_total", "counter", "Inputs that the writer decided.");
        page.line("tallyhook_inputs_total", "", self.inputs.get());
        self.commits(&mut page);
        for gauge in gauges {
            page.gauge(gauge);
        }
        page.0
    }

    fn commits(&self, page: &mut Page) {
        const NAME: &str = "tallyhook_commit_seconds";
        page.head(NAME, "histogram", "Time to decide and store one group, until it is durable.");
        let mut total = 0_u64;
        for ((_, bound), counter) in BOUNDS.iter().zip(&self.commits) {
            total = total.saturating_add(counter.get());
            page.line(&format!("{NAME}_bucket"), &format!("{{le=\"{bound}\"}}"), total);
        }
        total = total.saturating_add(self.commits_above.get());
        page.line(&format!("{NAME}_bucket"), "{le=\"+Inf\"}", total);
        let micros = self.commit_micros.get();
        let sum = format!("{}.{:06}", micros / 1_000_000, micros % 1_000_000);
        page.line(&format!("{NAME}_sum"), "", sum);
        page.line(&format!("{NAME}_count"), "", total);
    }
}

/// A value that is read when the page is.
#[derive(Debug)]
pub(crate) struct Gauge {
    pub(crate) name: &'static str,
    pub(crate) help: &'static str,
    /// A ledger's name and its value; no name where the value is the process's.
    pub(crate) values: Vec<(Option<String>, u64)>,
}

struct Page(String);

impl Page {
    fn head(&mut self, name: &str, kind: &str, help: &str) {
        let _ = writeln!(self.0, "# HELP {name} {help}\n# TYPE {name} {kind}");
    }

    fn line(&mut self, name: &str, labels: &str, value: impl std::fmt::Display) {
        let _ = writeln!(self.0, "{name}{labels} {value}");
    }

    fn counters(&mut self, name: &str, help: &str, label: &str, counters: &[(&str, &Counter)]) {
        self.head(name, "counter", help);
        for (value, counter) in counters {
            self.line(name, &format!("{{{label}=\"{value}\"}}"), counter.get());
        }
    }

    fn gauge(&mut self, gauge: &Gauge) {
        self.head(gauge.name, "gauge", gauge.help);
        for (ledger, value) in &gauge.values {
            let labels =
                ledger.as_ref().map_or(String::new(), |ledger| format!("{{ledger=\"{ledger}\"}}"));
            self.line(gauge.name, &labels, value);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_page_has_cumulative_buckets_and_labels() {
        let metrics = Metrics::new();
        metrics.commit(3, Duration::from_micros(900));
        metrics.commit(1, Duration::from_secs(3));
        metrics.webhooks.recorded.add(4);
        metrics.signature_fault(SignatureFault::Mismatch);
        let gauge = Gauge { name: "g", help: "h", values: vec![(Some("main".to_owned()), 7)] };
        let page = metrics.render(&[gauge]);
        for line in [
            "tallyhook_webhooks_total{outcome=\"recorded\"} 4",
            "tallyhook_signature_faults_total{kind=\"mismatch\"} 1",
            "tallyhook_commit_seconds_bucket{le=\"0.0005\"} 0",
            "tallyhook_commit_seconds_bucket{le=\"0.001\"} 1",
            "tallyhook_commit_seconds_bucket{le=\"+Inf\"} 2",
            "tallyhook_commit_seconds_sum 3.000900",
            "tallyhook_inputs_total 4",
            "g{ledger=\"main\"} 7",
        ] {
            assert!(page.lines().any(|found| found == line), "{line}\n{page}");
        }
    }
}
