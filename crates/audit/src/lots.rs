//! All lots of a ledger, folded from the effects of its records alone: what these say that each
//! record moved, for holding its transfers against it.
//!
//! What an effect does to a holding ([`changed`], [`gave`]) is here for explanations, too.
//!
//! Never here: a transfer.

use std::collections::BTreeMap;

use domain::{
    account::{Freeze, FreezeId},
    credits::CreditOverflow,
    decision::{Effect, Taking},
    holding::{Holding, HoldingId, Lot, LotId},
    ids::AccountId,
    input::LotKind,
    policy::Balance,
    record::Record,
};

use crate::sums::{Sum, Sums};

/// What a record's effects come to for each account that they can move something of.
pub(crate) type Moved = BTreeMap<AccountId, Sums>;

/// The lots of all accounts.
#[derive(Default)]
pub(crate) struct Lots {
    holdings: BTreeMap<HoldingId, Holding>,
    accounts: BTreeMap<AccountId, Own>,
}

/// What is kept of an account.
struct Own {
    /// What its lots add, an account-wide freeze apart.
    lots: Sums,
    freezes: BTreeMap<FreezeId, Freeze>,
}

impl Own {
    const NEW: Self = Self { lots: Sums::ZERO, freezes: BTreeMap::new() };

    /// The balance that follows from the lots and the open causes.
    fn balance(&self) -> Sums {
        let mut causes = self.freezes.values();
        let frozen = causes.any(|freeze| freeze.measures.balance == Balance::FreezeAccount);
        if frozen { all_held(self.lots) } else { self.lots }
    }
}

impl Lots {
    /// Takes in the log's next record. An effect on lots that are not there, or one that leaves the
    /// range of amounts, changes nothing: its record's transfers, if it has any, show that.
    pub(crate) fn take(&mut self, record: &Record) -> Moved {
        let mut before: BTreeMap<AccountId, Sums> = BTreeMap::new();
        for effect in &record.decision.effects {
            let Some(account) = self.account_of(effect).cloned() else { continue };
            let own = self.accounts.get(&account);
            let balance = own.map_or(Sums::ZERO, Own::balance);
            before.entry(account.clone()).or_insert(balance);
            self.change(&account, effect);
        }
        let moved = before.into_iter().map(|(account, before)| {
            let after = self.accounts.get(&account).map_or(Sums::ZERO, Own::balance);
            (account, after.minus(&before))
        });
        moved.collect()
    }

    /// The account whose balance an effect can move.
    fn account_of<'e>(&'e self, effect: &'e Effect) -> Option<&'e AccountId> {
        if let Effect::HoldingOpened { terms, .. } = effect {
            return Some(&terms.account);
        }
        let holding = effect.holding().and_then(|id| self.holdings.get(id));
        effect.account().or_else(|| holding.map(|holding| &holding.terms.account))
    }

    fn change(&mut self, account: &AccountId, effect: &Effect) {
        if let Effect::HoldingOpened { holding: id, terms } = effect {
            let new = || Holding::new(terms.clone());
            self.holdings.entry(id.clone()).or_insert_with(new);
            self.on(account, id, |holding| {
                holding.terms = terms.clone();
                Ok(())
            });
            return;
        }
        if let Effect::Frozen { freeze, .. } = effect {
            self.own(account).freezes.insert(freeze.id.clone(), freeze.clone());
            self.refreeze(account, &freeze.id);
        }
        if let Effect::Unfrozen { freeze, .. } = effect {
            self.own(account).freezes.remove(freeze);
            self.refreeze(account, freeze);
        }
        if let Effect::Settled { giver, .. } | Effect::Unsettled { giver, .. } = effect {
            self.on(account, giver, |holding| gave(holding, effect));
        }
        if let Some(id) = effect.holding() {
            self.on(account, id, |holding| changed(holding, effect));
        }
    }

    fn own(&mut self, account: &AccountId) -> &mut Own {
        self.accounts.entry(account.clone()).or_insert(Own::NEW)
    }

    /// Counts anew what freezes the payment of a cause.
    fn refreeze(&mut self, account: &AccountId, cause: &FreezeId) {
        if let Some(payment) = cause.payment() {
            self.on(account, &HoldingId::Payment(payment.clone()), |_| Ok(()));
        }
    }

    /// Changes a holding of an account, and what the account's lots add.
    fn on(
        &mut self,
        account: &AccountId,
        id: &HoldingId,
        change: impl FnOnce(&mut Holding) -> Result<(), CreditOverflow>,
    ) {
        let own = self.accounts.entry(account.clone()).or_insert(Own::NEW);
        let Some(holding) = self.holdings.get_mut(id) else { return };
        let mut after = holding.clone();
        after.freezes = freezing(&own.freezes, id);
        let books = change(&mut after).and_then(|()| Ok((holding.books()?, after.books()?)));
        if let Ok((before, now)) = books {
            own.lots = own.lots.minus(&Sums::of(&before)).plus(&Sums::of(&now));
            *holding = after;
        }
    }
}

/// How many open causes freeze a payment's credits.
pub(crate) fn freezing(causes: &BTreeMap<FreezeId, Freeze>, id: &HoldingId) -> u16 {
    let HoldingId::Payment(payment) = id else { return 0 };
    let freezing = causes.values().filter(|freeze| {
        freeze.id.payment() == Some(payment) && freeze.measures.balance == Balance::FreezePayment
    });
    u16::try_from(freezing.count()).unwrap_or(u16::MAX)
}

/// What is left of credits while a cause holds all of the account's.
pub(crate) const fn all_held(sums: Sums) -> Sums {
    Sums { paid: Sum::ZERO, gift: Sum::ZERO, held: sums.held.plus(sums.available()), ..sums }
}

/// What settling is to the holding that gave.
pub(crate) fn gave(holding: &mut Holding, effect: &Effect) -> Result<(), CreditOverflow> {
    let lot = &mut holding.paid;
    if let Effect::Settled { amount, .. } = effect {
        lot.given = lot.given.plus(*amount)?;
    }
    if let Effect::Unsettled { amount, .. } = effect {
        lot.given = lot.given.minus(*amount)?;
    }
    Ok(())
}

/// What an effect is to the holding that it names.
pub(crate) fn changed(holding: &mut Holding, effect: &Effect) -> Result<(), CreditOverflow> {
    match effect {
        Effect::Granted { lot, amount } => {
            let own = lot_of(holding, lot);
            own.granted = own.granted.plus(*amount)?;
        }
        Effect::Drawn { lot, amount } => {
            let own = lot_of(holding, lot);
            own.drawn = own.drawn.plus(*amount)?;
        }
        Effect::Returned { lot, amount, .. } => {
            let own = lot_of(holding, lot);
            own.drawn = own.drawn.minus(*amount)?;
        }
        Effect::Reserved { lot, amount, .. } => {
            let own = lot_of(holding, lot);
            own.reserved = own.reserved.plus(*amount)?;
        }
        Effect::Unreserved { lot, amount, .. } => {
            let own = lot_of(holding, lot);
            own.reserved = own.reserved.minus(*amount)?;
        }
        Effect::Taken { by: Taking::Refund, amount, .. } => {
            holding.refunded = holding.refunded.plus(*amount)?;
        }
        Effect::Taken { by: Taking::Chargeback, amount, .. } => {
            holding.charged_back = holding.charged_back.plus(*amount)?;
        }
        Effect::Awaited { amount, .. } => holding.awaited = holding.awaited.plus(*amount)?,
        Effect::Forgiven { amount, .. } => holding.forgiven = holding.forgiven.plus(*amount)?,
        Effect::Settled { amount, .. } => {
            holding.paid.received = holding.paid.received.plus(*amount)?;
        }
        Effect::Unsettled { amount, .. } => {
            holding.paid.received = holding.paid.received.minus(*amount)?;
        }
        // The others name no holding, or only open one.
        Effect::PaymentAssigned { .. }
        | Effect::AccountOpened { .. }
        | Effect::HoldingOpened { .. }
        | Effect::HoldPlaced { .. }
        | Effect::HoldEnded { .. }
        | Effect::Debited { .. }
        | Effect::MoneyMoved { .. }
        | Effect::Frozen { .. }
        | Effect::Unfrozen { .. }
        | Effect::ChargebackCounted { .. }
        | Effect::Closed { .. }
        | Effect::Reopened { .. }
        | Effect::CustomerAssigned { .. }
        | Effect::PaymentImported(_)
        | Effect::CaseChanged(_)
        | Effect::DisputeRuled { .. }
        | Effect::Raised(_)
        | Effect::Cleared(_)
        | Effect::Resolved(_)
        | Effect::Released(_) => {}
    }
    Ok(())
}

const fn lot_of<'h>(holding: &'h mut Holding, lot: &LotId) -> &'h mut Lot {
    match lot.kind {
        LotKind::Paid => &mut holding.paid,
        LotKind::Gift => &mut holding.gift,
    }
}
