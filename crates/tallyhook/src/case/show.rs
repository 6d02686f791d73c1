//! A refund case as a person reads it.

use domain::money::Currency;
use serde_json::Value;

use crate::api::shown;

/// How wide the names before values are.
const NAME_WIDTH: usize = 10;

/// A case, its quote as a table, and what is to be done next. `key` is that of the step just made.
pub(super) fn case(case: &Value, key: Option<&str>) -> String {
    let field = |name: &str| case.get(name).filter(|value| !value.is_null()).map(shown);
    let mut lines = Vec::new();
    let mut line = |name: &str, text: Option<String>| {
        if let Some(text) = text.filter(|text| !text.is_empty()) {
            lines.push(format!("{name:<NAME_WIDTH$} {text}"));
        }
    };
    line("case", field("id"));
    line("status", field("status"));
    line("verdict", field("verdict"));
    line("denied by", denied(case));
    line("missing", field("missing"));
    line(
        "wrong",
        field("wrong").map(|names| {
            if names.is_empty() {
                names
            } else {
                format!("{names} (not as the ledger's records have it)")
            }
        }),
    );
    line(
        "due",
        field("due_at").map(|at| if overdue(case) { format!("{at}, overdue") } else { at }),
    );
    line("account", field("account"));
    line("payment", field("payment"));
    line("origin", field("origin"));
    line("reason", field("reason"));
    line("facts", field("facts"));
    line("policy", field("policy").map(|version| format!("version {version}")));
    line("opened", field("opened_at"));
    line("ended", field("ended_at"));
    line("available", field("available"));
    line("key", key.map(str::to_owned));
    if let Some(quote) = case.get("quote").and_then(quote) {
        lines.push(String::new());
        lines.extend(quote);
    }
    if let Some(next) = next(case) {
        lines.extend([String::new(), next]);
    }
    lines.join("\n")
}

fn text<'c>(case: &'c Value, pointer: &str) -> &'c str {
    case.pointer(pointer).and_then(Value::as_str).unwrap_or_default()
}

fn overdue(case: &Value) -> bool {
    case.get("overdue") == Some(&Value::Bool(true))
}

/// By whom, and by which rule or with which note.
fn denied(case: &Value) -> Option<String> {
    let rule = text(case, "/rule");
    match text(case, "/denied_by") {
        "" => None,
        "policy" => Some(format!("the policy, rule {rule}")),
        by => Some(format!("an {by}: {rule}")),
    }
}

/// The lines of the quote, their sum, and the credits that go with it.
fn quote(quote: &Value) -> Option<Vec<String>> {
    let lines = quote.get("lines").and_then(Value::as_array).filter(|lines| !lines.is_empty())?;
    let code = text(quote, "/currency");
    let name = |line: &Value| text(line, "/line").replace('-', " ");
    let mut rows: Vec<(String, String)> =
        lines.iter().map(|line| (name(line), money(text(line, "/amount"), code))).collect();
    rows.push(("to refund".to_owned(), money(text(quote, "/money"), code)));
    let wide = |width: fn(&(String, String)) -> usize| rows.iter().map(width).max().unwrap_or(0);
    let names = wide(|(name, _)| name.chars().count());
    let amounts = wide(|(_, amount)| amount.chars().count());
    let mut table = vec![format!("quote in {code}")];
    let last = rows.len().saturating_sub(1);
    for (place, (name, amount)) in rows.iter().enumerate() {
        if place == last {
            table.push(format!("  {:names$}  {:->amounts$}", "", ""));
        }
        table.push(format!("  {name:names$}  {amount:>amounts$}"));
    }
    let (paid, gift) = (text(quote, "/credits/paid"), text(quote, "/credits/gift"));
    table.push(format!("credits that go with it: paid {paid}, gift {gift}"));
    Some(table)
}

/// Major units with all decimals of their currency, so that they stand under each other.
fn money(text: &str, code: &str) -> String {
    let decimals = Currency::new(code).map_or(0, |currency| usize::from(currency.decimals()));
    let (whole, fraction) = text.split_once('.').unwrap_or((text, ""));
    if decimals == 0 { text.to_owned() } else { format!("{whole}.{fraction:0<decimals$}") }
}

/// What somebody has to do.
fn next(case: &Value) -> Option<String> {
    let id = text(case, "/id");
    match text(case, "/status") {
        "needs-information" => {
            let lists = ["/missing", "/wrong"].map(|list| case.pointer(list));
            let names = lists.into_iter().flatten().filter_map(Value::as_array).flatten();
            let facts: Vec<String> =
                names.map(|name| format!(" --fact {}=...", shown(name))).collect();
            Some(format!("next: tallyhook case inform {id}{}", facts.concat()))
        }
        "in-review" | "eligible" => Some(format!(
            "next: look at it, then tallyhook case approve {id}, or case deny {id} --note ..."
        )),
        "approved" => {
            let refund = |name: &str| text(case, &format!("/refund/{name}"));
            let (payment, code) = (refund("payment"), refund("currency"));
            let amount = money(refund("amount"), code);
            Some(format!(
                "next: refund {amount} {code} of payment {payment} at the processor, whose refund \
                 event ends the case"
            ))
        }
        "corrected" => {
            let credits = text(case, "/credits");
            Some(format!("made good by {credits} credits: nothing is left to do"))
        }
        _ => None,
    }
}

/// Cases in columns, the oldest first as the server lists them.
pub(super) fn list(cases: &[Value], more: bool) -> String {
    const COLUMNS: [&str; 7] = ["id", "status", "due_at", "account", "payment", "reason", "quote"];
    let header = COLUMNS.map(|name| name.trim_end_matches("_at").to_owned());
    let rows: Vec<[String; 7]> = std::iter::once(header).chain(cases.iter().map(row)).collect();
    let mut widths = [0_usize; 7];
    for row in &rows {
        for (width, cell) in widths.iter_mut().zip(row) {
            *width = (*width).max(cell.chars().count());
        }
    }
    let aligned = |row: &[String; 7]| {
        let cells = row.iter().zip(widths).map(|(cell, width)| format!("{cell:width$}"));
        cells.collect::<Vec<_>>().join("  ").trim_end().to_owned()
    };
    let mut lines: Vec<String> = rows.iter().map(aligned).collect();
    if cases.is_empty() {
        lines = vec!["no cases".to_owned()];
    }
    if more {
        lines.push("there are more: ask for a status or an account".to_owned());
    }
    lines.join("\n")
}

fn row(case: &Value) -> [String; 7] {
    let due = text(case, "/due_at");
    let due = if overdue(case) { format!("{due} overdue") } else { due.to_owned() };
    let code = text(case, "/quote/currency");
    let quoted = match text(case, "/quote/remedy") {
        "credits" => "in credits".to_owned(),
        _ => format!("{} {code}", money(text(case, "/quote/money"), code)),
    };
    let own = |name: &str| text(case, name).to_owned();
    [own("/id"), own("/status"), due, own("/account"), own("/payment"), own("/reason"), quoted]
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn reviewed() -> Value {
        json!({
            "id": "1f", "account": "alice", "payment": "txn_1", "origin": "paddle",
            "reason": "duplicate", "status": "in-review", "verdict": "needs-review", "policy": 2,
            "opened_at": "2026-09-01T00:00:00Z", "due_at": "2026-09-10T16:00:00Z",
            "overdue": true, "missing": [], "wrong": [], "rule": null, "denied_by": null,
            "facts": ["amount", "email"],
            "quote": {
                "remedy": "refund", "currency": "USD",
                "lines": [
                    {"line": "unused-balance", "amount": "6"},
                    {"line": "channel-fee", "amount": "-0.5"},
                ],
                "money": "5.5", "credits": {"paid": "6", "gift": "0"},
            },
            "refund": null, "credits": null, "ended_at": null,
        })
    }

    fn with(fields: Value) -> Value {
        let mut case = reviewed();
        for (name, value) in fields.as_object().unwrap() {
            case[name] = value.clone();
        }
        case
    }

    #[test]
    fn a_case_is_shown_with_its_quote_and_what_is_next() {
        let expected = "\
case       1f
status     in-review
verdict    needs-review
due        2026-09-10T16:00:00Z, overdue
account    alice
payment    txn_1
origin     paddle
reason     duplicate
facts      amount, email
policy     version 2
opened     2026-09-01T00:00:00Z
key        k

quote in USD
  unused balance   6.00
  channel fee     -0.50
                  -----
  to refund        5.50
credits that go with it: paid 6, gift 0

next: look at it, then tallyhook case approve 1f, or case deny 1f --note ...";
        assert_eq!(case(&reviewed(), Some("k")), expected);
    }

    #[test]
    fn each_status_says_what_is_next() {
        let informed = with(json!({
            "status": "needs-information", "missing": ["email"], "wrong": ["amount"],
        }));
        let told = case(&informed, None);
        assert!(told.contains("missing    email\n"), "{told}");
        assert!(told.contains("wrong      amount (not as"), "{told}");
        assert!(told.ends_with("case inform 1f --fact email=... --fact amount=..."), "{told}");
        let approved = with(json!({
            "status": "approved", "verdict": null,
            "refund": {"payment": "txn_1", "amount": "5.5", "currency": "USD"},
        }));
        let told = case(&approved, None);
        assert!(told.contains("refund 5.50 USD of payment txn_1 at the processor"), "{told}");
        let denied = with(json!({"status": "denied", "rule": "A6", "denied_by": "policy"}));
        let told = case(&denied, None);
        assert!(told.contains("denied by  the policy, rule A6"), "{told}");
        assert!(!told.contains("next:"), "{told}");
        let corrected = with(json!({"status": "corrected", "credits": "3", "quote": {
            "remedy": "credits", "currency": "USD", "lines": [], "money": "0",
            "credits": {"paid": "0", "gift": "0"},
        }}));
        let told = case(&corrected, None);
        assert!(told.contains("made good by 3 credits") && !told.contains("quote"), "{told}");
    }

    #[test]
    fn amounts_stand_under_each_other() {
        for (amount, code, expected) in [
            ("6", "USD", "6.00"),
            ("-0.5", "USD", "-0.50"),
            ("1.25", "EUR", "1.25"),
            ("500", "JPY", "500"),
        ] {
            assert_eq!(money(amount, code), expected);
        }
    }

    #[test]
    fn cases_are_listed_in_columns() {
        let expected = "\
id  status     due                           account  payment  reason     quote
1f  in-review  2026-09-10T16:00:00Z overdue  alice    txn_1    duplicate  5.50 USD
2   denied                                   alice    txn_1    duplicate  5.50 USD
there are more: ask for a status or an account";
        let other = with(json!({"id": "2", "status": "denied", "due_at": null, "overdue": false}));
        assert_eq!(list(&[reviewed(), other], true), expected);
        assert_eq!(list(&[], false), "no cases");
    }
}
