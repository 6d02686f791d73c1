//! The notary: it signs the tree over each ledger's records, so that nobody, its keeper least of
//! all, can change a record afterwards without being found out by whoever kept a checkpoint.
//!
//! It follows the log with a [`tree`] of its own, and adds what it signs to a [`file`]; the
//! publisher takes it to NATS, and the API shows it with proofs. [`key`] keeps the key where the
//! configuration names none.
//!
//! A thread of its own, since it reads the log in place. It never signs a tree that does not go on
//! from the newest checkpoint in the file, nor from the newest of its own that it saw in the broker.
//! With a broker it looks there before it signs; where none answers for [`LOOK_TICKS_MAX`] it signs
//! into the file, and the broker gets nothing before the log was held to what is there.

mod book;
mod file;
mod key;
mod tree;

use std::{
    collections::BTreeMap,
    io,
    path::{Path, PathBuf},
    sync::Arc,
    thread,
};

use crossbeam_channel::{Receiver, RecvTimeoutError, Sender, TryRecvError, bounded};
use domain::ids::LedgerId;
use event_store::{log::EventLog, views::ViewStore};
use proof::{
    checkpoint::Published,
    merkle::Hash,
    note::{KeyFault, VerifierKey},
    tree::Subtree,
};
use publisher::courier::{Believed, Last, Offer, Offered, Seen};
use tokio::sync::watch;

pub use self::key::{FILE as KEY_FILE, IN_MAKING as KEY_IN_MAKING, NoKey};
pub(crate) use self::tree::TreeFault;
use self::{
    book::{Book, SignFault},
    file::CheckpointFile,
};
use crate::{config, limits::FOLLOW_INTERVAL, writer::with_causes};

/// The file of checkpoints in the data folder where the configuration names no other.
pub const FILE: &str = "checkpoints";

/// How many ticks nothing is signed while the broker does not say what it has.
pub(crate) const LOOK_TICKS_MAX: u32 = 15;

/// What is wrong with checkpoints, by ledger.
pub(crate) type Troubles = BTreeMap<LedgerId, Trouble>;

/// Why no checkpoint of a ledger is signed, or what is strange about those that are.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Trouble {
    pub(crate) reason: String,
    /// Whether the log is not the one that was signed, so that none ever is by this process. All
    /// else is tried again.
    pub(crate) is_final: bool,
}

/// Why there is no notary.
#[derive(Debug, thiserror::Error)]
pub enum NotaryError {
    /// There is no key.
    #[error(transparent)]
    Key(#[from] NoKey),
    /// The name of the log can't stand in a key.
    #[error("name the log of checkpoints by [checkpoints] origin, which {0}")]
    Name(#[from] KeyFault),
    /// The file can't be opened.
    #[error("open the file of checkpoints {}", path.display())]
    File {
        /// Which.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
}

/// What the rest of the server knows of checkpoints.
#[derive(Clone)]
pub(crate) struct Checkpoints {
    views: Arc<dyn ViewStore>,
    keys: BTreeMap<LedgerId, VerifierKey>,
    offered: watch::Receiver<Offered>,
    troubles: watch::Receiver<Troubles>,
}

/// Signs the checkpoints of all ledgers.
pub(crate) struct Notary {
    log: Arc<dyn EventLog>,
    file: CheckpointFile,
    books: Vec<Book>,
    /// How many ticks there are from one signature to the next.
    ticks: u32,
    offered: watch::Sender<Offered>,
    troubles: watch::Sender<Troubles>,
    /// What the broker has; none without one.
    seen: Option<watch::Receiver<Seen>>,
    /// How many turns it still waits for the broker's first word.
    patience: u32,
}

/// The notary's thread, to be stopped and awaited by its owner once the writer has ended.
pub(crate) struct NotaryThread {
    stop: Sender<()>,
    thread: thread::JoinHandle<()>,
}

impl Checkpoints {
    /// Of a server without a notary.
    #[cfg(feature = "in-memory")]
    pub(crate) fn none(views: Arc<dyn ViewStore>) -> Self {
        let (offered, troubles) =
            (watch::channel(Offered::new()).1, watch::channel(Troubles::new()).1);
        Self { views, keys: BTreeMap::new(), offered, troubles }
    }

    /// The newest checkpoint of a ledger, and the key that it is believed by.
    pub(crate) fn newest(&self, ledger: &LedgerId) -> Option<(Published, &VerifierKey)> {
        let published = self.offered.borrow().get(ledger)?.newest.clone()?;
        Some((published, self.keys.get(ledger)?))
    }

    /// The size of each ledger's newest checkpoint.
    pub(crate) fn sizes(&self) -> Vec<(LedgerId, u64)> {
        let offered = self.offered.borrow();
        let sizes = offered.iter().filter_map(|(ledger, offer)| {
            Some((ledger.clone(), offer.newest.as_ref()?.checkpoint.size))
        });
        sizes.collect()
    }

    /// What is wrong with checkpoints, by ledger.
    pub(crate) fn troubles(&self) -> Troubles {
        self.troubles.borrow().clone()
    }

    /// The hash of a complete subtree of what a checkpoint covers.
    pub(crate) fn subtree(&self, ledger: &LedgerId, wanted: Subtree) -> Result<Hash, TreeFault> {
        tree::subtree(&*self.views, ledger, wanted)
    }
}

impl Notary {
    /// Opens the file and the key. Nothing is signed before the first turn.
    ///
    /// # Errors
    /// See [`NotaryError`].
    pub(crate) fn open(
        config: &config::Checkpoints,
        data: &Path,
        ledgers: impl Iterator<Item = LedgerId>,
        log: Arc<dyn EventLog>,
        views: &Arc<dyn ViewStore>,
    ) -> Result<(Self, Checkpoints), NotaryError> {
        let key = match &config.key {
            Some(key) => key.clone(),
            None => key::kept(data, &config.origin)?,
        };
        let path = config.file.clone().unwrap_or_else(|| data.join(FILE));
        let (file, published) = CheckpointFile::open(&path)
            .map_err(|source| NotaryError::File { path: path.clone(), source })?;
        let mut books = Vec::new();
        let mut keys = BTreeMap::new();
        for ledger in ledgers {
            let signer = key.signer(&audit::checkpoint::origin(&config.origin, &ledger))?;
            tracing::info!(%ledger, key = %signer.verifier(), file = %path.display(),
                "checkpoints are signed");
            keys.insert(ledger.clone(), signer.verifier().clone());
            let known = published.get(&ledger).cloned();
            books.push(Book::new(ledger, signer, Arc::clone(views), known));
        }
        let offers = published
            .into_iter()
            .map(|(ledger, known)| (ledger, Offer { newest: Some(known), held_to: None }));
        let offered = watch::Sender::new(offers.collect::<Offered>());
        let troubles = watch::Sender::new(Troubles::new());
        let ticks = u32::try_from(config.every.as_secs()).unwrap_or(u32::MAX).max(1);
        let patience = LOOK_TICKS_MAX;
        let shown = Checkpoints {
            views: Arc::clone(views),
            keys,
            offered: offered.subscribe(),
            troubles: troubles.subscribe(),
        };
        Ok((Self { log, file, books, ticks, offered, troubles, seen: None, patience }, shown))
    }

    /// The newest checkpoints, now and from now on; it ends with the notary.
    pub(crate) fn offered(&self) -> watch::Receiver<Offered> {
        self.offered.subscribe()
    }

    /// Whose checkpoints it is held to, by ledger: its own.
    pub(crate) fn believed(&self) -> Believed {
        let books = self.books.iter();
        books.map(|book| (book.ledger.clone(), vec![book.verifier().clone()])).collect()
    }

    /// Holds itself to what the broker has, too.
    pub(crate) fn holds_to(&mut self, seen: watch::Receiver<Seen>) {
        self.seen = Some(seen);
    }

    /// Starts the thread, which signs at once what is new since the last run.
    ///
    /// # Errors
    /// The system has no thread left.
    pub(crate) fn start(mut self) -> io::Result<NotaryThread> {
        let (stop, stopped) = bounded(1);
        let run = move || {
            let is_stopped =
                |stopped: &Receiver<()>| stopped.try_recv() != Err(TryRecvError::Empty);
            let mut is_told = false;
            let mut tick = 0_u32;
            while !is_told {
                // The first turn signs, then one in so many.
                self.turn(tick.is_multiple_of(self.ticks), &mut || {
                    is_told = is_told || is_stopped(&stopped);
                    is_told
                });
                tick = tick.wrapping_add(1);
                is_told = is_told
                    || stopped.recv_timeout(FOLLOW_INTERVAL) != Err(RecvTimeoutError::Timeout);
            }
            // What the writer decided until now; a ledger that is far behind is left for the next run.
            let mut chunks = 0_u32;
            self.turn(true, &mut || {
                chunks = chunks.saturating_add(1);
                chunks > book::CLOSING_CHUNKS_MAX
            });
        };
        let thread = thread::Builder::new().name("notary".to_owned()).spawn(run)?;
        Ok(NotaryThread { stop, thread })
    }

    /// Follows the log, and signs where it is due, or was and could not be. `stop` is asked between
    /// parts of the log.
    pub(crate) fn turn(&mut self, is_due: bool, stop: &mut dyn FnMut() -> bool) {
        self.patience = self.patience.saturating_sub(1);
        for book in &mut self.books {
            let is_due = is_due || book.is_owed;
            let seen = self.seen.as_ref();
            let last = seen.and_then(|seen| seen.borrow().get(&book.ledger).cloned());
            let may_sign = seen.is_none() || last.is_some() || self.patience == 0;
            let published = last.as_ref().and_then(|last| last.published.clone());
            let followed = book.follow(&*self.log, published, stop);
            let ledger = book.ledger.clone();
            if let (Ok(true), Some(last)) = (&followed, &last) {
                self.offered.send_if_modified(|offered| held(offered, &ledger, last));
            }
            let signed = followed.and_then(|is_held| {
                let is_signed = is_held && may_sign && is_due;
                book.is_owed = is_due && !is_signed;
                if is_signed { book.sign(&mut self.file) } else { Ok(None) }
            });
            match &signed {
                Ok(Some(published)) => self.offered.send_modify(|offered| {
                    offered.entry(ledger.clone()).or_default().newest = Some(published.clone());
                }),
                Ok(None) => {}
                Err(fault) => book.is_owed = !matches!(fault, SignFault::Refused(_)),
            }
            let strange = last.filter(|last| last.is_strange);
            match (signed, strange) {
                (Err(fault), _) => told(&self.troubles, ledger, &fault),
                (Ok(_), Some(Last { place, .. })) => {
                    told(&self.troubles, ledger, &SignFault::Strange { place });
                }
                (Ok(_), None) if is_due && !book.is_owed => cleared(&self.troubles, &ledger),
                (Ok(_), None) => {}
            }
        }
    }
}

/// Whether it is news that the log was held to this.
fn held(offered: &mut Offered, ledger: &LedgerId, last: &Last) -> bool {
    let offer = offered.entry(ledger.clone()).or_default();
    offer.held_to.replace(last.place) != Some(last.place)
}

/// Tells of a trouble once, until another takes its place.
fn told(troubles: &watch::Sender<Troubles>, ledger: LedgerId, fault: &SignFault) {
    let is_final = matches!(fault, SignFault::Refused(_));
    let trouble = Trouble { reason: with_causes(fault), is_final };
    troubles.send_if_modified(|troubles| {
        if troubles.get(&ledger) == Some(&trouble) {
            return false;
        }
        tracing::error!(%ledger, is_final, reason = trouble.reason, "checkpoints are in trouble");
        troubles.insert(ledger, trouble);
        true
    });
}

fn cleared(troubles: &watch::Sender<Troubles>, ledger: &LedgerId) {
    troubles.send_if_modified(|troubles| troubles.remove(ledger).is_some());
}

impl NotaryThread {
    /// Signs what there is a last time and ends the thread. Blocks; `false` when it had failed.
    pub(crate) fn stop(self) -> bool {
        // A full channel means that it was told already.
        let _ = self.stop.try_send(());
        self.thread.join().is_ok()
    }
}
