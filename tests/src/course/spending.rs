//! Debits, holds, what becomes of them, returns.

use std::{collections::BTreeMap, sync::Arc};

use domain::{
    ids::{AccountId, OperationId},
    input::{HOLD_SECONDS_MAX, Order, Usage},
    usage::Metadata,
};

use super::{Course, View};
use crate::history::text;

impl Course {
    pub(super) fn spending(&mut self, view: &View<'_>) -> Order {
        let odd = self.dice.chance(2);
        let open = odd || view.ledger.holds.values().any(|hold| hold.ended.is_none());
        let used = odd || !view.ledger.debits.is_empty();
        match self.dice.below(20) {
            0..=5 if open => self.end_hold(view),
            6..=8 if used => self.make_good(view),
            9..=11 => self.hold(view),
            _ => self.debit(view),
        }
    }

    fn debit(&mut self, view: &View<'_>) -> Order {
        let account = self.account(view);
        let usage = self.dice.pick(&[Usage::Asked, Usage::Asked, Usage::AlreadyHappened]);
        let percent = if usage == Usage::Asked { 101 } else { 160 };
        let amount = self.part(available(view, &account), percent);
        Order::Debit { account, amount, usage, metadata: self.metadata() }
    }

    fn hold(&mut self, view: &View<'_>) -> Order {
        let account = self.account(view);
        let amount = self.part(available(view, &account), 70);
        let short = self.dice.pick(&[1, 60, 3_600, 86_400, HOLD_SECONDS_MAX]);
        let outside = [0, HOLD_SECONDS_MAX + 1];
        let expires_in_seconds = if self.dice.chance(3) { self.dice.pick(&outside) } else { short };
        Order::Hold { account, amount, expires_in_seconds }
    }

    fn end_hold(&mut self, view: &View<'_>) -> Order {
        let all = view.ledger.holds.iter();
        let open: Vec<OperationId> = all
            .clone()
            .filter(|(_, hold)| hold.ended.is_none() || self.dice.chance(10))
            .map(|(id, _)| *id)
            .collect();
        let hold = self.id(&open);
        let known = view.ledger.holds.get(&hold);
        let own = known.map(|hold| hold.account.clone()).filter(|_| self.dice.chance(95));
        let account = own.unwrap_or_else(|| self.account(view));
        let over = known.is_some_and(|hold| hold.expires_at <= view.now);
        match (over, self.dice.below(10)) {
            (true, 0..7) | (false, 0) => Order::ExpireHold { account, hold },
            (_, 1..4) => Order::ReleaseHold { account, hold },
            _ => {
                let amount = known.map_or(10_000_000_000, |hold| hold.amount);
                let percent = self.dice.pick(&[50, 100, 110]);
                let amount = self.part(amount, percent);
                Order::Capture { account, hold, amount, metadata: self.metadata() }
            }
        }
    }

    fn make_good(&mut self, view: &View<'_>) -> Order {
        let all: Vec<OperationId> = view.ledger.debits.keys().copied().collect();
        let debit = self.id(&all);
        let known = view.ledger.debits.get(&debit);
        let own = known.map(|debit| debit.account.clone()).filter(|_| self.dice.chance(95));
        let account = own.unwrap_or_else(|| self.account(view));
        let amount = self.part(known.map_or(10_000_000_000, |debit| debit.amount), 105);
        Order::Return { account, debit, amount, reason: text("because") }
    }

    fn metadata(&mut self) -> Metadata {
        if self.dice.chance(10) {
            return Metadata::NONE;
        }
        let entries = BTreeMap::from([(text("request_id"), Arc::from("\"r1\""))]);
        Metadata::new(entries).expect("one entry is few")
    }
}

/// What an account can spend; where that is nothing, some amount.
fn available(view: &View<'_>, account: &AccountId) -> i128 {
    let known = view.picture.accounts.get(account).map_or(0, |standing| standing.available());
    if known > 0 { known } else { 50_000_000_000 }
}
