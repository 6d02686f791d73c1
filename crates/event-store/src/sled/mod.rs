//! The log on sled 0.34.7, made durable, and the store that it and its views are. sled is named in
//! this module and nowhere else.
//!
//! A store is one directory:
//!
//! | entry | what |
//! | --- | --- |
//! | `log/` | a sled database: all stored values of the log in its default tree |
//! | `views` | the views ([`crate::redb_views`]): may be deleted, and is rebuilt from the log |
//! | `high-water` | how far each ledger was, written apart (see [`crate::high_water`]) |
//! | `format` | the version of all this (see [`crate::marker`]); a store without it is of version 1 |
//! | `reserve` | room for what must be written when the disk is full (see [`crate::space`]) |
//! | `lock` | held by the one process that has the store open |
//! | `log.making` | an empty database, until a copy of it is whole and moved to `log` |
//! | `log.new` | the log that is written anew, while that lasts (see `rewrite`) |
//!
//! `open` opens a store; `database` opens and writes one database so that what it acknowledges
//! survives a loss of power, `watched` so that its commits end; `values` finds and checks the stored
//! values of the log; `log` is the log, `append` how groups come into it, `recover` what it reads
//! when it opens; `copy` takes values as they stand into another database, `backup` a range of them,
//! `rewrite` all but erased bodies.

mod append;
mod backup;
mod copy;
mod database;
mod fences;
mod log;
mod open;
mod recover;
mod rewrite;
mod second;
#[cfg(any(test, feature = "tamper"))]
mod tamper;
#[cfg(test)]
mod tests;
mod values;
mod watched;

use std::{
    fs::File,
    path::{Path, PathBuf},
    sync::Arc,
};

use domain::ids::{LedgerId, Sequence};
use parking_lot::Mutex;

use crate::{
    backup::manifest::ManifestError,
    high_water::{HighWater, HighWaterError},
    log::{EventLog, ReadError, StorageFault},
    marker::MarkerError,
    redb_views::RedbViews,
    space::Space,
    views::ViewStore,
};

pub(crate) use self::backup::{Making, backup_values};
pub(crate) use self::copy::Value;
pub use self::open::is_open;

pub(crate) use self::log::SledLog;
pub use self::rewrite::RewriteError;
pub(crate) use self::values::{Values, bodies, damaged, damaged_at, failed, records};

/// How a store is used.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Options {
    /// What sled may keep of the log in memory.
    pub log_cache_bytes: u64,
    /// What redb may keep of the views in memory.
    pub views_cache_bytes: usize,
    /// How many records of a ledger the index keeps in memory before it writes them as a run.
    /// What is not yet in a run is read again when the store opens.
    pub run_records: u64,
    /// What becomes of a damaged index and of damaged views.
    pub derived: Derived,
}

/// What becomes of what is derived from the records, and damaged.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Derived {
    /// It stays as it is, for an audit to find. A damaged index is not used; damaged views are a
    /// reason not to open the store.
    Kept,
    /// It is made anew from the records, as a server needs it.
    Rebuilt,
}

impl Options {
    /// What a server uses.
    pub const STANDARD: Self = Self {
        log_cache_bytes: 8 << 20,
        views_cache_bytes: 16 << 20,
        run_records: 65_536,
        derived: Derived::Kept,
    };
}

/// An open store: a log and its views in one directory.
///
/// The log and the views that it hands out keep the directory open and locked until the last of
/// them is dropped.
pub struct SledStore {
    log: Arc<SledLog>,
    views: Arc<RedbViews>,
    space: Arc<Space>,
    /// What was damaged when it was opened and is derived from the records.
    damaged: Vec<String>,
    high_water_path: PathBuf,
    /// What the high-water file says.
    noted: Mutex<HighWater>,
}

/// Why a store was not opened.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// Another process has the store open.
    #[error("open {dir}: another process has it open; stop the server or use a backup")]
    InUse {
        /// The directory.
        dir: PathBuf,
    },
    /// A file or directory of the store can't be used.
    #[error("{action} {path}")]
    File {
        /// What was tried.
        action: &'static str,
        /// On what.
        path: PathBuf,
        /// What the system said.
        #[source]
        source: std::io::Error,
    },
    /// The database can't be opened.
    #[error("open the database in {dir}; if its files are damaged, restore a backup")]
    Database {
        /// The directory.
        dir: PathBuf,
        /// What sled said.
        #[source]
        source: StorageFault,
    },
    /// The views can't be opened.
    #[error("open the views in {path}; if it is damaged, delete it to have it folded again")]
    Views {
        /// The file.
        path: PathBuf,
        /// What redb said.
        #[source]
        source: StorageFault,
    },
    /// sled put a value into a file of its own, which it never syncs. This store never makes it
    /// do so: the directory is not of this program, or was changed.
    #[error("open the database in {dir}: its blobs directory is not empty; restore a backup")]
    Blobs {
        /// The directory.
        dir: PathBuf,
    },
    /// A ledger ends before a record that was acknowledged.
    #[error(
        "open ledger {ledger}: it ends at record {found} and was at record {noted}; restore a \
         backup or, to go on without the lost records, delete {path}"
    )]
    WentBack {
        /// The ledger.
        ledger: LedgerId,
        /// Its last record now, 0 for none.
        found: u64,
        /// The last record that was noted.
        noted: Sequence,
        /// The file in which it was noted.
        path: PathBuf,
    },
    /// The store is of a newer program, or does not say of which.
    #[error(transparent)]
    Marker(#[from] MarkerError),
    /// The directory is a backup that holds only what came after another.
    #[error(
        "open {}: it is an increment, which can't be read alone; put it together with the backups \
         before it, by `tallyhook restore`", dir.display()
    )]
    Increment {
        /// The directory.
        dir: PathBuf,
    },
    /// The directory is a backup, or a store that is being restored, that is not whole.
    #[error(transparent)]
    Backup(#[from] ManifestError),
    /// The high-water file can't be used.
    #[error("read how far the log was")]
    HighWater(#[from] HighWaterError),
    /// The end of a ledger or its index can't be read.
    #[error("read the log's end")]
    Read(#[from] ReadError),
}

impl OpenError {
    /// Whether another process has the store open.
    #[must_use]
    pub const fn is_in_use(&self) -> bool {
        matches!(self, Self::InUse { .. })
    }
}

impl SledStore {
    /// Opens the store in a directory, or makes it there.
    ///
    /// # Errors
    /// See [`OpenError`]; nothing is written then but what makes the directory.
    pub fn open(dir: &Path, options: Options) -> Result<Self, OpenError> {
        open::open(dir, options, Space::of(dir))
    }

    /// The log.
    #[must_use]
    pub fn log(&self) -> Arc<dyn EventLog> {
        Arc::<SledLog>::clone(&self.log)
    }

    /// The views.
    #[must_use]
    pub fn views(&self) -> Arc<dyn ViewStore> {
        Arc::<RedbViews>::clone(&self.views)
    }

    /// The room on the disk for the log and the views.
    #[must_use]
    pub fn space(&self) -> Arc<Space> {
        Arc::clone(&self.space)
    }

    /// What was damaged when the store was opened, for a person; all of it is derived from the
    /// records, and no record is harmed.
    #[must_use]
    pub fn damaged(&self) -> &[String] {
        &self.damaged
    }

    /// Notes how far every ledger is, if that changed since the last time.
    ///
    /// Costs two syncs, so it is called about once a second, and by dropping the store.
    ///
    /// # Errors
    /// The file can't be written; the log is unharmed.
    pub fn note_high_water(&self) -> Result<(), HighWaterError> {
        let mut noted = self.noted.lock();
        let now = HighWater::new(self.log.ends());
        if *noted != now {
            now.write(&self.high_water_path)?;
            *noted = now;
        }
        Ok(())
    }

    /// Closes the log's database and opens it again if so much was written since it was opened that
    /// the next start would be slow; says whether. Readers and the writer wait meanwhile.
    ///
    /// # Errors
    /// It could not be opened again: the log can't be used until a restart.
    pub fn renew_if_due(&self) -> Result<bool, OpenError> {
        self.log.values().renew_if_due()
    }

    /// Where it is.
    fn dir(&self) -> &Path {
        self.high_water_path.parent().unwrap_or_else(|| Path::new("."))
    }

    /// The log with what a check of its stored values needs.
    pub(crate) const fn raw(&self) -> &Arc<SledLog> {
        &self.log
    }
}

impl Drop for SledStore {
    fn drop(&mut self) {
        // A note that is not written leaves an older one, which asks for less.
        drop(self.note_high_water());
    }
}

/// Held while the store is open; the system releases it when the process ends.
pub(crate) struct Lock {
    _file: File,
}

#[cfg(test)]
impl Lock {
    /// What stands for a lock where nobody else could take it.
    pub(crate) const fn of(file: File) -> Self {
        Self { _file: file }
    }
}
