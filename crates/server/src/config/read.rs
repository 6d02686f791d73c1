//! Which keys the configuration has, and what they become.

use std::{
    collections::{BTreeMap, BTreeSet},
    net::SocketAddr,
    path::{Path, PathBuf},
    sync::Arc,
};

use domain::{
    ids::{Actor, Digest, LedgerId, SourceName, Text},
    input::{Mode, Settings},
};
use ingestion::pointer::Pointer;
use policy_file::{
    faults::Faults,
    reader::{Faulted, Item, Reader},
};
use sha2::{Digest as _, Sha256};

use super::{
    Config, Environment, Files, Ledger, Role, Token, checkpoints, nats, settings_without_source,
    shown,
    source::{agreeing, source},
};

/// The keys of the root table.
pub(super) const TOP: [&str; 5] = ["server", "tokens", "ledgers", "nats", "checkpoints"];

/// What the configuration names outside of itself.
pub(super) struct Around<'a> {
    pub(super) folder: &'a Path,
    pub(super) environment: &'a Environment,
    pub(super) files: &'a Files<'a>,
    /// What is wrong with the policies.
    pub(super) policies: Vec<(PathBuf, Faults)>,
}

/// Where the API and the data are.
pub(super) fn places(root: &mut Reader<'_, '_>) -> Result<(SocketAddr, PathBuf), Faulted> {
    let server = server_table(root);
    server.map(|(_, private, data)| (private, data))
}

pub(super) fn config(
    root: &mut Reader<'_, '_>,
    around: &mut Around<'_>,
) -> Result<Config, Faulted> {
    let server = server_table(root);
    let ledgers = root
        .required("ledgers", "add [ledgers.main] with policy, mode and account_from")
        .and_then(|mut item| ledgers(&mut item, around));
    let names: Option<BTreeSet<LedgerId>> =
        ledgers.as_ref().ok().map(|ledgers| ledgers.keys().cloned().collect());
    let tokens = root
        .optional("tokens")
        .map_or(Ok(Vec::new()), |mut item| tokens(&mut item, names.as_ref()));
    let nats = root
        .optional("nats")
        .map(|mut item| item.table(&nats::KEYS, |table| nats::nats(table, around)))
        .transpose();

    let checkpoints = root.optional("checkpoints").map_or(Ok(checkpoints::usual()), |mut item| {
        item.table(&checkpoints::KEYS, |table| checkpoints::checkpoints(table, around))
    });

    let (public, private, data) = server?;
    let data = around.folder.join(data);
    let (tokens, ledgers, nats) = (tokens?, ledgers?, nats?);
    Ok(Config { public, private, data, tokens, ledgers, nats, checkpoints: checkpoints? })
}

fn server_table(root: &mut Reader<'_, '_>) -> Result<(SocketAddr, SocketAddr, PathBuf), Faulted> {
    root.required("server", "add [server] with public, private and data")
        .and_then(|mut item| item.table(&["public", "private", "data"], server))
}

fn server(table: &mut Reader<'_, '_>) -> Result<(SocketAddr, SocketAddr, PathBuf), Faulted> {
    let public = address(table, "public", "write public = \"127.0.0.1:8080\"");
    let private = address(table, "private", "write private = \"127.0.0.1:8081\"");
    let data =
        table.required("data", "write data = \"data\"").and_then(|mut item| match item.text()? {
            "" => Err(item.fault("must not be empty", "name a folder, such as \"data\"")),
            folder => Ok(PathBuf::from(folder)),
        });
    let (public, private) = (public?, private?);
    if public == private && public.port() != 0 {
        let remedy = "give each its own port: webhooks and the API are never served together";
        return Err(table.fault("has one address for public and private", remedy));
    }
    Ok((public, private, data?))
}

fn address(table: &mut Reader<'_, '_>, key: &str, remedy: &str) -> Result<SocketAddr, Faulted> {
    table.required(key, remedy).and_then(|mut item| {
        let remedy =
            "write an IP address and a port, such as \"127.0.0.1:8080\"; port 0 takes a free one";
        item.text_as(remedy, |text| {
            text.parse::<SocketAddr>().map_err(|_| "is no address with port")
        })
    })
}

fn tokens(
    list: &mut Item<'_, '_>,
    ledgers: Option<&BTreeSet<LedgerId>>,
) -> Result<Vec<Token>, Faulted> {
    let mut names = BTreeSet::new();
    let mut digests = BTreeSet::new();
    list.list(|item| {
        item.table(&["name", "sha256", "roles", "ledgers"], |table| {
            let token = token(table, ledgers)?;
            if !names.insert(token.name.clone()) {
                return Err(table.fault("has the name of an earlier token", "choose another name"));
            }
            if !digests.insert(token.digest) {
                let remedy = "make one for each caller with `tallyhook token new`";
                return Err(table.fault("has the sha256 of an earlier token", remedy));
            }
            Ok(token)
        })
    })
}

fn token(
    table: &mut Reader<'_, '_>,
    ledgers: Option<&BTreeSet<LedgerId>>,
) -> Result<Token, Faulted> {
    const ROLES: [(&str, Role); 3] =
        [("read", Role::Read), ("spend", Role::Spend), ("operate", Role::Operate)];
    let name = table
        .required("name", "write name = \"gateway\"")
        .and_then(|mut item| item.text_as("choose a short name", Actor::new));
    let digest = table
        .required("sha256", "make one with `tallyhook token new`")
        .and_then(|mut item| digest(&mut item));
    let roles = table
        .required("roles", "write roles = [\"read\"]")
        .and_then(|mut item| item.list(|role| role.choice(&ROLES)));
    let bound = table.required("ledgers", "write ledgers = [\"main\"]").and_then(|mut item| {
        item.list(|item| {
            let ledger = item.text_as("write a ledger's name", LedgerId::new)?;
            match ledgers {
                Some(known) if !known.contains(&ledger) => {
                    let remedy = format!("add [ledgers.{ledger}] or name another");
                    Err(item.fault("names a ledger that is not configured", remedy))
                }
                Some(_) | None => Ok(ledger),
            }
        })
    });
    Ok(Token { name: name?, digest: digest?, roles: roles?, ledgers: bound? })
}

/// The text is never shown: somebody might have written the token itself.
fn digest(item: &mut Item<'_, '_>) -> Result<Digest, Faulted> {
    let mut bytes = [0; 32];
    match hex::decode_to_slice(item.text()?, &mut bytes) {
        Ok(()) => Ok(Digest(bytes)),
        Err(_) => Err(item.fault(
            "is not the 64 hexadecimal digits of a SHA-256",
            "take sha256 from `tallyhook token new`, not the token itself",
        )),
    }
}

fn ledgers(
    item: &mut Item<'_, '_>,
    around: &mut Around<'_>,
) -> Result<BTreeMap<LedgerId, Ledger>, Faulted> {
    let mut sources = BTreeSet::new();
    let ledgers = item.entries(|name, item| {
        let ledger = LedgerId::new(name)
            .map_err(|fault| item.fault(format!("as a name {fault}"), "rename the ledger"));
        let keys = ["policy", "mode", "account_from", "sources"];
        let read = item.table(&keys, |table| self::ledger(table, around, &mut sources));
        Ok((ledger?, read?))
    })?;
    if ledgers.is_empty() {
        return Err(item.fault("has no ledger", "add [ledgers.main]"));
    }
    Ok(ledgers.into_iter().collect())
}

fn ledger(
    table: &mut Reader<'_, '_>,
    around: &mut Around<'_>,
    names: &mut BTreeSet<SourceName>,
) -> Result<Ledger, Faulted> {
    let policy = table
        .required("policy", "write policy = \"policies/all-sales-final.toml\"")
        .and_then(|mut item| policy(&mut item, around));
    let mode = table
        .required("mode", "write mode = \"live\" or \"sandbox\"")
        .and_then(|mut item| item.choice(&[("live", Mode::Live), ("sandbox", Mode::Sandbox)]));
    let pointers = table
        .required("account_from", "write account_from = [\"/data/custom_data/account_id\"]")
        .and_then(|mut item| pointers(&mut item));
    let sources = table.optional("sources").map_or(Ok(Vec::new()), |mut item| {
        let sources = item.entries(|name, item| source(name, item, around, names))?;
        agreeing(&mut item, &sources)?;
        Ok(sources)
    });
    let (policy, pointers, sources) = (policy?, pointers?, sources?);
    let account_from: Result<Vec<Text>, _> =
        pointers.iter().map(|pointer| Text::new(pointer.as_str())).collect();
    let account_from = account_from.map_err(|fault| {
        table.fault(format!("has a pointer in account_from that {fault}"), "make it shorter")
    })?;
    let settings = match sources.first() {
        Some(first) => Settings { account_from, mode: mode?, ..first.settings() },
        None => settings_without_source(mode?, account_from),
    };
    let sources = sources.into_iter().map(|read| Arc::new(read.source(&pointers))).collect();
    Ok(Ledger {
        policy: Arc::new(policy.policy),
        policy_path: policy.path,
        policy_digest: policy.digest,
        policy_text: policy.text,
        settings,
        sources,
    })
}

fn pointers(item: &mut Item<'_, '_>) -> Result<Vec<Pointer>, Faulted> {
    let remedy = "write a JSON pointer, such as \"/data/custom_data/account_id\"";
    let pointers = item.list(|item| item.text_as(remedy, Pointer::new))?;
    if pointers.is_empty() {
        Err(item.fault("names no place of the account", remedy))
    } else {
        Ok(pointers)
    }
}

/// A policy and where it came from.
struct PolicyFile {
    policy: domain::policy::Policy,
    path: PathBuf,
    digest: Digest,
    text: Arc<[u8]>,
}

fn policy(item: &mut Item<'_, '_>, around: &mut Around<'_>) -> Result<PolicyFile, Faulted> {
    let path = around.folder.join(item.text()?);
    let text = (around.files)(&path).map_err(|error| {
        let remedy = "name a policy file, relative to the configuration";
        item.fault(format!("can't be read: {} ({error})", shown(path.display())), remedy)
    })?;
    match policy_file::parse(&text) {
        Ok(policy) => {
            let digest = Digest(Sha256::digest(text.as_bytes()).into());
            Ok(PolicyFile { policy, path, digest, text: Arc::from(text.into_bytes()) })
        }
        Err(faults) => {
            let problem = format!("has faults: {}", shown(path.display()));
            around.policies.push((path, faults));
            Err(item.fault(problem, "correct the lines named below"))
        }
    }
}
