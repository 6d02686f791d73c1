//! What must be done now and then beside the writer: noting how far the log came, and storing the
//! projections so that a restart reads only the tail.

use std::{io, sync::Arc, thread};

use crossbeam_channel::{RecvTimeoutError, Sender, bounded};
use projectors::projections::Projections;

use crate::{
    limits::{NOTE_TICKS, UPKEEP_INTERVAL},
    writer::with_causes,
};

/// Notes how far the log came; says what went wrong.
pub(crate) type Note = Box<dyn Fn() -> Result<(), String> + Send>;

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
    pub(crate) fn start(projections: Arc<Projections>, note: Note) -> io::Result<Self> {
        let (stop, stopped) = bounded(1);
        let run = move || {
            let mut ticks = 0_u32;
            while stopped.recv_timeout(UPKEEP_INTERVAL) == Err(RecvTimeoutError::Timeout) {
                ticks = ticks.wrapping_add(1);
                if ticks.is_multiple_of(NOTE_TICKS) {
                    noted(&note);
                }
                if projections.checkpoint_is_due() {
                    stored(&projections);
                }
            }
            stored(&projections);
            noted(&note);
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
fn noted(note: &Note) {
    if let Err(error) = note() {
        tracing::warn!(error, "how far the log came could not be noted");
    }
}

/// A checkpoint that fails loses nothing: the log has everything, and the next one tries again.
fn stored(projections: &Projections) {
    if let Err(error) = projections.checkpoint() {
        let error = with_causes(&error);
        tracing::warn!(error, "the projections could not be stored");
    }
}
