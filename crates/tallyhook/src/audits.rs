//! `audit verify` and `audit replay`: offline, on a stopped server's data or a backup.

use std::path::{Path, PathBuf};

use audit::{
    replay::replay,
    report::{Finding, Report},
    verify::verify_store,
};
use clap::{Args, Subcommand};
use serde_json::{Value, json};
use server::offline::{Offline, empty_views};

use crate::{
    Done,
    exit::{Exit, Failed},
    print,
};

#[derive(Debug, Subcommand)]
pub(crate) enum AuditCommand {
    /// Checks every stored value, the hash chain, the fold and every decision.
    Verify(Source),
    /// Folds the log from its first record and prints a digest of the result by ledger.
    Replay(Source),
}

#[derive(Debug, Args)]
pub(crate) struct Source {
    /// The data folder of a stopped server, or a backup.
    #[arg(long, default_value = "data")]
    data: PathBuf,
    /// Prints JSON.
    #[arg(long)]
    json: bool,
}

pub(crate) fn audit(command: &AuditCommand) -> Done {
    match command {
        AuditCommand::Verify(source) => verified(source),
        AuditCommand::Replay(source) => replayed(source),
    }
}

/// A folder that is not there is not made: an empty log would be clean.
fn open(data: &Path) -> Result<Offline, Failed> {
    if !data.is_dir() {
        let error = anyhow::anyhow!(
            "{} is no folder; pass the server's data folder with --data",
            data.display()
        );
        return Err(Failed::unopened(error));
    }
    Offline::open(data).map_err(Failed::unopened)
}

fn verified(source: &Source) -> Done {
    let offline = open(&source.data)?;
    let report = verify_store(&offline.store, |_, _| {})
        .map_err(|error| Failed::unopened(error).context("verify the log"))?;
    if source.json {
        let findings: Vec<Value> = report.findings.iter().map(listed).collect();
        let differences: Vec<Value> = report.differences.iter().map(listed).collect();
        print(
            &json!({
                "ok": report.is_clean(),
                "records": report.records,
                "findings": findings,
                "differences": differences,
            })
            .to_string(),
        );
    } else {
        print(&told(&report));
    }
    Ok(if report.is_clean() { Exit::Clean } else { Exit::Findings })
}

fn listed(finding: &Finding) -> Value {
    json!({
        "ledger": finding.ledger.as_str(),
        "sequence": finding.sequence.map(domain::ids::Sequence::get),
        "kind": finding.kind.name(),
        "detail": finding.detail,
    })
}

fn told(report: &Report) -> String {
    let line = |finding: &Finding| {
        let sequence = finding.sequence.map_or_else(|| "?".to_owned(), |at| at.to_string());
        format!("{} {sequence}: {}: {}", finding.ledger, finding.kind.name(), finding.detail)
    };
    let verdict = if report.is_clean() { "clean" } else { "findings" };
    let mut lines = vec![format!("records {}: {verdict}", report.records)];
    lines.extend(report.findings.iter().map(line));
    let older = report
        .differences
        .iter()
        .map(|finding| format!("by older rules, no finding: {}", line(finding)));
    lines.extend(older);
    lines.join("\n")
}

fn replayed(source: &Source) -> Done {
    let offline = open(&source.data)?;
    let ledgers = replay(&*offline.log, &empty_views(), |_, _| {})
        .map_err(|error| Failed::unopened(error).context("replay the log"))?;
    if source.json {
        let ledgers: Vec<Value> = ledgers
            .iter()
            .map(|replayed| {
                json!({
                    "ledger": replayed.ledger.as_str(),
                    "sequence": replayed.sequence.map(domain::ids::Sequence::get),
                    "digest": replayed.digest,
                })
            })
            .collect();
        print(&json!({"ok": true, "ledgers": ledgers}).to_string());
    } else {
        for replayed in ledgers {
            let sequence = replayed.sequence.map_or(0, domain::ids::Sequence::get);
            print(&format!("{}: records {sequence}, digest {}", replayed.ledger, replayed.digest));
        }
    }
    Ok(Exit::Clean)
}
