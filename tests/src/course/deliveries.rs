//! What a provider says of payments, as time goes by.

use std::sync::Arc;

use domain::{
    ids::{AdjustmentId, CustomerId, ItemId},
    input::{Delivery, Freshness, Input, Reality, Unreadable, UnreadableFault},
    money::Minor,
    notice::{
        Action, Adjustment, AdjustmentLine, Basket, Extent, Notice, Progress, Purchase, Status,
    },
};

use super::{Course, View};
use crate::{
    dice::Dice,
    history::{
        self, Event, deliveries::basket, digest, payment, policies::currency, seconds, text,
    },
};

/// One payment, about which events are made.
pub(super) struct Scene {
    number: u32,
    basket: Basket,
    naming: Naming,
    adjustments: Vec<Adjustment>,
    is_paid: bool,
}

/// How the events of a payment name its account.
#[derive(Clone)]
enum Naming {
    /// All alike.
    Account(domain::ids::AccountId),
    /// Only the customer.
    Customer(&'static str),
    /// The customer in place of the account.
    CustomerAsAccount(&'static str),
    Nobody,
}

impl Scene {
    /// `unclear`: nobody says whose it is, more often than not.
    pub(super) fn new(dice: &mut Dice, number: u32, prices: bool, unclear: bool) -> Self {
        let code = dice.pick(&["USD", "USD", "USD", "JPY", "EUR"]);
        let name = dice.pick(&["alice", "alice", "bob"]);
        let named = domain::ids::AccountId::new(name).expect("the id is short");
        let naming = dice.pick(&[
            Naming::Account(named.clone()),
            Naming::Account(named.clone()),
            Naming::Account(named.clone()),
            Naming::Account(named),
            Naming::Customer("ctm_1"),
            Naming::CustomerAsAccount("ctm_2"),
            Naming::Nobody,
        ]);
        let naming = match unclear && dice.chance(45) {
            true => dice.pick(&[Naming::Nobody, Naming::Customer("ctm_1")]),
            false => naming,
        };
        let mut basket = basket(dice, currency(code), prices);
        if dice.chance(5) {
            basket.lines.clear();
        }
        Self { number, basket, naming, adjustments: Vec::new(), is_paid: false }
    }

    fn purchase(&mut self, dice: &mut Dice, now: i64) -> Purchase {
        let at = now - dice.pick(&[0, 0, 1, 600]);
        if self.is_paid && dice.chance(30) {
            let currency = if dice.chance(10) { currency("EUR") } else { self.basket.currency };
            self.basket =
                basket(dice, currency, self.basket.lines.iter().any(|l| l.price.is_some()));
        }
        let unpaid = if self.is_paid { 40 } else { 12 };
        let progress = if dice.chance(unpaid) {
            Progress::Unpaid(text(dice.pick(&["billed", "canceled", "past_due"])))
        } else {
            self.is_paid = true;
            let basket = self.basket.clone();
            if dice.chance(50) { Progress::Paid(basket) } else { Progress::Completed(basket) }
        };
        let other = |name: &str| domain::ids::AccountId::new(name).expect("the id is short");
        let customer = |name: &str| CustomerId::new(name).ok();
        let (account, customer) = match &self.naming {
            Naming::Account(account) if dice.chance(95) => (Some(account.clone()), None),
            Naming::Account(_) => (Some(other("bob")), customer("ctm_1")),
            Naming::Customer(name) => (None, customer(name)),
            Naming::CustomerAsAccount(name) => (Some(other(name)), customer(name)),
            Naming::Nobody => (dice.chance(5).then(|| other("alice")), None),
        };
        let occurred_at = seconds(at);
        Purchase { payment: payment(self.number), occurred_at, account, customer, progress }
    }

    fn adjustment(&mut self, dice: &mut Dice, now: i64) -> Adjustment {
        let old =
            (!self.adjustments.is_empty() && dice.chance(55)).then(|| dice.pick(&self.adjustments));
        let fact = match old {
            Some(old) if dice.chance(30) && undo_of(old.action).is_some() => {
                self.undo(dice, &old, now)
            }
            Some(old) => self.step(dice, &old, now),
            None => self.filing(dice, now),
        };
        self.adjustments.push(fact.clone());
        fact
    }

    fn filing(&self, dice: &mut Dice, now: i64) -> Adjustment {
        let at = now - dice.pick(&[0, 0, 1, 600, 7_200]);
        let action = dice.pick(&[
            Action::Refund,
            Action::Refund,
            Action::Refund,
            Action::Credit,
            Action::Chargeback,
            Action::Chargeback,
            Action::Warning,
        ]);
        let net = self.basket.subtotal.get() - self.basket.discount.get();
        let subtotal = match dice.below(10) {
            0..4 => net,
            4..9 => dice.between(0, net),
            _ => net + dice.between(1, 100),
        };
        let foreign = dice.chance(4);
        Adjustment {
            id: self.new_id(),
            payment: payment(self.number),
            occurred_at: seconds(at),
            filed_at: seconds(at),
            action,
            status: dice.pick(&[Status::Pending, Status::Approved, Status::Approved]),
            extent: dice.pick(&[Extent::Partial, Extent::Partial, Extent::Full, Extent::Unsaid]),
            currency: if foreign { currency("GBP") } else { self.basket.currency },
            subtotal: minor(subtotal),
            total: minor(subtotal + dice.pick(&[0, subtotal / 5])),
            lines: self.spread(dice, subtotal),
            customer: None,
        }
    }

    fn step(&self, dice: &mut Dice, old: &Adjustment, now: i64) -> Adjustment {
        let status = match old.status {
            Status::Pending => dice.pick(&[Status::Approved, Status::Approved, Status::Rejected]),
            Status::Approved | Status::Rejected | Status::Reversed => {
                dice.pick(&[Status::Reversed, Status::Reversed, Status::Approved, Status::Rejected])
            }
        };
        let tie = dice.chance(15);
        let occurred_at = if tie { old.occurred_at } else { seconds(now) };
        let mut step = Adjustment { occurred_at, status, ..old.clone() };
        if dice.chance(10) {
            let subtotal = dice.between(0, old.subtotal.get() + 100);
            step.subtotal = minor(subtotal);
            step.total = minor(subtotal);
            step.lines = self.spread(dice, subtotal);
        }
        step
    }

    /// A separate adjustment that undoes another, wholly or in part.
    fn undo(&self, dice: &mut Dice, old: &Adjustment, now: i64) -> Adjustment {
        let mut undo = Adjustment {
            id: self.new_id(),
            occurred_at: seconds(now),
            filed_at: seconds(now),
            action: undo_of(old.action).unwrap_or(Action::CreditReverse),
            status: dice.pick(&[Status::Approved, Status::Approved, Status::Pending]),
            ..old.clone()
        };
        if dice.chance(25) {
            let subtotal = dice.between(0, old.subtotal.get() + 1);
            undo.subtotal = minor(subtotal);
            undo.total = minor(subtotal);
            undo.lines = self.spread(dice, subtotal);
        }
        undo
    }

    fn new_id(&self) -> AdjustmentId {
        let text = format!("adj_{}_{}", self.number, self.adjustments.len() + 1);
        AdjustmentId::new(&text).expect("the id is short")
    }

    /// Spreads an amount over some lines of the basket, or over none.
    fn spread(&self, dice: &mut Dice, amount: i64) -> Vec<AdjustmentLine> {
        if dice.chance(30) {
            return Vec::new();
        }
        let line =
            |item: &ItemId, part| AdjustmentLine { item: item.clone(), subtotal: minor(part) };
        let (mut rest, mut lines) = (amount, Vec::new());
        for (index, bought) in self.basket.lines.iter().enumerate() {
            let last = index + 1 == self.basket.lines.len();
            let part = if last { rest } else { dice.between(0, rest) };
            rest -= part;
            if part > 0 {
                lines.push(line(&bought.item, part));
            }
        }
        lines
    }
}

const fn undo_of(action: Action) -> Option<Action> {
    match action {
        Action::Refund | Action::Credit => Some(Action::CreditReverse),
        Action::Chargeback => Some(Action::ChargebackReverse),
        Action::Warning => Some(Action::WarningReverse),
        Action::CreditReverse | Action::ChargebackReverse | Action::WarningReverse => None,
    }
}

impl Course {
    /// Something new, something late, or something again.
    pub(super) fn delivery(&mut self, view: &View<'_>) -> Delivery {
        let sent = match self.dice.below(100) {
            0..10 if !self.sent.is_empty() => return self.again_or_other(),
            10..35 if !self.late.is_empty() => {
                let index = self.dice.below(self.late.len());
                self.late.swap_remove(index)
            }
            _ => {
                if self.dice.chance(25) {
                    let late = self.happen(view);
                    self.late.push(late);
                }
                self.happen(view)
            }
        };
        self.sent.push(sent.clone());
        sent
    }

    /// An event that was sent before: as it was, at a better time, or with other content.
    fn again_or_other(&mut self) -> Delivery {
        let mut again = self.dice.pick(&self.sent);
        if self.dice.chance(40) {
            again.freshness = Freshness::Fresh;
        }
        if self.dice.chance(15) {
            let number = self.dice.below(2);
            again.content = digest(9, u32::try_from(number).expect("it is below two"));
        }
        again
    }

    fn happen(&mut self, view: &View<'_>) -> Delivery {
        self.events += 1;
        if let Some(back) = self.around_a_case(view) {
            return delivered(self.events, Notice::Adjustment(back));
        }
        let index = self.dice.below(self.scenes.len());
        let (dice, now) = (&mut self.dice, view.now.seconds());
        let scene = self.scenes.get_mut(index).expect("the index is below the length");
        let clean = self.about_cases && dice.chance(90);
        let buys = if scene.is_paid { 12 } else { 85 };
        let notice = if dice.chance(2) {
            Notice::Nothing
        } else if dice.chance(buys) {
            Notice::Purchase(scene.purchase(dice, now))
        } else {
            Notice::Adjustment(scene.adjustment(dice, now))
        };
        let mut delivery = delivered(self.events, notice);
        if clean {
            return delivery;
        }
        delivery.freshness = dice.pick(&[
            Freshness::Fresh,
            Freshness::Fresh,
            Freshness::Fresh,
            Freshness::Fresh,
            Freshness::Fresh,
            Freshness::Fresh,
            Freshness::Old,
            Freshness::Future,
        ]);
        if dice.chance(3) {
            delivery.reality = Reality::Simulated;
        }
        if dice.chance(3) {
            let fault = dice.pick(&[
                UnreadableFault::Malformed,
                UnreadableFault::UnknownAction,
                UnreadableFault::UnknownCurrency,
                UnreadableFault::AmountInvalid,
            ]);
            delivery.notice = Err(Unreadable { fault, detail: Arc::from("it is generated so") });
        }
        delivery
    }
}

fn delivered(number: u32, notice: Notice) -> Delivery {
    match history::delivery(&Event { number, notice }) {
        Input::Delivery(delivery) => *delivery,
        Input::Command(_) => unreachable!("it is a delivery"),
    }
}

fn minor(amount: i64) -> Minor {
    Minor::new(amount).expect("generated amounts are in range")
}
