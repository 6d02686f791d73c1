//! Erases bodies from the log of a stopped server: finds them, records that they go, and has the log
//! written anew without them.
//!
//! The record comes first. If the process ends before the log is written anew, the erasure is
//! unfinished: every later one finishes it first, whatever else it is asked for, and an audit and the
//! server say so until then.
//!
//! Never here: a text that was looked for, in a record, a body, an error or a log line.

mod search;
mod wanted;

use std::{
    collections::BTreeSet,
    path::{Path, PathBuf},
    sync::Arc,
};

use domain::{
    ids::{Actor, IdFault, LedgerId, OperationId, Sequence, Text},
    input::{Command, ERASED_MAX, Input, Order},
    refusal::Refusal,
    time::Timestamp,
};
use engine::step::{Answer, Engine, Request, StepError};
use event_store::{
    backup::is_backup,
    erasure::{self, Erasures},
    log::{EventLog, ReadError},
    sled::{OpenError, Options, RewriteError, SledStore},
};
use projectors::{fold::FoldError, projections::Projections};
use serde_json::json;

pub use self::{
    search::{Found, Item, Progress, Search},
    wanted::{TEXT_BYTES_MIN, TooShort, Wanted},
};
use crate::{
    canonical::{Canonical, canonical},
    writer::with_causes,
};

/// What is to be erased, and what is recorded of it.
#[derive(Clone, Debug)]
pub struct Erasing {
    /// Which bodies.
    pub search: Search,
    /// Why. Stays.
    pub reason: Text,
    /// Who asks. Stays.
    pub by: Actor,
}

/// How far an erasure is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stage {
    /// The bodies are looked for.
    Searching(Progress),
    /// The log is written anew.
    Rewriting {
        /// So many bytes of it so far.
        done: u64,
        /// So many there are, about.
        total: u64,
    },
}

/// What became of an erasure. It is durable.
#[derive(Clone, Debug)]
pub struct Erased {
    /// What was found.
    pub found: Found,
    /// The records that erase it; none where nothing was left to erase.
    pub records: Vec<Sequence>,
    /// The record of an earlier erasure that was cut short and is finished now.
    pub finished: Option<Sequence>,
}

/// Why nothing was erased, or not to the end.
#[derive(Debug, thiserror::Error)]
pub enum EraseError {
    /// There is no store: an empty one would be no ledger's.
    #[error("{} is no folder; nothing can be erased there", path.display())]
    NoStore {
        /// Where it should be.
        path: PathBuf,
    },
    /// The folder is a backup, which must stay what it says it is.
    #[error(
        "{} is a backup; erase in the server's data, and let the backup expire", path.display()
    )]
    Backup {
        /// The folder.
        path: PathBuf,
    },
    /// The ledger has no record.
    #[error("there is no ledger {ledger} in the log; it has {known}")]
    NoLedger {
        /// The ledger.
        ledger: LedgerId,
        /// The ledgers that there are.
        known: String,
    },
    /// No record is about the account.
    #[error("ledger {ledger} has no such account, and no record names it")]
    NoAccount {
        /// The ledger.
        ledger: LedgerId,
    },
    /// The record of the erasure would keep what is to be erased.
    #[error(
        "the {what} has a text that is to be erased, and would stay for ever; say it otherwise"
    )]
    Says {
        /// The reason or the name.
        what: &'static str,
    },
    /// The log can't be opened.
    #[error("open the log")]
    Open(#[from] OpenError),
    /// The log can't be read.
    #[error(transparent)]
    Read(#[from] ReadError),
    /// The state can't follow the log.
    #[error("bring the state up to the log's end")]
    Fold(#[from] FoldError),
    /// The record could not be stored.
    #[error("record the erasure")]
    Step(#[from] StepError),
    /// The rules refuse it.
    #[error("the erasure was refused: {0:?}")]
    Refused(Refusal),
    /// The key of the erasure is none, or taken; never with the form of today.
    #[error("name the erasure")]
    Name(#[from] IdFault),
    /// The log can't be written anew; nothing is recorded.
    #[error("nothing was erased and nothing recorded")]
    Before(#[source] RewriteError),
    /// The log was not written anew after the erasure was recorded.
    #[error("the erasure is recorded and not finished; run the command again")]
    Unfinished(#[source] RewriteError),
}

/// Finds the bodies that an erasure would take. Changes nothing.
///
/// # Errors
/// The server runs, or the log can't be read.
pub fn look(
    data: &Path,
    search: &Search,
    progress: &mut dyn FnMut(Stage),
) -> Result<Found, EraseError> {
    found(&open(data)?, search, progress)
}

/// Erases bodies from the log of a stopped server.
///
/// # Errors
/// The server runs, or see [`EraseError`].
pub fn erase(
    data: &Path,
    erasing: &Erasing,
    now: Timestamp,
    progress: &mut dyn FnMut(Stage),
) -> Result<Erased, EraseError> {
    let (ledger, texts) = (&erasing.search.ledger, &erasing.search.texts);
    for (what, said) in [("reason", erasing.reason.as_str()), ("name", erasing.by.as_str())] {
        if texts.iter().any(|text| text.is_in(said.as_bytes())) {
            return Err(EraseError::Says { what });
        }
    }
    let store = open(data)?;
    let finished = unfinished(&store)?;
    let found = found(&store, &erasing.search, progress);
    // An earlier erasure is finished whatever this one finds.
    if finished.is_none() && found.as_ref().map_or(true, |found| found.items.is_empty()) {
        return Ok(Erased { found: found?, records: Vec::new(), finished: None });
    }
    SledStore::may_rewrite(data).map_err(EraseError::Before)?;
    let records = match &found {
        Ok(found) => recorded(&store, erasing, found.items.keys().copied(), now)?,
        Err(_) => Vec::new(),
    };
    drop(store);
    let mut rewriting = |done, total| progress(Stage::Rewriting { done, total });
    SledStore::rewrite(data, Options::STANDARD, &mut rewriting).map_err(EraseError::Unfinished)?;
    let finished = finished.filter(|(of, _)| of == ledger).map(|(_, sequence)| sequence);
    Ok(Erased { found: found?, records, finished })
}

/// Warns of erasures that were cut short. What can't be read is no reason not to serve.
pub(crate) fn warn_of_unfinished(log: &dyn EventLog) {
    let unfinished = |ledger: &LedgerId| erasure::unfinished(log, ledger);
    for ledger in log.ledgers().unwrap_or_default() {
        match unfinished(&ledger) {
            Ok(None) => {}
            Ok(Some(sequence)) => tracing::warn!(
                %ledger,
                %sequence,
                "bodies that this record erases are still there; stop the server and run \
                 `tallyhook erase` again"
            ),
            Err(error) => {
                let error = with_causes(&error);
                tracing::warn!(%ledger, error, "what was erased can't be looked at");
            }
        }
    }
}

fn open(data: &Path) -> Result<SledStore, EraseError> {
    if !data.is_dir() {
        return Err(EraseError::NoStore { path: data.to_owned() });
    }
    if is_backup(data) {
        return Err(EraseError::Backup { path: data.to_owned() });
    }
    Ok(SledStore::open(data, Options::STANDARD)?)
}

fn found(
    store: &SledStore,
    asked: &Search,
    progress: &mut dyn FnMut(Stage),
) -> Result<Found, EraseError> {
    let (log, ledger) = (store.log(), &asked.ledger);
    if log.head(ledger).is_none() {
        let known = log.ledgers()?;
        let known: Vec<&str> = known.iter().map(LedgerId::as_str).collect();
        let known = if known.is_empty() { "none".to_owned() } else { known.join(", ") };
        return Err(EraseError::NoLedger { ledger: ledger.clone(), known });
    }
    let found = search::search(store, asked, &mut |at| progress(Stage::Searching(at)))?;
    if asked.account.is_some() && !found.is_known {
        return Err(EraseError::NoAccount { ledger: ledger.clone() });
    }
    Ok(found)
}

/// The first erasure of any ledger that was cut short.
fn unfinished(store: &SledStore) -> Result<Option<(LedgerId, Sequence)>, ReadError> {
    let log = store.log();
    for ledger in log.ledgers()? {
        if let Some(sequence) = erasure::unfinished(&*log, &ledger)? {
            return Ok(Some((ledger, sequence)));
        }
    }
    Ok(None)
}

/// Records in one durable group that these bodies go.
fn recorded(
    store: &SledStore,
    erasing: &Erasing,
    bodies: impl Iterator<Item = Sequence>,
    now: Timestamp,
) -> Result<Vec<Sequence>, EraseError> {
    let (log, ledger) = (store.log(), &erasing.search.ledger);
    let bodies: Vec<Sequence> = bodies.collect();
    let mut before = Erasures::of(&*log, ledger);
    before.try_for_each(|erasure| erasure.map(drop))?;
    let requests: Result<Vec<Request>, IdFault> = (before.next_number()..)
        .zip(bodies.chunks(ERASED_MAX))
        .map(|(number, bodies)| request(erasing, number, bodies))
        .collect();
    let requests = requests?;
    if requests.is_empty() {
        return Ok(Vec::new());
    }
    let projections = Arc::new(Projections::new(store.views()));
    let engine = Engine::open(store.log(), projections, |_, _| {})?;
    let answers = engine.step(now, requests)?;
    answers.into_iter().map(sequence).collect()
}

/// The command that erases some bodies.
fn request(erasing: &Erasing, number: u64, bodies: &[Sequence]) -> Result<Request, IdFault> {
    let (ledger, reason) = (&erasing.search.ledger, erasing.reason.clone());
    let numbers: Vec<u64> = bodies.iter().map(|sequence| sequence.get()).collect();
    let asked = json!({"records": numbers, "reason": reason.as_str()});
    let Canonical { bytes: body, digest } = canonical("erase", &asked);
    let key = erasure::key(number)?;
    let id = OperationId::of(ledger, &key);
    let records: BTreeSet<Sequence> = bodies.iter().copied().collect();
    let order = Order::Erase { records, reason };
    let command = Command { key, id, actor: erasing.by.clone(), request: digest, order };
    Ok(Request { ledger: ledger.clone(), input: Input::Command(Box::new(command)), body })
}

fn sequence(answer: Answer) -> Result<Sequence, EraseError> {
    match answer {
        Answer::Recorded { record, .. } => Ok(record.sequence),
        Answer::Refused(refusal) => Err(EraseError::Refused(refusal)),
        // Its key is free: the index was asked for it.
        Answer::Replayed { .. } | Answer::Duplicate { .. } | Answer::KnownConflict { .. } => {
            Err(EraseError::Refused(Refusal::KeyReused))
        }
    }
}
