//! Spending (rule 7): debits, holds and what becomes of them, credit returns.

use std::collections::BTreeSet;

use crate::{
    account::Status,
    credits::Credits,
    decide::{
        Context,
        command::{Stop, Work},
    },
    decision::Effect,
    draft::{Draft, Fault},
    holding::{HoldingId, LotId, Terms},
    ids::{AccountId, OperationId, Text},
    input::{HOLD_SECONDS_MAX, LotKind, Usage},
    policy::{Returns, Shortfall},
    refusal::Refusal,
    usage::{Debit, Hold, HoldEnd, Metadata, Part},
};

impl Work<'_, '_> {
    pub(super) fn debit(
        &mut self,
        id: &AccountId,
        amount: Credits,
        usage: Usage,
        metadata: &Metadata,
    ) -> Result<(), Stop> {
        let standing = self.view(id)?.status();
        self.check(amount)?;
        self.check_metadata(metadata)?;
        let available = match usage {
            Usage::Asked => self.spendable(id, amount)?,
            Usage::AlreadyHappened => self.view(id)?.books.available()?,
        };
        let inside = amount.min(available);
        let mut drawn = Vec::new();
        for part in next_lots(self.context, &self.draft, id, inside)? {
            self.draw(&mut drawn, part)?;
        }
        let beyond = amount.minus(inside)?;
        if beyond.is_positive() {
            let lot = self.overdraft(id)?;
            self.draw(&mut drawn, Part { lot, amount: beyond })?;
        }
        self.keep_debit(id, amount, drawn, standing)
    }

    pub(super) fn hold(
        &mut self,
        id: &AccountId,
        amount: Credits,
        seconds: u32,
    ) -> Result<(), Stop> {
        self.view(id)?;
        self.check(amount)?;
        if !(1..=HOLD_SECONDS_MAX).contains(&seconds) {
            return Err(Refusal::HoldTimeInvalid.into());
        }
        self.spendable(id, amount)?;
        let (hold, expires_at) = (self.command.id, self.context.now.seconds_after(seconds));
        self.draft.push(Effect::HoldPlaced { hold, account: id.clone(), expires_at })?;
        for Part { lot, amount } in next_lots(self.context, &self.draft, id, amount)? {
            self.draft.push(Effect::Reserved { hold, lot, amount })?;
        }
        Ok(())
    }

    /// A frozen or closed account doesn't stand in the way: what was reserved was allowed.
    pub(super) fn capture(
        &mut self,
        account: &AccountId,
        id: OperationId,
        amount: Credits,
        metadata: &Metadata,
    ) -> Result<(), Stop> {
        let hold = self.open_hold(account, id)?;
        self.check(amount)?;
        self.check_metadata(metadata)?;
        if amount > hold.amount {
            return Err(Refusal::CaptureAboveHold { reserved: hold.amount }.into());
        }
        let standing = self.view(account)?.status();
        self.end_hold(id, &hold, HoldEnd::Captured { debit: self.command.id, amount })?;
        let (mut drawn, mut lacking) = (Vec::new(), amount);
        for Part { lot, amount } in hold.reserved {
            let amount = amount.min(lacking);
            lacking = lacking.minus(amount)?;
            if amount.is_positive() {
                self.draw(&mut drawn, Part { lot, amount })?;
            }
        }
        self.keep_debit(account, amount, drawn, standing)
    }

    pub(super) fn release_hold(
        &mut self,
        account: &AccountId,
        id: OperationId,
    ) -> Result<(), Stop> {
        let hold = self.open_hold(account, id)?;
        self.end_hold(id, &hold, HoldEnd::Released)
    }

    pub(super) fn expire_hold(&mut self, account: &AccountId, id: OperationId) -> Result<(), Stop> {
        let hold = self.own_hold(account, id)?;
        match hold.ended {
            Some(_) => Err(Refusal::HoldFinished.into()),
            None if self.context.now < hold.expires_at => Err(Refusal::HoldNotOver.into()),
            None => self.end_hold(id, &hold, HoldEnd::Expired),
        }
    }

    /// Into the lots that were drawn last, as if the debit had been so much smaller.
    pub(super) fn make_good(
        &mut self,
        account: &AccountId,
        id: OperationId,
        amount: Credits,
    ) -> Result<(), Stop> {
        self.view(account)?;
        let known = self.draft.debit(&id)?.filter(|debit| debit.account == *account);
        let debit = known.ok_or(Refusal::DebitUnknown)?.clone();
        if self.context.policy(self.context.now)?.usage.returns == Returns::Refuse {
            return Err(Refusal::ReturnsNotOffered.into());
        }
        if debit.returned.is_some() {
            return Err(Refusal::ReturnAlreadyMade.into());
        }
        self.check(amount)?;
        if amount > debit.amount {
            return Err(Refusal::ReturnAboveDebit { used: debit.amount }.into());
        }
        let mut lacking = amount;
        for Part { lot, amount } in debit.drawn.into_iter().rev() {
            let amount = amount.min(lacking);
            lacking = lacking.minus(amount)?;
            if amount.is_positive() {
                self.draft.push(Effect::Returned { debit: id, lot, amount })?;
            }
        }
        Ok(())
    }

    /// What is available, where so much may be spent.
    fn spendable(&self, id: &AccountId, amount: Credits) -> Result<Credits, Stop> {
        let view = self.view(id)?;
        let available = view.books.available()?;
        match view.status() {
            Status::Frozen => Err(Refusal::AccountFrozen.into()),
            Status::Closed => Err(Refusal::AccountClosed.into()),
            Status::Active if available < amount => {
                Err(Refusal::CreditsInsufficient { available }.into())
            }
            Status::Active => Ok(available),
        }
    }

    fn check_metadata(&self, metadata: &Metadata) -> Result<(), Stop> {
        let asked = &self.context.policy(self.context.now)?.usage.metadata;
        let lacks = |name: &&Text| !metadata.entries().contains_key(*name);
        let names: BTreeSet<Text> = asked.iter().filter(lacks).cloned().collect();
        if names.is_empty() { Ok(()) } else { Err(Refusal::MetadataMissing { names }.into()) }
    }

    fn draw(&mut self, drawn: &mut Vec<Part>, part: Part) -> Result<(), Fault> {
        let Part { lot, amount } = part.clone();
        self.draft.push(Effect::Drawn { lot, amount })?;
        drawn.push(part);
        Ok(())
    }

    fn keep_debit(
        &mut self,
        account: &AccountId,
        amount: Credits,
        drawn: Vec<Part>,
        standing: Status,
    ) -> Result<(), Stop> {
        let usage = Debit { account: account.clone(), amount, drawn, standing, returned: None };
        let debit = self.command.id;
        self.draft.push(Effect::Debited { debit, usage: Box::new(usage) })?;
        Ok(())
    }

    /// The lot from which usage is drawn that goes beyond what is there.
    fn overdraft(&mut self, id: &AccountId) -> Result<LotId, Fault> {
        let holding = HoldingId::Overdraft(id.clone());
        if self.draft.holding(&holding)?.is_none() {
            let (since, shortfall) = (self.context.now, Shortfall::Owed);
            let terms = Terms { account: id.clone(), since, shortfall, label: None };
            self.draft.push(Effect::HoldingOpened { holding: holding.clone(), terms })?;
        }
        Ok(LotId { holding, kind: LotKind::Paid })
    }

    fn own_hold(&self, account: &AccountId, id: OperationId) -> Result<Hold, Stop> {
        self.view(account)?;
        let known = self.draft.hold(&id)?.filter(|hold| hold.account == *account);
        Ok(known.ok_or(Refusal::HoldUnknown)?.clone())
    }

    /// A hold that did not end and whose time is not over, recorded as expired or not.
    fn open_hold(&self, account: &AccountId, id: OperationId) -> Result<Hold, Stop> {
        let hold = self.own_hold(account, id)?;
        match hold.ended.is_none() && self.context.now < hold.expires_at {
            true => Ok(hold),
            false => Err(Refusal::HoldFinished.into()),
        }
    }

    /// Sets free all that a hold reserved.
    fn end_hold(&mut self, id: OperationId, hold: &Hold, end: HoldEnd) -> Result<(), Stop> {
        for Part { lot, amount } in &hold.reserved {
            let (lot, amount) = (lot.clone(), *amount);
            self.draft.push(Effect::Unreserved { hold: id, lot, amount })?;
        }
        self.draft.push(Effect::HoldEnded { hold: id, end })?;
        Ok(())
    }
}

/// The free lots that a debit of so much draws: the kind that the policy spends first, then the
/// other, oldest first.
fn next_lots(
    context: &Context<'_>,
    draft: &Draft<'_>,
    id: &AccountId,
    amount: Credits,
) -> Result<Vec<Part>, Fault> {
    let order = match context.policy(context.now)?.spend_first {
        LotKind::Paid => [LotKind::Paid, LotKind::Gift],
        LotKind::Gift => [LotKind::Gift, LotKind::Paid],
    };
    let account = draft.account(id)?.ok_or(Fault::Broken("an account is not open"))?;
    let free = order.iter().flat_map(|kind| account.free(*kind).map(|holding| (holding, *kind)));
    let (mut parts, mut lacking) = (Vec::new(), amount);
    for (holding, kind) in free {
        if !lacking.is_positive() {
            break;
        }
        let known = draft.holding(holding)?.ok_or(Fault::Broken("a free lot is not there"))?;
        let books = known.books()?;
        let free = match kind {
            LotKind::Paid => books.paid,
            LotKind::Gift => books.gift,
        };
        let amount = free.min(lacking);
        lacking = lacking.minus(amount)?;
        parts.push(Part { lot: LotId { holding: holding.clone(), kind }, amount });
    }
    match lacking.is_positive() {
        true => Err(Fault::Broken("less is in the lots than is available")),
        false => Ok(parts),
    }
}
