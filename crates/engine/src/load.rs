//! Loading what a decision needs: entities from the projections, keys from the log.

use domain::{
    apply::{prior_command, prior_event},
    entities::Key,
    ids::LedgerId,
    input::Input,
    record::Record,
    state::State,
};
use event_store::log::{EventLog, ReadError};
use projectors::projections::{Projections, StateError};

/// Why something could not be loaded.
#[derive(Debug, thiserror::Error)]
pub enum LoadError {
    /// The log can't be read.
    #[error(transparent)]
    Log(#[from] ReadError),
    /// The stored state can't be read.
    #[error(transparent)]
    State(#[from] StateError),
}

/// Loads what `key` names into the state; `None` where there is no such thing.
///
/// # Errors
/// The log or the stored state can't be read.
pub fn load(
    log: &dyn EventLog,
    projections: &Projections,
    state: &mut State,
    key: Key,
) -> Result<(), LoadError> {
    if projections.load(state, &key)? {
        return Ok(());
    }
    let record = find(log, &state.ledger, &key)?;
    match key {
        Key::Event(event) => {
            let prior = record.and_then(|record| match &record.input {
                Input::Delivery(delivery) => prior_event(delivery, &record),
                Input::Command(_) => None,
            });
            state.events.insert(event, prior);
        }
        Key::Conflict(event, content) => {
            let sequence = record.map(|record| record.sequence);
            state.conflicts.insert((event, content), sequence);
        }
        Key::Command(key) => {
            let prior = record.and_then(|record| match &record.input {
                Input::Command(command) => Some(prior_command(command, &record)),
                Input::Delivery(_) => None,
            });
            state.commands.insert(key, prior);
        }
        Key::Account(_)
        | Key::Payment(_)
        | Key::Holding(_)
        | Key::Hold(_)
        | Key::Debit(_)
        | Key::Case(_)
        | Key::Customer(_)
        | Key::Exception(_)
        | Key::Release(_) => {}
    }
    Ok(())
}

/// The newest record that a key finds.
fn find(log: &dyn EventLog, ledger: &LedgerId, key: &Key) -> Result<Option<Record>, ReadError> {
    let Some(sequence) = log.find(ledger, key)? else { return Ok(None) };
    let recorded = log.read(ledger, sequence)?;
    Ok(recorded.map(event_store::log::Recorded::into_record))
}
