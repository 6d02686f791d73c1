//! The second pass: every row as a command.

use domain::holding::Pair;
use indicatif::ProgressBar;
use serde_json::{Value, json};

use super::{
    Asked, Summary,
    fault::Fault,
    parallel::{self, each},
    row::{Balance, Row},
};
use crate::{
    api::{Api, Carried, Problem, segment},
    exit::Failed,
};

/// The label of gift lots that no payment stands for.
const LABEL: &str = "opening";

/// What became of a row.
enum Outcome {
    Recorded,
    /// An earlier run of the same file recorded it.
    Before,
    Refused(Fault),
}

/// Has every row recorded, in no order: what a row brings hangs on nothing else.
///
/// # Errors
/// There was no answer. What was recorded until then stays, and a repeated run goes on.
pub(super) fn record(
    api: &Api,
    rows: &[Row],
    asked: &Asked,
    bar: &ProgressBar,
) -> Result<Summary, Failed> {
    let done = each(rows, bar, |row| {
        let (path, body) = command(row, asked);
        Ok((row, outcome(row, api.post(&path, &asked.keys.of(row.line)?, &body)?)))
    });
    let parallel::Done { outcomes, failed } = done;
    let mut summary =
        Summary { rows: rows.len(), recorded: 0, before: 0, left: Pair::ZERO, faults: Vec::new() };
    for (row, outcome) in outcomes {
        match outcome {
            Outcome::Recorded => summary.recorded = summary.recorded.saturating_add(1),
            Outcome::Before => summary.before = summary.before.saturating_add(1),
            Outcome::Refused(fault) => {
                summary.faults.push(fault);
                continue;
            }
        }
        // The sum of all rows was found to be in range.
        let (sum, left) = (summary.left, row.left());
        let paid = sum.paid.plus(left.paid).map_err(Failed::usage)?;
        let gift = sum.gift.plus(left.gift).map_err(Failed::usage)?;
        summary.left = Pair { paid, gift };
    }
    let in_ledger = summary.recorded.saturating_add(summary.before);
    match failed {
        None => Ok(summary),
        Some(failed) => Err(failed.context(format!(
            "record all rows: at least {in_ledger} of {} are in the ledger; give the same command again to go on",
            rows.len()
        ))),
    }
}

fn outcome(row: &Row, answer: Result<Carried, Problem>) -> Outcome {
    match answer {
        Ok(Carried { replayed: true, .. }) => Outcome::Before,
        Ok(Carried { replayed: false, .. }) => Outcome::Recorded,
        Err(problem) => {
            let remedy = match problem.code.as_str() {
                "idempotency_key_reused" => {
                    "the line was imported with another --reason or --origin: repeat with that one"
                }
                _ => "see to it and give the same command again",
            };
            Outcome::Refused(Fault::of(row.line, format!("was refused: {problem}"), remedy))
        }
    }
}

/// Where a row is posted, and what.
fn command(row: &Row, asked: &Asked) -> (String, Value) {
    let Asked { reason, origin, .. } = asked;
    let account = row.account.as_str();
    match &row.balance {
        Balance::Gift(amount) => {
            let body = json!({
                "amount": amount.to_string(),
                "kind": "gift",
                "label": LABEL,
                "reason": reason.as_str(),
            });
            (format!("/accounts/{}/grants", segment(account)), body)
        }
        Balance::Payment(payment) => {
            let pair =
                |pair: Pair| json!({"paid": pair.paid.to_string(), "gift": pair.gift.to_string()});
            let mut body = json!({
                "account": account,
                "payment": payment.id.as_str(),
                "paid_at": payment.paid_at.to_string(),
                "currency": payment.currency.code(),
                "amount": payment.net.major(payment.currency),
                "tax": payment.tax.major(payment.currency),
                "granted": pair(payment.granted),
                "left": pair(payment.left),
                "reason": reason.as_str(),
            });
            if let (Some(origin), Value::Object(fields)) = (origin, &mut body) {
                fields.insert("origin".to_owned(), json!(origin.as_str()));
            }
            ("/imports".to_owned(), body)
        }
    }
}
