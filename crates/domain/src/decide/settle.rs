//! What is owed meets what is free (rule 4), after every record.

use std::collections::VecDeque;

use crate::{
    decide::Context,
    decision::Effect,
    draft::{Draft, Fault},
    holding::HoldingId,
    ids::AccountId,
    input::LotKind,
};

/// Gives back what is no longer lacking, forgets what was forgiven of a lack that is gone, then lets
/// free paid credits go to what is owed, oldest first. Afterwards, with `settle_owed`, the
/// account has not both.
pub(super) fn settle(
    context: &Context<'_>,
    draft: &mut Draft<'_>,
    account: &AccountId,
) -> Result<(), Fault> {
    give_back(draft, account)?;
    forget(draft, account)?;
    if context.policy(context.now)?.settle_owed {
        pay_owed(draft, account)?;
    }
    Ok(())
}

/// The holdings of an account that changed, in the order of their ids.
fn touched(draft: &Draft<'_>, account: &AccountId) -> Vec<HoldingId> {
    let all = draft.own.holdings.iter();
    let own = all.filter(|(_, holding)| {
        holding.as_ref().is_some_and(|holding| holding.terms.account == *account)
    });
    own.map(|(id, _)| id.clone()).collect()
}

/// What was forgiven counts for the lack that there was, and not for a later one.
fn forget(draft: &mut Draft<'_>, account: &AccountId) -> Result<(), Fault> {
    for id in touched(draft, account) {
        let Some(holding) = draft.holding(&id)? else { continue };
        let excess = holding.forgiven_in_excess()?;
        if excess.is_positive() {
            draft.push(Effect::Forgiven { holding: id, amount: excess.negated() })?;
        }
    }
    Ok(())
}

/// A holding that has something left and received some of it from others returns that, newest
/// first: so a reversal and its undo leave every lot as it was.
fn give_back(draft: &mut Draft<'_>, account: &AccountId) -> Result<(), Fault> {
    let mut waiting = VecDeque::from(touched(draft, account));
    while let Some(taker) = waiting.pop_front() {
        let Some(holding) = draft.holding(&taker)? else { continue };
        let Some(newest) = holding.settlements.last() else { continue };
        let amount = holding.left_over()?.min(newest.amount);
        if amount.is_positive() {
            let giver = newest.giver.clone();
            waiting.extend([taker.clone(), giver.clone()]);
            draft.push(Effect::Unsettled { giver, taker, amount })?;
        }
    }
    Ok(())
}

fn pay_owed(draft: &mut Draft<'_>, account: &AccountId) -> Result<(), Fault> {
    while let Some((giver, taker)) = next_pair(draft, account)? {
        let free = match draft.holding(&giver)? {
            Some(holding) => holding.books()?.paid,
            None => return Err(Fault::Broken("a spendable lot is not there")),
        };
        let owed = match draft.holding(&taker)? {
            Some(holding) => holding.books()?.owed,
            None => return Err(Fault::Broken("a lacking lot is not there")),
        };
        draft.push(Effect::Settled { giver, taker, amount: free.min(owed) })?;
    }
    Ok(())
}

/// The oldest free paid lot and the oldest lack, while the account has both.
fn next_pair(
    draft: &Draft<'_>,
    account: &AccountId,
) -> Result<Option<(HoldingId, HoldingId)>, Fault> {
    let Some(account) = draft.account(account)? else { return Ok(None) };
    if account.view.holds_everything() {
        return Ok(None);
    }
    let giver = account.oldest_free(LotKind::Paid);
    let taker = account.lacking.get_min();
    Ok(giver.zip(taker).map(|(giver, taker)| (giver.clone(), taker.holding.clone())))
}
