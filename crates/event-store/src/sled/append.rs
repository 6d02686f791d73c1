//! How groups come into the log: packed by whoever prepares them, then written and synced by
//! whoever commits them, in the same order.
//!
//! So one thread packs a group while another waits for the disk to sync the one before.

use std::{
    collections::BTreeMap,
    sync::{Arc, OnceLock},
};

use domain::ids::LedgerId;
use parking_lot::Mutex;

use super::log::{Book, SledLog};
use crate::{
    frame::{PackFault, Packer},
    index::{Overlay, Run, RunHead},
    log::{self, Append, AppendError, Head, Prepared, StorageFault},
    pack,
    space::Space,
};

/// What appending keeps.
pub(super) struct Appending {
    /// Held by the one group that is being prepared.
    intake: Mutex<Intake>,
    /// Held by the one group that is being committed.
    commits: Mutex<Commits>,
    /// Why nothing more is written.
    pub(super) latched: OnceLock<String>,
    /// How many records of a ledger make an index run.
    run_records: u64,
    /// The room on the disk.
    space: Arc<Space>,
}

struct Intake {
    packer: Packer,
    /// The heads after all groups that were taken in, whether they are durable or not.
    heads: BTreeMap<LedgerId, Head>,
    /// How many groups were taken in.
    groups: u64,
}

struct Commits {
    packer: Packer,
    /// How many groups were committed.
    groups: u64,
    #[cfg(any(test, feature = "tamper"))]
    fail_next: bool,
}

impl Appending {
    /// Goes on after these heads.
    pub(super) fn new(
        heads: BTreeMap<LedgerId, Head>,
        run_records: u64,
        space: Arc<Space>,
    ) -> Result<Self, PackFault> {
        let intake = Intake { packer: Packer::new()?, heads, groups: 0 };
        let commits = Commits {
            packer: Packer::new()?,
            groups: 0,
            #[cfg(any(test, feature = "tamper"))]
            fail_next: false,
        };
        let (intake, commits) = (Mutex::new(intake), Mutex::new(commits));
        Ok(Self { intake, commits, latched: OnceLock::new(), run_records, space })
    }

    #[cfg(any(test, feature = "tamper"))]
    pub(super) fn fail_next_commit(&self) {
        self.commits.lock().fail_next = true;
    }

    fn refuse_if_latched(&self) -> Result<(), AppendError> {
        match self.latched.get() {
            Some(reason) => Err(AppendError::Latched { reason: reason.clone() }),
            None => Ok(()),
        }
    }

    /// Takes no more groups from now on.
    fn latch(&self, source: StorageFault) -> AppendError {
        // The first reason stays.
        let _ = self.latched.set(source.to_string());
        AppendError::Failed { source }
    }
}

impl SledLog {
    /// Takes a group in and packs it.
    pub(super) fn take_in(&self, group: Vec<Append>) -> Result<Prepared, AppendError> {
        let mut intake = self.appending.intake.lock();
        self.appending.refuse_if_latched()?;
        let Intake { packer, heads, groups } = &mut *intake;
        log::check_group(&group, |ledger| heads.get(ledger).copied())?;
        let packed = pack::pack(packer, &group, |ledger| heads.get(ledger).copied());
        let packed = packed.map_err(|fault| self.appending.latch(fault.into()))?;
        // Here and not when it is committed: the groups behind this one follow its heads.
        self.appending.space.admit(packed.bytes())?;
        heads.extend(packed.heads.clone());
        let ticket = *groups;
        *groups = groups.saturating_add(1);
        Ok(Prepared { group, packed, ticket })
    }

    /// Writes a group that was taken in, and shows it to readers once it is durable.
    pub(super) fn store(&self, prepared: Prepared) -> Result<Vec<Append>, AppendError> {
        let mut commits = self.appending.commits.lock();
        self.appending.refuse_if_latched()?;
        let Prepared { group, packed, ticket } = prepared;
        if ticket != commits.groups {
            return Err(self.appending.latch("a group before it was given up".into()));
        }
        let heads = packed.heads.clone();
        if !group.is_empty() {
            let written = self.write(&mut commits, packed);
            let runs = written.map_err(|fault| self.appending.latch(fault))?;
            self.show(&group, heads, runs);
        }
        commits.groups = commits.groups.saturating_add(1);
        Ok(group)
    }

    /// Writes a packed group with the index runs that are due.
    fn write(&self, commits: &mut Commits, packed: pack::Packed) -> Result<Runs, StorageFault> {
        let pack::Packed { mut pieces, heads } = packed;
        let mut runs = BTreeMap::new();
        for ledger in heads.into_keys() {
            if let Some(run) = self.due_run(&ledger) {
                pack::pack_run(&mut commits.packer, &ledger, &run, &mut pieces)?;
                runs.insert(ledger, Arc::new(run.head));
            }
        }
        self.values.commit(pieces)?;
        #[cfg(any(test, feature = "tamper"))]
        if std::mem::take(&mut commits.fail_next) {
            return Err("a failed sync that the test asked for".into());
        }
        Ok(runs)
    }

    /// Stores what the overlay has as an index run, if it is due.
    pub(super) fn store_due_run(&self, ledger: &LedgerId) -> Result<(), StorageFault> {
        let mut commits = self.appending.commits.lock();
        let Some(run) = self.due_run(ledger) else { return Ok(()) };
        let mut pieces = Vec::new();
        pack::pack_run(&mut commits.packer, ledger, &run, &mut pieces)?;
        self.values.commit(pieces)?;
        if let Some(book) = self.books.write().get_mut(ledger) {
            book.end_overlay(Arc::new(run.head));
        }
        Ok(())
    }

    fn due_run(&self, ledger: &LedgerId) -> Option<Run> {
        let books = self.books.read();
        let overlay = &books.get(ledger)?.overlay;
        if overlay.records() >= self.appending.run_records { overlay.to_run() } else { None }
    }

    /// Shows readers what is durable now.
    fn show(&self, group: &[Append], heads: BTreeMap<LedgerId, Head>, runs: Runs) {
        let mut books = self.books.write();
        for (ledger, head) in heads {
            books.entry(ledger).and_modify(|book| book.head = head).or_insert_with(|| Book {
                head,
                runs: Vec::new(),
                overlay: Overlay::default(),
            });
        }
        for (ledger, run) in runs {
            if let Some(book) = books.get_mut(&ledger) {
                book.end_overlay(run);
            }
        }
        for append in group {
            if let Some(book) = books.get_mut(&append.ledger) {
                book.overlay.add(&append.ledger, &append.record);
            }
        }
    }
}

/// The heads of the index runs that were written with a group.
type Runs = BTreeMap<LedgerId, Arc<RunHead>>;
