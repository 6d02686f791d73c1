//! What an accepted input adds to the facts, and what must move at once because of it.

use std::collections::BTreeSet;

use domain::{
    account::FreezeId,
    case::{Application, CaseStatus, Decider},
    credits::Credits,
    decision::{Outcome, Quarantine},
    holding::{HoldingId, LotId},
    ids::{AccountId, AdjustmentId, OperationId, PaymentKey, Text},
    input::{Approval, Command, Delivery, Import, Input, LotKind, Order},
    money::Minor,
    notice::Notice,
    payment::{Clearable, Ruled},
    policy::{Service, Verification},
    record::Record,
    refunds::Remedy,
    time::Timestamp,
    usage::HoldEnd,
};

use super::{
    Both,
    cases::Case,
    convert::rounded_down,
    ledger::{Debit, Hold, Ledger, Waiting},
    lots::Lots,
    payment::Claim,
    picture::Picture,
    policy_at,
};

/// What must move in lots because of one input, each in its order.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Moves {
    pub(super) drawn: Vec<(LotId, i128)>,
    pub(super) reserved: Vec<(LotId, i128)>,
    pub(super) unreserved: Vec<(LotId, i128)>,
    pub(super) returned: Vec<(LotId, i128)>,
}

impl Ledger {
    /// Takes in what was accepted. Gives what must move.
    pub(super) fn learn(&mut self, record: &Record, before: &Picture) -> Moves {
        match &record.input {
            Input::Delivery(delivery) => {
                let outcome = record.decision.outcome;
                let quarantined = match outcome {
                    Outcome::Quarantined(reason) => Some(reason),
                    Outcome::Recorded | Outcome::Ignored | Outcome::Done => None,
                    Outcome::Conflict { .. } => {
                        let key = (delivery.event.clone(), delivery.content);
                        self.conflicts.insert(key, record.sequence);
                        return Moves::default();
                    }
                };
                let (sequence, content) = (record.sequence, delivery.content);
                let waiting = Waiting { sequence, content, quarantined };
                if quarantined == Some(Quarantine::Stale) {
                    self.stale.insert(delivery.event.clone(), sequence);
                }
                self.events.insert(delivery.event.clone(), waiting);
                if outcome == Outcome::Recorded {
                    self.hear(delivery);
                }
                Moves::default()
            }
            Input::Command(command) => {
                let known = (record.sequence, command.request);
                self.commands.insert(command.key.clone(), known);
                self.carry_out(command, record.recorded_at, before)
            }
        }
    }

    fn hear(&mut self, delivery: &Delivery) {
        match &delivery.notice {
            Ok(Notice::Purchase(purchase)) => {
                let names = self.names(purchase);
                let told = self.payments.entry(purchase.payment.clone()).or_default();
                told.hear_purchase(purchase, names);
            }
            Ok(Notice::Adjustment(adjustment)) => {
                self.payments.entry(adjustment.payment.clone()).or_default().hear(adjustment);
            }
            Ok(Notice::Nothing) | Err(_) => {}
        }
    }

    fn carry_out(&mut self, command: &Command, now: Timestamp, before: &Picture) -> Moves {
        let id = command.id;
        let mut moves = Moves::default();
        match &command.order {
            Order::Debit { account, amount, .. } => {
                moves.drawn = self.debit((id, now), account, amount.billionths(), before);
            }
            Order::Hold { account, amount, expires_in_seconds } => {
                let amount = amount.billionths();
                let reserved = self.next_lots(before, account, amount, now);
                moves.reserved.clone_from(&reserved);
                let micros = now.micros() + i64::from(*expires_in_seconds) * 1_000_000;
                let expires_at = Timestamp::from_micros(micros).expect("holds end in range");
                let account = account.clone();
                let hold = Hold { account, amount, reserved, expires_at, ended: None };
                self.holds.insert(id, hold);
            }
            Order::Capture { account, hold, amount, .. } => {
                let end = HoldEnd::Captured { debit: id, amount: *amount };
                let reserved = self.end_hold(*hold, end);
                let amount = amount.billionths();
                let drawn = first_parts(reserved.iter().cloned(), amount);
                moves.unreserved = reserved;
                moves.drawn.clone_from(&drawn);
                let account = account.clone();
                self.debits.insert(id, Debit { account, amount, drawn, returned: None });
            }
            Order::ReleaseHold { hold, .. } => {
                moves.unreserved = self.end_hold(*hold, HoldEnd::Released);
            }
            Order::ExpireHold { hold, .. } => {
                moves.unreserved = self.end_hold(*hold, HoldEnd::Expired);
            }
            Order::Return { debit, amount, .. } => {
                if let Some(debit) = self.debits.get_mut(debit) {
                    debit.returned = Some(amount.billionths());
                    let last_first = debit.drawn.iter().rev().cloned();
                    moves.returned = first_parts(last_first, amount.billionths());
                }
            }
            Order::Import(import) => moves.drawn = self.import(import),
            Order::Release { record, delivery, .. } => {
                self.released.insert(*record);
                self.hear(delivery);
            }
            Order::Grant { .. }
            | Order::Freeze { .. }
            | Order::Unfreeze { .. }
            | Order::ClearMeasure { .. }
            | Order::Close { .. }
            | Order::WriteOff { .. }
            | Order::AssignPayment { .. }
            | Order::AssignCustomer { .. }
            | Order::OpenCase { .. }
            | Order::InformCase { .. }
            | Order::ApproveCase { .. }
            | Order::DenyCase { .. }
            | Order::WithdrawCase { .. }
            | Order::ConcludeDispute { .. }
            | Order::Resolve { .. }
            | Order::ActivatePolicy { .. }
            | Order::Configure(_)
            | Order::Erase { .. } => self.operate((id, now), &command.order, before),
        }
        moves
    }

    /// What moves nothing by itself.
    fn operate(&mut self, (id, now): (OperationId, Timestamp), order: &Order, before: &Picture) {
        match order {
            Order::Grant { account, amount, kind, .. } => {
                self.give((id, now), account, *amount, *kind);
            }
            Order::Freeze { account, measures, .. } => {
                self.freezes.insert(id, (account.clone(), now, *measures));
            }
            Order::Unfreeze { freeze, .. } => drop(self.freezes.remove(freeze)),
            Order::ClearMeasure { freeze, measure, .. } => self.clear(freeze, *measure),
            Order::Close { account, .. } => drop(self.closed.insert(account.clone())),
            Order::AssignPayment { payment, account, .. } => {
                self.payments.entry(payment.clone()).or_default().assign(account);
            }
            Order::AssignCustomer { customer, account, .. } => {
                self.customers.insert(customer.clone(), account.clone());
                self.opened.insert(account.clone());
            }
            Order::OpenCase { account, payment, reason, application } => {
                let applied = (account, payment, reason, application);
                self.open_case((id, now), applied, before);
            }
            Order::InformCase { case, application } => {
                if let Some(mut known) = self.cases.remove(case) {
                    known.inform(application);
                    self.judge(*case, known, before, now);
                }
            }
            Order::ApproveCase { case, remedy, .. } => {
                self.approve((id, now), *case, *remedy, before);
            }
            Order::DenyCase { case, note } => {
                let status = CaseStatus::Denied { rule: note.clone(), by: Decider::Operator };
                self.end_case(*case, status, now);
            }
            Order::WithdrawCase { case, .. } => self.end_case(*case, CaseStatus::Withdrawn, now),
            Order::ConcludeDispute { payment, cause, conclusion, .. } => {
                let told = self.payments.entry(payment.clone()).or_default();
                told.rule(*cause, Ruled::Concluded(*conclusion));
            }
            Order::ActivatePolicy { policy, .. } => self.policies.push(policy.clone()),
            Order::Configure(settings) => self.settings = Some(settings.clone()),
            Order::WriteOff { .. } | Order::Resolve { .. } | Order::Erase { .. } => {}
            Order::Debit { .. }
            | Order::Hold { .. }
            | Order::Capture { .. }
            | Order::ReleaseHold { .. }
            | Order::ExpireHold { .. }
            | Order::Return { .. }
            | Order::Import(_)
            | Order::Release { .. } => {}
        }
    }

    fn debit(
        &mut self,
        (id, now): (OperationId, Timestamp),
        account: &AccountId,
        amount: i128,
        before: &Picture,
    ) -> Vec<(LotId, i128)> {
        let mut drawn = self.next_lots(before, account, amount, now);
        let inside: i128 = drawn.iter().map(|part| part.1).sum();
        if inside < amount {
            let lot = self.overdraft(account, now);
            drawn.push((lot, amount - inside));
        }
        let debit = Debit { account: account.clone(), amount, drawn, returned: None };
        let drawn = debit.drawn.clone();
        self.debits.insert(id, debit);
        drawn
    }

    /// The lots that usage draws, as far as there is something.
    fn next_lots(
        &self,
        before: &Picture,
        account: &AccountId,
        amount: i128,
        now: Timestamp,
    ) -> Vec<(LotId, i128)> {
        let free = before.spendable(account, policy_at(&self.policies, now));
        first_parts(free.into_iter(), amount)
    }

    fn overdraft(&mut self, account: &AccountId, now: Timestamp) -> LotId {
        let holding = HoldingId::Overdraft(account.clone());
        let lots = || Lots::new(account.clone(), now, Both::default());
        self.lots.entry(holding.clone()).or_insert_with(lots);
        LotId { holding, kind: LotKind::Paid }
    }

    fn end_hold(&mut self, id: OperationId, end: HoldEnd) -> Vec<(LotId, i128)> {
        let Some(hold) = self.holds.get_mut(&id) else { return Vec::new() };
        hold.ended = Some(end);
        hold.reserved.clone()
    }

    fn give(
        &mut self,
        (id, now): (OperationId, Timestamp),
        account: &AccountId,
        amount: Credits,
        kind: LotKind,
    ) {
        let amount = amount.billionths();
        let granted = match kind {
            LotKind::Paid => Both { paid: amount, gift: 0 },
            LotKind::Gift => Both { paid: 0, gift: amount },
        };
        self.lots.insert(HoldingId::Grant(id), Lots::new(account.clone(), now, granted));
        self.opened.insert(account.clone());
    }

    fn clear(&mut self, freeze: &FreezeId, measure: Clearable) {
        match freeze {
            FreezeId::Dispute { payment, cause } => {
                let told = self.payments.entry(payment.clone()).or_default();
                told.rule(*cause, Ruled::Cleared(measure));
            }
            FreezeId::Operator(id) => {
                let Some((_, _, measures)) = self.freezes.get_mut(id) else { return };
                match measure {
                    Clearable::Verification => measures.verification = Verification::None,
                    Clearable::Service => measures.service = Service::Normal,
                }
            }
        }
    }

    fn import(&mut self, import: &Import) -> Vec<(LotId, i128)> {
        self.payments.entry(import.payment.clone()).or_default().import(import);
        let holding = HoldingId::Payment(import.payment.clone());
        let used = import.opening.used;
        let parts = [(LotKind::Paid, used.paid), (LotKind::Gift, used.gift)];
        let parts = parts.into_iter().filter(|(_, amount)| amount.billionths() > 0);
        let lot = |kind| LotId { holding: holding.clone(), kind };
        parts.map(|(kind, amount)| (lot(kind), amount.billionths())).collect()
    }

    fn open_case(
        &mut self,
        (id, now): (OperationId, Timestamp),
        (account, payment, reason, said): (&AccountId, &PaymentKey, &Text, &Application),
        before: &Picture,
    ) {
        let policy = policy_at(&self.policies, now).version;
        let case = Case {
            account: account.clone(),
            payment: payment.clone(),
            reason: reason.clone(),
            application: said.clone(),
            policy,
            opened_at: now,
            status: CaseStatus::Withdrawn,
            remedy: Remedy::Refund,
            lines: Vec::new(),
            money: 0,
            credits: Both::default(),
        };
        let told = self.payments.entry(payment.clone()).or_default();
        let claim = Claim {
            account: account.clone(),
            opened_at: now,
            ended: None,
            credits: None,
            money: 0,
            earlier: BTreeSet::new(),
            own: BTreeSet::new(),
        };
        told.claims.insert(id, claim);
        self.judge(id, case, before, now);
    }

    fn judge(&mut self, id: OperationId, mut case: Case, before: &Picture, now: Timestamp) {
        let credits = case.judge(self, before, now);
        self.claim(id, &case, (credits, case.money));
        if case.is_over()
            && let Some(told) = self.payments.get_mut(&case.payment)
            && let Some(claim) = told.claims.get_mut(&id)
        {
            claim.ended = Some((now, false));
        }
        self.cases.insert(id, case);
    }

    /// From now on other refunds are the case's own.
    fn claim(&mut self, id: OperationId, case: &Case, (credits, money): (Option<Both>, i128)) {
        let Some(told) = self.payments.get_mut(&case.payment) else { return };
        let earlier = told.refunds_in_force();
        if let Some(claim) = told.claims.get_mut(&id) {
            (claim.credits, claim.money, claim.earlier) = (credits, money, earlier);
        }
    }

    fn approve(
        &mut self,
        (id, now): (OperationId, Timestamp),
        case: OperationId,
        remedy: Option<Approval>,
        before: &Picture,
    ) {
        let Some(mut known) = self.cases.get(&case).cloned() else { return };
        if let Some(Approval::Credits(credits)) = remedy {
            self.give((id, now), &known.account, credits, LotKind::Gift);
            return self.end_case(case, CaseStatus::Corrected { credits }, now);
        }
        let mut credits = known.quote(self, before);
        let quoted = known.money;
        let money = match remedy {
            Some(Approval::Money(money)) => i128::from(money.get()),
            Some(Approval::Credits(_)) | None => quoted,
        };
        if money < quoted
            && let Some(all) = credits
            && let Some(policy) = self.policies.first()
        {
            let part = |amount| rounded_down(amount * money, quoted, policy);
            credits = Some(Both { paid: part(all.paid), gift: part(all.gift) });
        }
        self.claim(case, &known, (credits, money));
        let money = i64::try_from(money).ok().and_then(Minor::new).unwrap_or(Minor::ZERO);
        known.status = CaseStatus::Approved { money };
        self.cases.insert(case, known);
    }

    fn end_case(&mut self, id: OperationId, status: CaseStatus, now: Timestamp) {
        let came_back = status == CaseStatus::Refunded;
        let Some(case) = self.cases.get_mut(&id) else { return };
        case.status = status;
        let told = self.payments.get_mut(&case.payment);
        if let Some(claim) = told.and_then(|told| told.claims.get_mut(&id)) {
            claim.ended = Some((now, came_back));
        }
    }

    /// Ends the open cases of those who don't have the payment, then those whose money came back.
    pub(super) fn end_cases(&mut self, now: Timestamp) {
        let mut of_others = Vec::new();
        for told in self.payments.values() {
            let Some(account) = told.account() else { continue };
            let claims = told.claims.iter().filter(|(_, claim)| claim.ended.is_none());
            let of_others_own = claims.filter(|(_, claim)| claim.account != *account);
            of_others.extend(of_others_own.map(|(id, _)| *id));
        }
        for id in of_others {
            let rule = Text::new("payment-of-another-account").expect("the name is short");
            self.end_case(id, CaseStatus::Denied { rule, by: Decider::Policy }, now);
        }
        let open = self
            .payments
            .values()
            .filter(|told| told.claims.values().any(|claim| claim.ended.is_none()));
        let covered: Vec<(OperationId, BTreeSet<AdjustmentId>)> =
            open.flat_map(|told| told.entitled(&self.policies).covered).collect();
        for (id, refunds) in covered {
            self.end_case(id, CaseStatus::Refunded, now);
            let claims = self.payments.values_mut().filter_map(|told| told.claims.get_mut(&id));
            claims.for_each(|claim| claim.own.clone_from(&refunds));
        }
    }
}

/// Of some parts the first, so many in all.
fn first_parts(parts: impl Iterator<Item = (LotId, i128)>, amount: i128) -> Vec<(LotId, i128)> {
    let mut left = amount;
    let mut taken = Vec::new();
    for (lot, there) in parts {
        let part = there.min(left);
        if part > 0 {
            taken.push((lot, part));
            left -= part;
        }
    }
    taken
}
