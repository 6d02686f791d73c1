//! Views beside the views: what a replay folds into, to take their place in one step.

use std::{fs::File, io, path::Path, sync::Arc};

use super::{OpenError, Options, SledStore};
use crate::{redb_views::RedbViews, views::ViewStore};

/// The file while it is written; left by a crash, removed when the store opens next.
pub(super) const SECOND: &str = "views.second";

impl SledStore {
    /// Empty views in a file of their own beside the first.
    ///
    /// # Errors
    /// The file can't be made.
    pub fn second_views(&self) -> Result<Arc<dyn ViewStore>, OpenError> {
        let (path, cache) = (self.dir().join(SECOND), Options::STANDARD.views_cache_bytes);
        let views = RedbViews::open(&path, cache, self.views.lock());
        Ok(Arc::new(views.map_err(|source| OpenError::Views { path, source: source.into() })?))
    }

    /// Removes the second views, which nobody may use any more.
    ///
    /// # Errors
    /// The file can't be removed; the next start tries again.
    pub fn drop_second_views(&self) -> Result<(), OpenError> {
        remove_second(self.dir()).map_err(|source| OpenError::File {
            action: "remove",
            path: self.dir().join(SECOND),
            source,
        })
    }

    /// Puts the second views in the place of the first, for all who open the store from now on, and
    /// closes it. What was written to the second views before is durable.
    ///
    /// # Errors
    /// The file can't be moved: the first views are still there.
    pub fn take_second_views(self) -> Result<(), OpenError> {
        let dir = self.dir();
        let moved = std::fs::rename(dir.join(SECOND), dir.join("views"));
        moved.and_then(|()| File::open(dir)?.sync_all()).map_err(|source| OpenError::File {
            action: "move the second views into",
            path: dir.to_path_buf(),
            source,
        })
    }
}

/// Removes what a replay left behind.
pub(super) fn remove_second(dir: &Path) -> io::Result<()> {
    match std::fs::remove_file(dir.join(SECOND)) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        Ok(()) | Err(_) => Ok(()),
    }
}
