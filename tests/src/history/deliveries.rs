//! Generated events: small stories of payments, of which a history takes some.

use std::sync::Arc;

use domain::{
    ids::{AdjustmentId, ItemId},
    money::{Currency, Minor},
    notice::{
        Action, Adjustment, AdjustmentLine, Basket, Extent, Line, Notice, Progress, Purchase,
        Status,
    },
    policy::Policy,
};

use super::{
    DAY, Event, FIRST_DAY, account, payment,
    policies::{LISTED, UNLISTED, currency, price},
    seconds, text,
};
use crate::dice::Dice;

/// The events of one history: 1 to 7, about 1 to 3 payments.
pub(super) fn generate(dice: &mut Dice, policies: &[Arc<Policy>]) -> Vec<Event> {
    let wanted = dice.pick(&[1, 2, 3, 3, 4, 4, 4, 5, 5, 5, 6, 7]);
    let payments = dice.pick(&[1_u32, 1, 2, 2, 2, 3]);
    let prices = policies.iter().any(|policy| !policy.prices.is_empty());
    let mut scenes: Vec<Scene> =
        (1..=payments).map(|number| Scene::new(dice, number, prices)).collect();
    let mut notices: Vec<Notice> = Vec::new();
    for scene in &mut scenes {
        if dice.chance(95) {
            notices.push(Notice::Purchase(scene.purchase(dice, true)));
        }
    }
    while notices.len() < wanted {
        let index = dice.below(scenes.len());
        let scene = scenes.get_mut(index).expect("the index is below the length");
        if dice.chance(35) {
            let paid = dice.chance(45);
            notices.push(Notice::Purchase(scene.purchase(dice, paid)));
        } else {
            let story = scene.story(dice);
            notices.extend(story.into_iter().map(Notice::Adjustment));
        }
    }
    notices.truncate(wanted);
    (1..).zip(notices).map(|(number, notice)| Event { number, notice }).collect()
}

/// One payment, about which events are made.
struct Scene {
    number: u32,
    basket: Basket,
    /// Every event of the payment names the account, or only some.
    named: bool,
    paid_on: i64,
    /// How many events there are: no two have a moment in common unless that is meant.
    events: i64,
    adjustments: u32,
}

impl Scene {
    fn new(dice: &mut Dice, number: u32, prices: bool) -> Self {
        let code = dice.pick(&["USD", "USD", "USD", "JPY", "EUR"]);
        Self {
            number,
            basket: basket(dice, currency(code), prices),
            named: dice.chance(80),
            paid_on: dice.between(0, 30),
            events: 0,
            adjustments: 0,
        }
    }

    /// Seconds that no other event of the payment has.
    fn moment(&mut self, day: i64) -> i64 {
        self.events += 1;
        FIRST_DAY + day * DAY + i64::from(self.number) * 3_600 + self.events
    }

    fn purchase(&mut self, dice: &mut Dice, paid: bool) -> Purchase {
        let day = self.paid_on + dice.between(0, 3);
        let progress = if !paid {
            Progress::Unpaid(text(dice.pick(&["billed", "canceled", "past_due"])))
        } else if dice.chance(50) {
            Progress::Paid(self.basket.clone())
        } else {
            if dice.chance(30) {
                self.basket = basket(dice, self.basket.currency, has_prices(&self.basket));
            }
            Progress::Completed(self.basket.clone())
        };
        Purchase {
            payment: payment(self.number),
            occurred_at: seconds(self.moment(day)),
            account: (self.named || dice.chance(30)).then(account),
            customer: None,
            progress,
        }
    }

    /// One or a few events of one or two adjustments.
    fn story(&mut self, dice: &mut Dice) -> Vec<Adjustment> {
        let kinds = [
            (Action::Refund, Action::CreditReverse),
            (Action::Refund, Action::CreditReverse),
            (Action::Credit, Action::CreditReverse),
            (Action::Chargeback, Action::ChargebackReverse),
            (Action::Chargeback, Action::ChargebackReverse),
            (Action::Warning, Action::WarningReverse),
        ];
        let (action, undo) = dice.pick(&kinds);
        let first = self.adjustment(dice, action);
        let mut story = vec![first.clone()];
        if action == Action::Refund {
            return self.refund(dice, first);
        }
        if dice.chance(10) {
            story.push(self.step(dice, &first, Status::Rejected));
        }
        if dice.chance(60) {
            if dice.chance(50) {
                story.push(self.step(dice, &first, Status::Reversed));
            }
            if dice.chance(60) {
                story.push(self.undo(dice, &first, undo));
            }
        }
        story
    }

    fn refund(&mut self, dice: &mut Dice, first: Adjustment) -> Vec<Adjustment> {
        let pending = Adjustment { status: Status::Pending, ..first };
        let mut story = Vec::new();
        if dice.chance(60) {
            story.push(pending.clone());
        }
        let last = dice.pick(&[
            Status::Approved,
            Status::Approved,
            Status::Approved,
            Status::Rejected,
            Status::Reversed,
        ]);
        if last == Status::Reversed {
            story.push(self.step(dice, &pending, Status::Approved));
        }
        if story.is_empty() || dice.chance(80) {
            story.push(self.step(dice, &pending, last));
        }
        if last == Status::Approved && dice.chance(10) {
            story.push(self.undo(dice, &pending, Action::CreditReverse));
        }
        story
    }

    fn adjustment(&mut self, dice: &mut Dice, action: Action) -> Adjustment {
        self.adjustments += 1;
        let number = self.number * 100 + self.adjustments;
        let day = self.paid_on + dice.between(0, 25);
        let at = self.moment(day);
        let net = self.basket.subtotal.get() - self.basket.discount.get();
        let subtotal = match dice.below(10) {
            0 => 0,
            1 => net + dice.between(1, 500),
            2..5 => net,
            _ => dice.between(1, net.max(1)),
        };
        let status = match action {
            Action::Chargeback | Action::Warning => {
                dice.pick(&[Status::Approved, Status::Approved, Status::Pending])
            }
            Action::Refund
            | Action::Credit
            | Action::CreditReverse
            | Action::ChargebackReverse
            | Action::WarningReverse => Status::Approved,
        };
        let foreign = dice.chance(4);
        Adjustment {
            id: AdjustmentId::new(&format!("adj_{number}")).expect("the id is short"),
            payment: payment(self.number),
            occurred_at: seconds(at),
            filed_at: seconds(at - dice.between(0, 1) * 600),
            action,
            status,
            extent: dice.pick(&[Extent::Partial, Extent::Partial, Extent::Full, Extent::Unsaid]),
            currency: if foreign { currency("GBP") } else { self.basket.currency },
            subtotal: minor(subtotal),
            total: minor(subtotal + dice.between(0, 50)),
            lines: self.spread(dice, subtotal),
            customer: None,
        }
    }

    /// Another event of the same adjustment, mostly later, sometimes at the same moment, where
    /// the further status wins, and sometimes with another amount.
    fn step(&mut self, dice: &mut Dice, fact: &Adjustment, status: Status) -> Adjustment {
        let later = fact.occurred_at.seconds() + dice.between(1, 5) * DAY + self.events;
        self.events += 1;
        let tie = status > fact.status && dice.chance(30);
        let occurred_at = if tie { fact.occurred_at } else { seconds(later) };
        let mut step = Adjustment { occurred_at, status, ..fact.clone() };
        if dice.chance(15) {
            let subtotal = dice.between(1, fact.subtotal.get() + 100);
            step.subtotal = minor(subtotal);
            step.total = minor(subtotal);
            step.lines = self.spread(dice, subtotal);
        }
        step
    }

    /// A separate adjustment that undoes another, wholly or in part.
    fn undo(&mut self, dice: &mut Dice, fact: &Adjustment, action: Action) -> Adjustment {
        self.adjustments += 1;
        let number = self.number * 100 + self.adjustments;
        let at = fact.occurred_at.seconds() + dice.between(1, 5) * DAY + self.events;
        self.events += 1;
        let mut undo = Adjustment {
            id: AdjustmentId::new(&format!("adj_{number}")).expect("the id is short"),
            occurred_at: seconds(at),
            filed_at: seconds(at),
            action,
            status: if dice.chance(10) { Status::Rejected } else { Status::Approved },
            ..fact.clone()
        };
        if dice.chance(25) {
            let subtotal = dice.between(1, fact.subtotal.get() + 1);
            undo.subtotal = minor(subtotal);
            undo.total = minor(subtotal);
            undo.lines = self.spread(dice, subtotal);
        }
        undo
    }

    /// Spreads an amount over some lines of the basket.
    fn spread(&self, dice: &mut Dice, amount: i64) -> Vec<AdjustmentLine> {
        let mut rest = amount;
        let mut lines = Vec::new();
        for (index, line) in self.basket.lines.iter().enumerate() {
            let last = index + 1 == self.basket.lines.len();
            let part = if last { rest } else { dice.between(0, rest) };
            rest -= part;
            if part > 0 {
                lines.push(AdjustmentLine { item: line.item.clone(), subtotal: minor(part) });
            }
        }
        lines
    }
}

fn has_prices(basket: &Basket) -> bool {
    basket.lines.iter().any(|line| line.price.is_some())
}

/// Listed and unlisted lines; now and then a discount on every line, or on all of everything.
pub(crate) fn basket(dice: &mut Dice, currency: Currency, prices: bool) -> Basket {
    let free = dice.chance(4);
    let unlisted = !free && dice.chance(35);
    let discounted = dice.chance(30);
    let count = dice.pick(&[1_i64, 1, 2, 3]);
    let mut lines = Vec::new();
    for number in 1..=count {
        let quantity = dice.between(1, 3);
        let subtotal = quantity * dice.pick(&[999, 1_000, 500, 7, 3_333]);
        let discount = match (free, discounted) {
            (true, _) => subtotal,
            (false, true) => dice.between(0, subtotal - 1),
            (false, false) => 0,
        };
        let name = if unlisted && dice.chance(50) {
            UNLISTED
        } else {
            let [big, small, gift] = LISTED;
            if unlisted { dice.pick(&[big, small, gift]) } else { dice.pick(&[big, small]) }
        };
        lines.push(Line {
            item: ItemId::new(&format!("txnitm_{number}")).expect("the id is short"),
            price: (prices || dice.chance(80)).then(|| price(name)),
            quantity: u32::try_from(quantity).expect("quantities are small"),
            subtotal: minor(subtotal),
            discount: minor(discount),
        });
    }
    let sum = |of: &dyn Fn(&Line) -> Minor| lines.iter().map(|line| of(line).get()).sum::<i64>();
    let subtotal = sum(&|line| line.subtotal);
    let discount = sum(&|line| line.discount);
    let tax = dice.pick(&[0, (subtotal - discount) / 5]);
    Basket {
        currency,
        subtotal: minor(subtotal),
        discount: minor(discount),
        tax: minor(tax),
        total: minor(subtotal - discount + tax),
        lines,
    }
}

fn minor(amount: i64) -> Minor {
    Minor::new(amount).expect("generated amounts are in range")
}
