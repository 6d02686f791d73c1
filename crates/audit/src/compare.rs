//! Whether two stores hold the same projections of a ledger, byte for byte.

use domain::ids::LedgerId;
use event_store::{
    form::FormFault,
    views::{Entry, ViewError, ViewStore},
};
use projectors::projections::{StateError, stored_prefix};
use sha2::{Digest, Sha256};

/// How many entries are read at once.
const CHUNK: usize = 1_024;

/// All entries of a ledger's projections, in the order of their keys.
struct Entries<'v> {
    views: &'v dyn ViewStore,
    prefix: Vec<u8>,
    after: Option<Vec<u8>>,
    chunk: std::vec::IntoIter<Entry>,
}

impl<'v> Entries<'v> {
    fn of(views: &'v dyn ViewStore, ledger: &LedgerId) -> Self {
        let chunk = Vec::new().into_iter();
        Self { views, prefix: stored_prefix(ledger), after: None, chunk }
    }

    fn next(&mut self) -> Result<Option<Entry>, ViewError> {
        if let Some(entry) = self.chunk.next() {
            self.after = Some(entry.0.clone());
            return Ok(Some(entry));
        }
        self.chunk = self.views.scan(&self.prefix, self.after.as_deref(), CHUNK)?.into_iter();
        let entry = self.chunk.next();
        if let Some((key, _)) = &entry {
            self.after = Some(key.clone());
        }
        Ok(entry)
    }
}

/// Whether an earlier program stored what can't be read, in a form that is not read any more.
pub(crate) fn is_outdated(error: &StateError) -> bool {
    matches!(error, StateError::Damaged(FormFault::VersionUnknown { found, newest }) if found < newest)
}

/// How many entries of a ledger differ between two stores.
pub(crate) fn differing(
    ledger: &LedgerId,
    ours: &dyn ViewStore,
    theirs: &dyn ViewStore,
) -> Result<u64, ViewError> {
    let (mut ours, mut theirs) = (Entries::of(ours, ledger), Entries::of(theirs, ledger));
    let (mut own, mut other) = (ours.next()?, theirs.next()?);
    let mut differing = 0_u64;
    loop {
        let order = match (&own, &other) {
            (None, None) => return Ok(differing),
            (Some(_), None) => std::cmp::Ordering::Less,
            (None, Some(_)) => std::cmp::Ordering::Greater,
            (Some((own, _)), Some((other, _))) => own.cmp(other),
        };
        if order.is_ne() || own != other {
            differing = differing.saturating_add(1);
        }
        if order.is_le() {
            own = ours.next()?;
        }
        if order.is_ge() {
            other = theirs.next()?;
        }
    }
}

/// SHA-256 over all entries of a ledger's projections, lengths included.
pub(crate) fn digest(ledger: &LedgerId, views: &dyn ViewStore) -> Result<[u8; 32], ViewError> {
    let mut entries = Entries::of(views, ledger);
    let mut hash = Sha256::new();
    while let Some((key, value)) = entries.next()? {
        for part in [key, value] {
            hash.update(u64::try_from(part.len()).unwrap_or(u64::MAX).to_be_bytes());
            hash.update(part);
        }
    }
    Ok(hash.finalize().into())
}
