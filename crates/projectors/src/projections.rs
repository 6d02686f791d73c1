//! The state of every ledger: what changed since the last checkpoint, over what was stored then.

use std::{
    collections::{BTreeMap, BTreeSet, HashMap},
    num::NonZeroUsize,
    sync::Arc,
};

use domain::{
    account::{Account, View},
    exception::{Exception, ExceptionId},
    holding::{Holding, HoldingId},
    ids::{AccountId, LedgerId, PaymentKey, Sequence},
    payment::Payment,
    state::{Book, Key, State},
};
use event_store::{
    form::FormFault,
    views::{ViewError, ViewStore},
};
use lru::LruCache;
use parking_lot::Mutex;

use crate::{
    entity::Entity,
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
    #[error("read the stored state: delete the folder of views to have it folded again")]
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

/// A key and what is kept under it.
type Listed = (Vec<u8>, Arc<Entity>);

/// Parts of the state by their keys; `None`: removed. Not in order: keys share long beginnings, so
/// that comparing costs more than hashing, and only listings need an order.
pub(crate) type Layer = HashMap<Vec<u8>, Option<Arc<Entity>>>;

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
    cache: LruCache<Vec<u8>, Option<Arc<Entity>>>,
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
                let Entity::Book(book) = Entity::decode(Part::Book, &bytes)? else {
                    return Err(StateError::Confused);
                };
                book
            }
            None => Book::empty(),
        };
        Ok(self.inner.lock().books.entry(ledger.clone()).or_insert(book).clone())
    }

    /// A state in which nothing but the ledger's book is loaded.
    ///
    /// # Errors
    /// The stored state can't be read.
    pub fn state(&self, ledger: &LedgerId) -> Result<State, StateError> {
        Ok(State::new(ledger.clone(), self.book(ledger)?))
    }

    /// Loads an account, payment or holding into a state. Says whether the key is one of those.
    ///
    /// # Errors
    /// The stored state can't be read.
    pub fn load(&self, state: &mut State, key: &Key) -> Result<bool, StateError> {
        match key {
            Key::Account(id) => {
                let known = self.whole_account(&state.ledger, id)?;
                state.accounts.insert(id.clone(), known);
            }
            Key::Payment(key) => {
                let known = self.bare_payment(&state.ledger, key)?;
                state.payments.insert(key.clone(), known);
            }
            Key::Holding(id) => {
                let known = self.holding(&state.ledger, id)?;
                state.holdings.insert(id.clone(), known);
            }
            Key::Event(_) | Key::Conflict(..) | Key::Command(_) => return Ok(false),
        }
        Ok(true)
    }

    /// Takes in what records changed in a state, once they are durable.
    pub fn absorb(&self, mut state: State, changed: &BTreeSet<Key>, records: usize) {
        let ledger = state.ledger;
        let mut inner = self.inner.lock();
        for key in changed {
            let entity = match key {
                Key::Account(id) => state.accounts.remove(id).flatten().map(Entity::Account),
                Key::Payment(key) => state.payments.remove(key).flatten().map(Entity::Payment),
                Key::Holding(id) => state.holdings.remove(id).flatten().map(Entity::Holding),
                Key::Event(_) | Key::Conflict(..) | Key::Command(_) => None,
            };
            if let Some(at) = keys::of(&ledger, key) {
                inner.changed.insert(at, entity.map(Arc::new));
            }
        }
        for (id, exception) in state.exceptions {
            let exception = exception.map(Entity::Exception).map(Arc::new);
            inner.changed.insert(keys::exception(&ledger, id), exception);
        }
        inner.books.insert(ledger, state.book);
        inner.records = inner.records.saturating_add(records);
    }

    /// What anyone with the right may see of an account.
    ///
    /// # Errors
    /// The stored state can't be read.
    pub fn account(&self, ledger: &LedgerId, id: &AccountId) -> Result<Option<View>, StateError> {
        Ok(self.whole_account(ledger, id)?.map(|account| account.view))
    }

    /// Accounts in the order of their names, after one, at most so many.
    ///
    /// # Errors
    /// The stored state can't be read.
    pub fn accounts(
        &self,
        ledger: &LedgerId,
        after: Option<&AccountId>,
        limit: usize,
    ) -> Result<Vec<(AccountId, View)>, StateError> {
        let after = after.map(|id| keys::account(ledger, id));
        let found = self.scan(ledger, Part::Account, after, limit)?;
        let prefix = keys::prefix(ledger, Part::Account).len();
        found
            .into_iter()
            .map(|(key, entity)| {
                let name = key.get(prefix..).and_then(|name| std::str::from_utf8(name).ok());
                let id = name.and_then(|name| AccountId::new(name).ok());
                let (Some(id), Entity::Account(account)) = (id, &*entity) else {
                    return Err(StateError::Confused);
                };
                Ok((id, account.view.clone()))
            })
            .collect()
    }

    /// What is known of a payment, with its lots.
    ///
    /// # Errors
    /// The stored state can't be read.
    pub fn payment(
        &self,
        ledger: &LedgerId,
        key: &PaymentKey,
    ) -> Result<Option<(Payment, Option<Holding>)>, StateError> {
        let Some(payment) = self.bare_payment(ledger, key)? else { return Ok(None) };
        let holding = self.holding(ledger, &HoldingId::Payment(key.clone()))?;
        Ok(Some((payment, holding)))
    }

    /// Open exceptions in the order in which they were raised, after one, at most so many.
    ///
    /// # Errors
    /// The stored state can't be read.
    pub fn exceptions(
        &self,
        ledger: &LedgerId,
        after: Option<ExceptionId>,
        limit: usize,
    ) -> Result<Vec<Exception>, StateError> {
        let after = after.map(|id| keys::exception(ledger, id));
        let found = self.scan(ledger, Part::Exception, after, limit)?;
        found
            .into_iter()
            .map(|(_, entity)| {
                let Entity::Exception(exception) = &*entity else {
                    return Err(StateError::Confused);
                };
                Ok(exception.clone())
            })
            .collect()
    }

    /// The last record of a ledger that was absorbed.
    ///
    /// # Errors
    /// The stored state can't be read.
    pub fn sequence(&self, ledger: &LedgerId) -> Result<Option<Sequence>, StateError> {
        Ok(self.book(ledger)?.sequence)
    }

    fn whole_account(
        &self,
        ledger: &LedgerId,
        id: &AccountId,
    ) -> Result<Option<Account>, StateError> {
        match self.read(keys::account(ledger, id), Part::Account)?.as_deref() {
            Some(Entity::Account(account)) => Ok(Some(account.clone())),
            Some(_) => Err(StateError::Confused),
            None => Ok(None),
        }
    }

    fn bare_payment(
        &self,
        ledger: &LedgerId,
        key: &PaymentKey,
    ) -> Result<Option<Payment>, StateError> {
        match self.read(keys::payment(ledger, key), Part::Payment)?.as_deref() {
            Some(Entity::Payment(payment)) => Ok(Some(payment.clone())),
            Some(_) => Err(StateError::Confused),
            None => Ok(None),
        }
    }

    fn holding(&self, ledger: &LedgerId, id: &HoldingId) -> Result<Option<Holding>, StateError> {
        match self.read(keys::holding(ledger, id), Part::Holding)?.as_deref() {
            Some(Entity::Holding(holding)) => Ok(Some(holding.clone())),
            Some(_) => Err(StateError::Confused),
            None => Ok(None),
        }
    }

    /// One part of the state: the newest of changed, being written, cached and stored.
    ///
    /// The lock is held over a read of the store, so that no older value can be cached after a
    /// newer one was written.
    fn read(&self, key: Vec<u8>, part: Part) -> Result<Option<Arc<Entity>>, StateError> {
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
        let stored = self.views.get(&key)?;
        let entity = stored.map(|bytes| Entity::decode(part, &bytes)).transpose()?.map(Arc::new);
        inner.cache.put(key, entity.clone());
        Ok(entity)
    }

    /// One part of a ledger in the order of its keys, after a key, at most `limit` entries.
    fn scan(
        &self,
        ledger: &LedgerId,
        part: Part,
        after: Option<Vec<u8>>,
        limit: usize,
    ) -> Result<Vec<Listed>, StateError> {
        let prefix = keys::prefix(ledger, part);
        let inner = self.inner.lock();
        let listed = |key: &[u8]| key.starts_with(&prefix) && Some(key) > after.as_deref();
        let mut newer: BTreeMap<Vec<u8>, Option<Arc<Entity>>> = BTreeMap::new();
        for layer in [&*inner.writing, &inner.changed] {
            let own = layer.iter().filter(|(key, _)| listed(key));
            newer.extend(own.map(|(key, entity)| (key.clone(), entity.clone())));
        }
        // So many stored entries can be missing from the answer at the most.
        let removed = newer.values().filter(|entity| entity.is_none()).count();
        let stored = self.views.scan(&prefix, after.as_deref(), limit.saturating_add(removed))?;
        for (key, bytes) in stored {
            if let std::collections::btree_map::Entry::Vacant(vacant) = newer.entry(key) {
                vacant.insert(Some(Arc::new(Entity::decode(part, &bytes)?)));
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
        written: impl Iterator<Item = (&'e Vec<u8>, &'e Option<Arc<Entity>>)>,
    ) {
        for (key, entity) in written {
            if matches!(entity.as_deref(), Some(Entity::Account(_))) {
                self.cache.put(key.clone(), entity.clone());
            } else {
                self.cache.pop(key);
            }
        }
    }
}
