//! What the log says of a payment and of its account.

use std::{
    cmp::Reverse,
    collections::{BTreeMap, BTreeSet},
};

use domain::{
    decision::{Effect, Outcome, Taking},
    holding::HoldingId,
    ids::{AccountId, CustomerKey, OperationId, Origin, PaymentKey, Sequence},
    input::{Evidence, Input, Order},
    money::{Currency, Minor},
    notice::{Action, Notice, Progress, Purchase},
    record::Record,
    time::Timestamp,
    usage::Debit,
};

use super::{Which, ends::Ends};
use crate::{
    about::{belief, outcome, what},
    cut::happened_at,
    sums::Sum,
};

/// The most earlier purchases that are shown: the latest of them.
const EARLIER_MAX: usize = 500;

/// What is gathered while the log is read from its first record.
pub(super) struct Gathered<'a> {
    which: Which<'a>,
    /// The first payment that has the id.
    payment: Option<PaymentKey>,
    /// Where else the id is one of a payment.
    pub(super) elsewhere: BTreeSet<Origin>,
    pub(super) account: Option<AccountId>,
    pub(super) customer: Option<CustomerKey>,
    /// The records about the payment, in order.
    pub(super) about: Ends<Line>,
    /// When it was paid for the first time that is known.
    pub(super) paid_at: Option<Timestamp>,
    pub(super) granted: Sum,
    /// The account's usage since it was granted, in order.
    pub(super) usage: Ends<Used>,
    /// Whether any use says what it was for.
    usage_says: bool,
    /// What all usage drew from this payment.
    pub(super) drawn: Sum,
    /// How much of that was returned.
    pub(super) returned: Sum,
    /// All other purchases by their payments: which is whose is known only at the end.
    others: BTreeMap<PaymentKey, Other>,
    unsigned: Ends<Sequence>,
}

/// A record about the payment.
pub(super) struct Line {
    pub(super) sequence: Sequence,
    pub(super) recorded_at: Timestamp,
    pub(super) happened_at: Timestamp,
    pub(super) what: String,
    pub(super) outcome: &'static str,
    pub(super) belief: String,
    /// Whether it came with bytes of its own, which a command does not.
    pub(super) delivered: bool,
}

/// A use of credits.
pub(super) struct Used {
    pub(super) sequence: Sequence,
    pub(super) at: Timestamp,
    pub(super) debit: OperationId,
    pub(super) amount: Sum,
    /// How much of it was drawn from this payment.
    pub(super) of_payment: Sum,
    /// What of both was returned, and the record that did.
    pub(super) returned: Option<Returned>,
    pub(super) metadata: Vec<(String, String)>,
}

/// What was returned of a use.
pub(super) struct Returned {
    pub(super) sequence: Sequence,
    pub(super) amount: Sum,
    pub(super) of_payment: Sum,
}

/// Another purchase.
pub(super) struct Other {
    account: Option<AccountId>,
    pub(super) first: Sequence,
    pub(super) paid_at: Option<Timestamp>,
    pub(super) received: i128,
    pub(super) currency: Option<Currency>,
    disputed: bool,
    pub(super) refunded: bool,
}

impl<'a> Gathered<'a> {
    pub(super) fn new(which: Which<'a>) -> Self {
        Self {
            which,
            payment: None,
            elsewhere: BTreeSet::new(),
            account: None,
            customer: None,
            about: Ends::new(),
            paid_at: None,
            granted: Sum::ZERO,
            usage: Ends::new(),
            usage_says: false,
            drawn: Sum::ZERO,
            returned: Sum::ZERO,
            others: BTreeMap::new(),
            unsigned: Ends::new(),
        }
    }

    pub(super) fn add(&mut self, record: &Record) {
        let mut about = false;
        if let Some(notice) = notice(record) {
            about |= self.told(record, notice);
        }
        if let Input::Command(command) = &record.input {
            about |= ordered(&command.order).is_some_and(|payment| self.is_own(payment));
        }
        for effect in &record.decision.effects {
            about |= self.effect(record, effect);
        }
        if !about {
            return;
        }
        let delivery = match &record.input {
            Input::Delivery(delivery) => Some(delivery),
            Input::Command(_) => None,
        };
        if let Some(Evidence::BackFilled(_)) = delivery.map(|delivery| &delivery.evidence) {
            self.unsigned.push(record.sequence);
        }
        self.about.push(Line {
            sequence: record.sequence,
            recorded_at: record.recorded_at,
            happened_at: happened_at(record),
            what: what(record),
            outcome: outcome(record),
            belief: belief(record),
            delivered: delivery.is_some(),
        });
    }

    /// Takes in what a notice says, if it was believed: a conflicting or quarantined one is shown and
    /// is no fact. Says whether it is about the payment.
    fn told(&mut self, record: &Record, notice: &Notice) -> bool {
        let key = match notice {
            Notice::Purchase(purchase) => &purchase.payment,
            Notice::Adjustment(adjustment) => &adjustment.payment,
            Notice::Nothing => return false,
        };
        let is_own = self.is_own(key);
        if is_believed(record) {
            match notice {
                Notice::Purchase(purchase) => self.purchased(record, purchase, is_own),
                Notice::Adjustment(adjustment) if !is_own => {
                    let other = self.other(key, record);
                    other.disputed |= disputes(adjustment.action);
                }
                Notice::Adjustment(_) | Notice::Nothing => {}
            }
        }
        is_own
    }

    fn purchased(&mut self, record: &Record, purchase: &Purchase, is_own: bool) {
        let paid = match &purchase.progress {
            Progress::Paid(_) | Progress::Completed(_) => Some(purchase.occurred_at),
            Progress::Unpaid(_) => None,
        };
        if is_own {
            let origin = purchase.payment.origin.clone();
            let customer = purchase.customer.clone().map(|id| CustomerKey { origin, id });
            self.paid_at = earliest(self.paid_at, paid);
            self.customer = self.customer.take().or(customer);
        } else {
            let other = self.other(&purchase.payment, record);
            other.paid_at = earliest(other.paid_at, paid);
        }
    }

    /// Takes in what changed. Says whether it is about the payment.
    fn effect(&mut self, record: &Record, effect: &Effect) -> bool {
        if let Effect::Debited { debit, usage } = effect {
            self.used(record, *debit, usage);
        }
        if let Effect::Returned { debit, lot, amount } = effect {
            self.gave_back(record.sequence, *debit, &lot.holding, Sum::of(*amount));
        }
        if let Effect::Granted { lot, amount } = effect
            && self.holds(&lot.holding)
        {
            self.granted = self.granted.plus(Sum::of(*amount));
        }
        let Some(payment) = payment_of(effect) else { return false };
        if !self.is_own(payment) {
            self.of_other(record, payment, effect);
            return false;
        }
        if let Effect::PaymentAssigned { account, .. } = effect {
            self.account = Some(account.clone());
        }
        if let Effect::PaymentImported(import) = effect {
            self.paid_at = earliest(self.paid_at, Some(import.paid_at));
        }
        true
    }

    fn of_other(&mut self, record: &Record, payment: &PaymentKey, effect: &Effect) {
        let other = self.other(payment, record);
        if let Effect::PaymentAssigned { account, .. } = effect {
            other.account = Some(account.clone());
        }
        if let Effect::PaymentImported(import) = effect {
            other.paid_at = earliest(other.paid_at, Some(import.paid_at));
        }
        if let Effect::MoneyMoved { currency, received, reversed, .. } = effect {
            other.currency = Some(*currency);
            other.received = other.received.saturating_add(i128::from(received.get()));
            other.refunded |= *reversed != Minor::ZERO;
        }
        // One that was won, or whose reversal came first, took and froze nothing.
        other.disputed |= matches!(
            effect,
            Effect::Taken { by: Taking::Chargeback, .. }
                | Effect::Frozen { .. }
                | Effect::ChargebackCounted { .. }
                | Effect::DisputeRuled { .. }
        );
    }

    /// Usage counts once the payment has granted something.
    fn used(&mut self, record: &Record, debit: OperationId, usage: &Debit) {
        if self.account.as_ref() != Some(&usage.account) || self.granted.is_zero() {
            return;
        }
        let own = usage.drawn.iter().filter(|part| self.holds(&part.lot.holding));
        let of_payment = own.fold(Sum::ZERO, |sum, part| sum.plus(Sum::of(part.amount)));
        let metadata = said(record);
        self.usage_says |= !metadata.is_empty();
        self.drawn = self.drawn.plus(of_payment);
        self.usage.push(Used {
            sequence: record.sequence,
            at: record.recorded_at,
            debit,
            amount: Sum::of(usage.amount),
            of_payment,
            returned: None,
            metadata,
        });
    }

    /// What came back was not used: a bank must not be told that it was.
    fn gave_back(&mut self, at: Sequence, debit: OperationId, lot: &HoldingId, amount: Sum) {
        let of_payment = if self.holds(lot) { amount } else { Sum::ZERO };
        self.returned = self.returned.plus(of_payment);
        let Some(used) = self.usage.iter_mut().find(|used| used.debit == debit) else { return };
        let before = used.returned.take();
        let (all, own) = before.map_or((Sum::ZERO, Sum::ZERO), |one| (one.amount, one.of_payment));
        used.returned = Some(Returned {
            sequence: at,
            amount: all.plus(amount),
            of_payment: own.plus(of_payment),
        });
    }

    fn holds(&self, holding: &HoldingId) -> bool {
        matches!(holding, HoldingId::Payment(payment) if self.payment.as_ref() == Some(payment))
    }

    /// Whether a payment is the one that is asked for: the first that has its id, if its origin is
    /// not asked for.
    fn is_own(&mut self, payment: &PaymentKey) -> bool {
        let asked = self.which.origin.is_none_or(|origin| *origin == payment.origin);
        if !asked || payment.id != *self.which.payment {
            return false;
        }
        let is_own = *self.payment.get_or_insert_with(|| payment.clone()) == *payment;
        if !is_own {
            self.elsewhere.insert(payment.origin.clone());
        }
        is_own
    }

    /// All origins in which the id is one of a payment.
    pub(super) fn origins(&self) -> Vec<Origin> {
        let own = self.payment.iter().map(|payment| &payment.origin);
        own.chain(&self.elsewhere).cloned().collect()
    }

    fn other(&mut self, payment: &PaymentKey, record: &Record) -> &mut Other {
        self.others.entry(payment.clone()).or_insert(Other {
            account: None,
            first: record.sequence,
            paid_at: None,
            received: 0,
            currency: None,
            disputed: false,
            refunded: false,
        })
    }

    /// The account's purchases that were paid before this one and never disputed: the latest of them,
    /// in the order of their ids, and how many there are in all.
    pub(super) fn earlier(&self) -> (Vec<(&PaymentKey, &Other)>, usize) {
        let (account, paid_at) = (self.account.as_ref(), self.paid_at);
        let earlier = self.others.iter().filter(|(_, other)| {
            account.is_some()
                && other.account.as_ref() == account
                && !other.disputed
                && other.paid_at.is_some_and(|at| paid_at.is_some_and(|paid| at < paid))
        });
        let mut earlier: Vec<(&PaymentKey, &Other)> = earlier.collect();
        let all = earlier.len();
        earlier.sort_by_key(|(key, other)| (Reverse(other.paid_at), *key));
        earlier.truncate(EARLIER_MAX);
        earlier.sort_by_key(|(key, _)| *key);
        (earlier, all)
    }

    /// All records that are shown, in order.
    pub(super) fn records(&self) -> Vec<Sequence> {
        let about = self.about.iter().map(|line| line.sequence);
        let usage = self.usage.iter().map(|used| used.sequence);
        let returned = self.usage.iter().filter_map(|used| Some(used.returned.as_ref()?.sequence));
        let earlier = self.earlier().0.into_iter().map(|(_, other)| other.first);
        let mut records: Vec<Sequence> =
            about.chain(usage).chain(returned).chain(earlier).collect();
        records.sort_unstable();
        records.dedup();
        records
    }

    /// What is missing of what a bank or a card scheme asks for.
    pub(super) fn missing(
        &self,
        erased: &[Sequence],
        proved: Option<(usize, usize)>,
    ) -> Vec<String> {
        let mut missing = Vec::new();
        if self.account.is_none() {
            missing.push("the payment belongs to no account, so no usage can be shown".to_owned());
        }
        if self.paid_at.is_none() {
            missing.push("no event says that it was paid".to_owned());
        }
        if self.usage.all() == 0 {
            missing.push("no usage was recorded after it".to_owned());
        } else if !self.usage_says {
            missing.push("no use says what it was for: send metadata with debits".to_owned());
        }
        if self.earlier().1 == 0 {
            missing.push("the account has no earlier undisputed purchase".to_owned());
        }
        if !erased.is_empty() {
            let erased = listed(erased.iter());
            missing.push(format!("the bytes of these records were erased: {erased}"));
        }
        for (what, hidden) in [
            ("records about the payment", self.about.hidden()),
            ("uses", self.usage.hidden()),
            ("records that were brought in", self.unsigned.hidden()),
        ] {
            if hidden > 0 {
                missing
                    .push(format!("{hidden} {what} between the first and the last that are shown"));
            }
        }
        if self.unsigned.all() > 0 {
            let unsigned = listed(self.unsigned.iter());
            missing.push(format!("nobody signed these records, they were brought in: {unsigned}"));
        }
        match proved {
            None => missing.push(
                "no checkpoint was given, so nothing proves when these records were in the log"
                    .to_owned(),
            ),
            Some((covered, all)) if covered < all => missing.push(format!(
                "the checkpoint covers {covered} of {all} records: take a newer one"
            )),
            Some(_) => {}
        }
        missing.push(
            "what a ledger does not have: the customer's name and address, the address of the \
             network and the device, the terms as they were shown and accepted, what was said to \
             support; add them from elsewhere"
                .to_owned(),
        );
        missing
    }
}

fn listed<'s>(sequences: impl Iterator<Item = &'s Sequence>) -> String {
    sequences.map(ToString::to_string).collect::<Vec<_>>().join(", ")
}

/// Whether what a record was told became a fact.
const fn is_believed(record: &Record) -> bool {
    match record.decision.outcome {
        Outcome::Recorded | Outcome::Done => true,
        Outcome::Ignored | Outcome::Conflict { .. } | Outcome::Quarantined(_) => false,
    }
}

/// Whether a filing of this kind says that a bank was asked, however it ended.
const fn disputes(action: Action) -> bool {
    match action {
        Action::Chargeback
        | Action::ChargebackReverse
        | Action::Warning
        | Action::WarningReverse => true,
        Action::Refund | Action::Credit | Action::CreditReverse => false,
    }
}

fn earliest(one: Option<Timestamp>, other: Option<Timestamp>) -> Option<Timestamp> {
    one.into_iter().chain(other).min()
}

fn notice(record: &Record) -> Option<&Notice> {
    match &record.input {
        Input::Delivery(delivery) => delivery.notice.as_ref().ok(),
        Input::Command(command) => command.order.released()?.notice.as_ref().ok(),
    }
}

/// The payment that a change is about; usage of its credits is none of it.
fn payment_of(effect: &Effect) -> Option<&PaymentKey> {
    if let Effect::PaymentAssigned { payment, .. }
    | Effect::MoneyMoved { payment, .. }
    | Effect::ChargebackCounted { payment, .. }
    | Effect::DisputeRuled { payment, .. } = effect
    {
        return Some(payment);
    }
    if let Effect::PaymentImported(import) = effect {
        return Some(&import.payment);
    }
    if let Effect::CaseChanged(case) = effect {
        return Some(&case.payment);
    }
    if let Effect::Frozen { freeze, .. } = effect {
        return freeze.id.payment();
    }
    if let Effect::Unfrozen { freeze, .. } = effect {
        return freeze.payment();
    }
    if let Effect::Drawn { .. }
    | Effect::Reserved { .. }
    | Effect::Unreserved { .. }
    | Effect::Returned { .. } = effect
    {
        return None;
    }
    let HoldingId::Payment(payment) = effect.holding()? else { return None };
    Some(payment)
}

/// The payment that a command names.
fn ordered(order: &Order) -> Option<&PaymentKey> {
    if let Order::AssignPayment { payment, .. }
    | Order::OpenCase { payment, .. }
    | Order::ConcludeDispute { payment, .. } = order
    {
        return Some(payment);
    }
    let Order::Import(import) = order else { return None };
    Some(&import.payment)
}

/// What a use says of itself.
fn said(record: &Record) -> Vec<(String, String)> {
    let Input::Command(command) = &record.input else { return Vec::new() };
    let (Order::Debit { metadata, .. } | Order::Capture { metadata, .. }) = &command.order else {
        return Vec::new();
    };
    let entries = metadata.entries().iter();
    entries.map(|(name, value)| (name.to_string(), value.to_string())).collect()
}
