//! A ledger in memory: `domain` asked and told, nothing else.

use std::collections::{BTreeMap, BTreeSet};

use domain::{
    account::FreezeId,
    decide::Verdict,
    decision::{CreditBook, Decision, Effect, House, MoneyBook, Outcome, Quarantine, Transfer},
    entities::Key,
    exception::{Exception, ExceptionId},
    holding::{Holding, HoldingId},
    ids::Sequence,
    input::{Input, Order},
    money::Currency,
    payment::Ruled,
    record::Record,
    refusal::Refusal,
    state::State,
    time::Timestamp,
};
use tallyhook_tests::{
    naive::Fact,
    plain::{applied, decided, empty},
};

/// A ledger, with what can be added up from its records without asking `domain`.
pub(crate) struct Ledger {
    pub(crate) state: State,
    pub(crate) records: Vec<Record>,
    /// Every credit less every debit, in billionths.
    pub(crate) credits: BTreeMap<CreditBook, i128>,
    /// Every credit less every debit, in minor units.
    pub(crate) money: BTreeMap<(Currency, MoneyBook), i128>,
    /// The exceptions that were raised and not cleared.
    pub(crate) open: BTreeMap<ExceptionId, Exception>,
    /// What was said so far, repetitions left out.
    pub(crate) facts: Vec<Fact>,
    /// Whether an operator closed the account.
    pub(crate) closed: bool,
    /// All lots.
    held: BTreeSet<HoldingId>,
    /// Credits granted by commands, in billionths.
    pub(crate) grants: i128,
    /// Credits used, in billionths.
    pub(crate) usage: i128,
}

impl Ledger {
    pub(crate) fn new() -> Self {
        Self {
            state: empty(),
            records: Vec::new(),
            credits: BTreeMap::new(),
            money: BTreeMap::new(),
            open: BTreeMap::new(),
            facts: Vec::new(),
            closed: false,
            held: BTreeSet::new(),
            grants: 0,
            usage: 0,
        }
    }

    /// Decides an input and, where it is to be recorded, applies it.
    pub(crate) fn take(&mut self, input: &Input, now: Timestamp) -> Result<Verdict, String> {
        let verdict = decided(&mut self.state, input, now);
        match &verdict {
            Verdict::Record(decision) => self.record(input, now, decision)?,
            Verdict::Refused(Refusal::Undecided { what }) => {
                return Err(format!("a command was undecided: {what}"));
            }
            Verdict::Duplicate(_)
            | Verdict::KnownConflict(_)
            | Verdict::Replayed(_)
            | Verdict::Refused(_) => {}
        }
        Ok(verdict)
    }

    fn record(&mut self, input: &Input, now: Timestamp, decision: &Decision) -> Result<(), String> {
        let record = Record {
            sequence: self.state.book.next_sequence(),
            recorded_at: now,
            input: input.clone(),
            decision: decision.clone(),
        };
        for key in applied(&mut self.state, &record)? {
            if let Key::Holding(id) = key {
                self.held.insert(id);
            }
        }
        if decision.outcome == Outcome::Quarantined(Quarantine::Undecided) {
            return Err(format!("a delivery was undecided: {decision:#?}"));
        }
        self.add_up(decision)?;
        self.learn(input);
        self.records.push(record);
        Ok(())
    }

    fn add_up(&mut self, decision: &Decision) -> Result<(), String> {
        for transfer in &decision.transfers {
            let positive = match transfer {
                Transfer::Credits { debit, credit, amount } => {
                    let amount = amount.billionths();
                    *self.credits.entry(debit.clone()).or_default() -= amount;
                    *self.credits.entry(credit.clone()).or_default() += amount;
                    amount > 0
                }
                Transfer::Money { debit, credit, currency, amount } => {
                    let amount = i128::from(amount.get());
                    *self.money.entry((*currency, *debit)).or_default() -= amount;
                    *self.money.entry((*currency, *credit)).or_default() += amount;
                    amount > 0
                }
            };
            if !positive {
                return Err(format!("not a positive amount: {transfer:?}"));
            }
        }
        for effect in &decision.effects {
            if let Effect::Raised(exception) = effect
                && self.open.insert(exception.id, exception.clone()).is_some()
            {
                return Err(format!("raised twice: {exception:?}"));
            }
            if let Effect::Cleared(id) = effect
                && self.open.remove(id).is_none()
            {
                return Err(format!("cleared but not open: {id:?}"));
            }
        }
        Ok(())
    }

    fn learn(&mut self, input: &Input) {
        let command = match input {
            Input::Delivery(delivery) => {
                self.facts.extend(delivery.notice.clone().ok().map(Fact::Said));
                return;
            }
            Input::Command(command) => command,
        };
        if let Order::Debit { amount, .. } = &command.order {
            self.usage += amount.billionths();
        }
        if let Order::Grant { amount, .. } = &command.order {
            self.grants += amount.billionths();
        }
        self.closed |= matches!(command.order, Order::Close { .. });
        if let Order::AssignPayment { payment, account, .. } = &command.order {
            self.facts.push(Fact::Assigned(payment.clone(), account.clone()));
        }
        if let Order::ConcludeDispute { payment, cause, conclusion, .. } = &command.order {
            let what = Ruled::Concluded(*conclusion);
            self.facts.push(Fact::Ruled(payment.clone(), *cause, what));
        }
        if let Order::ClearMeasure { freeze, measure, .. } = &command.order
            && let FreezeId::Dispute { payment, cause } = freeze
        {
            let what = Ruled::Cleared(*measure);
            self.facts.push(Fact::Ruled(payment.clone(), *cause, what));
        }
    }

    /// All lots, in the order of their ids.
    pub(crate) fn holdings(&self) -> impl Iterator<Item = (&HoldingId, &Holding)> {
        let known = |id| self.state.entities.holding(id).flatten();
        self.held.iter().filter_map(move |id| Some((id, known(id)?)))
    }

    /// The balance of one of the house's books.
    pub(crate) fn house(&self, house: House) -> i128 {
        self.credits.get(&CreditBook::House(house)).copied().unwrap_or_default()
    }

    /// The last record's sequence.
    pub(crate) fn sequence(&self) -> Option<Sequence> {
        self.records.last().map(|record| record.sequence)
    }
}
