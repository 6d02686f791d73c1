//! What the log says of a payment and of its account.

use std::collections::BTreeMap;

use domain::{
    decision::{Effect, Taking},
    holding::HoldingId,
    ids::{AccountId, CustomerKey, OperationId, PaymentId, PaymentKey, Sequence},
    input::{Evidence, Input, Order},
    money::{Currency, Minor},
    notice::{Notice, Progress},
    record::Record,
    time::Timestamp,
    usage::Debit,
};

use crate::{
    about::{belief, outcome, what},
    cut::happened_at,
    sums::Sum,
};

/// What is gathered while the log is read from its first record.
pub(super) struct Gathered {
    pub(super) payment: PaymentId,
    pub(super) account: Option<AccountId>,
    pub(super) customer: Option<CustomerKey>,
    /// The records about the payment, in order.
    pub(super) about: Vec<Line>,
    /// When it was paid for the first time that is known.
    pub(super) paid_at: Option<Timestamp>,
    pub(super) granted: Sum,
    /// The account's usage since it was granted, in order.
    pub(super) usage: Vec<Used>,
    /// All other purchases by their payments: which is whose is known only at the end.
    others: BTreeMap<PaymentKey, Other>,
    unsigned: Vec<Sequence>,
}

/// A record about the payment.
pub(super) struct Line {
    pub(super) sequence: Sequence,
    pub(super) recorded_at: Timestamp,
    pub(super) happened_at: Timestamp,
    pub(super) what: String,
    pub(super) outcome: &'static str,
    pub(super) belief: String,
}

/// A use of credits.
pub(super) struct Used {
    pub(super) sequence: Sequence,
    pub(super) at: Timestamp,
    pub(super) debit: OperationId,
    pub(super) amount: Sum,
    /// How much of it was drawn from this payment.
    pub(super) of_payment: Sum,
    pub(super) metadata: Vec<(String, String)>,
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

impl Gathered {
    pub(super) fn new(payment: &PaymentId) -> Self {
        Self {
            payment: payment.clone(),
            account: None,
            customer: None,
            about: Vec::new(),
            paid_at: None,
            granted: Sum::ZERO,
            usage: Vec::new(),
            others: BTreeMap::new(),
            unsigned: Vec::new(),
        }
    }

    pub(super) fn add(&mut self, record: &Record) {
        let mut about = false;
        if let Some(notice) = notice(record) {
            about |= self.told(record, notice);
        }
        if let Input::Command(command) = &record.input {
            about |= ordered(&command.order).is_some_and(|payment| payment.id == self.payment);
        }
        for effect in &record.decision.effects {
            about |= self.effect(record, effect);
        }
        if !about {
            return;
        }
        if let Input::Delivery(delivery) = &record.input
            && let Evidence::BackFilled(_) = &delivery.evidence
        {
            self.unsigned.push(record.sequence);
        }
        self.about.push(Line {
            sequence: record.sequence,
            recorded_at: record.recorded_at,
            happened_at: happened_at(record),
            what: what(record),
            outcome: outcome(record),
            belief: belief(record),
        });
    }

    /// Takes in what a notice says. Says whether it is about the payment.
    fn told(&mut self, record: &Record, notice: &Notice) -> bool {
        match notice {
            Notice::Purchase(purchase) => {
                let paid = match &purchase.progress {
                    Progress::Paid(_) | Progress::Completed(_) => Some(purchase.occurred_at),
                    Progress::Unpaid(_) => None,
                };
                let origin = purchase.payment.origin.clone();
                let customer = purchase.customer.clone().map(|id| CustomerKey { origin, id });
                if purchase.payment.id == self.payment {
                    self.paid_at = earliest(self.paid_at, paid);
                    self.customer = self.customer.take().or(customer);
                    return true;
                }
                let other = self.other(&purchase.payment, record);
                other.paid_at = earliest(other.paid_at, paid);
                false
            }
            Notice::Adjustment(adjustment) => adjustment.payment.id == self.payment,
            Notice::Nothing => false,
        }
    }

    /// Takes in what changed. Says whether it is about the payment.
    fn effect(&mut self, record: &Record, effect: &Effect) -> bool {
        if let Effect::Debited { debit, usage } = effect {
            self.used(record, *debit, usage);
        }
        if let Effect::Granted { lot, amount } = effect
            && self.is_own(&lot.holding)
        {
            self.granted = self.granted.plus(Sum::of(*amount));
        }
        let Some(payment) = payment_of(effect) else { return false };
        if payment.id != self.payment {
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
        let taken = matches!(effect, Effect::Taken { by: Taking::Chargeback, .. });
        other.disputed |= taken || matches!(effect, Effect::Frozen { .. });
    }

    /// Usage counts once the payment has granted something.
    fn used(&mut self, record: &Record, debit: OperationId, usage: &Debit) {
        if self.account.as_ref() != Some(&usage.account) || self.granted.is_zero() {
            return;
        }
        let own = usage.drawn.iter().filter(|part| self.is_own(&part.lot.holding));
        let of_payment = own.fold(Sum::ZERO, |sum, part| sum.plus(Sum::of(part.amount)));
        self.usage.push(Used {
            sequence: record.sequence,
            at: record.recorded_at,
            debit,
            amount: Sum::of(usage.amount),
            of_payment,
            metadata: said(record),
        });
    }

    fn is_own(&self, holding: &HoldingId) -> bool {
        matches!(holding, HoldingId::Payment(payment) if payment.id == self.payment)
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

    /// The account's purchases that were paid before this one and never disputed.
    pub(super) fn earlier(&self) -> impl Iterator<Item = (&PaymentKey, &Other)> {
        let (account, paid_at) = (self.account.as_ref(), self.paid_at);
        self.others.iter().filter(move |(_, other)| {
            account.is_some()
                && other.account.as_ref() == account
                && !other.disputed
                && other.paid_at.is_some_and(|at| paid_at.is_some_and(|paid| at < paid))
        })
    }

    /// All records that are shown, in order.
    pub(super) fn records(&self) -> Vec<Sequence> {
        let about = self.about.iter().map(|line| line.sequence);
        let usage = self.usage.iter().map(|used| used.sequence);
        let earlier = self.earlier().map(|(_, other)| other.first);
        let mut records: Vec<Sequence> = about.chain(usage).chain(earlier).collect();
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
        let listed = |sequences: &[Sequence]| {
            sequences.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ")
        };
        let mut missing = Vec::new();
        if self.account.is_none() {
            missing.push("the payment belongs to no account, so no usage can be shown".to_owned());
        }
        if self.paid_at.is_none() {
            missing.push("no event says that it was paid".to_owned());
        }
        if self.usage.is_empty() {
            missing.push("no usage was recorded after it".to_owned());
        } else if self.usage.iter().all(|used| used.metadata.is_empty()) {
            missing.push("no use says what it was for: send metadata with debits".to_owned());
        }
        if self.earlier().next().is_none() {
            missing.push("the account has no earlier undisputed purchase".to_owned());
        }
        if !erased.is_empty() {
            let erased = listed(erased);
            missing.push(format!("the bytes of these records were erased or never kept: {erased}"));
        }
        if !self.unsigned.is_empty() {
            let unsigned = listed(&self.unsigned);
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
    if let Effect::Drawn { .. } | Effect::Reserved { .. } | Effect::Unreserved { .. } = effect {
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
