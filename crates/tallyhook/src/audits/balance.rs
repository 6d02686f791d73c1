//! `audit balance`.

use anyhow::anyhow;
use audit::{as_of, cut::Provenance};
use balance_events::account_view::AccountView;
use clap::Args;
use domain::{
    account::View,
    ids::{AccountId, LedgerId},
};
use publisher::convert::account_view;
use serde_json::json;

use super::source::{AsOf, OfLedger, Source};
use crate::{
    Done,
    exit::{Exit, Failed},
    print,
    progress::Shown,
};

#[derive(Debug, Args)]
pub(crate) struct BalanceArguments {
    /// The account's id; all accounts without it.
    account: Option<String>,
    #[command(flatten)]
    ledger: OfLedger,
    #[command(flatten)]
    as_of: AsOf,
    #[command(flatten)]
    source: Source,
}

pub(super) fn shown(arguments: &BalanceArguments) -> Done {
    let cut = arguments.as_of.cut()?;
    let account = arguments.account.as_deref().map(account).transpose()?;
    let offline = arguments.source.open()?;
    let ledger = arguments.ledger.of(&offline)?;
    let mut progress = Shown::new("read the log");
    let all = as_of::accounts(&*offline.log, &ledger, &cut, |read, of| progress.at(read, of));
    drop(progress);
    let (provenance, mut views) =
        all.map_err(|error| Failed::unopened(error).context("fold the log"))?;
    if let Some(account) = &account {
        views.retain(|id, _| id == account);
        if views.is_empty() {
            return Err(Failed::absent(anyhow!("ledger {ledger} had no account {account:?} then")));
        }
    }
    let listed = views.iter().map(|(id, view)| shown_view(&ledger, id, &provenance.unit, view));
    let listed = listed.collect::<Result<Vec<_>, Failed>>()?;
    print(&if arguments.source.json {
        json!({"made_from": made_from(&provenance), "accounts": listed}).to_string()
    } else {
        table(&provenance, &listed)
    });
    Ok(Exit::Clean)
}

/// The account that an argument names.
pub(super) fn account(text: &str) -> Result<AccountId, Failed> {
    AccountId::new(text).map_err(|fault| Failed::usage(anyhow!("the account {fault}")))
}

fn shown_view(
    ledger: &LedgerId,
    account: &AccountId,
    unit: &str,
    view: &View,
) -> Result<AccountView, Failed> {
    account_view(ledger, account, unit, view).map_err(Failed::unopened)
}

/// What the answer was made from, so that whoever has the same log gets the same answer.
fn made_from(provenance: &Provenance) -> serde_json::Value {
    json!({
        "ledger": provenance.ledger.as_str(),
        "records": provenance.records,
        "root": provenance.root.to_string(),
        "recorded_at": provenance.recorded_at.map(|at| at.to_string()),
    })
}

fn table(provenance: &Provenance, listed: &[AccountView]) -> String {
    let recorded = provenance.recorded_at.map_or_else(|| "nothing".to_owned(), |at| at.to_string());
    let mut lines = vec![
        format!(
            "ledger {}, {} records up to {recorded}, root {}",
            provenance.ledger, provenance.records, provenance.root
        ),
        format!("all amounts in {}", provenance.unit),
        String::new(),
    ];
    let heads = ["account", "status", "available", "paid", "gift", "held", "owed", "written off"];
    let mut rows = vec![heads.map(str::to_owned)];
    rows.extend(listed.iter().map(|view| {
        let view = view.clone();
        [
            // No control character of an id reaches the terminal.
            view.account.escape_debug().to_string(),
            view.status,
            view.available,
            view.paid,
            view.gift,
            view.held,
            view.owed,
            view.written_off,
        ]
    }));
    let widths = rows.iter().fold([0; 8], |widest: [usize; 8], row| {
        std::array::from_fn(|column| {
            let own = row.get(column).map_or(0, |cell| cell.chars().count());
            widest.get(column).copied().unwrap_or(0).max(own)
        })
    });
    lines.extend(rows.iter().map(|row| {
        let cells = row.iter().zip(widths).enumerate();
        let cells = cells.map(|(column, (cell, width))| match column {
            0 | 1 => format!("{cell:<width$}"),
            _ => format!("{cell:>width$}"),
        });
        cells.collect::<Vec<_>>().join("  ").trim_end().to_owned()
    }));
    lines.join("\n")
}
