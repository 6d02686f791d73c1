//! What the log says of what a provider lists.

use std::collections::{BTreeMap, BTreeSet};

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
use ingestion::pointer::Pointer;

use super::compare::ReconcileError;
use crate::{
    cut::{Cut, Provenance},
    pass::pass,
};

/// What is here of one provider's namespace.
pub(crate) struct Here {
    pub(crate) events: BTreeMap<String, Known>,
    pub(crate) payments: BTreeMap<String, Facts>,
    /// How many of the provider's own events of each type arrived by themselves and were taken in,
    /// ever: neither the simulator's nor those in quarantine show that a destination is subscribed.
    pub(crate) arrived: BTreeMap<String, u64>,
    /// The payments and adjustments that only the simulator told of.
    simulated: BTreeSet<String>,
    /// Where events named the account from the next record on.
    settings: BTreeMap<Sequence, Vec<Pointer>>,
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
        simulated: BTreeSet::new(),
        settings: BTreeMap::new(),
        origin: origin.clone(),
    };
    let provenance = pass(log, ledger, &Cut::END, progress, |recorded, _| {
        here.add(recorded.record()).map_err(ReconcileError::from)
    })?;
    Ok((here, provenance))
}

impl Here {
    /// Whether only the simulator told of a payment or adjustment: no list has what it makes.
    pub(crate) fn is_simulated(&self, id: &str) -> bool {
        self.simulated.contains(id)
    }

    /// Where an event named the account when this record was made.
    pub(crate) fn account_from(&self, sequence: Sequence) -> Option<&[Pointer]> {
        self.settings.range(..sequence).next_back().map(|(_, from)| from.as_slice())
    }

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
                    self.arrive(delivery);
                    self.learn(record.sequence, delivery);
                }
                if let Order::Configure(settings) = &command.order {
                    let pointers = settings.account_from.iter();
                    let pointers = pointers.filter_map(|text| Pointer::new(text.as_str()).ok());
                    self.settings.insert(record.sequence, pointers.collect());
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
        match record.decision.outcome {
            Outcome::Recorded | Outcome::Ignored => self.arrive(delivery),
            Outcome::Conflict { .. } | Outcome::Quarantined(_) | Outcome::Done => {}
        }
        self.events.entry(id.to_string()).or_insert(Known {
            sequence: record.sequence,
            content: delivery.content,
            occurred_at: delivery.occurred_at,
            reality: delivery.reality,
        });
    }

    fn arrive(&mut self, delivery: &Delivery) {
        let EventKey::Event { origin, .. } = &delivery.event else { return };
        if *origin != self.origin || delivery.reality == Reality::Simulated {
            return;
        }
        if let (Evidence::Signed(_), Some(kind)) = (&delivery.evidence, &delivery.event_type) {
            let count = self.arrived.entry(kind.to_string()).or_default();
            *count = count.saturating_add(1);
        }
    }

    fn learn(&mut self, sequence: Sequence, delivery: &Delivery) {
        let (EventKey::Event { origin, .. } | EventKey::Body { origin, .. }) = &delivery.event;
        let Ok(notice) = &delivery.notice else { return };
        let Some(payment) = payment_of(notice).filter(|_| *origin == self.origin) else { return };
        self.tell_apart(delivery.reality, notice);
        let facts = self.facts(payment);
        facts.learn(notice);
        facts.sequence = Some(sequence);
    }

    /// Keeps what only the simulator told of: anything genuine about the same ends that.
    fn tell_apart(&mut self, reality: Reality, notice: &Notice) {
        let (id, known) = match notice {
            Notice::Purchase(purchase) => {
                let id = purchase.payment.id.as_str();
                (id, self.payments.get(id).is_some_and(|facts| facts.payment.paid.is_some()))
            }
            Notice::Adjustment(adjustment) => {
                let facts = self.payments.get(adjustment.payment.id.as_str());
                let known = |facts: &Facts| facts.payment.adjustments.contains_key(&adjustment.id);
                (adjustment.id.as_str(), facts.is_some_and(known))
            }
            Notice::Nothing => return,
        };
        match reality {
            Reality::Genuine => drop(self.simulated.remove(id)),
            Reality::Simulated if known => {}
            Reality::Simulated => drop(self.simulated.insert(id.to_owned())),
        }
    }

    fn facts(&mut self, payment: &str) -> &mut Facts {
        self.payments.entry(payment.to_owned()).or_insert(Facts::NONE)
    }
}
