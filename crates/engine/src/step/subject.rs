//! Whose balance an answer shows: the account that a command names, or that what it names belongs
//! to.

use domain::{
    account::View,
    entities::Key,
    ids::{AccountId, PaymentKey},
    input::{Input, Order},
    notice::Notice,
    state::State,
};

use super::Engine;
use crate::load::LoadError;

impl Engine {
    /// The account that a command is about as the state has it.
    pub(super) fn view(&self, state: &mut State, input: &Input) -> Result<Option<View>, LoadError> {
        let Input::Command(command) = input else { return Ok(None) };
        let Some(account) = self.account_of(state, &command.order)? else { return Ok(None) };
        self.known(state, Key::Account(account.clone()))?;
        let known = state.entities.account(&account).flatten();
        Ok(known.map(|account| account.view.clone()))
    }

    /// The account that an order names, or that what it names belongs to.
    fn account_of(&self, state: &mut State, order: &Order) -> Result<Option<AccountId>, LoadError> {
        match order {
            Order::InformCase { case, .. }
            | Order::ApproveCase { case, .. }
            | Order::DenyCase { case, .. }
            | Order::WithdrawCase { case, .. } => {
                self.known(state, Key::Case(*case))?;
                let case = state.entities.case(case).flatten();
                Ok(case.map(|case| case.account.clone()))
            }
            Order::ConcludeDispute { payment, .. } => self.account_of_payment(state, payment),
            Order::Release { delivery, .. } => match &delivery.notice {
                Ok(Notice::Purchase(purchase)) => self.account_of_payment(state, &purchase.payment),
                Ok(Notice::Adjustment(adjustment)) => {
                    self.account_of_payment(state, &adjustment.payment)
                }
                Ok(Notice::Nothing) | Err(_) => Ok(None),
            },
            Order::Resolve { exception, .. } => {
                self.known(state, Key::Exception(*exception))?;
                let filed = state.entities.exception(exception).flatten();
                Ok(filed.and_then(|filed| filed.exception.account.clone()))
            }
            Order::Debit { .. }
            | Order::Hold { .. }
            | Order::Capture { .. }
            | Order::ReleaseHold { .. }
            | Order::ExpireHold { .. }
            | Order::Return { .. }
            | Order::Grant { .. }
            | Order::Freeze { .. }
            | Order::Unfreeze { .. }
            | Order::ClearMeasure { .. }
            | Order::Close { .. }
            | Order::WriteOff { .. }
            | Order::AssignPayment { .. }
            | Order::AssignCustomer { .. }
            | Order::OpenCase { .. }
            | Order::Import(_)
            | Order::ActivatePolicy { .. }
            | Order::Configure(_)
            | Order::Erase { .. } => Ok(order.account().cloned()),
        }
    }

    fn account_of_payment(
        &self,
        state: &mut State,
        payment: &PaymentKey,
    ) -> Result<Option<AccountId>, LoadError> {
        self.known(state, Key::Payment(payment.clone()))?;
        let payment = state.entities.payment(payment).flatten();
        Ok(payment.and_then(|payment| payment.account.clone()))
    }

    /// Loads what a key names unless the state knows it.
    fn known(&self, state: &mut State, key: Key) -> Result<(), LoadError> {
        if state.entities.knows(&key) {
            return Ok(());
        }
        self.load(state, key)
    }
}
