//! What happens around the inputs, and how often: some seeds are calm, some are stormy.

use tallyhook_tests::dice::Dice;

use super::{Asked, Outside, SUBSCRIBERS, Step, Views, What};
use crate::{
    broker::{Lands, Mishap},
    power::{Armed, Call, Happens, Point},
    provider::Forgery,
    subscriber::Restart,
};

/// How many of a hundred inputs something happens around.
pub(super) struct Weather {
    provider: u64,
    power: u64,
    disk: u64,
    broker: u64,
    clock: u64,
    upkeep: u64,
    /// What is asked again after some other inputs.
    again: Vec<Asked>,
}

impl Weather {
    pub(super) fn new(dice: &mut Dice) -> Self {
        Self {
            provider: dice.pick(&[5, 20, 40]),
            power: dice.pick(&[0, 5, 20]),
            disk: dice.pick(&[0, 3, 10]),
            broker: dice.pick(&[0, 10, 30]),
            clock: dice.pick(&[0, 0, 10]),
            upkeep: dice.pick(&[5, 15, 30]),
            again: Vec::new(),
        }
    }

    /// Adds an input and what happens around it.
    pub(super) fn around(&mut self, dice: &mut Dice, asked: Asked, steps: &mut Vec<Step>) {
        self.before(dice, steps);
        self.provide(dice, &asked, steps);
        steps.push(Step::Ask(asked));
        if dice.chance(75) {
            steps.push(Step::Decide { most: dice.pick(&[1, 2, 8]) });
        }
        if dice.chance(80) {
            steps.push(Step::Commit);
        }
        self.publish(dice, steps);
        self.after(dice, steps);
    }

    /// What lies in wait for the next input.
    fn before(&self, dice: &mut Dice, steps: &mut Vec<Step>) {
        if dice.chance(self.power) {
            let cut = Happens::Cut(point(dice));
            steps.push(if dice.chance(15) { Step::Crash } else { Step::Arm(armed(dice, cut)) });
        }
        if dice.chance(self.disk) {
            let refused = Happens::Refused(point(dice));
            steps.push(Step::Arm(armed(dice, refused)));
        }
        if dice.chance(self.clock) {
            let ahead = dice.pick(&[0, -1, -59, -61, -301, -3_600, -86_400, 1, 61, 301, 3_600]);
            steps.push(Step::SetClock { ahead });
        }
    }

    /// What else the provider, and others in its name, send.
    fn provide(&mut self, dice: &mut Dice, asked: &Asked, steps: &mut Vec<Step>) {
        if let What::Event(sent) = &asked.what {
            if dice.chance(self.provider) {
                self.again.push(asked.clone());
            }
            if dice.chance(self.provider / 2) {
                let forgery = dice.pick(&[
                    Forgery::StrangersSecret,
                    Forgery::OtherBody,
                    Forgery::OtherTime,
                    Forgery::NoHeader,
                    Forgery::TwoHeaders,
                ]);
                steps.push(Step::Forge(sent.clone(), forgery));
            }
        }
        if !self.again.is_empty() && dice.chance(40) {
            let index = dice.below(self.again.len());
            let again = self.again.swap_remove(index);
            steps.push(Step::Ask(Asked { now: asked.now, ..again }));
        }
    }

    fn publish(&self, dice: &mut Dice, steps: &mut Vec<Step>) {
        if dice.chance(self.broker) {
            steps.push(Step::Outside(match dice.below(16) {
                0..11 => Outside::Mishap(dice.pick(&[
                    Mishap::ConnectionRefused,
                    Mishap::LookFails,
                    Mishap::BatchLost,
                    Mishap::AcknowledgementLost,
                    Mishap::AcknowledgementLost,
                    Mishap::BatchLate(Lands::Opening),
                    Mishap::BatchLate(Lands::Look),
                    Mishap::BatchLate(Lands::Batch),
                    Mishap::BatchRefused,
                    Mishap::ConnectionBreaks,
                ])),
                11..13 => Outside::Disconnect,
                13..15 => Outside::Restart,
                _ => Outside::DeleteStream,
            }));
        }
        if dice.chance(10) {
            steps.push(Step::Outside(Outside::Sync));
        }
        if dice.chance(45) {
            steps.push(Step::Publish { turns: dice.pick(&[1, 1, 2, 4]) });
        }
        let subscriber = dice.below(SUBSCRIBERS);
        if dice.chance(20) {
            let most = dice.pick(&[1, 3, 100]);
            steps.push(Step::Outside(Outside::Listen { subscriber, most }));
        }
        if dice.chance(self.broker / 4) {
            let how = dice.pick(&[Restart::Anew, Restart::Repeats(1), Restart::Repeats(5)]);
            steps.push(Step::Outside(Outside::ListenAnew { subscriber, how }));
        }
    }

    fn after(&self, dice: &mut Dice, steps: &mut Vec<Step>) {
        if dice.chance(self.upkeep) {
            steps.push(match dice.below(20) {
                0..6 => Step::Checkpoint,
                6..10 => Step::Expire,
                10..12 => Step::Stop,
                12..14 => Step::CopyViews,
                14..16 => Step::LoseAnswers,
                16..17 => Step::Refold,
                _ => Step::AskAgain { impatient: dice.chance(30) },
            });
        }
        if dice.chance(15) {
            steps.push(Step::AskAgain { impatient: false });
        }
        if dice.chance(35) {
            let views =
                dice.pick(&[Views::Kept, Views::Kept, Views::Kept, Views::Lost, Views::Older]);
            steps.push(Step::Start(views));
        }
    }
}

fn point(dice: &mut Dice) -> Point {
    dice.pick(&[Point::Before, Point::After])
}

/// Mostly soon; commits are what matters most.
fn armed(dice: &mut Dice, happens: Happens) -> Armed {
    let call = match dice.below(10) {
        0..4 => Some(Call::LogCommit),
        4..8 => Some(dice.pick(&Call::ALL)),
        _ => None,
    };
    let after: u32 = dice.pick(&[0, 0, 0, 1, 2, 5, 20]);
    let after = match call {
        Some(Call::LogCommit | Call::LogPrepare | Call::ViewsWrite) => after.min(1),
        Some(Call::LogRead | Call::ViewsRead) => after,
        // Calls of any kind are many.
        None => after.saturating_mul(3),
    };
    Armed { call, after, happens }
}
