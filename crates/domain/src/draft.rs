//! Changes to a part of the state, made on copies: all of them take effect, or none.
//!
//! `decide` pushes effects and gets the transfers that follow; `apply` repeats recorded ones. Both
//! change the copies by the same function.

use std::collections::BTreeMap;

use crate::{
    account::{Account, Aged, Books, View},
    credits::{CreditOverflow, Credits},
    decision::{Effect, Taking, Transfer},
    entitlement::OutOfRange,
    exception::{Exception, ExceptionId, ExceptionKind},
    holding::{Holding, HoldingId, Lot, Settlement, Terms},
    ids::{AccountId, PaymentKey},
    input::LotKind,
    money::{Minor, MoneyOverflow},
    payment::Payment,
    policy::Balance,
    posting::{issued, money_in, post, transfers, watch},
    state::{Missing, State},
    time::Timestamp,
};

/// Why a change can't be made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Fault {
    /// Something was not loaded.
    Missing(Missing),
    /// The change contradicts the state.
    Broken(&'static str),
}

impl From<Missing> for Fault {
    fn from(missing: Missing) -> Self {
        Self::Missing(missing)
    }
}

impl From<CreditOverflow> for Fault {
    fn from(_: CreditOverflow) -> Self {
        Self::Broken("an amount of credits is out of range")
    }
}

impl From<MoneyOverflow> for Fault {
    fn from(_: MoneyOverflow) -> Self {
        Self::Broken("an amount of money is out of range")
    }
}

impl From<OutOfRange> for Fault {
    fn from(_: OutOfRange) -> Self {
        Self::Broken("a sum of the rules is out of range")
    }
}

/// Copies of what changes, over the state.
pub(crate) struct Draft<'s> {
    pub(crate) state: &'s State,
    pub(crate) accounts: BTreeMap<AccountId, Account>,
    pub(crate) holdings: BTreeMap<HoldingId, Holding>,
    pub(crate) payments: BTreeMap<PaymentKey, Payment>,
    pub(crate) exceptions: BTreeMap<ExceptionId, Option<Exception>>,
    pub(crate) effects: Vec<Effect>,
    pub(crate) transfers: Vec<Transfer>,
}

impl<'s> Draft<'s> {
    pub(crate) const fn new(state: &'s State) -> Self {
        Self {
            state,
            accounts: BTreeMap::new(),
            holdings: BTreeMap::new(),
            payments: BTreeMap::new(),
            exceptions: BTreeMap::new(),
            effects: Vec::new(),
            transfers: Vec::new(),
        }
    }

    pub(crate) fn account(&self, id: &AccountId) -> Result<Option<&Account>, Missing> {
        match self.accounts.get(id) {
            Some(account) => Ok(Some(account)),
            None => self.state.account(id),
        }
    }

    pub(crate) fn holding(&self, id: &HoldingId) -> Result<Option<&Holding>, Missing> {
        match self.holdings.get(id) {
            Some(holding) => Ok(Some(holding)),
            None => self.state.holding(id),
        }
    }

    pub(crate) fn payment_mut(&mut self, key: &PaymentKey) -> Result<&mut Payment, Fault> {
        if !self.payments.contains_key(key) {
            let known = self.state.payment(key)?.cloned().unwrap_or_else(Payment::unknown);
            self.payments.insert(key.clone(), known);
        }
        self.payments.get_mut(key).ok_or(Fault::Broken("a payment is not there"))
    }

    pub(crate) fn account_mut(&mut self, id: &AccountId) -> Result<&mut Account, Fault> {
        if !self.accounts.contains_key(id) {
            let known = self.state.account(id)?.cloned();
            self.accounts.insert(id.clone(), known.ok_or(Fault::Broken("an account is not open"))?);
        }
        self.accounts.get_mut(id).ok_or(Fault::Broken("an account is not open"))
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
        let holding = match effect {
            Effect::AccountOpened { account }
            | Effect::Frozen { account, .. }
            | Effect::Unfrozen { account, .. }
            | Effect::Closed { account, .. }
            | Effect::Reopened { account }
            | Effect::ChargebackCounted { account, .. } => return Ok(Some(account.clone())),
            Effect::HoldingOpened { terms, .. } => return Ok(Some(terms.account.clone())),
            Effect::Granted { lot, .. } | Effect::Drawn { lot, .. } => &lot.holding,
            Effect::Taken { holding, .. } | Effect::Awaited { holding, .. } => holding,
            Effect::Settled { taker, .. } | Effect::Unsettled { taker, .. } => taker,
            Effect::PaymentAssigned { .. }
            | Effect::MoneyMoved { .. }
            | Effect::Raised(_)
            | Effect::Cleared(_) => return Ok(None),
        };
        let holding = self.holding(holding)?.ok_or(Fault::Broken("a lot is not open"))?;
        Ok(Some(holding.terms.account.clone()))
    }

    /// Changes the copies by one effect, transfers apart.
    pub(crate) fn change(&mut self, effect: &Effect) -> Result<(), Fault> {
        match effect {
            Effect::PaymentAssigned { payment, account } => {
                self.payment_mut(payment)?.account = Some(account.clone());
            }
            Effect::AccountOpened { account } => self.open_account(account)?,
            Effect::HoldingOpened { holding, terms } => self.open_holding(holding, terms)?,
            Effect::Granted { lot, amount } => self.on_lot(&lot.holding, lot.kind, |lot| {
                lot.granted = lot.granted.plus(*amount)?;
                Ok(())
            })?,
            Effect::Drawn { lot, amount } => self.on_lot(&lot.holding, lot.kind, |lot| {
                lot.drawn = lot.drawn.plus(*amount)?;
                Ok(())
            })?,
            Effect::Taken { holding, by, amount } => self.on_holding(holding, |holding| {
                let taken = match by {
                    Taking::Refund => &mut holding.refunded,
                    Taking::Chargeback => &mut holding.charged_back,
                };
                *taken = taken.plus(*amount)?;
                Ok(())
            })?,
            Effect::Awaited { holding, amount } => self.on_holding(holding, |holding| {
                holding.awaited = holding.awaited.plus(*amount)?;
                Ok(())
            })?,
            Effect::Settled { giver, taker, amount } => self.settle(giver, taker, *amount)?,
            Effect::Unsettled { giver, taker, amount } => self.unsettle(giver, taker, *amount)?,
            Effect::MoneyMoved { payment, received, reversed, .. } => {
                let payment = self.payment_mut(payment)?;
                payment.received = payment.received.plus(*received)?;
                payment.reversed = payment.reversed.plus(*reversed)?;
            }
            Effect::Frozen { account, freeze } => {
                watch(&mut self.account_mut(account)?.view, effect);
                self.recount_freezes(account, freeze.id.payment())?;
            }
            Effect::Unfrozen { account, freeze } => {
                watch(&mut self.account_mut(account)?.view, effect);
                self.recount_freezes(account, freeze.payment())?;
            }
            Effect::ChargebackCounted { account, payment, filed_at } => {
                let chargebacks = &mut self.account_mut(account)?.chargebacks;
                match filed_at {
                    Some(at) => chargebacks.insert(payment.clone(), *at),
                    None => chargebacks.remove(payment),
                };
            }
            Effect::Closed { account, .. } | Effect::Reopened { account } => {
                watch(&mut self.account_mut(account)?.view, effect);
            }
            Effect::Raised(exception) => self.raise(exception)?,
            Effect::Cleared(exception) => self.clear(exception),
        }
        Ok(())
    }

    fn open_account(&mut self, id: &AccountId) -> Result<(), Fault> {
        match self.account(id)? {
            Some(_) => Err(Fault::Broken("an account is opened twice")),
            None => {
                self.accounts.insert(id.clone(), Account::opened());
                Ok(())
            }
        }
    }

    /// Opens a holding, or gives an open one other terms.
    fn open_holding(&mut self, id: &HoldingId, terms: &Terms) -> Result<(), Fault> {
        let (mut holding, before) = match self.holding(id)? {
            Some(holding) => (holding.clone(), Standing::of(holding)?),
            None => (Holding::new(terms.clone()), Standing::nothing(terms.since)),
        };
        if holding.terms.account != terms.account {
            return Err(Fault::Broken("a lot changes its account"));
        }
        holding.terms = terms.clone();
        if let HoldingId::Payment(payment) = id {
            holding.freezes = freezes_of(&self.account_mut(&terms.account)?.view, payment);
        }
        self.replace(id, &before, holding)
    }

    fn on_lot(
        &mut self,
        id: &HoldingId,
        kind: LotKind,
        change: impl FnOnce(&mut Lot) -> Result<(), Fault>,
    ) -> Result<(), Fault> {
        self.on_holding(id, |holding| change(holding.lot_mut(kind)))
    }

    fn on_holding(
        &mut self,
        id: &HoldingId,
        change: impl FnOnce(&mut Holding) -> Result<(), Fault>,
    ) -> Result<(), Fault> {
        let mut holding = self.holding(id)?.ok_or(Fault::Broken("a lot is not open"))?.clone();
        let before = Standing::of(&holding)?;
        change(&mut holding)?;
        self.replace(id, &before, holding)
    }

    /// Puts a holding in place of what it was, and its part of the account's books with it.
    fn replace(&mut self, id: &HoldingId, before: &Standing, after: Holding) -> Result<(), Fault> {
        let now = Standing::of(&after)?;
        let account = self.account_mut(&after.terms.account)?;
        account.lots = account.lots.minus(&before.books)?.plus(&now.books)?;
        index(account, id, before, &now);
        self.holdings.insert(id.clone(), after);
        Ok(())
    }

    fn settle(
        &mut self,
        giver: &HoldingId,
        taker: &HoldingId,
        amount: Credits,
    ) -> Result<(), Fault> {
        self.on_lot(giver, LotKind::Paid, |lot| {
            lot.given = lot.given.plus(amount)?;
            Ok(())
        })?;
        self.on_holding(taker, |holding| {
            holding.paid.received = holding.paid.received.plus(amount)?;
            holding.settlements.push(Settlement { giver: giver.clone(), amount });
            Ok(())
        })
    }

    /// Takes back the newest settlement, or a part of it.
    fn unsettle(
        &mut self,
        giver: &HoldingId,
        taker: &HoldingId,
        amount: Credits,
    ) -> Result<(), Fault> {
        self.on_holding(taker, |holding| {
            holding.paid.received = holding.paid.received.minus(amount)?;
            let last = holding.settlements.pop().filter(|last| last.giver == *giver);
            let last = last.ok_or(Fault::Broken("a settlement is not the newest"))?;
            let left = last.amount.minus(amount)?;
            if left.is_positive() {
                holding.settlements.push(Settlement { amount: left, ..last });
            }
            Ok(())
        })?;
        self.on_lot(giver, LotKind::Paid, |lot| {
            lot.given = lot.given.minus(amount)?;
            Ok(())
        })
    }

    /// Counts anew how many open causes freeze a payment's credits.
    fn recount_freezes(
        &mut self,
        account: &AccountId,
        payment: Option<&PaymentKey>,
    ) -> Result<(), Fault> {
        let Some(payment) = payment else { return Ok(()) };
        let id = HoldingId::Payment(payment.clone());
        let count = freezes_of(&self.account_mut(account)?.view, payment);
        match self.holding(&id)? {
            Some(holding) if holding.freezes != count => self.on_holding(&id, |holding| {
                holding.freezes = count;
                Ok(())
            }),
            _ => Ok(()),
        }
    }

    fn raise(&mut self, exception: &Exception) -> Result<(), Fault> {
        if let (Some(key), true) = (&exception.payment, follows_facts(exception.id.kind)) {
            self.payment_mut(key)?.exceptions.insert(exception.id.kind, exception.id);
        }
        self.exceptions.insert(exception.id, Some(exception.clone()));
        Ok(())
    }

    fn clear(&mut self, id: &ExceptionId) {
        for payment in self.payments.values_mut() {
            payment.exceptions.retain(|_, open| open != id);
        }
        self.exceptions.insert(*id, None);
    }
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

/// How many open causes freeze a payment's credits.
fn freezes_of(view: &View, payment: &PaymentKey) -> u16 {
    let freezing = view.freezes.values().filter(|freeze| {
        freeze.id.payment() == Some(payment) && freeze.measures.balance == Balance::FreezePayment
    });
    u16::try_from(freezing.count()).unwrap_or(u16::MAX)
}

/// What a holding is to its account.
struct Standing {
    since: Timestamp,
    books: Books,
}

impl Standing {
    fn of(holding: &Holding) -> Result<Self, CreditOverflow> {
        Ok(Self { since: holding.terms.since, books: holding.books()? })
    }

    const fn nothing(since: Timestamp) -> Self {
        Self { since, books: Books::ZERO }
    }
}

/// Lists a holding among the free and the lacking exactly as its books say. A set copies what it
/// shares even where it stays the same, so it is touched only to change.
fn index(account: &mut Account, id: &HoldingId, before: &Standing, now: &Standing) {
    let moved = before.since != now.since;
    for (list, old, new) in [
        (&mut account.free_paid, before.books.paid, now.books.paid),
        (&mut account.free_gift, before.books.gift, now.books.gift),
        (&mut account.lacking, before.books.owed, now.books.owed),
    ] {
        let (was, is) = (old.is_positive(), new.is_positive());
        if was && (!is || moved) {
            list.remove(&Aged { since: before.since, holding: id.clone() });
        }
        if is && (!was || moved) {
            list.insert(Aged { since: now.since, holding: id.clone() });
        }
    }
}
