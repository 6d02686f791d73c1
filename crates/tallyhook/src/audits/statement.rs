//! `audit statement`.

use std::{
    fs,
    path::{Path, PathBuf},
};

use anyhow::anyhow;
use audit::{
    reports::{Axis, layout::Format},
    statement::{ClaimError, Query, Statement, statement},
};
use clap::{Args, ValueEnum};
use server::offline::Offline;

use super::{
    balance::account,
    checkpoint::{SignedBy, failed},
    source::{AsOf, OfLedger, Source, moment},
};
use crate::{
    Done,
    exit::{Exit, Failed},
    print,
    progress::Shown,
};

#[derive(Debug, Args)]
pub(crate) struct StatementArguments {
    /// The account's id.
    account: String,
    /// The first moment of the period (RFC 3339); from the beginning without it.
    #[arg(long, value_name = "MOMENT")]
    from: Option<String>,
    /// The moment at which the period ends, which is not in it; up to the end without it.
    #[arg(long, value_name = "MOMENT")]
    to: Option<String>,
    /// By which time a record is in the period: that of recording, or that at the provider.
    #[arg(long, value_enum, default_value = "recorded")]
    by: By,
    /// How it is shown.
    #[arg(long, value_enum, default_value = "text", conflicts_with = "json")]
    format: Form,
    /// Writes to this file instead of printing.
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
    /// Also writes a bundle by which `tallyhook-verify` checks the statement without the log: all
    /// records that moved credits of the account up to the period's end, under a signed checkpoint.
    #[arg(long, value_name = "FILE")]
    proof: Option<PathBuf>,
    #[command(flatten)]
    signed_by: SignedBy,
    #[command(flatten)]
    ledger: OfLedger,
    #[command(flatten)]
    as_of: AsOf,
    #[command(flatten)]
    source: Source,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum By {
    Recorded,
    Happened,
}

/// The forms of a document.
#[derive(Clone, Copy, Debug, ValueEnum)]
pub(super) enum Form {
    Text,
    Csv,
    Json,
    Html,
}

impl Form {
    /// The form, or JSON where it is asked for as everywhere.
    pub(super) const fn or_json(self, json: bool) -> Format {
        match self {
            _ if json => Format::Json,
            Self::Text => Format::Text,
            Self::Csv => Format::Csv,
            Self::Json => Format::Json,
            Self::Html => Format::Html,
        }
    }
}

pub(super) fn stated(arguments: &StatementArguments) -> Done {
    let query = query(arguments)?;
    let offline = arguments.source.open()?;
    let ledger = arguments.ledger.of(&offline)?;
    let mut shown = Shown::new("read the log");
    let made = statement(&*offline.log, &ledger, query, |read, of| shown.at(read, of));
    drop(shown);
    let made = made.map_err(|error| Failed::unopened(error).context("make the statement"))?;
    let account = &arguments.account;
    let made = made.ok_or_else(|| {
        Failed::absent(anyhow!("ledger {ledger} has no account {account:?} that counts"))
    })?;
    if let Some(path) = &arguments.proof {
        prove(arguments, &offline, &made, path)?;
    }
    show(arguments, &made)?;
    Ok(if made.difference.is_zero() { Exit::Clean } else { Exit::Findings })
}

fn query(arguments: &StatementArguments) -> Result<Query, Failed> {
    let parse =
        |name, text: &Option<String>| text.as_deref().map(|text| moment(name, text)).transpose();
    let (from, to) = (parse("--from", &arguments.from)?, parse("--to", &arguments.to)?);
    if let (Some(from), Some(to)) = (from, to)
        && from >= to
    {
        return Err(Failed::usage(anyhow!("--from {from} is not before --to {to}")));
    }
    Ok(Query {
        account: account(&arguments.account)?,
        from,
        to,
        axis: match arguments.by {
            By::Recorded => Axis::Recorded,
            By::Happened => Axis::Happened,
        },
        cut: arguments.as_of.cut()?,
    })
}

/// Prints a document byte by byte as it would be written to a file.
pub(super) fn print_whole(text: &str) {
    // Printing ends the line.
    print(text.strip_suffix('\n').unwrap_or(text));
}

fn show(arguments: &StatementArguments, made: &Statement) -> Result<(), Failed> {
    let text = made.document().render(arguments.format.or_json(arguments.source.json));
    let Some(out) = &arguments.out else {
        print_whole(&text);
        return Ok(());
    };
    fs::write(out, text)
        .map_err(|error| Failed::unopened(error).context(format!("write {}", out.display())))
}

/// Writes the statement's bundle.
fn prove(
    arguments: &StatementArguments,
    offline: &Offline,
    made: &Statement,
    path: &Path,
) -> Result<(), Failed> {
    let claim = made.claim(&*offline.log).map_err(|error| match error {
        ClaimError::OtherAxis => Failed::usage(error),
        ClaimError::Read(_) => Failed::unopened(error),
    })?;
    let ledger = &made.provenance.ledger;
    let (signed, _) = arguments.signed_by.signed(&arguments.source, offline, ledger)?;
    let mut bundle = signed.bundle(&*offline.log, &claim.records, None).map_err(failed)?;
    bundle.statement = Some(claim.statement);
    fs::write(path, bundle.to_text())
        .map_err(|error| Failed::unopened(error).context(format!("write {}", path.display())))
}
