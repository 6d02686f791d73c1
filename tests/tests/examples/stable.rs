//! Takes out of a text what differs from run to run.
//!
//! Payments, keys and events of a seed are always the same, and so are the ids that are made of
//! them. What differs is the server's clock: its times become `<time 1>`, `<time 2>`, one for each
//! time in the order in which they appear. Times of before the run stand in events and commands.

use anyhow::{Context as _, Result};
use domain::time::Timestamp;
use tallyhook_tests::paddle;

/// The length of an event's id.
const EVENT_LENGTH: usize = 30;

/// What was taken out so far.
#[derive(Debug)]
pub(crate) struct Stable {
    started_at: Timestamp,
    times: Vec<Timestamp>,
}

impl Stable {
    /// Of a run that starts now.
    ///
    /// # Errors
    /// The clock is off by centuries.
    pub(crate) fn new() -> Result<Self> {
        let micros = paddle::now()?.checked_mul(1_000_000);
        let started_at = micros.and_then(Timestamp::from_micros).context("the time is none")?;
        Ok(Self { started_at, times: Vec::new() })
    }

    /// The text with a name for each time of this run. In columns the name is as wide as the time.
    pub(crate) fn text(&mut self, text: &str) -> String {
        let is_part = |c: char| c.is_ascii_digit() || "TZ:.-".contains(c);
        let mut stable = String::new();
        let mut rest = text;
        while !rest.is_empty() {
            let (other, from) = rest.split_at(rest.find(is_part).unwrap_or(rest.len()));
            let (word, after) = from.split_at(from.find(|c| !is_part(c)).unwrap_or(from.len()));
            stable.push_str(other);
            let own = Timestamp::parse(word).filter(|at| *at >= self.started_at);
            match own.map(|at| self.name(at)) {
                Some(name) if after.starts_with(' ') => {
                    stable.push_str(&format!("{name:<width$}", width = word.len()));
                }
                Some(name) => stable.push_str(&name),
                None => stable.push_str(word),
            }
            rest = after;
        }
        stable
    }

    fn name(&mut self, at: Timestamp) -> String {
        let known = self.times.iter().position(|time| *time == at);
        let place = known.unwrap_or_else(|| {
            self.times.push(at);
            self.times.len().saturating_sub(1)
        });
        format!("<time {}>", place.saturating_add(1))
    }
}

/// What `trigger` prints without a seed, without the seed and the ids made of it.
pub(crate) fn unseeded(printed: &str) -> String {
    let word = |word: &str| {
        if word.starts_with("evt_") && word.len() == EVENT_LENGTH {
            return format!("{:<EVENT_LENGTH$}", "<event>");
        }
        word.to_owned()
    };
    let line = |line: &str| match line.split_once(", seed ") {
        Some((before, _)) => format!("{before}, seed <seed>"),
        None => line.split(' ').map(word).collect::<Vec<_>>().join(" "),
    };
    printed.lines().map(line).collect::<Vec<_>>().join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_of_the_run_have_names_and_others_stay() {
        let started_at = Timestamp::parse("2026-11-22T04:00:00Z").unwrap();
        let mut stable = Stable { started_at, times: Vec::new() };
        let text = "{\"at\":\"2026-11-22T04:00:00.5Z\",\"n\":\"1.5\"} 2026-07-06T09:05:14.6035Z";
        let first = stable.text(text);
        assert_eq!(first, "{\"at\":\"<time 1>\",\"n\":\"1.5\"} 2026-07-06T09:05:14.6035Z");
        let columns = "T 2026-12-01T16:00:00Z  a-b\n2026-11-22T04:00:00.5Z";
        assert_eq!(stable.text(columns), "T <time 2>              a-b\n<time 1>");
    }

    #[test]
    fn a_seed_that_nobody_gave_is_not_told() {
        let printed = "payment txn_1, account a, seed 77\n\
                       x  evt_01681cda70162351f82b82735c   recorded 3";
        let expected = "payment txn_1, account a, seed <seed>\n\
                        x  <event>                          recorded 3";
        assert_eq!(unseeded(printed), expected);
    }
}
