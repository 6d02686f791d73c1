//! `audit diff`.

use std::{path::PathBuf, sync::Arc};

use anyhow::anyhow;
use audit::{
    sums::Sums,
    what_if::{
        AccountDifference, CaseDifference, Differences, Otherwise, Standing, Total, Verdict,
        what_if,
    },
};
use clap::Args;
use domain::{account::Status, policy::Policy};
use serde_json::{Map, Value, json};

use super::source::{OfLedger, Source, moment};
use crate::{
    Done,
    exit::{Exit, Failed},
    print,
    progress::Shown,
};

#[derive(Debug, Args)]
pub(crate) struct DiffArguments {
    #[command(flatten)]
    source: Source,
    #[command(flatten)]
    ledger: OfLedger,
    /// The other policy.
    #[arg(long, value_name = "FILE")]
    policy: PathBuf,
    /// From when on it applies (RFC 3339), in the place of all versions that were to apply later;
    /// from the beginning, in the place of all, without this.
    #[arg(long, value_name = "MOMENT")]
    effective_from: Option<String>,
}

pub(super) fn differed(arguments: &DiffArguments) -> Done {
    let policy = Arc::new(read(&arguments.policy)?);
    let from = arguments.effective_from.as_deref();
    let effective_from = from.map(|text| moment("--effective-from", text)).transpose()?;
    let offline = arguments.source.open()?;
    let ledger = arguments.ledger.of(&offline)?;
    let other = Otherwise { policy, effective_from };
    let mut shown = Shown::new("deciding again");
    let found = what_if(&*offline.log, &ledger, &other, |done, total| shown.at(done, total));
    drop(shown);
    let found = found.map_err(|error| Failed::unopened(error).context("decide otherwise"))?;
    if arguments.source.json {
        print(&json(&found).to_string());
    } else {
        print(&text(&found));
    }
    Ok(if found.decisions == 0 { Exit::Clean } else { Exit::Findings })
}

fn read(path: &std::path::Path) -> Result<Policy, Failed> {
    let name = path.display();
    let text = std::fs::read_to_string(path)
        .map_err(|error| Failed::unopened(error).context(format!("read the policy {name}")))?;
    policy_file::parse(&text).map_err(|faults| {
        let faults: Vec<String> = faults.as_slice().iter().map(ToString::to_string).collect();
        Failed::usage(anyhow!("{name}: {}", faults.join("; ")))
    })
}

fn json(found: &Differences) -> Value {
    json!({
        "ok": found.decisions == 0,
        "ledger": found.provenance.ledger.as_str(),
        "records": found.provenance.records,
        "root": found.provenance.root.to_string(),
        "unit": found.provenance.unit,
        "decisions": found.decisions,
        "by_older_rules": found.by_older_rules,
        "refused": found.refused,
        "total": {
            "recorded": total(&found.total.recorded),
            "otherwise": total(&found.total.otherwise),
        },
        "accounts": found.accounts.iter().map(|one| json!({
            "account": one.account.as_str(),
            "recorded": one.standing.recorded.as_ref().map(standing),
            "otherwise": one.standing.otherwise.as_ref().map(standing),
        })).collect::<Vec<_>>(),
        "cases": found.cases.iter().map(|one| json!({
            "case": one.case.to_string(),
            "account": one.account.as_str(),
            "recorded": one.verdict.recorded.as_ref().map(verdict),
            "otherwise": one.verdict.otherwise.as_ref().map(verdict),
        })).collect::<Vec<_>>(),
    })
}

fn sums(sums: &Sums) -> Map<String, Value> {
    let parts = sums.parts().into_iter();
    parts.map(|(name, amount)| (name.to_owned(), json!(amount.to_string()))).collect()
}

fn total(total: &Total) -> Value {
    json!({
        "balance": sums(&total.sums),
        "accounts": total.accounts,
        "frozen": total.frozen,
        "freezes": total.freezes,
        "closed": total.closed,
    })
}

fn standing(standing: &Standing) -> Value {
    json!({
        "balance": sums(&standing.sums),
        "status": status(standing.status),
        "open": standing.open,
        "freezes": standing.freezes,
    })
}

fn verdict(verdict: &Verdict) -> Value {
    json!({"status": verdict.status, "detail": verdict.detail, "quote": verdict.quote})
}

const fn status(status: Status) -> &'static str {
    match status {
        Status::Active => "active",
        Status::Frozen => "frozen",
        Status::Closed => "closed",
    }
}

fn text(found: &Differences) -> String {
    let provenance = &found.provenance;
    let mut lines = vec![
        format!(
            "ledger {}: {} records, root {}",
            provenance.ledger, provenance.records, provenance.root
        ),
        format!(
            "{} decisions, {} accounts and {} refund cases would be different",
            found.decisions,
            found.accounts.len(),
            found.cases.len()
        ),
    ];
    if found.by_older_rules > 0 {
        lines.push(format!(
            "{} decisions were made by older rules: some differences may come of the rules",
            found.by_older_rules
        ));
    }
    let refused = found.refused.iter();
    lines.extend(refused.map(|(name, count)| format!("would be refused: {name}, {count} times")));
    let (before, after) = (&found.total.recorded, &found.total.otherwise);
    lines.push(format!("in all, in {}:", provenance.unit));
    let parts = before.sums.parts().into_iter().zip(after.sums.parts());
    lines.extend(parts.map(|((name, before), (_, after))| {
        format!("  {name}: {before} -> {after} ({})", after.minus(before).signed())
    }));
    for (name, before, after) in [
        ("accounts", before.accounts, after.accounts),
        ("frozen", before.frozen, after.frozen),
        ("freezes ever", before.freezes, after.freezes),
        ("closed", before.closed, after.closed),
    ] {
        lines.push(format!("  {name}: {before} -> {after}"));
    }
    lines.extend(found.accounts.iter().map(account));
    lines.extend(found.cases.iter().map(case));
    lines.push(
        "what was refused then was never recorded, so what another policy would have made of it \
         is not known"
            .to_owned(),
    );
    lines.join("\n")
}

/// The parts of an account that differ.
fn account(one: &AccountDifference) -> String {
    let (before, after) = match (&one.standing.recorded, &one.standing.otherwise) {
        (Some(before), Some(after)) => (before, after),
        (Some(_), None) => return format!("account {}: would not exist", one.account),
        (None, _) => return format!("account {}: would exist", one.account),
    };
    let parts = before.sums.parts().into_iter().zip(after.sums.parts());
    let mut told: Vec<String> = parts
        .filter(|((_, before), (_, after))| before != after)
        .map(|((name, before), (_, after))| format!("{name} {before} -> {after}"))
        .collect();
    if before.status != after.status {
        told.push(format!("{} -> {}", status(before.status), status(after.status)));
    }
    if before.freezes != after.freezes {
        told.push(format!("frozen {} -> {} times", before.freezes, after.freezes));
    }
    if before.open != after.open {
        told.push("other open causes".to_owned());
    }
    format!("account {}: {}", one.account, told.join(", "))
}

fn case(one: &CaseDifference) -> String {
    let told = |verdict: &Option<Verdict>| match verdict {
        Some(Verdict { status, detail, quote }) if detail.is_empty() => {
            format!("{status} with {quote}")
        }
        Some(Verdict { status, detail, quote }) => format!("{status} ({detail}) with {quote}"),
        None => "not opened".to_owned(),
    };
    let (before, after) = (told(&one.verdict.recorded), told(&one.verdict.otherwise));
    format!("case {} of {}: {before} -> {after}", one.case, one.account)
}
