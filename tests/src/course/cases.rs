//! Refund cases: opened, informed, approved, denied, withdrawn.

use domain::{
    case::{Application, CaseStatus, Invoice},
    ids::{OperationId, PaymentKey},
    input::{Approval, Order},
    money::Minor,
};

use super::{
    Course, View,
    policies::{FACTS, REASONS, some_facts},
};
use crate::{
    history::{payment, policies::currency, seconds, text},
    naive::Case,
};

impl Course {
    pub(super) fn case(&mut self, view: &View<'_>) -> Order {
        let known = view.ledger.cases.iter();
        let (open, over): (Vec<_>, Vec<_>) = known.partition(|(_, case)| !case.is_over());
        let open = open.into_iter().filter(|(_, case)| {
            // What waits for the processor alone is seldom touched.
            !matches!(case.status, CaseStatus::Approved { .. }) || self.dice.chance(20)
        });
        let open: Vec<(&OperationId, &Case)> = open.collect();
        if view.picture.payments.is_empty() && self.dice.chance(95) {
            return self.spending(view);
        }
        let unclear = open.iter().any(|(_, case)| {
            let paid = view.picture.payments.get(&case.payment);
            paid.is_some_and(|paid| paid.account.is_none())
        });
        if unclear && self.dice.chance(12) {
            return self.assign_payment(view);
        }
        if view.picture.accounts.is_empty() && self.dice.chance(60) {
            return self.grant(view);
        }
        if open.is_empty() && (over.is_empty() || self.dice.chance(90)) || self.dice.chance(20) {
            return self.open_case(view);
        }
        let ids: Vec<OperationId> = open.iter().chain(&over).map(|(id, _)| **id).collect();
        let first = open.first().map(|(id, _)| **id).filter(|_| self.dice.chance(80));
        let case = first.unwrap_or_else(|| self.id(&ids));
        let known = view.ledger.cases.get(&case);
        let waits =
            known.is_some_and(|case| matches!(case.status, CaseStatus::NeedsInformation { .. }));
        match self.dice.below(10) {
            0..=4 if waits => self.inform(view, case),
            0..=4 => {
                let remedy = self.remedy(known);
                Order::ApproveCase { case, remedy, note: None }
            }
            5..=6 => self.inform(view, case),
            7 => Order::DenyCase { case, note: text("no") },
            _ => Order::WithdrawCase { case, note: None },
        }
    }

    fn open_case(&mut self, view: &View<'_>) -> Order {
        let known: Vec<PaymentKey> = view.picture.payments.keys().cloned().collect();
        let some = self.pick(&known).filter(|_| self.dice.chance(97));
        let payment = some.unwrap_or_else(|| payment(99));
        let paid = view.picture.payments.get(&payment);
        let own = paid.and_then(|paid| paid.account.clone()).filter(|_| self.dice.chance(95));
        let account = own.unwrap_or_else(|| self.account(view));
        let reason = if self.dice.chance(2) { "whim" } else { self.dice.pick(&REASONS) };
        let application = self.application(view, &payment);
        Order::OpenCase { account, payment, reason: text(reason), application }
    }

    fn inform(&mut self, view: &View<'_>, case: OperationId) -> Order {
        let payment = view.ledger.cases.get(&case).map(|case| case.payment.clone());
        let payment = payment.unwrap_or_else(payment_of_nothing);
        Order::InformCase { case, application: self.application(view, &payment) }
    }

    fn application(&mut self, view: &View<'_>, payment: &PaymentKey) -> Application {
        let paid = view.picture.payments.get(payment);
        let basket = paid.and_then(|paid| paid.basket.as_ref());
        let since = paid.and_then(|paid| paid.since);
        let mut said = Application { given: some_facts(&mut self.dice, 60), ..Application::EMPTY };
        if self.about_cases || self.dice.chance(50) {
            said.given = FACTS.into_iter().map(text).collect();
        }
        let right = self.dice.chance(if self.about_cases { 97 } else { 85 });
        if said.given.contains(&text("amount")) {
            let wrong = Minor::new(1).expect("it is in range");
            said.amount = Some(basket.map_or(wrong, |basket| basket.total)).filter(|_| right);
            said.amount = said.amount.or(Some(wrong));
        }
        if said.given.contains(&text("currency")) {
            let wrong = self.dice.chance(8);
            let own = basket.map(|basket| basket.currency).filter(|_| !wrong);
            said.currency = Some(own.unwrap_or_else(|| currency("GBP")));
        }
        if let (Some(at), true) = (since, said.given.contains(&text("paid_at"))) {
            let off = self.dice.pick(&[0, 60, -86_400, 86_400, 86_401]);
            said.paid_at = Some(seconds(at.seconds() + off));
        }
        let invoices = [Invoice::None, Invoice::Reversible, Invoice::Final];
        said.invoice = self.dice.chance(40).then(|| self.dice.pick(&invoices));
        let costs = self.dice.between(0, 300);
        said.third_party_costs = Minor::new(costs).filter(|_| self.dice.chance(30));
        said
    }

    fn remedy(&mut self, case: Option<&Case>) -> Option<Approval> {
        let quoted = case.map_or(100, |case| case.money);
        let quoted = i64::try_from(quoted).unwrap_or(100);
        match self.dice.below(10) {
            0..5 => None,
            5..8 => {
                let some = [0, 1, quoted / 3, quoted / 2, quoted, quoted + 1, quoted * 6 / 5];
                let money = if self.dice.chance(5) { 1_000_000 } else { self.dice.pick(&some) };
                Minor::new(money).map(Approval::Money)
            }
            8 if self.about_cases => None,
            _ => Some(Approval::Credits(self.part(30_000_000_000, 100))),
        }
    }
}

fn payment_of_nothing() -> PaymentKey {
    payment(99)
}
