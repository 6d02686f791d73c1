//! What a log is: the ground truth from which everything else is derived.

use std::{collections::BTreeMap, ops::ControlFlow, sync::Arc};

use domain::{
    decision::Outcome,
    entities::Key,
    ids::{AccountId, Digest, LedgerId, Sequence},
    input::Input,
    record::Record,
    time::Timestamp,
};

use memchr::memmem::Finder;
use sha2::{Digest as _, Sha256};

use crate::{chain::Hash, form, pack::Packed, space::NoSpace};

/// How many records are read at once where all are looked at.
const RECORDS_AT_ONCE: usize = 1024;

/// The most bytes that one body may have.
pub const BODY_BYTES_MAX: usize = 1 << 20;

/// One record to append, with the bytes it came from.
#[derive(Clone, Debug)]
pub struct Append {
    /// To which ledger.
    pub ledger: LedgerId,
    /// The record.
    pub record: Record,
    /// The raw bytes of the delivery or of the command's request, at most [`BODY_BYTES_MAX`].
    /// Empty where none are kept; else their SHA-256 is the one that the record names.
    pub body: Arc<[u8]>,
}

/// The last record of a ledger.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Head {
    /// Its place.
    pub sequence: Sequence,
    /// When it was recorded.
    pub recorded_at: Timestamp,
    /// Its hash, which covers all records of the ledger.
    pub hash: Hash,
}

/// A record that is in the log: only a log makes one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Recorded {
    record: Record,
    hash: Hash,
}

impl Recorded {
    pub(crate) const fn new(record: Record, hash: Hash) -> Self {
        Self { record, hash }
    }

    /// The record.
    #[must_use]
    pub const fn record(&self) -> &Record {
        &self.record
    }

    /// The record, owned.
    #[must_use]
    pub fn into_record(self) -> Record {
        self.record
    }

    /// Its hash, which covers all records before it.
    #[must_use]
    pub const fn hash(&self) -> Hash {
        self.hash
    }
}

/// A group that a log took in and that is not written yet.
#[derive(Debug)]
pub struct Prepared {
    pub(crate) group: Vec<Append>,
    pub(crate) packed: Packed,
    /// Its place among all groups that were prepared since the log was opened.
    pub(crate) ticket: u64,
}

/// Per ledger a gapless, hash-chained sequence of records with their bodies.
///
/// Readers may read while the one writer appends; they see whole groups only.
pub trait EventLog: Send + Sync {
    /// The ledgers that have a record, in order.
    ///
    /// # Errors
    /// The store can't be read.
    fn ledgers(&self) -> Result<Vec<LedgerId>, ReadError>;

    /// The last record of a ledger; none where it has none.
    fn head(&self, ledger: &LedgerId) -> Option<Head>;

    /// Takes a group in behind all groups that were taken in before: encodes, chains and packs it.
    /// Nothing is written yet, and readers don't see it. One thread may prepare a group while
    /// another commits the group before.
    ///
    /// # Errors
    /// A group that can't follow what was taken in, or for which there is no room, is refused, and
    /// the log stays as it was.
    fn prepare(&self, group: Vec<Append>) -> Result<Prepared, AppendError>;

    /// Writes a prepared group, whole or not at all; durable and visible to readers when it
    /// returns `Ok`, which hands the group back. Groups are committed in the order in which they
    /// were prepared.
    ///
    /// # Errors
    /// After [`AppendError::Failed`] it is unknown whether the group is stored, and everything
    /// later is refused until the store is opened again; so it is when a group before this one
    /// was prepared and never committed.
    fn commit(&self, prepared: Prepared) -> Result<Vec<Append>, AppendError>;

    /// Appends a group: prepares and commits it.
    ///
    /// # Errors
    /// See [`Self::prepare`] and [`Self::commit`].
    fn append(&self, group: &[Append]) -> Result<(), AppendError> {
        self.commit(self.prepare(group.to_vec())?).map(drop)
    }

    /// One record.
    ///
    /// # Errors
    /// The store can't be read or is damaged there.
    fn read(&self, ledger: &LedgerId, sequence: Sequence) -> Result<Option<Recorded>, ReadError>;

    /// The raw bytes that a record came from, checked against the digest in the record; empty
    /// where none were kept.
    ///
    /// # Errors
    /// The store can't be read or is damaged there.
    fn body(&self, ledger: &LedgerId, sequence: Sequence) -> Result<Option<Vec<u8>>, ReadError>;

    /// The records after a sequence (`None`: from the first), in order and without gap: whole
    /// blocks until there are `limit` records or more; empty at the end. Reads no bodies.
    ///
    /// # Errors
    /// The store can't be read or is damaged there.
    fn scan(
        &self,
        ledger: &LedgerId,
        after: Option<Sequence>,
        limit: usize,
    ) -> Result<Vec<Recorded>, ReadError>;

    /// The bodies of the records after a sequence, in order and without gap, each with its sequence:
    /// whole blocks until there are `limit` bodies or more; empty at the end. A body is empty where
    /// none is kept. Whether each is the one that its record names is for the caller to see, who has
    /// the records: [`body_fits`].
    ///
    /// # Errors
    /// The store can't be read or is damaged there.
    fn bodies(
        &self,
        ledger: &LedgerId,
        after: Option<Sequence>,
        limit: usize,
    ) -> Result<Vec<(Sequence, Vec<u8>)>, ReadError> {
        let mut bodies = Vec::new();
        let mut next = after.map_or(Sequence::FIRST, Sequence::next);
        while bodies.len() < limit.max(1) {
            let Some(body) = self.body(ledger, next)? else { break };
            bodies.push((next, body));
            next = next.next();
        }
        Ok(bodies)
    }

    /// Gives `found` the records after a sequence and up to `last` in whose stored form one of
    /// `needles` stands, in order, until it breaks: for ids that no index has. Keeps nothing but
    /// the block that it reads, and reads no bodies; see [`crate::search::search`].
    ///
    /// # Errors
    /// The store can't be read or is damaged there.
    fn search(
        &self,
        ledger: &LedgerId,
        needles: &[&[u8]],
        after: Option<Sequence>,
        last: Sequence,
        found: &mut dyn FnMut(Recorded) -> ControlFlow<()>,
    ) -> Result<(), ReadError> {
        let finders: Vec<Finder<'_>> = needles.iter().map(Finder::new).collect();
        let mut after = after;
        while after < Some(last) {
            let records = self.scan(ledger, after, RECORDS_AT_ONCE)?;
            let Some(end) = records.last() else { break };
            after = Some(end.record().sequence);
            for recorded in records {
                let record = recorded.record();
                let form = form::record::encode(record);
                let has = || finders.iter().any(|finder| finder.find(&form).is_some());
                if record.sequence <= last && has() && found(recorded).is_break() {
                    return Ok(());
                }
            }
        }
        Ok(())
    }

    /// The newest record that has this key; see [`key_of`] for the keys that records have.
    ///
    /// # Errors
    /// The store can't be read or is damaged there.
    fn find(&self, ledger: &LedgerId, key: &Key) -> Result<Option<Sequence>, ReadError>;

    /// The records that change an account, rising, after `after`, at most `limit`.
    ///
    /// # Errors
    /// The store can't be read or is damaged there.
    fn by_account(
        &self,
        ledger: &LedgerId,
        account: &AccountId,
        after: Option<Sequence>,
        limit: usize,
    ) -> Result<Vec<Sequence>, ReadError>;

    /// Why the store takes no more records; none while it does.
    fn latched(&self) -> Option<String>;
}

/// The key that a record is found by: its event's, its conflicting content's or its command's.
#[must_use]
pub fn key_of(record: &Record) -> Key {
    match &record.input {
        Input::Delivery(delivery) => match record.decision.outcome {
            Outcome::Conflict { .. } => Key::Conflict(delivery.event.clone(), delivery.content),
            Outcome::Recorded | Outcome::Ignored | Outcome::Quarantined(_) | Outcome::Done => {
                Key::Event(delivery.event.clone())
            }
        },
        Input::Command(command) => Key::Command(command.key.clone()),
    }
}

/// The SHA-256 of its body that a record names.
#[must_use]
pub fn body_digest(record: &Record) -> Digest {
    match &record.input {
        Input::Delivery(delivery) => delivery.body,
        Input::Command(command) => command.request,
    }
}

/// Checks that a group can follow the heads: before anything of it is written.
pub(crate) fn check_group(
    group: &[Append],
    head: impl Fn(&LedgerId) -> Option<Head>,
) -> Result<(), AppendError> {
    let mut last: BTreeMap<&LedgerId, (Sequence, Timestamp)> = BTreeMap::new();
    for append in group {
        let (ledger, record) = (&append.ledger, &append.record);
        let before = last.get(ledger).copied();
        let before = before.or_else(|| head(ledger).map(|head| (head.sequence, head.recorded_at)));
        let expected = before.map_or(Sequence::FIRST, |(sequence, _)| sequence.next());
        check_one(append, expected)?;
        if before.is_some_and(|(_, recorded_at)| record.recorded_at < recorded_at) {
            return Err(AppendError::TimeFell { ledger: ledger.clone(), sequence: expected });
        }
        last.insert(ledger, (record.sequence, record.recorded_at));
    }
    Ok(())
}

fn check_one(append: &Append, expected: Sequence) -> Result<(), AppendError> {
    let (ledger, sequence) = (append.ledger.clone(), append.record.sequence);
    if sequence != expected {
        return Err(AppendError::OutOfOrder { ledger, expected, found: sequence });
    }
    let bytes = append.body.len();
    if bytes > BODY_BYTES_MAX {
        return Err(AppendError::BodyTooLarge { ledger, sequence, bytes });
    }
    if !body_fits(&append.record, &append.body) {
        return Err(AppendError::BodyDiffers { ledger, sequence });
    }
    Ok(())
}

/// Whether a body is the one whose digest the record names, or none.
#[must_use]
pub fn body_fits(record: &Record, body: &[u8]) -> bool {
    body.is_empty() || Sha256::digest(body)[..] == body_digest(record).0
}

/// What a fault of the storage below is carried in.
pub type StorageFault = Box<dyn std::error::Error + Send + Sync>;

/// Why a group was not appended.
#[derive(Debug, thiserror::Error)]
pub enum AppendError {
    /// A sequence does not follow the last one of its ledger. Nothing was written.
    #[error("append record {found} to ledger {ledger}: record {expected} comes next")]
    OutOfOrder {
        /// The ledger.
        ledger: LedgerId,
        /// What would follow.
        expected: Sequence,
        /// What came.
        found: Sequence,
    },
    /// A record claims to be recorded before the one before it. Nothing was written.
    #[error("append record {sequence} to ledger {ledger}: its time is before the last record's")]
    TimeFell {
        /// The ledger.
        ledger: LedgerId,
        /// The record.
        sequence: Sequence,
    },
    /// A body is larger than [`BODY_BYTES_MAX`]. Nothing was written.
    #[error("append record {sequence} to ledger {ledger}: its body has {bytes} bytes")]
    BodyTooLarge {
        /// The ledger.
        ledger: LedgerId,
        /// The record.
        sequence: Sequence,
        /// The body's size.
        bytes: usize,
    },
    /// A body is not the one whose digest the record names. Nothing was written.
    #[error("append record {sequence} to ledger {ledger}: its body has another digest")]
    BodyDiffers {
        /// The ledger.
        ledger: LedgerId,
        /// The record.
        sequence: Sequence,
    },
    /// There is no room on the disk. Nothing was written, and the log takes groups again once
    /// there is.
    #[error(transparent)]
    NoSpace(#[from] NoSpace),
    /// An earlier commit failed: nothing more is written until the store is opened again.
    #[error("append after a failed write: {reason}")]
    Latched {
        /// The earlier failure.
        reason: String,
    },
    /// The write or its sync failed: the group is stored whole or not at all, unknown which.
    #[error("write a group to the log")]
    Failed {
        /// What the storage said.
        #[source]
        source: StorageFault,
    },
}

/// Why something could not be read from a log.
#[derive(Debug, thiserror::Error)]
pub enum ReadError {
    /// The storage failed.
    #[error("read the log")]
    Failed {
        /// What the storage said.
        #[source]
        source: StorageFault,
    },
    /// What is stored is not what was written.
    #[error("read ledger {ledger}, {place}: {detail}")]
    Damaged {
        /// The ledger.
        ledger: LedgerId,
        /// The record or block.
        place: Place,
        /// What is wrong, for a person; never content.
        detail: String,
    },
    /// Only events, conflicts and commands are found by key.
    #[error("find a record by a key that is not indexed")]
    NotIndexed,
}

/// A place in a ledger's log.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Place {
    /// One record.
    Record(Sequence),
    /// The block of records that starts there.
    Records(Sequence),
    /// The block of bodies that starts there.
    Bodies(Sequence),
    /// The part of the index that ends there.
    Index(Sequence),
}

impl std::fmt::Display for Place {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Record(sequence) => write!(f, "record {sequence}"),
            Self::Records(first) => write!(f, "block of records from {first}"),
            Self::Bodies(first) => write!(f, "block of bodies from {first}"),
            Self::Index(last) => write!(f, "index up to {last}"),
        }
    }
}
