//! Invariants 1, 2 and 7 over the engine and a log that fails: whatever was answered is there after
//! a crash, whatever was not is taken in once more and counts once, and what is folded from the log
//! is what was live, byte for byte.

use std::sync::Arc;

use domain::{decide::Verdict, record::Record, state::State, time::Timestamp};
use engine::step::{Answer, Engine, Request, StepError};
use event_store::{
    log::{AppendError, EventLog},
    memory::{FailurePoint, MemoryLog, MemoryViews},
    views::{Entry, ViewStore},
};
use projectors::projections::{Projections, stored_prefix};
use tallyhook_tests::{
    course::{Course, Printed, Step},
    dice::Dice,
    history,
    naive::{self, Ledger, Picture},
    plain::{applied, decide_again, empty},
};

use crate::{check::equal, properties::extent};

/// One in so many courses runs over the engine: that costs as much more.
const ONE_IN: u64 = 20;

const IN_A_SHORT_RUN: u64 = 20_000;

/// A program that can crash, and what was answered.
struct Service {
    log: Arc<MemoryLog>,
    views: Arc<MemoryViews>,
    projections: Arc<Projections>,
    engine: Engine,
    /// What is known to be in the log: answered, or found there after a crash.
    records: Vec<Record>,
    state: State,
    naive: Ledger,
    picture: Picture,
    crashes: u64,
}

#[test]
fn after_a_crash_all_that_was_answered_is_there_and_folds_to_the_same_bytes() {
    let extent = extent(IN_A_SHORT_RUN);
    let mut crashes = 0;
    let courses = (extent.histories / ONE_IN).max(1);
    for seed in extent.first_seed..extent.first_seed + courses {
        let mut steps = Vec::new();
        match run(seed, &mut steps) {
            Ok(count) => crashes += count,
            Err(what) => panic!("\nseed {seed}\n{}\n{what}", Printed(&steps)),
        }
    }
    eprintln!("{courses} courses with {crashes} crashes");
    assert!(crashes > 0 || courses < 20, "a log that never fails proves nothing");
}

fn run(seed: u64, steps: &mut Vec<Step>) -> Result<u64, String> {
    let mut dice = Dice::new(seed ^ 0xc4a5);
    let mut course = Course::new(seed);
    let mut service = Service::open()?;
    loop {
        let mut group = Vec::new();
        for _ in 0..dice.pick(&[1, 1, 2, 3]) {
            group.extend(course.next(&service.naive, &service.picture));
        }
        if group.is_empty() {
            break;
        }
        steps.extend(group.iter().cloned());
        if dice.chance(12) {
            let points = [FailurePoint::BeforeWrite, FailurePoint::AfterWrite];
            service.log.fail_next_append(dice.pick(&points));
        }
        service.take(&group)?;
        if dice.chance(10) {
            service.projections.checkpoint().map_err(|error| error.to_string())?;
        }
        if dice.chance(3) {
            service.restart(&group)?;
        }
    }
    service.compare_bytes()?;
    decide_again(&service.records)?;
    Ok(service.crashes)
}

impl Service {
    fn open() -> Result<Self, String> {
        let (log, views) = (Arc::new(MemoryLog::new()), Arc::new(MemoryViews::new()));
        let (projections, engine) = opened(&log, &views)?;
        Ok(Self {
            log,
            views,
            projections,
            engine,
            records: Vec::new(),
            state: empty(),
            naive: Ledger::new(),
            picture: Picture::default(),
            crashes: 0,
        })
    }

    /// Takes a group in, again after a crash, until it is answered.
    fn take(&mut self, group: &[Step]) -> Result<(), String> {
        let now = group.last().map(|step| step.now).ok_or("nothing to take")?;
        let answers = match self.answers(now, group) {
            Ok(answers) => answers,
            Err(StepError::Append(AppendError::Failed { .. })) => {
                self.restart(group)?;
                let again = self.answers(now, group);
                again.map_err(|error| format!("after a restart: {error}"))?
            }
            Err(error) => return Err(error.to_string()),
        };
        equal("answers", &answers.len(), &group.len())?;
        for (step, answer) in group.iter().zip(answers) {
            let expected = naive::answer(&self.naive, &self.picture, &step.input, now);
            let verdict = match &answer {
                Answer::Recorded { record, .. } => Verdict::Record(record.decision.clone()),
                Answer::Duplicate { sequence } => Verdict::Duplicate(*sequence),
                Answer::KnownConflict { sequence } => Verdict::KnownConflict(*sequence),
                Answer::Replayed { record, .. } => Verdict::Replayed(record.sequence),
                Answer::Refused(refusal) => Verdict::Refused(refusal.clone()),
            };
            if !expected.is(&verdict) {
                let what = "what becomes of it";
                return Err(format!("{what}\n  engine {verdict:?}\n  naive  {expected:?}"));
            }
            if let Answer::Recorded { record, .. } = answer {
                self.learn((*record).clone())?;
            }
        }
        Ok(())
    }

    /// Takes the group in as two: the second is decided while the first is not durable yet.
    fn answers(&self, now: Timestamp, group: &[Step]) -> Result<Vec<Answer>, StepError> {
        let decide = |steps: &[Step]| {
            let request = |step: &Step| Request {
                ledger: history::ledger(),
                input: step.input.clone(),
                body: Arc::from([]),
            };
            self.engine.decide(now, steps.iter().map(request).collect())
        };
        let (first, second) = group.split_at(group.len() / 2);
        let (first, second) = (decide(first)?, decide(second)?);
        let mut answers = self.engine.commit(first)?;
        answers.extend(self.engine.commit(second)?);
        Ok(answers)
    }

    fn learn(&mut self, record: Record) -> Result<(), String> {
        applied(&mut self.state, &record)?;
        self.picture = self.naive.take(&record, &self.picture)?;
        self.naive.check(&self.picture, &self.state)?;
        self.records.push(record);
        Ok(())
    }

    /// What a restart finds: all that was answered, and of the last group all or nothing.
    fn restart(&mut self, group: &[Step]) -> Result<(), String> {
        self.crashes += 1;
        self.log = Arc::new(self.log.reopened());
        (self.projections, self.engine) = opened(&self.log, &self.views)?;
        let stored = stored(&*self.log)?;
        let known = self.records.len();
        equal("what was answered", &stored.get(..known), &Some(&self.records[..]))?;
        let found = stored.into_iter().skip(known);
        for record in found {
            let of_group = group.iter().any(|step| step.input == record.input);
            equal("an unanswered record is of the last group", &of_group, &true)?;
            self.learn(record)?;
        }
        Ok(())
    }

    /// The projections as they were kept live, and folded anew from the log.
    fn compare_bytes(&self) -> Result<(), String> {
        let live = bytes(&self.projections, &self.views)?;
        let views = Arc::new(MemoryViews::new());
        let (projections, _) = opened(&self.log, &views)?;
        let folded = bytes(&projections, &views)?;
        equal("number of stored projections", &folded.len(), &live.len())?;
        for (folded, live) in folded.iter().zip(&live) {
            equal("a stored projection", folded, live)?;
        }
        equal("something is stored", &live.is_empty(), &self.records.is_empty())
    }
}

fn opened(
    log: &Arc<MemoryLog>,
    views: &Arc<MemoryViews>,
) -> Result<(Arc<Projections>, Engine), String> {
    let views: Arc<dyn ViewStore> = Arc::<MemoryViews>::clone(views);
    let log: Arc<dyn EventLog> = Arc::<MemoryLog>::clone(log);
    let projections = Arc::new(Projections::new(views));
    let engine = Engine::open(log, Arc::clone(&projections), |_, _| {});
    Ok((projections, engine.map_err(|error| error.to_string())?))
}

fn stored(log: &dyn EventLog) -> Result<Vec<Record>, String> {
    let all = log.scan(&history::ledger(), None, usize::MAX).map_err(|error| error.to_string())?;
    Ok(all.into_iter().map(|recorded| recorded.into_record()).collect())
}

fn bytes(projections: &Projections, views: &MemoryViews) -> Result<Vec<Entry>, String> {
    projections.checkpoint().map_err(|error| error.to_string())?;
    let prefix = stored_prefix(&history::ledger());
    views.scan(&prefix, None, usize::MAX).map_err(|error| error.to_string())
}
