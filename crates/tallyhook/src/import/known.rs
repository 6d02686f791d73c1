//! What the server knows already: payments, closed accounts, and what an earlier run recorded.

use std::collections::{BTreeMap, BTreeSet};

use anyhow::anyhow;
use domain::ids::{AccountId, IdempotencyKey, OperationId};
use indicatif::ProgressBar;
use serde_json::Value;

use super::{
    Asked, Keys,
    fault::Fault,
    parallel::each,
    row::{Balance, Column, PaymentBalance, Row},
};
use crate::{
    api::{Answer, Api, segment},
    exit::Failed,
};

/// The lines of a statement that are asked for at once.
const STATEMENT_LINES_AT_ONCE: usize = 500;

/// The most pages of a statement that are looked through for an earlier run.
const STATEMENT_PAGES_MAX: usize = 1_000;

/// What the server's check of a row found.
enum Found {
    New,
    /// An earlier run of the same file recorded it.
    Before,
    Wrong(Fault),
}

/// What the server's check of all rows found.
pub(super) struct Checked {
    /// How many rows an earlier run of the same file recorded.
    pub(super) before: usize,
    pub(super) faults: Vec<Fault>,
}

/// Checks rows against what the server knows. Nothing is recorded.
pub(super) fn check(
    api: &Api,
    rows: &[Row],
    asked: &Asked,
    bar: &ProgressBar,
) -> Result<Checked, Failed> {
    let accounts: BTreeSet<&AccountId> = rows.iter().map(|row| &row.account).collect();
    let accounts: Vec<&AccountId> = accounts.into_iter().collect();
    bar.set_length(u64::try_from(rows.len().saturating_add(accounts.len())).unwrap_or(u64::MAX));
    let standings = each(&accounts, bar, |account| standing(api, account));
    if let Some(failed) = standings.failed {
        return Err(failed);
    }
    let standings: BTreeMap<&AccountId, Standing> =
        accounts.into_iter().zip(standings.outcomes).collect();
    let found = each(rows, bar, |row| {
        let standing = standings.get(&row.account).copied().unwrap_or(Standing::Absent);
        Row::known(row, &Look { api, asked, standing })
    });
    if let Some(failed) = found.failed {
        return Err(failed);
    }
    let mut checked = Checked { before: 0, faults: Vec::new() };
    for found in found.outcomes {
        match found {
            Found::New => {}
            Found::Before => checked.before = checked.before.saturating_add(1),
            Found::Wrong(fault) => checked.faults.push(fault),
        }
    }
    Ok(checked)
}

/// How an account stands before the import.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Standing {
    Absent,
    Open,
    Closed,
}

fn standing(api: &Api, account: &AccountId) -> Result<Standing, Failed> {
    match api.get(&format!("/accounts/{}", segment(account.as_str())))? {
        Ok(view) if text(&view, "/status") == Some("closed") => Ok(Standing::Closed),
        Ok(_) => Ok(Standing::Open),
        Err(problem) if problem.code == "account_unknown" => Ok(Standing::Absent),
        Err(problem) => Err(unexpected(&problem)),
    }
}

fn unexpected(problem: &crate::api::Problem) -> Failed {
    Failed::unopened(anyhow!("the server answered {problem}"))
}

fn text<'v>(value: &'v Value, pointer: &str) -> Option<&'v str> {
    value.pointer(pointer).and_then(Value::as_str)
}

/// What a row is looked at with.
struct Look<'a> {
    api: &'a Api,
    asked: &'a Asked,
    /// Of the row's account.
    standing: Standing,
}

impl Row {
    fn known(&self, look: &Look<'_>) -> Result<Found, Failed> {
        match &self.balance {
            Balance::Payment(payment) => self.known_payment(payment, look),
            Balance::Gift(_) => self.known_gift(look),
        }
    }

    fn known_payment(&self, payment: &PaymentBalance, look: &Look<'_>) -> Result<Found, Failed> {
        let path = format!("/payments/{}", segment(payment.id.as_str()));
        let origin = look.asked.origin.as_ref();
        let origin = origin.map_or_else(String::new, |origin| format!("?origin={origin}"));
        let shown = match look.api.get(&format!("{path}{origin}"))? {
            Ok(shown) => shown,
            Err(problem) if problem.code == "payment_unknown" => return Ok(self.opened(look)),
            Err(problem) => return Err(unexpected(&problem)),
        };
        let owner = text(&shown, "/account");
        if shown.get("paid").is_some_and(Value::is_null) {
            // Only adjustments of it came so far: they apply once it is imported.
            return Ok(match owner {
                Some(owner) if owner != self.account.as_str() => self.wrong(
                    Column::Account,
                    "is not the one that has the payment in the ledger",
                    "name the account that GET payments shows",
                ),
                Some(_) | None => self.opened(look),
            });
        }
        if shown.get("opening").is_some_and(|opening| !opening.is_null())
            && owner == Some(self.account.as_str())
        {
            let filter = format!("&payment={}", segment(payment.id.as_str()));
            if let Some(sequence) = self.recorded(look, &filter)? {
                return self.repeated(sequence, look);
            }
        }
        Ok(self.wrong(
            Column::Payment,
            "is in the ledger already, and not by this file",
            "leave the line out",
        ))
    }

    /// A gift may be repeated at will: its key has it recorded once. Only in a closed account it
    /// matters whether it was.
    fn known_gift(&self, look: &Look<'_>) -> Result<Found, Failed> {
        if look.standing == Standing::Closed
            && let Some(sequence) = self.recorded(look, "")?
        {
            return self.repeated(sequence, look);
        }
        Ok(self.opened(look))
    }

    /// A row that is new to the ledger.
    fn opened(&self, look: &Look<'_>) -> Found {
        match look.standing {
            Standing::Absent | Standing::Open => Found::New,
            Standing::Closed => self.wrong(
                Column::Account,
                "is closed in the ledger",
                "leave the line out; a closed account takes no credits",
            ),
        }
    }

    fn wrong(&self, column: Column, problem: &str, remedy: &str) -> Found {
        Found::Wrong(Fault::at(self.line, column, problem, remedy))
    }

    /// The record of an earlier run, if there was one.
    fn recorded(&self, look: &Look<'_>, filter: &str) -> Result<Option<u64>, Failed> {
        let Look { api, asked, .. } = look;
        let id = OperationId::of(api.ledger(), &asked.keys.of(self.line)?).to_string();
        let account = segment(self.account.as_str());
        let path = format!("/accounts/{account}/statement?limit={STATEMENT_LINES_AT_ONCE}{filter}");
        let mut cursor = String::new();
        for _ in 0..STATEMENT_PAGES_MAX {
            let page = match api.get(&format!("{path}{cursor}"))? {
                Ok(page) => page,
                Err(problem) => return Err(unexpected(&problem)),
            };
            let items = page.get("items").and_then(Value::as_array).into_iter().flatten();
            let mut own = items.filter(|item| text(item, "/cause/id") == Some(&*id));
            if let Some(item) = own.next() {
                return Ok(item.get("sequence").and_then(Value::as_u64));
            }
            match text(&page, "/next") {
                Some(next) => cursor = format!("&cursor={}", segment(next)),
                None => return Ok(None),
            }
        }
        let line = self.line;
        Err(Failed::unopened(anyhow!("line {line}: the account's statement is too long to search")))
    }

    /// The same file under another reason would be another command.
    fn repeated(&self, sequence: u64, look: &Look<'_>) -> Result<Found, Failed> {
        let record: Answer<Value> = look.api.get(&format!("/records/{sequence}"))?;
        let record = record.map_err(|problem| unexpected(&problem))?;
        if text(&record, "/input/order/reason") == Some(look.asked.reason.as_str()) {
            return Ok(Found::Before);
        }
        let problem = format!("record {sequence} has it from this file, with another reason");
        let remedy = "repeat the import with the --reason that the record shows";
        Ok(Found::Wrong(Fault::of(self.line, problem, remedy)))
    }
}

impl Keys {
    /// The key of a line.
    ///
    /// # Errors
    /// Never with the form of today.
    pub(super) fn of(&self, line: u64) -> Result<IdempotencyKey, Failed> {
        IdempotencyKey::new(&format!("import:{}:{line}", self.file)).map_err(Failed::usage)
    }
}
