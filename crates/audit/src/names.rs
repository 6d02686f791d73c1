//! What a record names: payments, what earlier commands made, what usage says of itself.

use domain::{
    decision::Effect,
    holding::HoldingId,
    ids::{AccountId, OperationId, PaymentId, PaymentKey},
    input::{Delivery, Input, Order},
    notice::Notice,
    record::Record,
    usage::Metadata,
};

/// What a use of credits says of itself, and whose credits they were.
#[must_use]
pub fn metadata(record: &Record) -> Option<(&AccountId, &Metadata)> {
    let Input::Command(command) = &record.input else { return None };
    if let Order::Debit { account, metadata, .. } | Order::Capture { account, metadata, .. } =
        &command.order
    {
        return Some((account, metadata));
    }
    None
}

/// What a record's delivery says, or the delivery that it decides again.
#[must_use]
pub fn delivery(record: &Record) -> Option<&Delivery> {
    match &record.input {
        Input::Delivery(delivery) => Some(delivery),
        Input::Command(command) => command.order.released(),
    }
}

/// The payment that a delivery is about.
#[must_use]
pub const fn payment_of(notice: &Notice) -> Option<&PaymentKey> {
    match notice {
        Notice::Purchase(purchase) => Some(&purchase.payment),
        Notice::Adjustment(adjustment) => Some(&adjustment.payment),
        Notice::Nothing => None,
    }
}

/// Whether a record is about a payment, moves its credits or says something of it.
#[must_use]
pub fn concerns(record: &Record, payment: &PaymentId) -> bool {
    payments(record).any(|key| key.id == *payment)
}

/// The payments that a record names, one as often as it is named.
pub fn payments(record: &Record) -> impl Iterator<Item = &PaymentKey> {
    let notice = match &record.input {
        Input::Delivery(delivery) => delivery.notice.as_ref().ok(),
        Input::Command(_) => None,
    };
    let delivered = notice.and_then(payment_of);
    delivered.into_iter().chain(record.decision.effects.iter().flat_map(named).flatten())
}

/// The payments that an effect is about or whose credits it moves.
fn named(effect: &Effect) -> [Option<&PaymentKey>; 2] {
    match effect {
        Effect::PaymentAssigned { payment, .. }
        | Effect::MoneyMoved { payment, .. }
        | Effect::ChargebackCounted { payment, .. }
        | Effect::DisputeRuled { payment, .. } => [Some(payment), None],
        Effect::HoldingOpened { holding, .. }
        | Effect::Taken { holding, .. }
        | Effect::Awaited { holding, .. }
        | Effect::Forgiven { holding, .. } => [payment_behind(holding), None],
        Effect::Granted { lot, .. }
        | Effect::Reserved { lot, .. }
        | Effect::Unreserved { lot, .. }
        | Effect::Returned { lot, .. }
        | Effect::Drawn { lot, .. } => [payment_behind(&lot.holding), None],
        Effect::Settled { giver, taker, .. } | Effect::Unsettled { giver, taker, .. } => {
            [payment_behind(giver), payment_behind(taker)]
        }
        Effect::Frozen { freeze, .. } => [freeze.id.payment(), None],
        Effect::Unfrozen { freeze, .. } => [freeze.payment(), None],
        Effect::PaymentImported(import) => [Some(&import.payment), None],
        Effect::CaseChanged(case) => [Some(&case.payment), None],
        Effect::Raised(exception) => [exception.payment.as_ref(), None],
        // What is drawn of which lots has effects of its own.
        Effect::Debited { .. }
        | Effect::AccountOpened { .. }
        | Effect::HoldPlaced { .. }
        | Effect::HoldEnded { .. }
        | Effect::Closed { .. }
        | Effect::Reopened { .. }
        | Effect::CustomerAssigned { .. }
        | Effect::Cleared(_)
        | Effect::Resolved(_)
        | Effect::Released(_) => [None, None],
    }
}

/// The payment whose lots these are.
#[must_use]
pub const fn payment_behind(holding: &HoldingId) -> Option<&PaymentKey> {
    match holding {
        HoldingId::Payment(key) => Some(key),
        HoldingId::Grant(_) | HoldingId::Overdraft(_) => None,
    }
}

/// Whether a record makes, ends or uses what an earlier command made: a hold, usage, a case.
#[must_use]
pub fn names_operation(record: &Record, id: OperationId) -> bool {
    let command = match &record.input {
        Input::Command(command) => command.id == id || order_names(&command.order, id),
        Input::Delivery(_) => false,
    };
    command || record.decision.effects.iter().any(|effect| effect_names(effect, id))
}

fn order_names(order: &Order, id: OperationId) -> bool {
    match order {
        Order::Capture { hold, .. }
        | Order::ReleaseHold { hold, .. }
        | Order::ExpireHold { hold, .. } => *hold == id,
        Order::Return { debit, .. } => *debit == id,
        Order::Unfreeze { freeze, .. } => *freeze == id,
        Order::InformCase { case, .. }
        | Order::ApproveCase { case, .. }
        | Order::DenyCase { case, .. }
        | Order::WithdrawCase { case, .. } => *case == id,
        Order::Debit { .. }
        | Order::Hold { .. }
        | Order::Grant { .. }
        | Order::Freeze { .. }
        | Order::ClearMeasure { .. }
        | Order::Close { .. }
        | Order::WriteOff { .. }
        | Order::AssignPayment { .. }
        | Order::AssignCustomer { .. }
        | Order::OpenCase { .. }
        | Order::ConcludeDispute { .. }
        | Order::Release { .. }
        | Order::Resolve { .. }
        | Order::Import(_)
        | Order::ActivatePolicy { .. }
        | Order::Configure(_)
        | Order::Erase { .. } => false,
    }
}

fn effect_names(effect: &Effect, id: OperationId) -> bool {
    if let Effect::CaseChanged(case) = effect {
        return case.id == id;
    }
    effect.holding() == Some(&HoldingId::Grant(id))
}
