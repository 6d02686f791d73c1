//! The power of the machine that the program runs on, and its disks: any call to a store may be
//! the one at which it goes out, or at which the disk refuses.
//!
//! When the power goes out, the stack of the program is unwound and nothing of it runs any more;
//! what was stored stays. A refusal is an error that the program has to live with.

use std::{
    panic,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use domain::{
    entities::Key,
    ids::{AccountId, LedgerId, Sequence},
};
use event_store::{
    log::{Append, AppendError, EventLog, Head, Prepared, ReadError, Recorded},
    memory::{FailurePoint, MemoryLog, MemoryViews},
    space::NoSpace,
    views::{Change, Entry, ViewError, ViewStore},
};

/// A kind of call to a store.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Call {
    LogRead,
    LogPrepare,
    LogCommit,
    ViewsRead,
    ViewsWrite,
}

impl Call {
    pub(crate) const ALL: [Self; 5] =
        [Self::LogRead, Self::LogPrepare, Self::LogCommit, Self::ViewsRead, Self::ViewsWrite];
}

/// Whether a call took effect before it failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Point {
    Before,
    After,
}

/// What happens at a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Happens {
    /// The power goes out.
    Cut(Point),
    /// The disk refuses: it is full, or the call fails.
    Refused(Point),
}

/// What is to happen, and when.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Armed {
    /// At which kind of call; none: at any.
    pub(crate) call: Option<Call>,
    /// After so many more such calls.
    pub(crate) after: u32,
    pub(crate) happens: Happens,
}

/// What unwinds the program when the power goes out.
pub(crate) struct PowerCut;

/// The switch of one machine, which its stores and the one who cuts share.
#[derive(Clone, Debug, Default)]
pub(crate) struct Power(Arc<Mutex<Switch>>);

#[derive(Clone, Copy, Debug, Default)]
struct Switch {
    armed: Option<Armed>,
    /// What happened, until somebody asks.
    happened: Option<(Call, Happens)>,
}

impl Power {
    /// Lets something happen at a later call; nothing else is armed any more.
    pub(crate) fn arm(&self, armed: Option<Armed>) {
        self.switch().armed = armed;
    }

    /// What happened since this was asked last.
    pub(crate) fn happened(&self) -> Option<(Call, Happens)> {
        self.switch().happened.take()
    }

    /// Looks at the stores without anything happening.
    pub(crate) fn look<T>(&self, look: impl FnOnce() -> T) -> T {
        let armed = self.switch().armed.take();
        let seen = look();
        self.switch().armed = armed;
        seen
    }

    /// What happens at the call that is being made.
    fn next(&self, kind: Call) -> Option<Happens> {
        let mut switch = self.switch();
        let armed = switch.armed.filter(|armed| armed.call.is_none_or(|call| call == kind))?;
        if let Some(after) = armed.after.checked_sub(1) {
            switch.armed = Some(Armed { after, ..armed });
            return None;
        }
        *switch = Switch { armed: None, happened: Some((kind, armed.happens)) };
        Some(armed.happens)
    }

    /// A call: cut, refused or made.
    fn call<T, E>(
        &self,
        kind: Call,
        make: impl FnOnce() -> Result<T, E>,
        refuse: impl FnOnce() -> E,
    ) -> Result<T, E> {
        match self.next(kind) {
            None => make(),
            Some(Happens::Refused(Point::Before)) => Err(refuse()),
            Some(Happens::Refused(Point::After)) => make().and_then(|_| Err(refuse())),
            Some(Happens::Cut(Point::Before)) => cut(),
            Some(Happens::Cut(Point::After)) => {
                let _ = make();
                cut()
            }
        }
    }

    fn switch(&self) -> MutexGuard<'_, Switch> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Runs what may be cut; `Err` when the power went out.
pub(crate) fn powered<T>(run: impl FnOnce() -> T) -> Result<T, PowerCut> {
    match panic::catch_unwind(panic::AssertUnwindSafe(run)) {
        Ok(value) => Ok(value),
        Err(payload) => match payload.downcast::<PowerCut>() {
            Ok(cut) => Err(*cut),
            Err(other) => panic::resume_unwind(other),
        },
    }
}

/// Not a panic: nothing is wrong, so that nothing is printed.
fn cut() -> ! {
    panic::resume_unwind(Box::new(PowerCut))
}

/// Why a call was refused.
#[derive(Debug, thiserror::Error)]
#[error("the simulated disk refused")]
struct Refused;

/// The log on a disk that can fail.
pub(crate) struct SimulatedLog {
    log: MemoryLog,
    power: Power,
}

impl SimulatedLog {
    pub(crate) fn new(power: &Power) -> Self {
        Self { log: MemoryLog::new(), power: power.clone() }
    }

    /// What a restart finds.
    pub(crate) fn reopened(&self) -> Self {
        Self { log: self.log.reopened(), power: self.power.clone() }
    }

    fn read_call<T>(&self, make: impl FnOnce() -> Result<T, ReadError>) -> Result<T, ReadError> {
        self.power.call(Call::LogRead, make, || ReadError::Failed { source: Box::new(Refused) })
    }
}

impl EventLog for SimulatedLog {
    fn ledgers(&self) -> Result<Vec<LedgerId>, ReadError> {
        self.read_call(|| self.log.ledgers())
    }

    fn head(&self, ledger: &LedgerId) -> Option<Head> {
        self.log.head(ledger)
    }

    fn prepare(&self, group: Vec<Append>) -> Result<Prepared, AppendError> {
        let full = || NoSpace { path: "the simulated disk".into(), free: 0, needed: 1 };
        match self.power.next(Call::LogPrepare) {
            None => self.log.prepare(group),
            // A group is refused before it is taken in, or not at all.
            Some(Happens::Refused(_)) => Err(full().into()),
            Some(Happens::Cut(_)) => cut(),
        }
    }

    fn commit(&self, prepared: Prepared) -> Result<Vec<Append>, AppendError> {
        match self.power.next(Call::LogCommit) {
            None => {}
            Some(Happens::Refused(Point::Before)) => {
                self.log.fail_next_append(FailurePoint::BeforeWrite);
            }
            Some(Happens::Refused(Point::After)) => {
                self.log.fail_next_append(FailurePoint::AfterWrite);
            }
            Some(Happens::Cut(Point::Before)) => cut(),
            Some(Happens::Cut(Point::After)) => {
                let _ = self.log.commit(prepared);
                cut()
            }
        }
        self.log.commit(prepared)
    }

    fn read(&self, ledger: &LedgerId, sequence: Sequence) -> Result<Option<Recorded>, ReadError> {
        self.read_call(|| self.log.read(ledger, sequence))
    }

    fn body(&self, ledger: &LedgerId, sequence: Sequence) -> Result<Option<Vec<u8>>, ReadError> {
        self.read_call(|| self.log.body(ledger, sequence))
    }

    fn scan(
        &self,
        ledger: &LedgerId,
        after: Option<Sequence>,
        limit: usize,
    ) -> Result<Vec<Recorded>, ReadError> {
        self.read_call(|| self.log.scan(ledger, after, limit))
    }

    fn find(&self, ledger: &LedgerId, key: &Key) -> Result<Option<Sequence>, ReadError> {
        self.read_call(|| self.log.find(ledger, key))
    }

    fn by_account(
        &self,
        ledger: &LedgerId,
        account: &AccountId,
        after: Option<Sequence>,
        limit: usize,
    ) -> Result<Vec<Sequence>, ReadError> {
        self.read_call(|| self.log.by_account(ledger, account, after, limit))
    }

    fn latched(&self) -> Option<String> {
        self.log.latched()
    }
}

/// The views on a disk that can fail.
pub(crate) struct SimulatedViews {
    views: MemoryViews,
    power: Power,
}

impl SimulatedViews {
    /// Views with these entries.
    pub(crate) fn of(power: &Power, entries: &[Entry]) -> Result<Self, ViewError> {
        let views = MemoryViews::new();
        let changes = entries.iter().map(|(key, value)| (key.clone(), Some(value.clone())));
        views.write(&changes.collect::<Vec<Change>>())?;
        Ok(Self { views, power: power.clone() })
    }

    fn refuse() -> ViewError {
        ViewError::Failed { source: Box::new(Refused) }
    }
}

impl ViewStore for SimulatedViews {
    fn get(&self, key: &[u8]) -> Result<Option<Vec<u8>>, ViewError> {
        self.power.call(Call::ViewsRead, || self.views.get(key), Self::refuse)
    }

    fn scan(
        &self,
        prefix: &[u8],
        after: Option<&[u8]>,
        limit: usize,
    ) -> Result<Vec<Entry>, ViewError> {
        self.power.call(Call::ViewsRead, || self.views.scan(prefix, after, limit), Self::refuse)
    }

    fn write(&self, changes: &[Change]) -> Result<(), ViewError> {
        self.power.call(Call::ViewsWrite, || self.views.write(changes), Self::refuse)
    }

    fn clear(&self) -> Result<(), ViewError> {
        self.power.call(Call::ViewsWrite, || self.views.clear(), Self::refuse)
    }
}
