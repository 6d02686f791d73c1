//! Configuration files: typed values or faults, and never a secret in either.
//!
//! An input is the text of a file. Its comments `#env NAME=value` are variables of the environment.
//! Nothing is opened: `policy.toml`, `broken.toml` and `secret` are there, and no other file.

use std::{collections::BTreeSet, io, path::Path};

use policy_file::faults::Place;
use server::config::{Config, Environment};
use toml::Table;

use super::policy::says_where;

const POLICY: &str = include_str!("../../../policies/all-sales-final.toml");
/// A part of every secret.
const SECRET: &str = "whisper";
/// The most variables of an input.
const VARIABLES_MAX: usize = 16;

/// Checks one input.
///
/// # Panics
/// A configuration contradicts itself or tells a secret, or a fault says nothing.
pub fn check(input: &[u8]) {
    let Ok(text) = std::str::from_utf8(input) else { return };
    let variables = variables(text);
    let hushed = !text.contains(SECRET);
    let path = Path::new("/etc/tallyhook/tallyhook.toml");
    let parse =
        |text: &str| Config::parse(text, path, &Environment::of(&variables), &|path| file(path));
    match parse(text) {
        Ok(config) => {
            coherent(&config);
            let shown = format!("{config:?}");
            assert!(!hushed || !shown.contains(SECRET), "a secret is shown: {shown}");
            let printed = text.parse::<Table>().expect("a configuration is TOML").to_string();
            let again = parse(&printed).map(|config| format!("{config:?}"));
            assert_eq!(again.as_ref(), Ok(&shown), "printed as\n{printed}");
        }
        Err(faults) => {
            assert!(!hushed || !faults.to_string().contains(SECRET), "a secret is told: {faults}");
            for (faulty, faults) in faults.as_slice() {
                if faulty == path {
                    says_where(text, faults);
                }
                for fault in faults.as_slice() {
                    if let Place::Variable(name) = &fault.place {
                        let known = variables.iter().any(|(known, _)| **known == **name);
                        assert!(known, "there is no variable {name}");
                    }
                }
            }
        }
    }
}

fn variables(text: &str) -> Vec<(&str, &str)> {
    let said = text.lines().filter_map(|line| line.strip_prefix("#env ")?.split_once('='));
    [("PADDLE_SECRET", "a whisper"), ("EMPTY", "")]
        .into_iter()
        .chain(said.take(VARIABLES_MAX))
        .collect()
}

fn file(path: &Path) -> io::Result<String> {
    match path.strip_prefix("/etc/tallyhook").ok().and_then(Path::to_str) {
        Some("policy.toml") => Ok(POLICY.to_owned()),
        Some("broken.toml") => Ok("version = 0\n".to_owned()),
        Some("secret") => Ok("another whisper\r\n".to_owned()),
        Some(_) | None => Err(io::Error::from(io::ErrorKind::NotFound)),
    }
}

/// What the rest of the server relies on without looking again.
fn coherent(config: &Config) {
    let Config { public, private, data, tokens, ledgers, nats, checkpoints } = config;
    assert!(public != private || public.port() == 0, "webhooks and the API are apart");
    assert!(!data.as_os_str().is_empty() && !ledgers.is_empty(), "something is served");
    assert!(
        nats.as_ref().is_none_or(|nats| !nats.access.servers.is_empty()),
        "the broker has an address"
    );
    let has_origin = !checkpoints.origin.is_empty() && !checkpoints.origin.contains(['+', ' ']);
    assert!(has_origin && !checkpoints.every.is_zero(), "checkpoints have a name and a time");
    let names: BTreeSet<&str> = tokens.iter().map(|token| token.name.as_str()).collect();
    let digests: BTreeSet<&[u8; 32]> = tokens.iter().map(|token| &token.digest.0).collect();
    assert!(names.len() == tokens.len() && digests.len() == tokens.len(), "tokens are apart");
    let bound = tokens.iter().flat_map(|token| &token.ledgers);
    assert!(bound.into_iter().all(|ledger| ledgers.contains_key(ledger)), "bound to what is there");
    let sources: Vec<_> = ledgers.values().flat_map(|ledger| &ledger.sources).collect();
    let names: BTreeSet<&str> = sources.iter().map(|source| source.name.as_str()).collect();
    assert_eq!(names.len(), sources.len(), "every endpoint is one source");
    assert!(sources.iter().all(|source| !source.secrets.is_empty()), "nothing is believed");
    for ledger in ledgers.values() {
        assert!(!ledger.settings.account_from.is_empty(), "accounts are named somewhere");
        for source in &ledger.sources {
            let of_source = (source.tolerance_seconds, source.future_seconds);
            let of_ledger = (ledger.settings.tolerance_seconds, ledger.settings.future_seconds);
            assert_eq!(of_source, of_ledger, "one tolerance for a ledger");
        }
    }
}
