//! The file that says which programs may open a store: read before anything else of the store is
//! touched.
//!
//! The file `format` has one line, `tallyhook store 1`. The number rises with every change of
//! anything in the store that an older program can't read: a record's version, a packing, a kind
//! of key, the high-water file, the files themselves. So an older program refuses a newer store
//! while nothing of it is opened, and opening a database writes to it.
//!
//! A store without the file is of version 1: the first stores had none. Whoever opens a store to
//! write marks it with the version of what it will write, before it writes anything.

use std::path::{Path, PathBuf};

use crate::high_water::replace;

/// The version that is written. Every version up to it is read.
const VERSION: u32 = 1;

/// The version of stores without a marker.
const VERSION_UNMARKED: u32 = 1;

const NAME: &str = "format";
const BEFORE_VERSION: &str = "tallyhook store ";

/// Why a store may not be opened.
#[derive(Debug, thiserror::Error)]
pub enum MarkerError {
    /// A newer program wrote the store.
    #[error(
        "open the store: {path} says version {found} and this program knows {newest}: it was \
         written by a newer program; upgrade"
    )]
    Newer {
        /// The file.
        path: PathBuf,
        /// What it says.
        found: u32,
        /// The newest version that this program knows.
        newest: u32,
    },
    /// The file is not as it was written.
    #[error(
        "open the store: {path} is damaged; if no newer program ever wrote this store, delete the \
         file"
    )]
    Damaged {
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

/// What a store says of itself, as far as this program may open it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Marker {
    /// None where there is no file.
    version: Option<u32>,
}

impl Marker {
    /// Reads the marker of the store in a directory.
    pub(crate) fn read(dir: &Path) -> Result<Self, MarkerError> {
        let path = dir.join(NAME);
        match std::fs::read(&path) {
            Ok(bytes) => {
                let version = parse(&bytes);
                let version = version.ok_or_else(|| MarkerError::Damaged { path: path.clone() })?;
                if version > VERSION {
                    return Err(MarkerError::Newer { path, found: version, newest: VERSION });
                }
                Ok(Self { version: Some(version) })
            }
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
                Ok(Self { version: None })
            }
            Err(source) => Err(MarkerError::File { action: "read", path, source }),
        }
    }

    /// Marks the store with the version that is written from now on, if it is not; durable when it
    /// returns `Ok`.
    pub(crate) fn renew(self, dir: &Path) -> Result<(), MarkerError> {
        if self.version == Some(VERSION) {
            return Ok(());
        }
        debug_assert!(
            self.version.unwrap_or(VERSION_UNMARKED) <= VERSION,
            "newer ones are refused"
        );
        let path = dir.join(NAME);
        replace(&path, text(VERSION).as_bytes()).map_err(|source| MarkerError::File {
            action: "write",
            path,
            source,
        })
    }
}

/// What a store says that this program writes.
pub(crate) fn newest() -> String {
    text(VERSION)
}

fn text(version: u32) -> String {
    format!("{BEFORE_VERSION}{version}\n")
}

fn parse(bytes: &[u8]) -> Option<u32> {
    let said = std::str::from_utf8(bytes).ok()?;
    let version: u32 = said.strip_prefix(BEFORE_VERSION)?.strip_suffix('\n')?.parse().ok()?;
    // There is one text for each version.
    (version > 0 && text(version) == said).then_some(version)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn marked(text: &str) -> Result<Marker, MarkerError> {
        let dir = tempfile::tempdir().unwrap();
        std::fs::write(dir.path().join("format"), text).unwrap();
        Marker::read(dir.path())
    }

    #[test]
    fn a_store_is_marked_once() {
        let dir = tempfile::tempdir().unwrap();
        let unmarked = Marker::read(dir.path()).unwrap();
        assert_eq!(unmarked, Marker { version: None });
        unmarked.renew(dir.path()).unwrap();
        let file = dir.path().join("format");
        assert_eq!(std::fs::read_to_string(&file).unwrap(), "tallyhook store 1\n");
        let marked = Marker::read(dir.path()).unwrap();
        assert_eq!(marked, Marker { version: Some(1) });
        let before = std::fs::metadata(&file).unwrap().modified().unwrap();
        marked.renew(dir.path()).unwrap();
        assert_eq!(std::fs::metadata(&file).unwrap().modified().unwrap(), before);
    }

    #[test]
    fn newer_and_damaged_markers_are_refused() {
        for version in ["2", "10", "4294967295"] {
            let refused = marked(&format!("tallyhook store {version}\n")).unwrap_err();
            assert!(matches!(refused, MarkerError::Newer { newest: 1, .. }), "{refused}");
            assert!(refused.to_string().ends_with("it was written by a newer program; upgrade"));
        }
        for damaged in
            ["", "\n", "tallyhook store 1", "tallyhook store 01\n", "tallyhook store +1\n"]
        {
            assert!(matches!(marked(damaged), Err(MarkerError::Damaged { .. })), "{damaged:?}");
        }
        let numbers = ["0", "-1", "4294967296", "1\n", "one"];
        for damaged in numbers.map(|number| format!("tallyhook store {number}\n")) {
            assert!(matches!(marked(&damaged), Err(MarkerError::Damaged { .. })), "{damaged:?}");
        }
    }

    #[test]
    fn any_flipped_bit_of_a_marker_is_noticed() {
        for at in 0..text(VERSION).len() {
            for bit in 0..8 {
                let mut bytes = text(VERSION).into_bytes();
                bytes[at] ^= 1 << bit;
                assert_ne!(parse(&bytes), Some(VERSION));
            }
        }
    }
}
