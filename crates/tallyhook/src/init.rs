//! `init`: a first configuration and policies to begin with.

use std::{fs, io::Write as _, path::Path};

use anyhow::anyhow;
use serde_json::json;

use crate::{
    Done,
    exit::{Exit, Failed},
    print,
};

macro_rules! policy {
    ($path:literal) => {
        ($path, include_str!(concat!("../../../", $path)))
    };
}

/// What is written, by path in the folder.
const FILES: [(&str, &str); 7] = [
    ("tallyhook.toml", include_str!("tallyhook.toml")),
    policy!("policies/all-sales-final.toml"),
    policy!("policies/unused-balance.toml"),
    policy!("policies/case-by-case.toml"),
    policy!("policies/scenarios/all-sales-final.toml"),
    policy!("policies/scenarios/unused-balance.toml"),
    policy!("policies/scenarios/case-by-case.toml"),
];

pub(crate) fn init(folder: &Path, json: bool) -> Done {
    let taken: Vec<String> = FILES
        .iter()
        .map(|(name, _)| folder.join(name))
        .filter(|path| path.exists())
        .map(|path| path.display().to_string())
        .collect();
    if !taken.is_empty() {
        let error = anyhow!(
            "{} there already; nothing was written: move it away or choose another --directory",
            taken.join(", ")
        );
        return Err(Failed::usage(error));
    }
    for (name, text) in FILES {
        let path = folder.join(name);
        written(&path, text).map_err(|error| {
            Failed::unopened(error).context(format!("write {}", path.display()))
        })?;
    }
    let config = folder.join("tallyhook.toml").display().to_string();
    if json {
        let names: Vec<&str> = FILES.iter().map(|(name, _)| *name).collect();
        print(&json!({"directory": folder.display().to_string(), "written": names}).to_string());
    } else {
        for (name, _) in FILES {
            print(&format!("wrote {}", folder.join(name).display()));
        }
        print(&format!(
            "\nNext:\n  export PADDLE_SECRET=...      # the endpoint's secret key\n  tallyhook config check --config {config}\n  tallyhook serve --config {config}"
        ));
    }
    Ok(Exit::Clean)
}

/// Makes the file and nothing else: one that appeared meanwhile is not overwritten.
fn written(path: &Path, text: &str) -> std::io::Result<()> {
    if let Some(folder) = path.parent() {
        fs::create_dir_all(folder)?;
    }
    fs::File::create_new(path)?.write_all(text.as_bytes())
}

#[cfg(test)]
mod tests {
    use server::config::{Config, Environment};

    use super::*;

    /// A policy and its scenarios that are shipped are written, so that a copy can be tested.
    #[test]
    fn every_policy_of_the_project_is_written_with_its_scenarios() {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
        let mut shipped = Vec::new();
        for folder in ["policies", "policies/scenarios"] {
            for entry in fs::read_dir(root.join(folder)).unwrap() {
                let name = entry.unwrap().file_name().into_string().unwrap();
                if name.ends_with(".toml") {
                    shipped.push(format!("{folder}/{name}"));
                }
            }
        }
        shipped.sort();
        let mut written: Vec<&str> = FILES.iter().skip(1).map(|(name, _)| *name).collect();
        written.sort_unstable();
        assert_eq!(written, shipped);
        for (name, text) in FILES.iter().skip(1) {
            assert_eq!(fs::read_to_string(root.join(name)).unwrap(), *text, "{name}");
        }
    }

    #[test]
    fn what_is_written_is_a_good_configuration_and_never_overwritten() {
        let folder = tempfile::tempdir().unwrap();
        assert_eq!(init(folder.path(), true).unwrap(), Exit::Clean);
        let environment = Environment::of(&[("PADDLE_SECRET", "s")]);
        let config = Config::load(&folder.path().join("tallyhook.toml"), &environment).unwrap();
        assert_eq!(config.ledgers.len(), 1);
        assert!(init(folder.path(), true).is_err());
    }
}
