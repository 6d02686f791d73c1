//! What was decided and is not durable yet: later decisions build on it, nobody else sees it.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use domain::{
    entities::Key,
    ids::LedgerId,
    state::{Book, State},
};
use parking_lot::Mutex;
use projectors::projections::Projections;

/// What a group changes in one ledger.
pub(crate) struct Working {
    pub(crate) state: State,
    pub(crate) changed: BTreeSet<Key>,
    pub(crate) records: usize,
}

/// What a group changes, by ledger.
pub(crate) type Changes = BTreeMap<LedgerId, Working>;

/// The changes of the groups that are decided and not durable yet, the oldest first.
#[derive(Default)]
pub(crate) struct Ahead {
    groups: Mutex<VecDeque<Changes>>,
}

impl Ahead {
    /// Lets later decisions see a group.
    pub(crate) fn push(&self, changes: Changes) {
        self.groups.lock().push_back(changes);
    }

    /// Lets everyone see the oldest group, which is durable now.
    ///
    /// In one step: a decision finds each change either here or in the projections.
    pub(crate) fn absorb_oldest(&self, projections: &Projections) {
        let mut groups = self.groups.lock();
        for Working { state, changed, records } in
            groups.pop_front().into_iter().flat_map(BTreeMap::into_values)
        {
            if records > 0 {
                projections.absorb(state, &changed, records);
            }
        }
    }

    /// The newest book of a ledger that is only here.
    pub(crate) fn book(&self, ledger: &LedgerId) -> Option<Book> {
        let groups = self.groups.lock();
        let mut newest = groups.iter().rev().filter_map(|group| group.get(ledger));
        newest.find(|own| own.records > 0).map(|own| own.state.book.clone())
    }

    /// Loads what a key names from the newest group that changed it; says whether one did.
    pub(crate) fn load(&self, state: &mut State, key: &Key) -> bool {
        let groups = self.groups.lock();
        for group in groups.iter().rev() {
            if group.get(&state.ledger).is_some_and(|own| own.copy(state, key)) {
                return true;
            }
        }
        false
    }
}

impl Working {
    pub(crate) const fn new(state: State) -> Self {
        Self { state, changed: BTreeSet::new(), records: 0 }
    }

    /// Copies what a key names, if it was changed here; says whether it was.
    fn copy(&self, to: &mut State, key: &Key) -> bool {
        let own = &self.state;
        match key {
            Key::Event(event) => own.events.get(event).is_some_and(|prior| {
                to.events.insert(event.clone(), prior.clone());
                true
            }),
            Key::Conflict(event, content) => {
                let key = (event.clone(), *content);
                own.conflicts.get(&key).is_some_and(|prior| {
                    to.conflicts.insert(key.clone(), *prior);
                    true
                })
            }
            Key::Command(key) => own.commands.get(key).is_some_and(|prior| {
                to.commands.insert(key.clone(), prior.clone());
                true
            }),
            Key::Account(_)
            | Key::Payment(_)
            | Key::Holding(_)
            | Key::Hold(_)
            | Key::Debit(_)
            | Key::Case(_)
            | Key::Customer(_)
            | Key::Exception(_)
            | Key::Release(_) => {
                self.changed.contains(key) && to.entities.put(key, own.entities.copy(key))
            }
        }
    }
}
