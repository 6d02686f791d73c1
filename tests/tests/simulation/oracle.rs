//! What must be, computed from all facts by the naive ledger, which shares no rule with `domain`.

mod messages;

use std::{
    collections::{BTreeMap, VecDeque},
    fmt::Debug,
};

use domain::{
    account::{FreezeId, View},
    decide::Verdict,
    decision::{Outcome, Quarantine},
    entities::Key,
    holding::HoldingId,
    ids::Sequence,
    input::{Freshness, Input, Reality},
    policy::Measures,
    record::Record,
    refusal::Refusal,
    time::Timestamp,
};
use engine::step::Answer;
use projectors::projections::{Projections, StateError};
use tallyhook_tests::{
    history::ledger,
    naive::{self, Expected, Ledger, Picture, Standing},
    plain,
};

use self::messages::Messages;
use crate::{coverage::Coverage, trace::Trace};

/// A group that was decided: whether it is stored may not be known.
#[derive(Clone, Debug)]
pub(crate) struct Group {
    pub(crate) inputs: Vec<Input>,
    /// The program's clock when it was decided.
    pub(crate) clock: Timestamp,
}

/// What is known to be recorded, and what follows from it.
pub(crate) struct Oracle {
    pub(crate) ledger: Ledger,
    pub(crate) picture: Picture,
    pub(crate) records: Vec<Record>,
    pub(crate) messages: Messages,
    pub(crate) trace: Trace,
    pub(crate) covered: Coverage,
}

impl Oracle {
    pub(crate) fn new() -> Self {
        Self {
            ledger: Ledger::new(),
            picture: Picture::default(),
            records: Vec::new(),
            messages: Messages::default(),
            trace: Trace::default(),
            covered: Coverage::default(),
        }
    }

    /// A group was answered: each answer is the one that must be.
    pub(crate) fn answered(&mut self, group: &Group, answers: &[Answer]) -> Result<(), String> {
        equal("answers", answers.len(), group.inputs.len())?;
        for (input, answer) in group.inputs.iter().zip(answers) {
            let now = self.recorded_at(group.clock);
            let expected = naive::answer(&self.ledger, &self.picture, input, now);
            let verdict = verdict(answer);
            if !expected.is(&verdict) {
                return Err(format!(
                    "what becomes of it\n  program {verdict:?}\n  naive   {expected:?}\n  {input:?}"
                ));
            }
            self.count(input, &verdict);
            match answer {
                Answer::Recorded { record, view } => {
                    self.learn(record, (input, now))?;
                    self.viewed(input, view.as_ref())?;
                }
                Answer::Replayed { record, view } => {
                    let known = self.record(record.sequence);
                    equal("a record that is told again", Some(&**record), known)?;
                    self.viewed(input, view.as_ref())?;
                }
                Answer::Duplicate { sequence } | Answer::KnownConflict { sequence } => {
                    let known = self.record(*sequence);
                    equal("the record of a duplicate is there", known.is_some(), true)?;
                }
                Answer::Refused(_) => {}
            }
            self.trace.add(format_args!("{}", short(&verdict)));
        }
        Ok(())
    }

    /// What the log has, found after a failure: all that was answered, and of the groups that were
    /// not, in their order, each whole or not at all. Nothing else. Gives the groups that are not
    /// there.
    pub(crate) fn found(
        &mut self,
        stored: &[Record],
        groups: VecDeque<Group>,
    ) -> Result<VecDeque<Group>, String> {
        let known = stored.get(..self.records.len());
        equal("what was answered", known, Some(&self.records[..]))?;
        let mut found = stored.iter().skip(self.records.len()).peekable();
        let mut rest = groups;
        while let Some(group) = rest.front() {
            let any = found.peek().is_some();
            let mut recorded = 0_u32;
            for input in &group.inputs {
                let now = self.recorded_at(group.clock);
                let expected = naive::answer(&self.ledger, &self.picture, input, now);
                if !matches!(expected, Expected::Recorded(_)) {
                    continue;
                }
                if !any {
                    self.covered.reach("unanswered-group-was-not-stored");
                    return Ok(rest);
                }
                let record = found.next().ok_or("only a part of a group is stored")?;
                let decided = Verdict::Record(record.decision.clone());
                equal("what becomes of an unanswered input", expected.is(&decided), true)?;
                self.learn(record, (input, now))?;
                recorded += 1;
            }
            if recorded > 0 {
                self.covered.reach("unanswered-group-was-stored");
            }
            rest.pop_front();
        }
        equal("a record that nobody asked for", found.next(), None)?;
        Ok(rest)
    }

    fn learn(&mut self, record: &Record, from: (&Input, Timestamp)) -> Result<(), String> {
        let told = |what: String| format!("{what}\n{record:?}");
        if record.decision.outcome == Outcome::Quarantined(Quarantine::Undecided) {
            return Err(told("undecided".to_owned()));
        }
        equal("what is recorded", (&record.input, record.recorded_at), from)?;
        let before = std::mem::take(&mut self.picture);
        self.picture = self.ledger.take(record, &before).map_err(told)?;
        self.messages.expect(record, &before, &self.picture).map_err(told)?;
        self.records.push(record.clone());
        self.trace.add(format_args!("{:?}", record.decision));
        Ok(())
    }

    /// A ledger's records never go back in time, even if the clock does.
    fn recorded_at(&mut self, clock: Timestamp) -> Timestamp {
        let last = self.ledger.recorded_at;
        if last.is_some_and(|last| clock < last) {
            self.covered.reach("recorded-at-an-earlier-clock");
        }
        last.map_or(clock, |last| last.max(clock))
    }

    fn record(&self, sequence: Sequence) -> Option<&Record> {
        let index = usize::try_from(sequence.get()).ok()?.checked_sub(1)?;
        self.records.get(index)
    }

    /// The balance in an answer.
    fn viewed(&self, input: &Input, view: Option<&View>) -> Result<(), String> {
        let Input::Command(command) = input else { return Ok(()) };
        let Some(account) = command.order.account() else { return Ok(()) };
        let standing = self.picture.accounts.get(account);
        match (view, standing) {
            (Some(view), Some(standing)) => {
                stands(view, standing)?;
                equal("version", view.version, self.messages.version(account))
            }
            (view, standing) => equal("an account", view.is_some(), standing.is_some()),
        }
    }

    /// Everything that the program shows, against what follows from the facts.
    pub(crate) fn check(&self, projections: &Projections) -> Result<(), String> {
        let unread = |error: StateError| error.to_string();
        let mut state = projections.state(&ledger()).map_err(unread)?;
        equal("last record", state.book.sequence, self.ledger.last())?;
        for key in self.keys() {
            projections.load(&mut state, &key).map_err(unread)?;
        }
        self.ledger.check(&self.picture, &state)?;
        let listed = projections.accounts(&ledger(), None, usize::MAX).map_err(unread)?;
        let listed = listed.iter().map(|(id, view)| (id, view.version));
        let known = self.picture.accounts.keys();
        let known = known.map(|id| (id, self.messages.version(id)));
        equal("accounts", listed.collect::<Vec<_>>(), known.collect())?;
        let open = self.ledger.holds.iter().filter(|(_, hold)| hold.ended.is_none());
        let mut open: Vec<_> = open.map(|(id, hold)| (hold.expires_at, *id)).collect();
        open.sort_unstable();
        let holds = state.book.holds.keys().copied().collect::<Vec<_>>();
        equal("open holds", holds, open)
    }

    /// Whatever is kept under an id of its own.
    fn keys(&self) -> impl Iterator<Item = Key> {
        let known = &self.ledger;
        let accounts = self.picture.accounts.keys().cloned().map(Key::Account);
        let overdrafts = self.picture.accounts.keys().cloned().map(HoldingId::Overdraft);
        let holdings = known.lots.keys().cloned().chain(overdrafts).map(Key::Holding);
        accounts
            .chain(holdings)
            .chain(known.holds.keys().copied().map(Key::Hold))
            .chain(known.debits.keys().copied().map(Key::Debit))
            .chain(known.cases.keys().copied().map(Key::Case))
            .chain(known.shown.keys().copied().map(Key::Exception))
    }

    /// Deciding again gives the recorded decisions.
    pub(crate) fn decide_again(&self) -> Result<(), String> {
        plain::decide_again(&self.records)
    }

    fn count(&mut self, input: &Input, verdict: &Verdict) {
        let name = match (input, verdict) {
            (Input::Delivery(_), Verdict::Record(decision)) => match decision.outcome {
                Outcome::Recorded | Outcome::Done => "event-recorded",
                Outcome::Ignored => "event-ignored",
                Outcome::Conflict { .. } => "event-conflict",
                Outcome::Quarantined(_) => "event-quarantined",
            },
            (Input::Command(command), Verdict::Record(_)) => {
                self.covered.accept(command.order.name());
                if command.order.released().is_some() {
                    self.covered.reach("event-released");
                }
                "command-done"
            }
            (_, Verdict::Duplicate(_)) => "event-duplicate",
            (_, Verdict::KnownConflict(_)) => "event-known-conflict",
            (_, Verdict::Replayed(_)) => "command-replayed",
            (_, Verdict::Refused(Refusal::KeyReused)) => "command-key-reused",
            (_, Verdict::Refused(_)) => "command-refused",
        };
        self.covered.reach(name);
        let Input::Delivery(delivery) = input else { return };
        for (name, is_so) in [
            ("event-old", delivery.freshness == Freshness::Old),
            ("event-ahead", delivery.freshness == Freshness::Future),
            ("event-simulated", delivery.reality == Reality::Simulated),
            ("event-unreadable", delivery.notice.is_err()),
            ("event-without-id", matches!(delivery.event, domain::ids::EventKey::Body { .. })),
        ] {
            if is_so {
                self.covered.reach(name);
            }
        }
    }
}

/// What an answer says that became of an input.
fn verdict(answer: &Answer) -> Verdict {
    match answer {
        Answer::Recorded { record, .. } => Verdict::Record(record.decision.clone()),
        Answer::Duplicate { sequence } => Verdict::Duplicate(*sequence),
        Answer::KnownConflict { sequence } => Verdict::KnownConflict(*sequence),
        Answer::Replayed { record, .. } => Verdict::Replayed(record.sequence),
        Answer::Refused(refusal) => Verdict::Refused(refusal.clone()),
    }
}

fn short(verdict: &Verdict) -> String {
    match verdict {
        Verdict::Record(decision) => format!("{:?}", decision.outcome),
        Verdict::Duplicate(_)
        | Verdict::KnownConflict(_)
        | Verdict::Replayed(_)
        | Verdict::Refused(_) => format!("{verdict:?}"),
    }
}

/// Whether a view shows how an account stands.
fn stands(view: &View, standing: &Standing) -> Result<(), String> {
    let books = &view.books;
    let shown = [books.paid, books.gift, books.held, books.owed, books.written_off];
    let known = &standing.books;
    let known = [known.free.paid, known.free.gift, known.held, known.owed, known.written_off];
    equal("balance", shown.map(domain::credits::Credits::billionths), known)?;
    let freezes: BTreeMap<FreezeId, (Timestamp, Measures)> = view
        .freezes
        .iter()
        .map(|(id, freeze)| (id.clone(), (freeze.since, freeze.measures)))
        .collect();
    equal("freezes", &freezes, &standing.freezes)?;
    equal("closed", view.closed, standing.closed)
}

/// Two ways to know one thing must agree.
pub(crate) fn equal<T: PartialEq + Debug>(what: &str, program: T, known: T) -> Result<(), String> {
    if program == known {
        return Ok(());
    }
    Err(format!("{what}\n  program {program:?}\n  known   {known:?}"))
}
