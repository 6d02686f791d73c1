//! What became known of a payment, posted as the difference to what was posted before (rule 1).

use std::{collections::BTreeSet, sync::Arc};

use crate::{
    account::{Account, Closing, DisputeCause, Freeze, FreezeId},
    case::{CaseStatus, ClaimEnd, Decider},
    credits::Credits,
    decide::{Context, open, settle},
    decision::{Effect, Taking},
    draft::{Draft, Fault},
    entitlement::{self, Entitlement, OpenDispute},
    exception::{Exception, ExceptionId, ExceptionKind},
    holding::{HoldingId, LotId, Pair, Terms},
    ids::{AccountId, AdjustmentId, OperationId, PaymentKey, Text},
    input::LotKind,
    money::Minor,
    payment::Payment,
    policy::{Measures, Policy},
    time::Timestamp,
};

/// Posts what a payment's facts now say. Gives the version of the policy that applied to it.
pub(super) fn post(
    context: &Context<'_>,
    draft: &mut Draft<'_>,
    key: &PaymentKey,
) -> Result<Option<u32>, Fault> {
    end_cases_of_others(context, draft, key)?;
    let payment = draft.payment_mut(key)?.clone();
    let Some(paid_at) = payment.paid.as_ref().map(|paid| paid.earliest_at) else {
        raise_and_clear(context, draft, key, &payment, None)?;
        return Ok(None);
    };
    let policy = context.policy(paid_at)?;
    let entitlement =
        entitlement::of(&payment, policy)?.ok_or(Fault::Broken("a paid payment is unpaid"))?;
    for (case, refunds) in &entitlement.returned {
        let end = (CaseStatus::Refunded, ClaimEnd::Refunded);
        end_case(context, draft, *case, end, refunds.clone())?;
    }
    if let Some(account) = &payment.account {
        open(draft, account)?;
        let granted = post_lots(draft, key, account, &entitlement, (policy, paid_at))?;
        post_money(draft, key, &payment, &entitlement)?;
        post_disputes(context, draft, key, account, &entitlement)?;
        post_closing(context, draft, key, account, &entitlement)?;
        settle::settle(context, draft, account)?;
        let closed = draft.account(account)?.is_some_and(|account| account.view.closed.is_some());
        if closed && granted {
            let detail = "a purchase was granted to a closed account";
            raise(context, draft, key, Some(account), ExceptionKind::ClosedAccount, detail)?;
        }
    }
    raise_and_clear(context, draft, key, &payment, Some(&entitlement))?;
    Ok(Some(policy.version))
}

/// A case for a payment that turns out to be another account's is over.
fn end_cases_of_others(
    context: &Context<'_>,
    draft: &mut Draft<'_>,
    key: &PaymentKey,
) -> Result<(), Fault> {
    let payment = draft.payment_mut(key)?;
    let Some(account) = &payment.account else { return Ok(()) };
    let open = payment.claims.iter().filter(|(_, claim)| claim.ended.is_none());
    let of_others = open.filter(|(_, claim)| claim.account != *account);
    let ids: Vec<OperationId> = of_others.map(|(id, _)| *id).collect();
    for id in ids {
        let rule = Text::new("payment-of-another-account");
        let rule = rule.map_err(|_| Fault::Broken("a rule has no name"))?;
        let denied = CaseStatus::Denied { rule, by: Decider::Policy };
        end_case(context, draft, id, (denied, ClaimEnd::Dropped), BTreeSet::new())?;
    }
    Ok(())
}

fn end_case(
    context: &Context<'_>,
    draft: &mut Draft<'_>,
    id: OperationId,
    (status, end): (CaseStatus, ClaimEnd),
    refunds: BTreeSet<AdjustmentId>,
) -> Result<(), Fault> {
    let mut case = draft.case(&id)?.ok_or(Fault::Broken("a case is unknown"))?.clone();
    case.status = status;
    case.claim.ended = Some((context.now, end));
    case.claim.own = refunds;
    draft.push(Effect::CaseChanged(Box::new(case)))
}

/// Grants and takes by difference; says whether anything more was granted.
fn post_lots(
    draft: &mut Draft<'_>,
    key: &PaymentKey,
    account: &AccountId,
    entitlement: &Entitlement,
    (policy, since): (&Policy, Timestamp),
) -> Result<bool, Fault> {
    let id = HoldingId::Payment(key.clone());
    let shortfall = policy.shortfall;
    let terms = Terms { account: account.clone(), since, shortfall, label: None };
    let known = draft.holding(&id)?;
    let (refunded, charged_back, awaited, granted) = known
        .map_or([Pair::ZERO; 4], |known| {
            [known.refunded, known.charged_back, known.awaited, known.granted()]
        })
        .into();
    let is_new = known.is_none();
    if is_new && entitlement.granted == Pair::ZERO {
        return Ok(false);
    }
    if known.is_none_or(|known| known.terms != terms) {
        draft.push(Effect::HoldingOpened { holding: id.clone(), terms })?;
    }
    let more = entitlement.granted.minus(granted)?;
    for (kind, amount) in [(LotKind::Paid, more.paid), (LotKind::Gift, more.gift)] {
        if amount != Credits::ZERO {
            draft.push(Effect::Granted { lot: LotId { holding: id.clone(), kind }, amount })?;
        }
    }
    for (by, target, before) in [
        (Taking::Refund, entitlement.refunded, refunded),
        (Taking::Chargeback, entitlement.charged_back, charged_back),
    ] {
        let amount = target.minus(before)?;
        if amount != Pair::ZERO {
            draft.push(Effect::Taken { holding: id.clone(), by, amount })?;
        }
    }
    let amount = entitlement.awaited.minus(awaited)?;
    if amount != Pair::ZERO {
        draft.push(Effect::Awaited { holding: id.clone(), amount })?;
    }
    if is_new {
        use_up(draft, &id, entitlement.used_before)?;
    }
    Ok(more.paid.is_positive() || more.gift.is_positive())
}

/// What was used before Tallyhook knew the payment.
fn use_up(draft: &mut Draft<'_>, id: &HoldingId, used: Pair) -> Result<(), Fault> {
    for (kind, amount) in [(LotKind::Paid, used.paid), (LotKind::Gift, used.gift)] {
        if amount.is_positive() {
            draft.push(Effect::Drawn { lot: LotId { holding: id.clone(), kind }, amount })?;
        }
    }
    Ok(())
}

fn post_money(
    draft: &mut Draft<'_>,
    key: &PaymentKey,
    payment: &Payment,
    entitlement: &Entitlement,
) -> Result<(), Fault> {
    let currency = payment.currency.ok_or(Fault::Broken("a paid payment has no currency"))?;
    let received = entitlement.received.minus(payment.received)?;
    let reversed = entitlement.reversed.minus(payment.reversed)?;
    if received == Minor::ZERO && reversed == Minor::ZERO {
        return Ok(());
    }
    draft.push(Effect::MoneyMoved { payment: key.clone(), currency, received, reversed })
}

/// Opens and ends the causes of this payment, each on its own (rule 6).
fn post_disputes(
    context: &Context<'_>,
    draft: &mut Draft<'_>,
    key: &PaymentKey,
    account: &AccountId,
    entitlement: &Entitlement,
) -> Result<(), Fault> {
    for cause in [DisputeCause::Warning, DisputeCause::Chargeback] {
        let id = FreezeId::Dispute { payment: key.clone(), cause };
        let known = freeze(draft, account, &id)?;
        let wanted = match entitlement.disputes.get(&cause) {
            Some(open) => {
                let measures = measures(context.policy(open.since)?, entitlement, cause, open);
                Some(Freeze { id: id.clone(), since: open.since, measures, reason: None })
            }
            None => None,
        };
        if known == wanted {
            continue;
        }
        draft.push(match wanted {
            Some(freeze) => Effect::Frozen { account: account.clone(), freeze },
            None => Effect::Unfrozen { account: account.clone(), freeze: id },
        })?;
    }
    Ok(())
}

fn freeze(draft: &Draft<'_>, account: &AccountId, id: &FreezeId) -> Result<Option<Freeze>, Fault> {
    Ok(draft.account(account)?.and_then(|account| account.view.freezes.get(id).cloned()))
}

/// The measures of the policy of then: the milder set where the customer had asked first.
fn measures(
    policy: &Policy,
    entitlement: &Entitlement,
    cause: DisputeCause,
    open: &OpenDispute,
) -> Measures {
    let asked_first = entitlement.had_open_case(open.since);
    let usual = match cause {
        DisputeCause::Warning => policy.on_dispute,
        DisputeCause::Chargeback => policy.on_chargeback,
    };
    let chosen = policy.with_open_case.filter(|_| asked_first).unwrap_or(usual);
    open.cleared.iter().fold(chosen, |measures, cleared| measures.without(*cleared))
}

/// Counts the payment's chargeback and closes or reopens the account by the policy.
fn post_closing(
    context: &Context<'_>,
    draft: &mut Draft<'_>,
    key: &PaymentKey,
    account: &AccountId,
    entitlement: &Entitlement,
) -> Result<(), Fault> {
    let known = draft.account(account)?.and_then(|account| account.chargebacks.get(key).copied());
    let filed_at = entitlement.chargeback_filed_at;
    if known == filed_at {
        return Ok(());
    }
    let (payment, holder) = (key.clone(), account.clone());
    draft.push(Effect::ChargebackCounted { account: holder.clone(), payment, filed_at })?;
    let of =
        |account: &Account| (account.chargebacks.values().copied().collect(), account.view.closed);
    let (filed, closed): (Vec<_>, _) = draft.account(account)?.map(of).unwrap_or_default();
    let closes = entitlement::closes(&filed, &context.state.book.timeline);
    match (closed, closes) {
        (None, true) => draft.push(Effect::Closed { account: holder, by: Closing::Policy }),
        (Some(Closing::Policy), false) => draft.push(Effect::Reopened { account: holder }),
        _ => Ok(()),
    }
}

/// Raises what the facts now call for and clears what they no longer do.
fn raise_and_clear(
    context: &Context<'_>,
    draft: &mut Draft<'_>,
    key: &PaymentKey,
    before: &Payment,
    entitlement: Option<&Entitlement>,
) -> Result<(), Fault> {
    let wanted = called_for(before, entitlement);
    for (kind, id) in &before.exceptions {
        if !wanted.contains(kind) {
            draft.push(Effect::Cleared(*id))?;
        }
    }
    for kind in wanted {
        if !before.exceptions.contains_key(&kind) {
            raise(context, draft, key, before.account.as_ref(), kind, explain(kind))?;
        }
    }
    Ok(())
}

fn called_for(payment: &Payment, entitlement: Option<&Entitlement>) -> BTreeSet<ExceptionKind> {
    let paid = payment.paid.as_ref();
    let other_currency = payment
        .adjustments
        .values()
        .any(|fact| payment.currency.is_some_and(|own| own != fact.currency));
    let left_paid =
        paid.is_some_and(|paid| payment.unpaid_at.is_some_and(|at| at > paid.latest_at));
    let all = [
        (ExceptionKind::Orphan, paid.is_none() && !payment.adjustments.is_empty()),
        (ExceptionKind::Unassigned, paid.is_some() && payment.account.is_none()),
        (ExceptionKind::CurrencyMismatch, payment.currencies_differ || other_currency),
        (ExceptionKind::AccountMismatch, payment.accounts_differ),
        (ExceptionKind::OverRefund, entitlement.is_some_and(|known| known.over_refunded)),
        (ExceptionKind::UnlistedPrice, entitlement.is_some_and(|known| known.unlisted)),
        (ExceptionKind::PaidThenCanceled, left_paid),
    ];
    all.into_iter().filter_map(|(kind, called)| called.then_some(kind)).collect()
}

const fn explain(kind: ExceptionKind) -> &'static str {
    match kind {
        ExceptionKind::Orphan => "an adjustment waits for its payment",
        ExceptionKind::Unassigned => "a paid purchase names no account",
        ExceptionKind::CurrencyMismatch => "events of one payment name different currencies",
        ExceptionKind::AccountMismatch => "events of one payment name different accounts",
        ExceptionKind::OverRefund => "more was reversed than was paid",
        ExceptionKind::UnlistedPrice => "the policy has no credits for a price or currency",
        ExceptionKind::PaidThenCanceled => "a paid purchase changed to another status later",
        ExceptionKind::Conflict
        | ExceptionKind::Stale
        | ExceptionKind::Simulated
        | ExceptionKind::Malformed
        | ExceptionKind::UnknownAction
        | ExceptionKind::UnknownCurrency
        | ExceptionKind::AmountInvalid
        | ExceptionKind::ClosedAccount
        | ExceptionKind::Undecided => kind.name(),
    }
}

fn raise(
    context: &Context<'_>,
    draft: &mut Draft<'_>,
    key: &PaymentKey,
    account: Option<&AccountId>,
    kind: ExceptionKind,
    detail: &str,
) -> Result<(), Fault> {
    draft.push(Effect::Raised(Exception {
        id: ExceptionId { sequence: context.sequence, kind },
        raised_at: context.now,
        account: account.cloned(),
        payment: Some(key.clone()),
        detail: Arc::from(detail),
    }))
}
