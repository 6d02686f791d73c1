//! What the log says of what a provider lists.

use std::collections::BTreeMap;

use domain::{
    credits::Credits,
    decision::{Effect, Outcome},
    holding::HoldingId,
    ids::{Digest, EventKey, LedgerId, Origin, Sequence},
    input::{Delivery, Evidence, Import, Input, Order, Reality},
    notice::Notice,
    payment::Payment,
    record::Record,
    time::Timestamp,
};
use event_store::log::EventLog;

use super::compare::ReconcileError;
use crate::{
    cut::{Cut, Provenance},
    pass::pass,
};

/// What is here of one provider's namespace.
pub(crate) struct Here {
    pub(crate) events: BTreeMap<String, Known>,
    pub(crate) payments: BTreeMap<String, Facts>,
    /// How many events of each type arrived by themselves.
    pub(crate) arrived: BTreeMap<String, u64>,
    origin: Origin,
}

/// An event that is here.
pub(crate) struct Known {
    pub(crate) sequence: Sequence,
    pub(crate) content: Digest,
    pub(crate) occurred_at: Option<Timestamp>,
    pub(crate) reality: Reality,
}

/// What is known of a payment.
#[derive(Clone)]
pub(crate) struct Facts {
    pub(crate) payment: Payment,
    pub(crate) imported: Option<Import>,
    pub(crate) granted: Credits,
    /// The last record about it.
    pub(crate) sequence: Option<Sequence>,
}

impl Facts {
    pub(crate) const NONE: Self = Self {
        payment: Payment::unknown(),
        imported: None,
        granted: Credits::ZERO,
        sequence: None,
    };

    /// Takes in what a notice says, as the rules do.
    pub(crate) fn learn(&mut self, notice: &Notice) {
        match notice {
            Notice::Purchase(purchase) => self.payment.learn_purchase(purchase, None),
            Notice::Adjustment(adjustment) => self.payment.learn_adjustment(adjustment),
            Notice::Nothing => {}
        }
    }
}

/// The id of the payment that a notice is about.
pub(crate) fn payment_of(notice: &Notice) -> Option<&str> {
    match notice {
        Notice::Purchase(purchase) => Some(purchase.payment.id.as_str()),
        Notice::Adjustment(adjustment) => Some(adjustment.payment.id.as_str()),
        Notice::Nothing => None,
    }
}

/// Gathers it in one pass.
pub(crate) fn gather(
    log: &dyn EventLog,
    ledger: &LedgerId,
    origin: &Origin,
    progress: impl FnMut(u64, u64),
) -> Result<(Here, Provenance), ReconcileError> {
    let mut here = Here {
        events: BTreeMap::new(),
        payments: BTreeMap::new(),
        arrived: BTreeMap::new(),
        origin: origin.clone(),
    };
    let provenance = pass(log, ledger, &Cut::END, progress, |recorded, _| {
        here.add(recorded.record()).map_err(ReconcileError::from)
    })?;
    Ok((here, provenance))
}

impl Here {
    fn add(&mut self, record: &Record) -> Result<(), domain::credits::CreditOverflow> {
        match &record.input {
            Input::Delivery(delivery) => {
                self.event(record, delivery);
                if record.decision.outcome == Outcome::Recorded {
                    self.learn(record.sequence, delivery);
                }
            }
            Input::Command(command) => {
                if let Some(delivery) = command.order.released() {
                    self.learn(record.sequence, delivery);
                }
                if let Order::Import(import) = &command.order
                    && import.payment.origin == self.origin
                {
                    let facts = self.facts(import.payment.id.as_str());
                    facts.imported = Some((**import).clone());
                    facts.sequence = Some(record.sequence);
                }
            }
        }
        for effect in &record.decision.effects {
            let Effect::Granted { lot, amount } = effect else { continue };
            let HoldingId::Payment(payment) = &lot.holding else { continue };
            if payment.origin == self.origin {
                let facts = self.facts(payment.id.as_str());
                facts.granted = facts.granted.plus(*amount)?;
            }
        }
        Ok(())
    }

    /// An event's first record stands for it; conflicts with it are exceptions of their own.
    fn event(&mut self, record: &Record, delivery: &Delivery) {
        let EventKey::Event { origin, id } = &delivery.event else { return };
        if *origin != self.origin {
            return;
        }
        if let (Evidence::Signed(_), Some(kind)) = (&delivery.evidence, &delivery.event_type) {
            let count = self.arrived.entry(kind.to_string()).or_default();
            *count = count.saturating_add(1);
        }
        self.events.entry(id.to_string()).or_insert(Known {
            sequence: record.sequence,
            content: delivery.content,
            occurred_at: delivery.occurred_at,
            reality: delivery.reality,
        });
    }

    fn learn(&mut self, sequence: Sequence, delivery: &Delivery) {
        let (EventKey::Event { origin, .. } | EventKey::Body { origin, .. }) = &delivery.event;
        let Ok(notice) = &delivery.notice else { return };
        let Some(payment) = payment_of(notice).filter(|_| *origin == self.origin) else { return };
        let facts = self.facts(payment);
        facts.learn(notice);
        facts.sequence = Some(sequence);
    }

    fn facts(&mut self, payment: &str) -> &mut Facts {
        self.payments.entry(payment.to_owned()).or_insert(Facts::NONE)
    }
}
