//! Backups: directories of the shape of a store, copied from a log while it is written, and put
//! together again.
//!
//! | entry | what |
//! | --- | --- |
//! | `log/` | the stored values as they stand, up to where the ledgers ended when it began |
//! | `high-water` | how far each ledger is, as in a store |
//! | `backup` | what it holds (see [`manifest`]): written last |
//! | `unfinished` | there until all else is durable; whoever meets it reads nothing |
//!
//! A backup that starts with the first records opens like a store, so it can be audited where it
//! lies. An *increment* holds only what came after an earlier backup and is read by [`restore`] only.
//!
//! `source` is the log that is copied, [`manifest`] what a backup says of itself, [`stream`] how it
//! comes from a running server, and
//! `follow` checks while values are copied that they are all there and on one hash chain. What
//! touches the database is in `sled/backup.rs`.

mod follow;
pub mod manifest;
mod source;
pub mod stream;
#[cfg(test)]
mod tests;

use std::{
    io::Read,
    path::{Path, PathBuf},
};

use domain::time::Timestamp;

use self::{
    follow::Follow,
    manifest::{Ends, Manifest, ManifestError},
    stream::{Received, StreamFault},
};
use crate::{
    log::{Place, ReadError, StorageFault},
    sled::{Making, OpenError, Options, SledStore, Value, backup_values, damaged},
};

pub use self::source::{PlanError, Source};

/// Stands in a directory until all that belongs there is durable.
pub(crate) const UNFINISHED: &str = "unfinished";

/// How far a copy is: in records and bodies.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Progress {
    /// What is copied.
    pub done: u64,
    /// What there is.
    pub total: u64,
}

/// Why a backup was not made or not restored.
#[derive(Debug, thiserror::Error)]
pub enum BackupError {
    /// Something is there already, and nothing is ever overwritten.
    #[error("write into {}: it is not empty; name a directory that is empty or not there", dir.display())]
    NotEmpty {
        /// Where it should have gone.
        dir: PathBuf,
    },
    /// What is to be read is no backup.
    #[error(transparent)]
    Manifest(#[from] ManifestError),
    /// What was named as the first backup holds only what came after another.
    #[error("restore {}: it is an increment; name the full backup first", dir.display())]
    NotFull {
        /// The increment.
        dir: PathBuf,
    },
    /// A backup does not begin where the one before it ends.
    #[error(
        "restore {}: it does not follow {}; name the increments in the order in which they were \
         made", dir.display(), before.display()
    )]
    OutOfOrder {
        /// The increment.
        dir: PathBuf,
        /// What was named before it.
        before: PathBuf,
    },
    /// What the server sent is not what was asked for.
    #[error("the server sent a backup that does not follow the one that was named")]
    Other,
    /// The log does not go on where the earlier backup ends.
    #[error(transparent)]
    Plan(#[from] PlanError),
    /// A file can't be read or written.
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
    /// A store or backup can't be opened.
    #[error(transparent)]
    Open(#[from] OpenError),
    /// What is to be copied is damaged or can't be read.
    #[error("copy the log")]
    Read(#[from] ReadError),
    /// The stream ended before its end.
    #[error("take in a backup")]
    Stream(#[from] StreamFault),
    /// The copy can't be written.
    #[error("write the copy")]
    Write(#[source] StorageFault),
}

/// Whether a directory holds a backup.
#[must_use]
pub fn is_backup(dir: &Path) -> bool {
    dir.join(manifest::NAME).exists()
}

/// Makes a backup of a log: of what came after `since`, as the log is now.
///
/// # Errors
/// The directory is not empty, the log does not go on after `since`, or a value is damaged. What
/// was copied until then is marked as unfinished.
pub fn take(
    source: &Source,
    since: &Ends,
    made_at: Timestamp,
    to: &Path,
    progress: &mut dyn FnMut(Progress),
) -> Result<Manifest, BackupError> {
    let manifest = source.plan(since, made_at)?;
    let mut copying = Copying::begin(to, std::slice::from_ref(&manifest), progress)?;
    copying
        .all(&manifest, source.values(&manifest).map(|value| value.map_err(BackupError::from)))?;
    copying.making.finish(&manifest.ends(), Some(&manifest))?;
    Ok(manifest)
}

/// Makes a backup of what a running server sends, which was asked for what came after `since`.
///
/// # Errors
/// The directory is not empty, or the stream is not whole. What came until then is marked as
/// unfinished.
pub fn receive(
    stream: impl Read,
    since: &Ends,
    to: &Path,
    progress: &mut dyn FnMut(Progress),
) -> Result<Manifest, BackupError> {
    let received = Received::open(stream)?;
    let manifest = received.manifest().clone();
    if !manifest.follows(since) {
        return Err(BackupError::Other);
    }
    let mut copying = Copying::begin(to, std::slice::from_ref(&manifest), progress)?;
    copying.all(&manifest, received.map(|value| value.map_err(BackupError::from)))?;
    copying.making.finish(&manifest.ends(), Some(&manifest))?;
    Ok(manifest)
}

/// Puts a full backup and its increments, in their order, together in a new store. Returns where
/// its ledgers end.
///
/// # Errors
/// The directory is not empty, the backups don't follow each other, or one is damaged. What was
/// copied until then is marked as unfinished and is never opened as a store.
pub fn restore(
    from: &[PathBuf],
    to: &Path,
    progress: &mut dyn FnMut(Progress),
) -> Result<Ends, BackupError> {
    let manifests = in_order(from)?;
    let mut copying = Copying::begin(to, &manifests, progress)?;
    for (dir, manifest) in from.iter().zip(&manifests) {
        let backup = backup_values(dir)?;
        let values = backup.within(manifest);
        copying.all(manifest, values.map(|value| value.map_err(BackupError::from)))?;
    }
    let ends = manifests.last().map(Manifest::ends).unwrap_or_default();
    copying.making.finish(&ends, None)?;
    open_once(to, &ends)?;
    Ok(ends)
}

/// The backups' manifests, each of which follows the one before.
fn in_order(from: &[PathBuf]) -> Result<Vec<Manifest>, BackupError> {
    let mut manifests: Vec<Manifest> = Vec::new();
    let mut before: Option<&PathBuf> = None;
    for dir in from {
        let manifest = Manifest::read(dir)?;
        let ends = manifests.last().map(Manifest::ends).unwrap_or_default();
        if !manifest.follows(&ends) {
            let dir = dir.clone();
            return Err(match before.cloned() {
                Some(before) => BackupError::OutOfOrder { dir, before },
                None => BackupError::NotFull { dir },
            });
        }
        manifests.push(manifest);
        before = Some(dir);
    }
    Ok(manifests)
}

/// Opens a store that was just made, which rebuilds what of the index was not copied, and holds it
/// against what was copied.
fn open_once(dir: &Path, ends: &Ends) -> Result<(), BackupError> {
    let log = SledStore::open(dir, Options::STANDARD)?.log();
    let other = ends.iter().find(|(ledger, end)| {
        log.head(ledger).is_none_or(|head| (head.sequence, head.hash) != (end.sequence, end.hash))
    });
    match other {
        None => Ok(()),
        Some((ledger, end)) => {
            let place = Place::Record(end.sequence);
            Err(damaged(ledger, place, "it is not there after the copy").into())
        }
    }
}

/// A copy that is under way.
struct Copying<'a> {
    making: Making,
    at: Progress,
    progress: &'a mut dyn FnMut(Progress),
}

impl<'a> Copying<'a> {
    fn begin(
        to: &Path,
        manifests: &[Manifest],
        progress: &'a mut dyn FnMut(Progress),
    ) -> Result<Self, BackupError> {
        let records = manifests.iter().map(Manifest::records).fold(0, u64::saturating_add);
        let at = Progress { done: 0, total: records.saturating_mul(2) };
        progress(at);
        Ok(Self { making: Making::begin(to)?, at, progress })
    }

    /// Copies all values of one backup.
    fn all(
        &mut self,
        manifest: &Manifest,
        values: impl Iterator<Item = Result<Value, BackupError>>,
    ) -> Result<(), BackupError> {
        let mut follow = Follow::new(manifest);
        let before = self.at.done;
        for value in values {
            let value = value?;
            follow.add(&value)?;
            self.making.put(value.pieces)?;
            self.at.done = before.saturating_add(follow.done);
            (self.progress)(self.at);
        }
        Ok(follow.finish()?)
    }
}
