//! Views on redb, which is named in this file and nowhere else.
//!
//! A checkpoint is one transaction over tens of thousands of entries. sled's batch would hold up
//! every reader meanwhile, the writer among them; redb's readers see the state before it.

use std::{fs::File, path::Path, sync::Arc};

use redb::{Database, ReadableDatabase as _, TableDefinition};

use crate::{
    log::StorageFault,
    sled::Lock,
    views::{self, Change, Entry, ViewError, ViewStore},
};

const TABLE: TableDefinition<'_, &[u8], &[u8]> = TableDefinition::new("views");

/// A store of views in one file.
pub(crate) struct RedbViews {
    database: Database,
    /// The store is locked until its last part is dropped.
    _lock: Arc<Lock>,
}

impl RedbViews {
    /// Opens the file, or makes it.
    pub(crate) fn open(
        path: &Path,
        cache_bytes: usize,
        lock: &Arc<Lock>,
    ) -> Result<Self, StorageFault> {
        let database = Database::builder().set_cache_size(cache_bytes).create(path)?;
        let views = Self { database, _lock: Arc::clone(lock) };
        views.commit(&[])?;
        if let Some(dir) = path.parent() {
            File::open(dir)?.sync_all()?;
        }
        Ok(views)
    }

    /// Writes in one transaction; durable when it returns `Ok`. The table exists afterwards.
    fn commit(&self, changes: &[Change]) -> Result<(), StorageFault> {
        let transaction = self.database.begin_write()?;
        {
            let mut table = transaction.open_table(TABLE)?;
            for (key, value) in changes {
                match value {
                    Some(value) => drop(table.insert(key.as_slice(), value.as_slice())?),
                    None => drop(table.remove(key.as_slice())?),
                }
            }
        }
        transaction.commit()?;
        Ok(())
    }

    fn read(&self, key: &[u8]) -> Result<Option<Vec<u8>>, StorageFault> {
        let table = self.database.begin_read()?.open_table(TABLE)?;
        Ok(table.get(key)?.map(|value| value.value().to_vec()))
    }

    fn list(
        &self,
        prefix: &[u8],
        after: Option<&[u8]>,
        limit: usize,
    ) -> Result<Vec<Entry>, StorageFault> {
        let table = self.database.begin_read()?.open_table(TABLE)?;
        let start = after.map_or(prefix, |after| after.max(prefix));
        let mut out = Vec::new();
        for entry in table.range::<&[u8]>(start..)? {
            let (key, value) = entry?;
            let key = key.value();
            if out.len() >= limit || !key.starts_with(prefix) {
                break;
            }
            if after.is_none_or(|after| key > after) {
                out.push((key.to_vec(), value.value().to_vec()));
            }
        }
        Ok(out)
    }

    fn remove_all(&self) -> Result<(), StorageFault> {
        let transaction = self.database.begin_write()?;
        transaction.delete_table(TABLE)?;
        transaction.open_table(TABLE)?;
        transaction.commit()?;
        Ok(())
    }
}

impl ViewStore for RedbViews {
    fn get(&self, key: &[u8]) -> Result<Option<Vec<u8>>, ViewError> {
        self.read(key).map_err(failed)
    }

    fn scan(
        &self,
        prefix: &[u8],
        after: Option<&[u8]>,
        limit: usize,
    ) -> Result<Vec<Entry>, ViewError> {
        self.list(prefix, after, limit).map_err(failed)
    }

    fn write(&self, changes: &[Change]) -> Result<(), ViewError> {
        views::check_changes(changes)?;
        self.commit(changes).map_err(failed)
    }

    fn clear(&self) -> Result<(), ViewError> {
        self.remove_all().map_err(failed)
    }
}

fn failed(source: StorageFault) -> ViewError {
    ViewError::Failed { source }
}
