//! `config check` and `policy check`.

use std::path::PathBuf;

use clap::Subcommand;
use policy_file::faults::{Faults, Place};
use serde_json::{Value, json};
use server::config::{Config, Environment, LoadError};

use crate::{
    Done,
    exit::{Exit, Failed},
    print,
};

#[derive(Debug, Subcommand)]
pub(crate) enum ConfigCommand {
    /// Says everything that is wrong with the configuration and the policies it names.
    Check {
        /// The configuration.
        #[arg(long, default_value = "tallyhook.toml")]
        config: PathBuf,
        /// Prints JSON.
        #[arg(long)]
        json: bool,
    },
}

#[derive(Debug, Subcommand)]
pub(crate) enum PolicyCommand {
    /// Says everything that is wrong with a policy.
    Check {
        /// The policy.
        file: PathBuf,
        /// Prints JSON.
        #[arg(long)]
        json: bool,
    },
}

pub(crate) fn config(command: &ConfigCommand) -> Done {
    let ConfigCommand::Check { config, json } = command;
    match Config::load(config, &Environment::of_process()) {
        Ok(loaded) => {
            let (ledgers, tokens) = (loaded.ledgers.len(), loaded.tokens.len());
            let good = format!("{} is good: ledgers {ledgers}, tokens {tokens}", config.display());
            said(*json, &[], &good);
            Ok(Exit::Clean)
        }
        Err(LoadError::Faulty(faults)) => {
            let each = faults.as_slice().iter();
            let list: Vec<Value> = each
                .flat_map(|(path, faults)| listed(&path.display().to_string(), faults))
                .collect();
            said(*json, &list, &faults.to_string());
            Ok(Exit::Findings)
        }
        Err(error @ LoadError::Unreadable { .. }) => Err(Failed::unopened(error)),
    }
}

pub(crate) fn policy(command: &PolicyCommand) -> Done {
    let PolicyCommand::Check { file, json } = command;
    let path = file.display().to_string();
    let text = std::fs::read_to_string(file)
        .map_err(|error| Failed::unopened(error).context(format!("read the policy {path}")))?;
    match policy_file::parse(&text) {
        Ok(policy) => {
            said(
                *json,
                &[],
                &format!("{path} is good: {} version {}", policy.name, policy.version),
            );
            Ok(Exit::Clean)
        }
        Err(faults) => {
            let lines = faults.as_slice().iter().map(|fault| format!("{path}: {fault}"));
            said(*json, &listed(&path, &faults), &lines.collect::<Vec<_>>().join("\n"));
            Ok(Exit::Findings)
        }
    }
}

fn said(json: bool, faults: &[Value], text: &str) {
    if json {
        print(&json!({"ok": faults.is_empty(), "faults": faults}).to_string());
    } else {
        print(text);
    }
}

fn listed(path: &str, faults: &Faults) -> Vec<Value> {
    let one = |fault: &policy_file::faults::Fault| {
        let (line, variable) = match &fault.place {
            Place::Line { line, .. } => (Some(*line), None),
            Place::Variable(name) => (None, Some(name.to_string())),
        };
        json!({
            "file": path,
            "line": line,
            "variable": variable,
            "key": fault.key,
            "problem": fault.problem,
            "remedy": fault.remedy,
        })
    };
    faults.as_slice().iter().map(one).collect()
}
