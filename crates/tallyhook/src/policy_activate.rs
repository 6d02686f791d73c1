//! `policy activate`: puts a version in force, on a running server or in a stopped one's data.

use std::{path::PathBuf, sync::Arc};

use anyhow::anyhow;
use clap::{ArgGroup, Args};
use domain::{
    ids::{Actor, LedgerId},
    policy::{Policy, Timeline, TimelineFault},
    time::Timestamp,
};
use policy_file::Difference;
use serde_json::{Value, json};
use server::{
    activate::{ActivateError, Activated, Activation, activate, digest, key},
    clock::{Clock as _, SystemClock},
    config::{Config, Environment},
};

use crate::{
    Done,
    api::{Api, ServerArguments, TOKEN_ENV, ledger},
    checks::{listed, said},
    exit::{Exit, Failed, told},
    policy::differences_text,
    print,
};

/// Who activates in a stopped server's data, unless a name is given.
const ACTOR: &str = "command line";

#[derive(Debug, Args)]
#[command(group(ArgGroup::new("where").required(true).args(["server", "config"])))]
pub(crate) struct ActivateArguments {
    /// The policy.
    file: PathBuf,
    /// The private listener of the running server.
    #[arg(long, value_name = "URL", alias = "url")]
    server: Option<String>,
    /// The configuration of a stopped server, in whose data the version is put in force.
    #[arg(long)]
    config: Option<PathBuf>,
    /// The ledger.
    #[arg(long, default_value = "main")]
    ledger: String,
    /// The environment variable with the bearer token for the running server.
    #[arg(long, default_value = TOKEN_ENV)]
    token_env: String,
    /// Who activates: stands in the record. A running server knows it by the token.
    #[arg(long, conflicts_with = "server")]
    actor: Option<String>,
    /// Prints JSON.
    #[arg(long)]
    json: bool,
}

/// A file that holds a policy.
struct Offered {
    path: PathBuf,
    text: Arc<[u8]>,
    policy: Arc<Policy>,
}

/// What came of it.
enum Outcome {
    /// The version is in force by this record.
    Now { sequence: u64, before: Arc<Policy> },
    /// The same text was in force already.
    Before,
    /// A rule refused.
    Refused { why: String, remedy: String },
}

/// What must be done so that the server starts again.
struct Restart {
    /// The configured file, where it is known and another text.
    configured: Option<PathBuf>,
    /// Whether it is known that the configured file is this text.
    is_settled: bool,
}

pub(crate) fn policy_activate(arguments: &ActivateArguments) -> Done {
    let Some(offered) = offered(arguments)? else { return Ok(Exit::Usage) };
    let (outcome, restart) = match (&arguments.server, &arguments.config) {
        (Some(server), _) => (online(arguments, server, &offered)?, Restart::UNKNOWN),
        (None, Some(config)) => offline(arguments, config.clone(), &offered)?,
        (None, None) => return Err(Failed::usage(anyhow!("give --server or --config"))),
    };
    Ok(match outcome {
        Outcome::Refused { why, remedy } => refused(arguments, &why, &remedy),
        Outcome::Now { sequence, before } => {
            shown(arguments, &offered, Some((sequence, &before)), &restart)
        }
        Outcome::Before => shown(arguments, &offered, None, &restart),
    })
}

/// The file's policy; nothing when it is faulty, which is said as `policy check` says it.
fn offered(arguments: &ActivateArguments) -> Result<Option<Offered>, Failed> {
    let path = arguments.file.clone();
    let name = path.display().to_string();
    let text = std::fs::read_to_string(&path)
        .map_err(|error| Failed::unopened(error).context(format!("read the policy {name}")))?;
    match policy_file::parse(&text) {
        Ok(policy) => {
            let text = Arc::from(text.into_bytes());
            Ok(Some(Offered { path, text, policy: Arc::new(policy) }))
        }
        Err(faults) => {
            let told = faults.as_slice().iter().map(|fault| format!("{name}: {fault}"));
            said(arguments.json, &listed(&name, &faults), &told.collect::<Vec<_>>().join("\n"));
            Ok(None)
        }
    }
}

impl Restart {
    const UNKNOWN: Self = Self { configured: None, is_settled: false };
}

fn offline(
    arguments: &ActivateArguments,
    path: PathBuf,
    offered: &Offered,
) -> Result<(Outcome, Restart), Failed> {
    let config = Config::load(&path, &Environment::of_process()).map_err(Failed::usage)?;
    let name = ledger(&arguments.ledger)?;
    let configured = config.ledgers.get(&name).ok_or_else(|| no_ledger(&name, &config))?;
    let is_settled = configured.policy_digest == digest(&offered.text);
    let other = (!is_settled).then(|| configured.policy_path.clone());
    let restart = Restart { configured: other, is_settled };
    let actor = Actor::new(arguments.actor.as_deref().unwrap_or(ACTOR))
        .map_err(|fault| Failed::usage(anyhow!("--actor {fault}")))?;
    let (policy, text) = (Arc::clone(&offered.policy), Arc::clone(&offered.text));
    let activation = Activation { ledger: name, policy, text, actor };
    let now = SystemClock.now();
    let outcome = match activate(&config.data, &activation, now) {
        Ok(Activated::Now { sequence, before }) => {
            Outcome::Now { sequence: sequence.get(), before }
        }
        Ok(Activated::Before) => Outcome::Before,
        Err(ActivateError::Unfit { fault, last }) => {
            Outcome::Refused { why: fault.to_string(), remedy: remedy(fault, &last, now) }
        }
        Err(ActivateError::Superseded) => superseded(),
        Err(error @ (ActivateError::NoPolicy { .. } | ActivateError::Refused(_))) => {
            return Err(Failed::absent(error));
        }
        Err(
            error @ (ActivateError::NoStore { .. }
            | ActivateError::Open(_)
            | ActivateError::Fold(_)
            | ActivateError::State(_)
            | ActivateError::Step(_)
            | ActivateError::Name(_)),
        ) => return Err(Failed::unopened(error)),
    };
    Ok((outcome, restart))
}

fn no_ledger(name: &LedgerId, config: &Config) -> Failed {
    let known: Vec<&str> = config.ledgers.keys().map(LedgerId::as_str).collect();
    let known = known.join(", ");
    Failed::usage(anyhow!("the configuration has no ledger {name}; give one of {known}"))
}

fn superseded() -> Outcome {
    Outcome::Refused {
        why: "this text was in force before, and another followed it".to_owned(),
        remedy: "raise `version` to put it in force again".to_owned(),
    }
}

/// What a person can do about a refused version.
fn remedy(fault: TimelineFault, last: &Policy, now: Timestamp) -> String {
    match fault {
        TimelineFault::VersionNotRising { last, .. } => {
            format!("set version = {} or above", last.saturating_add(1))
        }
        TimelineFault::InThePast => format!(
            "what happened before keeps the rules it had: set effective_from to a moment to come, \
             such as \"{}\"; it is now {now}",
            now.days_after(1)
        ),
        TimelineFault::BeforeLast => {
            format!("set effective_from to \"{}\" or later", last.effective_from)
        }
        TimelineFault::UnitChanged => format!(
            "keep unit = {:?} and decimals = {}; another unit needs another ledger",
            last.unit.as_str(),
            last.decimals
        ),
    }
}

fn online(
    arguments: &ActivateArguments,
    server: &str,
    offered: &Offered,
) -> Result<Outcome, Failed> {
    let server = ServerArguments {
        server: server.to_owned(),
        ledger: arguments.ledger.clone(),
        token_env: arguments.token_env.clone(),
    };
    let api = Api::of(&server, "read and operate")?;
    let (timeline, last) = timeline(&api)?;
    let text = std::str::from_utf8(&offered.text).map_err(Failed::usage)?;
    if last.text == text {
        return Ok(Outcome::Before);
    }
    let key = key(digest(&offered.text)).map_err(Failed::usage)?;
    match api.post("/policies", &key, &json!({"toml": text}))? {
        Ok(carried) if carried.replayed => Ok(superseded()),
        Ok(carried) => {
            let sequence = carried.body.get("sequence").and_then(Value::as_u64);
            let sequence =
                sequence.ok_or_else(|| Failed::unopened(anyhow!("the answer has no sequence")))?;
            Ok(Outcome::Now { sequence, before: last.policy })
        }
        Err(problem) if problem.code == "policy_refused" => {
            let now = SystemClock.now();
            let fault = timeline.clone().activate(Arc::clone(&offered.policy), now).err();
            // The server's clock decides; where ours lets it pass, the server's is later.
            let fault = fault.unwrap_or(TimelineFault::InThePast);
            let remedy = remedy(fault, &last.policy, now);
            Ok(Outcome::Refused { why: problem.detail, remedy })
        }
        Err(problem) => Err(Failed::absent(anyhow!("{problem}"))),
    }
}

/// A version with the text that it was read from.
struct Version {
    policy: Arc<Policy>,
    text: String,
}

/// The first and the last version of a ledger: by these, a next one is refused or not.
fn timeline(api: &Api) -> Result<(Timeline, Version), Failed> {
    let unanswered = |problem| Failed::unopened(anyhow!("the server answered {problem}"));
    let page = api.get("/policies")?.map_err(unanswered)?;
    let items = page.get("items").and_then(Value::as_array).into_iter().flatten();
    let numbers: Vec<u64> = items.filter_map(|item| item.get("version")?.as_u64()).collect();
    let read = |number: u64| -> Result<Version, Failed> {
        let shown = api.get(&format!("/policies/{number}"))?.map_err(unanswered)?;
        let text = shown.get("toml").and_then(Value::as_str).unwrap_or_default().to_owned();
        let policy = policy_file::parse(&text)
            .map_err(|faults| Failed::unopened(faults).context("read the policy in force"))?;
        Ok(Version { policy: Arc::new(policy), text })
    };
    let last = numbers.last().copied();
    let last =
        last.ok_or_else(|| Failed::unopened(anyhow!("the ledger has no policy in force")))?;
    let first = numbers.first().copied().filter(|first| *first != last);
    let last = read(last)?;
    let mut versions =
        first.map(read).transpose()?.map(|first| first.policy).into_iter().collect::<Vec<_>>();
    versions.push(Arc::clone(&last.policy));
    Ok((Timeline::restore(versions), last))
}

fn refused(arguments: &ActivateArguments, why: &str, remedy: &str) -> Exit {
    if arguments.json {
        let problem = json!({"activated": false, "problem": why, "remedy": remedy});
        print(&problem.to_string());
        return Exit::Findings;
    }
    told(Failed::absent(anyhow!("the policy is not put in force: {why}; {remedy}")))
}

/// Says what is in force, what changes by it, and what the next start needs.
fn shown(
    arguments: &ActivateArguments,
    offered: &Offered,
    activated: Option<(u64, &Policy)>,
    restart: &Restart,
) -> Exit {
    let Offered { path, text, policy } = offered;
    let differences = activated.map(|(_, before)| policy_file::diff(before, policy));
    let digest = digest(text);
    if arguments.json {
        let each = |one: &Difference| json!({"section": one.section, "sentence": one.sentence});
        let differences = differences.unwrap_or_default();
        let shown = json!({
            "activated": activated.is_some(),
            "ledger": arguments.ledger,
            "name": policy.name.as_str(),
            "version": policy.version,
            "before": activated.map(|(_, before)| before.version),
            "effective_from": policy.effective_from.to_string(),
            "sequence": activated.map(|(sequence, _)| sequence),
            "file_sha256": digest.to_string(),
            "differences": differences.iter().map(each).collect::<Vec<_>>(),
            "configured": restart.configured.as_ref().map(|path| path.display().to_string()),
        });
        print(&shown.to_string());
        return Exit::Clean;
    }
    let (name, version) = (&policy.name, policy.version);
    let mut lines = match (activated, differences) {
        (Some((sequence, before)), Some(differences)) => vec![
            format!(
                "ledger {}: {name} version {version} follows version {} by record {sequence}; it \
                 applies from {}",
                arguments.ledger, before.version, policy.effective_from
            ),
            String::new(),
            differences_text(&differences),
        ],
        _ => vec![format!(
            "ledger {}: {name} version {version} was in force already; nothing was recorded",
            arguments.ledger
        )],
    };
    let file = path.display();
    match &restart.configured {
        Some(configured) => lines.extend([
            String::new(),
            format!(
                "The configuration names {}, which is another text: replace it by {file} before \
                 the next start, or the server refuses to start.",
                configured.display()
            ),
        ]),
        None if restart.is_settled => {}
        None => lines.extend([
            String::new(),
            format!(
                "At its next start the server needs this text as the configured policy file, or it \
                 refuses to start: replace that by {file} (SHA-256 {digest})."
            ),
        ]),
    }
    print(&lines.join("\n"));
    Exit::Clean
}
