//! `audit balance`.

use std::collections::BTreeMap;

use anyhow::anyhow;
use audit::{
    as_of,
    cut::{Cut, Provenance},
    reports::layout::{Block, Cell, Document, Section, Table, asked},
    sums::Sums,
};
use clap::Args;
use domain::{
    account::{Status, View},
    ids::AccountId,
};

use super::{
    source::{AsOf, OfLedger, Source},
    statement::{Form, print_whole},
};
use crate::{
    Done,
    exit::{Exit, Failed},
    progress::Shown,
};

#[derive(Debug, Args)]
pub(crate) struct BalanceArguments {
    /// The account's id; all accounts without it.
    account: Option<String>,
    /// How it is shown.
    #[arg(long, value_enum, default_value = "text", conflicts_with = "json")]
    format: Form,
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
    let document = document(&cut, account.as_ref(), provenance, &views);
    print_whole(&document.render(arguments.format.or_json(arguments.source.json)));
    Ok(Exit::Clean)
}

/// The account that an argument names.
pub(super) fn account(text: &str) -> Result<AccountId, Failed> {
    AccountId::new(text).map_err(|fault| Failed::usage(anyhow!("the account {fault}")))
}

fn document(
    cut: &Cut,
    account: Option<&AccountId>,
    provenance: Provenance,
    views: &BTreeMap<AccountId, View>,
) -> Document {
    let mut table = Table::new("accounts", &COLUMNS);
    let mut sum = Sums::ZERO;
    for (id, view) in views {
        let sums = Sums::of(&view.books);
        sum = sum.plus(&sums);
        table.line(row([Cell::text(id.as_str()), Cell::text(status(view))], &sums, view));
    }
    let mut total = vec![Cell::text("all together"), Cell::Empty];
    total.extend(amounts(&sum));
    total.extend([Cell::Empty, Cell::Empty]);
    table.total(total);
    let mut query: Vec<(&str, String)> =
        account.map(|account| ("account", account.to_string())).into_iter().collect();
    query.extend(asked(cut));
    let blocks = vec![Block::Table(table)];
    Document {
        title: "Balances".to_owned(),
        provenance,
        query,
        sections: vec![Section::new("Accounts", blocks)],
    }
}

/// The columns.
const COLUMNS: [(&str, &str); 10] = [
    ("account", "Account"),
    ("status", "Status"),
    ("available", "Available"),
    ("paid", "Paid"),
    ("gift", "Gift"),
    ("held", "Held"),
    ("owed", "Owed"),
    ("written_off", "Written off"),
    ("version", "Version"),
    ("sequence", "Last record"),
];

fn row(begin: [Cell; 2], sums: &Sums, view: &View) -> Vec<Cell> {
    let mut cells = Vec::from(begin);
    cells.extend(amounts(sums));
    cells.push(view.version.into());
    cells.push(view.sequence.map_or(Cell::Empty, |sequence| sequence.get().into()));
    cells
}

fn amounts(sums: &Sums) -> impl Iterator<Item = Cell> {
    let parts = sums.parts().into_iter().map(|(_, sum)| sum);
    [sums.available()].into_iter().chain(parts).map(|sum| sum.amount().into())
}

fn status(view: &View) -> &'static str {
    match view.status() {
        Status::Active => "active",
        Status::Frozen => "frozen",
        Status::Closed => "closed",
    }
}
