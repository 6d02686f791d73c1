//! `erase`: takes personal data out of a stopped server's log.

use std::path::PathBuf;

use anyhow::anyhow;
use clap::{ArgGroup, Args};
use domain::ids::{AccountId, Actor, Sequence, Text};
use serde_json::{Value, json};
use server::{
    clock::{Clock as _, SystemClock},
    config::{Config, Environment},
    erase::{EraseError, Erased, Erasing, Found, Item, Search, Stage, Wanted, erase, look},
};

use crate::{
    Done,
    api::ledger,
    exit::{Exit, Failed},
    print,
    progress::Shown,
};

/// How many records are listed for a person; `--json` lists all.
const LISTED_MAX: usize = 50;

#[derive(Debug, Args)]
#[command(group(ArgGroup::new("which").required(true).multiple(true).args(["account", "containing"])))]
pub(crate) struct EraseArguments {
    /// The ledger.
    #[arg(long)]
    ledger: String,
    /// Erases the bodies about this account: of the records that change it, and of those that name
    /// it, one of its payments or one of its refund cases.
    #[arg(long)]
    account: Option<String>,
    /// Erases the bodies that have this text, whatever the case of its letters: a name, an e-mail
    /// address, a customer's id. At least 4 bytes; can be given several times.
    #[arg(long, value_name = "TEXT")]
    containing: Vec<String>,
    /// Why: stands in the record for ever, so name a ticket and no person.
    #[arg(long)]
    reason: String,
    /// Who erases: stands in the record for ever.
    #[arg(long, value_name = "NAME")]
    by: String,
    /// Lists the bodies and changes nothing.
    #[arg(long)]
    dry_run: bool,
    /// Prints JSON.
    #[arg(long)]
    json: bool,
    /// The configuration of the stopped server.
    #[arg(long, default_value = "tallyhook.toml")]
    config: PathBuf,
}

pub(crate) fn erase_bodies(arguments: &EraseArguments) -> Done {
    let erasing = erasing(arguments)?;
    let config =
        Config::load(&arguments.config, &Environment::of_process()).map_err(Failed::usage)?;
    let (mut looking, mut writing) =
        (Shown::new("looking for bodies"), Shown::new("writing the log anew"));
    let mut progress = |stage| match stage {
        Stage::Searching(progress) => looking.at(progress.done, progress.total),
        Stage::Rewriting { done, total } => writing.at(done, total),
    };
    let done = if arguments.dry_run {
        look(&config.data, &erasing.search, &mut progress).map(|found| {
            let (records, finished) = (Vec::new(), None);
            Erased { found, records, finished }
        })
    } else {
        erase(&config.data, &erasing, SystemClock.now(), &mut progress)
    };
    drop((looking, writing));
    let erased = done.map_err(failed)?;
    print(&match arguments.json {
        true => listed(arguments, &erased).to_string(),
        false => told(arguments, &erased),
    });
    Ok(Exit::Clean)
}

fn erasing(arguments: &EraseArguments) -> Result<Erasing, Failed> {
    let account = arguments.account.as_deref().map(AccountId::new).transpose();
    let account = account.map_err(|fault| Failed::usage(anyhow!("--account {fault}")))?;
    let texts = arguments.containing.iter().map(|text| Wanted::new(text));
    let texts: Result<Vec<Wanted>, _> = texts.collect();
    let texts = texts.map_err(|fault| Failed::usage(anyhow!("--containing {fault}")))?;
    let reason =
        Text::new(&arguments.reason).map_err(|fault| Failed::usage(anyhow!("--reason {fault}")))?;
    let by = Actor::new(&arguments.by).map_err(|fault| Failed::usage(anyhow!("--by {fault}")))?;
    let search = Search { ledger: ledger(&arguments.ledger)?, account, texts };
    Ok(Erasing { search, reason, by })
}

fn failed(error: EraseError) -> Failed {
    match error {
        EraseError::Says { .. } => Failed::usage(error),
        EraseError::NoLedger { .. } | EraseError::NoAccount { .. } | EraseError::Refused(_) => {
            Failed::absent(error)
        }
        EraseError::NoStore { .. }
        | EraseError::Backup { .. }
        | EraseError::Open(_)
        | EraseError::Read(_)
        | EraseError::Fold(_)
        | EraseError::Step(_)
        | EraseError::Name(_)
        | EraseError::Before(_)
        | EraseError::Unfinished(_) => Failed::unopened(error),
    }
}

fn numbers<'s>(sequences: impl IntoIterator<Item = &'s Sequence>) -> Vec<u64> {
    sequences.into_iter().map(|sequence| sequence.get()).collect()
}

fn listed(arguments: &EraseArguments, erased: &Erased) -> Value {
    let Erased { found, records, finished } = erased;
    let bodies = found.items.iter().map(|(sequence, item)| {
        json!({
            "sequence": sequence.get(),
            "recorded_at": item.recorded_at.to_string(),
            "what": item.what,
            "has_text": item.has_text,
        })
    });
    json!({
        "ledger": arguments.ledger,
        "dry_run": arguments.dry_run,
        "bodies": bodies.collect::<Vec<_>>(),
        "records": numbers(records),
        "finished": finished.map(Sequence::get),
        "erased_before": found.before,
        "policies": numbers(&found.policies),
        "in_records": numbers(&found.in_records),
        "customers": found.customers,
    })
}

fn told(arguments: &EraseArguments, erased: &Erased) -> String {
    let Erased { found, records, finished } = erased;
    let mut lines = Vec::new();
    if let Some(sequence) = finished {
        lines.push(format!(
            "the erasure of record {sequence}, which had been cut short, is finished"
        ));
    }
    let count = found.items.len();
    lines.push(match records.as_slice() {
        [] if arguments.dry_run => {
            format!("ledger {}: {count} bodies would be erased", arguments.ledger)
        }
        [] => {
            format!("ledger {}: no body was left to erase; nothing was recorded", arguments.ledger)
        }
        records => {
            let records: Vec<String> = records.iter().map(ToString::to_string).collect();
            let (ledger, records) = (&arguments.ledger, records.join(", "));
            format!("ledger {ledger}: {count} bodies are erased, by record {records}")
        }
    });
    let one = |(sequence, item): (&Sequence, &Item)| {
        let why = if item.has_text { "has a text" } else { "about the account" };
        format!("  {sequence} {} {}: {why}", item.recorded_at, item.what)
    };
    lines.extend(found.items.iter().take(LISTED_MAX).map(one));
    if count > LISTED_MAX {
        lines.push(format!("  and {} more, which --json lists", count.saturating_sub(LISTED_MAX)));
    }
    lines.extend(notes(found));
    lines.join("\n")
}

/// What a person should know besides.
fn notes(found: &Found) -> Vec<String> {
    let mut lines = Vec::new();
    if found.before > 0 {
        lines.push(format!("{} bodies about it were erased before", found.before));
    }
    if !found.policies.is_empty() {
        let all = spoken(&numbers(&found.policies));
        lines.push(format!("a text is in the policies of records {all}, which stay"));
    }
    if !found.in_records.is_empty() {
        let all = spoken(&numbers(&found.in_records));
        lines.push(format!(
            "a text is in records {all} themselves (an id, a reason, a note or metadata), which no \
             erasure changes"
        ));
    }
    if !found.customers.is_empty() {
        let all: Vec<&str> = found.customers.iter().map(String::as_str).collect();
        lines.push(format!(
            "the processor knows the customer as {}: events that name no payment, such as changes \
             of the address, are found by --containing with that id",
            all.join(", ")
        ));
    }
    lines
}

/// The first of some numbers, for a person.
fn spoken(numbers: &[u64]) -> String {
    let first: Vec<String> = numbers.iter().take(LISTED_MAX).map(ToString::to_string).collect();
    let more = numbers.len().saturating_sub(LISTED_MAX);
    match more {
        0 => first.join(", "),
        _ => format!("{} and {more} more", first.join(", ")),
    }
}
