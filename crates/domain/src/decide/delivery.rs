//! Deliveries: known already, kept aside, or facts about a payment.

use std::sync::Arc;

use crate::{
    decide::{Context, Verdict, finish, post},
    decision::{Decision, Effect, Outcome, Quarantine, RULES_VERSION},
    draft::{Draft, Fault},
    exception::{Exception, ExceptionId, ExceptionKind},
    ids::Sequence,
    input::{Delivery, Freshness, Mode, Reality, Stale, UnreadableFault},
    notice::{Notice, Purchase},
    state::{Missing, PriorEvent},
};

pub(super) fn decide(context: &Context<'_>, delivery: &Delivery) -> Result<Verdict, Missing> {
    let prior = context.state.event(&delivery.event)?;
    if let Some(known) = prior
        && !releases(context, known, delivery)?
    {
        return known_already(context, delivery, known);
    }
    let waiting = prior.map(|known| known.sequence);
    match attempt(context, delivery, waiting) {
        Ok(decision) => Ok(Verdict::Record(decision)),
        Err(Fault::Missing(missing)) => Err(missing),
        Err(Fault::Broken(what) | Fault::Range(what)) => Ok(undecided(context, delivery, what)),
    }
}

/// The delivery is kept for a person, since its decision failed its own checks.
pub(super) fn undecided(context: &Context<'_>, delivery: &Delivery, what: &str) -> Verdict {
    Verdict::Record(aside(context, delivery, Quarantine::Undecided, Arc::from(what)))
}

/// Whether a delivery sets free an earlier one of the same event that came too late (rule 9).
fn releases(
    context: &Context<'_>,
    known: &PriorEvent,
    delivery: &Delivery,
) -> Result<bool, Missing> {
    let waits = known.quarantined == Some(Quarantine::Stale)
        && known.content == delivery.content
        && delivery.freshness == Freshness::Fresh;
    Ok(waits && context.draft().release(&known.sequence)?.is_none())
}

/// Rule 8: the same content is a duplicate, other content a conflict that is kept once.
fn known_already(
    context: &Context<'_>,
    delivery: &Delivery,
    known: &PriorEvent,
) -> Result<Verdict, Missing> {
    if known.content == delivery.content {
        return Ok(Verdict::Duplicate(known.sequence));
    }
    if let Some(sequence) = context.state.conflict(&delivery.event, delivery.content)? {
        return Ok(Verdict::KnownConflict(sequence));
    }
    let detail = format!("record {} has the same event id and other content", known.sequence);
    let raised = exception(context, delivery, ExceptionKind::Conflict, Arc::from(detail));
    Ok(Verdict::Record(Decision {
        rules: RULES_VERSION,
        policy: None,
        outcome: Outcome::Conflict { original: known.sequence },
        effects: vec![Effect::Raised(raised)],
        transfers: Vec::new(),
    }))
}

fn attempt(
    context: &Context<'_>,
    delivery: &Delivery,
    waiting: Option<Sequence>,
) -> Result<Decision, Fault> {
    let mut draft = context.draft();
    if let Some(sequence) = waiting {
        let id = ExceptionId { sequence, kind: ExceptionKind::Stale };
        if draft.exception(&id)?.is_some_and(|filed| filed.ended.is_none()) {
            draft.push(Effect::Cleared(id))?;
        }
    }
    if let Some((reason, detail)) = kept_aside(context, delivery) {
        let mut decision = aside(context, delivery, reason, detail);
        decision.effects.splice(0..0, draft.effects);
        return Ok(decision);
    }
    let policy = learn(context, &mut draft, delivery)?;
    let outcome = match &delivery.notice {
        Ok(Notice::Purchase(_) | Notice::Adjustment(_)) => Outcome::Recorded,
        Ok(Notice::Nothing) | Err(_) => Outcome::Ignored,
    };
    finish(draft, policy, outcome)
}

/// Takes in what a delivery says and lets it take effect. Gives the version of the policy that
/// applied to its payment.
pub(super) fn learn(
    context: &Context<'_>,
    draft: &mut Draft<'_>,
    delivery: &Delivery,
) -> Result<Option<u32>, Fault> {
    draft.learn(delivery)?;
    let payment = match &delivery.notice {
        Ok(Notice::Purchase(purchase)) => {
            assign(draft, purchase)?;
            &purchase.payment
        }
        Ok(Notice::Adjustment(adjustment)) => &adjustment.payment,
        Ok(Notice::Nothing) | Err(_) => return Ok(None),
    };
    post::post(context, draft, payment)
}

/// The first account that was recorded for a payment keeps it (rule 10).
fn assign(draft: &mut Draft<'_>, purchase: &Purchase) -> Result<(), Fault> {
    if draft.payment_mut(&purchase.payment)?.account.is_some() {
        return Ok(());
    }
    match draft.named(purchase)? {
        Some(account) => {
            let payment = purchase.payment.clone();
            draft.push(Effect::PaymentAssigned { payment, account })
        }
        None => Ok(()),
    }
}

/// Why a delivery must not act, if so.
fn kept_aside(context: &Context<'_>, delivery: &Delivery) -> Option<(Quarantine, Arc<str>)> {
    let settings = context.state.book.settings.as_ref();
    let mode = settings.map_or(Mode::Live, |settings| settings.mode);
    let stale = settings.map_or(Stale::Accept, |settings| settings.stale);
    if delivery.reality == Reality::Simulated && mode == Mode::Live {
        return Some((Quarantine::Simulated, Arc::from("a simulated event came to a live ledger")));
    }
    if delivery.freshness != Freshness::Fresh && stale == Stale::Quarantine {
        let detail = match delivery.freshness {
            Freshness::Future => "the signature is from the future",
            Freshness::Old | Freshness::Fresh => "the signature is older than the tolerance",
        };
        return Some((Quarantine::Stale, Arc::from(detail)));
    }
    let unreadable = delivery.notice.as_ref().err()?;
    let reason = match unreadable.fault {
        UnreadableFault::Malformed => Quarantine::Malformed,
        UnreadableFault::UnknownAction => Quarantine::UnknownAction,
        UnreadableFault::UnknownCurrency => Quarantine::UnknownCurrency,
        UnreadableFault::AmountInvalid => Quarantine::AmountInvalid,
    };
    Some((reason, unreadable.detail.clone()))
}

/// The delivery is kept and moves nothing; a person will see it.
fn aside(
    context: &Context<'_>,
    delivery: &Delivery,
    reason: Quarantine,
    detail: Arc<str>,
) -> Decision {
    let kind = kind(reason);
    Decision {
        rules: RULES_VERSION,
        policy: None,
        outcome: Outcome::Quarantined(reason),
        effects: vec![Effect::Raised(exception(context, delivery, kind, detail))],
        transfers: Vec::new(),
    }
}

/// The kind of exception that a quarantine raises.
pub(super) const fn kind(reason: Quarantine) -> ExceptionKind {
    match reason {
        Quarantine::Malformed => ExceptionKind::Malformed,
        Quarantine::UnknownAction => ExceptionKind::UnknownAction,
        Quarantine::UnknownCurrency => ExceptionKind::UnknownCurrency,
        Quarantine::AmountInvalid => ExceptionKind::AmountInvalid,
        Quarantine::Stale => ExceptionKind::Stale,
        Quarantine::Simulated => ExceptionKind::Simulated,
        Quarantine::Undecided => ExceptionKind::Undecided,
    }
}

fn exception(
    context: &Context<'_>,
    delivery: &Delivery,
    kind: ExceptionKind,
    detail: Arc<str>,
) -> Exception {
    let (payment, account) = match &delivery.notice {
        Ok(Notice::Purchase(purchase)) => {
            (Some(purchase.payment.clone()), purchase.account.clone())
        }
        Ok(Notice::Adjustment(adjustment)) => (Some(adjustment.payment.clone()), None),
        Ok(Notice::Nothing) | Err(_) => (None, None),
    };
    let id = ExceptionId { sequence: context.sequence, kind };
    Exception { id, raised_at: context.now, account, payment, detail }
}
