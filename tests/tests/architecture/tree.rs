//! The texts that the checks read, and what they find.

use std::{collections::BTreeMap, fmt, fs, io, path::Path, path::PathBuf};

/// The folders with our Rust.
const FOLDERS: [&str; 2] = ["crates", "tests"];

/// Manifests and sources by path from the workspace's root.
pub(crate) struct Tree(BTreeMap<String, String>);

/// A place where a rule is broken.
pub(crate) struct Breach {
    pub(crate) file: String,
    pub(crate) line: usize,
    pub(crate) what: String,
}

impl Breach {
    pub(crate) fn new(file: &str, line: usize, what: impl Into<String>) -> Self {
        Self { file: file.to_owned(), line, what: what.into() }
    }
}

impl fmt::Display for Breach {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}: {}", self.file, self.line, self.what)
    }
}

/// The workspace's root.
pub(crate) fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

impl Tree {
    /// Reads every `.rs` and `Cargo.toml` of the workspace's packages.
    pub(crate) fn read(root: &Path) -> io::Result<Self> {
        let mut files = BTreeMap::new();
        for folder in FOLDERS {
            read_folder(&root.join(folder), folder, &mut files)?;
        }
        Ok(Self(files))
    }

    /// A tree of these files.
    pub(crate) fn of(files: &[(&str, &str)]) -> Self {
        Self(files.iter().map(|&(path, text)| (path.to_owned(), text.to_owned())).collect())
    }

    /// The Rust files under a path.
    pub(crate) fn sources(&self, under: &str) -> impl Iterator<Item = (&str, &str)> {
        self.files().filter(move |(path, _)| path.starts_with(under) && path.ends_with(".rs"))
    }

    /// The manifests, each with the folder that it describes.
    pub(crate) fn manifests(&self) -> impl Iterator<Item = (&str, &str, &str)> {
        self.files().filter_map(|(path, text)| {
            path.strip_suffix("/Cargo.toml").map(|folder| (folder, path, text))
        })
    }

    fn files(&self) -> impl Iterator<Item = (&str, &str)> {
        self.0.iter().map(|(path, text)| (path.as_str(), text.as_str()))
    }
}

fn read_folder(folder: &Path, name: &str, files: &mut BTreeMap<String, String>) -> io::Result<()> {
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        let below = entry.file_name();
        let below = below.to_string_lossy();
        let path = format!("{name}/{below}");
        if entry.file_type()?.is_dir() {
            if below != "target" {
                read_folder(&entry.path(), &path, files)?;
            }
        } else if below == "Cargo.toml" || below.ends_with(".rs") {
            files.insert(path, fs::read_to_string(entry.path())?);
        }
    }
    Ok(())
}
