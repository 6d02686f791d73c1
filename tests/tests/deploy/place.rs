//! Where things are, and what a program said.

use std::{
    fs,
    path::{Component, Path, PathBuf},
    process::Output,
};

use anyhow::{Context as _, Result};
use tallyhook_tests::environment;

pub(crate) fn text(path: &str) -> Result<String> {
    fs::read_to_string(environment::workspace().join(path)).with_context(|| path.to_owned())
}

pub(crate) fn said(output: &Output) -> String {
    let (out, err) = (&output.stdout, &output.stderr);
    format!("{}{}", String::from_utf8_lossy(out), String::from_utf8_lossy(err))
}

/// Whether a path from the workspace's root is there; `.` and `..` are resolved by name.
pub(crate) fn exists(path: &str) -> bool {
    let mut plain = PathBuf::new();
    for part in Path::new(path).components() {
        match part {
            Component::ParentDir => drop(plain.pop()),
            Component::Normal(name) => plain.push(name),
            Component::CurDir | Component::RootDir | Component::Prefix(_) => {}
        }
    }
    environment::workspace().join(plain).exists()
}
