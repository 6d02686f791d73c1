//! `restore`.

use std::path::{Path, PathBuf};

use audit::verify::verify_store;
use clap::Args;
use event_store::backup::{Progress, manifest::Ends, restore as put_together};
use serde_json::{Value, json};
use server::offline::Offline;

use crate::{
    Done,
    backup::failed,
    exit::{Exit, Failed},
    print,
    progress::Shown,
};

#[derive(Debug, Args)]
pub(crate) struct RestoreArguments {
    /// A full backup.
    #[arg(long, value_name = "FOLDER")]
    from: PathBuf,
    /// An increment that follows it, or the increment before it; may be given again.
    #[arg(long, value_name = "FOLDER")]
    then: Vec<PathBuf>,
    /// Into this folder, which must be empty or not there.
    #[arg(long, value_name = "FOLDER")]
    to: PathBuf,
    /// Checks all of it afterwards, as `audit verify` does.
    #[arg(long)]
    verify: bool,
    /// Prints JSON.
    #[arg(long)]
    json: bool,
}

pub(crate) fn restore(arguments: &RestoreArguments) -> Done {
    let RestoreArguments { from, then, to, verify, json } = arguments;
    let mut shown = Shown::new("restore");
    let mut progress = |Progress { done, total }| shown.at(done, total);
    let all: Vec<PathBuf> = [from].into_iter().chain(then).cloned().collect();
    let ends = put_together(&all, to, &mut progress).map_err(failed)?;
    drop(shown);
    let findings = if *verify { Some(findings(to)?) } else { None };
    let is_clean = findings.as_ref().is_none_or(Vec::is_empty);
    print(&if *json {
        listed(arguments, &ends, findings.as_deref()).to_string()
    } else {
        told(arguments, &ends, findings.as_deref())
    });
    Ok(if is_clean { Exit::Clean } else { Exit::Findings })
}

/// All that an audit of the restored store finds, a line each.
fn findings(to: &Path) -> Result<Vec<String>, Failed> {
    let offline = Offline::open(to).map_err(Failed::unopened)?;
    let mut shown = Shown::new("verify");
    let report = verify_store(&offline.store, &[], |done, total| shown.at(done, total))
        .map_err(|error| Failed::unopened(error).context("verify the restored log"))?;
    let line = |finding: &audit::findings::Finding| {
        let sequence = finding.sequence.map_or_else(|| "?".to_owned(), |at| at.to_string());
        format!("{} {sequence}: {}: {}", finding.ledger, finding.kind.name(), finding.detail)
    };
    Ok(report.findings.iter().map(line).collect())
}

fn listed(arguments: &RestoreArguments, ends: &Ends, findings: Option<&[String]>) -> Value {
    let ledgers = ends.iter().map(|(ledger, end)| {
        json!({
            "ledger": ledger.as_str(),
            "last": end.sequence.get(),
            "hash": end.hash.to_string(),
        })
    });
    json!({
        "ok": findings.is_none_or(<[String]>::is_empty),
        "to": arguments.to.display().to_string(),
        "ledgers": ledgers.collect::<Vec<_>>(),
        "verified": findings.is_some(),
        "findings": findings.unwrap_or_default(),
    })
}

fn told(arguments: &RestoreArguments, ends: &Ends, findings: Option<&[String]>) -> String {
    let mut lines = vec![format!("restored into {}", arguments.to.display())];
    lines.extend(
        ends.iter().map(|(ledger, end)| format!("{ledger}: up to record {}", end.sequence)),
    );
    match findings {
        None => {}
        Some([]) => lines.push("verified: clean".to_owned()),
        Some(findings) => {
            lines.push("verified: findings".to_owned());
            lines.extend(findings.iter().cloned());
        }
    }
    lines.join("\n")
}
