//! Writing what changed to the store of views, so that a restart folds only the log's tail.
//!
//! Each ledger's changes and its book, which names the last record in them, are one atomic write.

use std::{collections::BTreeMap, sync::Arc};

use event_store::views::{Change, ViewError};

use crate::{entity::Entity, keys, projections::Projections};

/// After so many records a checkpoint is due.
pub const RECORDS_MAX: usize = 16_384;

impl Projections {
    /// Whether so much changed since the last checkpoint that one is due.
    #[must_use]
    pub fn checkpoint_is_due(&self) -> bool {
        let inner = self.inner.lock();
        inner.records >= RECORDS_MAX && inner.writing.is_empty()
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
            let mut changed = std::mem::take(&mut inner.changed);
            let books = inner.books.iter().filter(|(_, book)| book.sequence.is_some());
            let books =
                books.map(|(ledger, book)| (keys::book(ledger), Some(Entity::Book(book.clone()))));
            changed.extend(books);
            inner.writing = Arc::new(changed);
            inner.records = 0;
            Arc::clone(&inner.writing)
        };
        let outcome = self.views.write(&encoded(&writing));
        drop(writing);
        let mut inner = self.inner.lock();
        match outcome {
            Ok(()) => inner.written(),
            Err(_) => {
                let kept = std::mem::take(&mut inner.writing);
                let newer = std::mem::replace(&mut inner.changed, Arc::unwrap_or_clone(kept));
                inner.changed.extend(newer);
            }
        }
        outcome
    }
}

fn encoded(changes: &BTreeMap<Vec<u8>, Option<Entity>>) -> Vec<Change> {
    changes.iter().map(|(key, entity)| (key.clone(), entity.as_ref().map(Entity::encode))).collect()
}
