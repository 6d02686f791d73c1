//! What happens in a simulation, step by step, drawn beforehand: any step can be left out.
//!
//! The inputs are a course's. To draw them, the course is told what becomes of each in a world
//! where nothing fails; where something fails, later inputs may fit less well, and that is well.

mod weather;

use std::sync::Arc;

use domain::{
    decide::Verdict,
    ids::Digest,
    input::{Command, Freshness, Input},
    record::Record,
    state::State,
    time::Timestamp,
};
use sha2::{Digest as _, Sha256};
use tallyhook_tests::{
    course::Course,
    dice::Dice,
    naive::{Ledger, Picture},
    plain::{applied, decided, empty},
};

use self::weather::Weather;
use crate::{
    broker::{Keeping, Mishap},
    power::Armed,
    provider::{Forgery, Sent, Signing},
    subscriber::Restart,
};

/// How many subscribers there are from the start.
pub(crate) const SUBSCRIBERS: usize = 2;

/// All that happens for one seed.
#[derive(Clone, Debug)]
pub(crate) struct Plan {
    pub(crate) seed: u64,
    pub(crate) conditions: Conditions,
    /// What puts settings and the first policy in force, before everything.
    pub(crate) setup: Vec<Asked>,
    pub(crate) steps: Vec<Step>,
}

/// What does not change in a simulation.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Conditions {
    pub(crate) keeping: Keeping,
    /// The most inputs that wait.
    pub(crate) queue_max: usize,
    /// The most groups that are decided and not committed.
    pub(crate) ahead_max: usize,
    /// How many records the publisher reads at once, how many messages a batch has at the most,
    /// and after how many records it stores a checkpoint.
    pub(crate) pace: (usize, usize, u64),
}

/// One who asks for something until there is an answer.
#[derive(Clone, Debug)]
pub(crate) struct Asked {
    /// When it is asked first.
    pub(crate) now: Timestamp,
    pub(crate) what: What,
}

#[derive(Clone, Debug)]
pub(crate) enum What {
    Event(Box<Sent>),
    Order(Box<Order>),
}

/// A command with its body.
#[derive(Clone, Debug)]
pub(crate) struct Order {
    pub(crate) command: Command,
    pub(crate) body: Arc<[u8]>,
}

/// One thing that happens.
#[derive(Clone, Debug)]
pub(crate) enum Step {
    /// Somebody asks for something new.
    Ask(Asked),
    /// Somebody forges a delivery.
    Forge(Box<Sent>, Forgery),
    /// Whoever has no answer asks again, even those who only have to wait.
    AskAgain { impatient: bool },
    /// The answers to the next group never arrive.
    LoseAnswers,
    /// The program decides a group of what waits, at most so many.
    Decide { most: usize },
    /// The program commits the oldest decided group.
    Commit,
    /// The program ends holds whose time is over.
    Expire,
    /// The program stores its projections.
    Checkpoint,
    /// The program publishes, so many turns.
    Publish { turns: u32 },
    /// The program's clock is set: so many seconds before or after the true time.
    SetClock { ahead: i64 },
    /// Something happens at a later call of a store.
    Arm(Armed),
    /// The power goes out now.
    Crash,
    /// The program is told to end.
    Stop,
    /// The program is started where it does not run, or takes nothing any more.
    Start(Views),
    /// Somebody copies the views.
    CopyViews,
    /// The projections are folded again and compared, and decided again.
    Refold,
    /// Something happens to the broker or to a subscriber.
    Outside(Outside),
}

/// What happens to the broker or to a subscriber.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Outside {
    /// Something goes wrong with the broker's next connection or batch.
    Mishap(Mishap),
    /// All connections to the broker break.
    Disconnect,
    /// The broker writes what it has to its disk.
    Sync,
    /// The broker is killed and starts again.
    Restart,
    /// An operator deletes the stream.
    DeleteStream,
    /// A subscriber takes at most so many messages.
    Listen { subscriber: usize, most: usize },
    /// A subscriber starts again.
    ListenAnew { subscriber: usize, how: Restart },
}

/// What is left of the views when the program starts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Views {
    Kept,
    Lost,
    /// What somebody copied.
    Older,
}

impl Plan {
    /// The plan of a seed.
    pub(crate) fn of(seed: u64) -> Self {
        let mut dice = Dice::new(seed ^ 0x51_4d_0e);
        let mut weather = Weather::new(&mut dice);
        let conditions = conditions(&mut dice);
        let mut ideal = Ideal::new();
        let mut course = Course::new(seed);
        let mut setup = Vec::new();
        let mut steps = Vec::new();
        while let Some(step) = course.next(&ideal.ledger, &ideal.picture) {
            let asked = Asked { now: step.now, what: what(&mut dice, step.input) };
            let goes_on = ideal.take(&asked);
            if setup.len() < 2 {
                setup.push(asked);
            } else {
                weather.around(&mut dice, asked, &mut steps);
            }
            if !goes_on {
                break;
            }
        }
        Self { seed, conditions, setup, steps }
    }

    /// Without some steps.
    pub(crate) fn without(&self, from: usize, count: usize) -> Self {
        let kept = self.steps.iter().enumerate();
        let kept = kept.filter(|(place, _)| !(from..from + count).contains(place));
        Self { steps: kept.map(|(_, step)| step.clone()).collect(), ..self.clone() }
    }
}

fn conditions(dice: &mut Dice) -> Conditions {
    Conditions {
        keeping: Keeping { window: dice.pick(&[0, 0, 120_000_000]), synced: dice.chance(70) },
        queue_max: dice.pick(&[3, 8, 8]),
        ahead_max: dice.pick(&[1, 2, 2, 3]),
        pace: (dice.pick(&[1, 3, 512]), dice.pick(&[1, 2, 512]), dice.pick(&[1, 4, 4_096])),
    }
}

/// An input of a course as somebody asks for it.
pub(crate) fn what(dice: &mut Dice, input: Input) -> What {
    match input {
        Input::Delivery(event) => {
            let signing = match event.freshness {
                Freshness::Fresh => Signing::Now,
                Freshness::Old => Signing::AnHourAgo,
                Freshness::Future => Signing::Ahead,
            };
            What::Event(Box::new(Sent { event: *event, signing, older_secret: dice.chance(10) }))
        }
        Input::Command(command) => {
            let request = command.request;
            let text = format!("{} {:?} {request}", command.key, command.order);
            let request = Digest(Sha256::digest(text.as_bytes()).into());
            let body = Arc::from(text.into_bytes());
            What::Order(Box::new(Order { command: Command { request, ..*command }, body }))
        }
    }
}

/// A world where nothing fails.
struct Ideal {
    state: State,
    ledger: Ledger,
    picture: Picture,
}

impl Ideal {
    fn new() -> Self {
        Self { state: empty(), ledger: Ledger::new(), picture: Picture::default() }
    }

    /// Says whether the course can go on: it can't where the two ledgers disagree, which the
    /// simulation will find by itself.
    fn take(&mut self, asked: &Asked) -> bool {
        let now = asked.now;
        let input = match &asked.what {
            What::Event(sent) => match sent.arrive((now, now), 0) {
                Ok((delivery, _)) => Input::Delivery(Box::new(delivery)),
                Err(_) => return false,
            },
            What::Order(order) => Input::Command(Box::new(order.command.clone())),
        };
        let Verdict::Record(decision) = decided(&mut self.state, &input, now) else { return true };
        let sequence = self.state.book.next_sequence();
        let record = Record { sequence, recorded_at: now, input, decision };
        if applied(&mut self.state, &record).is_err() {
            return false;
        }
        let taken = self.ledger.take(&record, &self.picture);
        taken.map(|picture| self.picture = picture).is_ok()
    }
}
