//! `backup`.

mod stream;

use std::path::{Path, PathBuf};

use anyhow::anyhow;
use clap::Args;
use event_store::backup::{
    BackupError, PlanError, Progress, Source,
    manifest::{Ends, Manifest, ManifestError},
    receive, take,
};
use event_store::log::ReadError;
use event_store::sled::{Options, SledStore};
use serde_json::{Value, json};
use server::{
    clock::{Clock as _, SystemClock},
    config::{Environment, Places},
};

use crate::{
    Done,
    api::TOKEN_ENV,
    exit::{Exit, Failed},
    print,
    progress::Shown,
};

#[derive(Debug, Args)]
pub(crate) struct BackupArguments {
    /// Into this folder, which must be empty or not there.
    #[arg(long, value_name = "FOLDER")]
    to: PathBuf,
    /// An earlier backup, full or not: only what came after it is copied.
    #[arg(long, value_name = "FOLDER")]
    since: Option<PathBuf>,
    /// The configuration, which says where the data and the server are.
    #[arg(long, default_value = "tallyhook.toml")]
    config: PathBuf,
    /// The private listener of the running server.
    #[arg(long, value_name = "URL", alias = "url", conflicts_with = "data")]
    server: Option<String>,
    /// The data folder of a stopped server.
    #[arg(long, value_name = "FOLDER")]
    data: Option<PathBuf>,
    /// The environment variable with the bearer token for a running server, which needs the role
    /// operate in every ledger.
    #[arg(long, default_value = TOKEN_ENV)]
    token_env: String,
    /// Prints JSON.
    #[arg(long)]
    json: bool,
}

pub(crate) fn backup(arguments: &BackupArguments) -> Done {
    let since = match &arguments.since {
        Some(dir) => Manifest::read(dir).map_err(BackupError::from).map_err(failed)?.ends(),
        None => Ends::default(),
    };
    refuse_occupied(&arguments.to)?;
    let manifest = match (&arguments.server, &arguments.data) {
        (Some(server), _) => online(arguments, server, &since)?,
        (None, Some(data)) => offline(arguments, data, &since)?
            .map_err(|in_use| in_use.context("name the running server with --server"))?,
        (None, None) => configured(arguments, &since)?,
    };
    print(&if arguments.json {
        listed(&arguments.to, &manifest).to_string()
    } else {
        told(&arguments.to, &manifest)
    });
    Ok(Exit::Clean)
}

/// Before the server is asked for anything.
fn refuse_occupied(to: &Path) -> Result<(), Failed> {
    let occupied = std::fs::read_dir(to).is_ok_and(|mut entries| entries.next().is_some());
    if occupied && !to.join("unfinished").exists() {
        return Err(failed(BackupError::NotEmpty { dir: to.to_path_buf() }));
    }
    Ok(())
}

/// The data that the configuration names, or the server that has them open.
fn configured(arguments: &BackupArguments, since: &Ends) -> Result<Manifest, Failed> {
    let places = Places::load(&arguments.config, &Environment::of_process());
    let places = places.map_err(|error| {
        Failed::usage(error).context("say where the log is with --config, --server or --data")
    })?;
    if let Ok(manifest) = offline(arguments, &places.data, since)? {
        return Ok(manifest);
    }
    if places.private.port() == 0 {
        return Err(Failed::usage(anyhow!(
            "a server runs on {}, and {} leaves its port open; name it with --server",
            places.data.display(),
            arguments.config.display()
        )));
    }
    online(arguments, &format!("http://{}", places.private), since)
}

/// The inner error: a server has the store open.
fn offline(
    arguments: &BackupArguments,
    data: &Path,
    since: &Ends,
) -> Result<Result<Manifest, Failed>, Failed> {
    if !data.is_dir() {
        let error = anyhow!("{} is no folder; name the data folder with --data", data.display());
        return Err(Failed::unopened(error));
    }
    let store = match SledStore::open(data, Options::STANDARD) {
        Ok(store) => store,
        Err(error) if error.is_in_use() => return Ok(Err(Failed::unopened(error))),
        Err(error) => return Err(Failed::unopened(error)),
    };
    let mut shown = Shown::new("backup");
    let mut progress = |Progress { done, total }| shown.at(done, total);
    let source = Source::of(&store);
    let made = take(&source, since, SystemClock.now(), &arguments.to, &mut progress);
    Ok(Ok(made.map_err(failed)?))
}

fn online(arguments: &BackupArguments, server: &str, since: &Ends) -> Result<Manifest, Failed> {
    let stream = stream::ask(server, &arguments.token_env, since)?;
    let mut shown = Shown::new("backup");
    let mut progress = |Progress { done, total }| shown.at(done, total);
    receive(stream, since, &arguments.to, &mut progress).map_err(failed)
}

/// An error with the exit code that is documented for it.
pub(crate) fn failed(error: BackupError) -> Failed {
    match &error {
        BackupError::NotEmpty { .. }
        | BackupError::NotFull { .. }
        | BackupError::OutOfOrder { .. }
        | BackupError::Manifest(
            ManifestError::NoBackup { .. } | ManifestError::Unfinished { .. },
        ) => Failed::usage(error),
        BackupError::Plan(PlanError::OtherLog { .. } | PlanError::Rewritten { .. })
        | BackupError::Read(ReadError::Damaged { .. })
        | BackupError::Manifest(ManifestError::Damaged { .. }) => Failed::absent(error),
        BackupError::Plan(PlanError::Read(_))
        | BackupError::Read(ReadError::Failed { .. } | ReadError::NotIndexed)
        | BackupError::Manifest(ManifestError::File { .. })
        | BackupError::Other
        | BackupError::File { .. }
        | BackupError::Open(_)
        | BackupError::Stream(_)
        | BackupError::Write(_) => Failed::unopened(error),
    }
}

fn listed(to: &Path, manifest: &Manifest) -> Value {
    let ledgers = manifest.spans().iter().map(|(ledger, span)| {
        json!({
            "ledger": ledger.as_str(),
            "after": span.after.map_or(0, |after| after.sequence.get()),
            "last": span.last.sequence.get(),
            "hash": span.last.hash.to_string(),
        })
    });
    json!({
        "ok": true,
        "to": to.display().to_string(),
        "made_at": manifest.made_at().to_string(),
        "increment": manifest.is_increment(),
        "records": manifest.records(),
        "ledgers": ledgers.collect::<Vec<_>>(),
    })
}

fn told(to: &Path, manifest: &Manifest) -> String {
    let kind = if manifest.is_increment() { "increment" } else { "full backup" };
    let mut lines = vec![format!("{kind} in {}: {} records", to.display(), manifest.records())];
    lines.extend(manifest.spans().iter().map(|(ledger, span)| {
        let first = span.after.map_or(1, |after| after.sequence.next().get());
        match span.records() {
            0 => format!("{ledger}: nothing new, up to record {}", span.last.sequence),
            _ => format!("{ledger}: records {first} to {}", span.last.sequence),
        }
    }));
    lines.join("\n")
}
