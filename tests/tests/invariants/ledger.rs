//! A ledger in memory: `domain` asked and told, nothing else.

use std::collections::BTreeMap;

use domain::{
    apply::{ApplyFault, apply},
    decide::{Verdict, decide},
    decision::{
        CreditBook, Decision, Effect, House, MoneyBook, Outcome, Quarantine, Refusal, Transfer,
    },
    exception::{Exception, ExceptionId},
    ids::Sequence,
    input::{Input, Order},
    money::Currency,
    notice::Notice,
    record::Record,
    state::{Key, Missing, State},
    time::Timestamp,
};
use tallyhook_tests::history;

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
    pub(crate) facts: Vec<Notice>,
    /// Credits granted by commands, in billionths.
    pub(crate) grants: i128,
    /// Credits used, in billionths.
    pub(crate) usage: i128,
}

impl Ledger {
    pub(crate) fn new() -> Self {
        Self {
            state: State::new(history::ledger(), domain::state::Book::empty()),
            records: Vec::new(),
            credits: BTreeMap::new(),
            money: BTreeMap::new(),
            open: BTreeMap::new(),
            facts: Vec::new(),
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
        applied(&mut self.state, &record)?;
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
                self.facts.extend(delivery.notice.clone().ok());
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

/// Asks until nothing is missing: all that was recorded is in the state, so what is missing is not.
pub(crate) fn decided(state: &mut State, input: &Input, now: Timestamp) -> Verdict {
    loop {
        match decide(state, input, now) {
            Ok(verdict) => return verdict,
            Err(Missing(key)) => absent(state, key),
        }
    }
}

/// Applies a record, which must not contradict the state.
pub(crate) fn applied(state: &mut State, record: &Record) -> Result<(), String> {
    loop {
        match apply(state, record) {
            Ok(_) => return Ok(()),
            Err(ApplyFault::Missing(Missing(key))) => absent(state, key),
            Err(ApplyFault::Contradiction(contradiction)) => {
                return Err(format!("{contradiction}\n{:#?}", record.decision));
            }
        }
    }
}

/// Notes that there is no such thing.
fn absent(state: &mut State, key: Key) {
    let known = match key {
        Key::Account(id) => state.accounts.insert(id, None).is_some(),
        Key::Payment(id) => state.payments.insert(id, None).is_some(),
        Key::Holding(id) => state.holdings.insert(id, None).is_some(),
        Key::Event(id) => state.events.insert(id, None).is_some(),
        Key::Conflict(id, digest) => state.conflicts.insert((id, digest), None).is_some(),
        Key::Command(id) => state.commands.insert(id, None).is_some(),
    };
    assert!(!known, "what is loaded is not missing");
}

/// A state without the notes of what there is not.
pub(crate) fn present(state: &State) -> State {
    let mut state = state.clone();
    state.accounts.retain(|_, value| value.is_some());
    state.payments.retain(|_, value| value.is_some());
    state.holdings.retain(|_, value| value.is_some());
    state.events.retain(|_, value| value.is_some());
    state.conflicts.retain(|_, value| value.is_some());
    state.commands.retain(|_, value| value.is_some());
    state
}
