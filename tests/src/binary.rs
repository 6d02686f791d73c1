//! The binary under test.

use std::{
    path::{Path, PathBuf},
    process::Command,
    sync::OnceLock,
};

use anyhow::{Context, Result, anyhow, ensure};

use crate::environment;

/// The path of `tallyhook`: the one that the environment names, else built once for each run, by
/// the profile that this program was built by.
///
/// # Errors
/// It can't be built, or is not where it is said to be.
pub fn path() -> Result<&'static Path> {
    static FOUND: OnceLock<Result<PathBuf, String>> = OnceLock::new();
    let found = FOUND.get_or_init(|| find().map_err(|error| format!("{error:#}")));
    found.as_deref().map_err(|error| anyhow!("no binary to test: {error}"))
}

/// A command that runs the binary with these arguments, knowing nothing of the tester's settings.
///
/// # Errors
/// There is no binary.
pub fn command(arguments: &[&str]) -> Result<Command> {
    let mut command = Command::new(path()?);
    for (name, _) in std::env::vars_os() {
        if name.to_string_lossy().starts_with("TALLYHOOK_") {
            command.env_remove(name);
        }
    }
    command.args(arguments);
    Ok(command)
}

/// The path of the example gateway: the one that the environment names, else built now, as
/// [`path`].
///
/// # Errors
/// It can't be built, or is not where it is said to be.
pub fn gateway() -> Result<PathBuf> {
    if let Some(named) = environment::variable(environment::GATEWAY) {
        ensure!(named.is_file(), "{} names {}", environment::GATEWAY, named.display());
        return Ok(named);
    }
    build(&["--package", "subscriber", "--example", "gateway"], "examples/gateway")
}

/// The path of `tallyhook-verify`: the one that the environment names, else built now, as [`path`].
///
/// # Errors
/// It can't be built, or is not where it is said to be.
pub fn verifier() -> Result<PathBuf> {
    if let Some(named) = environment::variable(environment::VERIFIER) {
        ensure!(named.is_file(), "{} names {}", environment::VERIFIER, named.display());
        return Ok(named);
    }
    build(&["--package", "tallyhook-verify"], "tallyhook-verify")
}

fn find() -> Result<PathBuf> {
    if let Some(named) = environment::variable(environment::BINARY) {
        ensure!(named.is_file(), "{} names {}", environment::BINARY, named.display());
        return Ok(named);
    }
    build(&["--package", "tallyhook"], "tallyhook")
}

/// Has cargo build something, and gives its path, which is known below the profile's folder.
fn build(what: &[&str], path: &str) -> Result<PathBuf> {
    // Test programs lie in `target/{profile}/deps`, beside what they test.
    let program = std::env::current_exe().context("find this program")?;
    let folder = program.ancestors().nth(2).context("this program lies in no target folder")?;
    let profile = match folder.file_name().and_then(|name| name.to_str()) {
        Some("debug") => "dev",
        Some(name) => name,
        None => return Err(anyhow!("{} names no profile", folder.display())),
    };
    let cargo = environment::variable(environment::CARGO).unwrap_or_else(|| "cargo".into());
    let target = folder.parent().context("the profile's folder has no parent")?;
    let built = Command::new(cargo)
        .args(["build", "--quiet", "--profile", profile])
        .args(what)
        .arg("--target-dir")
        .arg(target)
        .current_dir(environment::workspace())
        .status()
        .context("start cargo")?;
    ensure!(built.success(), "`cargo build {}` failed", what.join(" "));
    let binary = folder.join(path);
    ensure!(binary.is_file(), "cargo built no {}", binary.display());
    Ok(binary)
}
