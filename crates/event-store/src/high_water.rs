//! How far each ledger was: written apart from the log, so that a log whose tail is gone is
//! noticed before anything is added to it.
//!
//! The file is text: a first line with the version, a line for each ledger with its id and last
//! sequence, and a last line with the SHA-256 of all before it. It is replaced whole, by a rename.

use std::{
    collections::BTreeMap,
    fs::File,
    io::Write as _,
    path::{Path, PathBuf},
};

use domain::ids::{LedgerId, Sequence};
use sha2::{Digest as _, Sha256};

/// The first line, which ends with the version.
const VERSION: &str = "tallyhook high-water 1";

/// The last record of each ledger.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct HighWater {
    ends: BTreeMap<LedgerId, Sequence>,
}

/// Why the high-water file can't be used.
#[derive(Debug, thiserror::Error)]
pub enum HighWaterError {
    /// The file is not as it was written.
    #[error("read {path}: it is damaged; check the log, then delete it")]
    Damaged {
        /// The file.
        path: PathBuf,
    },
    /// A newer program wrote the file.
    #[error("read {path}: it was written by a newer program; upgrade")]
    Newer {
        /// The file.
        path: PathBuf,
    },
    /// The file can't be read or written.
    #[error("{action} {path}")]
    File {
        /// What was tried.
        action: &'static str,
        /// The file.
        path: PathBuf,
        /// What the system said.
        #[source]
        source: std::io::Error,
    },
}

impl HighWater {
    pub(crate) const fn new(ends: BTreeMap<LedgerId, Sequence>) -> Self {
        Self { ends }
    }

    pub(crate) const fn ends(&self) -> &BTreeMap<LedgerId, Sequence> {
        &self.ends
    }

    /// Reads the file; without one, nothing was noted.
    pub(crate) fn read(path: &Path) -> Result<Self, HighWaterError> {
        match std::fs::read(path) {
            Ok(bytes) => parse(&bytes).ok_or_else(|| {
                let path = path.into();
                if is_newer(&bytes) {
                    HighWaterError::Newer { path }
                } else {
                    HighWaterError::Damaged { path }
                }
            }),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
                Ok(Self { ends: BTreeMap::new() })
            }
            Err(source) => Err(HighWaterError::File { action: "read", path: path.into(), source }),
        }
    }

    /// Replaces the file; durable when it returns `Ok`.
    pub(crate) fn write(&self, path: &Path) -> Result<(), HighWaterError> {
        replace(path, self.text().as_bytes()).map_err(|source| HighWaterError::File {
            action: "write",
            path: path.into(),
            source,
        })
    }

    pub(crate) fn text(&self) -> String {
        let lines = self.ends.iter().map(|(ledger, sequence)| format!("{ledger} {sequence}\n"));
        let text = format!("{VERSION}\n{}", lines.collect::<String>());
        let digest = hex::encode(Sha256::digest(&text));
        format!("{text}sha256 {digest}\n")
    }
}

pub(crate) fn parse(bytes: &[u8]) -> Option<HighWater> {
    let text = std::str::from_utf8(bytes).ok()?;
    let lines = text.strip_prefix(VERSION)?.strip_prefix('\n')?;
    let mut ends = BTreeMap::new();
    for line in lines.lines().take_while(|line| !line.starts_with("sha256 ")) {
        let (ledger, sequence) = line.split_once(' ')?;
        let sequence = Sequence::new(sequence.parse().ok()?)?;
        ends.insert(LedgerId::new(ledger).ok()?, sequence);
    }
    let parsed = HighWater { ends };
    // There is one text for each content, so this checks the digest too.
    (parsed.text() == text).then_some(parsed)
}

/// Whether an undamaged file has a first line like ours with another version: the last line covers
/// all that is before it, in every version.
fn is_newer(bytes: &[u8]) -> bool {
    const DIGEST_LINE_BYTES: usize = 7 + 64 + 1;
    let Some(end) = bytes.len().checked_sub(DIGEST_LINE_BYTES) else { return false };
    let (covered, digest) = bytes.split_at(end);
    let said = format!("sha256 {}\n", hex::encode(Sha256::digest(covered)));
    covered.starts_with(b"tallyhook high-water ") && digest == said.as_bytes()
}

/// Replaces a file whole; durable when it returns `Ok`.
/// Replaces a file whole; durable when it returns `Ok`.
pub(crate) fn replace(path: &Path, bytes: &[u8]) -> std::io::Result<()> {
    let new = path.with_extension("new");
    let mut file = File::create(&new)?;
    file.write_all(bytes)?;
    file.sync_all()?;
    std::fs::rename(&new, path)?;
    match path.parent() {
        Some(dir) => File::open(dir)?.sync_all(),
        None => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn noted() -> HighWater {
        let end =
            |ledger, sequence| (LedgerId::new(ledger).unwrap(), Sequence::new(sequence).unwrap());
        HighWater::new([end("main", 70_000), end("other-1", 1)].into())
    }

    #[test]
    fn what_was_noted_comes_back() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("high-water");
        assert_eq!(HighWater::read(&path).unwrap().ends().len(), 0);
        noted().write(&path).unwrap();
        noted().write(&path).unwrap();
        assert_eq!(HighWater::read(&path).unwrap(), noted());
    }

    #[test]
    fn a_file_of_a_newer_program_is_told_from_a_damaged_one() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("high-water");
        let text = "tallyhook high-water 2\nmain 7 and more\n";
        let digest = hex::encode(Sha256::digest(text));
        std::fs::write(&path, format!("{text}sha256 {digest}\n")).unwrap();
        let refused = HighWater::read(&path).unwrap_err();
        assert!(matches!(refused, HighWaterError::Newer { .. }));
        assert!(refused.to_string().ends_with("it was written by a newer program; upgrade"));
        std::fs::write(&path, format!("{text}sha256 {}\n", digest.replace('a', "b"))).unwrap();
        assert!(matches!(HighWater::read(&path), Err(HighWaterError::Damaged { .. })));
    }

    #[test]
    fn any_flipped_or_missing_byte_is_noticed() {
        let good = noted().text().into_bytes();
        for at in 0..good.len() {
            let mut bad = good.clone();
            bad[at] ^= 1;
            assert_eq!(parse(&bad), None);
            assert_eq!(parse(&good[..at]), None);
        }
    }
}
