//! Which records' bodies an erasure concerns.
//!
//! Of an account: those of every record that changes it or that names it, one of its payments or one
//! of its refund cases. A delivery that moved nothing has the name and the address all the same.
//! Of a text: those that have it.

use std::collections::{BTreeMap, BTreeSet};

use domain::{
    decision::Effect,
    ids::{AccountId, LedgerId, OperationId, PaymentKey, Sequence},
    input::{Delivery, Input, Order},
    notice::Notice,
    record::Record,
    time::Timestamp,
};
use event_store::{
    erasure::{Erasures, bodies},
    form,
    log::{EventLog, ReadError},
    sled::SledStore,
};

use super::wanted::Wanted;

/// How many records are read at a time.
const RECORDS_AT_ONCE: usize = 4_096;

/// Whose or which bodies are looked for.
#[derive(Clone, Debug)]
pub struct Search {
    /// In which ledger.
    pub ledger: LedgerId,
    /// Those about this account.
    pub account: Option<AccountId>,
    /// Those with one of these texts.
    pub texts: Vec<Wanted>,
}

/// What was found.
#[derive(Clone, Debug, Default)]
pub struct Found {
    /// The records whose bodies are to be erased.
    pub items: BTreeMap<Sequence, Item>,
    /// Records of policies whose text has a text that was looked for: they say the rules, and stay.
    pub policies: Vec<Sequence>,
    /// Records that have a text themselves: in a reason, a note, metadata or an id. They stay.
    pub in_records: Vec<Sequence>,
    /// The provider's ids of the account's customer, by which other bodies may be found.
    pub customers: BTreeSet<String>,
    /// How many of the bodies that are concerned were erased before.
    pub before: u64,
    /// Whether the account, if one was named, is in the ledger.
    pub is_known: bool,
}

/// A record whose body is to be erased.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Item {
    /// When it was recorded.
    pub recorded_at: Timestamp,
    /// The provider's kind of event, or the command.
    pub what: String,
    /// Whether its body has one of the texts. The others are about the account.
    pub has_text: bool,
}

/// How far a search is, in records that were looked at, one or several times.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Progress {
    /// How many were.
    pub done: u64,
    /// How many will be.
    pub total: u64,
}

/// Looks for the bodies.
///
/// # Errors
/// The log can't be read.
pub(super) fn search(
    store: &SledStore,
    search: &Search,
    progress: &mut dyn FnMut(Progress),
) -> Result<Found, ReadError> {
    let (log, ledger) = (store.log(), &search.ledger);
    let last = log.head(ledger).map_or(0, |head| head.sequence.get());
    let passes = 1 + u64::from(!search.texts.is_empty()) + u64::from(search.account.is_some());
    let mut passed = 0_u64;
    let mut told = |at: Sequence, passed: u64| {
        let done = last.saturating_mul(passed).saturating_add(at.get());
        progress(Progress { done, total: last.saturating_mul(passes) });
    };
    let mut with_text = BTreeSet::new();
    if !search.texts.is_empty() {
        bodies(store, ledger, &mut |sequence, body| {
            told(sequence, passed);
            if search.texts.iter().any(|text| text.is_in(body)) {
                with_text.insert(sequence);
            }
        })?;
        passed = passed.saturating_add(1);
    }
    let mut about = None;
    if let Some(account) = &search.account {
        let mut learned = About::new(account.clone());
        each_record(&*log, ledger, |record| {
            told(record.sequence, passed);
            learned.learn(record);
        })?;
        passed = passed.saturating_add(1);
        about = Some(learned);
    }
    let erased = erased(&*log, ledger)?;
    let mut choice = Choice { search, about, with_text, erased, found: Found::default() };
    each_record(&*log, ledger, |record| {
        told(record.sequence, passed);
        choice.look(record);
    })?;
    Ok(choice.found)
}

/// All bodies that erasures name.
fn erased(log: &dyn EventLog, ledger: &LedgerId) -> Result<BTreeSet<Sequence>, ReadError> {
    let mut erased = BTreeSet::new();
    for erasure in Erasures::of(log, ledger) {
        erased.extend(erasure?.records);
    }
    Ok(erased)
}

fn each_record(
    log: &dyn EventLog,
    ledger: &LedgerId,
    mut visit: impl FnMut(&Record),
) -> Result<(), ReadError> {
    let mut after = None;
    loop {
        let records = log.scan(ledger, after, RECORDS_AT_ONCE)?;
        let Some(last) = records.last() else { return Ok(()) };
        after = Some(last.record().sequence);
        records.iter().for_each(|recorded| visit(recorded.record()));
    }
}

/// What belongs to an account.
struct About {
    account: AccountId,
    payments: BTreeSet<PaymentKey>,
    cases: BTreeSet<OperationId>,
    /// The records about it so far: a note to an exception follows them.
    records: BTreeSet<Sequence>,
}

impl About {
    fn new(account: AccountId) -> Self {
        let (payments, cases) = (BTreeSet::new(), BTreeSet::new());
        Self { account, payments, cases, records: BTreeSet::new() }
    }

    fn learn(&mut self, record: &Record) {
        for effect in &record.decision.effects {
            if let Effect::PaymentAssigned { payment, account } = effect
                && *account == self.account
            {
                self.payments.insert(payment.clone());
            }
            if let Effect::CaseChanged(case) = effect
                && case.account == self.account
            {
                self.cases.insert(case.id);
            }
        }
    }

    /// Whether a record is about the account.
    fn concerns(&mut self, record: &Record) -> bool {
        let about = record.decision.touches(&self.account)
            || match &record.input {
                Input::Delivery(delivery) => self.named_by(delivery),
                Input::Command(command) => self.asked_by(&command.order),
            };
        if about {
            self.records.insert(record.sequence);
        }
        about
    }

    fn named_by(&self, delivery: &Delivery) -> bool {
        match &delivery.notice {
            Ok(Notice::Purchase(purchase)) => {
                purchase.account.as_ref() == Some(&self.account)
                    || self.payments.contains(&purchase.payment)
            }
            Ok(Notice::Adjustment(adjustment)) => self.payments.contains(&adjustment.payment),
            Ok(Notice::Nothing) | Err(_) => false,
        }
    }

    fn asked_by(&self, order: &Order) -> bool {
        match order {
            Order::InformCase { case, .. }
            | Order::ApproveCase { case, .. }
            | Order::DenyCase { case, .. }
            | Order::WithdrawCase { case, .. } => self.cases.contains(case),
            Order::ConcludeDispute { payment, .. } => self.payments.contains(payment),
            Order::Release { delivery, .. } => self.named_by(delivery),
            Order::Resolve { exception, .. } => self.records.contains(&exception.sequence),
            Order::Debit { .. }
            | Order::Hold { .. }
            | Order::Capture { .. }
            | Order::ReleaseHold { .. }
            | Order::ExpireHold { .. }
            | Order::Return { .. }
            | Order::Grant { .. }
            | Order::Freeze { .. }
            | Order::Unfreeze { .. }
            | Order::ClearMeasure { .. }
            | Order::Close { .. }
            | Order::WriteOff { .. }
            | Order::AssignPayment { .. }
            | Order::AssignCustomer { .. }
            | Order::OpenCase { .. }
            | Order::Import(_) => order.account() == Some(&self.account),
            Order::ActivatePolicy { .. } | Order::Configure(_) | Order::Erase { .. } => false,
        }
    }
}

/// Chooses among the records.
struct Choice<'s> {
    search: &'s Search,
    about: Option<About>,
    /// The records whose bodies have a text.
    with_text: BTreeSet<Sequence>,
    /// The records whose bodies were erased before, or will be when that is finished.
    erased: BTreeSet<Sequence>,
    found: Found,
}

impl Choice<'_> {
    fn look(&mut self, record: &Record) {
        let sequence = record.sequence;
        if !self.search.texts.is_empty() {
            let form = form::record::encode(record);
            if self.search.texts.iter().any(|text| text.is_in(&form)) {
                self.found.in_records.push(sequence);
            }
        }
        let has_text = self.with_text.contains(&sequence);
        let is_about = self.about.as_mut().is_some_and(|about| about.concerns(record));
        if is_about {
            self.found.is_known = true;
            if let Input::Delivery(delivery) = &record.input
                && let Ok(Notice::Purchase(purchase)) = &delivery.notice
            {
                self.found.customers.extend(purchase.customer.iter().map(ToString::to_string));
            }
        }
        if !has_text && !is_about {
            return;
        }
        if self.erased.contains(&sequence) {
            self.found.before = self.found.before.saturating_add(1);
            return;
        }
        let what = match &record.input {
            Input::Delivery(delivery) => delivery.event_type.as_deref().unwrap_or("delivery"),
            Input::Command(command) => {
                if let Order::ActivatePolicy { .. } = command.order {
                    self.found.policies.push(sequence);
                    return;
                }
                command.order.name()
            }
        };
        let (recorded_at, what) = (record.recorded_at, what.to_owned());
        self.found.items.insert(sequence, Item { recorded_at, what, has_text });
    }
}
