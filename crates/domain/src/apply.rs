//! What a recorded decision does to the state: the same live, in replay and in the simulator.

use crate::{
    account::View,
    decision::{CreditBook, Effect, Outcome, Transfer},
    draft::{Draft, Fault},
    entities::{Entities, Key},
    ids::AccountId,
    input::{Command, Delivery, Input, Order},
    notice::Notice,
    policy::Timeline,
    posting,
    record::Record,
    state::{Book, Missing, PriorCommand, PriorEvent, State},
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

/// Applies the next record to the state. Gives the keys of the entities that it changed.
///
/// # Errors
/// Something is not loaded, or the record contradicts the state; nothing is changed then.
pub fn apply(state: &mut State, record: &Record) -> Result<Vec<Key>, ApplyFault> {
    let fault = |fault| match fault {
        Fault::Missing(missing) => ApplyFault::Missing(missing),
        Fault::Broken(what) | Fault::Range(what) => {
            ApplyFault::Contradiction(Contradiction { sequence: record.sequence, what })
        }
    };
    let changes = changes(state, record).map_err(fault)?;
    let timeline = check_book(&state.book, record).map_err(fault)?;
    let changed = changes.keys().collect();
    advance(&mut state.book, record, timeline, &changes);
    state.entities.merge(changes);
    remember(state, record);
    Ok(changed)
}

/// The keys that applying a record asks for first, to load them before: every [`Missing`] on the
/// way begins the work anew. A hint alone: what else is needed is still asked for.
pub fn asks_for(record: &Record, mut ask: impl FnMut(Key)) {
    if let Input::Delivery(delivery) = &record.input
        && let Ok(notice) = &delivery.notice
    {
        match notice {
            Notice::Purchase(purchase) => ask(Key::Payment(purchase.payment.clone())),
            Notice::Adjustment(adjustment) => ask(Key::Payment(adjustment.payment.clone())),
            Notice::Nothing => {}
        }
    }
    for effect in &record.decision.effects {
        if let Some(holding) = effect.holding() {
            ask(Key::Holding(holding.clone()));
        }
    }
    for account in record.decision.accounts() {
        ask(Key::Account(account));
    }
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
        fold_standing(view, account, effect);
    }
    for transfer in &record.decision.transfers {
        posting::post(view, account, transfer).map_err(contradiction)?;
    }
    count(view, record);
    Ok(true)
}

/// Folds one effect into an account's freezes and closing, transfers apart: for who sums those beyond
/// the range of balances.
pub fn fold_standing(view: &mut View, account: &AccountId, effect: &Effect) {
    if effect.account() == Some(account) {
        posting::watch(view, effect);
    }
}

fn count(view: &mut View, record: &Record) {
    view.version = view.version.saturating_add(1);
    view.sequence = Some(record.sequence);
}

/// The entities that a record changes, checked.
fn changes(state: &State, record: &Record) -> Result<Entities, Fault> {
    let mut draft = Draft::new(state, record.sequence, record.recorded_at);
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
    for account in draft.own.accounts.values().flatten() {
        if account.books()? != account.view.books {
            return Err(Fault::Broken("transfers and lots disagree"));
        }
        if !account.view.books.is_sound() {
            return Err(Fault::Broken("a part of a balance is below zero"));
        }
    }
    Ok(draft.own)
}

/// Takes in the facts of a delivery that counts, now or since its release.
fn learn(draft: &mut Draft<'_>, record: &Record) -> Result<(), Fault> {
    match (&record.input, record.decision.outcome) {
        (Input::Delivery(delivery), Outcome::Recorded) => draft.learn(delivery),
        (Input::Command(command), _) => match command.order.released() {
            Some(delivery) => draft.learn(delivery),
            None => Ok(()),
        },
        (Input::Delivery(_), _) => Ok(()),
    }
}

/// Checks that a record follows the book. Gives the policies after it where it puts one in force.
fn check_book(book: &Book, record: &Record) -> Result<Option<Timeline>, Fault> {
    if record.sequence != book.next_sequence() {
        return Err(Fault::Broken("its sequence does not follow"));
    }
    if book.recorded_at.is_some_and(|last| record.recorded_at < last) {
        return Err(Fault::Broken("it was recorded before the record before it"));
    }
    if sum_after(book, record) != 0 {
        return Err(Fault::Broken("credits do not sum to zero"));
    }
    let Input::Command(command) = &record.input else { return Ok(None) };
    let Order::ActivatePolicy { policy, .. } = &command.order else { return Ok(None) };
    let mut timeline = book.timeline.clone();
    let activated = timeline.activate(policy.clone(), record.recorded_at);
    activated.map_err(|_| Fault::Broken("its policy does not follow"))?;
    Ok(Some(timeline))
}

/// All balances of credits together as a record leaves them.
fn sum_after(book: &Book, record: &Record) -> i128 {
    let before = book.house.values().fold(book.customers, |sum, own| sum.saturating_add(*own));
    record.decision.transfers.iter().fold(before, |sum, transfer| match transfer {
        Transfer::Credits { amount, .. } => {
            sum.saturating_add(amount.negated().billionths()).saturating_add(amount.billionths())
        }
        Transfer::Money { .. } => sum,
    })
}

/// Brings the book up to a record that was checked.
fn advance(book: &mut Book, record: &Record, timeline: Option<Timeline>, changed: &Entities) {
    book.sequence = Some(record.sequence);
    book.recorded_at = Some(record.recorded_at);
    for transfer in &record.decision.transfers {
        post(book, transfer);
    }
    for (id, hold) in &changed.holds {
        let Some(hold) = hold else { continue };
        match hold.ended {
            None => book.holds.insert((hold.expires_at, *id), hold.account.clone()),
            Some(_) => book.holds.remove(&(hold.expires_at, *id)),
        };
    }
    if let Some(timeline) = timeline {
        book.timeline = timeline;
    }
    if let Input::Command(command) = &record.input {
        if let Order::ActivatePolicy { policy, file } = &command.order {
            book.policy_file = Some(*file);
            book.activations.insert(policy.version, record.sequence);
        }
        if let Order::Configure(settings) = &command.order {
            book.settings = Some(settings.clone());
        }
    }
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
