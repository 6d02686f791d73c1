//! Transfers: how an account's books moved, as debits and equal credits.
//!
//! Each is derived from one effect, so that a grant and what is taken from it at once stay two
//! movements in the books.

use crate::{
    account::{Books, View},
    credits::{CreditOverflow, Credits},
    decision::{CreditBook, Effect, House, MoneyBook, Section, Taking, Transfer},
    draft::Fault,
    holding::{HoldingId, Pair},
    ids::AccountId,
    input::LotKind,
    money::{Currency, Minor},
};

/// Changes what anyone may see of an account by one effect on it, transfers apart.
pub(crate) fn watch(view: &mut View, effect: &Effect) {
    match effect {
        Effect::Frozen { freeze, .. } => {
            view.freezes.insert(freeze.id.clone(), freeze.clone());
        }
        Effect::Unfrozen { freeze, .. } => {
            view.freezes.remove(freeze);
        }
        Effect::Closed { by, .. } => view.closed = Some(*by),
        Effect::Reopened { .. } => view.closed = None,
        Effect::PaymentAssigned { .. }
        | Effect::AccountOpened { .. }
        | Effect::HoldingOpened { .. }
        | Effect::Granted { .. }
        | Effect::Taken { .. }
        | Effect::Awaited { .. }
        | Effect::Drawn { .. }
        | Effect::Settled { .. }
        | Effect::Unsettled { .. }
        | Effect::HoldPlaced { .. }
        | Effect::Reserved { .. }
        | Effect::Unreserved { .. }
        | Effect::HoldEnded { .. }
        | Effect::Debited { .. }
        | Effect::Returned { .. }
        | Effect::Forgiven { .. }
        | Effect::MoneyMoved { .. }
        | Effect::ChargebackCounted { .. }
        | Effect::CustomerAssigned { .. }
        | Effect::PaymentImported(_)
        | Effect::CaseChanged(_)
        | Effect::DisputeRuled { .. }
        | Effect::Raised(_)
        | Effect::Cleared(_)
        | Effect::Resolved(_)
        | Effect::Released(_) => {}
    }
}

/// Posts one transfer to an account's visible books.
pub(crate) fn post(
    view: &mut View,
    account: &AccountId,
    transfer: &Transfer,
) -> Result<(), CreditOverflow> {
    let Transfer::Credits { debit, credit, amount } = transfer else { return Ok(()) };
    for (book, moved) in [(debit, amount.negated()), (credit, *amount)] {
        let CreditBook::Customer(holder, section) = book else { continue };
        if holder != account {
            continue;
        }
        let books = &mut view.books;
        match section {
            Section::Paid => books.paid = books.paid.plus(moved)?,
            Section::Gift => books.gift = books.gift.plus(moved)?,
            Section::Held => books.held = books.held.plus(moved)?,
            Section::Owed => books.owed = books.owed.minus(moved)?,
            Section::WrittenOff => books.written_off = books.written_off.minus(moved)?,
        }
    }
    Ok(())
}

/// What the house issues to the account by an effect (below zero: what it takes).
pub(crate) fn issued(effect: &Effect) -> Result<Option<(House, Credits)>, CreditOverflow> {
    Ok(match effect {
        Effect::Granted { lot, amount } => match (&lot.holding, lot.kind) {
            (HoldingId::Payment(_), LotKind::Paid) => Some((House::Sold, *amount)),
            _ => Some((House::Given, *amount)),
        },
        Effect::Taken { by: Taking::Refund, amount, .. } => {
            Some((House::Returned, sum_taken(*amount)?))
        }
        Effect::Taken { by: Taking::Chargeback, amount, .. } => {
            Some((House::ChargedBack, sum_taken(*amount)?))
        }
        Effect::Drawn { amount, .. } => Some((House::Used, amount.negated())),
        Effect::Returned { amount, .. } => Some((House::Used, *amount)),
        Effect::PaymentAssigned { .. }
        | Effect::AccountOpened { .. }
        | Effect::HoldingOpened { .. }
        | Effect::Awaited { .. }
        | Effect::Settled { .. }
        | Effect::Unsettled { .. }
        | Effect::Forgiven { .. }
        | Effect::HoldPlaced { .. }
        | Effect::Reserved { .. }
        | Effect::Unreserved { .. }
        | Effect::HoldEnded { .. }
        | Effect::Debited { .. }
        | Effect::MoneyMoved { .. }
        | Effect::CustomerAssigned { .. }
        | Effect::PaymentImported(_)
        | Effect::CaseChanged(_)
        | Effect::DisputeRuled { .. }
        | Effect::Frozen { .. }
        | Effect::Unfrozen { .. }
        | Effect::ChargebackCounted { .. }
        | Effect::Closed { .. }
        | Effect::Reopened { .. }
        | Effect::Raised(_)
        | Effect::Cleared(_)
        | Effect::Resolved(_)
        | Effect::Released(_) => None,
    })
}

fn sum_taken(amount: Pair) -> Result<Credits, CreditOverflow> {
    Ok(amount.sum()?.negated())
}

/// The transfers that move an account's books from `before` to `after`, the house issuing the
/// difference. What falls pays what rises, in a fixed order.
pub(crate) fn transfers(
    account: &AccountId,
    before: &Books,
    after: &Books,
    issued: Option<(House, Credits)>,
) -> Result<Vec<Transfer>, Fault> {
    let moved = after.minus(before)?;
    let mut falls = Vec::new();
    let mut rises = Vec::new();
    let house = issued.map(|(house, amount)| (CreditBook::House(house), amount.negated()));
    let sections = [
        (Section::Paid, moved.paid),
        (Section::Gift, moved.gift),
        (Section::Held, moved.held),
        (Section::Owed, moved.owed.negated()),
        (Section::WrittenOff, moved.written_off.negated()),
    ];
    let sections =
        sections.map(|(section, by)| (CreditBook::Customer(account.clone(), section), by));
    for (book, by) in house.into_iter().chain(sections) {
        if by.is_positive() {
            rises.push((book, by));
        } else if by.negated().is_positive() {
            falls.push((book, by.negated()));
        }
    }
    matched(falls, rises)
}

/// Pays each rise from the falls in turn.
fn matched(
    falls: Vec<(CreditBook, Credits)>,
    rises: Vec<(CreditBook, Credits)>,
) -> Result<Vec<Transfer>, Fault> {
    let mut transfers = Vec::new();
    let mut falls = falls.into_iter();
    let mut fall = falls.next();
    for (credit, mut needed) in rises {
        while needed.is_positive() {
            let Some((debit, left)) = fall.take() else {
                return Err(Fault::Broken("an account's books rise by more than they are given"));
            };
            let amount = left.min(needed);
            needed = needed.minus(amount)?;
            let rest = left.minus(amount)?;
            fall = if rest.is_positive() { Some((debit.clone(), rest)) } else { falls.next() };
            transfers.push(Transfer::Credits { debit, credit: credit.clone(), amount });
        }
    }
    match fall {
        Some(_) => Err(Fault::Broken("an account's books fall by more than is taken from them")),
        None => Ok(transfers),
    }
}

/// Money that comes in: the processor owes it to us for what the customer paid.
pub(crate) fn money_in(currency: Currency, amount: Minor) -> Option<Transfer> {
    let (debit, credit) = (MoneyBook::Processor, MoneyBook::Receipts);
    match amount.cmp(&Minor::ZERO) {
        std::cmp::Ordering::Greater => Some(Transfer::Money { debit, credit, currency, amount }),
        std::cmp::Ordering::Equal => None,
        std::cmp::Ordering::Less => {
            Some(Transfer::Money { debit: credit, credit: debit, currency, amount: amount.abs() })
        }
    }
}
