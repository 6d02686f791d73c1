//! `audit verify`.

use std::path::{Path, PathBuf};

use audit::{
    findings::{Finding, Report, Signatures},
    kept::{Held, HeldVerdict},
    verify::verify_store,
};
use clap::Args;
use ingestion::secret::Secret;
use serde_json::{Value, json};
use server::config::{Config, Environment};

use super::{checkpoint::Kept, source::Source};
use crate::{
    Done,
    exit::{Exit, Failed},
    print,
    progress::Shown,
};

#[derive(Debug, Args)]
pub(crate) struct VerifyArguments {
    #[command(flatten)]
    source: Source,
    #[command(flatten)]
    kept: Kept,
    /// The configuration whose sources' secrets check the signatures again; without it they are not
    /// checked.
    #[arg(long)]
    config: Option<PathBuf>,
}

pub(super) fn verified(arguments: &VerifyArguments) -> Done {
    let source = &arguments.source;
    let offline = source.open()?;
    let held = arguments.kept.held(&offline)?;
    let secrets = secrets(arguments.config.as_deref())?;
    let mut shown = Shown::new("verify");
    let mut report = verify_store(&offline.store, &secrets, |done, total| shown.at(done, total))
        .map_err(|error| Failed::unopened(error).context("verify the log"))?;
    for one in &held {
        if let HeldVerdict::Broken(findings) = &one.verdict {
            report.findings.extend(findings.iter().cloned());
        }
    }
    if source.json {
        let findings: Vec<Value> = report.findings.iter().map(listed).collect();
        let differences: Vec<Value> = report.differences.iter().map(listed).collect();
        print(
            &json!({
                "ok": report.is_clean(),
                "records": report.records,
                "findings": findings,
                "differences": differences,
                "signatures": signatures(&report.signatures),
                "checkpoints": held.iter().map(listed_checkpoint).collect::<Vec<Value>>(),
            })
            .to_string(),
        );
    } else {
        let given = if arguments.config.is_some() { Secrets::Given } else { Secrets::NotGiven };
        print(&told(&report, given, &held));
    }
    Ok(if report.is_clean() { Exit::Clean } else { Exit::Findings })
}

/// Whether somebody gave secrets to check signatures by.
#[derive(Clone, Copy)]
enum Secrets {
    Given,
    NotGiven,
}

/// The secrets of all sources of a configuration.
fn secrets(config: Option<&Path>) -> Result<Vec<Secret>, Failed> {
    let Some(path) = config else { return Ok(Vec::new()) };
    let config = Config::load(path, &Environment::of_process()).map_err(Failed::usage)?;
    let sources = config.ledgers.values().flat_map(|ledger| &ledger.sources);
    Ok(sources.flat_map(|source| source.secrets.iter().cloned()).collect())
}

fn signatures(checked: &Signatures) -> Value {
    let not_given = checked.secret_not_given.iter().map(|(secret, span)| {
        json!({
            "sha256_begins": hex::encode(secret),
            "deliveries": span.count,
            "first": span.first.get(),
            "last": span.last.get(),
        })
    });
    let secrets_not_given: Vec<Value> = not_given.collect();
    json!({
        "hold": checked.hold,
        "broken": checked.broken,
        "secrets_not_given": secrets_not_given,
        "erased": checked.erased,
        "back_filled": checked.back_filled,
    })
}

/// What became of the signatures, a line each.
fn told_signatures(checked: &Signatures, secrets: Secrets) -> Vec<String> {
    let mut lines = match secrets {
        Secrets::NotGiven => {
            let count = checked.without_secret();
            vec![format!("signatures: {count} not checked, pass --config for their secrets")]
        }
        Secrets::Given => {
            let Signatures { hold, broken, .. } = checked;
            let mut lines = vec![format!("signatures: {hold} hold, {broken} do not")];
            lines.extend(not_given(checked));
            lines
        }
    };
    if checked.erased > 0 {
        lines.push(format!(
            "signatures: {} can't be checked, their bytes are erased",
            checked.erased
        ));
    }
    if checked.back_filled > 0 {
        let count = checked.back_filled;
        lines.push(format!("signatures: {count} back-filled by operators, nobody signed them"));
    }
    lines
}

/// The secrets that records name and nobody gave, a line each.
fn not_given(checked: &Signatures) -> impl Iterator<Item = String> {
    checked.secret_not_given.iter().map(|(secret, span)| {
        format!(
            "signatures: {} not checked, records {} to {}: no secret of --config has the SHA-256 \
             {}...; ask whose it was",
            span.count,
            span.first,
            span.last,
            hex::encode(secret)
        )
    })
}

/// What a ledger was held to; `holds` is null where no key of it was given.
fn listed_checkpoint(held: &Held) -> Value {
    let (holds, records) = match &held.verdict {
        HeldVerdict::Holds { records } => (Some(true), Some(records)),
        HeldVerdict::Broken(_) => (Some(false), None),
        HeldVerdict::NoKey => (None, None),
    };
    json!({
        "origin": held.origin,
        "ledger": held.ledger.as_str(),
        "notes": held.notes,
        "records": records,
        "holds": holds,
    })
}

fn told_checkpoint(held: &Held) -> String {
    let (ledger, notes) = (&held.ledger, held.notes);
    let notes = if notes == 1 { "1 note".to_owned() } else { format!("{notes} notes") };
    match &held.verdict {
        HeldVerdict::Holds { records } => {
            format!("checkpoints: {ledger} holds at {records} records ({notes})")
        }
        HeldVerdict::Broken(_) => format!("checkpoints: {ledger} does not hold ({notes})"),
        HeldVerdict::NoKey => format!(
            "checkpoints: {ledger} was not looked at ({notes}): --key gives the key of {}",
            held.origin
        ),
    }
}

fn listed(finding: &Finding) -> Value {
    json!({
        "ledger": finding.ledger.as_str(),
        "sequence": finding.sequence.map(domain::ids::Sequence::get),
        "kind": finding.kind.name(),
        "detail": finding.detail,
    })
}

fn told(report: &Report, secrets: Secrets, held: &[Held]) -> String {
    let line = |finding: &Finding| {
        let sequence = finding.sequence.map_or_else(|| "?".to_owned(), |at| at.to_string());
        format!("{} {sequence}: {}: {}", finding.ledger, finding.kind.name(), finding.detail)
    };
    let verdict = if report.is_clean() { "clean" } else { "findings" };
    let mut lines = vec![format!("records {}: {verdict}", report.records)];
    lines.extend(told_signatures(&report.signatures, secrets));
    lines.extend(held.iter().map(told_checkpoint));
    lines.extend(report.findings.iter().map(line));
    let older = report
        .differences
        .iter()
        .map(|finding| format!("by older rules, no finding: {}", line(finding)));
    lines.extend(older);
    lines.join("\n")
}
