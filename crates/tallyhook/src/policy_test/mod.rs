//! `policy test`: plays an operator's scenarios against a policy.
//!
//! [`file`], [`step`] and [`reading`] read the scenarios, [`forms`] says what a step can do, [`tree`] keeps the
//! lines; [`play`] plays one on a [`stage`] that is the server itself, with [`processor`] in the
//! processor's place; [`expect`] compares, [`change`] writes a policy's next version.

mod change;
mod expect;
mod file;
mod forms;
mod play;
mod processor;
mod reading;
mod stage;
mod step;
#[cfg(test)]
mod tests;
mod tree;

use std::path::{Path, PathBuf};

use anyhow::anyhow;
use clap::Args;
use policy_file::faults::{Fault, Place};
use serde_json::{Value, json};

use crate::{
    Done,
    exit::{Exit, Failed},
    print,
};
use file::{File, Scenario};
use play::{Failure, play};

#[derive(Debug, Args)]
#[command(after_help = "Exit codes: 0 all hold; 1 one does not; 2 a file or policy is faulty; \
                        3 a file could not be read, or the server not be started.")]
pub(crate) struct TestArguments {
    /// Files of scenarios.
    #[arg(required = true)]
    files: Vec<PathBuf>,
    /// Plays them against this policy, not the one that each file names.
    #[arg(long)]
    policy: Option<PathBuf>,
    /// Plays only the scenarios of this rule, or with this name.
    #[arg(long)]
    only: Option<String>,
    /// Prints JSON.
    #[arg(long)]
    json: bool,
}

/// A file that was read, with the policy to play it against.
struct Read {
    path: String,
    file: File,
    policy: String,
}

/// A scenario that was played.
struct Played<'r> {
    path: &'r str,
    scenario: &'r Scenario,
    failure: Option<Failure>,
}

/// Plays all scenarios of all files, unless one of the files or policies has a fault.
pub(crate) fn test(arguments: &TestArguments) -> Done {
    let mut faults: Vec<(String, Fault)> = Vec::new();
    let mut all = Vec::new();
    for path in &arguments.files {
        all.extend(read(path, arguments.policy.as_deref(), &mut faults)?);
    }
    if !faults.is_empty() {
        told_faults(arguments.json, &faults);
        return Ok(Exit::Usage);
    }
    let mut played = Vec::new();
    for read in &all {
        let chosen = |scenario: &&Scenario| {
            let only = arguments.only.as_deref();
            only.is_none_or(|only| scenario.rule.as_deref() == Some(only) || scenario.name == only)
        };
        for scenario in read.file.scenarios.iter().filter(chosen) {
            let failure = play(&read.file, &read.policy, scenario)
                .map_err(|error| Failed::unopened(error).context("play a scenario"))?;
            let one = Played { path: &read.path, scenario, failure };
            if !arguments.json {
                print(&line(&one));
            }
            played.push(one);
        }
    }
    if played.is_empty() {
        let only = arguments.only.as_deref().unwrap_or_default();
        return Err(Failed::usage(anyhow!("no scenario is named {only:?} or about that rule")));
    }
    let failed = played.iter().filter(|one| one.failure.is_some()).count();
    if arguments.json {
        let scenarios: Vec<Value> = played.iter().map(listed).collect();
        print(&json!({"ok": failed == 0, "scenarios": scenarios}).to_string());
    } else {
        print(&format!("{} scenarios hold, {failed} do not", played.len().saturating_sub(failed)));
    }
    Ok(if failed == 0 { Exit::Clean } else { Exit::Findings })
}

/// Reads a file and its policy; notes their faults.
fn read(
    path: &Path,
    policy: Option<&Path>,
    faults: &mut Vec<(String, Fault)>,
) -> Result<Option<Read>, Failed> {
    let shown = path.display().to_string();
    let text = opened(path)?;
    let file = match file::read(&text) {
        Ok(file) => file,
        Err(found) => {
            faults.extend(found.sorted().into_iter().map(|fault| (shown.clone(), fault)));
            return Ok(None);
        }
    };
    let policy_path = match policy {
        Some(policy) => policy.to_owned(),
        None => path.parent().unwrap_or_else(|| Path::new("")).join(&file.policy),
    };
    let policy = opened(&policy_path)?;
    if let Err(found) = policy_file::parse(&policy) {
        let shown = policy_path.display().to_string();
        let found = found.as_slice().iter();
        faults.extend(found.map(|fault| (shown.clone(), fault.clone())));
        return Ok(None);
    }
    Ok(Some(Read { path: shown, file, policy }))
}

fn opened(path: &Path) -> Result<String, Failed> {
    std::fs::read_to_string(path)
        .map_err(|error| Failed::unopened(error).context(format!("read {}", path.display())))
}

fn told_faults(json: bool, faults: &[(String, Fault)]) {
    if !json {
        for (path, fault) in faults {
            print(&format!("{path}: {fault}"));
        }
        return;
    }
    let one = |(path, fault): &(String, Fault)| {
        let line = match &fault.place {
            Place::Line { line, .. } => Some(*line),
            Place::Variable(_) => None,
        };
        let Fault { key, problem, remedy, .. } = fault;
        json!({"file": path, "line": line, "key": key, "problem": problem, "remedy": remedy})
    };
    let faults: Vec<Value> = faults.iter().map(one).collect();
    print(&json!({"ok": false, "faults": faults}).to_string());
}

/// One line for a scenario that holds; for another also what was expected and what came.
fn line(played: &Played<'_>) -> String {
    let Played { path, scenario, failure } = played;
    let rule = scenario.rule.as_deref().map_or_else(String::new, |rule| format!("{rule} "));
    let Some(Failure { line, problem, differences }) = failure else {
        return format!("ok     {rule}{}", scenario.name);
    };
    let mut text = format!("FAILED {rule}{}\n       {path}:{line}: {problem}", scenario.name);
    for difference in differences {
        let expect::Difference { line, field, expected, found } = difference;
        text.push_str(&format!(
            "\n       {path}:{line}: {field}: expected {expected}, came {found}"
        ));
    }
    text
}

fn listed(played: &Played<'_>) -> Value {
    let Played { path, scenario, failure } = played;
    let failure = failure.as_ref().map(|failure| {
        let differences = failure.differences.iter().map(|difference| {
            let expect::Difference { line, field, expected, found } = difference;
            json!({"line": line, "field": field, "expected": expected, "found": found})
        });
        json!({
            "line": failure.line,
            "problem": failure.problem,
            "differences": differences.collect::<Vec<_>>(),
        })
    });
    json!({
        "file": path,
        "line": scenario.line,
        "name": scenario.name,
        "rule": scenario.rule,
        "ok": failure.is_none(),
        "failure": failure,
    })
}
