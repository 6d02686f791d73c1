//! What must be done now and then beside the writer: noting how far the log came, keeping room on
//! the disk, and keeping the next start quick: the projections are stored, so that it folds only
//! the log's tail, and the log's database is renewed.

use std::{io, sync::Arc, thread};

use crossbeam_channel::{RecvTimeoutError, Sender, bounded};
use event_store::sled::SledStore;
use projectors::projections::Projections;

use crate::{
    limits::{NOTE_TICKS, UPKEEP_INTERVAL},
    room::Room,
    writer::with_causes,
};

/// The upkeep's thread, to be stopped and awaited by its owner.
pub(crate) struct Upkeep {
    stop: Sender<()>,
    thread: thread::JoinHandle<()>,
}

impl Upkeep {
    /// Starts the thread.
    ///
    /// # Errors
    /// The system has no thread left.
    pub(crate) fn start(projections: Arc<Projections>, store: SledStore) -> io::Result<Self> {
        let (stop, stopped) = bounded(1);
        let run = move || {
            let mut room = Room::new(store.space());
            let mut ticks = 0_u32;
            while stopped.recv_timeout(UPKEEP_INTERVAL) == Err(RecvTimeoutError::Timeout) {
                ticks = ticks.wrapping_add(1);
                if ticks.is_multiple_of(NOTE_TICKS) {
                    noted(&store);
                    room.look();
                    renewed(&store);
                }
                if projections.checkpoint_is_due() {
                    stored(&projections);
                }
            }
            room.make_way();
            stored(&projections);
            noted(&store);
        };
        let thread = thread::Builder::new().name("upkeep".to_owned()).spawn(run)?;
        Ok(Self { stop, thread })
    }

    /// Stores the projections a last time and ends the thread. Blocks.
    pub(crate) fn stop(self) -> bool {
        // A full channel means that it was told already.
        let _ = self.stop.try_send(());
        self.thread.join().is_ok()
    }
}

/// A note that fails harms nothing but the check at the next start, so it is tried again.
fn noted(store: &SledStore) {
    if let Err(error) = store.note_high_water() {
        let error = with_causes(&error);
        tracing::warn!(error, "how far the log came could not be noted");
    }
}

/// A log that could not be opened again latches at the next commit, which `/readyz` tells.
fn renewed(store: &SledStore) {
    match store.renew_if_due() {
        Ok(false) => {}
        Ok(true) => tracing::info!("the log's database was opened again"),
        Err(error) => {
            let error = with_causes(&error);
            tracing::error!(error, "the log's database could not be opened again: restart");
        }
    }
}

/// A checkpoint that fails loses nothing: the log has everything, and the next one tries again.
fn stored(projections: &Projections) {
    if let Err(error) = projections.checkpoint() {
        let error = with_causes(&error);
        tracing::warn!(error, "the projections could not be stored");
    }
}
