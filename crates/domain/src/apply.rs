//! What a recorded decision does to the state: the same live, in replay and in the simulator.

use crate::{
    account::View,
    decision::{CreditBook, Outcome, Transfer},
    draft::{Draft, Fault},
    ids::AccountId,
    input::{Command, Delivery, Input, Order},
    notice::Notice,
    posting,
    record::Record,
    state::{Book, Key, Missing, PriorCommand, PriorEvent, State},
};

/// A recorded fact contradicts the state: only a bug or a changed log can do that.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("record {sequence} contradicts the state: {what}")]
pub struct Contradiction {
    /// The record.
    pub sequence: crate::ids::Sequence,
    /// What does not fit.
    pub what: &'static str,
}

/// Why a record was not applied. The state is as it was.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ApplyFault {
    /// The state lacks something: load it and ask again.
    Missing(Missing),
    /// The record contradicts the state.
    Contradiction(Contradiction),
}

/// Applies the next record to the state. Gives the keys of the accounts, payments and holdings that
/// it changed.
///
/// # Errors
/// Something is not loaded, or the record contradicts the state; nothing is changed then.
pub fn apply(state: &mut State, record: &Record) -> Result<Vec<Key>, ApplyFault> {
    let fault = |fault| match fault {
        Fault::Missing(missing) => ApplyFault::Missing(missing),
        Fault::Broken(what) => {
            ApplyFault::Contradiction(Contradiction { sequence: record.sequence, what })
        }
    };
    let changes = changes(state, record).map_err(fault)?;
    let book = book_after(&state.book, record).map_err(fault)?;
    let changed = changes.keys();
    changes.merge(state);
    state.book = book;
    remember(state, record);
    Ok(changed)
}

/// Folds one record into what anyone may see of an account. Says whether it changed.
///
/// # Errors
/// An amount leaves its range, which no recorded decision does.
pub fn fold_view(
    view: &mut View,
    account: &AccountId,
    record: &Record,
) -> Result<bool, Contradiction> {
    if !record.decision.touches(account) {
        return Ok(false);
    }
    let what = "an amount of credits is out of range";
    let contradiction = |_| Contradiction { sequence: record.sequence, what };
    for effect in &record.decision.effects {
        if effect.account() == Some(account) {
            posting::watch(view, effect);
        }
    }
    for transfer in &record.decision.transfers {
        posting::post(view, account, transfer).map_err(contradiction)?;
    }
    count(view, record);
    Ok(true)
}

fn count(view: &mut View, record: &Record) {
    view.version = view.version.saturating_add(1);
    view.sequence = Some(record.sequence);
}

/// The copies that a record changes, checked.
struct Changes {
    accounts: Vec<(AccountId, crate::account::Account)>,
    holdings: Vec<(crate::holding::HoldingId, crate::holding::Holding)>,
    payments: Vec<(crate::ids::PaymentKey, crate::payment::Payment)>,
    exceptions: Vec<(crate::exception::ExceptionId, Option<crate::exception::Exception>)>,
}

fn changes(state: &State, record: &Record) -> Result<Changes, Fault> {
    let mut draft = Draft::new(state);
    learn(&mut draft, record)?;
    for effect in &record.decision.effects {
        draft.change(effect)?;
    }
    for account in record.decision.accounts() {
        let view = &mut draft.account_mut(&account)?.view;
        for transfer in &record.decision.transfers {
            posting::post(view, &account, transfer)?;
        }
        count(view, record);
    }
    for account in draft.accounts.values() {
        if account.books()? != account.view.books {
            return Err(Fault::Broken("transfers and lots disagree"));
        }
        if !account.view.books.is_sound() {
            return Err(Fault::Broken("a part of a balance is below zero"));
        }
    }
    Ok(Changes {
        accounts: draft.accounts.into_iter().collect(),
        holdings: draft.holdings.into_iter().collect(),
        payments: draft.payments.into_iter().collect(),
        exceptions: draft.exceptions.into_iter().collect(),
    })
}

/// Takes in the facts of a delivery that counts.
fn learn(draft: &mut Draft<'_>, record: &Record) -> Result<(), Fault> {
    let Input::Delivery(delivery) = &record.input else { return Ok(()) };
    if record.decision.outcome != Outcome::Recorded {
        return Ok(());
    }
    match &delivery.notice {
        Ok(Notice::Purchase(purchase)) => {
            draft.payment_mut(&purchase.payment)?.learn_purchase(purchase);
        }
        Ok(Notice::Adjustment(adjustment)) => {
            draft.payment_mut(&adjustment.payment)?.learn_adjustment(adjustment);
        }
        Ok(Notice::Nothing) | Err(_) => {}
    }
    Ok(())
}

impl Changes {
    fn keys(&self) -> Vec<Key> {
        let accounts = self.accounts.iter().map(|(id, _)| Key::Account(id.clone()));
        let holdings = self.holdings.iter().map(|(id, _)| Key::Holding(id.clone()));
        let payments = self.payments.iter().map(|(key, _)| Key::Payment(key.clone()));
        accounts.chain(holdings).chain(payments).collect()
    }

    fn merge(self, state: &mut State) {
        state.accounts.extend(self.accounts.into_iter().map(|(id, account)| (id, Some(account))));
        state.holdings.extend(self.holdings.into_iter().map(|(id, holding)| (id, Some(holding))));
        state.payments.extend(self.payments.into_iter().map(|(key, payment)| (key, Some(payment))));
        state.exceptions.extend(self.exceptions);
    }
}

fn book_after(book: &Book, record: &Record) -> Result<Book, Fault> {
    if record.sequence != book.next_sequence() {
        return Err(Fault::Broken("its sequence does not follow"));
    }
    if book.recorded_at.is_some_and(|last| record.recorded_at < last) {
        return Err(Fault::Broken("it was recorded before the record before it"));
    }
    let mut book = book.clone();
    book.sequence = Some(record.sequence);
    book.recorded_at = Some(record.recorded_at);
    for transfer in &record.decision.transfers {
        post(&mut book, transfer);
    }
    if let Input::Command(command) = &record.input {
        match &command.order {
            Order::ActivatePolicy { policy, file } => {
                let activated = book.timeline.activate(policy.clone(), record.recorded_at);
                activated.map_err(|_| Fault::Broken("its policy does not follow"))?;
                book.policy_file = Some(*file);
            }
            Order::Configure(settings) => book.settings = Some(settings.clone()),
            Order::Debit { .. }
            | Order::Grant { .. }
            | Order::Freeze { .. }
            | Order::Unfreeze { .. } => {}
        }
    }
    let assets =
        book.house.values().fold(book.customers, |sum, balance| sum.saturating_add(*balance));
    if assets != 0 {
        return Err(Fault::Broken("credits do not sum to zero"));
    }
    Ok(book)
}

/// Posts one transfer to the balances that the ledger keeps once.
fn post(book: &mut Book, transfer: &Transfer) {
    match transfer {
        Transfer::Credits { debit, credit, amount } => {
            for (part, moved) in [(debit, amount.negated()), (credit, *amount)] {
                let balance = match part {
                    CreditBook::Customer(..) => &mut book.customers,
                    CreditBook::House(house) => book.house.entry(*house).or_insert(0),
                };
                *balance = balance.saturating_add(moved.billionths());
            }
        }
        Transfer::Money { debit, credit, currency, amount } => {
            let amount = i128::from(amount.get());
            for (part, moved) in [(debit, amount.saturating_neg()), (credit, amount)] {
                let balance = book.money.entry((*part, *currency)).or_insert(0);
                *balance = balance.saturating_add(moved);
            }
        }
    }
}

/// Remembers what the record's event id or key stands for from now on.
fn remember(state: &mut State, record: &Record) {
    match &record.input {
        Input::Delivery(delivery) => match prior_event(delivery, record) {
            Some(prior) => {
                state.events.insert(delivery.event.clone(), Some(prior));
            }
            None => {
                let key = (delivery.event.clone(), delivery.content);
                state.conflicts.insert(key, Some(record.sequence));
            }
        },
        Input::Command(command) => {
            let prior = prior_command(command, record);
            state.commands.insert(command.key.clone(), Some(prior));
        }
    }
}

/// What a record says of its event id; `None` for a conflict, which says nothing of it.
#[must_use]
pub fn prior_event(delivery: &Delivery, record: &Record) -> Option<PriorEvent> {
    let quarantined = match record.decision.outcome {
        Outcome::Conflict { .. } => return None,
        Outcome::Quarantined(reason) => Some(reason),
        Outcome::Recorded | Outcome::Ignored | Outcome::Done => None,
    };
    Some(PriorEvent { sequence: record.sequence, content: delivery.content, quarantined })
}

/// What a record says of its command's key.
#[must_use]
pub const fn prior_command(command: &Command, record: &Record) -> PriorCommand {
    PriorCommand { sequence: record.sequence, request: command.request }
}
