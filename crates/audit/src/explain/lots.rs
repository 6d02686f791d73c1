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
    holding::{Holding, HoldingId},
    ids::{AccountId, Sequence},
    policy::Balance,
    record::Record,
};

use crate::{
    lots::{all_held, changed, freezing, gave},
    sums::{Sum, Sums},
};

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
            // A movement leaves the range of amounts, which none of a sound log does.
            self.change(effect, at).map_err(|_| Unexplained { at })?;
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

    fn change(&mut self, effect: &Effect, at: Sequence) -> Result<(), CreditOverflow> {
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
            self.on(giver, |traced| {
                gave(&mut traced.holding, effect)?;
                traced.note(given(effect), at);
                Ok(())
            })?;
        }
        if let Some(holding) = effect.holding() {
            self.on(holding, |traced| {
                changed(&mut traced.holding, effect)?;
                traced.note(worth(effect)?, at);
                Ok(())
            })?;
        }
        if let Effect::Frozen { freeze, .. } = effect {
            self.refreeze(&freeze.id)?;
        }
        if let Effect::Unfrozen { freeze, .. } = effect {
            self.refreeze(freeze)?;
        }
        Ok(())
    }

    /// Counts anew what freezes the payment of a cause.
    fn refreeze(&mut self, cause: &FreezeId) -> Result<(), CreditOverflow> {
        let Some(payment) = cause.payment() else { return Ok(()) };
        self.on(&HoldingId::Payment(payment.clone()), |_| Ok(()))
    }

    /// Changes one holding of the account and what it adds.
    fn on(
        &mut self,
        id: &HoldingId,
        change: impl FnOnce(&mut Traced) -> Result<(), CreditOverflow>,
    ) -> Result<(), CreditOverflow> {
        let freezes = freezing(&self.freezes, id);
        let Some(traced) = self.holdings.get_mut(id) else { return Ok(()) };
        change(traced)?;
        traced.holding.freezes = freezes;
        let adds = Sums::of(&traced.holding.books()?);
        self.lots = self.lots.minus(&traced.adds).plus(&adds);
        traced.adds = adds;
        Ok(())
    }
}

/// What settling is worth to the holding that gave, and why.
fn given(effect: &Effect) -> Option<(Why, Credits)> {
    if let Effect::Settled { amount, .. } = effect {
        Some((Why::Given, amount.negated()))
    } else if let Effect::Unsettled { amount, .. } = effect {
        Some((Why::Given, *amount))
    } else {
        None
    }
}

/// What an effect is worth to the holding that it names, and why; none where it changes nothing of
/// what the lots are worth.
fn worth(effect: &Effect) -> Result<Option<(Why, Credits)>, CreditOverflow> {
    Ok(if let Effect::Granted { amount, .. } = effect {
        Some((Why::Granted, *amount))
    } else if let Effect::Drawn { amount, .. } = effect {
        Some((Why::Used, amount.negated()))
    } else if let Effect::Returned { amount, .. } = effect {
        Some((Why::MadeGood, *amount))
    } else if let Effect::Taken { by, amount, .. } = effect {
        let why = match by {
            Taking::Refund => Why::Refunded,
            Taking::Chargeback => Why::ChargedBack,
        };
        Some((why, amount.sum()?.negated()))
    } else if let Effect::Settled { amount, .. } = effect {
        Some((Why::Received, *amount))
    } else if let Effect::Unsettled { amount, .. } = effect {
        Some((Why::Received, amount.negated()))
    } else {
        None
    })
}

impl Traced {
    fn note(&mut self, told: Option<(Why, Credits)>, at: Sequence) {
        let Some((why, amount)) = told else { return };
        let new = Move { amount: Sum::ZERO, records: 0, first: at, last: at };
        let moved = self.moves.entry(why).or_insert(new);
        if moved.records == 0 || moved.last != at {
            moved.records = moved.records.saturating_add(1);
        }
        moved.amount = moved.amount.plus(Sum::of(amount));
        moved.last = at;
    }
}
