//! A payment: the set of facts known about it, whatever order they came in.

use std::collections::{BTreeMap, BTreeSet};

use crate::{
    account::DisputeCause,
    case::Claim,
    exception::{ExceptionId, ExceptionKind},
    holding::Pair,
    ids::{AccountId, AdjustmentId, CustomerId, OperationId},
    money::{Currency, Minor},
    notice::{Adjustment, Basket, Progress, Purchase},
    time::Timestamp,
};

/// What is known of a payment, and what was posted of it so far.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Payment {
    /// The account: the first that was recorded wins (rule 10).
    pub account: Option<AccountId>,
    /// The provider's customer, the first that was recorded.
    pub customer: Option<CustomerId>,
    /// The currency of the first paid fact that was recorded.
    pub currency: Option<Currency>,
    /// The money's facts, once any said that it is here.
    pub paid: Option<Paid>,
    /// The latest moment at which an event said that the money is not here.
    pub unpaid_at: Option<Timestamp>,
    /// Every adjustment's latest fact.
    pub adjustments: BTreeMap<AdjustmentId, Adjustment>,
    /// Whether events named different accounts.
    pub accounts_differ: bool,
    /// Whether paid facts named different currencies.
    pub currencies_differ: bool,
    /// Money posted as received.
    pub received: Minor,
    /// Money posted as reversed.
    pub reversed: Minor,
    /// The exceptions about this payment whose cause holds.
    pub exceptions: BTreeMap<ExceptionKind, ExceptionId>,
    /// What it granted before Tallyhook knew it, instead of what the policy would grant.
    pub opening: Option<Opening>,
    /// What refund cases hold and take of it.
    pub claims: BTreeMap<OperationId, Claim>,
    /// What operators said of its disputes.
    pub rulings: Vec<Ruling>,
}

/// The credits of a payment from before Tallyhook.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Opening {
    /// What it granted.
    pub granted: Pair,
    /// What was used of it, at most what it granted.
    pub used: Pair,
}

/// What an operator said of the disputes of one kind that were filed until then.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ruling {
    /// Of which kind.
    pub cause: DisputeCause,
    /// What.
    pub what: Ruled,
    /// Of which filings: a later one starts anew.
    pub filings: BTreeSet<AdjustmentId>,
}

/// What an operator can say of a dispute.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Ruled {
    /// It is over, its measures end.
    Concluded(Conclusion),
    /// One of its measures ends.
    Cleared(Clearable),
}

/// How a dispute ended that was not won. What was taken stays taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Conclusion {
    /// The bank decided for the buyer.
    Lost,
    /// The parties agreed.
    Settled,
}

/// The measures that only an operator ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Clearable {
    /// The holder was verified.
    Verification,
    /// Service is restored.
    Service,
}

/// What is known of the money.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Paid {
    /// The earliest moment at which an event said paid or completed.
    pub earliest_at: Timestamp,
    /// The moment of the latest such event.
    pub latest_at: Timestamp,
    /// Whether that event said completed.
    pub completed: bool,
    /// What that event said was bought.
    pub basket: Basket,
}

impl Payment {
    /// A payment of which nothing is known yet.
    #[must_use]
    pub const fn unknown() -> Self {
        Self {
            account: None,
            customer: None,
            currency: None,
            paid: None,
            unpaid_at: None,
            adjustments: BTreeMap::new(),
            accounts_differ: false,
            currencies_differ: false,
            received: Minor::ZERO,
            reversed: Minor::ZERO,
            exceptions: BTreeMap::new(),
            opening: None,
            claims: BTreeMap::new(),
            rulings: Vec::new(),
        }
    }

    /// Takes in what a purchase event says, and which account it `names`. The same facts in any
    /// order leave the same payment, accounts and currencies that differ apart.
    pub fn learn_purchase(&mut self, purchase: &Purchase, names: Option<&AccountId>) {
        if let (Some(known), Some(named)) = (&self.account, names) {
            self.accounts_differ |= known != named;
        }
        if self.customer.is_none() {
            self.customer.clone_from(&purchase.customer);
        }
        match &purchase.progress {
            Progress::Unpaid(_) => self.unpaid_at = self.unpaid_at.max(Some(purchase.occurred_at)),
            Progress::Paid(basket) => self.learn_paid(purchase.occurred_at, false, basket),
            Progress::Completed(basket) => self.learn_paid(purchase.occurred_at, true, basket),
        }
    }

    fn learn_paid(&mut self, at: Timestamp, completed: bool, basket: &Basket) {
        if *self.currency.get_or_insert(basket.currency) != basket.currency {
            self.currencies_differ = true;
            return;
        }
        let new = || Paid { earliest_at: at, latest_at: at, completed, basket: basket.clone() };
        let paid = self.paid.get_or_insert_with(new);
        paid.earliest_at = paid.earliest_at.min(at);
        if (paid.latest_at, paid.completed, &paid.basket) < (at, completed, basket) {
            paid.latest_at = at;
            paid.completed = completed;
            paid.basket = basket.clone();
        }
    }

    /// Takes in what an adjustment event says: its latest moment wins, then its furthest status.
    pub fn learn_adjustment(&mut self, adjustment: &Adjustment) {
        if self.customer.is_none() {
            self.customer.clone_from(&adjustment.customer);
        }
        let rank = |fact: &Adjustment| (fact.occurred_at, fact.status);
        match self.adjustments.get_mut(&adjustment.id) {
            Some(known) => {
                let same_rank = rank(known) == rank(adjustment);
                if rank(known) < rank(adjustment) || (same_rank && &*known < adjustment) {
                    *known = adjustment.clone();
                }
            }
            None => {
                self.adjustments.insert(adjustment.id.clone(), adjustment.clone());
            }
        }
    }
}
