//! Commands: safe to repeat, and either carried out or refused.

use std::sync::Arc;

use crate::{
    account::View,
    credits::Credits,
    decide::{Context, Verdict, finish, settle},
    decision::Outcome,
    draft::{Draft, Fault},
    ids::AccountId,
    input::{Command, Order},
    policy::{Policy, Timeline},
    refusal::Refusal,
    state::Missing,
};

/// Why a command stops.
pub(super) enum Stop {
    Refused(Refusal),
    Fault(Fault),
}

impl<F: Into<Fault>> From<F> for Stop {
    fn from(fault: F) -> Self {
        Self::Fault(fault.into())
    }
}

impl From<Refusal> for Stop {
    fn from(refusal: Refusal) -> Self {
        Self::Refused(refusal)
    }
}

/// A command on its way: what it may look at, what it changes.
pub(super) struct Work<'c, 's> {
    pub(super) context: &'c Context<'s>,
    pub(super) command: &'c Command,
    pub(super) draft: Draft<'c>,
    /// The version of the policy that was asked, where it is not the one in force.
    pub(super) policy: Option<u32>,
}

pub(super) fn decide(context: &Context<'_>, command: &Command) -> Result<Verdict, Missing> {
    if let Some(prior) = context.state.command(&command.key)? {
        return Ok(if prior.request == command.request {
            Verdict::Replayed(prior.sequence)
        } else {
            Verdict::Refused(Refusal::KeyReused)
        });
    }
    let mut work = Work { context, command, draft: context.draft(), policy: None };
    let finished = work
        .carry_out()
        .and_then(|policy| finish(work.draft, policy, Outcome::Done).map_err(Stop::from));
    match finished {
        Ok(decision) => Ok(Verdict::Record(decision)),
        Err(Stop::Refused(refusal)) => Ok(Verdict::Refused(refusal)),
        Err(Stop::Fault(Fault::Missing(missing))) => Err(missing),
        Err(Stop::Fault(Fault::Range(_))) => {
            let detail = Arc::from("takes a sum out of the range of amounts");
            Ok(Verdict::Refused(Refusal::AmountInvalid { detail }))
        }
        Err(Stop::Fault(Fault::Broken(what))) => Ok(Verdict::Refused(Refusal::Undecided { what })),
    }
}

impl Work<'_, '_> {
    /// Carries out the command on the draft. Gives the version of the policy that was asked.
    fn carry_out(&mut self) -> Result<Option<u32>, Stop> {
        let order = &self.command.order;
        if let Some(account) = order.account() {
            // A version of the policy that settles what is owed may be in force since.
            settle::settle(self.context, &mut self.draft, account)?;
        }
        match order {
            Order::Debit { account, amount, usage, metadata } => {
                self.debit(account, *amount, *usage, metadata)
            }
            Order::Hold { account, amount, expires_in_seconds } => {
                self.hold(account, *amount, *expires_in_seconds)
            }
            Order::Capture { account, hold, amount, metadata } => {
                self.capture(account, *hold, *amount, metadata)
            }
            Order::ReleaseHold { account, hold } => self.release_hold(account, *hold),
            Order::ExpireHold { account, hold } => self.expire_hold(account, *hold),
            Order::Return { account, debit, amount, .. } => {
                self.make_good(account, *debit, *amount)
            }
            Order::Grant { account, amount, kind, label, .. } => {
                self.grant(account, *amount, *kind, label.as_ref())
            }
            Order::Freeze { account, reason, measures } => self.freeze(account, reason, *measures),
            Order::Unfreeze { account, freeze } => self.unfreeze(account, *freeze),
            Order::ClearMeasure { account, freeze, measure, .. } => {
                self.clear_measure(account, freeze, *measure)
            }
            Order::Close { account, .. } => self.close(account),
            Order::WriteOff { account, amount, .. } => self.write_off(account, *amount),
            Order::AssignPayment { payment, account, .. } => self.assign_payment(payment, account),
            Order::AssignCustomer { customer, account, .. } => {
                self.assign_customer(customer, account)
            }
            Order::ConcludeDispute { payment, cause, conclusion, .. } => {
                self.conclude_dispute(payment, *cause, *conclusion)
            }
            Order::Import(import) => self.import(import),
            Order::OpenCase { account, payment, reason, application } => {
                self.open_case(account, payment, reason, application)
            }
            Order::InformCase { case, application } => self.inform_case(*case, application),
            Order::ApproveCase { case, remedy, .. } => self.approve_case(*case, *remedy),
            Order::DenyCase { case, note } => self.deny_case(*case, note),
            Order::WithdrawCase { case, .. } => self.withdraw_case(*case),
            Order::Release { record, event, delivery, .. } => {
                self.release(*record, event, delivery)
            }
            Order::Resolve { exception, .. } => self.resolve(*exception),
            Order::ActivatePolicy { policy, .. } => self.activate(policy),
            Order::Configure(_) => return Ok(None),
            Order::Erase { records, .. } => {
                self.erase(records)?;
                return Ok(None);
            }
        }?;
        if let Some(account) = order.account() {
            settle::settle(self.context, &mut self.draft, account)?;
        }
        match self.policy {
            Some(version) => Ok(Some(version)),
            None => Ok(Some(self.context.policy(self.context.now)?.version)),
        }
    }

    fn activate(&mut self, policy: &Arc<Policy>) -> Result<(), Stop> {
        let mut timeline: Timeline = self.context.state.book.timeline.clone();
        timeline.activate(policy.clone(), self.context.now).map_err(Refusal::PolicyRefused)?;
        self.policy = Some(policy.version);
        Ok(())
    }

    /// What anyone may see of the account that a command is about.
    pub(super) fn view(&self, account: &AccountId) -> Result<&View, Stop> {
        match self.draft.account(account)? {
            Some(account) => Ok(&account.view),
            None => Err(Refusal::AccountUnknown.into()),
        }
    }

    pub(super) fn refuse_closed(&self, account: &AccountId) -> Result<(), Stop> {
        match self.draft.account(account)?.is_some_and(|account| account.view.closed.is_some()) {
            true => Err(Refusal::AccountClosed.into()),
            false => Ok(()),
        }
    }

    /// Refuses an amount that is not positive or has more decimals than the ledger's credits.
    pub(super) fn check(&self, amount: Credits) -> Result<(), Stop> {
        let decimals = u32::from(self.context.policy(self.context.now)?.decimals);
        if !amount.is_positive() {
            Err(amount_invalid("must be above zero"))
        } else if amount.get().scale() > decimals {
            Err(amount_invalid("has more decimals than the ledger's credits"))
        } else {
            Ok(())
        }
    }
}

pub(super) fn amount_invalid(detail: &str) -> Stop {
    Refusal::AmountInvalid { detail: Arc::from(detail) }.into()
}
