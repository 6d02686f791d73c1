//! `config check`, and how faults of files are told.

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

pub(crate) fn config(command: &ConfigCommand) -> Done {
    let ConfigCommand::Check { config, json } = command;
    match Config::load(config, &Environment::of_process()) {
        Ok(loaded) => {
            let (ledgers, tokens) = (loaded.ledgers.len(), loaded.tokens.len());
            let warnings = namespaces(&loaded);
            if *json {
                print(&json!({"ok": true, "faults": [], "warnings": warnings}).to_string());
            } else {
                print(&format!("{} is good: ledgers {ledgers}, tokens {tokens}", config.display()));
                warnings.iter().for_each(|warning| print(&format!("warning: {warning}")));
            }
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

/// Ledgers in which one customer can come to have two accounts: one by the merchant's own id, one
/// by the provider's where an event lacks that.
fn namespaces(config: &Config) -> Vec<String> {
    let several = config.ledgers.iter().filter_map(|(ledger, of)| {
        let (first, others) = of.settings.account_from.split_first()?;
        let others: Vec<&str> = others.iter().map(|pointer| pointer.as_str()).collect();
        let remedy = "a customer whose event lacks the first gets a second account; assign such \
                      customers (POST .../accounts/{account}/customers), or name one pointer";
        (!others.is_empty()).then(|| {
            format!(
                "ledger {ledger} takes accounts from {first}, else {}: {remedy}",
                others.join(", ")
            )
        })
    });
    several.collect()
}

/// Prints that all is good, or what is wrong: as JSON or as this text.
pub(crate) fn said(json: bool, faults: &[Value], text: &str) {
    if json {
        print(&json!({"ok": faults.is_empty(), "faults": faults}).to_string());
    } else {
        print(text);
    }
}

/// The faults of a file in JSON.
pub(crate) fn listed(path: &str, faults: &Faults) -> Vec<Value> {
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
