//! Both stores in memory, for tests and simulation: plain vectors and maps, with failures on
//! demand.
//!
//! Nothing is encoded here but the forms that the hash chain covers. What the log on sled answers
//! is tested against this one.

use std::{collections::BTreeMap, sync::Arc};

use domain::{
    entities::Key,
    ids::{AccountId, LedgerId, Sequence},
    record::Record,
};
use parking_lot::Mutex;

use crate::{
    chain::Hash,
    form,
    log::{self, Append, AppendError, EventLog, Head, Prepared, ReadError, Recorded},
    pack::Packed,
    space::Space,
    views::{self, Change, Entry, ViewError, ViewStore},
};

/// A log in memory.
#[derive(Debug)]
pub struct MemoryLog {
    inner: Mutex<Inner>,
    /// The room that it pretends to need; none where there is always enough.
    space: Option<Arc<Space>>,
}

/// Where the next commit fails, as a crash or a full disk would make it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FailurePoint {
    /// Before anything is stored.
    BeforeWrite,
    /// After the group is stored and before that is known.
    AfterWrite,
}

/// The failure that was asked for.
#[derive(Clone, Copy, Debug, thiserror::Error)]
#[error("a failure {0:?} that the test asked for")]
struct Injected(FailurePoint);

/// A group that was prepared and never committed, before one that was.
#[derive(Clone, Copy, Debug, thiserror::Error)]
#[error("a group before it was given up")]
struct GivenUp;

#[derive(Clone, Debug, Default)]
struct Inner {
    books: BTreeMap<LedgerId, Book>,
    /// The heads after all groups that were prepared, committed or not.
    taken: BTreeMap<LedgerId, Head>,
    /// How many groups were prepared.
    prepared: u64,
    /// How many of them were committed.
    committed: u64,
    failure: Option<FailurePoint>,
    latched: Option<String>,
}

#[derive(Clone, Debug, Default)]
struct Book {
    rows: Vec<Row>,
    /// What readers see: after a failed append, less than what is stored.
    visible: usize,
    keys: BTreeMap<Key, Vec<Sequence>>,
    accounts: BTreeMap<AccountId, Vec<Sequence>>,
}

#[derive(Clone, Debug)]
struct Row {
    recorded: Recorded,
    body: Vec<u8>,
}

impl MemoryLog {
    /// An empty log.
    #[must_use]
    pub fn new() -> Self {
        Self { inner: Mutex::new(Inner::default()), space: None }
    }

    /// An empty log that needs room as one on a disk does.
    #[must_use]
    pub fn with_space(space: Arc<Space>) -> Self {
        Self { inner: Mutex::new(Inner::default()), space: Some(space) }
    }

    /// Makes the next commit fail there; the log latches then.
    pub fn fail_next_append(&self, point: FailurePoint) {
        self.inner.lock().failure = Some(point);
    }

    /// What a restart finds: all that is stored, not latched.
    #[must_use]
    pub fn reopened(&self) -> Self {
        let mut inner = self.inner.lock().clone();
        inner.failure = None;
        inner.latched = None;
        inner.taken = BTreeMap::new();
        inner.prepared = 0;
        inner.committed = 0;
        inner.books.values_mut().for_each(|book| book.visible = book.rows.len());
        Self { inner: Mutex::new(inner), space: self.space.clone() }
    }
}

impl Default for MemoryLog {
    fn default() -> Self {
        Self::new()
    }
}

impl EventLog for MemoryLog {
    fn ledgers(&self) -> Result<Vec<LedgerId>, ReadError> {
        let inner = self.inner.lock();
        let shown = inner.books.iter().filter(|(_, book)| book.visible > 0);
        Ok(shown.map(|(ledger, _)| ledger.clone()).collect())
    }

    fn head(&self, ledger: &LedgerId) -> Option<Head> {
        self.inner.lock().books.get(ledger)?.shown().last().map(Row::head)
    }

    fn prepare(&self, group: Vec<Append>) -> Result<Prepared, AppendError> {
        let mut inner = self.inner.lock();
        inner.refuse_if_latched()?;
        let head = |ledger: &LedgerId| inner.taken(ledger);
        log::check_group(&group, head)?;
        if let Some(space) = &self.space {
            let bodies =
                group.iter().map(|append| append.body.len()).fold(0, usize::saturating_add);
            space.admit(u64::try_from(bodies).unwrap_or(u64::MAX))?;
        }
        let mut heads = BTreeMap::new();
        for append in &group {
            let before = heads.get(&append.ledger).copied().or_else(|| head(&append.ledger));
            heads.insert(append.ledger.clone(), head_after(before, append));
        }
        inner.taken.extend(heads.clone());
        let ticket = inner.prepared;
        inner.prepared = ticket.saturating_add(1);
        Ok(Prepared { group, packed: Packed { pieces: Vec::new(), heads }, ticket })
    }

    fn commit(&self, prepared: Prepared) -> Result<Vec<Append>, AppendError> {
        let mut inner = self.inner.lock();
        inner.refuse_if_latched()?;
        let Prepared { group, ticket, .. } = prepared;
        if ticket != inner.committed {
            inner.latched = Some(GivenUp.to_string());
            return Err(AppendError::Failed { source: Box::new(GivenUp) });
        }
        inner.committed = ticket.saturating_add(1);
        match inner.failure.take() {
            None => inner.store(&group, Reader::Sees),
            Some(point) => {
                if point == FailurePoint::AfterWrite {
                    inner.store(&group, Reader::Waits);
                }
                inner.latched = Some(Injected(point).to_string());
                return Err(AppendError::Failed { source: Box::new(Injected(point)) });
            }
        }
        Ok(group)
    }

    fn read(&self, ledger: &LedgerId, sequence: Sequence) -> Result<Option<Recorded>, ReadError> {
        Ok(self.inner.lock().row(ledger, sequence).map(|row| row.recorded.clone()))
    }

    fn body(&self, ledger: &LedgerId, sequence: Sequence) -> Result<Option<Vec<u8>>, ReadError> {
        Ok(self.inner.lock().row(ledger, sequence).map(|row| row.body.clone()))
    }

    fn scan(
        &self,
        ledger: &LedgerId,
        after: Option<Sequence>,
        limit: usize,
    ) -> Result<Vec<Recorded>, ReadError> {
        let inner = self.inner.lock();
        let Some(book) = inner.books.get(ledger) else { return Ok(Vec::new()) };
        let rest = book.shown().iter().skip(after.map_or(0, index_after));
        Ok(rest.take(limit.max(1)).map(|row| row.recorded.clone()).collect())
    }

    fn find(&self, ledger: &LedgerId, key: &Key) -> Result<Option<Sequence>, ReadError> {
        match key {
            Key::Event(_) | Key::Conflict(..) | Key::Command(_) => {}
            Key::Account(_)
            | Key::Payment(_)
            | Key::Holding(_)
            | Key::Hold(_)
            | Key::Debit(_)
            | Key::Case(_)
            | Key::Customer(_)
            | Key::Exception(_)
            | Key::Release(_) => {
                return Err(ReadError::NotIndexed);
            }
        }
        let inner = self.inner.lock();
        let Some(book) = inner.books.get(ledger) else { return Ok(None) };
        let all = book.keys.get(key).into_iter().flatten();
        Ok(all.copied().rfind(|sequence| index_after(*sequence) <= book.visible))
    }

    fn by_account(
        &self,
        ledger: &LedgerId,
        account: &AccountId,
        after: Option<Sequence>,
        limit: usize,
    ) -> Result<Vec<Sequence>, ReadError> {
        let inner = self.inner.lock();
        let Some(book) = inner.books.get(ledger) else { return Ok(Vec::new()) };
        let all = book.accounts.get(account).into_iter().flatten().copied();
        let shown = all.filter(|sequence| index_after(*sequence) <= book.visible);
        Ok(shown.filter(|sequence| Some(*sequence) > after).take(limit).collect())
    }

    fn latched(&self) -> Option<String> {
        self.inner.lock().latched.clone()
    }
}

/// Whether readers see a group that is being stored.
#[derive(Clone, Copy)]
enum Reader {
    Sees,
    /// Only after a restart.
    Waits,
}

impl Inner {
    fn refuse_if_latched(&self) -> Result<(), AppendError> {
        match &self.latched {
            Some(reason) => Err(AppendError::Latched { reason: reason.clone() }),
            None => Ok(()),
        }
    }

    /// The head of a ledger after all groups that were prepared.
    fn taken(&self, ledger: &LedgerId) -> Option<Head> {
        let stored = || self.books.get(ledger)?.rows.last().map(Row::head);
        self.taken.get(ledger).copied().or_else(stored)
    }

    fn row(&self, ledger: &LedgerId, sequence: Sequence) -> Option<&Row> {
        let index = index_after(sequence).checked_sub(1)?;
        self.books.get(ledger)?.shown().get(index)
    }

    fn store(&mut self, group: &[Append], reader: Reader) {
        for append in group {
            let book = self.books.entry(append.ledger.clone()).or_default();
            book.push(append);
            match reader {
                Reader::Sees => book.visible = book.rows.len(),
                Reader::Waits => {}
            }
        }
    }
}

impl Book {
    fn shown(&self) -> &[Row] {
        self.rows.get(..self.visible).unwrap_or(&self.rows)
    }

    fn push(&mut self, append: &Append) {
        let record: &Record = &append.record;
        let hash = head_after(self.rows.last().map(Row::head), append).hash;
        let recorded = Recorded::new(record.clone(), hash);
        self.rows.push(Row { recorded, body: append.body.to_vec() });
        self.keys.entry(log::key_of(record)).or_default().push(record.sequence);
        for account in record.decision.accounts() {
            self.accounts.entry(account).or_default().push(record.sequence);
        }
    }
}

impl Row {
    fn head(&self) -> Head {
        let record = self.recorded.record();
        let hash = self.recorded.hash();
        Head { sequence: record.sequence, recorded_at: record.recorded_at, hash }
    }
}

/// The head of a ledger once a record follows it.
fn head_after(before: Option<Head>, append: &Append) -> Head {
    let record = &append.record;
    let hash = before.map_or_else(|| Hash::genesis(&append.ledger), |head| head.hash);
    let hash = hash.then(&form::record::encode(record));
    Head { sequence: record.sequence, recorded_at: record.recorded_at, hash }
}

/// The index of the row after the one with this sequence: rows count from 0, sequences from 1.
fn index_after(sequence: Sequence) -> usize {
    usize::try_from(sequence.get()).unwrap_or(usize::MAX)
}

/// A store of views in memory.
#[derive(Debug, Default)]
pub struct MemoryViews {
    entries: Mutex<BTreeMap<Vec<u8>, Vec<u8>>>,
}

impl MemoryViews {
    /// An empty store.
    #[must_use]
    pub const fn new() -> Self {
        Self { entries: Mutex::new(BTreeMap::new()) }
    }
}

impl ViewStore for MemoryViews {
    fn get(&self, key: &[u8]) -> Result<Option<Vec<u8>>, ViewError> {
        Ok(self.entries.lock().get(key).cloned())
    }

    fn scan(
        &self,
        prefix: &[u8],
        after: Option<&[u8]>,
        limit: usize,
    ) -> Result<Vec<Entry>, ViewError> {
        let entries = self.entries.lock();
        let start = after.map_or(prefix, |after| after.max(prefix));
        let from_start = entries.range(start.to_vec()..);
        let matching = from_start.take_while(|(key, _)| key.starts_with(prefix));
        let later = matching.filter(|(key, _)| after.is_none_or(|after| key.as_slice() > after));
        Ok(later.take(limit).map(|(key, value)| (key.clone(), value.clone())).collect())
    }

    fn write(&self, changes: &[Change]) -> Result<(), ViewError> {
        views::check_changes(changes)?;
        let mut entries = self.entries.lock();
        for (key, value) in changes {
            match value {
                Some(value) => drop(entries.insert(key.clone(), value.clone())),
                None => drop(entries.remove(key)),
            }
        }
        Ok(())
    }

    fn clear(&self) -> Result<(), ViewError> {
        self.entries.lock().clear();
        Ok(())
    }
}
