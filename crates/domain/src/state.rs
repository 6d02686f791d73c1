//! The state that decisions are made from: the part of a ledger that was loaded.

use std::collections::BTreeMap;

use crate::{
    account::Account,
    decision::{House, MoneyBook, Quarantine},
    exception::{Exception, ExceptionId},
    holding::{Holding, HoldingId},
    ids::{AccountId, Digest, EventKey, IdempotencyKey, LedgerId, PaymentKey, Sequence},
    input::Settings,
    money::Currency,
    payment::Payment,
    policy::Timeline,
    time::Timestamp,
};

/// Something of a ledger that a decision can depend on.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Key {
    /// An account.
    Account(AccountId),
    /// A payment.
    Payment(PaymentKey),
    /// The lots of a payment, grant or overdraft.
    Holding(HoldingId),
    /// Which record an event id belongs to.
    Event(EventKey),
    /// Which record keeps this content that differs from the event's.
    Conflict(EventKey, Digest),
    /// Which record a command's key belongs to.
    Command(IdempotencyKey),
}

/// A decision or a fold needs something that was not loaded: load it and ask again.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Missing(pub Key);

/// What a ledger keeps once, whatever its number of accounts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Book {
    /// The policies that were put in force.
    pub timeline: Timeline,
    /// SHA-256 of the file of the version put in force last.
    pub policy_file: Option<Digest>,
    /// The settings in force.
    pub settings: Option<Settings>,
    /// The last record.
    pub sequence: Option<Sequence>,
    /// When it was recorded.
    pub recorded_at: Option<Timestamp>,
    /// The house's balances of credits, in billionths.
    pub house: BTreeMap<House, i128>,
    /// All customers' balances of credits together, in billionths.
    pub customers: i128,
    /// The balances of money, in minor units.
    pub money: BTreeMap<(MoneyBook, Currency), i128>,
}

/// The record that an event belongs to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PriorEvent {
    /// Which.
    pub sequence: Sequence,
    /// Its content.
    pub content: Digest,
    /// Whether it was quarantined, and why.
    pub quarantined: Option<Quarantine>,
}

/// The record that a command's key belongs to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PriorCommand {
    /// Which.
    pub sequence: Sequence,
    /// The request.
    pub request: Digest,
}

/// The part of a ledger that was loaded. `None` says that there is no such thing; no entry says
/// that nobody looked yet.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct State {
    /// The ledger.
    pub ledger: LedgerId,
    /// What the ledger keeps once.
    pub book: Book,
    /// Accounts.
    pub accounts: BTreeMap<AccountId, Option<Account>>,
    /// Payments.
    pub payments: BTreeMap<PaymentKey, Option<Payment>>,
    /// Lots.
    pub holdings: BTreeMap<HoldingId, Option<Holding>>,
    /// Events that were looked up or recorded.
    pub events: BTreeMap<EventKey, Option<PriorEvent>>,
    /// Conflicting contents that were looked up or recorded.
    pub conflicts: BTreeMap<(EventKey, Digest), Option<Sequence>>,
    /// Keys of commands that were looked up or recorded.
    pub commands: BTreeMap<IdempotencyKey, Option<PriorCommand>>,
    /// Exceptions that were raised (or, `None`, cleared) since the state was loaded: never read
    /// by a decision.
    pub exceptions: BTreeMap<ExceptionId, Option<Exception>>,
}

impl Book {
    /// A ledger without a record.
    #[must_use]
    pub const fn empty() -> Self {
        Self {
            timeline: Timeline::EMPTY,
            policy_file: None,
            settings: None,
            sequence: None,
            recorded_at: None,
            house: BTreeMap::new(),
            customers: 0,
            money: BTreeMap::new(),
        }
    }

    /// The next record's sequence.
    #[must_use]
    pub fn next_sequence(&self) -> Sequence {
        self.sequence.map_or(Sequence::FIRST, Sequence::next)
    }
}

impl State {
    /// A state in which nothing but the ledger's book is loaded.
    #[must_use]
    pub const fn new(ledger: LedgerId, book: Book) -> Self {
        Self {
            ledger,
            book,
            accounts: BTreeMap::new(),
            payments: BTreeMap::new(),
            holdings: BTreeMap::new(),
            events: BTreeMap::new(),
            conflicts: BTreeMap::new(),
            commands: BTreeMap::new(),
            exceptions: BTreeMap::new(),
        }
    }

    /// An account.
    ///
    /// # Errors
    /// Nobody looked yet.
    pub fn account(&self, id: &AccountId) -> Result<Option<&Account>, Missing> {
        let entry = self.accounts.get(id).ok_or_else(|| Missing(Key::Account(id.clone())))?;
        Ok(entry.as_ref())
    }

    /// A payment.
    ///
    /// # Errors
    /// Nobody looked yet.
    pub fn payment(&self, key: &PaymentKey) -> Result<Option<&Payment>, Missing> {
        let entry = self.payments.get(key).ok_or_else(|| Missing(Key::Payment(key.clone())))?;
        Ok(entry.as_ref())
    }

    /// The lots of a payment, grant or overdraft.
    ///
    /// # Errors
    /// Nobody looked yet.
    pub fn holding(&self, id: &HoldingId) -> Result<Option<&Holding>, Missing> {
        let entry = self.holdings.get(id).ok_or_else(|| Missing(Key::Holding(id.clone())))?;
        Ok(entry.as_ref())
    }

    /// The record that an event belongs to.
    ///
    /// # Errors
    /// Nobody looked yet.
    pub fn event(&self, key: &EventKey) -> Result<Option<&PriorEvent>, Missing> {
        let entry = self.events.get(key).ok_or_else(|| Missing(Key::Event(key.clone())))?;
        Ok(entry.as_ref())
    }

    /// The record that keeps a content which differs from the event's first.
    ///
    /// # Errors
    /// Nobody looked yet.
    pub fn conflict(&self, key: &EventKey, content: Digest) -> Result<Option<Sequence>, Missing> {
        let missing = || Missing(Key::Conflict(key.clone(), content));
        self.conflicts.get(&(key.clone(), content)).copied().ok_or_else(missing)
    }

    /// The record that a command's key belongs to.
    ///
    /// # Errors
    /// Nobody looked yet.
    pub fn command(&self, key: &IdempotencyKey) -> Result<Option<&PriorCommand>, Missing> {
        let entry = self.commands.get(key).ok_or_else(|| Missing(Key::Command(key.clone())))?;
        Ok(entry.as_ref())
    }
}
