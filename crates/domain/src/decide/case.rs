//! Refund cases: applied for, informed, approved, denied, withdrawn. The processor's refund ends
//! an approved one (see `post`).

use std::collections::BTreeSet;

use crate::{
    case::{Application, Case, CaseStatus, Claim, ClaimEnd, Decider, Quote},
    credits::Credits,
    decide::{
        assess::Matter,
        command::{Stop, Work},
    },
    decision::Effect,
    draft::Fault,
    entitlement,
    holding::{Holding, HoldingId, Pair},
    ids::{AccountId, OperationId, PaymentKey, Text},
    input::{Approval, LotKind},
    money::Minor,
    payment::{Paid, Payment},
    quote::quote,
    refunds::{Reason, Refunds, Remedy},
    refusal::Refusal,
};

impl Work<'_, '_> {
    pub(super) fn open_case(
        &mut self,
        account: &AccountId,
        key: &PaymentKey,
        reason: &Text,
        application: &Application,
    ) -> Result<(), Stop> {
        self.view(account)?;
        let policy = self.context.policy(self.context.now)?;
        let payment = self.draft.payment(key)?.ok_or(Refusal::PaymentUnknown)?;
        let paid = payment.paid.as_ref().ok_or(Refusal::PaymentUnknown)?;
        if payment.account.as_ref().is_some_and(|own| own != account) {
            return Err(Refusal::PaymentOfAnotherAccount.into());
        }
        if payment.claims.values().any(|claim| claim.ended.is_none()) {
            return Err(Refusal::CaseAlreadyOpen.into());
        }
        let claim = Claim {
            account: account.clone(),
            opened_at: self.context.now,
            ended: None,
            credits: Some(Pair::ZERO),
            money: Minor::ZERO,
            earlier: entitlement::in_force(payment),
            own: BTreeSet::new(),
        };
        let case = Case {
            id: self.command.id,
            account: account.clone(),
            payment: key.clone(),
            reason: reason.clone(),
            application: application.clone(),
            policy: policy.version,
            status: CaseStatus::Withdrawn,
            quote: Quote::nothing(Remedy::Refund, paid.basket.currency),
            claim,
        };
        self.judge(case)
    }

    pub(super) fn inform_case(
        &mut self,
        id: OperationId,
        application: &Application,
    ) -> Result<(), Stop> {
        let mut case = self.known_case(id)?;
        match case.status {
            CaseStatus::NeedsInformation { .. }
            | CaseStatus::InReview { .. }
            | CaseStatus::Eligible { .. } => {}
            CaseStatus::Approved { .. }
            | CaseStatus::Corrected { .. }
            | CaseStatus::Denied { .. }
            | CaseStatus::Withdrawn
            | CaseStatus::Refunded => return Err(Refusal::CaseFinished.into()),
        }
        case.application.learn(application);
        self.judge(case)
    }

    /// Approves the quote, or what the operator says instead.
    pub(super) fn approve_case(
        &mut self,
        id: OperationId,
        remedy: Option<Approval>,
    ) -> Result<(), Stop> {
        let case = self.known_case(id)?;
        match case.status {
            CaseStatus::InReview { .. } | CaseStatus::Eligible { .. } => {}
            CaseStatus::NeedsInformation { .. } => return Err(Refusal::CaseIncomplete.into()),
            CaseStatus::Approved { .. }
            | CaseStatus::Corrected { .. }
            | CaseStatus::Denied { .. }
            | CaseStatus::Withdrawn
            | CaseStatus::Refunded => return Err(Refusal::CaseFinished.into()),
        }
        self.policy = Some(case.policy);
        match (remedy, case.quote.remedy) {
            (Some(Approval::Credits(credits)), _) => self.correct(case, credits),
            (Some(Approval::Money(money)), Remedy::Refund) => self.await_refund(case, Some(money)),
            (None, Remedy::Refund) => self.await_refund(case, None),
            (Some(Approval::Money(_)), Remedy::Credits) => {
                Err(unfit("this reason is made good in credits, never in money"))
            }
            (None, Remedy::Credits) => Err(unfit("say how many credits make it good")),
        }
    }

    pub(super) fn deny_case(&mut self, id: OperationId, note: &Text) -> Result<(), Stop> {
        let status = CaseStatus::Denied { rule: note.clone(), by: Decider::Operator };
        self.drop_case(id, status)
    }

    pub(super) fn withdraw_case(&mut self, id: OperationId) -> Result<(), Stop> {
        self.drop_case(id, CaseStatus::Withdrawn)
    }

    fn drop_case(&mut self, id: OperationId, status: CaseStatus) -> Result<(), Stop> {
        let mut case = self.known_case(id)?;
        if case.status.is_final() {
            return Err(Refusal::CaseFinished.into());
        }
        case.status = status;
        self.change(case)
    }

    fn known_case(&self, id: OperationId) -> Result<Case, Stop> {
        Ok(self.draft.case(&id)?.ok_or(Refusal::CaseUnknown)?.clone())
    }

    /// Judges what was said by the policy of the case, and quotes it. A review that began keeps
    /// its due date, whatever is said besides.
    fn judge(&mut self, mut case: Case) -> Result<(), Stop> {
        let status = {
            let (refunds, reason) = self.rules(&case)?;
            let (payment, paid) = self.paid(&case)?;
            let holding = self.lots(&case, payment)?;
            let granted = holding.filter(|known| known.granted().paid.is_positive());
            let fate = granted.map(Holding::fate).transpose()?;
            let matter = Matter {
                refunds,
                reason,
                application: &case.application,
                key: &case.payment,
                paid,
                assigned: payment.account.is_some(),
                fate,
                account: self.draft.account(&case.account)?.map(|account| &account.view),
                asked_at: case.claim.opened_at,
                due_at: case.status.due_at(),
            };
            matter.verdict(self.context.now)?
        };
        self.quote(&mut case)?;
        case.status = status;
        self.change(case)
    }

    /// Quotes a case by what is left now: so much it holds, and so much is to come back.
    fn quote(&mut self, case: &mut Case) -> Result<(), Stop> {
        let (refunds, reason) = self.rules(case)?;
        let (payment, paid) = self.paid(case)?;
        let conversion = self.context.policy(paid.earliest_at)?;
        let holding = self.lots(case, payment)?;
        let lots = (holding, conversion);
        let quoted = quote(refunds, reason, &case.application, (payment, paid), lots)?;
        let is_known = payment.account.is_some() || quoted.remedy == Remedy::Credits;
        case.claim.credits = is_known.then_some(quoted.credits);
        case.claim.money = quoted.money;
        case.claim.earlier = entitlement::in_force(payment);
        case.quote = quoted;
        self.policy = Some(case.policy);
        Ok(())
    }

    /// The refund rules of the version that decides a case, and those for its reason.
    fn rules(&self, case: &Case) -> Result<(&Refunds, &Reason), Stop> {
        let timeline = &self.context.state.book.timeline;
        let policy = timeline.numbered(case.policy).ok_or(Fault::Broken("a version is unknown"))?;
        let refunds = policy.refunds.as_ref().ok_or(Refusal::RefundsNotOffered)?;
        match refunds.reasons.get(&case.reason) {
            Some(reason) => Ok((refunds, reason)),
            None => {
                let reasons = refunds.reasons.keys().cloned().collect();
                Err(Refusal::ReasonUnknown { reasons }.into())
            }
        }
    }

    fn paid(&self, case: &Case) -> Result<(&Payment, &Paid), Stop> {
        let payment = self.draft.payment(&case.payment)?.ok_or(Refusal::PaymentUnknown)?;
        Ok((payment, payment.paid.as_ref().ok_or(Refusal::PaymentUnknown)?))
    }

    /// The lots of a case's payment; none where no account has it yet.
    fn lots(&self, case: &Case, payment: &Payment) -> Result<Option<&Holding>, Stop> {
        match payment.account {
            Some(_) => Ok(self.draft.holding(&HoldingId::Payment(case.payment.clone()))?),
            None => Ok(None),
        }
    }

    /// Waits for the processor's refund: of what was quoted anew just now, or of what the operator
    /// said. Refunds until now are not the case's own.
    fn await_refund(&mut self, mut case: Case, money: Option<Minor>) -> Result<(), Stop> {
        self.quote(&mut case)?;
        let (payment, paid) = self.paid(&case)?;
        let left = paid.basket.total.minus(entitlement::paid_back(payment, &paid.basket))?;
        let decimals = self.context.policy(paid.earliest_at)?.decimals;
        let quoted = case.quote.money;
        let money = money.unwrap_or(quoted);
        if money <= Minor::ZERO {
            return Err(unfit("nothing is left to refund: say how much, or deny it"));
        }
        if money > left {
            let currency = paid.basket.currency;
            return Err(Refusal::ApprovalAbovePaid { paid: left, currency }.into());
        }
        // A part of the quoted money takes that part of the credits.
        if let Some(credits) = case.claim.credits.filter(|_| money < quoted) {
            case.claim.credits = Some(credits.share(money, quoted, decimals)?);
        }
        case.claim.money = money;
        case.status = CaseStatus::Approved { money };
        self.change(case)
    }

    /// Makes a case good in credits that no payment paid for.
    fn correct(&mut self, mut case: Case, credits: Credits) -> Result<(), Stop> {
        self.check(credits)?;
        let account = case.account.clone();
        self.refuse_closed(&account)?;
        let label = Text::new("compensation").ok();
        self.give(&account, credits, LotKind::Gift, label.as_ref())?;
        case.status = CaseStatus::Corrected { credits };
        self.change(case)
    }

    /// Puts a case in place of what it was, and lets it hold or set free credits.
    fn change(&mut self, mut case: Case) -> Result<(), Stop> {
        if case.status.is_final() {
            case.claim.ended = Some((self.context.now, ClaimEnd::Dropped));
        }
        let payment = case.payment.clone();
        self.draft.push(Effect::CaseChanged(Box::new(case)))?;
        self.post(&payment)
    }
}

fn unfit(detail: &'static str) -> Stop {
    Refusal::ApprovalUnfit { detail }.into()
}
