//! The pages of a provider's lists, as they were saved: Paddle's `GET /events`, `/transactions` and
//! `/adjustments`.
//!
//! A file is a page (`{"data": [..], "meta": ..}`), a list of entries or one entry. What an entry is
//! follows from its content: an event has `event_id`, an adjustment `transaction_id` and `action`,
//! and a transaction's id says that it is one. The bytes of an entry are kept as they stand.

use std::{borrow::Cow, collections::BTreeMap};

use domain::{
    ids::Actor,
    input::{BackFill, Delivery, Listing},
    time::Timestamp,
};
use ingestion::{
    pointer::Pointer,
    read::{Reading, read_back_filled},
};
use serde::Deserialize;
use serde_json::value::RawValue;

use super::compare::count;

/// How the ids of transactions start: <https://developer.paddle.com/api-reference/about/paddle-ids>.
const TRANSACTION: &str = "txn_";

/// Why a file is no part of a list.
#[derive(Debug, thiserror::Error)]
pub enum ListFault {
    /// It is no JSON.
    #[error("{file} is no JSON")]
    Json {
        /// The file.
        file: String,
        /// Where.
        source: serde_json::Error,
    },
    /// It has something that none of the lists has.
    #[error(
        "entry {entry} of {file} is no event, transaction or adjustment: save the answers of GET \
         /events, /transactions or /adjustments as they are"
    )]
    Entry {
        /// The file.
        file: String,
        /// Which, from 1.
        entry: u64,
    },
}

/// An entry, read as it would be if it were brought in.
#[derive(Clone, Debug)]
pub(crate) struct Listed {
    pub(crate) delivery: Delivery,
    pub(crate) body: Vec<u8>,
    /// When an entity was changed for the last time.
    pub(crate) changed_at: Option<Timestamp>,
}

/// The provider's lists, as far as their pages are at hand.
#[derive(Debug)]
pub struct Lists<'r> {
    reading: Reading<'r>,
    actor: Actor,
    pub(crate) events: BTreeMap<String, Listed>,
    pub(crate) payments: BTreeMap<String, Listed>,
    pub(crate) adjustments: BTreeMap<String, Listed>,
    /// The lists whose every page says that others follow.
    open: BTreeMap<Listing, bool>,
}

/// What tells the kinds of entries apart.
#[derive(Deserialize)]
struct Marks<'e> {
    #[serde(borrow)]
    event_id: Option<Cow<'e, str>>,
    #[serde(borrow)]
    id: Option<Cow<'e, str>>,
    #[serde(borrow)]
    transaction_id: Option<&'e RawValue>,
    #[serde(borrow)]
    action: Option<&'e RawValue>,
    #[serde(borrow)]
    data: Option<&'e RawValue>,
    #[serde(borrow)]
    updated_at: Option<Cow<'e, str>>,
    meta: Option<Meta>,
}

#[derive(Deserialize)]
struct Meta {
    pagination: Option<Pagination>,
}

/// How a page goes on.
#[derive(Deserialize)]
pub struct Pagination {
    /// Where.
    pub next: Option<String>,
    /// Whether it does.
    pub has_more: bool,
}

/// How a saved page goes on; none where it does not say.
#[must_use]
pub fn pagination(page: &[u8]) -> Option<Pagination> {
    serde_json::from_slice::<Marks<'_>>(page).ok()?.meta?.pagination
}

impl<'r> Lists<'r> {
    /// No page yet; entries are read as `reading` says.
    #[must_use]
    pub fn new(reading: Reading<'r>, actor: Actor) -> Self {
        let (events, payments, adjustments) = (BTreeMap::new(), BTreeMap::new(), BTreeMap::new());
        Self { reading, actor, events, payments, adjustments, open: BTreeMap::new() }
    }

    /// Takes in a file.
    ///
    /// # Errors
    /// It is no part of any of the lists.
    pub fn add(&mut self, file: &str, text: &[u8]) -> Result<(), ListFault> {
        let fault = |source| ListFault::Json { file: file.to_owned(), source };
        let whole: &RawValue = serde_json::from_slice(text).map_err(fault)?;
        let (mut entries, mut more) = (whole, false);
        if !whole.get().starts_with('[') {
            let marks: Marks<'_> = serde_json::from_str(whole.get()).map_err(fault)?;
            more = marks.meta.and_then(|meta| meta.pagination).is_some_and(|page| page.has_more);
            // A page, or one entry by itself in the place of several.
            if let (None, Some(data)) = (marks.event_id, marks.data) {
                entries = data;
            }
        }
        if !entries.get().starts_with('[') {
            return self.entry(file, 1, entries).map(drop);
        }
        let entries: Vec<&RawValue> = serde_json::from_str(entries.get()).map_err(fault)?;
        for (number, entry) in (1_u64..).zip(entries) {
            let listing = self.entry(file, number, entry)?;
            *self.open.entry(listing).or_insert(true) &= more;
        }
        Ok(())
    }

    /// How many lists lack their end.
    pub(crate) fn unfinished(&self) -> u64 {
        count(self.open.values().filter(|open| **open).count())
    }

    /// What a listed event says where the account is looked for at other places.
    pub(crate) fn read_by(&self, account_from: &[Pointer], listed: &Listed) -> Delivery {
        let reading = Reading { account_from, ..self.reading };
        self.read(&reading, Listing::Events, &listed.body)
    }

    fn read(&self, reading: &Reading<'_>, listing: Listing, body: &[u8]) -> Delivery {
        let back_fill = BackFill { actor: self.actor.clone(), listing };
        read_back_filled(reading, body, back_fill, Timestamp::EPOCH)
    }

    fn entry(&mut self, file: &str, number: u64, entry: &RawValue) -> Result<Listing, ListFault> {
        let none = || ListFault::Entry { file: file.to_owned(), entry: number };
        let marks: Marks<'_> = serde_json::from_str(entry.get()).map_err(|_| none())?;
        let changed_at = marks.updated_at.as_deref().and_then(Timestamp::parse);
        let (listing, id) = match marks {
            Marks { event_id: Some(id), .. } => (Listing::Events, id),
            Marks { id: Some(id), transaction_id: Some(_), action: Some(_), .. } => {
                (Listing::Adjustments, id)
            }
            Marks { id: Some(id), .. } if id.starts_with(TRANSACTION) => (Listing::Payments, id),
            Marks { .. } => return Err(none()),
        };
        let body = entry.get().as_bytes().to_vec();
        let delivery = self.read(&self.reading, listing, &body);
        let list = match listing {
            Listing::Events => &mut self.events,
            Listing::Payments => &mut self.payments,
            Listing::Adjustments => &mut self.adjustments,
        };
        let id = id.into_owned();
        // Of an entity that was saved twice the newest counts.
        if list.get(&id).is_none_or(|known| known.changed_at < changed_at) {
            list.insert(id, Listed { delivery, body, changed_at });
        }
        Ok(listing)
    }
}
