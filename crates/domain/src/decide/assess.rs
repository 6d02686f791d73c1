//! What a policy says to an application: pure, from the policy, the records and what was said.

use std::collections::BTreeSet;

use crate::{
    account::{Freeze, View},
    case::{Application, CaseStatus, Decider, Invoice},
    draft::Fault,
    holding::Fate,
    ids::{PaymentKey, Text},
    payment::Paid,
    refunds::{Condition, Reason, ReasonVerdict, Refunds},
    time::Timestamp,
};

/// How far an applicant's `paid_at` may be off: 24 hours either way.
const PAID_AT_DAYS: u32 = 1;

/// What an application is judged by.
pub(super) struct Matter<'m> {
    pub(super) refunds: &'m Refunds,
    pub(super) reason: &'m Reason,
    pub(super) application: &'m Application,
    pub(super) key: &'m PaymentKey,
    pub(super) paid: &'m Paid,
    /// Whether an account has the payment.
    pub(super) assigned: bool,
    /// What became of the credits that it granted; none where it granted nothing.
    pub(super) fate: Option<Fate>,
    pub(super) account: Option<&'m View>,
    pub(super) asked_at: Timestamp,
    /// Until when a review must be done that began before.
    pub(super) due_at: Option<Timestamp>,
}

impl Matter<'_> {
    /// The verdict: what the reason alone denies, then what is missing, then what else denies,
    /// then the reason's answer. A review begins now, where nothing is missing.
    pub(super) fn verdict(&self, now: Timestamp) -> Result<CaseStatus, Fault> {
        if self.reason.verdict == ReasonVerdict::Deny {
            return Ok(denied(&self.reason.rule));
        }
        let (missing, wrong) = (self.missing(), self.wrong());
        if !missing.is_empty() || !wrong.is_empty() {
            return Ok(CaseStatus::NeedsInformation { missing, wrong });
        }
        if let Some(rule) = self.denial() {
            return Ok(denied(rule));
        }
        let days = self.refunds.review_business_days;
        let due = self.due_at.or_else(|| self.refunds.calendar.due(now, days));
        let due_at = due.ok_or(Fault::Broken("the calendar has no business days"))?;
        // Whose a payment is that no account has, a person must say.
        Ok(match self.reason.verdict {
            ReasonVerdict::Eligible if self.assigned => CaseStatus::Eligible { due_at },
            ReasonVerdict::Eligible | ReasonVerdict::Review | ReasonVerdict::Deny => {
                CaseStatus::InReview { due_at }
            }
        })
    }

    fn missing(&self) -> BTreeSet<Text> {
        let asked = self.refunds.facts.union(&self.reason.facts);
        asked.filter(|fact| !self.application.given.contains(fact)).cloned().collect()
    }

    /// What was said and is not what the ledger's records say (N4).
    fn wrong(&self) -> BTreeSet<Text> {
        let (said, basket) = (self.application, &self.paid.basket);
        let paid_at = self.paid.earliest_at;
        let around = paid_at.days_before(PAID_AT_DAYS)..=paid_at.days_after(PAID_AT_DAYS);
        let facts = [
            ("amount", said.amount.is_some_and(|amount| amount != basket.total)),
            ("currency", said.currency.is_some_and(|currency| currency != basket.currency)),
            ("paid_at", said.paid_at.is_some_and(|at| !around.contains(&at))),
        ];
        let wrong = facts.into_iter().filter(|(_, wrong)| *wrong);
        wrong.filter_map(|(name, _)| Text::new(name).ok()).collect()
    }

    /// The name of the first rule that denies this.
    fn denial(&self) -> Option<&Text> {
        let late = self
            .reason
            .within_days
            .is_some_and(|days| self.asked_at > self.paid.earliest_at.days_after(days));
        let used = self.reason.unused && self.fate.is_some_and(|fate| fate.used.is_positive());
        if late || used {
            return Some(&self.reason.rule);
        }
        let conditions = Condition::ALL.into_iter();
        let mut held = conditions
            .filter(|condition| !self.reason.despite.contains(condition) && self.holds(*condition));
        held.find_map(|condition| self.refunds.denials.get(&condition))
    }

    fn holds(&self, condition: Condition) -> bool {
        match condition {
            Condition::Consumed => self.fate.is_some_and(|fate| {
                !fate.unused.paid.is_positive() && !fate.reserved.is_positive()
            }),
            Condition::Restricted => self.account.is_some_and(|view| {
                view.closed.is_some() || view.freezes.values().any(|freeze| self.restricts(freeze))
            }),
            Condition::Invoiced => self.application.invoice == Some(Invoice::Final),
        }
    }
}

impl Matter<'_> {
    /// Any open cause does, but a dispute of the same payment that came after the application: who
    /// asked first is not denied for it.
    fn restricts(&self, freeze: &Freeze) -> bool {
        freeze.id.payment() != Some(self.key) || freeze.since < self.asked_at
    }
}

fn denied(rule: &Text) -> CaseStatus {
    CaseStatus::Denied { rule: rule.clone(), by: Decider::Policy }
}
