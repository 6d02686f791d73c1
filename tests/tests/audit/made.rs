//! Ledgers that a merchant made, in memory and on disk.

use std::sync::Arc;

use domain::ids::LedgerId;
use engine::step::Engine;
use event_store::{
    log::EventLog,
    memory::{MemoryLog, MemoryViews},
    sled::{Options, SledStore},
};
use projectors::projections::Projections;
use tallyhook_tests::{home, merchant::Merchant};
use tempfile::TempDir;

/// The data folder of a stopped server that a merchant filled.
pub(crate) fn on_disk(merchant: Merchant) -> TempDir {
    let dir = TempDir::new().expect("a folder can be made");
    let store = SledStore::open(dir.path(), Options::STANDARD).expect("an empty folder opens");
    let projections = Arc::new(Projections::new(store.views()));
    let engine = Engine::open(store.log(), Arc::clone(&projections), |_, _| ());
    let engine = engine.expect("an empty log opens");
    merchant.run(&engine, |_| ()).expect("the disk takes everything in");
    projections.checkpoint().expect("the views can be written");
    dir
}

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
        let (of_engine, state) = (Arc::clone(&log), Arc::clone(&projections));
        let engine = Engine::open(of_engine, state, |_, _| ()).expect("an empty log opens");
        merchant.run(&engine, |_| ()).expect("memory takes everything in");
        let ledger = LedgerId::new(home::LEDGER).expect("the name is plain");
        Self { log, projections, ledger }
    }
}
