//! Opens a store: takes its lock, opens both databases, reads the log's end and holds it against
//! what was noted.

use std::{fs::File, path::Path, sync::Arc, time::Duration};

use domain::ids::Sequence;
use parking_lot::Mutex;
use rustix::fs::{FlockOperation, flock};

use super::{
    Derived, Lock, OpenError, Options, SledLog, SledStore, backup::refuse_part, database::Database,
    recover, rewrite::remove_leftovers, second::remove_second,
};
use crate::{
    high_water::HighWater,
    log::EventLog as _,
    marker::Marker,
    redb_views::{RedbViews, ViewsFault},
    space::Space,
};

/// A store that was just dropped may still be closing: how often to try again, after how long.
const LOCK_TRIES: u32 = 20;
const LOCK_PAUSE: Duration = Duration::from_millis(25);

pub(super) fn open(dir: &Path, options: Options, space: Space) -> Result<SledStore, OpenError> {
    let file_error =
        |action| move |source| OpenError::File { action, path: dir.to_path_buf(), source };
    // Nothing of a store that a newer program wrote may be touched.
    let marker = Marker::read(dir)?;
    refuse_part(dir)?;
    std::fs::create_dir_all(dir).map_err(file_error("create"))?;
    let lock = Arc::new(take_lock(dir)?);
    remove_leftovers(dir).map_err(file_error("clean up"))?;
    remove_second(dir).map_err(file_error("clean up"))?;
    let high_water_path = dir.join("high-water");
    let noted = HighWater::read(&high_water_path)?;
    // sled writes when it opens.
    space.give_back().map_err(file_error("give back the reserve in"))?;
    marker.renew(dir)?;
    let space = Arc::new(space);
    let database = Database::open(&dir.join("log"), options.log_cache_bytes, &lock)?;
    let (log, mut damaged) = recover::recover(database, options, Arc::clone(&space))?;
    refuse_to_go_back(&log, &noted, &high_water_path)?;
    let views = open_views(dir, options, &lock, &mut damaged)?;
    sync_parent(dir)?;
    Ok(SledStore {
        log: Arc::new(log),
        views: Arc::new(views),
        space,
        damaged,
        high_water_path,
        noted: Mutex::new(noted),
    })
}

/// Opens the views. Damaged ones are put aside for a server, which folds them again.
fn open_views(
    dir: &Path,
    options: Options,
    lock: &Arc<Lock>,
    damaged: &mut Vec<String>,
) -> Result<RedbViews, OpenError> {
    let (path, aside) = (dir.join("views"), dir.join("views.damaged"));
    let open = || RedbViews::open(&path, options.views_cache_bytes, lock);
    let opened = match open() {
        Err(ViewsFault::Damaged { .. }) if options.derived == Derived::Rebuilt => {
            let error =
                |source| OpenError::File { action: "put aside", path: path.clone(), source };
            std::fs::rename(&path, &aside).map_err(error)?;
            damaged.push(format!("the views were damaged; they are in {}", aside.display()));
            open()
        }
        opened => opened,
    };
    opened.map_err(|source| OpenError::Views { path, source: source.into() })
}

pub(super) fn take_lock(dir: &Path) -> Result<Lock, OpenError> {
    let path = dir.join("lock");
    let error = |source| OpenError::File { action: "open", path: path.clone(), source };
    let file =
        File::options().create(true).truncate(false).write(true).open(&path).map_err(error)?;
    for _ in 0..LOCK_TRIES {
        match flock(&file, FlockOperation::NonBlockingLockExclusive) {
            Ok(()) => return Ok(Lock { _file: file }),
            Err(rustix::io::Errno::WOULDBLOCK) => std::thread::sleep(LOCK_PAUSE),
            Err(fault) => return Err(error(fault.into())),
        }
    }
    Err(OpenError::InUse { dir: dir.to_path_buf() })
}

/// Whether a process has the store in a directory open. Touches nothing.
///
/// # Errors
/// The lock can't be looked at.
pub fn is_open(dir: &Path) -> std::io::Result<bool> {
    let file = match File::open(dir.join("lock")) {
        Ok(file) => file,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(false),
        Err(error) => return Err(error),
    };
    // Shared, and given up at once: who opens the store in this moment tries again.
    match flock(&file, FlockOperation::NonBlockingLockShared) {
        Ok(()) => Ok(false),
        Err(rustix::io::Errno::WOULDBLOCK) => Ok(true),
        Err(fault) => Err(fault.into()),
    }
}

pub(super) fn refuse_to_go_back(
    log: &SledLog,
    noted: &HighWater,
    path: &Path,
) -> Result<(), OpenError> {
    for (ledger, noted) in noted.ends() {
        let found = log.head(ledger).map_or(0, |head| head.sequence.get());
        if found < Sequence::get(*noted) {
            let (ledger, path) = (ledger.clone(), path.to_path_buf());
            return Err(OpenError::WentBack { ledger, found, noted: *noted, path });
        }
    }
    Ok(())
}

/// Makes sure that the store's directory itself is still there after a loss of power.
pub(super) fn sync_parent(dir: &Path) -> Result<(), OpenError> {
    let sync = |path: &Path| File::open(path).and_then(|file| file.sync_all());
    let absolute = std::path::absolute(dir);
    let synced =
        absolute.and_then(|dir| sync(&dir).and_then(|()| dir.parent().map_or(Ok(()), sync)));
    synced.map_err(|source| OpenError::File { action: "sync", path: dir.to_path_buf(), source })
}
