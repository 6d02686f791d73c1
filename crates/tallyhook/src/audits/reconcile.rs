//! `audit reconcile`.

mod bring;
mod fetch;
mod show;

use std::path::PathBuf;

use anyhow::anyhow;
use audit::reconcile::{
    compare::{Extent, Of, reconcile},
    list::{Lists, pagination},
    source::{KnownSource, source},
};
use clap::{Args, ValueEnum};
use domain::ids::{Actor, Origin, SourceName};
use ingestion::{pointer::Pointer, read::Reading, source::Provider};

use super::source::{OfLedger, Source};
use crate::{
    Done,
    exit::{Exit, Failed},
    print,
    progress::Shown,
};

/// Who reads the lists; what is brought in names the token's holder instead.
const READER: &str = "reconcile";

/// The name and the namespace of a ledger's deliveries of which none ever arrived.
const NAME_USUAL: &str = "paddle";

#[derive(Debug, Args)]
pub(crate) struct ReconcileArguments {
    #[command(flatten)]
    source: Source,
    #[command(flatten)]
    ledger: OfLedger,
    /// Whose lists they are.
    #[arg(long, value_enum, default_value = "paddle")]
    provider: Provided,
    /// The source whose deliveries are compared; that of the ledger's first delivery without it.
    #[arg(long = "source", value_name = "NAME")]
    name: Option<String>,
    /// The lists lack entries, because they were filtered or pages are missing: what they do not
    /// list is no finding.
    #[arg(long)]
    partial: bool,
    #[command(flatten)]
    fetch: fetch::FetchArguments,
    #[command(flatten)]
    bring: bring::BringArguments,
    /// Saved answers of GET /events, /transactions or /adjustments, in any order.
    #[arg(value_name = "FILE")]
    files: Vec<PathBuf>,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum Provided {
    Paddle,
}

pub(super) fn reconciled(arguments: &ReconcileArguments) -> Done {
    let Provided::Paddle = arguments.provider;
    let pages = pages(arguments)?;
    let offline = arguments.source.open()?;
    let ledger = arguments.ledger.of(&offline)?;
    let known = known(arguments, &*offline.log, &ledger)?;
    let account_from: Vec<Pointer> =
        known.account_from.iter().filter_map(|text| Pointer::new(text.as_str()).ok()).collect();
    let reading = Reading {
        provider: Provider::Paddle,
        source: &known.name,
        origin: &known.origin,
        account_from: &account_from,
    };
    let server = arguments.bring.server(&ledger)?;
    let actor = Actor::new(READER).map_err(|fault| Failed::usage(anyhow!("{fault}")))?;
    let mut lists = Lists::new(reading, actor);
    for (file, text) in &pages {
        lists.add(file, text).map_err(Failed::usage)?;
    }
    let extent = if arguments.partial { Extent::Partial } else { Extent::Whole };
    let of = Of { ledger, source: known.name.clone(), origin: known.origin.clone(), extent };
    let mut shown = Shown::new("reading the log");
    let found = reconcile(&*offline.log, &of, &lists, |done, total| shown.at(done, total));
    drop(shown);
    let found = found.map_err(|error| Failed::unopened(error).context("reconcile"))?;
    drop(offline);
    let brought = server.map(|api| bring::bring(&api, &found));
    if arguments.source.json {
        print(&show::json(&found, brought.as_deref()).to_string());
    } else {
        print(&show::text(&found, brought.as_deref()));
    }
    let failed = |one: &bring::Brought| matches!(one.became, bring::Became::Failed(_));
    Ok(match &brought {
        Some(brought) if brought.iter().any(failed) => Exit::Unopened,
        Some(_) | None if found.findings.is_empty() => Exit::Clean,
        Some(_) | None => Exit::Findings,
    })
}

/// The pages by their names: files, and what the provider answers.
fn pages(arguments: &ReconcileArguments) -> Result<Vec<(String, Vec<u8>)>, Failed> {
    let read = arguments.files.iter().map(|path| {
        let text = std::fs::read(path)
            .map_err(|error| Failed::unopened(error).context(format!("read {}", path.display())))?;
        Ok((path.display().to_string(), text))
    });
    let mut pages = read.collect::<Result<Vec<_>, Failed>>()?;
    pages.extend(arguments.fetch.fetched()?);
    if pages.is_empty() {
        return Err(Failed::usage(anyhow!(
            "there is nothing to compare with: name saved pages, or pass --fetch"
        )));
    }
    Ok(pages)
}

fn known(
    arguments: &ReconcileArguments,
    log: &dyn event_store::log::EventLog,
    ledger: &domain::ids::LedgerId,
) -> Result<KnownSource, Failed> {
    let name = arguments.name.as_deref().map(SourceName::new).transpose();
    let name = name.map_err(|fault| Failed::usage(anyhow!("--source {fault}")))?;
    if let Some(known) = source(log, ledger, name.as_ref()).map_err(Failed::unopened)? {
        return Ok(known);
    }
    let usual = || SourceName::new(NAME_USUAL);
    let name = name.map_or_else(usual, Ok).map_err(|fault| Failed::usage(anyhow!("{fault}")))?;
    let origin = Origin::new(NAME_USUAL).map_err(|fault| Failed::usage(anyhow!("{fault}")))?;
    Ok(KnownSource { name, origin, account_from: Vec::new() })
}
