//! How a refund case looks in JSON. Money is in major units, as an operator types it at the
//! processor.

use domain::{
    case::{Case, CaseStatus, Decider, Quote},
    credits::Credits,
    ids::Text,
    money::{Currency, Minor},
    refunds::Remedy,
    time::Timestamp,
};
use serde_json::{Map, Value, json};

use super::form::pair;

/// What of a case is there in one status only.
#[derive(Default)]
struct Standing<'c> {
    verdict: Option<&'static str>,
    missing: Vec<&'c str>,
    wrong: Vec<&'c str>,
    rule: Option<&'c str>,
    denied_by: Option<&'static str>,
    money: Option<Minor>,
    credits: Option<Credits>,
}

/// A case as it stands at a moment, of which only `overdue` depends on it.
pub(super) fn case(case: &Case, now: Timestamp) -> Map<String, Value> {
    let standing = standing(&case.status);
    let currency = case.quote.currency;
    let refund = standing.money.map(|money| refund(case, money, currency));
    let shown = [
        ("id", json!(case.id.to_string())),
        ("account", json!(case.account.as_str())),
        ("payment", json!(case.payment.id.as_str())),
        ("origin", json!(case.payment.origin.as_str())),
        ("reason", json!(case.reason.as_str())),
        ("status", json!(case.status.name())),
        ("verdict", json!(standing.verdict)),
        ("policy", json!(case.policy)),
        ("opened_at", json!(case.claim.opened_at.to_string())),
        ("due_at", json!(case.status.due_at().map(|at| at.to_string()))),
        ("overdue", json!(overdue(case, now))),
        ("missing", json!(standing.missing)),
        ("wrong", json!(standing.wrong)),
        ("rule", json!(standing.rule)),
        ("denied_by", json!(standing.denied_by)),
        ("facts", json!(names(&case.application.given))),
        ("quote", quote(&case.quote)),
        ("refund", json!(refund)),
        ("credits", json!(standing.credits.map(|credits| credits.to_string()))),
        ("ended_at", json!(case.claim.ended.map(|(at, _)| at.to_string()))),
    ];
    shown.into_iter().map(|(name, value)| (name.to_owned(), value)).collect()
}

/// Whether a person should have looked at it by now.
pub(super) fn overdue(case: &Case, now: Timestamp) -> bool {
    case.status.due_at().is_some_and(|due_at| due_at < now)
}

fn standing(status: &CaseStatus) -> Standing<'_> {
    let none = Standing::default();
    match status {
        CaseStatus::NeedsInformation { missing, wrong } => Standing {
            verdict: Some("needs-information"),
            missing: names(missing),
            wrong: names(wrong),
            ..none
        },
        CaseStatus::InReview { .. } => Standing { verdict: Some("needs-review"), ..none },
        CaseStatus::Eligible { .. } => Standing { verdict: Some("eligible"), ..none },
        CaseStatus::Denied { rule, by } => {
            let (verdict, denied_by) = match by {
                Decider::Policy => (Some("denied"), "policy"),
                Decider::Operator => (None, "operator"),
            };
            Standing { verdict, rule: Some(rule.as_str()), denied_by: Some(denied_by), ..none }
        }
        CaseStatus::Approved { money } => Standing { money: Some(*money), ..none },
        CaseStatus::Corrected { credits } => Standing { credits: Some(*credits), ..none },
        CaseStatus::Withdrawn | CaseStatus::Refunded => none,
    }
}

/// What is to be refunded at the processor.
fn refund(case: &Case, money: Minor, currency: Currency) -> Value {
    json!({
        "payment": case.payment.id.as_str(),
        "amount": money.major(currency),
        "currency": currency.code(),
    })
}

fn quote(quote: &Quote) -> Value {
    let lines = quote
        .lines
        .iter()
        .map(|line| json!({"line": line.what.name(), "amount": line.amount.major(quote.currency)}));
    json!({
        "remedy": match quote.remedy { Remedy::Refund => "refund", Remedy::Credits => "credits" },
        "currency": quote.currency.code(),
        "lines": lines.collect::<Vec<_>>(),
        "money": quote.money.major(quote.currency),
        "credits": pair(quote.credits),
    })
}

fn names<'t>(texts: impl IntoIterator<Item = &'t Text>) -> Vec<&'t str> {
    texts.into_iter().map(Text::as_str).collect()
}
