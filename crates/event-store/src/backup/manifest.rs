//! What a backup says of itself.
//!
//! ```text
//! tallyhook backup 1
//! made 2026-09-01T00:00:00Z
//! main after 0 - 0 to 700 <hash of record 700> 640
//! sha256 <SHA-256 of all before this line>
//! ```
//!
//! A line for each ledger: its id, the record that the copied ones follow and the last copied one,
//! each with its hash and the last record that the copied index covers (`0 - 0`: from the first).

use std::{
    collections::BTreeMap,
    fmt::{self, Write as _},
    path::{Path, PathBuf},
};

use domain::{
    ids::{LedgerId, Sequence},
    time::Timestamp,
};
use sha2::{Digest as _, Sha256};

use super::UNFINISHED;
use crate::{chain::Hash, high_water::replace};

/// The file in a backup.
pub(crate) const NAME: &str = "backup";

const VERSION: &str = "tallyhook backup 1";

/// What stands where there is no record.
const NONE: &str = "0 - 0";

/// A record at which a backup ends, and so the next may start.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct End {
    /// The record.
    pub sequence: Sequence,
    /// Its hash, which covers all records before it.
    pub hash: Hash,
    /// The last record that the stored index covers.
    pub indexed: Option<Sequence>,
}

/// What a backup holds of a ledger.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Span {
    /// The record that the copied ones follow; none where they start with the first.
    pub after: Option<End>,
    /// The last copied record; that of `after` where nothing came after it.
    pub last: End,
}

/// Where a backup ends in each of its ledgers.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Ends(BTreeMap<LedgerId, End>);

/// What a backup holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Manifest {
    made_at: Timestamp,
    spans: BTreeMap<LedgerId, Span>,
}

/// Why a directory is not read as a backup.
#[derive(Debug, thiserror::Error)]
pub enum ManifestError {
    /// It holds none.
    #[error("read {}: it is no backup, there is no file {NAME:?} in it", dir.display())]
    NoBackup {
        /// The directory.
        dir: PathBuf,
    },
    /// What was copied into it was never finished.
    #[error(
        "read {}: a backup or restore into it did not finish; delete it and start that again",
        dir.display()
    )]
    Unfinished {
        /// The directory.
        dir: PathBuf,
    },
    /// The manifest is not as it was written.
    #[error("read {}: it is damaged; use another backup", path.display())]
    Damaged {
        /// The file.
        path: PathBuf,
    },
    /// The manifest can't be read or written.
    #[error("{action} {}", path.display())]
    File {
        /// What was tried.
        action: &'static str,
        /// On what.
        path: PathBuf,
        /// What the system said.
        #[source]
        source: std::io::Error,
    },
}

impl Span {
    /// How many records it holds.
    #[must_use]
    pub fn records(&self) -> u64 {
        let after = self.after.map_or(0, |after| after.sequence.get());
        self.last.sequence.get().saturating_sub(after)
    }
}

impl Manifest {
    pub(crate) const fn new(made_at: Timestamp, spans: BTreeMap<LedgerId, Span>) -> Self {
        Self { made_at, spans }
    }

    /// When the backup began.
    #[must_use]
    pub const fn made_at(&self) -> Timestamp {
        self.made_at
    }

    /// What it holds of each ledger.
    #[must_use]
    pub const fn spans(&self) -> &BTreeMap<LedgerId, Span> {
        &self.spans
    }

    /// Where it ends.
    #[must_use]
    pub fn ends(&self) -> Ends {
        Ends(self.spans.iter().map(|(ledger, span)| (ledger.clone(), span.last)).collect())
    }

    /// Whether it holds only what came after another backup, and so can't be read alone.
    #[must_use]
    pub fn is_increment(&self) -> bool {
        self.spans.values().any(|span| span.after.is_some())
    }

    /// How many records it holds.
    #[must_use]
    pub fn records(&self) -> u64 {
        self.spans.values().map(Span::records).fold(0, u64::saturating_add)
    }

    /// Whether it holds what came after these ends, in all ledgers that have one.
    pub(crate) fn follows(&self, ends: &Ends) -> bool {
        let known = ends.0.keys().all(|ledger| self.spans.contains_key(ledger));
        known && self.spans.iter().all(|(ledger, span)| span.after == ends.of(ledger))
    }

    /// Reads what the backup in a directory says of itself.
    ///
    /// # Errors
    /// The directory holds no backup, or one that was never finished, or its manifest is damaged.
    pub fn read(dir: &Path) -> Result<Self, ManifestError> {
        if dir.join(UNFINISHED).exists() {
            return Err(ManifestError::Unfinished { dir: dir.to_path_buf() });
        }
        let path = dir.join(NAME);
        match std::fs::read(&path) {
            Ok(bytes) => {
                let text = std::str::from_utf8(&bytes).ok();
                text.and_then(Self::parse).ok_or(ManifestError::Damaged { path })
            }
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
                Err(ManifestError::NoBackup { dir: dir.to_path_buf() })
            }
            Err(source) => Err(ManifestError::File { action: "read", path, source }),
        }
    }

    /// Writes it into its directory; durable when it returns `Ok`.
    pub(crate) fn write(&self, dir: &Path) -> Result<(), ManifestError> {
        let path = dir.join(NAME);
        let written = replace(&path, self.to_string().as_bytes());
        written.map_err(|source| ManifestError::File { action: "write", path, source })
    }

    /// Reads its text, strictly.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let lines = text.strip_prefix(VERSION)?.strip_prefix("\nmade ")?;
        let (made_at, lines) = lines.split_once('\n')?;
        let made_at = Timestamp::parse(made_at)?;
        let mut spans = BTreeMap::new();
        for line in lines.lines().take_while(|line| !line.starts_with("sha256 ")) {
            let (ledger, rest) = line.split_once(" after ")?;
            let (after, last) = rest.split_once(" to ")?;
            let after = if after == NONE { None } else { Some(End::parse(after, ' ')?) };
            let span = Span { after, last: End::parse(last, ' ')? };
            spans.insert(LedgerId::new(ledger).ok()?, span);
        }
        let parsed = Self { made_at, spans };
        // There is one text for each content, so this checks the digest too.
        (parsed.to_string() == text).then_some(parsed)
    }
}

impl fmt::Display for Manifest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut text = format!("{VERSION}\nmade {}\n", self.made_at);
        for (ledger, Span { after, last }) in &self.spans {
            let after = after.map_or_else(|| NONE.to_owned(), |after| after.text(' '));
            writeln!(text, "{ledger} after {after} to {}", last.text(' '))?;
        }
        let digest = hex::encode(Sha256::digest(&text));
        writeln!(f, "{text}sha256 {digest}")
    }
}

impl Ends {
    /// Where it ends in a ledger.
    #[must_use]
    pub fn of(&self, ledger: &LedgerId) -> Option<End> {
        self.0.get(ledger).copied()
    }

    /// All of them, by ledger.
    pub fn iter(&self) -> impl Iterator<Item = (&LedgerId, &End)> {
        self.0.iter()
    }

    /// Reads the text that [`fmt::Display`] gives; none for any other.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let mut ends = BTreeMap::new();
        for part in text.split(',').filter(|part| !part.is_empty()) {
            let (ledger, end) = part.split_once(':')?;
            let before = ends.insert(LedgerId::new(ledger).ok()?, End::parse(end, ':')?);
            if before.is_some() {
                return None;
            }
        }
        Some(Self(ends))
    }
}

/// For a query: `main:700:<hash>:640`, ledgers apart by commas.
impl fmt::Display for Ends {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let parts = self.0.iter().map(|(ledger, end)| format!("{ledger}:{}", end.text(':')));
        f.write_str(&parts.collect::<Vec<_>>().join(","))
    }
}

impl End {
    fn text(&self, between: char) -> String {
        let indexed = self.indexed.map_or(0, Sequence::get);
        format!("{}{between}{}{between}{indexed}", self.sequence, self.hash)
    }

    fn parse(text: &str, between: char) -> Option<Self> {
        let mut parts = text.split(between);
        let sequence = Sequence::new(parts.next()?.parse().ok()?)?;
        let mut hash = [0; 32];
        hex::decode_to_slice(parts.next()?, &mut hash).ok()?;
        let indexed = Sequence::new(parts.next()?.parse().ok()?);
        let end = Self { sequence, hash: Hash::from_bytes(hash), indexed };
        (parts.next().is_none() && indexed <= Some(sequence)).then_some(end)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn end(sequence: u64, indexed: u64) -> End {
        let hash = Hash::from_bytes([u8::try_from(sequence).unwrap(); 32]);
        let sequence = Sequence::new(sequence).unwrap();
        End { sequence, hash, indexed: Sequence::new(indexed) }
    }

    fn manifest() -> Manifest {
        let made_at = Timestamp::parse("2026-09-01T00:00:00.5Z").unwrap();
        let span =
            |ledger: &str, after, last| (LedgerId::new(ledger).unwrap(), Span { after, last });
        let spans = [span("a", None, end(7, 0)), span("b-1", Some(end(3, 2)), end(9, 8))];
        Manifest::new(made_at, spans.into())
    }

    #[test]
    fn what_was_said_comes_back() {
        let dir = tempfile::tempdir().unwrap();
        assert!(matches!(Manifest::read(dir.path()), Err(ManifestError::NoBackup { .. })));
        manifest().write(dir.path()).unwrap();
        assert_eq!(Manifest::read(dir.path()).unwrap(), manifest());
        std::fs::write(dir.path().join(UNFINISHED), "").unwrap();
        assert!(matches!(Manifest::read(dir.path()), Err(ManifestError::Unfinished { .. })));
    }

    #[test]
    fn any_flipped_or_missing_byte_is_noticed() {
        let good = manifest().to_string().into_bytes();
        for at in 0..good.len() {
            let mut bad = good.clone();
            bad[at] ^= 1;
            let parsed = |bytes: &[u8]| std::str::from_utf8(bytes).ok().and_then(Manifest::parse);
            assert_eq!(parsed(&bad), None);
            assert_eq!(parsed(&good[..at]), None);
        }
    }

    #[test]
    fn ends_come_back_from_a_query() {
        let ends = manifest().ends();
        let text = ends.to_string();
        assert_eq!(Ends::parse(&text), Some(ends));
        assert_eq!(Ends::parse(""), Some(Ends::default()));
        for bad in
            [text.replace(',', ",a:"), text.replacen(":7:", ":0:", 1), format!("{text},{text}")]
        {
            assert_eq!(Ends::parse(&bad), None, "{bad}");
        }
        assert_eq!(Ends::parse(&text.replacen(":0,", ":8,", 1)), None, "indexed beyond its end");
    }

    #[test]
    fn a_backup_follows_its_own_base_only() {
        let made = manifest();
        assert!(made.is_increment());
        assert_eq!(made.records(), 7 + 6);
        let base = |a: Option<End>, b: Option<End>| {
            let ledger = |text| LedgerId::new(text).unwrap();
            let ends = [a.map(|end| (ledger("a"), end)), b.map(|end| (ledger("b-1"), end))];
            Ends(ends.into_iter().flatten().collect())
        };
        assert!(made.follows(&base(None, Some(end(3, 2)))));
        for other in [
            base(None, None),
            base(Some(end(1, 0)), Some(end(3, 2))),
            base(None, Some(end(4, 2))),
            base(None, Some(End { hash: Hash::from_bytes([9; 32]), ..end(3, 2) })),
            base(None, Some(end(3, 1))),
        ] {
            assert!(!made.follows(&other), "{other}");
        }
        let mut more = base(None, Some(end(3, 2)));
        more.0.insert(LedgerId::new("c").unwrap(), end(1, 0));
        assert!(!made.follows(&more), "a ledger is missing");
    }
}
