//! What a processor gives back around refund cases: before one is opened, while it is, after it.

use domain::{
    case::CaseStatus,
    ids::{AdjustmentId, PaymentKey},
    money::Minor,
    notice::{Action, Adjustment, AdjustmentLine, Basket, Extent, Status},
};

use super::{Course, View};
use crate::{
    history::{policies::currency, seconds},
    naive::Case,
};

impl Course {
    /// A refund, a credit or what undoes one, of the payment of a case: what it says, a part, more.
    pub(super) fn around_a_case(&mut self, view: &View<'_>) -> Option<Adjustment> {
        if self.about_cases && !self.given_back.is_empty() && self.dice.chance(15) {
            return Some(self.said_again(view));
        }
        let cases = view.ledger.cases.values();
        let approved = cases.clone().filter(|case| is_approved(case));
        let some: Vec<&Case> = match self.about_cases && self.dice.chance(50) {
            true => cases.filter(|case| !case.is_over() || self.dice.chance(30)).collect(),
            false => approved.collect(),
        };
        let case = self.pick(&some).filter(|_| self.dice.chance(45))?;
        let paid = view.picture.payments.get(&case.payment)?;
        let fact = self.giving_back(case, paid.basket.as_ref()?, view)?;
        self.given_back.push(fact.clone());
        Some(fact)
    }

    fn giving_back(&mut self, case: &Case, basket: &Basket, view: &View<'_>) -> Option<Adjustment> {
        let wanted = if let CaseStatus::Approved { money } = &case.status {
            money.get()
        } else {
            i64::try_from(case.money).ok()?
        };
        let part = self.dice.pick(&[100, 100, 100, 101, 60, 50, 40, 10, 3]);
        let total = wanted.max(1) * part / 100 + i64::from(self.dice.chance(5));
        let subtotal = total * self.dice.pick(&[100, 83, 83]) / 100;
        let at = seconds(view.now.seconds() - self.dice.pick(&[0, 0, 0, 60, 7_200, 90_000]));
        let foreign = self.dice.chance(3);
        Some(Adjustment {
            id: self.next_id(&case.payment)?,
            payment: case.payment.clone(),
            occurred_at: at,
            filed_at: at,
            action: self.dice.pick(&[
                Action::Refund,
                Action::Refund,
                Action::Refund,
                Action::Credit,
                Action::Credit,
                Action::CreditReverse,
            ]),
            status: self.dice.pick(&[
                Status::Approved,
                Status::Approved,
                Status::Approved,
                Status::Pending,
            ]),
            extent: match self.dice.below(20) {
                0 => Extent::Full,
                1..4 => Extent::Unsaid,
                _ => Extent::Partial,
            },
            currency: if foreign { currency("GBP") } else { basket.currency },
            subtotal: Minor::new(subtotal)?,
            total: Minor::new(total)?,
            lines: self.lines_of(basket, subtotal),
            customer: None,
        })
    }

    /// One of them changes its status, later or at the same moment.
    fn said_again(&mut self, view: &View<'_>) -> Adjustment {
        let old = self.dice.pick(&self.given_back);
        let status = self.dice.pick(&[
            Status::Reversed,
            Status::Reversed,
            Status::Approved,
            Status::Rejected,
            Status::Pending,
        ]);
        let occurred_at = if self.dice.chance(10) { old.occurred_at } else { view.now };
        let again = Adjustment { status, occurred_at, ..old };
        self.given_back.push(again.clone());
        again
    }

    fn next_id(&self, payment: &PaymentKey) -> Option<AdjustmentId> {
        AdjustmentId::new(&format!("adj_case_{}_{}", payment.id, self.given_back.len())).ok()
    }

    /// Nothing of lines, or all on one of them.
    fn lines_of(&mut self, basket: &Basket, subtotal: i64) -> Vec<AdjustmentLine> {
        let bought = self.pick(&basket.lines).filter(|_| self.dice.chance(40));
        let lines = bought.and_then(|line| {
            let subtotal = Minor::new(subtotal)?;
            Some(AdjustmentLine { item: line.item, subtotal })
        });
        lines.into_iter().collect()
    }
}

const fn is_approved(case: &Case) -> bool {
    matches!(case.status, CaseStatus::Approved { .. })
}
