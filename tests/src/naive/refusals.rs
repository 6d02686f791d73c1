//! Why a command must be refused: every reason that holds, whichever is told.

use std::{collections::BTreeSet, sync::Arc};

use domain::{
    account::{Closing, DisputeCause, FreezeId, Status},
    case::CaseStatus,
    credits::Credits,
    ids::{AccountId, OperationId, PaymentKey, Sequence, Text},
    input::{Approval, ERASED_MAX, HOLD_SECONDS_MAX, Import, Order, Usage},
    money::Minor,
    payment::Clearable,
    policy::{Policy, Returns, Service, TimelineFault, Verification},
    refunds::Remedy,
    refusal::Refusal,
    time::Timestamp,
    usage::Metadata,
};

use super::{
    ledger::{Hold, Ledger},
    picture::{Picture, Standing},
    policy_at,
};

/// What a command comes to.
struct Scene<'s> {
    ledger: &'s Ledger,
    picture: &'s Picture,
    now: Timestamp,
    reasons: Vec<Refusal>,
}

/// Every reason to refuse an order; none where it must be carried out.
pub(super) fn of(
    ledger: &Ledger,
    picture: &Picture,
    order: &Order,
    now: Timestamp,
) -> Vec<Refusal> {
    let mut scene = Scene { ledger, picture, now, reasons: Vec::new() };
    scene.look(order);
    scene.reasons
}

impl<'s> Scene<'s> {
    fn look(&mut self, order: &Order) {
        match order {
            Order::Debit { account, amount, usage, metadata } => {
                self.usage(account, *amount, metadata, *usage == Usage::Asked);
            }
            Order::Hold { account, amount, expires_in_seconds } => {
                self.usage(account, *amount, &Metadata::NONE, true);
                self.reasons.retain(|one| !matches!(one, Refusal::MetadataMissing { .. }));
                let known = self.picture.accounts.contains_key(account);
                let fits = (1..=HOLD_SECONDS_MAX).contains(expires_in_seconds);
                self.refuse(known && !fits, Refusal::HoldTimeInvalid);
            }
            Order::Capture { account, hold, amount, metadata } => {
                self.capture(account, *hold, *amount, metadata);
            }
            Order::ReleaseHold { account, hold } => self.end_hold(account, *hold, false),
            Order::ExpireHold { account, hold } => self.end_hold(account, *hold, true),
            Order::Return { account, debit, amount, .. } => {
                self.make_good(account, *debit, *amount);
            }
            Order::Grant { account, amount, .. } => {
                self.amount(*amount);
                self.closed(account);
            }
            Order::Freeze { account, .. } => drop(self.account(account)),
            Order::Unfreeze { account, freeze } => {
                if let Some(standing) = self.account(account) {
                    let open = standing.freezes.contains_key(&FreezeId::Operator(*freeze));
                    self.refuse(!open, Refusal::FreezeUnknown);
                }
            }
            Order::ClearMeasure { account, freeze, measure, .. } => {
                self.clear(account, freeze, *measure);
            }
            Order::Close { account, .. } => {
                if let Some(standing) = self.account(account) {
                    let over = standing.closed == Some(Closing::Operator);
                    self.refuse(over, Refusal::AccountClosed);
                }
            }
            Order::WriteOff { account, amount, .. } => self.write_off(account, *amount),
            Order::AssignPayment { payment, account, .. } => {
                match self.ledger.payments.get(payment) {
                    None => self.refuse(true, Refusal::PaymentUnknown),
                    Some(told) => self.refuse(told.account().is_some(), Refusal::PaymentAssigned),
                }
                self.closed(account);
            }
            Order::AssignCustomer { account, .. } => self.closed(account),
            Order::OpenCase { account, payment, reason, .. } => {
                self.open_case(account, payment, reason);
            }
            Order::InformCase { case, .. } => self.inform(*case),
            Order::ApproveCase { case, remedy, .. } => self.approve(*case, *remedy),
            Order::DenyCase { case, .. } | Order::WithdrawCase { case, .. } => {
                self.drop_case(*case)
            }
            Order::ConcludeDispute { payment, cause, .. } => self.conclude(payment, *cause),
            Order::Release { .. } | Order::Resolve { .. } => self.exception(order),
            Order::Import(import) => self.import(import),
            Order::ActivatePolicy { policy, .. } => self.activate(policy),
            Order::Configure(_) => {}
            Order::Erase { records, .. } => self.erase(records),
        }
    }

    fn refuse(&mut self, holds: bool, reason: Refusal) {
        if holds {
            self.reasons.push(reason);
        }
    }

    /// The version in force.
    fn policy(&self) -> &'s Policy {
        policy_at(&self.ledger.policies, self.now)
    }

    fn account(&mut self, id: &AccountId) -> Option<&'s Standing> {
        let standing = self.picture.accounts.get(id);
        self.refuse(standing.is_none(), Refusal::AccountUnknown);
        standing
    }

    fn closed(&mut self, id: &AccountId) {
        let closed = self.picture.accounts.get(id).is_some_and(|one| one.closed.is_some());
        self.refuse(closed, Refusal::AccountClosed);
    }

    /// Above zero, and no more decimals than the ledger's credits have.
    fn is_amount(&self, amount: Credits) -> bool {
        let decimals = self.ledger.policies.first().map_or(9, |policy| policy.decimals);
        let unit = 10_i128.pow(9 - u32::from(decimals));
        amount.billionths() > 0 && amount.billionths() % unit == 0
    }

    fn amount(&mut self, amount: Credits) {
        self.refuse(!self.is_amount(amount), invalid());
    }

    fn usage(&mut self, id: &AccountId, amount: Credits, metadata: &Metadata, asked: bool) {
        let Some(standing) = self.account(id) else { return };
        self.amount(amount);
        self.metadata(metadata);
        let available = standing.available();
        match (asked, standing.status()) {
            (false, _) => {}
            (true, Status::Frozen) => self.refuse(true, Refusal::AccountFrozen),
            (true, Status::Closed) => self.refuse(true, Refusal::AccountClosed),
            (true, Status::Active) => {
                let available = credits(available);
                self.refuse(amount > available, Refusal::CreditsInsufficient { available });
            }
        }
    }

    fn metadata(&mut self, metadata: &Metadata) {
        let mut names = self.policy().usage.metadata.clone();
        names.retain(|name| !metadata.entries().contains_key(name));
        self.refuse(!names.is_empty(), Refusal::MetadataMissing { names });
    }

    fn hold(&mut self, account: &AccountId, id: OperationId) -> Option<&'s Hold> {
        self.account(account)?;
        let known = self.ledger.holds.get(&id).filter(|hold| hold.account == *account);
        self.refuse(known.is_none(), Refusal::HoldUnknown);
        known
    }

    fn capture(
        &mut self,
        account: &AccountId,
        id: OperationId,
        amount: Credits,
        metadata: &Metadata,
    ) {
        let Some(known) = self.hold(account, id) else { return };
        let over = known.ended.is_some() || self.now >= known.expires_at;
        self.refuse(over, Refusal::HoldFinished);
        self.amount(amount);
        self.metadata(metadata);
        let reserved = credits(known.amount);
        self.refuse(amount > reserved, Refusal::CaptureAboveHold { reserved });
    }

    fn make_good(&mut self, account: &AccountId, id: OperationId, amount: Credits) {
        if self.account(account).is_none() {
            return;
        }
        let known = self.ledger.debits.get(&id).filter(|debit| debit.account == *account);
        let Some(known) = known else { return self.refuse(true, Refusal::DebitUnknown) };
        let never = self.policy().usage.returns == Returns::Refuse;
        self.refuse(never, Refusal::ReturnsNotOffered);
        self.refuse(known.returned.is_some(), Refusal::ReturnAlreadyMade);
        self.amount(amount);
        let used = credits(known.amount);
        self.refuse(amount > used, Refusal::ReturnAboveDebit { used });
    }

    fn clear(&mut self, account: &AccountId, freeze: &FreezeId, measure: Clearable) {
        let Some(standing) = self.account(account) else { return };
        let there = standing.freezes.get(freeze).is_some_and(|(_, measures)| match measure {
            Clearable::Verification => measures.verification == Verification::Require,
            Clearable::Service => measures.service == Service::Restrict,
        });
        self.refuse(!there, Refusal::MeasureUnknown);
    }

    fn write_off(&mut self, account: &AccountId, amount: Option<Credits>) {
        let Some(standing) = self.account(account) else { return };
        let owed = credits(standing.books.owed);
        let above = amount.is_some_and(|amount| amount > owed) || standing.books.owed == 0;
        self.refuse(above, Refusal::WriteOffAboveOwed { owed });
        if let Some(amount) = amount {
            self.amount(amount);
        }
    }

    fn open_case(&mut self, account: &AccountId, payment: &PaymentKey, reason: &Text) {
        self.account(account);
        let paid = self.picture.payments.get(payment).filter(|paid| paid.since.is_some());
        self.refuse(paid.is_none(), Refusal::PaymentUnknown);
        let of_another = paid.and_then(|paid| paid.account.as_ref()).is_some_and(|a| a != account);
        self.refuse(of_another, Refusal::PaymentOfAnotherAccount);
        let open = self
            .ledger
            .payments
            .get(payment)
            .is_some_and(|told| told.claims.values().any(|claim| claim.ended.is_none()));
        self.refuse(open, Refusal::CaseAlreadyOpen);
        match &self.policy().refunds {
            None => self.refuse(true, Refusal::RefundsNotOffered),
            Some(refunds) => {
                let reasons = refunds.reasons.keys().cloned().collect();
                let known = refunds.reasons.contains_key(reason);
                self.refuse(!known, Refusal::ReasonUnknown { reasons });
            }
        }
    }

    fn end_hold(&mut self, account: &AccountId, id: OperationId, expires: bool) {
        let Some(known) = self.hold(account, id) else { return };
        let over = self.now >= known.expires_at;
        self.refuse(known.ended.is_some() || (over && !expires), Refusal::HoldFinished);
        self.refuse(expires && !over, Refusal::HoldNotOver);
    }

    fn drop_case(&mut self, id: OperationId) {
        match self.ledger.cases.get(&id) {
            None => self.refuse(true, Refusal::CaseUnknown),
            Some(case) => self.refuse(case.is_over(), Refusal::CaseFinished),
        }
    }

    fn conclude(&mut self, payment: &PaymentKey, cause: DisputeCause) {
        match self.picture.payments.get(payment) {
            None => self.refuse(true, Refusal::PaymentUnknown),
            Some(paid) => self.refuse(!paid.causes.contains_key(&cause), Refusal::DisputeUnknown),
        }
    }

    fn inform(&mut self, case: OperationId) {
        match self.ledger.cases.get(&case) {
            None => self.refuse(true, Refusal::CaseUnknown),
            Some(case) => {
                let over = case.is_over() || matches!(case.status, CaseStatus::Approved { .. });
                self.refuse(over, Refusal::CaseFinished);
            }
        }
    }

    fn approve(&mut self, id: OperationId, remedy: Option<Approval>) {
        let Some(case) = self.ledger.cases.get(&id) else {
            return self.refuse(true, Refusal::CaseUnknown);
        };
        let approved = matches!(case.status, CaseStatus::Approved { .. });
        if case.is_over() || approved {
            return self.refuse(true, Refusal::CaseFinished);
        }
        let waits = matches!(case.status, CaseStatus::NeedsInformation { .. });
        self.refuse(waits, Refusal::CaseIncomplete);
        let money = match (remedy, case.remedy) {
            (Some(Approval::Credits(credits)), _) => {
                self.amount(credits);
                return self.closed(&case.account);
            }
            (_, Remedy::Credits) => {
                return self.refuse(true, Refusal::ApprovalUnfit { detail: "" });
            }
            (Some(Approval::Money(money)), Remedy::Refund) => i128::from(money.get()),
            (None, Remedy::Refund) => {
                let mut anew = case.clone();
                anew.quote(self.ledger, self.picture);
                anew.money
            }
        };
        self.refuse(money <= 0, Refusal::ApprovalUnfit { detail: "" });
        let Some(entitled) = self.picture.payments.get(&case.payment) else { return };
        let Some(basket) = &entitled.basket else { return };
        let left = i128::from(basket.total.get()) - entitled.paid_back;
        let paid = i64::try_from(left).ok().and_then(Minor::new).unwrap_or(Minor::ZERO);
        let currency = basket.currency;
        self.refuse(money > left, Refusal::ApprovalAbovePaid { paid, currency });
    }

    fn import(&mut self, import: &Import) {
        let (granted, used) = (import.opening.granted, import.opening.used);
        let senseless = import.net.get() <= 0
            || import.tax.get() < 0
            || import.paid_at > self.now
            || used.paid > granted.paid
            || used.gift > granted.gift;
        self.refuse(senseless, Refusal::ImportInvalid { detail: "" });
        self.amount(granted.paid);
        for amount in [granted.gift, used.paid, used.gift] {
            if amount != Credits::ZERO {
                self.amount(amount);
            }
        }
        if let Some(told) = self.ledger.payments.get(&import.payment) {
            self.refuse(told.is_paid(), Refusal::PaymentKnown);
            let of_another = told.account().is_some_and(|account| *account != import.account);
            self.refuse(of_another, Refusal::PaymentOfAnotherAccount);
        }
        self.closed(&import.account);
    }

    fn activate(&mut self, policy: &Policy) {
        let versions = &self.ledger.policies;
        let Some(before) = versions.last() else { return };
        let (version, last) = (policy.version, before.version);
        let from = policy.effective_from;
        let others = [
            (version <= last, TimelineFault::VersionNotRising { version, last }),
            (from < self.now, TimelineFault::InThePast),
            (versions.len() > 1 && from < before.effective_from, TimelineFault::BeforeLast),
            (
                policy.unit != before.unit || policy.decimals != before.decimals,
                TimelineFault::UnitChanged,
            ),
        ];
        for (holds, fault) in others {
            self.refuse(holds, Refusal::PolicyRefused(fault));
        }
    }

    fn erase(&mut self, records: &BTreeSet<Sequence>) {
        let count = records.len();
        self.refuse(!(1..=ERASED_MAX).contains(&count), Refusal::ErasureInvalid { count });
        if let Some(record) = records.iter().find(|record| **record >= self.ledger.next) {
            self.refuse(true, Refusal::RecordUnknown { record: *record });
        }
    }

    fn exception(&mut self, order: &Order) {
        if let Order::Release { record, event, delivery, .. } = order {
            let waits = self.ledger.events.get(event).is_some_and(|known| {
                known.sequence == *record
                    && known.quarantined.is_some()
                    && !self.ledger.released.contains(record)
            });
            self.refuse(!waits, Refusal::NotQuarantined);
            let settings = self.ledger.settings.as_ref();
            let live = settings.is_none_or(|all| all.mode == domain::input::Mode::Live);
            let simulated = delivery.reality == domain::input::Reality::Simulated;
            self.refuse(live && simulated, Refusal::SimulatedInLive);
            if let Err(why) = &delivery.notice {
                let detail = Arc::clone(&why.detail);
                self.refuse(true, Refusal::StillUnreadable { detail });
            }
        }
        if let Order::Resolve { exception, .. } = order {
            match self.ledger.shown.get(exception) {
                None => self.refuse(true, Refusal::ExceptionUnknown),
                Some(shown) => self.refuse(shown.ended.is_some(), Refusal::ExceptionEnded),
            }
        }
    }
}

fn invalid() -> Refusal {
    Refusal::AmountInvalid { detail: Arc::from("") }
}

fn credits(billionths: i128) -> Credits {
    Credits::from_billionths(billionths).expect("what an account has is in range")
}
