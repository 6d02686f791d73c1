//! What must become of an input, said before anyone decides it.

use std::mem::discriminant;

use domain::{
    decide::Verdict,
    decision::{Outcome, Quarantine},
    ids::Sequence,
    input::{Delivery, Freshness, Input, Mode, Reality, Stale, UnreadableFault},
    notice::Notice,
    refusal::Refusal,
    time::Timestamp,
};

use super::{ledger::Ledger, picture::Picture, refusals};

/// What must become of an input.
#[derive(Clone, Debug)]
pub enum Expected {
    /// It is recorded, with this answer.
    Recorded(Outcome),
    /// Its event is known from this record.
    Duplicate(Sequence),
    /// Its content is known from this record.
    KnownConflict(Sequence),
    /// It was carried out by this record.
    Replayed(Sequence),
    /// It is refused for one of these reasons.
    Refused(Vec<Refusal>),
}

impl Expected {
    /// Whether this became of it.
    #[must_use]
    pub fn is(&self, verdict: &Verdict) -> bool {
        match (self, verdict) {
            (Self::Recorded(outcome), Verdict::Record(decision)) => *outcome == decision.outcome,
            (Self::Duplicate(wanted), Verdict::Duplicate(found))
            | (Self::KnownConflict(wanted), Verdict::KnownConflict(found))
            | (Self::Replayed(wanted), Verdict::Replayed(found)) => wanted == found,
            (Self::Refused(reasons), Verdict::Refused(refusal)) => {
                reasons.iter().any(|reason| same(reason, refusal))
            }
            _ => false,
        }
    }
}

/// Whether two refusals say the same; what they say for a person apart.
fn same(one: &Refusal, other: &Refusal) -> bool {
    let for_a_person = matches!(
        one,
        Refusal::AmountInvalid { .. }
            | Refusal::ImportInvalid { .. }
            | Refusal::ApprovalUnfit { .. }
    );
    one == other || (for_a_person && discriminant(one) == discriminant(other))
}

/// What must become of an input that comes to this ledger now.
#[must_use]
pub fn answer(ledger: &Ledger, picture: &Picture, input: &Input, now: Timestamp) -> Expected {
    let command = match input {
        Input::Delivery(delivery) => return hear(ledger, delivery),
        Input::Command(command) => command,
    };
    if let Some((sequence, request)) = ledger.commands.get(&command.key) {
        return match *request == command.request {
            true => Expected::Replayed(*sequence),
            false => Expected::Refused(vec![Refusal::KeyReused]),
        };
    }
    let account = command.order.account();
    let settled = account.and_then(|account| ledger.settled(picture, account, now));
    let (ledger, picture) =
        settled.as_ref().map_or((ledger, picture), |(ledger, picture)| (ledger, picture));
    let reasons = refusals::of(ledger, picture, &command.order, now);
    if reasons.is_empty() { Expected::Recorded(Outcome::Done) } else { Expected::Refused(reasons) }
}

/// Rules 8 and 9.
fn hear(ledger: &Ledger, delivery: &Delivery) -> Expected {
    let Some(known) = ledger.events.get(&delivery.event) else {
        return Expected::Recorded(outcome(ledger, delivery));
    };
    let same_content = known.content == delivery.content;
    let waits =
        known.quarantined == Some(Quarantine::Stale) && !ledger.released.contains(&known.sequence);
    if waits && same_content && delivery.freshness == Freshness::Fresh {
        return Expected::Recorded(outcome(ledger, delivery));
    }
    if same_content {
        return Expected::Duplicate(known.sequence);
    }
    match ledger.conflicts.get(&(delivery.event.clone(), delivery.content)) {
        Some(sequence) => Expected::KnownConflict(*sequence),
        None => Expected::Recorded(Outcome::Conflict { original: known.sequence }),
    }
}

fn outcome(ledger: &Ledger, delivery: &Delivery) -> Outcome {
    let settings = ledger.settings.as_ref();
    let live = settings.is_none_or(|settings| settings.mode == Mode::Live);
    let strict = settings.is_some_and(|settings| settings.stale == Stale::Quarantine);
    if live && delivery.reality == Reality::Simulated {
        return Outcome::Quarantined(Quarantine::Simulated);
    }
    if strict && delivery.freshness != Freshness::Fresh {
        return Outcome::Quarantined(Quarantine::Stale);
    }
    match &delivery.notice {
        Ok(Notice::Purchase(_) | Notice::Adjustment(_)) => Outcome::Recorded,
        Ok(Notice::Nothing) => Outcome::Ignored,
        Err(unreadable) => Outcome::Quarantined(match unreadable.fault {
            UnreadableFault::Malformed => Quarantine::Malformed,
            UnreadableFault::UnknownAction => Quarantine::UnknownAction,
            UnreadableFault::UnknownCurrency => Quarantine::UnknownCurrency,
            UnreadableFault::AmountInvalid => Quarantine::AmountInvalid,
        }),
    }
}
