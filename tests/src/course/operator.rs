//! Operators' commands.

use std::{collections::BTreeMap, sync::Arc};

use domain::{
    account::{DisputeCause, FreezeId},
    credits::Credits,
    exception::{ExceptionId, ExceptionKind},
    holding::Pair,
    ids::{AccountId, CustomerId, CustomerKey, EventKey, OperationId, PaymentKey, Sequence},
    input::{Delivery, Import, Input, LotKind, Order},
    money::Minor,
    notice::Notice,
    payment::{Clearable, Conclusion, Opening},
};

use super::{Course, View, freezes, policies};
use crate::history::{
    self, Event, digest, origin, payment,
    policies::{currency, measures},
    seconds, text,
};

impl Course {
    pub(super) fn operation(&mut self, view: &View<'_>) -> Order {
        let odd = self.dice.chance(3);
        let frozen = odd || !freezes(view.picture).is_empty();
        let by_operator = odd || !view.ledger.freezes.is_empty();
        let owing = odd || view.picture.accounts.values().any(|one| one.books.owed > 0);
        let payments = view.picture.payments.values();
        let free = odd || payments.clone().any(|paid| paid.account.is_none());
        let disputed = odd || payments.clone().any(|paid| !paid.causes.is_empty());
        let waits = |known: &crate::naive::Waiting| known.quarantined.is_some();
        let waiting = odd || view.ledger.events.values().any(waits);
        match self.dice.below(40) {
            0..4 if owing => self.write_off(view),
            4..7 if by_operator => self.unfreeze(view),
            7..11 if frozen => self.clear(view),
            11..15 if disputed => self.conclude(view),
            15..19 if free => self.assign_payment(view),
            19..23 if waiting => self.release(view),
            23..25 if odd || view.ledger.open().next().is_some() => self.resolve(view),
            25 => Order::Close { account: self.account(view), reason: text("because") },
            26..29 => self.assign_customer(),
            29..31 => self.import(view),
            31..34 => self.activate(view),
            34..37 => self.freeze(view),
            37 => self.erase(view),
            _ => self.grant(view),
        }
    }

    pub(super) fn grant(&mut self, view: &View<'_>) -> Order {
        let account = if self.dice.chance(70) { self.account(view) } else { self.any_account() };
        Order::Grant {
            account,
            amount: self.part(40_000_000_000, 100),
            kind: self.dice.pick(&[LotKind::Paid, LotKind::Gift]),
            label: self.dice.chance(50).then(|| text("coupon")),
            reason: text("because"),
        }
    }

    fn freeze(&mut self, view: &View<'_>) -> Order {
        let account = self.account(view);
        Order::Freeze { account, reason: text("because"), measures: measures(&mut self.dice) }
    }

    fn unfreeze(&mut self, view: &View<'_>) -> Order {
        let all = view.ledger.freezes.iter();
        let open: Vec<OperationId> = all.map(|(id, _)| *id).collect();
        let freeze = self.id(&open);
        let known = view.ledger.freezes.get(&freeze).map(|known| known.0.clone());
        let own = known.filter(|_| self.dice.chance(95));
        Order::Unfreeze { account: own.unwrap_or_else(|| self.account(view)), freeze }
    }

    fn clear(&mut self, view: &View<'_>) -> Order {
        let some = self.pick(&freezes(view.picture));
        let none = FreezeId::Dispute { payment: payment(1), cause: DisputeCause::Warning };
        let (account, freeze) = some.unwrap_or_else(|| (self.account(view), none));
        let measure = self.dice.pick(&[Clearable::Verification, Clearable::Service]);
        Order::ClearMeasure { account, freeze, measure, reason: text("because") }
    }

    fn write_off(&mut self, view: &View<'_>) -> Order {
        let owing = view.picture.accounts.iter().filter(|(_, one)| one.books.owed > 0);
        let owing: Vec<(AccountId, i128)> =
            owing.map(|(id, one)| (id.clone(), one.books.owed)).collect();
        let some = self.pick(&owing);
        let (account, owed) = some.unwrap_or_else(|| (self.account(view), 10_000_000_000));
        let amount = self.dice.chance(60).then(|| self.part(owed, 105));
        Order::WriteOff { account, amount, reason: text("because") }
    }

    pub(super) fn assign_payment(&mut self, view: &View<'_>) -> Order {
        let all = view.picture.payments.iter();
        let free = all.clone().filter(|(_, paid)| paid.account.is_none());
        let free: Vec<PaymentKey> = free.map(|(key, _)| key.clone()).collect();
        let known: Vec<PaymentKey> = all.map(|(key, _)| key.clone()).collect();
        let payment = self.pick(&free).or_else(|| self.pick(&known));
        let payment = payment.unwrap_or_else(|| history::payment(99));
        let mut cases = view.ledger.cases.values();
        let asked = cases.find(|case| case.payment == payment && !case.is_over());
        let asked = asked.map(|case| case.account.clone()).filter(|_| self.dice.chance(60));
        let account = asked.unwrap_or_else(|| self.any_account());
        Order::AssignPayment { payment, account, reason: text("because") }
    }

    fn assign_customer(&mut self) -> Order {
        let id = CustomerId::new(self.dice.pick(&["ctm_1", "ctm_2"])).expect("the id is short");
        let customer = CustomerKey { origin: origin(), id };
        Order::AssignCustomer { customer, account: self.any_account(), reason: text("because") }
    }

    fn conclude(&mut self, view: &View<'_>) -> Order {
        let all = view.picture.payments.iter();
        let open: Vec<(PaymentKey, DisputeCause)> = all
            .flat_map(|(key, paid)| paid.causes.keys().map(|cause| (key.clone(), *cause)))
            .collect();
        let some = self.pick(&open).filter(|_| self.dice.chance(97));
        let number = u32::from(self.dice.chance(50)) + 1;
        let none = || (payment(number), DisputeCause::Chargeback);
        let (payment, cause) = some.unwrap_or_else(none);
        let conclusion = self.dice.pick(&[Conclusion::Lost, Conclusion::Settled]);
        Order::ConcludeDispute { payment, cause, conclusion, reason: text("because") }
    }

    /// Of the events that were sent, one whose record waits, mostly.
    fn release(&mut self, view: &View<'_>) -> Order {
        let mut events: BTreeMap<EventKey, Delivery> = BTreeMap::new();
        for sent in &self.sent {
            if view.ledger.events.contains_key(&sent.event) {
                events.entry(sent.event.clone()).or_insert_with(|| sent.clone());
            }
        }
        let waiting = events.values().filter(|sent| {
            view.ledger.events.get(&sent.event).is_some_and(|known| known.quarantined.is_some())
        });
        let waiting: Vec<Delivery> = waiting.cloned().collect();
        let all: Vec<Delivery> = events.into_values().collect();
        let some = self.pick(&waiting).or_else(|| self.pick(&all));
        let mut delivery = some.unwrap_or_else(nothing);
        // Bytes that could not be read can be read by a later program.
        if delivery.notice.is_err() && self.dice.chance(50) {
            delivery.notice = Ok(Notice::Nothing);
        }
        let known = view.ledger.events.get(&delivery.event);
        let record = known.map_or(Sequence::FIRST, |known| known.sequence);
        let (event, delivery) = (delivery.event.clone(), Box::new(delivery));
        Order::Release { record, event, delivery, reason: text("because") }
    }

    fn resolve(&mut self, view: &View<'_>) -> Order {
        let open: Vec<ExceptionId> = view.ledger.open().map(|exception| exception.id).collect();
        let all: Vec<ExceptionId> = view.ledger.shown.keys().copied().collect();
        let some = if self.dice.chance(90) { self.pick(&open) } else { self.pick(&all) };
        let none = ExceptionId { sequence: Sequence::FIRST, kind: ExceptionKind::Orphan };
        Order::Resolve { exception: some.unwrap_or(none), note: text("done") }
    }

    /// Bodies of some records; now and then of none, or of one that is not there yet.
    fn erase(&mut self, view: &View<'_>) -> Order {
        let next = i64::try_from(view.ledger.next.get()).expect("courses are short");
        let count = self.dice.pick(&[0, 1, 1, 2, 5]);
        let last = if self.dice.chance(10) { next } else { next - 1 };
        let some = (0..count).filter_map(|_| {
            u64::try_from(self.dice.between(1, last.max(1))).ok().and_then(Sequence::new)
        });
        Order::Erase { records: some.collect(), reason: text("they asked") }
    }

    fn import(&mut self, view: &View<'_>) -> Order {
        let number = self.dice.pick(&[1, 2, 3, 50, 50, 51, 51, 52]);
        let key = payment(number);
        let known = view.picture.payments.get(&key).and_then(|paid| paid.account.clone());
        let own = known.filter(|_| self.dice.chance(80));
        let granted = Pair { paid: self.part(60_000_000_000, 100), gift: self.gift() };
        let used = Pair { paid: self.used(granted.paid), gift: self.used(granted.gift) };
        let amount = |amount| Minor::new(amount).expect("it is in range");
        let late = if self.dice.chance(3) { -60 } else { self.dice.between(0, 100) * 86_400 };
        Order::Import(Box::new(Import {
            account: own.unwrap_or_else(|| self.any_account()),
            payment: key,
            paid_at: seconds(view.now.seconds() - late),
            currency: currency(self.dice.pick(&["USD", "USD", "JPY"])),
            net: amount(if self.dice.chance(3) { 0 } else { self.dice.between(1, 5_000) }),
            tax: amount(self.dice.pick(&[0, 0, 19, 190])),
            opening: Opening { granted, used },
            reason: text("moved here"),
        }))
    }

    fn gift(&mut self) -> Credits {
        if self.dice.chance(50) { Credits::ZERO } else { self.part(10_000_000_000, 100) }
    }

    fn used(&mut self, granted: Credits) -> Credits {
        match self.dice.below(20) {
            0..8 => Credits::ZERO,
            8 => self.part(granted.billionths(), 120),
            9..12 => granted,
            _ if granted.billionths() <= 0 => Credits::ZERO,
            _ => self.part(granted.billionths(), 90).min(granted),
        }
    }

    fn activate(&mut self, view: &View<'_>) -> Order {
        let Some(last) = view.ledger.policies.last() else {
            let policy = Arc::clone(&self.policy);
            return Order::ActivatePolicy { policy, file: digest(3, 1) };
        };
        let policy =
            Arc::new(policies::following(&mut self.dice, (last, self.about_cases), view.now));
        let file = digest(3, policy.version);
        Order::ActivatePolicy { policy, file }
    }
}

/// A delivery that nobody sent.
fn nothing() -> Delivery {
    let event = Event { number: 9_999, notice: Notice::Nothing };
    let Input::Delivery(delivery) = history::delivery(&event) else {
        unreachable!("it is a delivery")
    };
    *delivery
}
