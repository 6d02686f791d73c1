//! Deciding again: the recorded input under the policy of then and today's rules.

use domain::{
    decide::{Verdict, decide},
    decision::Decision,
    entities::Key,
    record::Record,
    state::State,
};
use projectors::{fold::FoldError, projections::Projections};

/// Decides a record's input again in the state before it; `None` when all is as recorded, else why
/// not.
pub(super) fn decide_again(
    projections: &Projections,
    state: &mut State,
    record: &Record,
) -> Result<Option<&'static str>, FoldError> {
    Ok(Some(match verdict(projections, state, record)? {
        Verdict::Record(again) if is_same(&again, &record.decision) => return Ok(None),
        Verdict::Record(_) => "the rules give another decision",
        Verdict::Duplicate(_) | Verdict::KnownConflict(_) => "its event was recorded before",
        Verdict::Replayed(_) => "its command was carried out before",
        Verdict::Refused(_) => "the rules refuse the command",
    }))
}

/// Whether two decisions are the same, whichever version of the rules made them.
fn is_same(again: &Decision, recorded: &Decision) -> bool {
    let Decision { rules: _, policy, outcome, effects, transfers } = again;
    *policy == recorded.policy
        && *outcome == recorded.outcome
        && *effects == recorded.effects
        && *transfers == recorded.transfers
}

/// Asks the rules. What the state does not know of events and commands came never before: the
/// caller keeps all of them in the state.
pub(crate) fn verdict(
    projections: &Projections,
    state: &mut State,
    record: &Record,
) -> Result<Verdict, FoldError> {
    loop {
        let missing = match decide(state, &record.input, record.recorded_at) {
            Ok(verdict) => return Ok(verdict),
            Err(missing) => missing.0,
        };
        if projections.load(state, &missing)? {
            continue;
        }
        match missing {
            Key::Event(event) => drop(state.events.insert(event, None)),
            Key::Conflict(event, content) => drop(state.conflicts.insert((event, content), None)),
            Key::Command(key) => drop(state.commands.insert(key, None)),
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
    }
}
