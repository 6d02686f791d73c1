//! Deciding again: the recorded input under the policy of then and today's rules.

use domain::{
    decide::{Verdict, decide},
    decision::{Decision, Effect},
    entities::Key,
    record::Record,
    state::State,
};
use projectors::{fold::FoldError, projections::Projections};

/// How deciding again differs from what was recorded.
pub(super) struct Difference {
    pub(super) detail: &'static str,
    /// Whether only what the rules of then did not do makes the difference.
    pub(super) by_older_rules: bool,
}

/// Decides a record's input again in the state before it; `None` when all is as recorded.
pub(super) fn decide_again(
    projections: &Projections,
    state: &mut State,
    record: &Record,
) -> Result<Option<Difference>, FoldError> {
    let recorded = &record.decision;
    let (detail, by_older_rules) = match verdict(projections, state, record)? {
        Verdict::Record(again) if is_same(&again, recorded) => return Ok(None),
        Verdict::Record(again) => {
            ("the rules give another decision", is_of_older_rules(&again, recorded))
        }
        Verdict::Duplicate(_) | Verdict::KnownConflict(_) => {
            ("its event was recorded before", false)
        }
        Verdict::Replayed(_) => ("its command was carried out before", false),
        Verdict::Refused(_) => ("the rules refuse the command", false),
    };
    Ok(Some(Difference { detail, by_older_rules }))
}

/// Whether a decision differs from today's only in what the rules that made it did not do yet: then
/// nothing else may hide behind an older number. Who raises [`RULES_VERSION`] adds what changed.
///
/// Rules 1 gave usage no id of its own, so that no return could make it good.
///
/// [`RULES_VERSION`]: domain::decision::RULES_VERSION
fn is_of_older_rules(again: &Decision, recorded: &Decision) -> bool {
    let effects = again.effects.iter().filter(|effect| !matches!(effect, Effect::Debited { .. }));
    recorded.rules == 1
        && again.policy == recorded.policy
        && again.outcome == recorded.outcome
        && again.transfers == recorded.transfers
        && effects.eq(&recorded.effects)
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
