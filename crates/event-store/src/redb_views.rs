//! Views on redb, which is named in this file and nowhere else.
//!
//! A checkpoint is one transaction over tens of thousands of entries. sled's batch would hold up
//! every reader meanwhile, the writer among them; redb's readers see the state before it.
//!
//! redb looks at its checksums only when it repairs a file after a crash. So every value ends with
//! one of its own, over key and value (CRC-32, little-endian), and a file that is not too large is
//! checked whole when it is opened.

use std::{
    fs::File,
    io::{self, Read as _},
    path::{Path, PathBuf},
    sync::{Arc, OnceLock},
};

use redb::{Database, ReadableDatabase as _, TableDefinition};

use crate::{
    log::StorageFault,
    panics::{Panicked, caught},
    sled::Lock,
    views::{self, Change, Entry, ViewError, ViewStore},
};

const TABLE: TableDefinition<'_, &[u8], &[u8]> = TableDefinition::new("checked views");

/// Values without checksums, as the first programs wrote them: not read, since all is folded again.
const UNCHECKED: TableDefinition<'_, &[u8], &[u8]> = TableDefinition::new("views");

/// A file up to this size is checked whole when it is opened. In a larger one, damage to a value is found when it is read, and to a key by `audit verify`.
const CHECKED_BYTES_MAX: u64 = 256 << 20;

/// How long redb's magic number is, with which a file starts.
const MAGIC_BYTES: u64 = 9;

/// A store of views in one file.
pub(crate) struct RedbViews {
    path: PathBuf,
    /// None once it is closed.
    database: Option<Database>,
    /// Set once redb has panicked: what it holds may be half done.
    broken: OnceLock<Panicked>,
    /// The store is locked until its last part is dropped.
    lock: Arc<Lock>,
}

/// Why views can't be used.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ViewsFault {
    /// The file is not as it was written.
    #[error("{} is damaged; delete it to have it folded again", path.display())]
    Damaged {
        path: PathBuf,
        #[source]
        source: StorageFault,
    },
    #[error(transparent)]
    Failed(StorageFault),
}

/// What a value says is not what was written.
#[derive(Debug, thiserror::Error)]
#[error("the checksum of a stored view does not fit it")]
struct ChecksumDiffers;

/// What redb or a checksum says.
#[derive(Debug)]
enum Fault {
    Redb(redb::Error),
    Checksum,
}

impl<E: Into<redb::Error>> From<E> for Fault {
    fn from(error: E) -> Self {
        Self::Redb(error.into())
    }
}

impl RedbViews {
    /// Opens the file, or makes it.
    pub(crate) fn open(
        path: &Path,
        cache_bytes: usize,
        lock: &Arc<Lock>,
    ) -> Result<Self, ViewsFault> {
        let removed = remove_unmade(path);
        removed.map_err(|source| ViewsFault::Failed(source.into()))?;
        let checked = std::fs::metadata(path).is_ok_and(|file| file.len() <= CHECKED_BYTES_MAX);
        let opened = caught(|| {
            let mut database = Database::builder().set_cache_size(cache_bytes).create(path)?;
            if checked {
                // Repairs what it can, by going back to the commit before.
                database.check_integrity()?;
            }
            Ok::<_, Fault>(database)
        });
        let fault = |fault| of(path, fault);
        let database = opened.map_err(|panic| panicked(path, panic))?.map_err(fault)?;
        let views = Self {
            path: path.to_path_buf(),
            database: Some(database),
            broken: OnceLock::new(),
            lock: Arc::clone(lock),
        };
        views.with(|database| {
            let transaction = database.begin_write()?;
            transaction.delete_table(UNCHECKED)?;
            transaction.open_table(TABLE)?;
            Ok(transaction.commit()?)
        })?;
        if let Some(dir) = path.parent() {
            let synced = File::open(dir).and_then(|dir| dir.sync_all());
            synced.map_err(|source| ViewsFault::Failed(source.into()))?;
        }
        Ok(views)
    }

    /// What keeps the store locked.
    pub(crate) const fn lock(&self) -> &Arc<Lock> {
        &self.lock
    }

    /// Uses the database, as long as it has not panicked.
    fn with<T>(&self, act: impl FnOnce(&Database) -> Result<T, Fault>) -> Result<T, ViewsFault> {
        if let Some(panic) = self.broken.get() {
            return Err(panicked(&self.path, panic.clone()));
        }
        let Some(database) = &self.database else {
            return Err(ViewsFault::Failed("the views are closed".into()));
        };
        let acted = caught(|| act(database)).map_err(|panic| {
            // The first reason stays.
            let _ = self.broken.set(panic.clone());
            panicked(&self.path, panic)
        })?;
        acted.map_err(|fault| of(&self.path, fault))
    }
}

impl ViewStore for RedbViews {
    fn get(&self, key: &[u8]) -> Result<Option<Vec<u8>>, ViewError> {
        let read = self.with(|database| {
            let table = database.begin_read()?.open_table(TABLE)?;
            table.get(key)?.map(|value| open(key, value.value())).transpose()
        });
        read.map_err(failed)
    }

    fn scan(
        &self,
        prefix: &[u8],
        after: Option<&[u8]>,
        limit: usize,
    ) -> Result<Vec<Entry>, ViewError> {
        let start = after.map_or(prefix, |after| after.max(prefix));
        let read = self.with(|database| {
            let table = database.begin_read()?.open_table(TABLE)?;
            let mut out = Vec::new();
            for entry in table.range::<&[u8]>(start..)? {
                let (key, value) = entry?;
                let key = key.value();
                if out.len() >= limit || !key.starts_with(prefix) {
                    break;
                }
                if after.is_none_or(|after| key > after) {
                    out.push((key.to_vec(), open(key, value.value())?));
                }
            }
            Ok(out)
        });
        read.map_err(failed)
    }

    fn write(&self, changes: &[Change]) -> Result<(), ViewError> {
        views::check_changes(changes)?;
        let written = self.with(|database| {
            let transaction = database.begin_write()?;
            {
                let mut table = transaction.open_table(TABLE)?;
                for (key, value) in changes {
                    match value {
                        Some(value) => {
                            drop(table.insert(key.as_slice(), seal(key, value).as_slice())?);
                        }
                        None => drop(table.remove(key.as_slice())?),
                    }
                }
            }
            Ok(transaction.commit()?)
        });
        written.map_err(failed)
    }

    fn clear(&self) -> Result<(), ViewError> {
        let cleared = self.with(|database| {
            let transaction = database.begin_write()?;
            transaction.delete_table(TABLE)?;
            transaction.open_table(TABLE)?;
            Ok(transaction.commit()?)
        });
        cleared.map_err(failed)
    }
}

/// Removes a file whose making was cut short, by a loss of power for example: redb writes its magic
/// number last and can't open a file without one.
fn remove_unmade(path: &Path) -> io::Result<()> {
    let mut start = Vec::new();
    match File::open(path) {
        Ok(file) => file.take(MAGIC_BYTES).read_to_end(&mut start)?,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        Err(error) => return Err(error),
    };
    if start.iter().all(|byte| *byte == 0) { std::fs::remove_file(path) } else { Ok(()) }
}

/// A value as it is stored.
fn seal(key: &[u8], value: &[u8]) -> Vec<u8> {
    [value, &checksum(key, value).to_le_bytes()].concat()
}

/// The value in what is stored.
fn open(key: &[u8], stored: &[u8]) -> Result<Vec<u8>, Fault> {
    let (value, said) = stored.split_last_chunk().ok_or(Fault::Checksum)?;
    let fits = u32::from_le_bytes(*said) == checksum(key, value);
    if fits { Ok(value.to_vec()) } else { Err(Fault::Checksum) }
}

fn checksum(key: &[u8], value: &[u8]) -> u32 {
    let mut hasher = crc32fast::Hasher::new();
    hasher.update(key);
    hasher.update(value);
    hasher.finalize()
}

fn panicked(path: &Path, panic: Panicked) -> ViewsFault {
    ViewsFault::Damaged { path: path.to_path_buf(), source: panic.into() }
}

fn of(path: &Path, fault: Fault) -> ViewsFault {
    let damaged = |source| ViewsFault::Damaged { path: path.to_path_buf(), source };
    match fault {
        Fault::Checksum => damaged(ChecksumDiffers.into()),
        Fault::Redb(error) if is_of_the_file(&error) => damaged(error.into()),
        Fault::Redb(error) => ViewsFault::Failed(error.into()),
    }
}

/// Whether an error of redb is about what is in the file, and not about the disk or the memory.
fn is_of_the_file(error: &redb::Error) -> bool {
    if let redb::Error::Io(error) = error {
        return matches!(error.kind(), io::ErrorKind::InvalidData | io::ErrorKind::UnexpectedEof);
    }
    matches!(
        error,
        redb::Error::Corrupted(_)
            | redb::Error::RepairAborted
            | redb::Error::UpgradeRequired(_)
            | redb::Error::UnorderedKey
            | redb::Error::TableTypeMismatch { .. }
            | redb::Error::TableIsMultimap(_)
            | redb::Error::TypeDefinitionChanged { .. }
            | redb::Error::TableDoesNotExist(_)
    )
}

fn failed(fault: ViewsFault) -> ViewError {
    ViewError::Failed { source: fault.into() }
}

impl Drop for RedbViews {
    fn drop(&mut self) {
        let database = self.database.take();
        if self.broken.get().is_some() {
            // Closing writes. What panicked is left as it is, until the process ends.
            std::mem::forget(database);
        } else {
            drop(caught(|| drop(database)));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_changed_key_or_value_does_not_fit_its_checksum() {
        let (key, value) = (b"key".as_slice(), b"value".as_slice());
        let stored = seal(key, value);
        assert_eq!(open(key, &stored).unwrap(), value);
        for at in 0..stored.len() {
            let mut bad = stored.clone();
            bad[at] ^= 1 << (at % 8);
            assert!(matches!(open(key, &bad), Err(Fault::Checksum)));
            assert!(matches!(open(key, &stored[..at]), Err(Fault::Checksum)));
        }
        assert!(matches!(open(b"kex", &stored), Err(Fault::Checksum)));
    }

    #[test]
    fn a_database_that_panicked_is_not_used_again() {
        let dir = tempfile::tempdir().unwrap();
        let lock = Arc::new(Lock::of(File::create(dir.path().join("lock")).unwrap()));
        let views = RedbViews::open(&dir.path().join("views"), 1 << 20, &lock).unwrap();
        views.write(&[(b"key".to_vec(), Some(b"value".to_vec()))]).unwrap();
        let panicked: Result<(), _> = views.with(|_| panic!("a page is not what it was"));
        let Err(ViewsFault::Damaged { source, .. }) = panicked else { panic!("no panic") };
        assert_eq!(source.to_string(), "it gave up: a page is not what it was");
        assert!(views.get(b"key").is_err());
        assert!(views.write(&[]).is_err());
    }
}
