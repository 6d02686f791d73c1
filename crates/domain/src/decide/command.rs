//! Commands: safe to repeat, and either carried out or refused.

use std::sync::Arc;

use crate::{
    account::{Freeze, FreezeId, Status},
    credits::Credits,
    decide::{Context, Verdict, finish, open, settle},
    decision::{Effect, Outcome, Refusal},
    draft::{Draft, Fault},
    holding::{HoldingId, LotId, Terms},
    ids::AccountId,
    input::{Command, LotKind, Order, Usage},
    policy::{Shortfall, Timeline},
    state::Missing,
};

/// Why a command stops.
enum Stop {
    Refused(Refusal),
    Fault(Fault),
}

impl<F: Into<Fault>> From<F> for Stop {
    fn from(fault: F) -> Self {
        Self::Fault(fault.into())
    }
}

impl From<Refusal> for Stop {
    fn from(refusal: Refusal) -> Self {
        Self::Refused(refusal)
    }
}

pub(super) fn decide(context: &Context<'_>, command: &Command) -> Result<Verdict, Missing> {
    if let Some(prior) = context.state.command(&command.key)? {
        return Ok(if prior.request == command.request {
            Verdict::Replayed(prior.sequence)
        } else {
            Verdict::Refused(Refusal::KeyReused)
        });
    }
    let mut draft = Draft::new(context.state);
    let finished = carry_out(context, &mut draft, command)
        .and_then(|policy| finish(draft, policy, Outcome::Done).map_err(Stop::from));
    match finished {
        Ok(decision) => Ok(Verdict::Record(decision)),
        Err(Stop::Refused(refusal)) => Ok(Verdict::Refused(refusal)),
        Err(Stop::Fault(Fault::Missing(missing))) => Err(missing),
        Err(Stop::Fault(Fault::Broken(what))) => Ok(Verdict::Refused(Refusal::Undecided { what })),
    }
}

/// Carries out a command on the draft. Gives the version of the policy that was asked.
fn carry_out(
    context: &Context<'_>,
    draft: &mut Draft<'_>,
    command: &Command,
) -> Result<Option<u32>, Stop> {
    let account = match &command.order {
        Order::ActivatePolicy { policy, .. } => {
            let mut timeline: Timeline = context.state.book.timeline.clone();
            timeline.activate(policy.clone(), context.now).map_err(Refusal::PolicyRefused)?;
            return Ok(Some(policy.version));
        }
        Order::Configure(_) => return Ok(None),
        Order::Debit { account, amount, usage } => {
            debit(context, draft, account, *amount, *usage)?;
            account
        }
        Order::Grant { account, amount, kind, label, .. } => {
            check(context, *amount)?;
            open(draft, account)?;
            refuse_closed(draft, account)?;
            let (since, shortfall) = (context.now, Shortfall::Owed);
            let terms = Terms { account: account.clone(), since, shortfall, label: label.clone() };
            let holding = HoldingId::Grant(command.id);
            draft.push(Effect::HoldingOpened { holding: holding.clone(), terms })?;
            draft.push(Effect::Granted { lot: LotId { holding, kind: *kind }, amount: *amount })?;
            account
        }
        Order::Freeze { account, reason, measures } => {
            refuse_unknown(draft, account)?;
            let (id, reason) = (FreezeId::Operator(command.id), Some(reason.clone()));
            let freeze = Freeze { id, since: context.now, measures: *measures, reason };
            draft.push(Effect::Frozen { account: account.clone(), freeze })?;
            account
        }
        Order::Unfreeze { account, freeze } => {
            refuse_unknown(draft, account)?;
            let id = FreezeId::Operator(*freeze);
            let known =
                draft.account(account)?.is_some_and(|known| known.view.freezes.contains_key(&id));
            if !known {
                return Err(Refusal::FreezeUnknown.into());
            }
            draft.push(Effect::Unfrozen { account: account.clone(), freeze: id })?;
            account
        }
    };
    settle::settle(context, draft, account)?;
    Ok(Some(context.policy(context.now)?.version))
}

/// Rule 7: lots in the policy's order; what already happened is drawn from the overdraft at last.
fn debit(
    context: &Context<'_>,
    draft: &mut Draft<'_>,
    id: &AccountId,
    amount: Credits,
    usage: Usage,
) -> Result<(), Stop> {
    let Some(account) = draft.account(id)? else { return Err(Refusal::AccountUnknown.into()) };
    let (status, available) = (account.view.status(), account.view.books.available()?);
    check(context, amount)?;
    match (usage, status) {
        (Usage::AlreadyHappened, _) => {}
        (Usage::Asked, Status::Frozen) => return Err(Refusal::AccountFrozen.into()),
        (Usage::Asked, Status::Closed) => return Err(Refusal::AccountClosed.into()),
        (Usage::Asked, Status::Active) if available < amount => {
            return Err(Refusal::CreditsInsufficient { available }.into());
        }
        (Usage::Asked, Status::Active) => {}
    }
    let drawn = amount.min(available);
    draw(context, draft, id, drawn)?;
    let lacking = amount.minus(drawn)?;
    if lacking.is_positive() {
        let holding = HoldingId::Overdraft(id.clone());
        if draft.holding(&holding)?.is_none() {
            let (since, shortfall) = (context.now, Shortfall::Owed);
            let terms = Terms { account: id.clone(), since, shortfall, label: None };
            draft.push(Effect::HoldingOpened { holding: holding.clone(), terms })?;
        }
        draft
            .push(Effect::Drawn { lot: LotId { holding, kind: LotKind::Paid }, amount: lacking })?;
    }
    Ok(())
}

/// Draws free lots in order: the kind that the policy spends first, then the other, oldest first.
fn draw(
    context: &Context<'_>,
    draft: &mut Draft<'_>,
    id: &AccountId,
    amount: Credits,
) -> Result<(), Fault> {
    let order = match context.policy(context.now)?.spend_first {
        LotKind::Paid => [LotKind::Paid, LotKind::Gift],
        LotKind::Gift => [LotKind::Gift, LotKind::Paid],
    };
    let mut lacking = amount;
    while lacking.is_positive() {
        let account = draft.account(id)?.ok_or(Fault::Broken("an account is not open"))?;
        let next = order.iter().find_map(|kind| Some((account.oldest_free(*kind)?.clone(), *kind)));
        let (holding, kind) = next.ok_or(Fault::Broken("less is in the lots than is available"))?;
        let known = draft.holding(&holding)?.ok_or(Fault::Broken("a free lot is not there"))?;
        let books = known.books()?;
        let free = match kind {
            LotKind::Paid => books.paid,
            LotKind::Gift => books.gift,
        };
        let amount = free.min(lacking);
        lacking = lacking.minus(amount)?;
        draft.push(Effect::Drawn { lot: LotId { holding, kind }, amount })?;
    }
    Ok(())
}

/// Refuses an amount that is not positive or has more decimals than the ledger's credits.
fn check(context: &Context<'_>, amount: Credits) -> Result<(), Stop> {
    let decimals = u32::from(context.policy(context.now)?.decimals);
    let detail = if !amount.is_positive() {
        "must be above zero"
    } else if amount.get().scale() > decimals {
        "has more decimals than the ledger's credits"
    } else {
        return Ok(());
    };
    Err(Refusal::AmountInvalid { detail: Arc::from(detail) }.into())
}

fn refuse_unknown(draft: &Draft<'_>, id: &AccountId) -> Result<(), Stop> {
    match draft.account(id)? {
        Some(_) => Ok(()),
        None => Err(Refusal::AccountUnknown.into()),
    }
}

fn refuse_closed(draft: &Draft<'_>, id: &AccountId) -> Result<(), Stop> {
    match draft.account(id)?.is_some_and(|account| account.view.closed.is_some()) {
        true => Err(Refusal::AccountClosed.into()),
        false => Ok(()),
    }
}
