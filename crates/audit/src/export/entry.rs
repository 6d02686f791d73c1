//! What an export tells of a record besides its transfers.

use domain::{
    calendar::Day,
    decision::Transfer,
    ids::{EventKey, PaymentKey, Text},
    input::{Delivery, Input, Order},
    notice::Notice,
    record::Record,
    time::Timestamp,
};

use crate::cut::happened_at;

/// A record as exports tell it.
pub(super) struct Entry<'r> {
    pub(super) sequence: u64,
    /// The day that dates it.
    pub(super) day: Day,
    pub(super) recorded_at: Timestamp,
    pub(super) happened_at: Timestamp,
    /// The provider's name of the kind of event, or the command's.
    pub(super) what: String,
    /// What it is known by: the event's id, or the command's.
    pub(super) reference: String,
    /// The payment that it is about.
    pub(super) payment: Option<String>,
    /// What a person or the gateway gave as the reason.
    pub(super) note: Option<&'r str>,
    /// Its hash in the ledger's chain.
    pub(super) chain: String,
    pub(super) transfers: &'r [Transfer],
}

impl<'r> Entry<'r> {
    pub(super) fn of(record: &'r Record, at: Timestamp, chain: String) -> Self {
        let (what, reference, payment, note) = match &record.input {
            Input::Delivery(delivery) => {
                let kind = delivery.event_type.as_deref().unwrap_or("delivery");
                (kind.to_owned(), event(&delivery.event), payment_of(delivery), None)
            }
            Input::Command(command) => {
                let order = &command.order;
                let payment = order.released().and_then(payment_of).or_else(|| named(order));
                (order.name().to_owned(), command.id.to_string(), payment, note(order))
            }
        };
        Self {
            sequence: record.sequence.get(),
            day: Day::of(at),
            recorded_at: record.recorded_at,
            happened_at: happened_at(record),
            what,
            reference,
            payment: payment.map(|payment| format!("{}/{}", payment.origin, payment.id)),
            note: note.map(Text::as_str),
            chain,
            transfers: &record.decision.transfers,
        }
    }

    /// What is told in words, by name; what is empty is left out.
    pub(super) fn words(&self) -> impl Iterator<Item = (&'static str, String)> {
        let words = [
            ("recorded", Some(self.recorded_at.to_string())),
            ("happened", Some(self.happened_at.to_string())),
            ("reference", Some(self.reference.clone())),
            ("payment", self.payment.clone()),
            ("note", self.note.map(str::to_owned)),
            ("chain", Some(self.chain.clone())),
        ];
        words.into_iter().filter_map(|(name, text)| Some((name, text?)))
    }
}

fn event(key: &EventKey) -> String {
    match key {
        EventKey::Event { origin, id } => format!("{origin}/{id}"),
        EventKey::Body { origin, digest } => format!("{origin}/sha256/{digest}"),
    }
}

fn payment_of(delivery: &Delivery) -> Option<&PaymentKey> {
    match &delivery.notice {
        Ok(Notice::Purchase(purchase)) => Some(&purchase.payment),
        Ok(Notice::Adjustment(adjustment)) => Some(&adjustment.payment),
        Ok(Notice::Nothing) | Err(_) => None,
    }
}

/// The payment that a command names.
fn named(order: &Order) -> Option<&PaymentKey> {
    if let Order::AssignPayment { payment, .. }
    | Order::OpenCase { payment, .. }
    | Order::ConcludeDispute { payment, .. } = order
    {
        return Some(payment);
    }
    if let Order::Import(import) = order { Some(&import.payment) } else { None }
}

/// The reason or note of a command.
const fn note(order: &Order) -> Option<&Text> {
    match order {
        Order::Return { reason, .. }
        | Order::Grant { reason, .. }
        | Order::Freeze { reason, .. }
        | Order::ClearMeasure { reason, .. }
        | Order::Close { reason, .. }
        | Order::WriteOff { reason, .. }
        | Order::AssignPayment { reason, .. }
        | Order::AssignCustomer { reason, .. }
        | Order::OpenCase { reason, .. }
        | Order::ConcludeDispute { reason, .. }
        | Order::Release { reason, .. }
        | Order::Erase { reason, .. }
        | Order::DenyCase { note: reason, .. }
        | Order::Resolve { note: reason, .. } => Some(reason),
        Order::ApproveCase { note, .. } | Order::WithdrawCase { note, .. } => note.as_ref(),
        Order::Import(import) => Some(&import.reason),
        Order::Debit { .. }
        | Order::Hold { .. }
        | Order::Capture { .. }
        | Order::ReleaseHold { .. }
        | Order::ExpireHold { .. }
        | Order::Unfreeze { .. }
        | Order::InformCase { .. }
        | Order::ActivatePolicy { .. }
        | Order::Configure(_) => None,
    }
}
