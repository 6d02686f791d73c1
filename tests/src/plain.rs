//! A ledger as `domain` alone has it: asked and told, with everything in one state.

use std::{collections::BTreeSet, fmt::Debug};

use domain::{
    apply::{ApplyFault, apply},
    decide::{Verdict, decide},
    entities::Key,
    input::Input,
    record::Record,
    state::{Book, Missing, State},
    time::Timestamp,
};

use crate::history;

/// Asks until nothing is missing: all that was recorded is in the state, so what is missing is not.
#[must_use]
pub fn decided(state: &mut State, input: &Input, now: Timestamp) -> Verdict {
    loop {
        match decide(state, input, now) {
            Ok(verdict) => return verdict,
            Err(Missing(key)) => absent(state, key),
        }
    }
}

/// Applies a record, which must not contradict the state. Gives what it changed.
///
/// # Errors
/// It does contradict it.
pub fn applied(state: &mut State, record: &Record) -> Result<Vec<Key>, String> {
    loop {
        match apply(state, record) {
            Ok(changed) => return Ok(changed),
            Err(ApplyFault::Missing(Missing(key))) => absent(state, key),
            Err(ApplyFault::Contradiction(contradiction)) => {
                return Err(format!("{contradiction}\n{:#?}", record.decision));
            }
        }
    }
}

/// Notes that there is no such thing.
fn absent(state: &mut State, key: Key) {
    let known = state.entities.knows(&key);
    let known = known
        || !state.entities.put(&key, None)
            && match key {
                Key::Event(id) => state.events.insert(id, None).is_some(),
                Key::Conflict(id, digest) => state.conflicts.insert((id, digest), None).is_some(),
                Key::Command(id) => state.commands.insert(id, None).is_some(),
                Key::Account(_)
                | Key::Payment(_)
                | Key::Holding(_)
                | Key::Hold(_)
                | Key::Debit(_)
                | Key::Case(_)
                | Key::Customer(_)
                | Key::Exception(_)
                | Key::Release(_) => true,
            };
    assert!(!known, "what is loaded is not missing");
}

/// Deciding the records' inputs again gives the recorded decisions.
///
/// # Errors
/// The first that differs.
pub fn decide_again(records: &[Record]) -> Result<(), String> {
    let mut again = empty();
    for record in records {
        let verdict = decided(&mut again, &record.input, record.recorded_at);
        equal("decided again", &verdict, &Verdict::Record(record.decision.clone()))?;
        applied(&mut again, record)?;
    }
    Ok(())
}

/// A state in which nothing is recorded.
#[must_use]
pub fn empty() -> State {
    State::new(history::ledger(), Book::empty())
}

/// Folding the records gives the live state, and deciding again the recorded decisions.
///
/// # Errors
/// What differs.
pub fn refold(live: &State, records: &[Record]) -> Result<(), String> {
    decide_again(records)?;
    let mut folded = empty();
    let mut changed = BTreeSet::new();
    for record in records {
        changed.extend(applied(&mut folded, record)?);
    }
    equal("folded book", &folded.book, &live.book)?;
    let mut live = live.clone();
    for key in changed {
        equal(&format!("folded {key:?}"), &folded.entities.take(&key), &live.entities.take(&key))?;
    }
    let present = |state: &State| {
        let mut keys = (state.events.clone(), state.conflicts.clone(), state.commands.clone());
        keys.0.retain(|_, value| value.is_some());
        keys.1.retain(|_, value| value.is_some());
        keys.2.retain(|_, value| value.is_some());
        keys
    };
    equal("folded keys", &present(&folded), &present(&live))
}

/// Two ways to know one thing must agree.
///
/// # Errors
/// They don't.
fn equal<T: PartialEq + Debug>(what: &str, one: &T, other: &T) -> Result<(), String> {
    if one == other {
        return Ok(());
    }
    Err(format!("{what}\n  one   {one:?}\n  other {other:?}"))
}
