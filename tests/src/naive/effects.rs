//! What a record says that changed, against what must change.

use std::collections::{BTreeMap, BTreeSet};

use domain::{
    decision::{Decision, Effect, Outcome, Quarantine, Taking, Transfer},
    exception::{Ending, ExceptionId, ExceptionKind},
    holding::{HoldingId, LotId},
    ids::PaymentKey,
    input::{Delivery, Input, LotKind, Order},
    notice::Notice,
    record::Record,
};

use super::{
    Both,
    check::equal,
    learn::Moves,
    ledger::{Ledger, Shown, follows_facts},
    lots::Lots,
    payment::Entitled,
    picture::Picture,
    policy_at,
};

impl Ledger {
    /// Takes in a record that follows what is known, and checks what it says. Gives what follows.
    ///
    /// # Errors
    /// What is wrong with the record.
    pub fn take(&mut self, record: &Record, before: &Picture) -> Result<Picture, String> {
        equal("sequence", record.sequence, self.next)?;
        self.next = record.sequence.next();
        self.recorded_at = Some(record.recorded_at);
        self.post(&record.decision)?;
        let (steps, effects) = self.settle_first(record, before)?;
        let settled = if steps { Some(Picture::of(self)) } else { None };
        let before = settled.as_ref().unwrap_or(before);
        let wanted = self.learn(record, before);
        self.end_cases(record.recorded_at);
        self.open_lots();
        equal("what moved in lots", moved(&record.decision), wanted.clone())?;
        self.move_in_lots(&wanted);
        let after = self.settle(record, effects)?;
        equal("version of the policy", record.decision.policy, self.version(record, &after))?;
        differences(&record.decision, before, &after)?;
        self.exceptions(record, before, &after)?;
        Ok(after)
    }

    fn post(&mut self, decision: &Decision) -> Result<(), String> {
        for transfer in &decision.transfers {
            let positive = match transfer {
                Transfer::Credits { debit, credit, amount } => {
                    let amount = amount.billionths();
                    *self.credits.entry(debit.clone()).or_default() -= amount;
                    *self.credits.entry(credit.clone()).or_default() += amount;
                    amount > 0
                }
                Transfer::Money { debit, credit, currency, amount } => {
                    let amount = i128::from(amount.get());
                    *self.money.entry((*currency, *debit)).or_default() -= amount;
                    *self.money.entry((*currency, *credit)).or_default() += amount;
                    amount > 0
                }
            };
            if !positive {
                return Err(format!("not a positive amount: {transfer:?}"));
            }
        }
        Ok(())
    }

    /// A payment has lots once it granted something.
    fn open_lots(&mut self) {
        for (key, told) in &self.payments {
            let id = HoldingId::Payment(key.clone());
            if self.lots.contains_key(&id) {
                continue;
            }
            let paid = told.entitled(&self.policies);
            if let (Some(account), Some(since)) = (paid.account, paid.since)
                && paid.granted != Both::default()
            {
                self.lots.insert(id, Lots::new(account, since, Both::default()));
            }
        }
    }

    fn move_in_lots(&mut self, moves: &Moves) {
        for (lot, amount) in &moves.drawn {
            self.on(lot, |lots| lots.moved(lot.kind).drawn += amount);
        }
        for (lot, amount) in &moves.returned {
            self.on(lot, |lots| lots.moved(lot.kind).drawn -= amount);
        }
        for (lot, amount) in &moves.reserved {
            self.on(lot, |lots| lots.moved(lot.kind).reserved += amount);
        }
        for (lot, amount) in &moves.unreserved {
            self.on(lot, |lots| lots.moved(lot.kind).reserved -= amount);
        }
    }

    fn on(&mut self, lot: &LotId, change: impl FnOnce(&mut Lots)) {
        if let Some(lots) = self.lots.get_mut(&lot.holding) {
            change(lots);
        }
    }

    /// The version that a decision must name (rule 11): that of the payment, of the case, else the
    /// one in force; none where no policy was asked.
    fn version(&self, record: &Record, after: &Picture) -> Option<u32> {
        let of_payment = |delivery: &Delivery| match &delivery.notice {
            Ok(Notice::Purchase(told)) => after.payments.get(&told.payment)?.policy,
            Ok(Notice::Adjustment(told)) => after.payments.get(&told.payment)?.policy,
            Ok(Notice::Nothing) | Err(_) => None,
        };
        let command = match (&record.input, record.decision.outcome) {
            (Input::Delivery(delivery), Outcome::Recorded) => return of_payment(delivery),
            (Input::Delivery(_), _) => return None,
            (Input::Command(command), _) => command,
        };
        let order = &command.order;
        let in_force = || Some(policy_at(&self.policies, record.recorded_at).version);
        if let Order::Configure(_) | Order::Erase { .. } = order {
            return None;
        }
        if let Order::ActivatePolicy { policy, .. } = order {
            return Some(policy.version);
        }
        if let Order::Release { delivery, .. } = order {
            return of_payment(delivery).or_else(in_force);
        }
        if let Order::OpenCase { .. } = order {
            return self.cases.get(&command.id).map(|case| case.policy);
        }
        if let Order::InformCase { case, .. } | Order::ApproveCase { case, .. } = order {
            return self.cases.get(case).map(|case| case.policy);
        }
        in_force()
    }

    /// What was raised and cleared is what must be.
    fn exceptions(
        &mut self,
        record: &Record,
        before: &Picture,
        after: &Picture,
    ) -> Result<(), String> {
        let (mut raised, mut cleared, mut resolved) =
            (BTreeSet::new(), BTreeSet::new(), BTreeSet::new());
        let wanted = self.wanted(record, before, after);
        for effect in &record.decision.effects {
            if let Effect::Raised(exception) = effect {
                let payment = exception.payment.clone();
                equal("raised by its own record", exception.id.sequence, record.sequence)?;
                raised.insert((exception.id.kind, payment));
                let shown = Shown { exception: exception.clone(), ended: None, stands: true };
                if self.shown.insert(exception.id, shown).is_some() {
                    return Err(format!("raised twice: {exception:?}"));
                }
            } else if let Effect::Cleared(id) = effect {
                cleared.insert(*id);
                self.end(*id, record, Ending::CauseGone)?;
            } else if let Effect::Resolved(id) = effect {
                resolved.insert(*id);
                self.end(*id, record, Ending::Resolved)?;
            }
        }
        equal("raised", raised, wanted.raised)?;
        equal("cleared", cleared, wanted.cleared)?;
        equal("resolved", resolved, wanted.resolved)
    }

    fn end(&mut self, id: ExceptionId, record: &Record, by: Ending) -> Result<(), String> {
        let shown = self.shown.get_mut(&id).ok_or_else(|| format!("ended unraised: {id:?}"))?;
        if by == Ending::CauseGone {
            shown.stands = false;
        }
        shown.ended.get_or_insert((record.sequence, by));
        Ok(())
    }

    fn wanted(&self, record: &Record, before: &Picture, after: &Picture) -> Wanted {
        let mut wanted = Wanted::default();
        for (key, paid) in &after.payments {
            let earlier = before.payments.get(key);
            wanted.by_facts(self, key, (earlier, paid));
            let closed = paid.account.as_ref().and_then(|account| after.accounts.get(account));
            let grew = earlier.map_or_else(Both::default, |earlier| earlier.granted);
            let grew = paid.granted.paid > grew.paid || paid.granted.gift > grew.gift;
            if grew && closed.is_some_and(|standing| standing.closed.is_some()) {
                wanted.raised.insert((ExceptionKind::ClosedAccount, Some(key.clone())));
            }
        }
        match &record.input {
            Input::Delivery(delivery) => {
                let about = match &delivery.notice {
                    Ok(Notice::Purchase(purchase)) => Some(purchase.payment.clone()),
                    Ok(Notice::Adjustment(adjustment)) => Some(adjustment.payment.clone()),
                    Ok(Notice::Nothing) | Err(_) => None,
                };
                if let Some(kind) = aside(record.decision.outcome) {
                    wanted.raised.insert((kind, about));
                }
                if !matches!(record.decision.outcome, Outcome::Conflict { .. }) {
                    // The fresh delivery of an event that waited: `learn` put this in its place.
                    wanted.cleared.extend(self.waiting(delivery, record));
                }
            }
            Input::Command(command) => {
                if let Order::Release { record, .. } = &command.order {
                    let own = self.shown.values().filter(|shown| shown.ended.is_none());
                    let own = own.map(|shown| shown.exception.id);
                    let own = own.filter(|id| id.sequence == *record && !follows_facts(id.kind));
                    wanted.cleared.extend(own);
                }
                if let Order::Resolve { exception, .. } = &command.order {
                    wanted.resolved.insert(*exception);
                }
            }
        }
        wanted
    }

    /// The open exception of an earlier record of the same event that came too late.
    fn waiting(&self, delivery: &Delivery, record: &Record) -> Option<ExceptionId> {
        let sequence = *self.stale.get(&delivery.event)?;
        let id = ExceptionId { sequence, kind: ExceptionKind::Stale };
        let open = self.shown.get(&id).is_some_and(|shown| shown.ended.is_none());
        (open && sequence != record.sequence).then_some(id)
    }
}

/// What must become of exceptions by one record.
#[derive(Default)]
struct Wanted {
    raised: BTreeSet<(ExceptionKind, Option<PaymentKey>)>,
    cleared: BTreeSet<ExceptionId>,
    resolved: BTreeSet<ExceptionId>,
}

impl Wanted {
    fn by_facts(
        &mut self,
        ledger: &Ledger,
        key: &PaymentKey,
        (earlier, now): (Option<&Entitled>, &Entitled),
    ) {
        let none = BTreeSet::new();
        let earlier = earlier.map_or(&none, |earlier| &earlier.exceptions);
        let new = now.exceptions.difference(earlier);
        self.raised.extend(new.map(|kind| (*kind, Some(key.clone()))));
        for gone in earlier.difference(&now.exceptions) {
            let mut standing = ledger.shown.values().filter(|shown| shown.stands);
            let own = standing.find(|shown| {
                shown.exception.id.kind == *gone && shown.exception.payment.as_ref() == Some(key)
            });
            self.cleared.extend(own.map(|shown| shown.exception.id));
        }
    }
}

const fn aside(outcome: Outcome) -> Option<ExceptionKind> {
    match outcome {
        Outcome::Recorded | Outcome::Ignored | Outcome::Done => None,
        Outcome::Conflict { .. } => Some(ExceptionKind::Conflict),
        Outcome::Quarantined(reason) => Some(match reason {
            Quarantine::Malformed => ExceptionKind::Malformed,
            Quarantine::UnknownAction => ExceptionKind::UnknownAction,
            Quarantine::UnknownCurrency => ExceptionKind::UnknownCurrency,
            Quarantine::AmountInvalid => ExceptionKind::AmountInvalid,
            Quarantine::Stale => ExceptionKind::Stale,
            Quarantine::Simulated => ExceptionKind::Simulated,
            Quarantine::Undecided => ExceptionKind::Undecided,
        }),
    }
}

fn moved(decision: &Decision) -> Moves {
    let mut moves = Moves::default();
    for effect in &decision.effects {
        if let Effect::Drawn { lot, amount } = effect {
            moves.drawn.push((lot.clone(), amount.billionths()));
        }
        if let Effect::Reserved { lot, amount, .. } = effect {
            moves.reserved.push((lot.clone(), amount.billionths()));
        }
        if let Effect::Unreserved { lot, amount, .. } = effect {
            moves.unreserved.push((lot.clone(), amount.billionths()));
        }
        if let Effect::Returned { lot, amount, .. } = effect {
            moves.returned.push((lot.clone(), amount.billionths()));
        }
    }
    moves
}

/// What changed of one payment.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Change {
    granted: Both,
    refunded: Both,
    charged_back: Both,
    awaited: Both,
    money: (i128, i128),
}

/// What a record grants, takes, awaits and moves is the difference to what was.
fn differences(decision: &Decision, before: &Picture, after: &Picture) -> Result<(), String> {
    let mut said: BTreeMap<&PaymentKey, Change> = BTreeMap::new();
    for effect in &decision.effects {
        if let Effect::Granted { lot: LotId { holding: HoldingId::Payment(key), kind }, amount } =
            effect
        {
            let change = said.entry(key).or_default();
            match kind {
                LotKind::Paid => change.granted.paid += amount.billionths(),
                LotKind::Gift => change.granted.gift += amount.billionths(),
            }
        }
        if let Effect::Taken { holding: HoldingId::Payment(key), by, amount } = effect {
            let change = said.entry(key).or_default();
            let taken = match by {
                Taking::Refund => &mut change.refunded,
                Taking::Chargeback => &mut change.charged_back,
            };
            *taken = taken.plus(both(*amount));
        }
        if let Effect::Awaited { holding: HoldingId::Payment(key), amount } = effect {
            let change = said.entry(key).or_default();
            change.awaited = change.awaited.plus(both(*amount));
        }
        if let Effect::MoneyMoved { payment, received, reversed, .. } = effect {
            let change = said.entry(payment).or_default();
            change.money.0 += i128::from(received.get());
            change.money.1 += i128::from(reversed.get());
        }
    }
    let nothing = Entitled::default();
    for (key, now) in &after.payments {
        let then = before.payments.get(key).unwrap_or(&nothing);
        let by_disputes = |paid: &Entitled| paid.taken.minus(paid.refunded);
        let wanted = Change {
            granted: now.granted.minus(then.granted),
            refunded: now.refunded.minus(then.refunded),
            charged_back: by_disputes(now).minus(by_disputes(then)),
            awaited: now.awaited.minus(then.awaited),
            money: (now.money.0 - then.money.0, now.money.1 - then.money.1),
        };
        let said = said.remove(key).unwrap_or_default();
        equal(&format!("what changed of {}", key.id), said, wanted)?;
    }
    if said.is_empty() { Ok(()) } else { Err(format!("of an unknown payment: {said:?}")) }
}

pub(super) fn both(pair: domain::holding::Pair) -> Both {
    Both { paid: pair.paid.billionths(), gift: pair.gift.billionths() }
}
