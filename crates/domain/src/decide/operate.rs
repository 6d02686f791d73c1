//! Operators' commands: grants, freezes, closing, write-offs, assignments, disputes, imports.

use std::collections::BTreeSet;

use crate::{
    account::{Closing, DisputeCause, Freeze, FreezeId},
    credits::Credits,
    decide::{
        command::{Stop, Work},
        open, post,
    },
    decision::Effect,
    draft::Fault,
    entitlement,
    holding::{HoldingId, LotId, Terms},
    ids::{AccountId, CustomerKey, OperationId, PaymentKey, Sequence, Text},
    input::{ERASED_MAX, Import, LotKind},
    money::Minor,
    payment::{Clearable, Conclusion, Ruled, Ruling},
    policy::{Measures, Shortfall},
    refusal::Refusal,
};

impl Work<'_, '_> {
    pub(super) fn grant(
        &mut self,
        account: &AccountId,
        amount: Credits,
        kind: LotKind,
        label: Option<&Text>,
    ) -> Result<(), Stop> {
        self.check(amount)?;
        self.refuse_closed(account)?;
        self.give(account, amount, kind, label)
    }

    /// Opens lots of this command's own and fills one.
    pub(super) fn give(
        &mut self,
        account: &AccountId,
        amount: Credits,
        kind: LotKind,
        label: Option<&Text>,
    ) -> Result<(), Stop> {
        open(&mut self.draft, account)?;
        let (since, shortfall) = (self.context.now, Shortfall::Owed);
        let terms = Terms { account: account.clone(), since, shortfall, label: label.cloned() };
        let holding = HoldingId::Grant(self.command.id);
        self.draft.push(Effect::HoldingOpened { holding: holding.clone(), terms })?;
        self.draft.push(Effect::Granted { lot: LotId { holding, kind }, amount })?;
        Ok(())
    }

    pub(super) fn freeze(
        &mut self,
        account: &AccountId,
        reason: &Text,
        measures: Measures,
    ) -> Result<(), Stop> {
        self.view(account)?;
        let (id, reason) = (FreezeId::Operator(self.command.id), Some(reason.clone()));
        let freeze = Freeze { id, since: self.context.now, measures, reason };
        self.draft.push(Effect::Frozen { account: account.clone(), freeze })?;
        Ok(())
    }

    pub(super) fn unfreeze(
        &mut self,
        account: &AccountId,
        freeze: OperationId,
    ) -> Result<(), Stop> {
        let id = FreezeId::Operator(freeze);
        if !self.view(account)?.freezes.contains_key(&id) {
            return Err(Refusal::FreezeUnknown.into());
        }
        self.draft.push(Effect::Unfrozen { account: account.clone(), freeze: id })?;
        Ok(())
    }

    /// Rule 6: verification and restricted service end by an operator's word, the cause apart.
    pub(super) fn clear_measure(
        &mut self,
        account: &AccountId,
        id: &FreezeId,
        measure: Clearable,
    ) -> Result<(), Stop> {
        let mut freeze =
            self.view(account)?.freezes.get(id).ok_or(Refusal::MeasureUnknown)?.clone();
        let measures = freeze.measures.without(measure);
        if measures == freeze.measures {
            return Err(Refusal::MeasureUnknown.into());
        }
        match id {
            FreezeId::Dispute { payment, cause } => {
                self.rule(payment, *cause, Ruled::Cleared(measure))
            }
            FreezeId::Operator(_) => {
                freeze.measures = measures;
                self.draft.push(Effect::Frozen { account: account.clone(), freeze })?;
                Ok(())
            }
        }
    }

    /// For ever, even where the policy had closed it before.
    pub(super) fn close(&mut self, account: &AccountId) -> Result<(), Stop> {
        if self.view(account)?.closed == Some(Closing::Operator) {
            return Err(Refusal::AccountClosed.into());
        }
        self.draft.push(Effect::Closed { account: account.clone(), by: Closing::Operator })?;
        Ok(())
    }

    /// Forgives the oldest lack first.
    pub(super) fn write_off(
        &mut self,
        id: &AccountId,
        amount: Option<Credits>,
    ) -> Result<(), Stop> {
        let owed = self.view(id)?.books.owed;
        let amount = amount.unwrap_or(owed);
        if amount > owed || owed == Credits::ZERO {
            return Err(Refusal::WriteOffAboveOwed { owed }.into());
        }
        self.check(amount)?;
        let mut left = amount;
        while left.is_positive() {
            let account = self.draft.account(id)?.ok_or(Fault::Broken("an account is not open"))?;
            let lack = account.lacking.get_min().ok_or(Fault::Broken("nothing is lacking"))?;
            let holding = lack.holding.clone();
            let known = self.draft.holding(&holding)?;
            let known = known.ok_or(Fault::Broken("a lacking lot is not there"))?;
            let amount = known.books()?.owed.min(left);
            left = left.minus(amount)?;
            self.draft.push(Effect::Forgiven { holding, amount })?;
        }
        Ok(())
    }

    pub(super) fn assign_payment(
        &mut self,
        payment: &PaymentKey,
        account: &AccountId,
    ) -> Result<(), Stop> {
        let known = self.draft.payment(payment)?.ok_or(Refusal::PaymentUnknown)?;
        if known.account.is_some() {
            return Err(Refusal::PaymentAssigned.into());
        }
        self.refuse_closed(account)?;
        let (payment, account) = (payment.clone(), account.clone());
        self.draft.push(Effect::PaymentAssigned { payment: payment.clone(), account })?;
        self.post(&payment)
    }

    pub(super) fn assign_customer(
        &mut self,
        customer: &CustomerKey,
        account: &AccountId,
    ) -> Result<(), Stop> {
        self.refuse_closed(account)?;
        open(&mut self.draft, account)?;
        let (customer, account) = (customer.clone(), account.clone());
        self.draft.push(Effect::CustomerAssigned { customer, account })?;
        Ok(())
    }

    /// Rule 6: the credits stay taken, the measures end.
    pub(super) fn conclude_dispute(
        &mut self,
        payment: &PaymentKey,
        cause: DisputeCause,
        conclusion: Conclusion,
    ) -> Result<(), Stop> {
        let known = self.draft.payment(payment)?.ok_or(Refusal::PaymentUnknown)?;
        let paid_at = known.paid.as_ref().ok_or(Refusal::DisputeUnknown)?.earliest_at;
        let policy = self.context.policy(paid_at)?;
        let open = entitlement::of(known, policy).map_err(Fault::from)?;
        if !open.is_some_and(|known| known.disputes.contains_key(&cause)) {
            return Err(Refusal::DisputeUnknown.into());
        }
        self.rule(payment, cause, Ruled::Concluded(conclusion))
    }

    /// Says something of all filings that are known, and lets it take effect.
    fn rule(&mut self, key: &PaymentKey, cause: DisputeCause, what: Ruled) -> Result<(), Stop> {
        let payment = self.draft.payment(key)?.ok_or(Refusal::PaymentUnknown)?;
        let filings: BTreeSet<_> = entitlement::filings(payment, cause);
        let ruling = Ruling { cause, what, filings };
        self.draft.push(Effect::DisputeRuled { payment: key.clone(), ruling })?;
        self.post(key)
    }

    /// A payment from before Tallyhook: what it granted, and what was used of it since.
    pub(super) fn import(&mut self, import: &Import) -> Result<(), Stop> {
        let invalid = |detail| Stop::from(Refusal::ImportInvalid { detail });
        let (granted, used) = (import.opening.granted, import.opening.used);
        if import.net <= Minor::ZERO || import.tax < Minor::ZERO {
            return Err(invalid("the amount paid must be above zero, the tax not below"));
        }
        if import.paid_at > self.context.now {
            return Err(invalid("the payment is in the future"));
        }
        self.check(granted.paid)?;
        for amount in
            [granted.gift, used.paid, used.gift].into_iter().filter(|a| *a != Credits::ZERO)
        {
            self.check(amount)?;
        }
        if used.paid > granted.paid || used.gift > granted.gift {
            return Err(invalid("more is left than was granted, or less than nothing"));
        }
        let known = self.draft.payment(&import.payment)?;
        if known.is_some_and(|known| known.paid.is_some()) {
            return Err(Refusal::PaymentKnown.into());
        }
        let of_another = |account: &AccountId| *account != import.account;
        if known.and_then(|known| known.account.as_ref()).is_some_and(of_another) {
            return Err(Refusal::PaymentOfAnotherAccount.into());
        }
        self.refuse_closed(&import.account)?;
        let (payment, account) = (import.payment.clone(), import.account.clone());
        self.draft.push(Effect::PaymentImported(Box::new(import.clone())))?;
        self.draft.push(Effect::PaymentAssigned { payment: payment.clone(), account })?;
        self.post(&payment)
    }

    /// Bodies move nothing: what they said was decided, and stands in their records.
    pub(super) fn erase(&self, records: &BTreeSet<Sequence>) -> Result<(), Stop> {
        if records.is_empty() || records.len() > ERASED_MAX {
            return Err(Refusal::ErasureInvalid { count: records.len() }.into());
        }
        let next = self.context.sequence;
        match records.range(next..).next() {
            Some(unknown) => Err(Refusal::RecordUnknown { record: *unknown }.into()),
            None => Ok(()),
        }
    }

    /// Lets what is now known of a payment take effect.
    pub(super) fn post(&mut self, payment: &PaymentKey) -> Result<(), Stop> {
        post::post(self.context, &mut self.draft, payment)?;
        Ok(())
    }
}
