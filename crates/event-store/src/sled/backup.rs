//! What backups need of the database: where a log ends, its values up to there, and a directory
//! that is not there until it is whole.

use std::{
    collections::BTreeMap,
    fs::File,
    path::{Path, PathBuf},
    sync::Arc,
};

use domain::ids::{LedgerId, Sequence};

use super::{
    Lock, OpenError, Options, SledLog,
    copy::{Range, Reading, Target, TargetFault, Value},
    database::Database,
    open::{sync_parent, take_lock},
    values::{Values, bodies, records},
};
use crate::{
    backup::{
        BackupError, UNFINISHED,
        manifest::{End, Ends, Manifest, ManifestError},
    },
    frame::Piece,
    high_water::HighWater,
    key::Kind,
    log::ReadError,
    marker::Marker,
};

impl SledLog {
    /// Where the ledgers end now: at the end of a block each, with the last part of the index.
    pub(crate) fn backup_ends(&self) -> BTreeMap<LedgerId, End> {
        let books = self.books.read();
        let ends = books.iter().map(|(ledger, book)| {
            let indexed = book.runs.last().map(|run| run.last);
            (ledger.clone(), End { sequence: book.head.sequence, hash: book.head.hash, indexed })
        });
        ends.collect()
    }

    /// Whether a part of the index ends with this record.
    pub(crate) fn has_run(&self, ledger: &LedgerId, last: Sequence) -> bool {
        let books = self.books.read();
        books.get(ledger).is_some_and(|book| book.runs.iter().any(|run| run.last == last))
    }
}

impl Values {
    /// The values that a manifest names, in the order in which they are copied.
    pub(crate) fn within(
        &self,
        manifest: &Manifest,
    ) -> impl Iterator<Item = Result<Value, ReadError>> + use<'_> {
        let mut ranges = Vec::new();
        for (ledger, span) in manifest.spans() {
            let range = |kind, after, last| Range { kind, ledger: ledger.clone(), after, last };
            let after = span.after.map(|after| after.sequence);
            for kind in [Kind::Bodies, Kind::Records] {
                ranges.push(range(kind, after, span.last.sequence));
            }
            let after = span.after.and_then(|after| after.indexed);
            for kind in [Kind::RunHead, Kind::RunChunk] {
                ranges.extend(span.last.indexed.map(|last| range(kind, after, last)));
            }
        }
        ranges.into_iter().flat_map(|range| Reading::new(self, range))
    }

    /// Whether a block of this kind ends with this record.
    pub(crate) fn ends_block(
        &self,
        kind: Kind,
        ledger: &LedgerId,
        last: Sequence,
    ) -> Result<bool, ReadError> {
        let Some(key) = self.block_of(kind, ledger, last)? else { return Ok(false) };
        let raw = self.open(&key)?;
        Ok(match kind {
            Kind::Records => records(&key, &raw)?.forms.last() == last,
            Kind::Bodies => bodies(&key, &raw)?.last() == last,
            Kind::RunHead | Kind::RunChunk => false,
        })
    }
}

/// The values of the backup in a directory, whose manifest was read.
pub(crate) fn backup_values(dir: &Path) -> Result<Values, BackupError> {
    let log = dir.join("log");
    if !log.is_dir() {
        let source = std::io::ErrorKind::NotFound.into();
        return Err(BackupError::File { action: "open", path: log, source });
    }
    Marker::read(dir).map_err(OpenError::from)?;
    let lock = Arc::new(take_lock(dir)?);
    Ok(Values::new(Database::open(&log, Options::STANDARD.log_cache_bytes, &lock)?))
}

/// A store or backup that is being made: nobody opens its directory until it is finished.
pub(crate) struct Making {
    dir: PathBuf,
    target: Target,
    _lock: Arc<Lock>,
}

impl Making {
    /// Begins in a directory that is empty or not there.
    pub(crate) fn begin(dir: &Path) -> Result<Self, BackupError> {
        let error =
            |action| move |source| BackupError::File { action, path: dir.to_path_buf(), source };
        std::fs::create_dir_all(dir).map_err(error("create"))?;
        if dir.join(UNFINISHED).exists() {
            return Err(ManifestError::Unfinished { dir: dir.to_path_buf() }.into());
        }
        if std::fs::read_dir(dir).map_err(error("read"))?.next().is_some() {
            return Err(BackupError::NotEmpty { dir: dir.to_path_buf() });
        }
        let marked = File::create_new(dir.join(UNFINISHED)).and_then(|file| file.sync_all());
        marked.map_err(error("write into"))?;
        sync_parent(dir)?;
        let marker = Marker::read(dir).and_then(|marker| marker.renew(dir));
        marker.map_err(OpenError::from)?;
        let lock = Arc::new(take_lock(dir)?);
        let cache_bytes = Options::STANDARD.log_cache_bytes;
        let target = Target::open(&dir.join("log"), cache_bytes, &lock)?;
        Ok(Self { dir: dir.to_path_buf(), target, _lock: lock })
    }

    /// Puts the pieces of a value.
    pub(crate) fn put(&mut self, pieces: Vec<Piece>) -> Result<(), BackupError> {
        Ok(self.target.put(pieces)?)
    }

    /// Makes all of it durable, then says so: from now on the directory can be opened.
    pub(crate) fn finish(
        self,
        ends: &Ends,
        manifest: Option<&Manifest>,
    ) -> Result<(), BackupError> {
        let Self { dir, target, _lock } = self;
        target.finish()?;
        let noted = ends.iter().map(|(ledger, end)| (ledger.clone(), end.sequence)).collect();
        HighWater::new(noted).write(&dir.join("high-water")).map_err(OpenError::from)?;
        if let Some(manifest) = manifest {
            manifest.write(&dir)?;
        }
        sync_parent(&dir)?;
        let path = dir.join(UNFINISHED);
        let removed = std::fs::remove_file(&path);
        removed.map_err(|source| BackupError::File { action: "remove", path, source })?;
        Ok(sync_parent(&dir)?)
    }
}

impl From<TargetFault> for BackupError {
    fn from(fault: TargetFault) -> Self {
        match fault {
            TargetFault::Write(source) => Self::Write(source),
            TargetFault::Open(error) => Self::Open(error),
        }
    }
}

/// Refuses a directory that can't be read as a store: what is in it is not whole, or goes on from
/// another backup.
pub(super) fn refuse_part(dir: &Path) -> Result<(), OpenError> {
    match Manifest::read(dir) {
        Ok(manifest) if manifest.is_increment() => {
            Err(OpenError::Increment { dir: dir.to_path_buf() })
        }
        Ok(_) | Err(ManifestError::NoBackup { .. }) => Ok(()),
        Err(error) => Err(OpenError::Backup(error)),
    }
}
