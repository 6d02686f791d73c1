//! Erased bodies leave the disk: the log is written anew without them and takes the old one's place.
//!
//! A value that is replaced or removed stays in sled's file until its segment is used again, which
//! may be never. So all values are written into a new database in `log.new`, as they stand, but for
//! the blocks with an erased body: those are packed anew with that body empty. Then the two
//! directories are exchanged, and what is `log.new` now is deleted.
//!
//! They are exchanged by one `renameat2` with `RENAME_EXCHANGE`. After a crash at any point `log` is
//! the old log or the new one, whole and synced, and whatever is `log.new` can be deleted: whoever
//! opens the store next does so. Two renames would leave a moment without any `log`, which has to be
//! told from a store that was never made. A file system that can't exchange is refused before
//! anything is recorded.
//!
//! What remained of a body without its personal fields could be checked against neither its digest
//! nor its signature, so the whole body goes. What it said that decides is in the record.
//!
//! Never here: the choice of what is erased. Only what a record names is.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs::File,
    io,
    path::{Path, PathBuf},
    sync::Arc,
};

use domain::ids::{LedgerId, Sequence};
use rustix::{
    fs::{CWD, RenameFlags, renameat_with},
    io::Errno,
};
use sha2::{Digest as _, Sha256};

use super::{
    Lock, OpenError, Options, SledLog, SledStore,
    copy::{Target, TargetFault, Value},
    database::Database,
    open::{refuse_to_go_back, take_lock},
    recover,
    values::{Values, bodies, damaged_at},
};
use crate::{
    block,
    erasure::Erasures,
    frame::{PackFault, Packer, Packing, Piece},
    high_water::HighWater,
    key::{Kind, StoredKey},
    log::{EventLog as _, ReadError, StorageFault},
    marker::Marker,
    space::{FREE_BYTES_MIN, Space},
};

/// The new log until it takes the old one's place; then what is left of the old one.
const NEW: &str = "log.new";

/// By which it is tried whether the file system can exchange directories.
const PROBE: &str = "log.probe";

/// Why a log was not written anew. The log is as it was, or as it should be.
#[derive(Debug, thiserror::Error)]
pub enum RewriteError {
    /// The store can't be opened, or the new log can't.
    #[error(transparent)]
    Open(#[from] OpenError),
    /// What is to be copied is damaged or can't be read.
    #[error("copy the log; if it is damaged, restore a backup first")]
    Read(#[from] ReadError),
    /// The new log can't be written.
    #[error("write the new log in {}", path.display())]
    Write {
        /// Where.
        path: PathBuf,
        /// What failed.
        #[source]
        source: StorageFault,
    },
    /// What was read back is not what was written.
    #[error("what was read back from {} is not what was written; the disk is not sound", path.display())]
    Differs {
        /// Where.
        path: PathBuf,
    },
    /// There is no room for a second log.
    #[error(
        "write the log anew: {} has {free} bytes free and {needed} are needed; free some",
        path.display()
    )]
    NoSpace {
        /// The store's directory.
        path: PathBuf,
        /// How many bytes are free.
        free: u64,
        /// How many must be.
        needed: u64,
    },
    /// The file system can't exchange two directories.
    #[error(
        "the file system of {} can't exchange two directories in one step; copy the store to one \
         that can, such as ext4, XFS or btrfs, and run this there", path.display()
    )]
    NoExchange {
        /// The store's directory.
        path: PathBuf,
    },
    /// A file or directory can't be used.
    #[error("{action} {}", path.display())]
    File {
        /// What was tried.
        action: &'static str,
        /// On what.
        path: PathBuf,
        /// What the system said.
        #[source]
        source: io::Error,
    },
}

impl SledStore {
    /// Says whether the log in a directory could be written anew: whether there is room, and
    /// whether the file system can put the new one in the old one's place.
    ///
    /// # Errors
    /// It can't; nothing was changed.
    pub fn may_rewrite(dir: &Path) -> Result<(), RewriteError> {
        let file_error = |action| file_error(action, dir);
        let log = size(&dir.join("log")).map_err(file_error("measure"))?;
        let needed = log.saturating_add(FREE_BYTES_MIN);
        let free = Space::of(dir).free().map_err(file_error("look for room in"))?;
        if free < needed {
            return Err(RewriteError::NoSpace { path: dir.to_path_buf(), free, needed });
        }
        for name in [NEW, PROBE] {
            std::fs::create_dir_all(dir.join(name)).map_err(file_error("try an exchange in"))?;
        }
        let tried = exchange(dir, NEW, PROBE);
        remove_leftovers(dir).map_err(file_error("clean up"))?;
        tried
    }

    /// Writes the log of the store in a directory anew without the bodies that its erasures name.
    /// `progress` is told how many bytes of values are copied so far, and how many there are about.
    ///
    /// # Errors
    /// The log is as it was, or already without these bodies; the same may be tried again.
    pub fn rewrite(
        dir: &Path,
        options: Options,
        progress: &mut dyn FnMut(u64, u64),
    ) -> Result<(), RewriteError> {
        let marker = Marker::read(dir).map_err(OpenError::from)?;
        let lock = Arc::new(take_lock(dir)?);
        remove_leftovers(dir).map_err(file_error("clean up", dir))?;
        marker.renew(dir).map_err(OpenError::from)?;
        let log = open_log(dir, options, &lock)?;
        let new = dir.join(NEW);
        let total = size(&dir.join("log")).map_err(file_error("measure", dir))?;
        let mut progress = |bytes: u64| progress(bytes.min(total), total);
        let written = copied(&log, &new, options, &lock, &mut progress)
            .and_then(|written| is_written(&new, options, &lock, written));
        // Both databases are closed before their directories move.
        drop(log);
        if let Err(error) = written {
            // What is left of it is removed by whoever opens the store next.
            drop(remove_leftovers(dir));
            return Err(error);
        }
        exchange(dir, "log", NEW)?;
        File::open(dir).and_then(|dir| dir.sync_all()).map_err(file_error("sync", dir))?;
        remove_leftovers(dir).map_err(file_error("clean up", dir))
    }
}

/// Removes what was left when a log was made or written anew and that was cut short: an empty
/// database, the new log, or the old one. Only the holder of the store's lock may do this.
pub(super) fn remove_leftovers(dir: &Path) -> io::Result<()> {
    let mut removed = false;
    for name in [NEW, PROBE, "log.making", "log.new.making"] {
        match std::fs::remove_dir_all(dir.join(name)) {
            Ok(()) => removed = true,
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            Err(error) => return Err(error),
        }
    }
    if removed { File::open(dir)?.sync_all() } else { Ok(()) }
}

fn file_error(action: &'static str, path: &Path) -> impl FnOnce(io::Error) -> RewriteError {
    move |source| RewriteError::File { action, path: path.to_path_buf(), source }
}

fn open_log(dir: &Path, options: Options, lock: &Arc<Lock>) -> Result<SledLog, OpenError> {
    let high_water = dir.join("high-water");
    let noted = HighWater::read(&high_water)?;
    let database = Database::open(&dir.join("log"), options.log_cache_bytes, lock)?;
    let (log, _) = recover::recover(database, options, Arc::new(Space::of(dir)))?;
    refuse_to_go_back(&log, &noted, &high_water)?;
    Ok(log)
}

/// The size of the files in a directory.
fn size(dir: &Path) -> io::Result<u64> {
    let mut bytes = 0_u64;
    for entry in std::fs::read_dir(dir)? {
        bytes = bytes.saturating_add(entry?.metadata()?.len());
    }
    Ok(bytes)
}

/// Exchanges two entries of a directory in one step.
pub(super) fn exchange(dir: &Path, one: &str, other: &str) -> Result<(), RewriteError> {
    match renameat_with(CWD, dir.join(one), CWD, dir.join(other), RenameFlags::EXCHANGE) {
        Ok(()) => Ok(()),
        Err(Errno::INVAL | Errno::NOSYS | Errno::NOTSUP) => {
            Err(RewriteError::NoExchange { path: dir.to_path_buf() })
        }
        Err(fault) => Err(file_error("exchange the log in", dir)(fault.into())),
    }
}

/// Digests what is written or read, in the order of the keys.
#[derive(Default)]
struct Sum {
    hasher: Sha256,
    bytes: u64,
}

impl Sum {
    fn add(&mut self, key: &[u8], value: &[u8]) {
        for part in [key, value] {
            let length = u64::try_from(part.len()).unwrap_or(u64::MAX);
            self.hasher.update(length.to_le_bytes());
            self.hasher.update(part);
            self.bytes = self.bytes.saturating_add(length);
        }
    }
}

/// Copies all values into a new database, blocks with erased bodies without them.
fn copied(
    log: &SledLog,
    new: &Path,
    options: Options,
    lock: &Arc<Lock>,
    progress: &mut dyn FnMut(u64),
) -> Result<Sum, RewriteError> {
    let write = |source: StorageFault| RewriteError::Write { path: new.to_path_buf(), source };
    let failed = |fault: TargetFault| match fault {
        TargetFault::Write(source) => write(source),
        TargetFault::Open(error) => error.into(),
    };
    let mut copying = Copying {
        values: log.values(),
        erased: erased(log)?,
        packer: Packer::new().map_err(|fault: PackFault| write(fault.into()))?,
        next: Vec::new(),
    };
    let mut target = Target::open(new, options.log_cache_bytes, lock)?;
    let mut sum = Sum::default();
    while let Some(pieces) = copying.pieces()? {
        let pieces = pieces.map_err(|fault| write(fault.into()))?;
        pieces.iter().for_each(|(key, value)| sum.add(key, value));
        target.put(pieces).map_err(failed)?;
        progress(sum.bytes);
    }
    target.finish().map_err(failed)?;
    Ok(sum)
}

/// All bodies that are erased, by ledger.
fn erased(log: &SledLog) -> Result<BTreeMap<LedgerId, BTreeSet<Sequence>>, ReadError> {
    let mut erased = BTreeMap::new();
    for ledger in log.ledgers()? {
        let mut own = BTreeSet::new();
        for erasure in Erasures::of(log, &ledger) {
            own.extend(erasure?.records);
        }
        erased.insert(ledger, own);
    }
    Ok(erased)
}

/// Checks that a database holds what was written to it, and that all its files are on the disk. To
/// open it once makes the next start quick: sled writes a snapshot then.
fn is_written(
    new: &Path,
    options: Options,
    lock: &Arc<Lock>,
    written: Sum,
) -> Result<(), RewriteError> {
    let database = Database::open(new, options.log_cache_bytes, lock)?;
    let mut read = Sum::default();
    for entry in database.entries_from(&[]) {
        let entry = entry.map_err(|source| ReadError::Failed { source })?;
        read.add(&entry.0, &entry.1);
    }
    if read.hasher.finalize() != written.hasher.finalize() {
        return Err(RewriteError::Differs { path: new.to_path_buf() });
    }
    drop(database);
    sync_files(new).map_err(file_error("sync", new))
}

fn sync_files(dir: &Path) -> io::Result<()> {
    for entry in std::fs::read_dir(dir)? {
        let path = entry?.path();
        if path.is_dir() {
            sync_files(&path)?;
        } else {
            File::open(path)?.sync_all()?;
        }
    }
    File::open(dir)?.sync_all()
}

/// The copy that is under way.
struct Copying<'a> {
    values: &'a Values,
    erased: BTreeMap<LedgerId, BTreeSet<Sequence>>,
    packer: Packer,
    /// The key to go on from.
    next: Vec<u8>,
}

impl Copying<'_> {
    /// What comes next, as it is to be written: one piece as it stands, or all of a block anew.
    fn pieces(&mut self) -> Result<Option<Result<Vec<Piece>, PackFault>>, ReadError> {
        let Some(found) = self.values.first_key_from(&self.next)? else { return Ok(None) };
        if let Ok(key) = StoredKey::decode(&found)
            && let Some(erased) = self.erased_in(&key)?
        {
            self.next = behind(&key.at_part(u16::MAX).encode());
            return self.without(&key, &erased).map(Some);
        }
        self.next = behind(&found);
        let stored = self.values.piece(&found)?.unwrap_or_default();
        Ok(Some(Ok(vec![(found, stored)])))
    }

    /// The erased bodies of the block that starts with this key, if it is one and has any.
    fn erased_in(&self, key: &StoredKey) -> Result<Option<BTreeSet<Sequence>>, ReadError> {
        if key.kind != Kind::Bodies || key.part > 0 {
            return Ok(None);
        }
        let Some(erased) = self.erased.get(&key.ledger) else { return Ok(None) };
        let after = self.values.first_key_from(&behind(&key.at_part(u16::MAX).encode()))?;
        let after = after.and_then(|after| StoredKey::decode(&after).ok());
        let same = |after: &StoredKey| after.kind == key.kind && after.ledger == key.ledger;
        let own: BTreeSet<Sequence> = match after.filter(same) {
            Some(after) => erased.range(key.number..after.number).copied().collect(),
            None => erased.range(key.number..).copied().collect(),
        };
        Ok((!own.is_empty()).then_some(own))
    }

    /// A block of bodies without the erased ones.
    fn without(
        &mut self,
        key: &StoredKey,
        erased: &BTreeSet<Sequence>,
    ) -> Result<Result<Vec<Piece>, PackFault>, ReadError> {
        let value = Value::gather(key, |at| self.values.piece(at))?;
        let value = value.map_err(|fault| damaged_at(key, &fault.to_string()))?;
        let block = bodies(key, &value.raw)?;
        let kept = block.iter().map(|(at, body)| if erased.contains(&at) { &[] } else { body });
        let raw = block::encode_bodies(key.number, &kept.collect::<Vec<&[u8]>>());
        let mut pieces = Vec::new();
        let packed = self.packer.seal(key, Packing::Zstd, &raw, &mut pieces);
        Ok(packed.map(|()| pieces))
    }
}

/// The first key that can follow one.
fn behind(key: &[u8]) -> Vec<u8> {
    [key, &[0]].concat()
}
