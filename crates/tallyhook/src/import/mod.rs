//! `import`: opening balances of customers from before Tallyhook.
//!
//! [`file`] reads the whole file and says everything that is wrong with it, [`row`] what a line
//! must be; [`known`] checks it against the server, and only then [`record`] has the rows recorded.
//! Each row is a command under a key of its own, made of the file's digest and the row's line, so
//! that an import that broke off is simply repeated.

mod fault;
mod file;
mod known;
mod parallel;
mod record;
mod row;
#[cfg(test)]
mod tests;

use std::{
    fs::File,
    io::{IsTerminal as _, Read as _},
    path::{Path, PathBuf},
};

use anyhow::anyhow;
use clap::Args;
use domain::{
    holding::Pair,
    ids::{Origin, Text},
};
use indicatif::{ProgressBar, ProgressStyle};
use serde_json::{Value, json};
use server::clock::{Clock as _, SystemClock};
use sha2::{Digest as _, Sha256};

use crate::{
    Done,
    api::{Api, ServerArguments},
    exit::{Exit, Failed},
    print,
};
use fault::Fault;
use row::{Measure, Row};

/// The largest file: about half a million lines.
const FILE_BYTES_MAX: u64 = 64 << 20;

/// How many bytes of the file's digest stand in the keys of its rows.
const KEY_DIGEST_BYTES: usize = 8;

#[derive(Debug, Args)]
pub(crate) struct ImportArguments {
    /// The balances: comma-separated, UTF-8, with the columns account, payment, paid_at, currency,
    /// amount, paid_granted, paid_left and, if need be, tax, gift_granted and gift_left.
    #[arg(value_name = "FILE.csv")]
    file: PathBuf,
    #[command(flatten)]
    server: ServerArguments,
    /// Why: stands in every record.
    #[arg(long)]
    reason: String,
    /// The namespace of the payments' ids, where the ledger has several.
    #[arg(long)]
    origin: Option<String>,
    /// Checks the file, here and against the server, and records nothing.
    #[arg(long)]
    check: bool,
    /// Prints JSON.
    #[arg(long)]
    json: bool,
}

/// What is asked for all rows alike.
struct Asked {
    reason: Text,
    origin: Option<Origin>,
    keys: Keys,
}

/// What the keys of a file's rows are made of.
struct Keys {
    /// The first half of the file's SHA-256 or less, in hexadecimal.
    file: String,
}

impl Keys {
    fn new(bytes: &[u8]) -> Self {
        let digest = Sha256::digest(bytes);
        Self { file: hex::encode(digest.get(..KEY_DIGEST_BYTES).unwrap_or_default()) }
    }
}

/// What came of an import.
struct Summary {
    rows: usize,
    recorded: usize,
    /// Those of an earlier run. A check alone counts no gifts here: only their keys tell them.
    before: usize,
    /// What is left on the rows that are in the ledger, or on all that are good when nothing was
    /// to be recorded.
    left: Pair,
    faults: Vec<Fault>,
}

pub(crate) fn import(arguments: &ImportArguments) -> Done {
    let bytes = bytes(&arguments.file)?;
    let asked = asked(arguments, &bytes)?;
    let api = Api::of(&arguments.server, "read and operate")?;
    let measure = Measure { decimals: decimals(&api)?, now: SystemClock.now() };
    let read = file::read(&bytes, measure);
    let bar = bar("checking");
    let checked = known::check(&api, &read.rows, &asked, &bar);
    bar.finish_and_clear();
    let checked = checked?;
    let mut faults = read.faults;
    faults.extend(checked.faults);
    faults.sort_by_key(|fault| fault.line);
    let rows = read.rows.len();
    if arguments.check || !faults.is_empty() {
        let (before, left) = (checked.before, read.left);
        return Ok(told(arguments, &Summary { rows, recorded: 0, before, left, faults }));
    }
    let recorded = recorded(&api, &read.rows, &asked)?;
    Ok(told(arguments, &recorded))
}

fn recorded(api: &Api, rows: &[Row], asked: &Asked) -> Result<Summary, Failed> {
    let bar = bar("recording");
    bar.set_length(u64::try_from(rows.len()).unwrap_or(u64::MAX));
    let recorded = record::record(api, rows, asked, &bar);
    bar.finish_and_clear();
    recorded
}

fn asked(arguments: &ImportArguments, bytes: &[u8]) -> Result<Asked, Failed> {
    let reason =
        Text::new(&arguments.reason).map_err(|fault| Failed::usage(anyhow!("--reason {fault}")))?;
    let origin = arguments.origin.as_deref().map(Origin::new).transpose();
    let origin = origin.map_err(|fault| Failed::usage(anyhow!("--origin {fault}")))?;
    Ok(Asked { reason, origin, keys: Keys::new(bytes) })
}

/// Reads the file, as far as a file may be long.
fn bytes(path: &Path) -> Result<Vec<u8>, Failed> {
    let unread =
        |error: std::io::Error| Failed::unopened(error).context(format!("read {}", path.display()));
    let file = File::open(path).map_err(unread)?;
    let mut bytes = Vec::new();
    file.take(FILE_BYTES_MAX.saturating_add(1)).read_to_end(&mut bytes).map_err(unread)?;
    if u64::try_from(bytes.len()).is_ok_and(|length| length <= FILE_BYTES_MAX) {
        return Ok(bytes);
    }
    Err(Failed::usage(anyhow!(
        "{} has more than {FILE_BYTES_MAX} bytes; import it in parts",
        path.display()
    )))
}

/// The decimals of the ledger's credits, which are the same in every version of its policy.
fn decimals(api: &Api) -> Result<u8, Failed> {
    let asked = |path: &str| {
        let answer = api.get(path)?;
        answer.map_err(|problem| Failed::unopened(anyhow!("the server answered {problem}")))
    };
    let versions = asked("/policies")?;
    let last = versions.get("items").and_then(Value::as_array).and_then(|items| items.last());
    let last = last.and_then(|version| version.get("version")).and_then(Value::as_u64);
    let last =
        last.ok_or_else(|| Failed::unopened(anyhow!("the ledger has no policy in force")))?;
    let shown = asked(&format!("/policies/{last}"))?;
    let text = shown.get("toml").and_then(Value::as_str).unwrap_or_default();
    let policy = policy_file::parse(text).map_err(|faults| {
        Failed::unopened(faults).context("read the policy in force; is the server of this version?")
    })?;
    Ok(policy.decimals)
}

/// On a terminal only; elsewhere nothing is shown.
fn bar(what: &'static str) -> ProgressBar {
    if !std::io::stderr().is_terminal() {
        return ProgressBar::hidden();
    }
    let bar = ProgressBar::new(0).with_message(what);
    match ProgressStyle::with_template("{msg} [{wide_bar}] {pos}/{len} {eta}") {
        Ok(style) => bar.with_style(style.progress_chars("=> ")),
        // The plain bar does as well.
        Err(_) => bar,
    }
}

fn told(arguments: &ImportArguments, summary: &Summary) -> Exit {
    let file = arguments.file.display().to_string();
    print(&if arguments.json {
        json(&file, arguments.check, summary).to_string()
    } else {
        text(&file, arguments.check, summary)
    });
    if summary.faults.is_empty() { Exit::Clean } else { Exit::Findings }
}

fn json(file: &str, check: bool, summary: &Summary) -> Value {
    let Summary { rows, recorded, before, left, faults } = summary;
    json!({
        "ok": faults.is_empty(),
        "file": file,
        "check": check,
        "rows": rows,
        "recorded": recorded,
        "recorded_before": before,
        "credits": {"paid": left.paid.to_string(), "gift": left.gift.to_string()},
        "faults": faults.iter().map(Fault::json).collect::<Vec<_>>(),
    })
}

fn text(file: &str, check: bool, summary: &Summary) -> String {
    let Summary { rows, recorded, before, left, faults } = summary;
    let mut lines: Vec<String> = faults.iter().map(|fault| format!("{file}: {fault}")).collect();
    let credits = format!("credits: paid {}, gift {}", left.paid, left.gift);
    let nothing = *recorded == 0 && *before == 0;
    lines.push(match (faults.len(), check) {
        (0, true) => {
            format!("{file} is good: rows {rows}, payments recorded before {before}\n{credits}\nnothing was recorded")
        }
        (0, false) => {
            format!("{file}: rows {rows}, recorded {recorded}, recorded before {before}\n{credits}")
        }
        (count, _) if nothing || check => format!("faults {count}; nothing was recorded"),
        (count, _) if *recorded == 0 => {
            format!("faults {count}; nothing was recorded now, rows {before} were before")
        }
        (count, _) => format!(
            "faults {count}; rows recorded {recorded}, recorded before {before}\n{credits}"
        ),
    });
    lines.join("\n")
}
