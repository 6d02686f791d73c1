//! The state of every ledger: what changed since the last checkpoint, over what was stored then.

use std::{
    collections::{BTreeMap, BTreeSet, HashMap},
    num::NonZeroUsize,
    sync::Arc,
};

use domain::{
    entities::{Entity, Key},
    ids::{LedgerId, Sequence},
    state::{Book, State},
};
use event_store::{
    form::FormFault,
    views::{ViewError, ViewStore},
};
use lru::LruCache;
use parking_lot::Mutex;

use crate::{
    entity::Stored,
    fresh::Fresh,
    keys::{self, Part},
};

/// The most parts of the state that are kept in memory for being read lately.
const CACHED_MAX: NonZeroUsize = NonZeroUsize::new(8_192).expect("it is not zero");

/// Why a part of the state could not be read.
#[derive(Debug, thiserror::Error)]
pub enum StateError {
    /// The store of views failed.
    #[error("read the stored state")]
    Views(#[from] ViewError),
    /// What is stored is not what was written: delete the views, they are folded again.
    #[error("read the stored state: delete the file `views` to have it folded again")]
    Damaged(#[from] FormFault),
    /// Something other than expected is stored under a key.
    #[error("read the stored state: another part than expected is stored under a key")]
    Confused,
}

/// The state of every ledger, as of the last record that was absorbed. Usable from any thread.
pub struct Projections {
    pub(crate) views: Arc<dyn ViewStore>,
    pub(crate) inner: Mutex<Inner>,
}

/// What the keys of all stored projections of a ledger start with.
#[must_use]
pub fn stored_prefix(ledger: &LedgerId) -> Vec<u8> {
    keys::ledger_prefix(ledger)
}

/// What the keys of all stored projections start with, and no key of anything else in a store of
/// views.
#[must_use]
pub const fn stored_anywhere() -> &'static [u8] {
    keys::ANY_LEDGER
}

/// A key and what is kept under it.
pub(crate) type Listed = (Vec<u8>, Stored);

/// Parts of the state by their keys; `None`: removed. Not in order: keys share long beginnings, so
/// that comparing costs more than hashing, and only listings need an order.
pub(crate) type Layer = HashMap<Vec<u8>, Option<Stored>>;

/// What is in memory.
pub(crate) struct Inner {
    /// What each ledger keeps once.
    pub(crate) books: BTreeMap<LedgerId, Book>,
    /// What changed since the last checkpoint began.
    pub(crate) changed: Layer,
    /// What the checkpoint that is being written writes.
    pub(crate) writing: Arc<Layer>,
    /// How many records were absorbed since the last checkpoint began.
    pub(crate) records: usize,
    /// What is stored of a ledger that is folded from its first record.
    pub(crate) fresh: Option<Fresh>,
    cache: LruCache<Vec<u8>, Option<Stored>>,
}

impl Projections {
    /// The state that the store of views has: that of its last checkpoint.
    #[must_use]
    pub fn new(views: Arc<dyn ViewStore>) -> Self {
        let inner = Inner {
            books: BTreeMap::new(),
            changed: Layer::new(),
            writing: Arc::new(Layer::new()),
            records: 0,
            fresh: None,
            cache: LruCache::new(CACHED_MAX),
        };
        Self { views, inner: Mutex::new(inner) }
    }

    /// What a ledger keeps once; an empty book before its first record.
    ///
    /// # Errors
    /// The stored state can't be read.
    pub fn book(&self, ledger: &LedgerId) -> Result<Book, StateError> {
        if let Some(book) = self.inner.lock().books.get(ledger) {
            return Ok(book.clone());
        }
        let book = match self.views.get(&keys::book(ledger))? {
            Some(bytes) => {
                let Stored::Book(book) = Stored::decode(Part::Book, &bytes)? else {
                    return Err(StateError::Confused);
                };
                Arc::unwrap_or_clone(book)
            }
            None => Book::empty(),
        };
        Ok(self.inner.lock().books.entry(ledger.clone()).or_insert(book).clone())
    }

    /// The ledgers of which something is stored, whether the log has them or not.
    ///
    /// # Errors
    /// The stored state can't be read.
    pub fn stored_ledgers(&self) -> Result<Vec<LedgerId>, StateError> {
        let mut ledgers = Vec::new();
        let mut after = None;
        while let Some((key, _)) =
            self.views.scan(keys::ANY_LEDGER, after.as_deref(), 1)?.into_iter().next()
        {
            let ledger = keys::ledger_of(&key).ok_or(StateError::Confused)?;
            after = Some(keys::after_ledger(&ledger));
            ledgers.push(ledger);
        }
        Ok(ledgers)
    }

    /// A state in which nothing but the ledger's book is loaded.
    ///
    /// # Errors
    /// The stored state can't be read.
    pub fn state(&self, ledger: &LedgerId) -> Result<State, StateError> {
        Ok(State::new(ledger.clone(), self.book(ledger)?))
    }

    /// Loads an entity into a state. Says whether the key is an entity's.
    ///
    /// # Errors
    /// The stored state can't be read.
    pub fn load(&self, state: &mut State, key: &Key) -> Result<bool, StateError> {
        let Some((part, at)) = keys::of(&state.ledger, key) else { return Ok(false) };
        let entity = self.entity_at(&state.ledger, key, part, at)?;
        if state.entities.put(key, entity) { Ok(true) } else { Err(StateError::Confused) }
    }

    /// Takes in what records changed in a state, once they are durable.
    pub fn absorb(&self, mut state: State, changed: &BTreeSet<Key>, records: usize) {
        let ledger = state.ledger;
        let mut inner = self.inner.lock();
        for key in changed {
            let entity = state.entities.take(key);
            if let (Key::Exception(id), Some(Entity::Exception(filed))) = (key, &entity) {
                let at = Part::of_exception(filed);
                for other in [Part::OpenException, Part::EndedException] {
                    if other != at {
                        inner.changed.insert(keys::exception(&ledger, other, *id), None);
                    }
                }
                let entity = entity.map(Stored::Entity);
                inner.changed.insert(keys::exception(&ledger, at, *id), entity);
            } else if let Some((_, at)) = keys::of(&ledger, key) {
                inner.changed.insert(at, entity.map(Stored::Entity));
            }
        }
        inner.books.insert(ledger, state.book);
        inner.records = inner.records.saturating_add(records);
    }

    /// The last record of a ledger that was absorbed.
    ///
    /// # Errors
    /// The stored state can't be read.
    pub fn sequence(&self, ledger: &LedgerId) -> Result<Option<Sequence>, StateError> {
        Ok(self.book(ledger)?.sequence)
    }

    /// The entity under a key; none too for what is no entity's key.
    pub(crate) fn entity(
        &self,
        ledger: &LedgerId,
        key: &Key,
    ) -> Result<Option<Entity>, StateError> {
        match keys::of(ledger, key) {
            Some((part, at)) => self.entity_at(ledger, key, part, at),
            None => Ok(None),
        }
    }

    fn entity_at(
        &self,
        ledger: &LedgerId,
        key: &Key,
        part: Part,
        at: Vec<u8>,
    ) -> Result<Option<Entity>, StateError> {
        let mut found = self.read(at, part)?;
        if let (None, Key::Exception(id)) = (&found, key) {
            let part = Part::EndedException;
            found = self.read(keys::exception(ledger, part, *id), part)?;
        }
        match found {
            Some(Stored::Entity(entity)) => Ok(Some(entity)),
            Some(Stored::Book(_)) => Err(StateError::Confused),
            None => Ok(None),
        }
    }

    /// One part of the state: the newest of changed, being written, cached and stored.
    ///
    /// The lock is held over a read of the store, so that no older value can be cached after a
    /// newer one was written.
    fn read(&self, key: Vec<u8>, part: Part) -> Result<Option<Stored>, StateError> {
        let mut inner = self.inner.lock();
        if let Some(entity) = inner.changed.get(&key) {
            return Ok(entity.clone());
        }
        if let Some(entity) = inner.writing.get(&key) {
            return Ok(entity.clone());
        }
        if let Some(entity) = inner.cache.get(&key) {
            return Ok(entity.clone());
        }
        if inner.fresh.as_ref().is_some_and(|fresh| fresh.lacks(&key)) {
            return Ok(None);
        }
        let stored = self.views.get(&key)?;
        let entity = stored.map(|bytes| Stored::decode(part, &bytes)).transpose()?;
        inner.cache.put(key, entity.clone());
        Ok(entity)
    }

    /// One part of a ledger in the order of its keys, after a key, at most `limit` entries.
    pub(crate) fn scan(
        &self,
        ledger: &LedgerId,
        part: Part,
        after: Option<Vec<u8>>,
        limit: usize,
    ) -> Result<Vec<Listed>, StateError> {
        let prefix = keys::prefix(ledger, part);
        let inner = self.inner.lock();
        let listed = |key: &[u8]| key.starts_with(&prefix) && Some(key) > after.as_deref();
        let mut newer: BTreeMap<Vec<u8>, Option<Stored>> = BTreeMap::new();
        for layer in [&*inner.writing, &inner.changed] {
            let own = layer.iter().filter(|(key, _)| listed(key));
            newer.extend(own.map(|(key, entity)| (key.clone(), entity.clone())));
        }
        // So many stored entries can be missing from the answer at the most.
        let removed = newer.values().filter(|entity| entity.is_none()).count();
        let stored = self.views.scan(&prefix, after.as_deref(), limit.saturating_add(removed))?;
        for (key, bytes) in stored {
            if let std::collections::btree_map::Entry::Vacant(vacant) = newer.entry(key) {
                vacant.insert(Some(Stored::decode(part, &bytes)?));
            }
        }
        let live = newer.into_iter().filter_map(|(key, entity)| Some((key, entity?)));
        Ok(live.take(limit).collect())
    }
}

impl Inner {
    /// Brings the cache up to what was stored: accounts are asked for often, all else seldom.
    pub(crate) fn cache_written<'e>(
        &mut self,
        written: impl Iterator<Item = (&'e Vec<u8>, &'e Option<Stored>)>,
    ) {
        for (key, entity) in written {
            if matches!(entity, Some(Stored::Entity(Entity::Account(_)))) {
                self.cache.put(key.clone(), entity.clone());
            } else {
                self.cache.pop(key);
            }
        }
    }
}
