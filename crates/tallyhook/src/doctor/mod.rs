//! `doctor`: looks at the machine and says what is wrong for a server with this configuration.
//!
//! [`disk`], [`files`], [`clock`], [`log`] and [`broker`] look at one thing each and give
//! [`check::Check`]s. Beside a running server all but the log itself is looked at.
//!
//! Never here: a change, but for one file without a name on the data's disk, and what opening the
//! log does when that was asked for.

mod broker;
mod check;
mod clock;
mod disk;
mod files;
mod log;

use std::path::{Path, PathBuf};

use clap::Args;
use rustix::process::{Resource, getrlimit};
use serde_json::{Value, json};
use server::{
    checkup,
    config::{Config, Environment, LoadError},
};

use crate::{
    Done,
    exit::{Exit, Failed},
    print,
};
use check::{Check, Verdict};

#[derive(Debug, Args)]
pub(crate) struct DoctorArguments {
    /// The configuration.
    #[arg(long, default_value = "tallyhook.toml")]
    config: PathBuf,
    /// Also opens the log of a stopped server and holds it against what was noted; opening cleans
    /// up after a crash, as a start does.
    #[arg(long)]
    log: bool,
    /// Prints JSON.
    #[arg(long)]
    json: bool,
}

pub(crate) fn doctor(arguments: &DoctorArguments) -> Done {
    let DoctorArguments { config: path, log, json } = arguments;
    let text = std::fs::read_to_string(path).unwrap_or_default();
    let checks = match Config::load(path, &Environment::of_process()) {
        Ok(config) => {
            let found = "readable, its policies and secrets too";
            let mut checks = vec![Check::pass("configuration", found)];
            checks.push(files::secret_permissions(path, &text));
            checks.extend(machine(&config, *log));
            checks
        }
        Err(LoadError::Faulty(faults)) => {
            let remedy = "correct it; what it names can't be looked at until then";
            let faulty = Check::fail("configuration", faults.to_string(), remedy);
            vec![faulty, files::secret_permissions(path, &text)]
        }
        Err(error @ LoadError::Unreadable { .. }) => return Err(Failed::unopened(error)),
    };
    let failed = checks.iter().any(|check| check.verdict == Verdict::Fail);
    if *json {
        let list: Vec<Value> = checks.iter().map(Check::listed).collect();
        print(&json!({"ok": !failed, "checks": list}).to_string());
    } else {
        checks.iter().for_each(|check| print(&check.told()));
    }
    Ok(if failed { Exit::Findings } else { Exit::Clean })
}

/// All that a good configuration leads to.
fn machine(config: &Config, open_log: bool) -> Vec<Check> {
    let before = clock::Both::now();
    let mut checks = if config.data.is_dir() {
        data(&config.data, open_log)
    } else {
        let found = format!("{} is not there yet; the first start makes it", config.data.display());
        let mut checks = vec![Check::pass("data", found)];
        if let Some(place) = parent(&config.data) {
            checks.extend(disk_of(&place, false));
        }
        checks
    };
    checks.push(clock::kept(Path::new("/")));
    checks.push(open_files());
    match &config.nats {
        Some(nats) => checks.extend(broker::looked_at(nats)),
        None => {
            let remedy = "write [nats] to have balance events published";
            checks.push(Check::skip("broker", "none is configured", remedy));
        }
    }
    checks.push(clock::steady(&before, &clock::Both::now()));
    checks
}

/// Where the data lies, and the data.
fn data(data: &Path, open_log: bool) -> Vec<Check> {
    let running = match checkup::is_running(data) {
        Ok(running) => running,
        Err(error) => {
            let remedy = "run as the server's user";
            return vec![Check::fail("data", format!("can't be looked at: {error}"), remedy)];
        }
    };
    let state = if running { "the server is running" } else { "no server has it open" };
    let mut checks = vec![Check::pass("data", format!("{}: {state}", data.display()))];
    checks.push(files::data_permissions(data));
    checks.extend(disk_of(data, running));
    checks.push(files::blobs(data));
    checks.push(files::leftovers(data));
    checks.push(files::strangers(data));
    checks.push(clock::behind_note(data));
    if open_log && !running {
        checks.extend(log::opened(data));
    } else {
        checks.push(log::not_opened(running));
    }
    checks
}

/// The disk that a folder is on.
fn disk_of(dir: &Path, running: bool) -> Vec<Check> {
    let mut checks = vec![disk::file_system(dir)];
    checks.extend(disk::syncs(dir));
    checks.extend(disk::room(dir, running));
    checks
}

/// The nearest folder above that is there.
fn parent(path: &Path) -> Option<PathBuf> {
    let path = std::path::absolute(path).ok()?;
    path.ancestors().skip(1).find(|above| above.is_dir()).map(Path::to_path_buf)
}

/// How many files this user may have open. A service may be given another limit.
fn open_files() -> Check {
    const NAME: &str = "open files";
    let limit = getrlimit(Resource::Nofile).current;
    match limit {
        None => Check::pass(NAME, "without limit"),
        Some(limit) if limit < checkup::OPEN_FILES => Check::warn(
            NAME,
            format!("{limit} for this user here, and {} may be needed", checkup::OPEN_FILES),
            "raise it with `ulimit -n`, or LimitNOFILE= of the service",
        ),
        Some(limit) => Check::pass(NAME, format!("{limit} for this user here")),
    }
}
