//! Changes to lots, and to what an account keeps of them.

use std::sync::Arc;

use crate::{
    account::{Account, Aged, Books, View},
    credits::{CreditOverflow, Credits},
    draft::{Draft, Fault},
    holding::{Holding, HoldingId, Lot, LotId, Settlement, Terms},
    ids::{AccountId, PaymentKey},
    input::LotKind,
    policy::Balance,
    time::Timestamp,
};

impl Draft<'_> {
    /// Opens a holding, or gives an open one other terms.
    pub(super) fn open_holding(&mut self, id: &HoldingId, terms: &Terms) -> Result<(), Fault> {
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
        let now = Standing::of(&holding)?;
        self.own.holdings.insert(id.clone(), Some(Arc::new(holding)));
        self.stand(id, &terms.account, &before, &now)
    }

    pub(super) fn on_lot(
        &mut self,
        lot: &LotId,
        change: impl FnOnce(&mut Lot) -> Result<(), Fault>,
    ) -> Result<(), Fault> {
        self.on_holding(&lot.holding, |holding| change(holding.lot_mut(lot.kind)))
    }

    pub(super) fn on_holding(
        &mut self,
        id: &HoldingId,
        change: impl FnOnce(&mut Holding) -> Result<(), Fault>,
    ) -> Result<(), Fault> {
        let holding = self.holding_mut(id)?;
        let before = Standing::of(holding)?;
        change(holding)?;
        let (now, account) = (Standing::of(holding)?, holding.terms.account.clone());
        self.stand(id, &account, &before, &now)
    }

    /// Gives a holding's account what the holding is to it now in place of what it was.
    fn stand(
        &mut self,
        id: &HoldingId,
        account: &AccountId,
        before: &Standing,
        now: &Standing,
    ) -> Result<(), Fault> {
        let account = self.account_mut(account)?;
        if before.books != now.books {
            account.lots = account.lots.minus(&before.books)?.plus(&now.books)?;
        }
        index(account, id, before, now);
        Ok(())
    }

    pub(super) fn settle(
        &mut self,
        giver: &HoldingId,
        taker: &HoldingId,
        amount: Credits,
    ) -> Result<(), Fault> {
        self.on_lot(&paid_lot(giver), |lot| {
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
    pub(super) fn unsettle(
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
        self.on_lot(&paid_lot(giver), |lot| {
            lot.given = lot.given.minus(amount)?;
            Ok(())
        })
    }

    /// Counts anew how many open causes freeze a payment's credits.
    pub(super) fn recount_freezes(
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
}

fn paid_lot(holding: &HoldingId) -> LotId {
    LotId { holding: holding.clone(), kind: LotKind::Paid }
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
