//! What each effect changes, transfers apart: the same when deciding and when folding.

use std::sync::Arc;

use crate::{
    account::{Account, FreezeId},
    case::Case,
    credits::Credits,
    decision::{Effect, Taking},
    draft::{Draft, Fault},
    exception::{Ended, Ending, Exception, ExceptionId, ExceptionKind, Filed},
    holding::{HoldingId, LotId, Pair},
    ids::{AccountId, OperationId, PaymentKey},
    input::Import,
    money::Minor,
    notice::Basket,
    payment::{Paid, Payment},
    posting::watch,
    time::Timestamp,
    usage::{Debit, Hold, HoldEnd, Part},
};

impl Draft<'_> {
    /// Changes the copies by one effect.
    pub(crate) fn change(&mut self, effect: &Effect) -> Result<(), Fault> {
        match effect {
            Effect::AccountOpened { account } => self.open_account(account),
            Effect::Closed { account, .. } | Effect::Reopened { account } => {
                self.watch(account, None, effect)
            }
            Effect::Frozen { account, freeze } => self.watch(account, Some(&freeze.id), effect),
            Effect::Unfrozen { account, freeze } => self.watch(account, Some(freeze), effect),
            Effect::ChargebackCounted { account, payment, filed_at } => {
                self.count_chargeback(account, payment, *filed_at)
            }
            Effect::HoldingOpened { holding, terms } => self.open_holding(holding, terms),
            Effect::Granted { lot, amount } => {
                self.on_lot(lot, |lot| add(&mut lot.granted, *amount))
            }
            Effect::Drawn { lot, amount } => self.on_lot(lot, |lot| add(&mut lot.drawn, *amount)),
            Effect::Taken { holding, by, amount } => self.take(holding, *by, *amount),
            Effect::Awaited { holding, amount } => self.on_holding(holding, |holding| {
                holding.awaited = holding.awaited.plus(*amount)?;
                Ok(())
            }),
            Effect::Forgiven { holding, amount } => {
                self.on_holding(holding, |holding| add(&mut holding.forgiven, *amount))
            }
            Effect::Settled { giver, taker, amount } => self.settle(giver, taker, *amount),
            Effect::Unsettled { giver, taker, amount } => self.unsettle(giver, taker, *amount),
            Effect::HoldPlaced { hold, account, expires_at } => {
                self.place_hold(*hold, account, *expires_at)
            }
            Effect::Reserved { hold, lot, amount } => self.reserve(*hold, lot, *amount),
            Effect::Unreserved { lot, amount, .. } => {
                self.on_lot(lot, |lot| add(&mut lot.reserved, amount.negated()))
            }
            Effect::HoldEnded { hold, end } => self.end_hold(*hold, *end),
            Effect::Debited { debit, usage } => self.keep_debit(*debit, usage),
            Effect::Returned { debit, lot, amount } => self.make_good(*debit, lot, *amount),
            Effect::PaymentAssigned { payment, account } => {
                self.payment_mut(payment)?.account = Some(account.clone());
                Ok(())
            }
            Effect::MoneyMoved { payment, received, reversed, .. } => {
                self.move_money(payment, *received, *reversed)
            }
            Effect::CustomerAssigned { customer, account } => {
                let account = Arc::new(account.clone());
                self.own.customers.insert(customer.clone(), Some(account));
                Ok(())
            }
            Effect::PaymentImported(import) => self.import(import),
            Effect::CaseChanged(case) => self.change_case(case),
            Effect::DisputeRuled { payment, ruling } => {
                self.payment_mut(payment)?.rulings.push(ruling.clone());
                Ok(())
            }
            Effect::Raised(exception) => self.raise(exception),
            Effect::Cleared(id) => self.clear(*id),
            Effect::Resolved(id) => self.end(*id, Ending::Resolved),
            Effect::Released(record) => {
                self.own.releases.insert(*record, Some(Arc::new(self.sequence)));
                Ok(())
            }
        }
    }

    fn open_account(&mut self, id: &AccountId) -> Result<(), Fault> {
        match self.account(id)? {
            Some(_) => Err(Fault::Broken("an account is opened twice")),
            None => {
                self.own.accounts.insert(id.clone(), Some(Arc::new(Account::opened())));
                Ok(())
            }
        }
    }

    /// Changes what anyone may see of an account, and what a cause freezes of it.
    fn watch(
        &mut self,
        account: &AccountId,
        cause: Option<&FreezeId>,
        effect: &Effect,
    ) -> Result<(), Fault> {
        watch(&mut self.account_mut(account)?.view, effect);
        self.recount_freezes(account, cause.and_then(FreezeId::payment))
    }

    fn count_chargeback(
        &mut self,
        account: &AccountId,
        payment: &PaymentKey,
        filed_at: Option<Timestamp>,
    ) -> Result<(), Fault> {
        let chargebacks = &mut self.account_mut(account)?.chargebacks;
        match filed_at {
            Some(at) => chargebacks.insert(payment.clone(), at),
            None => chargebacks.remove(payment),
        };
        Ok(())
    }

    fn take(&mut self, holding: &HoldingId, by: Taking, amount: Pair) -> Result<(), Fault> {
        self.on_holding(holding, |holding| {
            let taken = match by {
                Taking::Refund => &mut holding.refunded,
                Taking::Chargeback => &mut holding.charged_back,
            };
            *taken = taken.plus(amount)?;
            Ok(())
        })
    }

    fn reserve(&mut self, hold: OperationId, lot: &LotId, amount: Credits) -> Result<(), Fault> {
        let placed = self.hold_mut(&hold)?;
        placed.amount = placed.amount.plus(amount)?;
        placed.reserved.push(Part { lot: lot.clone(), amount });
        self.on_lot(lot, |lot| add(&mut lot.reserved, amount))
    }

    fn end_hold(&mut self, id: OperationId, end: HoldEnd) -> Result<(), Fault> {
        match self.hold_mut(&id)?.ended.replace(end) {
            Some(_) => Err(Fault::Broken("a hold ends twice")),
            None => Ok(()),
        }
    }

    fn keep_debit(&mut self, id: OperationId, usage: &Debit) -> Result<(), Fault> {
        match self.own.debits.insert(id, Some(Arc::new(usage.clone()))) {
            Some(_) => Err(Fault::Broken("a debit happens twice")),
            None => Ok(()),
        }
    }

    fn make_good(&mut self, debit: OperationId, lot: &LotId, amount: Credits) -> Result<(), Fault> {
        let debit = self.debit_mut(&debit)?;
        debit.returned = Some(debit.returned.unwrap_or(Credits::ZERO).plus(amount)?);
        self.on_lot(lot, |lot| add(&mut lot.drawn, amount.negated()))
    }

    fn move_money(
        &mut self,
        payment: &PaymentKey,
        received: Minor,
        reversed: Minor,
    ) -> Result<(), Fault> {
        let payment = self.payment_mut(payment)?;
        payment.received = payment.received.plus(received)?;
        payment.reversed = payment.reversed.plus(reversed)?;
        Ok(())
    }

    fn place_hold(
        &mut self,
        id: OperationId,
        account: &AccountId,
        expires_at: Timestamp,
    ) -> Result<(), Fault> {
        let (amount, reserved, ended) = (Credits::ZERO, Vec::new(), None);
        let hold = Hold { account: account.clone(), amount, reserved, expires_at, ended };
        self.own.holds.insert(id, Some(Arc::new(hold)));
        Ok(())
    }

    fn import(&mut self, import: &Import) -> Result<(), Fault> {
        let basket = Basket {
            currency: import.currency,
            subtotal: import.net,
            discount: Minor::ZERO,
            tax: import.tax,
            total: import.net.plus(import.tax)?,
            lines: Vec::new(),
        };
        let (earliest_at, latest_at) = (import.paid_at, import.paid_at);
        let paid = Paid { earliest_at, latest_at, completed: true, basket };
        let known: Payment =
            self.payment(&import.payment)?.cloned().unwrap_or_else(Payment::unknown);
        let payment = Payment {
            currency: Some(import.currency),
            paid: Some(paid),
            opening: Some(import.opening),
            ..known
        };
        self.own.payments.insert(import.payment.clone(), Some(Arc::new(payment)));
        Ok(())
    }

    fn change_case(&mut self, case: &Case) -> Result<(), Fault> {
        self.payment_mut(&case.payment)?.claims.insert(case.id, case.claim.clone());
        self.own.cases.insert(case.id, Some(Arc::new(case.clone())));
        Ok(())
    }

    fn raise(&mut self, exception: &Exception) -> Result<(), Fault> {
        if let (Some(key), true) = (&exception.payment, follows_facts(exception.id.kind)) {
            self.payment_mut(key)?.exceptions.insert(exception.id.kind, exception.id);
        }
        let filed = Filed { exception: exception.clone(), ended: None };
        self.own.exceptions.insert(exception.id, Some(Arc::new(filed)));
        Ok(())
    }

    /// The cause of an exception is gone; one that a person resolved before stays as it is.
    fn clear(&mut self, id: ExceptionId) -> Result<(), Fault> {
        let payment = self.exception_mut(&id)?.exception.payment.clone();
        if let Some(payment) = payment {
            self.payment_mut(&payment)?.exceptions.retain(|_, open| *open != id);
        }
        if self.exception_mut(&id)?.ended.is_some() {
            return Ok(());
        }
        self.end(id, Ending::CauseGone)
    }

    fn end(&mut self, id: ExceptionId, by: Ending) -> Result<(), Fault> {
        let ended = Ended { sequence: self.sequence, at: self.now, by };
        match self.exception_mut(&id)?.ended.replace(ended) {
            Some(_) => Err(Fault::Broken("an exception ends twice")),
            None => Ok(()),
        }
    }
}

fn add(total: &mut Credits, amount: Credits) -> Result<(), Fault> {
    *total = total.plus(amount)?;
    Ok(())
}

/// Whether an exception is open exactly while the facts about its payment say so.
pub(crate) const fn follows_facts(kind: ExceptionKind) -> bool {
    match kind {
        ExceptionKind::Orphan
        | ExceptionKind::Unassigned
        | ExceptionKind::CurrencyMismatch
        | ExceptionKind::AccountMismatch
        | ExceptionKind::OverRefund
        | ExceptionKind::UnlistedPrice
        | ExceptionKind::PaidThenCanceled => true,
        ExceptionKind::Conflict
        | ExceptionKind::Stale
        | ExceptionKind::Simulated
        | ExceptionKind::Malformed
        | ExceptionKind::UnknownAction
        | ExceptionKind::UnknownCurrency
        | ExceptionKind::AmountInvalid
        | ExceptionKind::ClosedAccount
        | ExceptionKind::Undecided => false,
    }
}
