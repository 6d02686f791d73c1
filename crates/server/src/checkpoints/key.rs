//! The key that signs checkpoints where the configuration names none.

use std::{
    fs::{self, OpenOptions},
    io::{self, Write as _},
    os::unix::fs::OpenOptionsExt as _,
    path::{Path, PathBuf},
};

use proof::note::{KeyFault, PrivateKey};
use rand::TryRngCore as _;

/// The file in the data folder.
pub const FILE: &str = "checkpoint.key";

/// Its name until it is whole.
pub const IN_MAKING: &str = "checkpoint.key.making";

/// Readable and writable by its owner alone.
const OWNER_ONLY: u32 = 0o600;

/// Why there is no key.
#[derive(Debug, thiserror::Error)]
pub enum NoKey {
    /// The file can't be read or made.
    #[error("read or make the key of checkpoints {}", path.display())]
    Unreadable {
        /// Which.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// The file has no key.
    #[error(
        "the key of checkpoints {} {fault}; put the key back from a copy, or move the file away \
         to have a new one made, whose checkpoints outsiders must be told to believe", path.display()
    )]
    NoneInFile {
        /// Which.
        path: PathBuf,
        /// What is wrong with it.
        fault: KeyFault,
    },
    /// The system gives no random bytes.
    #[error("make a key")]
    Random(#[from] rand::rand_core::OsError),
}

/// Reads the key of the data folder, or makes one.
pub(crate) fn kept(data: &Path, log: &str) -> Result<PrivateKey, NoKey> {
    let path = data.join(FILE);
    let unreadable = |source| NoKey::Unreadable { path: path.clone(), source };
    match fs::read_to_string(&path) {
        Ok(text) => {
            let none = |fault| NoKey::NoneInFile { path: path.clone(), fault };
            PrivateKey::parse(text.trim_end()).map_err(none)
        }
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            let mut seed = [0; 32];
            rand::rngs::OsRng.try_fill_bytes(&mut seed)?;
            let key = PrivateKey::of(seed);
            let none = |fault| NoKey::NoneInFile { path: path.clone(), fault };
            let text = key.to_secret_text(log).map_err(none)?;
            write(&path, &text).map_err(unreadable)?;
            Ok(key)
        }
        Err(error) => Err(unreadable(error)),
    }
}

/// Under another name first, so that a key which was cut short is never taken for one.
fn write(path: &Path, text: &str) -> io::Result<()> {
    let made = path.with_file_name(IN_MAKING);
    let mut file =
        OpenOptions::new().write(true).create(true).truncate(true).mode(OWNER_ONLY).open(&made)?;
    file.write_all(format!("{text}\n").as_bytes())?;
    file.sync_all()?;
    fs::rename(&made, path)?;
    let folder = path.parent().unwrap_or_else(|| Path::new("."));
    fs::File::open(folder)?.sync_all()
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt as _;

    use super::*;

    #[test]
    fn a_key_is_made_once_for_its_owner_alone() {
        let folder = tempfile::tempdir().unwrap();
        let name = |key: &PrivateKey| key.signer("x").unwrap().verifier().to_string();
        let made = kept(folder.path(), "tallyhook").unwrap();
        let mode = fs::metadata(folder.path().join(FILE)).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, OWNER_ONLY);
        assert_eq!(name(&kept(folder.path(), "tallyhook").unwrap()), name(&made));
        let other = tempfile::tempdir().unwrap();
        assert_ne!(name(&kept(other.path(), "tallyhook").unwrap()), name(&made));
        fs::write(folder.path().join(FILE), "secret").unwrap();
        let fault = kept(folder.path(), "tallyhook").unwrap_err().to_string();
        assert!(fault.contains("checkpoint.key") && !fault.contains("secret"), "{fault}");
    }
}
