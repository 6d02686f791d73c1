//! What others read of the state: one thing by its id, or a list in the order of ids.

use std::sync::Arc;

use domain::{
    account::View,
    case::Case,
    entities::{Entity, Key},
    exception::{ExceptionId, Filed},
    holding::{Holding, HoldingId},
    ids::{AccountId, LedgerId, OperationId, PaymentKey},
    payment::Payment,
    time::Timestamp,
    usage::{Debit, Hold},
};

use crate::{
    entity::Stored,
    keys::{self, Part},
    projections::{Projections, StateError},
};

/// Which exceptions are listed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Which {
    /// Those whose cause holds and that nobody resolved.
    Open,
    /// Those that ended.
    Ended,
}

/// Takes the value of one kind out of an entity.
macro_rules! only {
    ($kind:ident, $entity:expr) => {
        match $entity {
            None => Ok(None),
            Some(Entity::$kind(value)) => Ok(Some(Arc::unwrap_or_clone(value))),
            Some(_) => Err(StateError::Confused),
        }
    };
}

impl Projections {
    /// What anyone with the right may see of an account.
    ///
    /// # Errors
    /// The stored state can't be read.
    pub fn account(&self, ledger: &LedgerId, id: &AccountId) -> Result<Option<View>, StateError> {
        let account = only!(Account, self.entity(ledger, &Key::Account(id.clone()))?)?;
        Ok(account.map(|account| account.view))
    }

    /// Accounts in the order of their names, after one, at most so many.
    ///
    /// # Errors
    /// The stored state can't be read.
    pub fn accounts(
        &self,
        ledger: &LedgerId,
        after: Option<&AccountId>,
        limit: usize,
    ) -> Result<Vec<(AccountId, View)>, StateError> {
        let after = after.map(|id| keys::account(ledger, id));
        let found = self.scan(ledger, Part::Account, after, limit)?;
        let prefix = keys::prefix(ledger, Part::Account).len();
        found
            .into_iter()
            .map(|(key, stored)| {
                let name = key.get(prefix..).and_then(|name| std::str::from_utf8(name).ok());
                let id = name.and_then(|name| AccountId::new(name).ok());
                let (Some(id), Stored::Entity(Entity::Account(account))) = (id, &stored) else {
                    return Err(StateError::Confused);
                };
                Ok((id, account.view.clone()))
            })
            .collect()
    }

    /// What is known of a payment, with its lots.
    ///
    /// # Errors
    /// The stored state can't be read.
    pub fn payment(
        &self,
        ledger: &LedgerId,
        key: &PaymentKey,
    ) -> Result<Option<(Payment, Option<Holding>)>, StateError> {
        let payment = only!(Payment, self.entity(ledger, &Key::Payment(key.clone()))?)?;
        let Some(payment) = payment else { return Ok(None) };
        let holding = Key::Holding(HoldingId::Payment(key.clone()));
        let holding = only!(Holding, self.entity(ledger, &holding)?)?;
        Ok(Some((payment, holding)))
    }

    /// Credits reserved for usage to come, or that were.
    ///
    /// # Errors
    /// The stored state can't be read.
    pub fn hold(&self, ledger: &LedgerId, id: OperationId) -> Result<Option<Hold>, StateError> {
        only!(Hold, self.entity(ledger, &Key::Hold(id))?)
    }

    /// The holds whose time is over at a moment with their accounts, the one that ended first in
    /// front, at most so many.
    ///
    /// # Errors
    /// The stored state can't be read.
    pub fn due_holds(
        &self,
        ledger: &LedgerId,
        now: Timestamp,
        limit: usize,
    ) -> Result<Vec<(AccountId, OperationId)>, StateError> {
        let holds = self.book(ledger)?.holds;
        let due = holds.iter().take_while(|((expires_at, _), _)| *expires_at <= now);
        Ok(due.take(limit).map(|((_, hold), account)| (account.clone(), *hold)).collect())
    }

    /// Usage that a return can make good, or made.
    ///
    /// # Errors
    /// The stored state can't be read.
    pub fn debit(&self, ledger: &LedgerId, id: OperationId) -> Result<Option<Debit>, StateError> {
        only!(Debit, self.entity(ledger, &Key::Debit(id))?)
    }

    /// A refund case.
    ///
    /// # Errors
    /// The stored state can't be read.
    pub fn case(&self, ledger: &LedgerId, id: OperationId) -> Result<Option<Case>, StateError> {
        only!(Case, self.entity(ledger, &Key::Case(id))?)
    }

    /// Refund cases in the order of their ids, after one, at most so many.
    ///
    /// # Errors
    /// The stored state can't be read.
    pub fn cases(
        &self,
        ledger: &LedgerId,
        after: Option<OperationId>,
        limit: usize,
    ) -> Result<Vec<Case>, StateError> {
        let after = after.and_then(|id| keys::of(ledger, &Key::Case(id))).map(|(_, at)| at);
        let found = self.scan(ledger, Part::Case, after, limit)?;
        found
            .into_iter()
            .map(|(_, stored)| {
                let Stored::Entity(Entity::Case(case)) = stored else {
                    return Err(StateError::Confused);
                };
                Ok(Arc::unwrap_or_clone(case))
            })
            .collect()
    }

    /// An exception, open or ended.
    ///
    /// # Errors
    /// The stored state can't be read.
    pub fn exception(
        &self,
        ledger: &LedgerId,
        id: ExceptionId,
    ) -> Result<Option<Filed>, StateError> {
        only!(Exception, self.entity(ledger, &Key::Exception(id))?)
    }

    /// Exceptions in the order in which they were raised, after one, at most so many.
    ///
    /// # Errors
    /// The stored state can't be read.
    pub fn exceptions(
        &self,
        ledger: &LedgerId,
        which: Which,
        after: Option<ExceptionId>,
        limit: usize,
    ) -> Result<Vec<Filed>, StateError> {
        let part = match which {
            Which::Open => Part::OpenException,
            Which::Ended => Part::EndedException,
        };
        let after = after.map(|id| keys::exception(ledger, part, id));
        let found = self.scan(ledger, part, after, limit)?;
        found
            .into_iter()
            .map(|(_, stored)| {
                let Stored::Entity(Entity::Exception(filed)) = stored else {
                    return Err(StateError::Confused);
                };
                Ok(Arc::unwrap_or_clone(filed))
            })
            .collect()
    }
}
