//! Refund cases: what the policy says to them, and what would be given back.

use std::collections::BTreeSet;

use domain::{
    account::FreezeId,
    calendar::{Calendar, Day, Weekday},
    case::{Application, CaseStatus, Charge, Decider, Invoice},
    holding::HoldingId,
    ids::{AccountId, PaymentKey, Text},
    notice::Basket,
    policy::Policy,
    refunds::{Condition, QuoteRules, Reason, ReasonVerdict, Refunds, Remedy},
    time::Timestamp,
};

use super::{
    Both,
    convert::{net, rounded_down},
    ledger::Ledger,
    picture::Picture,
    policy_at,
};

/// A refund case.
#[derive(Clone, Debug)]
pub struct Case {
    /// Who applies.
    pub account: AccountId,
    /// For which payment.
    pub payment: PaymentKey,
    /// Why.
    pub reason: Text,
    /// What was said so far.
    pub application: Application,
    /// The version in force when it was opened.
    pub policy: u32,
    /// When it was opened.
    pub opened_at: Timestamp,
    /// How far it is.
    pub status: CaseStatus,
    /// What is given back.
    pub remedy: Remedy,
    /// The lines of the quote, in minor units.
    pub lines: Vec<(Charge, i128)>,
    /// Their sum, never below zero.
    pub money: i128,
    /// The credits that go with the money.
    pub credits: Both,
}

/// What the records say of a payment when its case is judged.
struct Records<'r> {
    basket: &'r Basket,
    paid_at: Timestamp,
    /// What the credits cost.
    price: i128,
    granted: Both,
    /// Of what was granted.
    unused: Both,
    /// Of the paid credits granted: what holds reserve, and what was used.
    reserved: i128,
    used: i128,
    gift_drawn: i128,
    has_lots: bool,
    is_assigned: bool,
    /// The version that converted it.
    policy: &'r Policy,
}

impl Case {
    /// Whether nothing more can become of it.
    #[must_use]
    pub const fn is_over(&self) -> bool {
        match self.status {
            CaseStatus::NeedsInformation { .. }
            | CaseStatus::InReview { .. }
            | CaseStatus::Eligible { .. }
            | CaseStatus::Approved { .. } => false,
            CaseStatus::Corrected { .. }
            | CaseStatus::Denied { .. }
            | CaseStatus::Withdrawn
            | CaseStatus::Refunded => true,
        }
    }

    /// Takes in what is said besides.
    pub(super) fn inform(&mut self, more: &Application) {
        let said = &mut self.application;
        said.given.extend(more.given.iter().cloned());
        if more.amount.is_some() {
            said.amount = more.amount;
        }
        if more.currency.is_some() {
            said.currency = more.currency;
        }
        if more.paid_at.is_some() {
            said.paid_at = more.paid_at;
        }
        if more.invoice.is_some() {
            said.invoice = more.invoice;
        }
        if more.third_party_costs.is_some() {
            said.third_party_costs = more.third_party_costs;
        }
    }

    /// Judges and quotes the case by its own version, as things stand before its record. Gives the
    /// credits that go with the money; none where no account has them yet.
    pub(super) fn judge(
        &mut self,
        ledger: &Ledger,
        picture: &Picture,
        now: Timestamp,
    ) -> Option<Both> {
        if let (Some((refunds, reason)), Some(records)) =
            (self.rules(ledger), self.records(ledger, picture))
        {
            let restricted = self.restricted(picture);
            self.status = self.verdict((refunds, reason), &records, restricted, now);
        }
        self.quote(ledger, picture)
    }

    /// A closed account, or an open cause: but who asked first is not denied for a later dispute of
    /// the same payment.
    fn restricted(&self, picture: &Picture) -> bool {
        let Some(standing) = picture.accounts.get(&self.account) else { return false };
        standing.closed.is_some()
            || standing.freezes.iter().any(|(id, (since, _))| match id {
                FreezeId::Dispute { payment, .. } if *payment == self.payment => {
                    *since < self.opened_at
                }
                FreezeId::Dispute { .. } | FreezeId::Operator(_) => true,
            })
    }

    /// Quotes the case by what is left before its record. Gives the credits that go with the money;
    /// none where no account has them yet.
    pub(super) fn quote(&mut self, ledger: &Ledger, picture: &Picture) -> Option<Both> {
        (self.lines, self.money, self.credits) = (Vec::new(), 0, Both::default());
        let (refunds, reason) = self.rules(ledger)?;
        let records = self.records(ledger, picture)?;
        self.remedy = reason.remedy;
        if reason.remedy == Remedy::Refund {
            let lines = records.lines(&refunds.quote, &self.application);
            (self.money, self.credits) =
                (lines.iter().map(|line| line.1).sum::<i128>().max(0), records.credits());
            self.lines = lines;
        }
        let is_known = records.is_assigned || self.remedy == Remedy::Credits;
        is_known.then_some(self.credits)
    }

    fn rules<'l>(&self, ledger: &'l Ledger) -> Option<(&'l Refunds, &'l Reason)> {
        let version = ledger.policies.iter().find(|policy| policy.version == self.policy)?;
        let refunds = version.refunds.as_ref()?;
        Some((refunds, refunds.reasons.get(&self.reason)?))
    }

    fn records<'r>(&self, ledger: &'r Ledger, picture: &'r Picture) -> Option<Records<'r>> {
        let paid = picture.payments.get(&self.payment)?;
        let (basket, paid_at) = (paid.basket.as_ref()?, paid.since?);
        let policy = policy_at(&ledger.policies, paid_at);
        let id = HoldingId::Payment(self.payment.clone());
        let lots = ledger.lots.get(&id);
        let left = picture.holdings.get(&id).map(|holding| holding.left.there);
        let granted = if lots.is_some() { paid.granted } else { Both::default() };
        let told = ledger.payments.get(&self.payment)?;
        let price = match granted.paid {
            0 => net(basket) - paid.net_back,
            _ => told.conversion(policy, basket).paid,
        };
        let unused = left.unwrap_or_default().at_most(granted);
        let reserved = lots.map_or(0, |lots| lots.paid.reserved);
        Some(Records {
            basket,
            paid_at,
            price,
            granted,
            unused,
            reserved,
            used: (granted.paid - unused.paid - reserved - paid.taken.paid).max(0),
            gift_drawn: lots.map_or(0, |lots| lots.gift.drawn),
            has_lots: lots.is_some(),
            is_assigned: paid.account.is_some(),
            policy,
        })
    }

    fn verdict(
        &self,
        (refunds, reason): (&Refunds, &Reason),
        records: &Records<'_>,
        restricted: bool,
        now: Timestamp,
    ) -> CaseStatus {
        let denied = |rule: &Text| CaseStatus::Denied { rule: rule.clone(), by: Decider::Policy };
        if reason.verdict == ReasonVerdict::Deny {
            return denied(&reason.rule);
        }
        let mut missing: BTreeSet<Text> = refunds.facts.clone();
        missing.extend(reason.facts.iter().cloned());
        missing.retain(|fact| !self.application.given.contains(fact));
        let wrong = self.wrong(records);
        if !missing.is_empty() || !wrong.is_empty() {
            return CaseStatus::NeedsInformation { missing, wrong };
        }
        let days = |days: u32| i64::from(days) * 86_400_000_000;
        let last = reason.within_days.map(|window| records.paid_at.micros() + days(window));
        let late = last.is_some_and(|last| self.opened_at.micros() > last);
        let begun = reason.unused && records.used > 0;
        if late || begun {
            return denied(&reason.rule);
        }
        let invoiced = self.application.invoice == Some(Invoice::Final);
        let left = records.unused.paid > 0 || records.reserved > 0;
        let consumed = records.granted.paid > 0 && !left;
        for (condition, holds) in [
            (Condition::Restricted, restricted),
            (Condition::Invoiced, invoiced),
            (Condition::Consumed, consumed),
        ] {
            let rule = refunds.denials.get(&condition);
            if let (true, false, Some(rule)) = (holds, reason.despite.contains(&condition), rule) {
                return denied(rule);
            }
        }
        // A review that began goes on.
        let due_at = match &self.status {
            CaseStatus::InReview { due_at } | CaseStatus::Eligible { due_at } => *due_at,
            CaseStatus::NeedsInformation { .. }
            | CaseStatus::Approved { .. }
            | CaseStatus::Corrected { .. }
            | CaseStatus::Denied { .. }
            | CaseStatus::Withdrawn
            | CaseStatus::Refunded => due(&refunds.calendar, now, refunds.review_business_days),
        };
        match (reason.verdict, records.is_assigned) {
            (ReasonVerdict::Eligible, true) => CaseStatus::Eligible { due_at },
            _ => CaseStatus::InReview { due_at },
        }
    }

    fn wrong(&self, records: &Records<'_>) -> BTreeSet<Text> {
        let said = &self.application;
        let mut wrong = BTreeSet::new();
        let mut add = |is_wrong: bool, name: &str| {
            if is_wrong {
                wrong.insert(Text::new(name).expect("the name is short"));
            }
        };
        add(said.amount.is_some_and(|amount| amount != records.basket.total), "amount");
        add(said.currency.is_some_and(|one| one != records.basket.currency), "currency");
        let off = said.paid_at.map(|at| (at.micros() - records.paid_at.micros()).abs());
        add(off.is_some_and(|off| off > 86_400_000_000), "paid_at");
        wrong
    }
}

impl Records<'_> {
    /// The part of an amount that belongs to so many of the paid credits; all of it where no
    /// credits stand for the money.
    fn unused_part(&self, amount: i128) -> i128 {
        match self.granted.paid {
            0 => amount,
            granted => amount * self.unused.paid / granted,
        }
    }

    /// The part of an amount that belongs to so many credits.
    const fn worth(&self, amount: i128, credits: i128) -> i128 {
        match self.granted.paid {
            0 => 0,
            granted => amount * credits / granted,
        }
    }

    fn lines(&self, rules: &QuoteRules, said: &Application) -> Vec<(Charge, i128)> {
        let balance = self.unused_part(self.price);
        let mut lines = vec![(Charge::UnusedBalance, balance)];
        let mut money = balance;
        if rules.tax {
            let whole = net(self.basket);
            let tax = i128::from(self.basket.tax.get()) * self.price;
            let tax = self.unused_part(if whole == 0 { 0 } else { tax / whole });
            money += tax;
            lines.push((Charge::Tax, tax));
        }
        if let Some(fee) = &rules.channel_fee {
            let fixed = fee.fixed.get(&self.basket.currency).map_or(0, |fixed| fixed.get());
            let percent = money * i128::from(fee.percent.millionths()) / 1_000_000;
            lines.push((Charge::ChannelFee, -(percent + i128::from(fixed))));
        }
        if let Some(percent) = rules.invoice_tax {
            let tax = balance * i128::from(percent.millionths()) / 1_000_000;
            let issued = matches!(said.invoice, Some(Invoice::Reversible | Invoice::Final));
            lines.push((Charge::InvoiceTax, if issued { -tax } else { 0 }));
        }
        if rules.gift_used {
            // A gift is worth what so many paid credits cost; nothing where there are none.
            lines.push((Charge::GiftUsed, -self.worth(self.price, self.gift_drawn)));
        }
        if rules.promotion {
            let discount = i128::from(self.basket.discount.get());
            lines.push((Charge::Promotion, -self.worth(discount, self.used)));
        }
        if rules.third_party_costs {
            let costs = said.third_party_costs.map_or(0, |costs| i128::from(costs.get()));
            lines.push((Charge::ThirdPartyCosts, -costs));
        }
        lines
    }

    /// The unused paid credits and the gift's share that goes with their money.
    fn credits(&self) -> Both {
        if !self.has_lots {
            return Both::default();
        }
        let part = self.unused_part(self.price);
        let gift = match (part == self.price, self.price) {
            (_, 0) => 0,
            (true, _) => self.granted.gift,
            (false, price) => rounded_down(self.granted.gift * part, price, self.policy),
        };
        Both { paid: self.unused.paid, gift: gift.min(self.unused.gift) }
    }
}

/// The midnight after so many business days, the day itself not counted. Zones without summer time
/// only: all that generated calendars have.
fn due(calendar: &Calendar, from: Timestamp, business_days: u32) -> Timestamp {
    const DAY: i64 = 86_400_000_000;
    let hours = if calendar.zone.name() == "Asia/Shanghai" { 8 } else { 0 };
    let ahead = hours * 3_600_000_000;
    let mut day = (from.micros() + ahead).div_euclid(DAY);
    let days = |all: &BTreeSet<Day>| -> BTreeSet<i64> { all.iter().map(number_of).collect() };
    let (holidays, working) = (days(&calendar.holidays), days(&calendar.working_days));
    let mut left = business_days;
    while left > 0 {
        day += 1;
        let free = calendar.weekend.contains(&weekday(day)) || holidays.contains(&day);
        if working.contains(&day) || !free {
            left -= 1;
        }
    }
    Timestamp::from_micros((day + 1) * DAY - ahead).expect("generated moments are in range")
}

/// Days since 1 January 1970, which was a Thursday.
fn number_of(day: &Day) -> i64 {
    let (year, month, day) = day.parts();
    let (year, month) = (i64::from(year), i64::from(month));
    let leap = |year: i64| year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    let whole_years: i64 = (1970..year).map(|year| if leap(year) { 366 } else { 365 }).sum();
    let length = |month: i64| match month {
        2 if leap(year) => 29,
        2 => 28,
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    };
    whole_years + (1..month).map(length).sum::<i64>() + i64::from(day) - 1
}

fn weekday(day: i64) -> Weekday {
    match (day + 3).rem_euclid(7) {
        0 => Weekday::Monday,
        1 => Weekday::Tuesday,
        2 => Weekday::Wednesday,
        3 => Weekday::Thursday,
        4 => Weekday::Friday,
        5 => Weekday::Saturday,
        _ => Weekday::Sunday,
    }
}
