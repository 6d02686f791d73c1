//! The settings of the table, each with another value that must make its scenario fail.

use std::fs;

use anyhow::{Context, Result, bail};
use tallyhook_tests::{environment, home};
use toml::{Table, Value};

use crate::{
    rules::Operator,
    scenarios::{self, Report},
};

/// A setting and another value for it.
#[derive(Debug)]
pub(crate) struct Flip {
    pub(crate) rule: &'static str,
    pub(crate) setting: &'static str,
    /// In TOML.
    other: &'static str,
    pub(crate) outcome: Outcome,
}

/// What the other value does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Outcome {
    /// The scenario fails.
    Fails,
    /// There is no other value: the policy is refused.
    PolicyRefused,
}

const fn flip(rule: &'static str, setting: &'static str, other: &'static str) -> Flip {
    Flip { rule, setting, other, outcome: Outcome::Fails }
}

/// The one setting that is not the policy's: it stands in the configuration, and in a file of
/// scenarios.
const ACCOUNT_FROM: &str = "ledgers.main.account_from";

/// Every setting of the table.
pub(crate) const FLIPS: &[Flip] = &[
    flip("A1", "credits.rates.USD", r#""2""#),
    flip("A2", "measures.on_dispute.spending", r#""allow""#),
    flip("A2", "measures.on_chargeback.spending", r#""allow""#),
    Flip {
        rule: "A3",
        setting: "credits.expiry",
        other: r#""one year""#,
        outcome: Outcome::PolicyRefused,
    },
    flip("A4", ACCOUNT_FROM, r#"["/data/customer_id"]"#),
    flip("A5", "refunds.reasons.technical-incident.remedy", r#""refund""#),
    flip("A6", "refunds.reasons.unused-credits.verdict", r#""review""#),
    flip("A6", "refunds.reasons.partly-used-credits.verdict", r#""review""#),
    flip("A6", "refunds.reasons.accidental-purchase.verdict", r#""review""#),
    flip("A6", "refunds.reasons.duplicate-purchase-by-holder.verdict", r#""review""#),
    flip("A6", "refunds.reasons.changed-needs.verdict", r#""review""#),
    flip("A6", "refunds.reasons.dissatisfaction.verdict", r#""review""#),
    flip("A6", "refunds.reasons.failure-to-use.verdict", r#""review""#),
    flip("A6", "refunds.reasons.applicable-law.verdict", r#""eligible""#),
    flip("A7", "spending.returns", r#""refuse""#),
    flip("A8", "refunds.reasons.technical-incident.remedy", r#""refund""#),
    flip("A8", "refunds.reasons.duplicate-charge-by-processor.remedy", r#""refund""#),
    flip("A8", "refunds.reasons.processor-error.remedy", r#""refund""#),
    flip("A9", "measures.on_dispute.spending", r#""allow""#),
    flip("A9", "measures.on_dispute.service", r#""normal""#),
    flip("A9", "measures.on_chargeback.spending", r#""allow""#),
    flip("A9", "measures.on_chargeback.service", r#""normal""#),
    flip("A9", "measures.close_after.chargebacks", "3"),
    flip("A9", "measures.close_after.within_days", "99"),
    flip("A10", "version", "2"),
    flip("N1", "refunds.denials.consumed", r#""another rule""#),
    flip("N1", "refunds.reasons.required-by-law.despite", "[]"),
    flip("N2", "refunds.reasons.duplicate-charge.verdict", r#""eligible""#),
    flip("N2", "refunds.reasons.accidental-duplicate-charge.verdict", r#""eligible""#),
    flip("N2", "refunds.reasons.credits-not-delivered.verdict", r#""eligible""#),
    flip("N2", "refunds.reasons.unauthorised-payment.verdict", r#""eligible""#),
    flip("N2", "refunds.reasons.unauthorised-payment.within_days", "61"),
    flip("N2", "refunds.reasons.processing-error.verdict", r#""eligible""#),
    flip("N2", "refunds.reasons.required-by-law.verdict", r#""eligible""#),
    flip("N3", "refunds.denials.restricted", r#""another rule""#),
    flip("N3", "refunds.reasons.consumed-by-successful-requests.verdict", r#""review""#),
    flip("N3", "refunds.reasons.dissatisfaction.verdict", r#""review""#),
    flip("N3", "refunds.reasons.latency.verdict", r#""review""#),
    flip("N3", "refunds.reasons.experiments.verdict", r#""review""#),
    flip("N4", "refunds.facts", r#"["email"]"#),
    flip("N5", "refunds.reasons.duplicate-charge.remedy", r#""credits""#),
    flip("N6", "measures.on_dispute.spending", r#""allow""#),
    flip("N6", "measures.on_dispute.balance", r#""keep""#),
    flip("N6", "measures.on_dispute.checkout", r#""open""#),
    flip("N6", "measures.on_chargeback.spending", r#""allow""#),
    flip("N6", "measures.on_chargeback.balance", r#""keep""#),
    flip("N6", "measures.on_chargeback.checkout", r#""open""#),
    flip("N7", "credits.rates.USD", r#""2""#),
    flip("N8", "reversal.shortfall", r#""write-off""#),
    flip("N8", "reversal.settle_owed", "false"),
    flip("Y1", "spending.metadata", "[]"),
    flip("Y2", "credits.rates.CNY", r#""2""#),
    flip("Y3", "refunds.reasons.duplicate-payment.verdict", r#""eligible""#),
    flip("Y3", "refunds.reasons.abnormal-amount.verdict", r#""eligible""#),
    flip("Y3", "refunds.reasons.quota-not-credited.verdict", r#""eligible""#),
    flip("Y3", "refunds.reasons.mistaken-top-up.verdict", r#""review""#),
    flip("Y3", "refunds.reasons.mistaken-top-up.within_days", "8"),
    flip("Y3", "refunds.reasons.mistaken-top-up.unused", "false"),
    flip("Y3", "refunds.reasons.long-unavailability.unused", "false"),
    flip("Y3", "refunds.reasons.required-by-law.despite", "[]"),
    flip("Y3", "refunds.reasons.confirmed-by-operator.verdict", r#""review""#),
    flip("Y4", "refunds.denials.consumed", r#""another rule""#),
    flip("Y4", "refunds.denials.restricted", r#""another rule""#),
    flip("Y4", "refunds.denials.invoiced", r#""another rule""#),
    flip("Y4", "refunds.facts", r#"["paid_at", "amount", "currency", "channel"]"#),
    flip("Y4", "refunds.reasons.duplicate-payment.within_days", "181"),
    flip("Y4", "refunds.reasons.gift-quota.verdict", r#""review""#),
    flip("Y4", "refunds.reasons.user-caused-loss.verdict", r#""review""#),
    flip("Y4", "refunds.reasons.upstream-change.verdict", r#""review""#),
    flip("Y5", "spending.order", r#"["paid", "gift"]"#),
    flip("Y5", "refunds.quote.tax", "false"),
    flip("Y5", "refunds.quote.channel_fee.percent", r#""0.7""#),
    flip("Y5", "refunds.quote.invoice_tax", r#""7""#),
    flip("Y5", "refunds.quote.gift_used", "false"),
    flip("Y5", "refunds.quote.promotion", "false"),
    flip("Y5", "refunds.quote.third_party_costs", "false"),
    flip("Y6", "refunds.facts", r#"["paid_at", "amount", "currency", "channel"]"#),
    flip("Y7", "refunds.review_business_days", "8"),
    flip("Y7", "refunds.calendar.zone", r#""UTC""#),
    flip("Y7", "refunds.calendar.weekend", r#"["sunday"]"#),
    flip("Y7", "refunds.calendar.holidays", "[]"),
    flip("Y7", "refunds.calendar.working_days", "[]"),
    flip("Y8", "refunds.reasons.long-unavailability.remedy", r#""credits""#),
    flip("Y9", "measures.on_dispute.spending", r#""allow""#),
    flip("Y9", "measures.on_dispute.balance", r#""keep""#),
    flip("Y9", "measures.on_dispute.verification", r#""none""#),
    flip("Y9", "measures.on_chargeback.spending", r#""allow""#),
    flip("Y9", "measures.on_chargeback.balance", r#""keep""#),
    flip("Y9", "measures.on_chargeback.checkout", r#""open""#),
    flip("Y9", "measures.on_chargeback.verification", r#""none""#),
    flip("Y9", "measures.on_chargeback.service", r#""normal""#),
    flip("Y9", "measures.with_open_case.balance", r#""keep""#),
    flip("Y10", "version", "2"),
    flip("Y11", "spending.metadata", r#"["model"]"#),
];

/// Whether a setting stands in the policy, or is the configuration's.
pub(crate) fn exists(operator: &Operator, setting: &str) -> Result<bool> {
    if setting == ACCOUNT_FROM {
        return Ok(true);
    }
    let policy: Table = policy(operator)?.parse()?;
    let mut keys = setting.split('.');
    let first = keys.next().and_then(|key| policy.get(key));
    Ok(keys.try_fold(first, |place, key| Some(place?.get(key))).flatten().is_some())
}

/// Plays a rule's scenario with one of its settings flipped.
pub(crate) fn play(operator: &Operator, flip: &Flip, scenario: &str) -> Result<Report> {
    let folder = home::folder()?;
    let (policy_path, file_path) =
        (folder.path().join("policy.toml"), folder.path().join("scenarios.toml"));
    let other: Table = format!("other = {}", flip.other).parse()?;
    let other = other.get("other").cloned().context("the flip has no value")?;
    let mut policy: Table = policy(operator)?.parse()?;
    let path = environment::workspace().join(operator.scenarios());
    let mut file: Table = fs::read_to_string(path)?.parse()?;
    if flip.setting == ACCOUNT_FROM {
        file.insert("account_from".to_owned(), other);
    } else {
        put(&mut policy, flip.setting, other)?;
    }
    fs::write(&policy_path, toml::to_string(&policy)?)?;
    fs::write(&file_path, toml::to_string(&file)?)?;
    let (policy, file) = (policy_path.display().to_string(), file_path.display().to_string());
    scenarios::play(&file, &["--policy", &policy, "--only", scenario])
}

fn policy(operator: &Operator) -> Result<String> {
    let path = environment::workspace().join(operator.policy());
    fs::read_to_string(&path).with_context(|| format!("read {}", path.display()))
}

/// Replaces what is there by something else.
fn put(policy: &mut Table, setting: &str, other: Value) -> Result<()> {
    let (above, last) = setting.rsplit_once('.').unwrap_or(("", setting));
    let mut place = policy;
    for key in above.split('.').filter(|key| !key.is_empty()) {
        let inner = place.get_mut(key).and_then(Value::as_table_mut);
        place = inner.with_context(|| format!("{setting}: there is no table {key}"))?;
    }
    match place.insert(last.to_owned(), other.clone()) {
        Some(before) if before != other => Ok(()),
        Some(_) => bail!("{setting} has that value already"),
        None => bail!("{setting} is not in the policy"),
    }
}
