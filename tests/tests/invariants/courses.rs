//! Everything that can come to a ledger, each record checked against the naive one.

use std::{
    panic::{AssertUnwindSafe, catch_unwind},
    sync::{
        Mutex,
        atomic::{AtomicU64, Ordering},
    },
};

use domain::{
    decide::Verdict,
    decision::{Effect, Outcome, Quarantine},
    input::{Input, Order},
    notice::{Notice, Status},
    record::Record,
    state::State,
};
use tallyhook_tests::{
    course::{Course, Printed, Step},
    naive::{self, Ledger, Picture},
    plain::{applied, decided, empty, refold},
};

use crate::{coverage::Coverage, properties::extent};

/// One in so many courses is decided and folded once more at its end.
const REFOLDED: u64 = 8;

/// As many as fit two minutes without optimisation.
const IN_A_SHORT_RUN: u64 = 12_000;

/// A ledger as `domain` has it, beside the naive one.
struct Pair {
    state: State,
    records: Vec<Record>,
    naive: Ledger,
    picture: Picture,
}

/// What is run, and what broke.
struct Failure {
    steps: Vec<Step>,
    what: String,
}

#[test]
fn after_every_record_all_is_as_the_facts_say() {
    let extent = extent(IN_A_SHORT_RUN);
    let next = AtomicU64::new(extent.first_seed);
    let covered = Mutex::new(Coverage::default());
    let work = || {
        let mut own = Coverage::default();
        loop {
            let seed = next.fetch_add(1, Ordering::Relaxed);
            if seed >= extent.first_seed + extent.histories {
                break;
            }
            if let Err(failure) = draw(seed, &mut own) {
                panic!("{}", report(seed, failure));
            }
        }
        covered.lock().expect("no worker panics while it adds").add(&own);
    };
    let threads = std::thread::available_parallelism().map_or(1, usize::from);
    std::thread::scope(|scope| {
        let workers: Vec<_> = (0..threads).map(|_| scope.spawn(work)).collect();
        for worker in workers {
            if let Err(panic) = worker.join() {
                std::panic::resume_unwind(panic);
            }
        }
    });
    let covered = covered.into_inner().expect("no worker panics while it adds");
    eprintln!("{} courses\n{covered}", extent.histories);
    if extent.histories >= 10_000 {
        assert_eq!(
            covered.never(),
            Vec::<&str>::new(),
            "a rule that is never reached proves nothing"
        );
    }
}

/// Draws the course of a seed and runs it.
fn draw(seed: u64, covered: &mut Coverage) -> Result<(), Failure> {
    let mut course = Course::new(seed);
    let mut pair = Pair::new();
    let mut steps = Vec::new();
    while let Some(step) = course.next(&pair.naive, &pair.picture) {
        steps.push(step.clone());
        if let Err(what) = pair.take(&step, covered) {
            return Err(Failure { steps, what });
        }
    }
    if seed.is_multiple_of(REFOLDED)
        && let Err(what) = refold(&pair.state, &pair.records)
    {
        return Err(Failure { steps, what });
    }
    Ok(())
}

/// Runs what was drawn.
fn run(steps: &[Step]) -> Result<(), String> {
    let mut pair = Pair::new();
    let mut covered = Coverage::default();
    for step in steps {
        pair.take(step, &mut covered)?;
    }
    refold(&pair.state, &pair.records)
}

impl Pair {
    fn new() -> Self {
        Self {
            state: empty(),
            records: Vec::new(),
            naive: Ledger::new(),
            picture: Picture::default(),
        }
    }

    fn take(&mut self, step: &Step, covered: &mut Coverage) -> Result<(), String> {
        let expected = naive::answer(&self.naive, &self.picture, &step.input, step.now);
        let verdict = decided(&mut self.state, &step.input, step.now);
        if !expected.is(&verdict) {
            return Err(format!("what becomes of it\n  domain {verdict:?}\n  naive  {expected:?}"));
        }
        covered.count(&step.input, &verdict);
        let Verdict::Record(decision) = verdict else { return Ok(()) };
        if decision.outcome == Outcome::Quarantined(Quarantine::Undecided) {
            return Err(format!("undecided: {decision:#?}"));
        }
        let record = Record {
            sequence: self.state.book.next_sequence(),
            recorded_at: step.now,
            input: step.input.clone(),
            decision,
        };
        applied(&mut self.state, &record)?;
        let told = |what| format!("{what}\n{:?}", record.decision);
        self.count_turns(&record, covered);
        self.picture = self.naive.take(&record, &self.picture).map_err(told)?;
        self.naive.check(&self.picture, &self.state).map_err(told)?;
        self.records.push(record);
        Ok(())
    }
}

impl Pair {
    /// What the record does to refund cases and to what is owed, beyond what its effects name.
    fn count_turns(&self, record: &Record, covered: &mut Coverage) {
        match &record.input {
            Input::Delivery(delivery) => {
                let Ok(Notice::Adjustment(fact)) = &delivery.notice else { return };
                let cases = self.naive.cases.keys();
                let mut cases = cases.filter_map(|id| self.state.entities.case(id).flatten());
                if record.decision.outcome == Outcome::Recorded
                    && cases.any(|case| {
                        let earlier = |(at, _)| at < record.recorded_at;
                        case.claim.ended.is_some_and(earlier) && case.claim.own.contains(&fact.id)
                    })
                {
                    covered.reach(match fact.status {
                        Status::Approved => "refunded-case-has-it-again",
                        Status::Pending | Status::Rejected | Status::Reversed => {
                            "refunded-case-loses-its-refund"
                        }
                    });
                }
            }
            Input::Command(command) => {
                let account = command.order.account();
                let before = account.and_then(|account| self.picture.accounts.get(account));
                let both = before.is_some_and(|one| one.books.owed > 0 && one.books.free.paid > 0);
                let first = record.decision.effects.first();
                if both && matches!(first, Some(Effect::Settled { .. })) {
                    covered.reach("settled-before-decided");
                }
                let Order::AssignPayment { payment, account, .. } = &command.order else { return };
                let mut cases = self.naive.cases.values();
                if cases.any(|case| {
                    case.payment == *payment && case.account == *account && !case.is_over()
                }) {
                    covered.reach("case-goes-on-when-assigned");
                }
            }
        }
    }
}

/// Drops inputs for as long as the same thing still breaks, and says what is left.
fn report(seed: u64, failure: Failure) -> String {
    let kind = |what: &str| what.lines().next().unwrap_or_default().to_owned();
    let Failure { mut steps, mut what } = failure;
    let broken = kind(&what);
    let breaks = |steps: &[Step]| {
        let ran = catch_unwind(AssertUnwindSafe(|| run(steps)));
        ran.unwrap_or_else(|_| Err("a panic".to_owned())).err().filter(|what| kind(what) == broken)
    };
    let mut place = steps.len();
    while place > 2 {
        place -= 1;
        let mut less = steps.clone();
        less.remove(place);
        if let Some(still) = breaks(&less) {
            (steps, what) = (less, still);
            place = place.min(steps.len());
        }
    }
    format!(
        "\nseed {seed}, the inputs that matter:\n{}\n{what}\n\nagain: TALLYHOOK_SEED={seed} \
         TALLYHOOK_HISTORIES=1 cargo test -p tallyhook-tests --test invariants \
         after_every_record -- --nocapture",
        Printed(&steps)
    )
}
