//! Writing what changed to the store of views, so that a restart folds only the log's tail.
//!
//! Each ledger's changes and its book, which names the last record in them, are one atomic write.

use std::sync::Arc;

use event_store::views::{Change, ViewError};

use crate::{
    entity::Stored,
    keys,
    projections::{Layer, Projections},
};

/// After so many records a checkpoint is due.
pub const RECORDS_MAX: usize = 4_096;

/// How many entries are taken into the cache between two readers.
const CACHED_AT_ONCE: usize = 1_024;

impl Projections {
    /// Whether so much changed since the last checkpoint that one is due.
    #[must_use]
    pub fn checkpoint_is_due(&self) -> bool {
        let inner = self.inner.lock();
        inner.records >= RECORDS_MAX && inner.writing.is_empty()
    }

    /// How many records were absorbed since the last checkpoint began.
    pub(crate) fn records_since_checkpoint(&self) -> usize {
        self.inner.lock().records
    }

    /// Writes what changed to the store of views. Reads and changes go on meanwhile, so that
    /// another thread than the writer's can do it; one checkpoint at a time.
    ///
    /// # Errors
    /// The store failed: nothing is lost, the next checkpoint tries again with more.
    pub fn checkpoint(&self) -> Result<(), ViewError> {
        let writing = {
            let mut inner = self.inner.lock();
            if !inner.writing.is_empty() {
                return Ok(());
            }
            // As large as it was: growing it again step by step would cost the writer.
            let fresh = Layer::with_capacity(inner.changed.len());
            let mut changed = std::mem::replace(&mut inner.changed, fresh);
            let books = inner.books.iter().filter(|(_, book)| book.sequence.is_some());
            let books = books.map(|(ledger, book)| {
                (keys::book(ledger), Some(Stored::Book(Arc::new(book.clone()))))
            });
            changed.extend(books);
            if let Some(fresh) = &mut inner.fresh {
                changed.keys().for_each(|key| fresh.store(key));
            }
            inner.writing = Arc::new(changed);
            inner.records = 0;
            Arc::clone(&inner.writing)
        };
        if let Err(error) = self.views.write(&encoded(&writing)) {
            let mut inner = self.inner.lock();
            inner.writing = Arc::default();
            let newer = std::mem::replace(&mut inner.changed, Arc::unwrap_or_clone(writing));
            inner.changed.extend(newer);
            return Err(error);
        }
        let mut written = writing.iter().peekable();
        while written.peek().is_some() {
            self.inner.lock().cache_written(written.by_ref().take(CACHED_AT_ONCE));
        }
        self.inner.lock().writing = Arc::default();
        Ok(())
    }
}

/// In the order of their keys, in which the store takes them fastest.
fn encoded(changes: &Layer) -> Vec<Change> {
    let mut sorted: Vec<(&Vec<u8>, &Option<Stored>)> = changes.iter().collect();
    sorted.sort_unstable_by_key(|(key, _)| *key);
    let encode = |(key, entity): (&Vec<u8>, &Option<Stored>)| {
        (key.clone(), entity.as_ref().map(Stored::encode))
    };
    sorted.into_iter().map(encode).collect()
}
