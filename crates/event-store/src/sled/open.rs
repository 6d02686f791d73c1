//! Opens a store: takes its lock, opens both databases, reads the log's end and holds it against
//! what was noted.

use std::{fs::File, path::Path, sync::Arc, time::Duration};

use domain::ids::Sequence;
use parking_lot::Mutex;
use rustix::fs::{FlockOperation, flock};

use super::{Lock, OpenError, Options, SledLog, SledStore, database::Database, recover};
use crate::{high_water::HighWater, log::EventLog as _, redb_views::RedbViews};

/// A store that was just dropped may still be closing: how often to try again, after how long.
const LOCK_TRIES: u32 = 20;
const LOCK_PAUSE: Duration = Duration::from_millis(25);

pub(super) fn open(dir: &Path, options: Options) -> Result<SledStore, OpenError> {
    let make = |source| OpenError::File { action: "create", path: dir.to_path_buf(), source };
    std::fs::create_dir_all(dir).map_err(make)?;
    let lock = Arc::new(take_lock(dir)?);
    let high_water_path = dir.join("high-water");
    let noted = HighWater::read(&high_water_path)?;
    let database = Database::open(&dir.join("log"), options.log_cache_bytes, &lock)?;
    let log = recover::recover(database, options.run_records)?;
    refuse_to_go_back(&log, &noted, &high_water_path)?;
    let views = open_views(dir, options, &lock)?;
    sync_parent(dir)?;
    Ok(SledStore {
        log: Arc::new(log),
        views: Arc::new(views),
        high_water_path,
        noted: Mutex::new(noted),
    })
}

fn open_views(dir: &Path, options: Options, lock: &Arc<Lock>) -> Result<RedbViews, OpenError> {
    let path = dir.join("views");
    RedbViews::open(&path, options.views_cache_bytes, lock)
        .map_err(|source| OpenError::Views { path, source })
}

fn take_lock(dir: &Path) -> Result<Lock, OpenError> {
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

fn refuse_to_go_back(log: &SledLog, noted: &HighWater, path: &Path) -> Result<(), OpenError> {
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
fn sync_parent(dir: &Path) -> Result<(), OpenError> {
    let sync = |path: &Path| File::open(path).and_then(|file| file.sync_all());
    let absolute = std::path::absolute(dir);
    let synced =
        absolute.and_then(|dir| sync(&dir).and_then(|()| dir.parent().map_or(Ok(()), sync)));
    synced.map_err(|source| OpenError::File { action: "sync", path: dir.to_path_buf(), source })
}
