//! Room on the disk: looked at before every group, and a reserve for what must be written when
//! there is none.
//!
//! A write that fails half-way latches the store until it is opened again. So a disk that becomes
//! full is met before the write: a group for which there is no room is refused, nothing of it is
//! written, and the next one is taken as soon as there is room again.
//!
//! The reserve is the file `reserve` beside the log, with blocks of its own. It is given back when
//! there is little room and something must be written all the same: when a store is opened, since
//! the database writes then, and when the server ends, for its last checkpoint. It is made again
//! once there is room for it and more.
//!
//! # What this guarantees
//! As long as nobody else writes to the file system between the look and the write, no group fails
//! for lack of room: the room that is asked for covers the most that a group was seen to write, the
//! views and the high-water file. When somebody else does take the room in that moment, the write
//! fails, the store latches, nothing acknowledged is lost, and the reserve is what the next start
//! writes into. Quotas and thin volumes can be full while the file system says that it is not:
//! then it is the same as with somebody else.
//!
//! Never here: a file of the log. The reserve may be deleted by anybody at any time.

use std::{
    fmt,
    fs::File,
    io,
    os::unix::fs::MetadataExt as _,
    path::{Path, PathBuf},
};

use rustix::fs::{FallocateFlags, fallocate, statvfs};

/// Below so much free space no group is taken.
///
/// What it keeps free is for what follows a group without being asked: an index run, a checkpoint
/// of the views, a snapshot when the log is opened again.
pub const FREE_BYTES_MIN: u64 = 64 << 20;

/// How much larger the writes of a group can be than its values: the leaves around them are
/// written again, and the database takes whole segments.
const WRITE_AMPLIFICATION_MAX: u64 = 4;

/// The size of the reserve.
pub const RESERVE_BYTES: u64 = 64 << 20;

/// So much must be free beside the reserve before it is made, so that making it stops nobody.
const RESERVE_MARGIN_BYTES: u64 = 2 * FREE_BYTES_MIN;

/// Says how many bytes the file system of a directory has free for us.
type Free = dyn Fn(&Path) -> io::Result<u64> + Send + Sync;

/// The room for a store's directory.
pub struct Space {
    dir: PathBuf,
    reserve: PathBuf,
    free: Box<Free>,
}

/// There is no room for a group.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "write to {path}: its file system has {free} bytes free and {needed} are needed; free some or \
     enlarge it, the server goes on by itself then"
)]
pub struct NoSpace {
    /// The store's directory.
    pub path: PathBuf,
    /// How many bytes are free.
    pub free: u64,
    /// How many must be.
    pub needed: u64,
}

impl Space {
    /// The room for a directory, as its file system says it.
    #[must_use]
    pub fn of(dir: &Path) -> Self {
        Self::told(dir, free_bytes)
    }

    /// The room for a directory, as something else says it.
    #[must_use]
    pub fn told(
        dir: &Path,
        free: impl Fn(&Path) -> io::Result<u64> + Send + Sync + 'static,
    ) -> Self {
        Self { dir: dir.to_path_buf(), reserve: dir.join("reserve"), free: Box::new(free) }
    }

    /// How many bytes are free.
    ///
    /// # Errors
    /// The file system does not say.
    pub fn free(&self) -> io::Result<u64> {
        (self.free)(&self.dir)
    }

    /// Says whether there is room for values of so many bytes.
    ///
    /// A file system that does not say is written to: not knowing is no reason to stop.
    ///
    /// # Errors
    /// There is no room.
    pub fn admit(&self, bytes: u64) -> Result<(), NoSpace> {
        let Ok(free) = self.free() else { return Ok(()) };
        let written = bytes.saturating_mul(WRITE_AMPLIFICATION_MAX);
        let needed = FREE_BYTES_MIN.saturating_add(written);
        if free >= needed { Ok(()) } else { Err(NoSpace { path: self.dir.clone(), free, needed }) }
    }

    /// Whether the whole reserve is there.
    #[must_use]
    pub fn has_reserve(&self) -> bool {
        // Blocks, since a file can be as long without having any.
        let bytes = |file: std::fs::Metadata| file.blocks().saturating_mul(512);
        std::fs::metadata(&self.reserve).is_ok_and(|file| bytes(file) >= RESERVE_BYTES)
    }

    /// Gives the reserve back if there is little room. Says whether it did.
    ///
    /// # Errors
    /// The file can't be removed.
    pub fn give_back(&self) -> io::Result<bool> {
        if self.admit(0).is_ok() {
            return Ok(false);
        }
        match std::fs::remove_file(&self.reserve) {
            Ok(()) => Ok(true),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(false),
            Err(error) => Err(error),
        }
    }

    /// Makes the reserve if it is not there and there is room. Says whether it did.
    ///
    /// # Errors
    /// The file system can't set blocks aside, or has none left all the same.
    pub fn set_aside(&self) -> io::Result<bool> {
        let wanted = RESERVE_BYTES.saturating_add(RESERVE_MARGIN_BYTES);
        if self.has_reserve() || self.free()? < wanted {
            return Ok(false);
        }
        let file = File::create(&self.reserve)?;
        let made = fallocate(&file, FallocateFlags::empty(), 0, RESERVE_BYTES);
        if let Err(fault) = made {
            // A reserve that is not whole is none.
            std::fs::remove_file(&self.reserve)?;
            return Err(fault.into());
        }
        Ok(true)
    }
}

impl fmt::Debug for Space {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Space").field("dir", &self.dir).finish_non_exhaustive()
    }
}

/// What is free for a process without privileges.
fn free_bytes(dir: &Path) -> io::Result<u64> {
    let found = statvfs(dir)?;
    Ok(found.f_bavail.saturating_mul(found.f_frsize))
}

#[cfg(test)]
mod tests {
    use std::sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    };

    use super::*;

    /// A file system that has as much free as the number says.
    fn pretended(dir: &Path, free: u64) -> (Space, Arc<AtomicU64>) {
        let free = Arc::new(AtomicU64::new(free));
        let said = Arc::clone(&free);
        (Space::told(dir, move |_| Ok(said.load(Ordering::Relaxed))), free)
    }

    #[test]
    fn a_group_needs_room_for_itself_above_what_is_kept_free() {
        let dir = tempfile::tempdir().unwrap();
        let (space, free) = pretended(dir.path(), FREE_BYTES_MIN);
        assert_eq!(space.admit(0), Ok(()));
        let needed = FREE_BYTES_MIN + 1000 * WRITE_AMPLIFICATION_MAX;
        let path = dir.path().to_path_buf();
        let refused = NoSpace { path, free: FREE_BYTES_MIN, needed };
        assert_eq!(space.admit(1000), Err(refused));
        free.store(needed, Ordering::Relaxed);
        assert_eq!(space.admit(1000), Ok(()));
        assert!(space.admit(u64::MAX).is_err());
    }

    #[test]
    fn a_file_system_that_says_nothing_is_written_to() {
        let space = Space::told(Path::new("/"), |_| Err(io::ErrorKind::Unsupported.into()));
        assert_eq!(space.admit(u64::MAX), Ok(()));
        assert!(!space.give_back().unwrap());
        assert!(space.set_aside().is_err());
    }

    #[test]
    fn the_reserve_has_blocks_of_its_own() {
        let dir = tempfile::tempdir().unwrap();
        let space = Space::of(dir.path());
        assert!(space.free().unwrap() > 0);
        let (space, _) = pretended(dir.path(), u64::MAX);
        assert!(!space.has_reserve());
        assert!(space.set_aside().unwrap());
        assert!(space.has_reserve());
        assert!(!space.set_aside().unwrap());
        let file = std::fs::metadata(dir.path().join("reserve")).unwrap();
        assert_eq!(file.len(), RESERVE_BYTES);
        assert!(file.blocks() * 512 >= RESERVE_BYTES);
    }

    #[test]
    fn a_hole_is_no_reserve_and_is_filled() {
        let dir = tempfile::tempdir().unwrap();
        let (space, _) = pretended(dir.path(), u64::MAX);
        let hole = File::create(dir.path().join("reserve")).unwrap();
        hole.set_len(RESERVE_BYTES).unwrap();
        assert!(!space.has_reserve());
        assert!(space.set_aside().unwrap());
        assert!(space.has_reserve());
    }

    #[test]
    fn the_reserve_is_given_back_when_there_is_little_room_and_made_again_when_there_is_much() {
        let dir = tempfile::tempdir().unwrap();
        let wanted = RESERVE_BYTES + RESERVE_MARGIN_BYTES;
        let (space, free) = pretended(dir.path(), wanted);
        assert!(space.set_aside().unwrap());
        assert!(!space.give_back().unwrap(), "there is room");
        free.store(FREE_BYTES_MIN - 1, Ordering::Relaxed);
        assert!(space.give_back().unwrap());
        assert!(!space.has_reserve());
        assert!(!space.give_back().unwrap(), "there is none left");
        free.store(wanted - 1, Ordering::Relaxed);
        assert!(!space.set_aside().unwrap(), "it would leave too little");
        free.store(wanted, Ordering::Relaxed);
        assert!(space.set_aside().unwrap());
        assert!(space.has_reserve());
    }
}
