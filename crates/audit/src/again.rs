//! Deciding again: the raw bytes where they are kept, else the recorded notice, under the policy
//! of then and today's rules.

use domain::{
    decide::{Verdict, decide},
    decision::{Decision, RULES_VERSION},
    entities::Key,
    ids::{EventKey, Origin},
    input::{Delivery, Input},
    record::Record,
    state::State,
};
use event_store::log::{EventLog, ReadError};
use ingestion::{
    pointer::Pointer,
    read::{Reading, reread},
    source::Provider,
};
use projectors::{fold::FoldError, projections::Projections};

use crate::findings::Kind;

/// Why a record is not what deciding again gives.
pub(crate) struct Difference {
    pub(crate) kind: Kind,
    pub(crate) detail: String,
    /// Whether an older version of the rules made the decision.
    pub(crate) by_older_rules: bool,
}

/// Decides a record's input again in the state before it; `None` when all is as recorded.
pub(crate) fn decide_again(
    log: &dyn EventLog,
    projections: &Projections,
    state: &mut State,
    record: &Record,
) -> Result<Option<Difference>, FoldError> {
    let older = record.decision.rules != RULES_VERSION;
    let input = read_again(log, state, record)?;
    if input != record.input {
        let detail = "the raw bytes say something else than the recorded notice".to_owned();
        return Ok(Some(Difference { kind: Kind::NoticeDiffers, detail, by_older_rules: older }));
    }
    let verdict = verdict(projections, state, record)?;
    let detail = match verdict {
        Verdict::Record(again) if is_same(&again, &record.decision) => return Ok(None),
        Verdict::Record(_) => "the rules give another decision",
        Verdict::Duplicate(_) | Verdict::KnownConflict(_) => "its event was recorded before",
        Verdict::Replayed(_) => "its command was carried out before",
        Verdict::Refused(_) => "the rules refuse the command",
    };
    let kind = Kind::DecisionDiffers;
    Ok(Some(Difference { kind, detail: detail.to_owned(), by_older_rules: older }))
}

/// Whether two decisions are the same, whichever version of the rules made them.
fn is_same(again: &Decision, recorded: &Decision) -> bool {
    let Decision { rules: _, policy, outcome, effects, transfers } = again;
    *policy == recorded.policy
        && *outcome == recorded.outcome
        && *effects == recorded.effects
        && *transfers == recorded.transfers
}

/// The input as its raw bytes give it today; the recorded one where no bytes are kept.
fn read_again(log: &dyn EventLog, state: &State, record: &Record) -> Result<Input, ReadError> {
    let Input::Delivery(recorded) = &record.input else { return Ok(record.input.clone()) };
    let body = log.body(&state.ledger, record.sequence)?;
    let Some(body) = body.filter(|body| !body.is_empty()) else { return Ok(record.input.clone()) };
    let settings = state.book.settings.as_ref();
    let pointers = settings.map(|settings| settings.account_from.as_slice()).unwrap_or_default();
    let account_from: Vec<Pointer> =
        pointers.iter().filter_map(|text| Pointer::new(text.as_str()).ok()).collect();
    let reading = Reading {
        provider: Provider::Paddle,
        source: &recorded.source,
        origin: origin(recorded),
        account_from: &account_from,
    };
    Ok(Input::Delivery(Box::new(reread(&reading, &body, recorded))))
}

const fn origin(delivery: &Delivery) -> &Origin {
    match &delivery.event {
        EventKey::Event { origin, .. } | EventKey::Body { origin, .. } => origin,
    }
}

/// Asks the rules. What the state does not know of events and commands came never before: the
/// caller keeps all of them in the state.
fn verdict(
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
