//! Fills in the templates: ids, times, amounts, account.
//!
//! Ids are hashes, so that the same payment has the same adjustment in every run (an approval finds
//! its request) and the same seed has the same event ids. With a seed the times are the templates'
//! own; without one they end now.

use anyhow::{Context as _, anyhow};
use domain::{money::Currency, time::Timestamp};
use serde_json::Value;
use sha2::{Digest as _, Sha256};

use super::{amounts::Spread, scenario::Scenario};

/// What ends all ids of the templates, before a number of four digits.
const TEMPLATE_MARK: &str = "ta11yh00kdem";

/// The templates' payment.
const TEMPLATE_PAYMENT: &str = "txn_01kwvafrtpta11yh00kdem0005";

/// Between the last events of a scenario, where times end now.
const STEP_MICROS: i64 = 1_000;

/// What the templates are filled with.
pub(crate) struct Filling {
    pub(crate) payment: String,
    pub(crate) account: String,
    pub(crate) currency: Currency,
    pub(crate) spread: Spread,
    pub(crate) partial: bool,
    pub(crate) seed: u64,
    /// When the last event happens; none where the templates' own times stay.
    pub(crate) ends_at: Option<Timestamp>,
}

/// One event, ready to be signed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Payload {
    pub(super) event: String,
    pub(super) event_type: String,
    pub(super) body: Vec<u8>,
}

impl Filling {
    /// The events of a scenario, in the order in which they happen.
    pub(super) fn payloads(&self, scenario: Scenario) -> anyhow::Result<Vec<Payload>> {
        let templates = scenario.templates();
        let mut left = i64::try_from(templates.len())?;
        let mut payloads = Vec::with_capacity(templates.len());
        for template in templates {
            left = left.saturating_sub(1);
            let before = left.saturating_mul(STEP_MICROS);
            payloads.push(self.payload(template, before).context("fill in a payload")?);
        }
        Ok(payloads)
    }

    fn payload(&self, template: &str, micros_before_end: i64) -> anyhow::Result<Payload> {
        let mut event: Value = serde_json::from_str(template)?;
        let occurred_at = text(&event, "occurred_at")?;
        let occurred_at =
            Timestamp::parse(&occurred_at).ok_or_else(|| anyhow!("a time is none"))?;
        let shift = self.ends_at.map_or(0, |end| {
            end.micros().saturating_sub(micros_before_end).saturating_sub(occurred_at.micros())
        });
        self.filled_in(&mut event, shift);
        Ok(Payload {
            event: text(&event, "event_id")?,
            event_type: text(&event, "event_type")?,
            body: serde_json::to_vec(&event)?,
        })
    }

    /// Fills in a whole event; its times move by so many microseconds.
    pub(crate) fn filled_in(&self, event: &mut Value, shift: i64) {
        self.fill("", event, shift);
        let kind = event.get("event_type").and_then(Value::as_str).unwrap_or_default();
        if self.partial && kind.starts_with("adjustment.") {
            made_partial(event);
        }
    }

    fn fill(&self, name: &str, value: &mut Value, shift: i64) {
        match value {
            Value::Object(fields) => {
                fields.iter_mut().for_each(|(name, field)| self.fill(name, field, shift));
            }
            Value::Array(items) => items.iter_mut().for_each(|item| self.fill(name, item, shift)),
            Value::String(text) => {
                if let Some(filled) = self.filled(name, text, shift) {
                    *text = filled;
                }
            }
            Value::Null | Value::Bool(_) | Value::Number(_) => {}
        }
    }

    /// What stands in the place of a text; none where it stays.
    fn filled(&self, name: &str, template: &str, shift: i64) -> Option<String> {
        match name {
            "account_id" => return Some(self.account.clone()),
            "currency_code" => return Some(self.currency.to_string()),
            _ => {}
        }
        if template.contains(TEMPLATE_MARK) {
            return self.id(template);
        }
        if name.ends_with("_at") {
            let moment = Timestamp::parse(template)?;
            let shifted = Timestamp::from_micros(moment.micros().saturating_add(shift))?;
            return if shift == 0 { None } else { Some(shifted.to_string()) };
        }
        self.spread.of_field(name, template)
    }

    /// Prices and products stay, because policies name them.
    fn id(&self, template: &str) -> Option<String> {
        let (prefix, _) = template.split_once('_')?;
        let of = match prefix {
            "pri" | "pro" => return None,
            "txn" if template == TEMPLATE_PAYMENT => return Some(self.payment.clone()),
            "evt" | "ntf" => format!("{} {}", self.seed, self.payment),
            "ctm" | "add" => self.account.clone(),
            _ => self.payment.clone(),
        };
        Some(id(prefix, &format!("{of} {template}")))
    }
}

/// The payment of a seed.
pub(super) fn payment_of(seed: u64) -> String {
    id("txn", &format!("payment {seed}"))
}

/// Another order, the same for the same seed.
pub(super) fn shuffle(payloads: &mut [Payload], seed: u64) {
    payloads.sort_by_cached_key(|payload| id("", &format!("order {seed} {}", payload.event)));
}

/// An id in the provider's shape: prefix and 26 letters and digits.
fn id(prefix: &str, of: &str) -> String {
    let digits = hex::encode(Sha256::digest(of.as_bytes()));
    format!("{prefix}_01{}", digits.get(..24).unwrap_or_default())
}

fn text(event: &Value, name: &str) -> anyhow::Result<String> {
    let text = event.get(name).and_then(Value::as_str);
    text.map(str::to_owned).ok_or_else(|| anyhow!("a template has no {name}"))
}

fn made_partial(event: &mut Value) {
    let Some(Value::Object(data)) = event.get_mut("data") else { return };
    let partial = || Value::from("partial");
    data.insert("type".to_owned(), partial());
    let items = data.get_mut("items").and_then(Value::as_array_mut);
    for item in items.into_iter().flatten().filter_map(Value::as_object_mut) {
        item.insert("type".to_owned(), partial());
    }
}

#[cfg(test)]
mod tests {
    use domain::money::Minor;

    use super::*;

    fn filling(seed: u64) -> Filling {
        Filling {
            payment: payment_of(seed),
            account: "acct-1".to_owned(),
            currency: Currency::new("EUR").unwrap(),
            spread: Spread::of(Minor::new(5_000).unwrap()),
            partial: false,
            seed,
            ends_at: None,
        }
    }

    #[test]
    fn no_id_account_or_amount_of_the_story_is_left() {
        for scenario in Scenario::ALL {
            for payload in filling(7).payloads(scenario).unwrap() {
                let body = String::from_utf8(payload.body).unwrap();
                let left = body.match_indices(TEMPLATE_MARK).all(|(at, _)| {
                    let start = body[..at].rfind('"').unwrap();
                    ["\"pri_", "\"pro_"].iter().any(|kept| body[start..].starts_with(kept))
                });
                assert!(left, "{body}");
                assert!(!body.contains("acct-demo") && !body.contains("\"USD\""), "{body}");
                assert!(!body.contains("\"1200\""), "{body}");
            }
        }
    }

    #[test]
    fn the_same_seed_gives_the_same_bytes_and_another_gives_other_ids() {
        let one = filling(1).payloads(Scenario::Lifecycle).unwrap();
        assert_eq!(one, filling(1).payloads(Scenario::Lifecycle).unwrap());
        let other = filling(2).payloads(Scenario::Lifecycle).unwrap();
        assert!(one.iter().zip(&other).all(|(one, other)| one.event != other.event));
    }

    #[test]
    fn an_approval_finds_its_request_whatever_the_seed() {
        let adjustment = |seed, scenario| {
            let filling = Filling { payment: "txn_x".to_owned(), ..filling(seed) };
            let payloads = filling.payloads(scenario).unwrap();
            let event: Value = serde_json::from_slice(&payloads[0].body).unwrap();
            event["data"]["id"].clone()
        };
        let requested = adjustment(1, Scenario::RefundRequested);
        assert_eq!(requested, adjustment(2, Scenario::RefundApproved));
    }

    #[test]
    fn times_end_at_the_given_moment_in_order() {
        let end = Timestamp::parse("2027-01-01T00:00:00Z").unwrap();
        let filling = Filling { ends_at: Some(end), ..filling(1) };
        let payloads = filling.payloads(Scenario::Lifecycle).unwrap();
        let times: Vec<Timestamp> = payloads
            .iter()
            .map(|payload| {
                let event: Value = serde_json::from_slice(&payload.body).unwrap();
                Timestamp::parse(event["occurred_at"].as_str().unwrap()).unwrap()
            })
            .collect();
        assert!(times.is_sorted());
        assert_eq!(times.last(), Some(&end));
    }
}
