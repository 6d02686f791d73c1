//! `audit verify`.

use audit::{
    findings::{Finding, Report},
    verify::verify_store,
};
use clap::Args;
use serde_json::{Value, json};

use super::source::Source;
use crate::{
    Done,
    exit::{Exit, Failed},
    print,
};

#[derive(Debug, Args)]
pub(crate) struct VerifyArguments {
    #[command(flatten)]
    source: Source,
}

pub(super) fn verified(arguments: &VerifyArguments) -> Done {
    let source = &arguments.source;
    let offline = source.open()?;
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
