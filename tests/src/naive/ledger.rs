//! All that was accepted, as it was said.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use domain::{
    decision::{CreditBook, MoneyBook, Quarantine},
    exception::{Ending, Exception, ExceptionId, ExceptionKind},
    holding::{HoldingId, LotId},
    ids::{
        AccountId, CustomerKey, Digest, EventKey, IdempotencyKey, OperationId, PaymentKey, Sequence,
    },
    input::Settings,
    money::Currency,
    notice::Purchase,
    policy::{Measures, Policy},
    time::Timestamp,
    usage::HoldEnd,
};

use super::{cases::Case, lots::Lots, payment::Told};

/// All that was accepted of a ledger's inputs, and what moved between its lots.
#[derive(Clone, Debug)]
pub struct Ledger {
    /// The versions of the policy, in the order of their activation.
    pub policies: Vec<Arc<Policy>>,
    /// The settings that were put in force last.
    pub settings: Option<Settings>,
    /// The next record's sequence.
    pub next: Sequence,
    /// When the last record was recorded.
    pub recorded_at: Option<Timestamp>,
    /// What was said of every payment.
    pub payments: BTreeMap<PaymentKey, Told>,
    /// Whose a provider's customers are.
    pub customers: BTreeMap<CustomerKey, AccountId>,
    /// The accounts that commands opened.
    pub opened: BTreeSet<AccountId>,
    /// The accounts that operators closed.
    pub closed: BTreeSet<AccountId>,
    /// The freezes of operators that did not end.
    pub freezes: BTreeMap<OperationId, (AccountId, Timestamp, Measures)>,
    /// All usage.
    pub debits: BTreeMap<OperationId, Debit>,
    /// All holds, ended ones too.
    pub holds: BTreeMap<OperationId, Hold>,
    /// All refund cases, ended ones too.
    pub cases: BTreeMap<OperationId, Case>,
    /// All lots.
    pub lots: BTreeMap<HoldingId, Lots>,
    /// The events, each with the record that it belongs to.
    pub events: BTreeMap<EventKey, Waiting>,
    /// The events that came too late, each with its first record.
    pub stale: BTreeMap<EventKey, Sequence>,
    /// The records of conflicting contents.
    pub conflicts: BTreeMap<(EventKey, Digest), Sequence>,
    /// The commands' records and requests.
    pub commands: BTreeMap<IdempotencyKey, (Sequence, Digest)>,
    /// The records that were released.
    pub released: BTreeSet<Sequence>,
    /// What a person must see, or saw.
    pub shown: BTreeMap<ExceptionId, Shown>,
    /// Every credit less every debit of each book account, in billionths.
    pub credits: BTreeMap<CreditBook, i128>,
    /// Every credit less every debit of each book account, in minor units.
    pub money: BTreeMap<(Currency, MoneyBook), i128>,
}

/// Usage that happened.
#[derive(Clone, Debug)]
pub struct Debit {
    /// Whose.
    pub account: AccountId,
    /// How much.
    pub amount: i128,
    /// Of which lots, in their order.
    pub drawn: Vec<(LotId, i128)>,
    /// How much was made good.
    pub returned: Option<i128>,
}

/// Credits that were reserved.
#[derive(Clone, Debug)]
pub struct Hold {
    /// Whose.
    pub account: AccountId,
    /// How much.
    pub amount: i128,
    /// In which lots, in their order.
    pub reserved: Vec<(LotId, i128)>,
    /// When it ends by itself.
    pub expires_at: Timestamp,
    /// How it ended.
    pub ended: Option<HoldEnd>,
}

/// The record of an event.
#[derive(Clone, Copy, Debug)]
pub struct Waiting {
    /// Which.
    pub sequence: Sequence,
    /// The event's content.
    pub content: Digest,
    /// Why it waits; none where it counts.
    pub quarantined: Option<Quarantine>,
}

/// An exception, and what became of it.
#[derive(Clone, Debug)]
pub struct Shown {
    /// What a person must see.
    pub exception: Exception,
    /// What ended it first.
    pub ended: Option<(Sequence, Ending)>,
    /// Whether its cause holds, as far as the records said.
    pub stands: bool,
}

impl Ledger {
    /// A ledger without a record.
    #[must_use]
    pub const fn new() -> Self {
        Self {
            policies: Vec::new(),
            settings: None,
            next: Sequence::FIRST,
            recorded_at: None,
            payments: BTreeMap::new(),
            customers: BTreeMap::new(),
            opened: BTreeSet::new(),
            closed: BTreeSet::new(),
            freezes: BTreeMap::new(),
            debits: BTreeMap::new(),
            holds: BTreeMap::new(),
            cases: BTreeMap::new(),
            lots: BTreeMap::new(),
            events: BTreeMap::new(),
            stale: BTreeMap::new(),
            conflicts: BTreeMap::new(),
            commands: BTreeMap::new(),
            released: BTreeSet::new(),
            shown: BTreeMap::new(),
            credits: BTreeMap::new(),
            money: BTreeMap::new(),
        }
    }

    /// The last record.
    #[must_use]
    pub fn last(&self) -> Option<Sequence> {
        Sequence::new(self.next.get() - 1)
    }

    /// Whose a purchase is by its event and by what operators said of customers until now: a
    /// customer that stands for the account, or no account, is whose an operator said.
    #[must_use]
    pub fn names(&self, purchase: &Purchase) -> Option<AccountId> {
        let assigned = purchase.customer.as_ref().and_then(|customer| {
            let origin = purchase.payment.origin.clone();
            self.customers.get(&CustomerKey { origin, id: customer.clone() })
        });
        let stands_in = match (&purchase.account, &purchase.customer) {
            (None, _) => true,
            (Some(account), Some(customer)) => account.as_str() == customer.as_str(),
            (Some(_), None) => false,
        };
        // Then the event says nothing against the account that the payment has.
        let known = self.payments.get(&purchase.payment).and_then(Told::account);
        let assigned = assigned.filter(|_| stands_in).map(|assigned| known.unwrap_or(assigned));
        assigned.or(purchase.account.as_ref()).cloned()
    }

    /// The exceptions of which nothing was said but that they are there.
    pub fn open(&self) -> impl Iterator<Item = &Exception> {
        self.shown.values().filter(|shown| shown.ended.is_none()).map(|shown| &shown.exception)
    }

    /// The kinds of exceptions about a payment whose cause holds, as the records said.
    #[must_use]
    pub fn standing(&self, payment: &PaymentKey) -> BTreeSet<ExceptionKind> {
        let about = self.shown.values().filter(|shown| {
            shown.stands
                && shown.exception.payment.as_ref() == Some(payment)
                && follows_facts(shown.exception.id.kind)
        });
        about.map(|shown| shown.exception.id.kind).collect()
    }
}

impl Default for Ledger {
    fn default() -> Self {
        Self::new()
    }
}

/// Whether a kind of exception stands exactly while the facts about its payment say so.
pub(super) const fn follows_facts(kind: ExceptionKind) -> bool {
    matches!(
        kind,
        ExceptionKind::Orphan
            | ExceptionKind::Unassigned
            | ExceptionKind::CurrencyMismatch
            | ExceptionKind::AccountMismatch
            | ExceptionKind::OverRefund
            | ExceptionKind::UnlistedPrice
            | ExceptionKind::PaidThenCanceled
    )
}
