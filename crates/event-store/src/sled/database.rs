//! One sled database, written so that what is acknowledged survives a loss of power.
//!
//! sled's own `flush` never syncs the file, so every commit is one batch on one tree, flushed and
//! then followed by fdatasync. No value is large enough for sled to put it into a file of its own.

use std::{fs::File, path::Path, sync::Arc, time::Duration};

use ::sled::{Batch, Config, Db, IVec};

use super::{Lock, OpenError};
use crate::log::StorageFault;

/// Never changes: sled refuses to open a database with another.
const SEGMENT_BYTES: usize = 8 << 20;

/// sled's lock outlives a drop briefly: how often to try again, and after how long.
const OPEN_TRIES: u32 = 40;
const OPEN_PAUSE: Duration = Duration::from_millis(25);

/// As how many accesses reading one large value counts.
const LARGE_ACCESSES: u32 = 32;

/// An open database.
pub(super) struct Database {
    db: Db,
    file: File,
    /// The store is locked until its last database is dropped.
    _lock: Arc<Lock>,
}

/// A stored key and its value.
pub(super) type Stored = (IVec, IVec);

impl Database {
    /// Opens the database in a directory, or makes it there. The store's lock shows that no other
    /// process opens it at the same time.
    pub(super) fn open(dir: &Path, cache_bytes: u64, lock: &Arc<Lock>) -> Result<Self, OpenError> {
        let file_error =
            |action| move |source| OpenError::File { action, path: dir.to_path_buf(), source };
        std::fs::create_dir_all(dir).map_err(file_error("create"))?;
        remove_unfinished_snapshots(dir).map_err(file_error("clean up"))?;
        let db = open_patiently(dir, cache_bytes)?;
        if has_blobs(dir).map_err(file_error("read"))? {
            return Err(OpenError::Blobs { dir: dir.to_path_buf() });
        }
        let file = sync_all(dir).map_err(file_error("sync"))?;
        Ok(Self { db, file, _lock: Arc::clone(lock) })
    }

    pub(super) fn get(&self, key: &[u8]) -> Result<Option<IVec>, StorageFault> {
        Ok(self.db.get(key)?)
    }

    /// The value of a key that may be large.
    ///
    /// sled looks at its cache's limit once in 64 accesses to one of 256 shards of its pages.
    /// With pages of some 300 KB it would keep hundreds of megabytes whatever the limit, so a
    /// large value counts as many accesses.
    pub(super) fn get_large(&self, key: &[u8]) -> Result<Option<IVec>, StorageFault> {
        for _ in 1..LARGE_ACCESSES {
            self.db.get(key)?;
        }
        self.get(key)
    }

    /// The last entry from `start` to `end`, both included.
    pub(super) fn last_in(&self, start: &[u8], end: &[u8]) -> Result<Option<Stored>, StorageFault> {
        Ok(self.db.range(start..=end).next_back().transpose()?)
    }

    /// The first entry from `start` on.
    pub(super) fn first_from(&self, start: &[u8]) -> Result<Option<Stored>, StorageFault> {
        Ok(self.db.range(start..).next().transpose()?)
    }

    /// All entries from `start` on.
    pub(super) fn entries_from(
        &self,
        start: &[u8],
    ) -> impl Iterator<Item = Result<Stored, StorageFault>> + use<> {
        self.db.range(start..).map(|entry| entry.map_err(StorageFault::from))
    }

    /// Writes all these values or none (`None` removes); durable when it returns `Ok`.
    pub(super) fn commit(
        &self,
        changes: impl IntoIterator<Item = (Vec<u8>, Option<Vec<u8>>)>,
    ) -> Result<(), StorageFault> {
        let mut batch = Batch::default();
        for (key, value) in changes {
            match value {
                Some(value) => batch.insert(key, value),
                None => batch.remove(key),
            }
        }
        self.db.apply_batch(batch)?;
        self.sync()
    }

    fn sync(&self) -> Result<(), StorageFault> {
        self.db.flush()?;
        rustix::fs::fdatasync(&self.file)?;
        Ok(())
    }
}

/// A process that was killed while sled wrote a snapshot leaves a file with which sled can't open
/// the database any more (sled issues 1527 and 1533). Only the holder of the lock may do this.
fn remove_unfinished_snapshots(dir: &Path) -> std::io::Result<()> {
    for entry in std::fs::read_dir(dir)? {
        let entry = entry?;
        let name = entry.file_name();
        let name = name.to_string_lossy();
        if name.starts_with("snap.") && name.ends_with(".generating") {
            std::fs::remove_file(entry.path())?;
        }
    }
    Ok(())
}

fn open_patiently(dir: &Path, cache_bytes: u64) -> Result<Db, OpenError> {
    let config = Config::new()
        .path(dir)
        .cache_capacity(cache_bytes)
        .segment_size(SEGMENT_BYTES)
        .flush_every_ms(None);
    let mut tries = 1;
    loop {
        match config.open() {
            Ok(db) => return Ok(db),
            Err(::sled::Error::Io(_)) if tries < OPEN_TRIES && is_locked(dir) => {
                tries = tries.saturating_add(1);
                std::thread::sleep(OPEN_PAUSE);
            }
            Err(::sled::Error::Io(_)) if is_locked(dir) => {
                return Err(OpenError::InUse { dir: dir.to_path_buf() });
            }
            Err(source) => {
                return Err(OpenError::Database { dir: dir.to_path_buf(), source: source.into() });
            }
        }
    }
}

/// Whether someone holds sled's own lock. sled says so in the text of an error only.
fn is_locked(dir: &Path) -> bool {
    File::open(dir.join("db")).is_ok_and(|file| {
        let taken = rustix::fs::flock(&file, rustix::fs::FlockOperation::NonBlockingLockShared);
        taken == Err(rustix::io::Errno::WOULDBLOCK)
    })
}

fn has_blobs(dir: &Path) -> std::io::Result<bool> {
    match std::fs::read_dir(dir.join("blobs")) {
        Ok(mut entries) => Ok(entries.next().is_some()),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(false),
        Err(error) => Err(error),
    }
}

/// Syncs what sled made and never syncs. Returns the file that every commit syncs.
fn sync_all(dir: &Path) -> std::io::Result<File> {
    let file = File::options().read(true).write(true).open(dir.join("db"))?;
    file.sync_all()?;
    for name in ["conf", "blobs"] {
        match File::open(dir.join(name)) {
            Ok(file) => file.sync_all()?,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => {}
            Err(error) => return Err(error),
        }
    }
    File::open(dir)?.sync_all()?;
    if let Some(parent) = dir.parent() {
        File::open(parent)?.sync_all()?;
    }
    Ok(file)
}
