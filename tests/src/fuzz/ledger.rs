//! A ledger in memory that asks `domain` and checks its answers.

use std::collections::BTreeMap;

use domain::{
    account::View,
    apply::{ApplyFault, Contradiction, apply},
    decide::{Verdict, decide},
    decision::{Effect, Outcome, Quarantine},
    entities::Key,
    exception::ExceptionKind,
    ids::AccountId,
    input::Input,
    money::Currency,
    record::Record,
    state::{Book, Missing, State},
    time::Timestamp,
};
use event_store::form::record;

use crate::history;

/// What is recorded and the state that follows from it.
pub(crate) struct Ledger {
    state: State,
    records: Vec<Record>,
}

impl Ledger {
    /// A ledger without a record.
    pub(crate) fn empty() -> Self {
        Self { state: State::new(history::ledger(), Book::empty()), records: Vec::new() }
    }

    /// Decides an input and, where it is to be recorded, folds the decision.
    pub(crate) fn take(&mut self, input: Input, now: Timestamp) -> Verdict {
        let verdict = self.decide(&input, now);
        assert_eq!(self.decide(&input, now), verdict, "decided alike a second time");
        if let Verdict::Record(decision) = &verdict {
            let sequence = self.state.book.next_sequence();
            let decision = decision.clone();
            let record = Record { sequence, recorded_at: now, input, decision };
            out_of_range_only(&record);
            let form = record::encode(&record);
            assert_eq!(record::decode(&form).as_ref(), Ok(&record), "its stored form is read back");
            assert_eq!(self.apply(&record), Ok(()), "what was decided folds: {record:?}");
            self.balanced();
            self.records.push(record);
        }
        verdict
    }

    /// Folds a record.
    pub(crate) fn apply(&mut self, record: &Record) -> Result<(), Contradiction> {
        loop {
            match apply(&mut self.state, record) {
                Ok(_) => return Ok(()),
                Err(ApplyFault::Missing(missing)) => self.absent(missing),
                Err(ApplyFault::Contradiction(contradiction)) => return Err(contradiction),
            }
        }
    }

    /// Asks until nothing is missing: all that was recorded is in the state.
    fn decide(&mut self, input: &Input, now: Timestamp) -> Verdict {
        loop {
            match decide(&self.state, input, now) {
                Ok(verdict) => return verdict,
                Err(missing) => self.absent(missing),
            }
        }
    }

    /// Notes that there is no such thing.
    fn absent(&mut self, Missing(key): Missing) {
        let known = self.state.entities.knows(&key);
        let state = &mut self.state;
        let known = known
            || !state.entities.put(&key, None)
                && match key {
                    Key::Event(id) => state.events.insert(id, None).is_some(),
                    Key::Conflict(id, content) => {
                        state.conflicts.insert((id, content), None).is_some()
                    }
                    Key::Command(id) => state.commands.insert(id, None).is_some(),
                    Key::Account(_)
                    | Key::Payment(_)
                    | Key::Holding(_)
                    | Key::Hold(_)
                    | Key::Debit(_)
                    | Key::Case(_)
                    | Key::Customer(_)
                    | Key::Exception(_)
                    | Key::Release(_) => true,
                };
        assert!(!known, "what is loaded is not missing");
    }

    /// What anyone may see of an account.
    pub(crate) fn view(&self, account: &AccountId) -> Option<&View> {
        self.state.entities.account(account).flatten().map(|account| &account.view)
    }

    /// Every asset sums to zero.
    pub(crate) fn balanced(&self) {
        let book = &self.state.book;
        let credits = book.house.values().fold(book.customers, |sum, part| sum + part);
        assert_eq!(credits, 0, "credits sum to zero");
        let mut money: BTreeMap<Currency, i128> = BTreeMap::new();
        for ((_, currency), part) in &book.money {
            *money.entry(*currency).or_default() += part;
        }
        assert!(money.values().all(|sum| *sum == 0), "money sums to zero: {money:?}");
    }

    /// A ledger of records, each decided again, which must give what was decided before.
    pub(crate) fn again(records: &[Record]) -> Self {
        let mut again = Self::empty();
        for record in records {
            let verdict = again.decide(&record.input, record.recorded_at);
            assert_eq!(verdict, Verdict::Record(record.decision.clone()), "decided again");
            assert_eq!(again.apply(record), Ok(()), "folded again");
            again.balanced();
        }
        again
    }

    /// The records fold to the same book and the same views once more.
    pub(crate) fn folds_again(&self) {
        let again = Self::again(&self.records);
        assert_eq!(again.state.book, self.state.book, "the book folded again");
        for account in self.records.iter().flat_map(|record| record.decision.accounts()) {
            assert_eq!(again.view(&account), self.view(&account), "the view of {account}");
        }
    }
}

/// A decision that fails its own checks is our bug, unless amounts were too large for any answer.
fn out_of_range_only(record: &Record) {
    if record.decision.outcome != Outcome::Quarantined(Quarantine::Undecided) {
        return;
    }
    let said = record.decision.effects.iter().find_map(|effect| {
        let Effect::Raised(raised) = effect else { return None };
        (raised.id.kind == ExceptionKind::Undecided).then_some(&raised.detail)
    });
    let range = said.is_some_and(|detail| detail.contains("out of range"));
    assert!(range, "a rule contradicts itself: {said:?} {:?}", record.input);
}
