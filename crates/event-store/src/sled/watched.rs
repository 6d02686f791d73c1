//! An open sled database with a thread of its own, for two faults of sled 0.34.7.
//!
//! After a write that failed, sled may let a commit wait for ever: the thread that wrote does not
//! wake those who wait for it (`Log::exit_reservation`). Any later call sees the failure, returns,
//! and wakes them all; so the thread makes one when a commit takes long.
//!
//! And where the last sync fails while a database closes, sled panics. The thread is the last to
//! let go of it, so that only the thread ends by that. All that was committed was synced before.

use std::{
    io,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering::SeqCst},
        mpsc::{Receiver, RecvTimeoutError, Sender, channel},
    },
    thread::{self, JoinHandle},
    time::Duration,
};

use ::sled::{Batch, Db};

/// A commit that is under way at two looks is poked.
const LOOK_INTERVAL: Duration = Duration::from_millis(500);

/// The most pokes of one commit.
const POKES_MAX: u32 = 16;

/// An open database whose commits end.
pub(super) struct Watched {
    // Dropped first: the thread then lets go of the last handle.
    db: Db,
    /// Odd while a commit is under way.
    turn: Arc<AtomicU64>,
    _thread: Ender,
}

/// Ends the thread and waits for it.
struct Ender {
    stop: Option<Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

impl Watched {
    /// Takes over a database that was just opened.
    pub(super) fn start(db: Db) -> io::Result<Self> {
        let (stop, stopped) = channel();
        let turn = Arc::new(AtomicU64::new(0));
        let (watched, looked_at) = (db.clone(), Arc::clone(&turn));
        let thread = thread::Builder::new()
            .name("sled-watch".to_owned())
            .spawn(move || watch(&watched, &looked_at, &stopped))?;
        let thread = Ender { stop: Some(stop), thread: Some(thread) };
        Ok(Self { db, turn, _thread: thread })
    }

    pub(super) const fn db(&self) -> &Db {
        &self.db
    }

    /// Writes a batch and waits until sled has given it to the system, which is not yet durable.
    pub(super) fn commit(&self, batch: Batch) -> Result<(), ::sled::Error> {
        let _turn = Turn::begin(&self.turn);
        self.db.apply_batch(batch)?;
        self.db.flush().map(drop)
    }
}

/// A commit that is under way, until it ends, by a panic too.
struct Turn<'a>(&'a AtomicU64);

impl<'a> Turn<'a> {
    fn begin(turn: &'a AtomicU64) -> Self {
        turn.fetch_add(1, SeqCst);
        Self(turn)
    }
}

impl Drop for Turn<'_> {
    fn drop(&mut self) {
        self.0.fetch_add(1, SeqCst);
    }
}

impl Drop for Ender {
    fn drop(&mut self) {
        drop(self.stop.take());
        // What it has to say is in the process's log already.
        drop(self.thread.take().map(JoinHandle::join));
    }
}

fn watch(db: &Db, turn: &AtomicU64, stopped: &Receiver<()>) {
    let (mut last, mut pokes) = (0, 0);
    while stopped.recv_timeout(LOOK_INTERVAL) == Err(RecvTimeoutError::Timeout) {
        let now = turn.load(SeqCst);
        pokes = if now == last { pokes } else { 0 };
        if now == last && now % 2 == 1 && pokes < POKES_MAX {
            pokes = pokes.saturating_add(1);
            // On a thread for each, since one that comes before the failure waits as well.
            let poked = db.clone();
            drop(thread::Builder::new().spawn(move || drop(poked.flush())));
        }
        last = now;
    }
}
