//! One sled database, written so that what is acknowledged survives a loss of power.
//!
//! sled's own `flush` never syncs the file, so every commit is one batch on one tree, flushed and
//! then followed by fdatasync. No value is large enough for sled to put it into a file of its own.

use std::{
    fs::File,
    io::Write as _,
    path::{Path, PathBuf},
    sync::{
        Arc, OnceLock,
        atomic::{AtomicU64, Ordering::Relaxed},
    },
    thread,
    time::Duration,
};

use ::sled::{Batch, Config, IVec};
use parking_lot::{Mutex, RwLock};

use super::{
    Lock, OpenError,
    fences::{self, Fences, is_fence},
    watched::Watched,
};
use crate::{
    log::StorageFault,
    panics::{Panicked, caught},
};

/// Never changes: sled refuses to open a database with another.
const SEGMENT_BYTES: usize = 8 << 20;

/// sled's lock outlives a drop briefly: how often to try again, and after how long.
const OPEN_TRIES: u32 = 40;
const OPEN_PAUSE: Duration = Duration::from_millis(25);

/// As how many accesses reading one large value counts.
const LARGE_ACCESSES: u32 = 32;

/// So many bytes or commits after it was opened, a database is due to be opened again: sled writes
/// a snapshot only then, and without one the next start reads all that came after the last.
const RENEW_BYTES: u64 = 256 << 20;
const RENEW_COMMITS: u64 = 65_536;

/// How many entries are read at a time, so that no iterator of sled's lives long.
const ENTRIES_AT_ONCE: usize = 16;

/// A database that stays open as long as the store does, but for the moments in which it is
/// renewed.
pub(super) struct Database {
    dir: PathBuf,
    cache_bytes: u64,
    /// None after it could not be renewed: nothing works then until a restart.
    opened: RwLock<Option<Opened>>,
    /// Written ahead of the blocks, and shown to nobody.
    fences: Mutex<Fences>,
    /// Set once sled has panicked.
    broken: OnceLock<Broken>,
    /// The store is locked until its last database is dropped.
    _lock: Arc<Lock>,
}

/// What sled has open.
struct Opened {
    db: Watched,
    file: File,
    bytes: AtomicU64,
    commits: AtomicU64,
}

/// A stored key and its value.
pub(super) type Stored = (IVec, IVec);

/// The database could not be opened again after it was closed.
#[derive(Debug, thiserror::Error)]
#[error("the database is closed; restart")]
struct Closed;

/// sled panicked: its files are damaged, or it has a bug. It is not used again.
#[derive(Clone, Debug, thiserror::Error)]
#[error("the database in {dir} is damaged; restore a backup")]
struct Broken {
    dir: PathBuf,
    #[source]
    panic: Panicked,
}

impl Database {
    /// Opens the database in a directory, or makes it there. The store's lock shows that no other
    /// process opens it at the same time.
    pub(super) fn open(dir: &Path, cache_bytes: u64, lock: &Arc<Lock>) -> Result<Self, OpenError> {
        let opened = RwLock::new(Some(Opened::open(dir, cache_bytes)?));
        let (fences, broken, lock) = (Mutex::default(), OnceLock::new(), Arc::clone(lock));
        Ok(Self { dir: dir.to_path_buf(), cache_bytes, opened, fences, broken, _lock: lock })
    }

    /// Closes the database and opens it again if so much was written since that the next start
    /// would be slow. Everyone waits meanwhile.
    pub(super) fn renew_if_due(&self) -> Result<bool, OpenError> {
        let is_due = self.opened.read().as_ref().is_some_and(Opened::is_due);
        if is_due {
            self.renew()?;
        }
        Ok(is_due)
    }

    /// Closes the database and opens it again.
    pub(super) fn renew(&self) -> Result<(), OpenError> {
        let mut opened = self.opened.write();
        let closing = opened.take();
        caught(|| drop(closing))
            .map_err(|panic| OpenError::Database { dir: self.dir.clone(), source: panic.into() })?;
        *opened = Some(Opened::open(&self.dir, self.cache_bytes)?);
        Ok(())
    }

    /// Uses what is open, as long as it has not panicked.
    fn with<T>(
        &self,
        act: impl FnOnce(&Opened) -> Result<T, StorageFault>,
    ) -> Result<T, StorageFault> {
        if let Some(broken) = self.broken.get() {
            return Err(broken.clone().into());
        }
        let opened = self.opened.read();
        let Some(opened) = &*opened else { return Err(Closed.into()) };
        caught(|| act(opened)).map_err(|panic| {
            let broken = Broken { dir: self.dir.clone(), panic };
            // The first reason stays.
            let _ = self.broken.set(broken.clone());
            broken
        })?
    }

    pub(super) fn get(&self, key: &[u8]) -> Result<Option<IVec>, StorageFault> {
        self.with(|opened| Ok(opened.db.db().get(key)?))
    }

    /// The value of a key that may be large.
    ///
    /// sled looks at its cache's limit once in 64 accesses to one of 256 shards of its pages.
    /// With pages of some 300 KB it would keep hundreds of megabytes whatever the limit, so a
    /// large value counts as many accesses.
    pub(super) fn get_large(&self, key: &[u8]) -> Result<Option<IVec>, StorageFault> {
        for _ in 1..LARGE_ACCESSES {
            self.get(key)?;
        }
        self.get(key)
    }

    /// The last entry from `start` to `end`, both included.
    pub(super) fn last_in(&self, start: &[u8], end: &[u8]) -> Result<Option<Stored>, StorageFault> {
        self.with(|opened| {
            Ok(values(opened.db.db().range(start..=end).rev()).next().transpose()?)
        })
    }

    /// The first entry from `start` on.
    pub(super) fn first_from(&self, start: &[u8]) -> Result<Option<Stored>, StorageFault> {
        self.with(|opened| Ok(values(opened.db.db().range(start..)).next().transpose()?))
    }

    /// All entries from `start` on.
    pub(super) fn entries_from(&self, start: &[u8]) -> Entries<'_> {
        let (start, read) = (Some(start.to_vec()), Vec::new().into_iter());
        Entries { database: self, start, read }
    }

    /// Writes all these values or none (`None` removes); durable when it returns `Ok`.
    pub(super) fn commit(
        &self,
        changes: impl IntoIterator<Item = (Vec<u8>, Option<Vec<u8>>)>,
    ) -> Result<(), StorageFault> {
        let (mut batch, mut bytes) = (Batch::default(), 0_usize);
        let mut fences = self.fences.lock();
        for (key, value) in changes {
            match value {
                Some(value) => {
                    bytes = bytes.saturating_add(key.len()).saturating_add(value.len());
                    let ahead =
                        fences.ahead(&key, value.len(), |prefix| self.last_fence(prefix))?;
                    ahead.into_iter().for_each(|fence| batch.insert(fence, &[]));
                    batch.insert(key, value);
                }
                None => batch.remove(key),
            }
        }
        drop(fences);
        self.with(|opened| opened.commit(batch, u64::try_from(bytes).unwrap_or(u64::MAX)))
    }

    /// The number of the last fence with a prefix.
    fn last_fence(&self, prefix: &[u8]) -> Result<Option<u64>, StorageFault> {
        let (start, end) = fences::last_of(prefix);
        self.with(|opened| {
            let last = opened.db.db().range(start..=end).next_back().transpose()?;
            Ok(last.and_then(fences::number))
        })
    }
}

impl Drop for Database {
    fn drop(&mut self) {
        let opened = self.opened.get_mut().take();
        if self.broken.get().is_some() {
            // Closing writes, and waits for what was being written when it panicked: nobody waits
            // for that.
            drop(thread::Builder::new().name("sled-close".to_owned()).spawn(move || drop(opened)));
        } else {
            drop(caught(|| drop(opened)));
        }
    }
}

impl Opened {
    fn open(dir: &Path, cache_bytes: u64) -> Result<Self, OpenError> {
        let file_error =
            |action| move |source| OpenError::File { action, path: dir.to_path_buf(), source };
        if !dir.exists() {
            make(dir, cache_bytes)?;
        }
        remove_unfinished_snapshots(dir).map_err(file_error("clean up"))?;
        let db = open_patiently(dir, cache_bytes)?;
        if has_blobs(dir).map_err(file_error("read"))? {
            return Err(OpenError::Blobs { dir: dir.to_path_buf() });
        }
        let file = sync_all(dir).map_err(file_error("sync"))?;
        Ok(Self { db, file, bytes: AtomicU64::new(0), commits: AtomicU64::new(0) })
    }

    fn is_due(&self) -> bool {
        let (bytes, commits) = (&self.bytes, &self.commits);
        bytes.load(Relaxed) >= RENEW_BYTES || commits.load(Relaxed) >= RENEW_COMMITS
    }

    fn commit(&self, batch: Batch, bytes: u64) -> Result<(), StorageFault> {
        self.bytes.fetch_add(bytes, Relaxed);
        self.commits.fetch_add(1, Relaxed);
        self.db.commit(batch)?;
        self.file.sync_data()?;
        Ok(())
    }
}

/// Entries without the fences.
fn values(
    entries: impl Iterator<Item = ::sled::Result<Stored>>,
) -> impl Iterator<Item = ::sled::Result<Stored>> {
    entries.filter(|entry| !entry.as_ref().is_ok_and(|(key, value)| is_fence(key, value)))
}

/// Entries in the order of their keys, read a few at a time.
pub(super) struct Entries<'a> {
    database: &'a Database,
    /// Where to read on; none at the end.
    start: Option<Vec<u8>>,
    read: std::vec::IntoIter<Stored>,
}

impl Entries<'_> {
    fn read_on(&mut self) -> Result<(), StorageFault> {
        let Some(start) = self.start.take() else { return Ok(()) };
        let read = self.database.with(|opened| {
            let entries = values(opened.db.db().range(start.as_slice()..)).take(ENTRIES_AT_ONCE);
            Ok(entries.collect::<Result<Vec<Stored>, _>>()?)
        })?;
        if read.len() == ENTRIES_AT_ONCE
            && let Some((last, _)) = read.last()
        {
            // The next key that there can be.
            self.start = Some([last.as_ref(), &[0]].concat());
        }
        self.read = read.into_iter();
        Ok(())
    }
}

impl Iterator for Entries<'_> {
    type Item = Result<Stored, StorageFault>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.read.len() == 0
            && let Err(fault) = self.read_on()
        {
            return Some(Err(fault));
        }
        self.read.next().map(Ok)
    }
}

/// Makes an empty database beside its place and moves it there when it is whole and durable: sled
/// can't open one whose making was cut short, since it writes `conf` in two steps.
///
/// Where a sync fails while sled closes, it says nothing, and a second sync of the same pages would
/// say nothing either. So what sled made is copied, and the copy is what is synced and moved.
fn make(dir: &Path, cache_bytes: u64) -> Result<(), OpenError> {
    let mut aside = dir.as_os_str().to_owned();
    aside.push(".making");
    let aside = PathBuf::from(aside);
    let error = |action| {
        let path = aside.clone();
        move |source| OpenError::File { action, path, source }
    };
    if aside.exists() {
        std::fs::remove_dir_all(&aside).map_err(error("remove"))?;
    }
    let (made, copy) = (aside.join("made"), aside.join("copy"));
    std::fs::create_dir_all(&made).map_err(error("create"))?;
    let db = open_patiently(&made, cache_bytes)?;
    // Closing writes what was not written, and says nothing where that fails.
    db.db()
        .flush()
        .map_err(|source| OpenError::Database { dir: aside.clone(), source: source.into() })?;
    drop(db);
    copy_files(&made, &copy).map_err(error("copy the empty database in"))?;
    std::fs::rename(&copy, dir).map_err(error("rename"))?;
    std::fs::remove_dir_all(&aside).map_err(error("remove"))
}

/// Copies the files of a directory, which are small, into a new one; all is on the disk when it returns `Ok`.
fn copy_files(from: &Path, to: &Path) -> std::io::Result<()> {
    std::fs::create_dir(to)?;
    for entry in std::fs::read_dir(from)? {
        let entry = entry?;
        if entry.file_type()?.is_file() {
            let mut copy = File::create_new(to.join(entry.file_name()))?;
            copy.write_all(&std::fs::read(entry.path())?)?;
            copy.sync_all()?;
        }
    }
    File::open(to)?.sync_all()
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

fn open_patiently(dir: &Path, cache_bytes: u64) -> Result<Watched, OpenError> {
    let config = Config::new()
        .path(dir)
        .cache_capacity(cache_bytes)
        .segment_size(SEGMENT_BYTES)
        .flush_every_ms(None);
    let mut tries = 1;
    loop {
        let failed = |source| OpenError::Database { dir: dir.to_path_buf(), source };
        match caught(|| config.open()).map_err(|panic| failed(panic.into()))? {
            Ok(db) => {
                return Watched::start(db).map_err(|source| OpenError::File {
                    action: "start a thread for",
                    path: dir.to_path_buf(),
                    source,
                });
            }
            Err(::sled::Error::Io(_)) if tries < OPEN_TRIES && is_locked(dir) => {
                tries = tries.saturating_add(1);
                std::thread::sleep(OPEN_PAUSE);
            }
            Err(::sled::Error::Io(_)) if is_locked(dir) => {
                return Err(OpenError::InUse { dir: dir.to_path_buf() });
            }
            Err(source) => return Err(failed(source.into())),
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
