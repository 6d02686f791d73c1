//! One machine with the program on it, its disk, its users, the provider, the broker and the
//! subscribers; one step after the other, and what must hold after each.

mod asking;
mod ending;
mod program;
mod publishing;

use std::{collections::VecDeque, sync::Arc};

use domain::{
    input::{Input, Order},
    record::Record,
    time::Timestamp,
};
use event_store::{
    log::EventLog,
    views::{Entry, ViewError, ViewStore},
};
use tallyhook_tests::history::ledger;

use self::program::Program;
use crate::{
    broker::MemoryBroker,
    coverage::Coverage,
    oracle::{Group, Oracle, equal},
    plan::{Asked, Conditions, Plan, SUBSCRIBERS, Step, Views},
    power::{Call, Happens, Point, Power, SimulatedLog, SimulatedViews},
    subscriber::Subscriber,
};

/// What a simulation ran through.
pub(crate) struct Ran {
    pub(crate) hash: String,
    pub(crate) covered: Coverage,
}

/// Everything there is.
pub(crate) struct World {
    conditions: Conditions,
    power: Power,
    /// The true time.
    time: Timestamp,
    /// How many seconds the program's clock is ahead of it.
    ahead: i64,
    log: Arc<SimulatedLog>,
    views: Arc<SimulatedViews>,
    /// The views as somebody copied them.
    copied: Option<Vec<Entry>>,
    program: Option<Program>,
    /// The groups that were decided and never answered, since the program was started last.
    unanswered: VecDeque<Group>,
    asking: Vec<Asking>,
    answers_get_lost: bool,
    broker: MemoryBroker,
    /// Whether the stream lost something since the publisher was told to begin anew, and whether
    /// it ever did: older views know of what was lost before.
    stream_lost: bool,
    stream_ever_lost: bool,
    subscribers: Vec<Subscriber>,
    oracle: Oracle,
}

/// One who asks, and how that stands.
struct Asking {
    asked: Asked,
    attempts: u32,
    /// How many of the attempts are with the program.
    waiting: u32,
    answered: bool,
}

impl World {
    /// Runs a plan; says what broke.
    pub(crate) fn run(plan: &Plan) -> Result<Ran, String> {
        let mut world = Self::new(plan)?;
        for asked in &plan.setup {
            world.set_up(asked.clone())?;
        }
        for step in &plan.steps {
            world.take(step)?;
            world.check()?;
        }
        world.come_to_rest()?;
        let Oracle { trace, covered, .. } = world.oracle;
        Ok(Ran { hash: trace.hash(), covered })
    }

    fn new(plan: &Plan) -> Result<Self, String> {
        let power = Power::default();
        let log = Arc::new(SimulatedLog::new(&power));
        let views = Arc::new(SimulatedViews::of(&power, &[]).map_err(view_error)?);
        let mut world = Self {
            conditions: plan.conditions,
            power,
            time: Timestamp::EPOCH,
            ahead: 0,
            log,
            views,
            copied: None,
            program: None,
            unanswered: VecDeque::new(),
            asking: Vec::new(),
            answers_get_lost: false,
            broker: MemoryBroker::new(plan.conditions.keeping),
            stream_lost: false,
            stream_ever_lost: false,
            subscribers: vec![Subscriber::default(); SUBSCRIBERS],
            oracle: Oracle::new(),
        };
        if plan.conditions.keeping.window == 0 {
            world.reach("window-of-zero");
        }
        world.start(Views::Kept)?;
        Ok(world)
    }

    /// What must be answered before anything else happens.
    fn set_up(&mut self, asked: Asked) -> Result<(), String> {
        self.ask(asked)?;
        self.decide(1)?;
        self.commit()?;
        let done = self.asking.last().is_some_and(|asking| asking.answered);
        if done { Ok(()) } else { Err("the setup was not answered".to_owned()) }
    }

    fn take(&mut self, step: &Step) -> Result<(), String> {
        match step {
            Step::Ask(asked) => self.ask(asked.clone()),
            Step::Forge(sent, forgery) => self.forge(sent, *forgery),
            Step::AskAgain { impatient } => self.ask_again(*impatient),
            Step::LoseAnswers => {
                self.answers_get_lost = true;
                Ok(())
            }
            Step::Decide { most } => self.decide(*most),
            Step::Commit => self.commit(),
            Step::Expire => self.expire(),
            Step::Checkpoint => self.checkpoint(),
            Step::Publish { turns } => self.publish(*turns),
            Step::SetClock { ahead } => {
                self.set_clock(*ahead);
                Ok(())
            }
            Step::Arm(armed) => {
                self.power.arm(Some(*armed));
                Ok(())
            }
            Step::Crash => {
                if self.crash() {
                    self.reach("cut-between-calls");
                }
                Ok(())
            }
            Step::Stop => self.stop(),
            Step::Start(views) => self.start(*views),
            Step::CopyViews => self.copy_views(),
            Step::Refold => self.refold(),
            Step::Outside(outside) => self.outside(*outside),
        }
    }

    /// What must hold after every step.
    fn check(&mut self) -> Result<(), String> {
        self.check_stream()?;
        let Some(program) = &self.program else { return Ok(()) };
        let Self { power, oracle, log, .. } = self;
        power.look(|| oracle.check(&program.projections))?;
        let head = log.head(&ledger()).map(|head| head.sequence);
        equal("the log's end", head, oracle.ledger.last())
    }

    /// The program's clock.
    fn clock(&self) -> Timestamp {
        let micros = self.time.micros() + self.ahead * 1_000_000;
        Timestamp::from_micros(micros).unwrap_or(self.time)
    }

    /// Whoever puts a policy in force looks at the clock before.
    fn clock_for(&self, inputs: &[Input]) -> Timestamp {
        let activates = inputs.iter().any(|input| {
            matches!(input, Input::Command(command)
                if matches!(command.order, Order::ActivatePolicy { .. }))
        });
        if activates { self.clock().max(self.time) } else { self.clock() }
    }

    fn set_clock(&mut self, ahead: i64) {
        if ahead < self.ahead {
            self.reach("clock-back");
        } else if ahead > self.ahead {
            self.reach("clock-ahead");
        }
        self.ahead = ahead;
    }

    fn pass(&mut self, now: Timestamp) {
        self.time = self.time.max(now);
        self.broker.at(self.time.micros());
    }

    /// All that is in the log.
    fn stored(&self) -> Result<Vec<Record>, String> {
        let all = self.power.look(|| self.log.scan(&ledger(), None, usize::MAX));
        let all = all.map_err(|error| error.to_string())?;
        Ok(all.into_iter().map(|recorded| recorded.into_record()).collect())
    }

    fn copy_views(&mut self) -> Result<(), String> {
        let all = self.power.look(|| self.views.scan(b"", None, usize::MAX));
        self.copied = Some(all.map_err(view_error)?);
        Ok(())
    }

    fn reach(&mut self, name: &'static str) {
        self.oracle.covered.reach(name);
        self.oracle.trace.add(format_args!("{name}"));
    }

    /// Notes what happened at a call of a store, and where. Says whether anything did.
    fn struck(&mut self, doing: Doing) -> bool {
        let Some((call, happens)) = self.power.happened() else { return false };
        self.reach(match happens {
            Happens::Cut(point) => match (call, point) {
                (Call::LogPrepare, _) => "cut-before-log-prepare",
                (Call::LogCommit, Point::Before) => "cut-before-log-commit",
                (Call::LogCommit, Point::After) => "cut-after-log-commit",
                (Call::LogRead, _) => "cut-at-log-read",
                (Call::ViewsRead, _) => "cut-at-views-read",
                (Call::ViewsWrite, Point::Before) => "cut-before-views-write",
                (Call::ViewsWrite, Point::After) => "cut-after-views-write",
            },
            Happens::Refused(point) => match (call, point) {
                (Call::LogPrepare, _) => "refused-log-prepare",
                (Call::LogCommit, Point::Before) => "refused-before-log-commit",
                (Call::LogCommit, Point::After) => "refused-after-log-commit",
                (Call::LogRead, _) => "refused-log-read",
                (Call::ViewsRead, _) => "refused-views-read",
                (Call::ViewsWrite, Point::Before) => "refused-before-views-write",
                (Call::ViewsWrite, Point::After) => "refused-after-views-write",
            },
        });
        match (happens, doing) {
            (Happens::Cut(_), Doing::Opening) => self.reach("cut-while-opening"),
            (Happens::Cut(_), Doing::Deciding) => self.reach("cut-while-deciding"),
            (Happens::Cut(_), Doing::Committing) => self.reach("cut-while-committing"),
            (Happens::Cut(_), Doing::Storing) => self.reach("cut-while-storing"),
            (Happens::Cut(_), Doing::Publishing) => self.reach("cut-while-publishing"),
            (Happens::Cut(_), Doing::Stopping) => self.reach("cut-while-stopping"),
            (Happens::Refused(_), Doing::Opening) => self.reach("refused-while-opening"),
            (Happens::Refused(_), _) => {}
        }
        true
    }
}

/// What the program does while something happens.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Doing {
    Opening,
    Deciding,
    Committing,
    Storing,
    Publishing,
    Stopping,
}

#[expect(clippy::needless_pass_by_value, reason = "it stands in `map_err`")]
fn view_error(error: ViewError) -> String {
    error.to_string()
}
