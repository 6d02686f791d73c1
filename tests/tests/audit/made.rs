//! Ledgers that a merchant made, in memory.

use std::sync::Arc;

use domain::ids::LedgerId;
use engine::step::Engine;
use event_store::{
    log::EventLog,
    memory::{MemoryLog, MemoryViews},
};
use projectors::projections::Projections;
use tallyhook_tests::merchant::Merchant;

/// A ledger with the state that it leads to.
pub(crate) struct Made {
    pub(crate) log: Arc<dyn EventLog>,
    pub(crate) projections: Arc<Projections>,
    pub(crate) ledger: LedgerId,
}

impl Made {
    pub(crate) fn by(merchant: Merchant) -> Self {
        let log: Arc<dyn EventLog> = Arc::new(MemoryLog::new());
        let projections = Arc::new(Projections::new(Arc::new(MemoryViews::new())));
        let engine = Engine::open(Arc::clone(&log), Arc::clone(&projections), |_, _| ()).unwrap();
        merchant.run(&engine, |_| ()).unwrap();
        let ledger = log.ledgers().unwrap().remove(0);
        Self { log, projections, ledger }
    }
}
