//! The binary: its flags, and its opinion of configurations.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    process::Output,
};

use anyhow::Result;
use tallyhook_tests::{binary, environment};

use crate::place::said;

/// A digest of no token, for the example's place of one.
const SHA256: &str = "5d5b09f6dcb2d53a5fffc60c4ac0d55fabdf556069d6631545f42aa6e3500f2e";

/// What of a command line the binary does not know: asks its own help.
pub(crate) fn unknown(arguments: &[&str]) -> Result<Vec<String>> {
    let flag = |argument: &&str| argument.starts_with('-');
    let mut help: Vec<&str> = Vec::new();
    for argument in arguments.iter().take_while(|argument| !flag(argument)) {
        let mut deeper = help.clone();
        deeper.extend([*argument, "--help"]);
        if !binary::command(&deeper)?.output()?.status.success() {
            break;
        }
        help.push(*argument);
    }
    let subcommands = help.len();
    help.push("--help");
    let output = said(&binary::command(&help)?.output()?);
    let words: BTreeSet<&str> = output.split([' ', '\n', ',', '=', '[', ']']).collect();
    let mut faults: Vec<String> = arguments
        .iter()
        .filter(|argument| flag(argument))
        .filter(|argument| !words.contains(argument.split('=').next().unwrap_or_default()))
        .map(|argument| format!("{argument} is unknown"))
        .collect();
    if subcommands == 0 {
        faults.push(format!("{:?} is no subcommand", arguments.first()));
    }
    Ok(faults)
}

/// Lays the example out as it is installed, and checks it in this environment.
pub(crate) fn check(config: &str, variables: &BTreeMap<String, String>) -> Result<Output> {
    let home = tempfile::tempdir()?;
    fs::create_dir(home.path().join("policies"))?;
    for policy in fs::read_dir(environment::workspace().join("policies"))? {
        let policy = policy?;
        if policy.file_type()?.is_dir() {
            continue;
        }
        fs::copy(policy.path(), home.path().join("policies").join(policy.file_name()))?;
    }
    fs::write(home.path().join("tallyhook.toml"), config)?;
    let mut command = binary::command(&["config", "check", "--config"])?;
    let command =
        command.arg(home.path().join("tallyhook.toml")).env("PADDLE_SECRET", "pdl_ntfset_example");
    Ok(command.envs(variables).output()?)
}

/// The example with everything that it leaves out: lines that begin with `#` and no space.
pub(crate) fn completed(example: &str) -> String {
    let setting = |line: &str| {
        let rest = line.strip_prefix('#').filter(|rest| !rest.starts_with(' ') && !rest.is_empty());
        rest.unwrap_or(line).replace("<sha256>", SHA256)
    };
    example.lines().map(|line| setting(line) + "\n").collect()
}
