//! The records that change one account, each block of the log read once.

use domain::ids::{AccountId, LedgerId, Sequence};
use event_store::log::{EventLog, Place, ReadError, Recorded};

use crate::cut::Cut;

/// How many sequences are asked of the log's index at once.
const SEQUENCES_AT_ONCE: usize = 512;

/// Gives each record that changes an account and that a cut knows, in the log's order: those too
/// that do not count because they happened later.
pub(crate) fn each<E: From<ReadError>>(
    log: &dyn EventLog,
    ledger: &LedgerId,
    account: &AccountId,
    cut: &Cut,
    mut each: impl FnMut(&Recorded) -> Result<(), E>,
) -> Result<(), E> {
    let mut blocks = Blocks::new(log, ledger);
    let mut after = None;
    loop {
        let sequences = log.by_account(ledger, account, after, SEQUENCES_AT_ONCE)?;
        let Some(last) = sequences.last().copied() else { return Ok(()) };
        for sequence in sequences {
            let recorded = blocks.read(sequence)?;
            if !cut.knows(recorded.record()) {
                return Ok(());
            }
            // The index may name a record that only looks alike.
            if recorded.record().decision.touches(account) {
                each(recorded)?;
            }
        }
        after = Some(last);
    }
}

/// The records that change an account, as the log's index has them: rising.
pub(crate) fn sequences(
    log: &dyn EventLog,
    ledger: &LedgerId,
    account: &AccountId,
) -> Result<Vec<Sequence>, ReadError> {
    log.by_account(ledger, account, None, usize::MAX)
}

/// Reads rising sequences, each block of the log once.
pub(crate) struct Blocks<'l> {
    log: &'l dyn EventLog,
    ledger: &'l LedgerId,
    read: Vec<Recorded>,
}

impl<'l> Blocks<'l> {
    pub(crate) const fn new(log: &'l dyn EventLog, ledger: &'l LedgerId) -> Self {
        Self { log, ledger, read: Vec::new() }
    }

    /// The record with this sequence, which something else names: so it must be there.
    pub(crate) fn read(&mut self, sequence: Sequence) -> Result<&Recorded, ReadError> {
        if self.place(sequence).is_none() {
            let before = Sequence::new(sequence.get().saturating_sub(1));
            self.read = self.log.scan(self.ledger, before, 1)?;
        }
        let place = self.place(sequence);
        place.and_then(|place| self.read.get(place)).ok_or_else(|| ReadError::Damaged {
            ledger: self.ledger.clone(),
            place: Place::Record(sequence),
            detail: "the index names it and it is missing".to_owned(),
        })
    }

    /// Where it stands in what was read: sequences have no gap.
    fn place(&self, sequence: Sequence) -> Option<usize> {
        let first = self.read.first()?.record().sequence;
        let place = usize::try_from(sequence.get().checked_sub(first.get())?).ok()?;
        (place < self.read.len()).then_some(place)
    }
}
