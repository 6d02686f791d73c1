//! The lots of an account, folded from the effects of its records: what each was granted, what
//! became of that, and what it adds to the balance.
//!
//! The balance itself is summed from transfers, so both are held against each other after every
//! record: a page on which they disagree is never shown.

use std::collections::BTreeMap;

use domain::{
    account::{Freeze, FreezeId},
    credits::{CreditOverflow, Credits},
    decision::{Effect, Taking},
    holding::{Holding, HoldingId, Lot, LotId, Pair},
    ids::{AccountId, PaymentKey, Sequence},
    input::LotKind,
    policy::Balance,
    record::Record,
};

use crate::sums::{Sum, Sums};

/// What changes what a lot is worth.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Why {
    /// Granted by the payment or command.
    Granted,
    /// Used.
    Used,
    /// Usage that was made good.
    MadeGood,
    /// Taken back by refunds.
    Refunded,
    /// Taken back by chargebacks and warnings.
    ChargedBack,
    /// Received from other lots for what was lacking.
    Received,
    /// Given to other lots for what they lacked.
    Given,
}

/// All movements of a lot for one reason.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Move {
    /// What they come to: below zero where they take.
    pub amount: Sum,
    /// In how many records.
    pub records: u64,
    /// The first of these.
    pub first: Sequence,
    /// The last of these.
    pub last: Sequence,
}

/// The two lots of a payment, grant or overdraft with what became of them.
#[derive(Clone, Debug)]
pub(super) struct Traced {
    pub(super) holding: Holding,
    /// The record that opened it.
    pub(super) opened: Sequence,
    pub(super) moves: BTreeMap<Why, Move>,
    /// What it adds to the balance, an account-wide freeze apart.
    pub(super) adds: Sums,
}

/// The records that were folded do not explain the balance.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Unexplained {
    /// The record after which lots and balance differ.
    pub(super) at: Sequence,
}

impl From<CreditOverflow> for Out {
    fn from(_: CreditOverflow) -> Self {
        Self
    }
}

/// A movement leaves the range of amounts, which none of a sound log does.
struct Out;

/// The lots of one account.
#[derive(Clone, Debug)]
pub(super) struct Lots {
    pub(super) account: AccountId,
    pub(super) holdings: BTreeMap<HoldingId, Traced>,
    freezes: BTreeMap<FreezeId, Freeze>,
    /// What all lots add, an account-wide freeze apart.
    lots: Sums,
    /// What the transfers come to.
    pub(super) balance: Sums,
    /// The records between which credits were frozen: what changes nothing then is in no index.
    pub(super) frozen: Vec<(Sequence, Option<Sequence>)>,
}

impl Lots {
    pub(super) const fn new(account: AccountId) -> Self {
        Self {
            account,
            holdings: BTreeMap::new(),
            freezes: BTreeMap::new(),
            lots: Sums::ZERO,
            balance: Sums::ZERO,
            frozen: Vec::new(),
        }
    }

    /// Whether an open cause holds all credits of the account.
    pub(super) fn holds_everything(&self) -> bool {
        self.freezes.values().any(|freeze| freeze.measures.balance == Balance::FreezeAccount)
    }

    /// What a lot adds to the balance, an account-wide freeze included.
    pub(super) fn adds(&self, traced: &Traced) -> Sums {
        self.as_frozen(traced.adds)
    }

    fn as_frozen(&self, sums: Sums) -> Sums {
        if self.holds_everything() { all_held(sums) } else { sums }
    }

    /// Takes in the account's next record; the lots must come to the balance after it.
    pub(super) fn take(&mut self, record: &Record) -> Result<(), Unexplained> {
        self.fold(record)?;
        self.balance = self.balance.plus(&Sums::moved(&self.account, &record.decision.transfers));
        let explained = self.as_frozen(self.lots) == self.balance;
        if explained { Ok(()) } else { Err(Unexplained { at: record.sequence }) }
    }

    /// Takes in what a record changes of the lots.
    pub(super) fn fold(&mut self, record: &Record) -> Result<(), Unexplained> {
        let at = record.sequence;
        for effect in &record.decision.effects {
            self.stand(effect, at);
            self.change(effect, at).map_err(|Out| Unexplained { at })?;
        }
        Ok(())
    }

    /// Takes in what an effect says of the causes that freeze the account.
    fn stand(&mut self, effect: &Effect, at: Sequence) {
        if effect.account() != Some(&self.account) {
            return;
        }
        let was_frozen = self.is_frozen();
        if let Effect::Frozen { freeze, .. } = effect {
            self.freezes.insert(freeze.id.clone(), freeze.clone());
        }
        if let Effect::Unfrozen { freeze, .. } = effect {
            self.freezes.remove(freeze);
        }
        match (was_frozen, self.is_frozen()) {
            (false, true) => self.frozen.push((at, None)),
            (true, false) => {
                if let Some((_, end)) = self.frozen.last_mut() {
                    *end = Some(at);
                }
            }
            (false, false) | (true, true) => {}
        }
    }

    fn is_frozen(&self) -> bool {
        self.freezes.values().any(|freeze| freeze.measures.balance != Balance::Keep)
    }

    fn change(&mut self, effect: &Effect, at: Sequence) -> Result<(), Out> {
        if let Effect::HoldingOpened { holding, terms } = effect
            && terms.account == self.account
        {
            let opened = || Traced {
                holding: Holding::new(terms.clone()),
                opened: at,
                moves: BTreeMap::new(),
                adds: Sums::ZERO,
            };
            let traced = self.holdings.entry(holding.clone()).or_insert_with(opened);
            traced.holding.terms = terms.clone();
        }
        if let Effect::Settled { giver, .. } | Effect::Unsettled { giver, .. } = effect {
            self.moved(giver, effect, at, given)?;
        }
        if let Some(holding) = effect.holding() {
            self.moved(holding, effect, at, changed)?;
        }
        if let Effect::Frozen { freeze, .. } = effect
            && let Some(payment) = freeze.id.payment()
        {
            self.refreeze(payment)?;
        }
        if let Effect::Unfrozen { freeze, .. } = effect
            && let Some(payment) = freeze.payment()
        {
            self.refreeze(payment)?;
        }
        Ok(())
    }

    /// Changes one holding of the account and what it adds.
    fn moved(
        &mut self,
        id: &HoldingId,
        effect: &Effect,
        at: Sequence,
        change: impl FnOnce(&mut Traced, &Effect, Sequence) -> Result<(), Out>,
    ) -> Result<(), Out> {
        let freezes = self.freezes_of(id);
        let Some(traced) = self.holdings.get_mut(id) else { return Ok(()) };
        change(traced, effect, at)?;
        traced.holding.freezes = freezes;
        let adds = Sums::of(&traced.holding.books()?);
        self.lots = self.lots.minus(&traced.adds).plus(&adds);
        traced.adds = adds;
        Ok(())
    }

    fn refreeze(&mut self, payment: &PaymentKey) -> Result<(), Out> {
        let id = HoldingId::Payment(payment.clone());
        let freezes = self.freezes_of(&id);
        let Some(traced) = self.holdings.get_mut(&id) else { return Ok(()) };
        traced.holding.freezes = freezes;
        let adds = Sums::of(&traced.holding.books()?);
        self.lots = self.lots.minus(&traced.adds).plus(&adds);
        traced.adds = adds;
        Ok(())
    }

    /// How many open causes freeze a payment's credits.
    fn freezes_of(&self, id: &HoldingId) -> u16 {
        let HoldingId::Payment(payment) = id else { return 0 };
        let freezing = self.freezes.values().filter(|freeze| {
            freeze.id.payment() == Some(payment)
                && freeze.measures.balance == Balance::FreezePayment
        });
        u16::try_from(freezing.count()).unwrap_or(u16::MAX)
    }
}

/// What is left of credits while a cause holds all of the account's.
pub(super) const fn all_held(sums: Sums) -> Sums {
    Sums { paid: Sum::ZERO, gift: Sum::ZERO, held: sums.held.plus(sums.available()), ..sums }
}

/// What settling is to the holding that gave.
fn given(traced: &mut Traced, effect: &Effect, at: Sequence) -> Result<(), Out> {
    let (amount, moved) = if let Effect::Settled { amount, .. } = effect {
        (*amount, amount.negated())
    } else if let Effect::Unsettled { amount, .. } = effect {
        (amount.negated(), *amount)
    } else {
        return Ok(());
    };
    let lot = &mut traced.holding.paid;
    lot.given = lot.given.plus(amount)?;
    traced.note(Why::Given, moved, at);
    Ok(())
}

/// What an effect is to the holding that it names.
fn changed(traced: &mut Traced, effect: &Effect, at: Sequence) -> Result<(), Out> {
    match effect {
        Effect::Granted { lot, amount } => {
            let own = traced.lot(lot);
            own.granted = own.granted.plus(*amount)?;
            traced.note(Why::Granted, *amount, at);
        }
        Effect::Drawn { lot, amount } => {
            let own = traced.lot(lot);
            own.drawn = own.drawn.plus(*amount)?;
            traced.note(Why::Used, amount.negated(), at);
        }
        Effect::Returned { lot, amount, .. } => {
            let own = traced.lot(lot);
            own.drawn = own.drawn.minus(*amount)?;
            traced.note(Why::MadeGood, *amount, at);
        }
        Effect::Reserved { lot, amount, .. } => {
            let own = traced.lot(lot);
            own.reserved = own.reserved.plus(*amount)?;
        }
        Effect::Unreserved { lot, amount, .. } => {
            let own = traced.lot(lot);
            own.reserved = own.reserved.minus(*amount)?;
        }
        Effect::Taken { by, amount, .. } => traced.take(*by, *amount, at)?,
        Effect::Awaited { amount, .. } => {
            traced.holding.awaited = traced.holding.awaited.plus(*amount)?;
        }
        Effect::Forgiven { amount, .. } => {
            traced.holding.forgiven = traced.holding.forgiven.plus(*amount)?;
        }
        Effect::Settled { amount, .. } => {
            let lot = &mut traced.holding.paid;
            lot.received = lot.received.plus(*amount)?;
            traced.note(Why::Received, *amount, at);
        }
        Effect::Unsettled { amount, .. } => {
            let lot = &mut traced.holding.paid;
            lot.received = lot.received.minus(*amount)?;
            traced.note(Why::Received, amount.negated(), at);
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

impl Traced {
    const fn lot(&mut self, lot: &LotId) -> &mut Lot {
        match lot.kind {
            LotKind::Paid => &mut self.holding.paid,
            LotKind::Gift => &mut self.holding.gift,
        }
    }

    fn take(&mut self, by: Taking, amount: Pair, at: Sequence) -> Result<(), Out> {
        let (taken, why) = match by {
            Taking::Refund => (&mut self.holding.refunded, Why::Refunded),
            Taking::Chargeback => (&mut self.holding.charged_back, Why::ChargedBack),
        };
        *taken = taken.plus(amount)?;
        self.note(why, amount.sum()?.negated(), at);
        Ok(())
    }

    fn note(&mut self, why: Why, amount: Credits, at: Sequence) {
        let new = Move { amount: Sum::ZERO, records: 0, first: at, last: at };
        let moved = self.moves.entry(why).or_insert(new);
        if moved.records == 0 || moved.last != at {
            moved.records = moved.records.saturating_add(1);
        }
        moved.amount = moved.amount.plus(Sum::of(amount));
        moved.last = at;
    }
}
