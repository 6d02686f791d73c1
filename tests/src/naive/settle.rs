//! What is owed meets what is free: rule 4.

use domain::{
    decision::Effect,
    holding::HoldingId,
    ids::AccountId,
    input::{Input, Order},
    record::Record,
    time::Timestamp,
};

use super::{Standing, check::equal, ledger::Ledger, picture::Picture, policy_at};

/// How much goes from whom to whom.
type Step = (HoldingId, HoldingId, i128);

impl Ledger {
    /// What is owed of the account that a command names is settled before the command is decided: a
    /// version that settles may be in force since the last record. Gives whether anything was, and
    /// the effects that are left.
    pub(super) fn settle_first<'r>(
        &mut self,
        record: &'r Record,
        before: &Picture,
    ) -> Result<(bool, &'r [Effect]), String> {
        let effects = &record.decision.effects;
        let Input::Command(command) = &record.input else { return Ok((false, effects)) };
        let Some(account) = command.order.account() else { return Ok((false, effects)) };
        let wanted = self.settle_now(before, account, record.recorded_at);
        let (first, rest) = effects.split_at(wanted.len().min(effects.len()));
        let mut steps = Vec::new();
        for effect in first {
            if let Effect::Settled { giver, taker, amount } = effect {
                steps.push((giver.clone(), taker.clone(), amount.billionths()));
            }
        }
        let any = !wanted.is_empty();
        equal("settled first", steps, wanted)?;
        Ok((any, rest))
    }

    /// As things stand once what is owed of an account is settled; none where nothing changes.
    pub(super) fn settled(
        &self,
        picture: &Picture,
        account: &AccountId,
        now: Timestamp,
    ) -> Option<(Self, Picture)> {
        self.next_step(picture, account, now)?;
        let mut ledger = self.clone();
        ledger.settle_now(picture, account, now);
        let picture = Picture::of(&ledger);
        Some((ledger, picture))
    }

    fn settle_now(&mut self, before: &Picture, account: &AccountId, now: Timestamp) -> Vec<Step> {
        let mut steps = Vec::new();
        let mut next = self.next_step(before, account, now);
        while let Some(step) = next {
            self.pass_on(&step);
            steps.push(step);
            next = self.next_step(&Picture::of(self), account, now);
        }
        steps
    }

    /// The oldest free paid credits go to the oldest lack, as much as there is of both.
    fn next_step(&self, picture: &Picture, account: &AccountId, now: Timestamp) -> Option<Step> {
        if self.policies.is_empty() || !policy_at(&self.policies, now).settle_owed {
            return None;
        }
        let standing = picture.accounts.get(account)?;
        if standing.books.owed == 0 || standing.books.free.paid == 0 {
            return None;
        }
        let taker = picture.oldest(account, |left| left.owed > 0)?;
        let giver = picture.oldest(account, |left| left.free.paid > 0)?;
        let owed = picture.holdings.get(taker)?.left.owed;
        let free = picture.holdings.get(giver)?.left.free.paid;
        Some((giver.clone(), taker.clone(), owed.min(free)))
    }

    fn pass_on(&mut self, (giver, taker, amount): &Step) {
        if let Some(lots) = self.lots.get_mut(taker) {
            lots.paid.received += amount;
            lots.settlements.push((giver.clone(), *amount));
        }
        if let Some(lots) = self.lots.get_mut(giver) {
            lots.paid.given += amount;
        }
    }

    /// What is owed meets what is free, step by step as recorded: each step must be the next.
    pub(super) fn settle(
        &mut self,
        record: &Record,
        effects: &[Effect],
    ) -> Result<Picture, String> {
        let mut picture = Picture::of(self);
        let mut forgiven = 0;
        for effect in effects {
            let told = |what| format!("{what}: {effect:?}");
            if let Effect::Forgiven { holding, amount } = effect {
                let amount = amount.billionths();
                forgiven += amount.max(0);
                self.check_forgiven(&picture, holding, amount).map_err(told)?;
                let lots = self.lots.get_mut(holding).ok_or("forgiven of no lots")?;
                lots.forgiven += amount;
            } else if let Effect::Unsettled { giver, taker, amount } = effect {
                let back = self.unsettle(&picture, (giver, taker), amount.billionths());
                back.map_err(told)?;
            } else if let Effect::Settled { giver, taker, amount } = effect {
                let step = (giver.clone(), taker.clone(), amount.billionths());
                self.pay(&picture, step, record.recorded_at).map_err(told)?;
            } else {
                continue;
            }
            picture = Picture::of(self);
        }
        self.check_write_off(record, forgiven)?;
        Ok(picture)
    }

    /// More is forgiven of the oldest lack; or what exceeds a lack is forgiven no more.
    fn check_forgiven(
        &self,
        picture: &Picture,
        id: &HoldingId,
        amount: i128,
    ) -> Result<(), String> {
        let holding = picture.holdings.get(id).ok_or("forgiven of unknown lots")?;
        let lots = self.lots.get(id).ok_or("forgiven of unknown lots")?;
        if amount > 0 {
            let oldest = picture.oldest(&holding.account, |left| left.owed > 0);
            equal("the oldest lack", Some(id), oldest)?;
            return equal("at most what is owed", amount <= holding.left.owed, true);
        }
        equal("lowered before all was given back", self.over(picture, &holding.account), None)?;
        let shortfall = holding.left.owed + holding.left.written_off;
        equal("forgiven in excess", -amount, lots.forgiven - shortfall)
    }

    fn check_write_off(&self, record: &Record, forgiven: i128) -> Result<(), String> {
        let order = match &record.input {
            Input::Command(command) => Some(&command.order),
            Input::Delivery(_) => None,
        };
        match order {
            Some(Order::WriteOff { amount: Some(amount), .. }) => {
                equal("written off", forgiven, amount.billionths())
            }
            Some(Order::WriteOff { account, amount: None, .. }) => {
                let picture = Picture::of(self);
                let owed = picture.accounts.get(account).map(|standing| standing.books.owed);
                equal("owed after all is written off", owed, Some(0))
            }
            _ => equal("written off", forgiven, 0),
        }
    }

    /// What is no longer lacking goes back, the newest first.
    fn unsettle(
        &mut self,
        picture: &Picture,
        (giver, taker): (&HoldingId, &HoldingId),
        amount: i128,
    ) -> Result<(), String> {
        let over = picture.holdings.get(taker).ok_or("no such taker")?.left.there.sum();
        let lots = self.lots.get_mut(taker).ok_or("no such taker")?;
        let (newest, there) = lots.settlements.pop().ok_or("nothing was received")?;
        equal("the newest giver", giver, &newest)?;
        equal("what is no longer lacking", amount, over.min(there))?;
        lots.paid.received -= amount;
        if there > amount {
            lots.settlements.push((newest, there - amount));
        }
        let lots = self.lots.get_mut(giver).ok_or("no such giver")?;
        lots.paid.given -= amount;
        Ok(())
    }

    /// What is owed is paid once nothing can be given back and nothing is forgiven in excess.
    fn pay(&mut self, picture: &Picture, step: Step, now: Timestamp) -> Result<(), String> {
        let taker = picture.holdings.get(&step.1).ok_or("no such taker")?;
        let account = &taker.account;
        let all_held = picture.accounts.get(account).is_none_or(Standing::holds_everything);
        equal("settled under an account's freeze", all_held, false)?;
        equal("paid before all was given back", self.over(picture, account), None)?;
        let mut own = picture.holdings.iter().filter(|(_, one)| one.account == *account);
        let excess = own.find(|(id, one)| {
            let lacking = one.left.owed + one.left.written_off;
            self.lots.get(*id).is_some_and(|lots| lots.forgiven > lacking)
        });
        equal("paid before what was forgiven is lowered", excess.map(|(id, _)| id), None)?;
        equal("settled", Some(&step), self.next_step(picture, account, now).as_ref())?;
        self.pass_on(&step);
        Ok(())
    }

    /// Lots that have something left of what others gave.
    fn over<'p>(&self, picture: &'p Picture, account: &AccountId) -> Option<&'p HoldingId> {
        let mut own = picture.holdings.iter().filter(|(_, one)| one.account == *account);
        let over = own.find(|(id, one)| {
            let received = self.lots.get(*id).is_some_and(|lots| !lots.settlements.is_empty());
            received && one.left.there.sum() > 0
        });
        over.map(|(id, _)| id)
    }
}
