//! Room on the disk while the server runs: the reserve is kept whole, and that room goes or comes
//! back is logged once.

use std::{io, sync::Arc};

use event_store::space::Space;

/// The room for the store.
pub(crate) struct Room {
    space: Arc<Space>,
    was_short: bool,
    /// A reserve that can't be made is complained of once.
    complained: bool,
}

impl Room {
    pub(crate) const fn new(space: Arc<Space>) -> Self {
        Self { space, was_short: false, complained: false }
    }

    /// Looks how much room there is, and makes the reserve again where there is enough.
    pub(crate) fn look(&mut self) {
        let short = self.space.admit(0).err();
        match (&short, self.was_short) {
            (Some(short), false) => tracing::error!(%short, "no records are taken"),
            (None, true) => tracing::info!("there is room again: records are taken"),
            (Some(_), true) | (None, false) => {}
        }
        self.was_short = short.is_some();
        match self.space.set_aside() {
            Ok(_) => self.complained = false,
            Err(error) => self.complain(&error),
        }
    }

    /// Lets the last writes of a server that ends have the reserve, where there is little room.
    pub(crate) fn make_way(&mut self) {
        if let Err(error) = self.space.give_back() {
            self.complain(&error);
        }
    }

    fn complain(&mut self, error: &io::Error) {
        if !self.complained {
            tracing::warn!(%error, "the reserve can't be kept: a full disk may stop a restart");
        }
        self.complained = true;
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicU64, Ordering};

    use super::*;

    #[test]
    fn the_reserve_is_there_while_there_is_room_and_makes_way_at_the_end_when_there_is_none() {
        let dir = tempfile::tempdir().unwrap();
        let reserve = dir.path().join("reserve");
        let free = Arc::new(AtomicU64::new(u64::MAX));
        let said = Arc::clone(&free);
        let space = Space::told(dir.path(), move |_| Ok(said.load(Ordering::Relaxed)));
        let mut room = Room::new(Arc::new(space));
        room.look();
        assert!(reserve.exists());
        room.make_way();
        assert!(reserve.exists(), "there is room for the last checkpoint");

        free.store(0, Ordering::Relaxed);
        room.look();
        assert!(room.was_short && reserve.exists(), "it is kept for the end");
        room.make_way();
        assert!(!reserve.exists());
        room.look();
        assert!(!reserve.exists() && !room.complained);

        free.store(u64::MAX, Ordering::Relaxed);
        room.look();
        assert!(!room.was_short && reserve.exists());
    }
}
