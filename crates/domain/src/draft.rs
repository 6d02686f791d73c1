//! Changes to a part of the state, made on copies: all of them take effect, or none.
//!
//! `decide` pushes effects and gets the transfers that follow; `apply` repeats recorded ones. Both
//! change the copies by the same function, [`Draft::change`].

pub(crate) mod change;
mod lots;

use std::sync::Arc;

use crate::{
    account::{Account, Books},
    case::Case,
    credits::CreditOverflow,
    decision::{Effect, Transfer},
    entities::{Entities, Key},
    entitlement::OutOfRange,
    exception::{ExceptionId, Filed},
    holding::{Holding, HoldingId},
    ids::{AccountId, CustomerKey, OperationId, PaymentKey, Sequence},
    input::Delivery,
    money::{Minor, MoneyOverflow},
    notice::{Notice, Purchase},
    payment::Payment,
    posting::{issued, money_in, post, transfers},
    state::{Missing, State},
    time::Timestamp,
    usage::{Debit, Hold},
};

/// Why a change can't be made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Fault {
    /// Something was not loaded.
    Missing(Missing),
    /// The change contradicts the state.
    Broken(&'static str),
    /// A sum leaves the range of amounts.
    Range(&'static str),
}

impl From<Missing> for Fault {
    fn from(missing: Missing) -> Self {
        Self::Missing(missing)
    }
}

impl From<CreditOverflow> for Fault {
    fn from(_: CreditOverflow) -> Self {
        Self::Range("an amount of credits is out of range")
    }
}

impl From<MoneyOverflow> for Fault {
    fn from(_: MoneyOverflow) -> Self {
        Self::Range("an amount of money is out of range")
    }
}

impl From<OutOfRange> for Fault {
    fn from(_: OutOfRange) -> Self {
        Self::Range("a sum of the rules is out of range")
    }
}

/// Copies of what changes, over the state.
pub(crate) struct Draft<'s> {
    state: &'s State,
    /// The record that the changes belong to.
    sequence: Sequence,
    now: Timestamp,
    pub(crate) own: Entities,
    pub(crate) effects: Vec<Effect>,
    pub(crate) transfers: Vec<Transfer>,
}

/// Reads an entity from the copies, else from the state.
macro_rules! read {
    ($one:ident, $Kind:ident: $Id:ty => $Value:ty) => {
        pub(crate) fn $one(&self, id: &$Id) -> Result<Option<&$Value>, Missing> {
            let known = self.own.$one(id).or_else(|| self.state.entities.$one(id));
            known.ok_or_else(|| Missing(Key::$Kind(id.clone())))
        }
    };
}

/// The copy of an entity that can be changed; made when it is first asked for.
macro_rules! change {
    ($one_mut:ident, $Kind:ident, $all:ident: $Id:ty => $Value:ty, $lacking:literal) => {
        pub(crate) fn $one_mut(&mut self, id: &$Id) -> Result<&mut $Value, Fault> {
            if !self.own.$all.contains_key(id) {
                let known = self.state.entities.$all.get(id);
                let known = known.ok_or_else(|| Missing(Key::$Kind(id.clone())))?;
                self.own.$all.insert(id.clone(), known.clone());
            }
            let own = self.own.$all.get_mut(id).and_then(Option::as_mut);
            own.map(Arc::make_mut).ok_or(Fault::Broken($lacking))
        }
    };
}

impl<'s> Draft<'s> {
    pub(crate) fn new(state: &'s State, sequence: Sequence, now: Timestamp) -> Self {
        let (effects, transfers) = (Vec::new(), Vec::new());
        Self { state, sequence, now, own: Entities::EMPTY, effects, transfers }
    }

    read!(account, Account: AccountId => Account);
    read!(holding, Holding: HoldingId => Holding);
    read!(payment, Payment: PaymentKey => Payment);
    read!(hold, Hold: OperationId => Hold);
    read!(debit, Debit: OperationId => Debit);
    read!(case, Case: OperationId => Case);
    read!(customer, Customer: CustomerKey => AccountId);
    read!(exception, Exception: ExceptionId => Filed);
    read!(release, Release: Sequence => Sequence);

    change!(account_mut, Account, accounts: AccountId => Account, "an account is not open");
    change!(holding_mut, Holding, holdings: HoldingId => Holding, "a lot is not open");
    change!(known_payment_mut, Payment, payments: PaymentKey => Payment, "a payment is unknown");
    change!(hold_mut, Hold, holds: OperationId => Hold, "a hold is unknown");
    change!(debit_mut, Debit, debits: OperationId => Debit, "a debit is unknown");
    change!(exception_mut, Exception, exceptions: ExceptionId => Filed, "nothing was raised");

    /// A payment to change; one of which nothing is known yet is made.
    pub(crate) fn payment_mut(&mut self, key: &PaymentKey) -> Result<&mut Payment, Fault> {
        if self.payment(key)?.is_none() {
            self.own.payments.insert(key.clone(), Some(Arc::new(Payment::unknown())));
        }
        self.known_payment_mut(key)
    }

    /// Takes in what a delivery says of a payment, and which account a purchase of it names.
    pub(crate) fn learn(&mut self, delivery: &Delivery) -> Result<(), Fault> {
        match &delivery.notice {
            Ok(Notice::Purchase(purchase)) => {
                let names = self.named(purchase)?;
                self.payment_mut(&purchase.payment)?.learn_purchase(purchase, names.as_ref());
            }
            Ok(Notice::Adjustment(adjustment)) => {
                self.payment_mut(&adjustment.payment)?.learn_adjustment(adjustment);
            }
            Ok(Notice::Nothing) | Err(_) => {}
        }
        Ok(())
    }

    /// Whose a purchase is, as its event and the operators say: a provider's customer that stands
    /// for the account, or no account at all, is whose the operator said (rule 10). Such an event
    /// says nothing against the account that its payment has.
    pub(crate) fn named(&self, purchase: &Purchase) -> Result<Option<AccountId>, Missing> {
        let Some(customer) = &purchase.customer else { return Ok(purchase.account.clone()) };
        let own = |account: &AccountId| account.as_str() != customer.as_str();
        if purchase.account.as_ref().is_some_and(own) {
            return Ok(purchase.account.clone());
        }
        let origin = purchase.payment.origin.clone();
        let assigned = self.customer(&CustomerKey { origin, id: customer.clone() })?;
        let Some(assigned) = assigned else { return Ok(purchase.account.clone()) };
        let known = self.payment(&purchase.payment)?.and_then(|known| known.account.as_ref());
        Ok(Some(known.unwrap_or(assigned).clone()))
    }

    /// Makes a new change and derives its transfers from how the account's books moved.
    pub(crate) fn push(&mut self, effect: Effect) -> Result<(), Fault> {
        if let Effect::MoneyMoved { currency, received, reversed, .. } = &effect {
            self.transfers.extend(money_in(*currency, *received));
            self.transfers.extend(money_in(*currency, Minor::ZERO.minus(*reversed)?));
        }
        self.push_credits(&effect)?;
        self.effects.push(effect);
        Ok(())
    }

    fn push_credits(&mut self, effect: &Effect) -> Result<(), Fault> {
        let account = self.account_of(effect)?;
        let before = match &account {
            Some(id) => self.account(id)?.map_or(Ok(Books::ZERO), Account::books)?,
            None => Books::ZERO,
        };
        self.change(effect)?;
        let Some(id) = account else { return Ok(()) };
        let after = self.account_mut(&id)?.books()?;
        for transfer in transfers(&id, &before, &after, issued(effect)?)? {
            post(&mut self.account_mut(&id)?.view, &id, &transfer)?;
            self.transfers.push(transfer);
        }
        Ok(())
    }

    /// The account whose books an effect can move.
    fn account_of(&self, effect: &Effect) -> Result<Option<AccountId>, Fault> {
        if let Effect::ChargebackCounted { account, .. } = effect {
            return Ok(Some(account.clone()));
        }
        if let Effect::HoldingOpened { terms, .. } = effect {
            return Ok(Some(terms.account.clone()));
        }
        if let Some(account) = effect.account() {
            return Ok(Some(account.clone()));
        }
        let Some(holding) = effect.holding() else { return Ok(None) };
        let holding = self.holding(holding)?.ok_or(Fault::Broken("a lot is not open"))?;
        Ok(Some(holding.terms.account.clone()))
    }
}
