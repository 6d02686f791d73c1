//! All that can come to a ledger, drawn one input at a time by what is known so far: deliveries of
//! several payments and accounts, late, again, contradicting, stale, simulated or unreadable; every
//! command, mostly where it makes sense; versions of the policy; time.
//!
//! The same seed and the same ledger draw the same course. What was drawn is plain data and can be
//! run again without some of it.

mod cases;
mod deliveries;
mod operator;
mod policies;
mod print;
mod returns;
mod spending;

use std::sync::Arc;

use domain::{
    account::FreezeId,
    credits::Credits,
    ids::{AccountId, OperationId},
    input::{Command, Delivery, Input, Mode, Order, Settings, Stale},
    notice::Adjustment,
    policy::Policy,
    time::Timestamp,
};

use crate::{
    dice::Dice,
    history::{command, digest, ledger, seconds, text},
    naive::{Ledger, Picture},
};

use self::deliveries::Scene;

pub use self::print::Printed;

const DAY: i64 = 86_400;
/// When courses begin.
const FIRST_DAY: i64 = 1_768_435_200;

/// One input and the moment at which it is decided.
#[derive(Clone, Debug)]
pub struct Step {
    /// When.
    pub now: Timestamp,
    /// What.
    pub input: Input,
}

/// What draws a ledger's inputs.
pub struct Course {
    dice: Dice,
    /// Seconds.
    now: i64,
    left: usize,
    policy: Arc<Policy>,
    scenes: Vec<Scene>,
    /// What was delivered.
    sent: Vec<Delivery>,
    /// What happened and was not delivered yet.
    late: Vec<Delivery>,
    events: u32,
    commands: u32,
    /// What was ordered, to be ordered again.
    ordered: Vec<Command>,
    started: usize,
    /// Whether it is mostly about refund cases.
    about_cases: bool,
    /// What was given back around refund cases.
    given_back: Vec<Adjustment>,
}

/// What the next input is drawn from.
struct View<'v> {
    ledger: &'v Ledger,
    picture: &'v Picture,
    now: Timestamp,
}

impl Course {
    /// The course of a seed.
    #[must_use]
    pub fn new(seed: u64) -> Self {
        let mut dice = Dice::new(seed ^ 0xc0_57_5e);
        let about_cases = dice.chance(40);
        let policy = Arc::new(policies::first(&mut dice, about_cases));
        let payments = dice.pick(&[1_u32, 1, 2, 2, 3, 4]);
        let payments = if about_cases { payments.min(2) } else { payments };
        let prices = !policy.prices.is_empty();
        let scenes = (1..=payments)
            .map(|number| Scene::new(&mut dice, number, prices, about_cases))
            .collect();
        let left = dice.pick(&[10_usize, 15, 20, 25, 30]);
        Self {
            dice,
            now: FIRST_DAY,
            left,
            policy,
            scenes,
            sent: Vec::new(),
            late: Vec::new(),
            events: 0,
            commands: 0,
            ordered: Vec::new(),
            started: 0,
            about_cases,
            given_back: Vec::new(),
        }
    }

    /// The next input by what is known; none at the end.
    pub fn next(&mut self, ledger: &Ledger, picture: &Picture) -> Option<Step> {
        self.started += 1;
        let settings = |dice: &mut Dice| Settings {
            mode: dice.pick(&[Mode::Live, Mode::Live, Mode::Sandbox]),
            stale: dice.pick(&[Stale::Accept, Stale::Quarantine]),
            account_from: vec![text("/data/custom_data/account_id")],
            tolerance_seconds: Some(300),
            future_seconds: 60,
        };
        let input = match self.started {
            1 => {
                let settings = settings(&mut self.dice);
                self.order(Order::Configure(settings))
            }
            2 => {
                let (policy, file) = (Arc::clone(&self.policy), digest(3, self.policy.version));
                self.order(Order::ActivatePolicy { policy, file })
            }
            _ => {
                self.left = self.left.checked_sub(1)?;
                let hour = DAY / 24;
                self.now += self.dice.pick(&[0, 1, 60, hour, hour, 6 * hour, DAY, 3 * DAY]);
                let view = View { ledger, picture, now: seconds(self.now) };
                let early = picture.accounts.is_empty() && self.dice.chance(90);
                match if early { 0 } else { self.dice.below(100) } {
                    0..40 => Input::Delivery(Box::new(self.delivery(&view))),
                    40..43 => self.again(),
                    43..44 => {
                        let settings = settings(&mut self.dice);
                        self.order(Order::Configure(settings))
                    }
                    draw => {
                        let order = match draw {
                            44..72 if self.about_cases => self.case(&view),
                            72..84 if self.about_cases => self.spending(&view),
                            44..68 => self.spending(&view),
                            68..83 => self.case(&view),
                            _ => self.operation(&view),
                        };
                        self.order(order)
                    }
                }
            }
        };
        Some(Step { now: self.recorded_at(&input), input })
    }

    /// Policies are put in force between two seconds: nothing happens at the same moment, so that
    /// no version applies to what was recorded before it.
    fn recorded_at(&mut self, input: &Input) -> Timestamp {
        let activates = matches!(input, Input::Command(command)
            if matches!(command.order, Order::ActivatePolicy { .. }));
        let now = if activates { between(self.now) } else { seconds(self.now) };
        self.now += i64::from(activates);
        now
    }

    fn order(&mut self, order: Order) -> Input {
        self.commands += 1;
        let input = command(self.commands, order);
        if let Input::Command(command) = &input {
            self.ordered.push((**command).clone());
        }
        input
    }

    /// A command that was given before, or another one with its key.
    fn again(&mut self) -> Input {
        let mut command = self.dice.pick(&self.ordered);
        if self.dice.chance(20) {
            command.request = digest(4, self.commands);
        }
        Input::Command(Box::new(command))
    }

    /// An account that there is, mostly.
    fn account(&mut self, view: &View<'_>) -> AccountId {
        let known: Vec<AccountId> = view.picture.accounts.keys().cloned().collect();
        if known.is_empty() || self.dice.chance(1) {
            self.any_account()
        } else {
            self.dice.pick(&known)
        }
    }

    /// One of a few accounts, whether there is one or not. The last two are also customers.
    fn any_account(&mut self) -> AccountId {
        let name = self.dice.pick(&["alice", "alice", "bob", "ctm_1", "ctm_2"]);
        AccountId::new(name).expect("the id is short")
    }

    /// Such a part of an amount that the policy's decimals have, above zero; seldom no amount.
    fn part(&mut self, whole: i128, percent: i64) -> Credits {
        let unit = 10_i128.pow(9 - u32::from(self.policy.decimals));
        let share = whole * i128::from(self.dice.between(1, percent)) / 100;
        let right = (share / unit * unit).max(unit);
        let amount = match self.dice.below(60) {
            0 => 0,
            1 => -right,
            2 => right + 1,
            _ => right,
        };
        Credits::from_billionths(amount).expect("generated amounts are in range")
    }

    /// One of some ids, or seldom or where there is none the id of nothing.
    fn id(&mut self, some: &[OperationId]) -> OperationId {
        if some.is_empty() || self.dice.chance(2) {
            let key = crate::history::command_key(999_999);
            return OperationId::of(&ledger(), &key);
        }
        self.dice.pick(some)
    }

    fn pick<T: Clone>(&mut self, some: &[T]) -> Option<T> {
        if some.is_empty() { None } else { Some(self.dice.pick(some)) }
    }
}

/// The moment half a second later.
fn between(second: i64) -> Timestamp {
    let micros = second * 1_000_000 + 500_000;
    Timestamp::from_micros(micros).expect("generated moments are in range")
}

/// The freezes of all accounts.
fn freezes(picture: &Picture) -> Vec<(AccountId, FreezeId)> {
    let all = picture.accounts.iter();
    all.flat_map(|(account, one)| one.freezes.keys().map(|id| (account.clone(), id.clone())))
        .collect()
}
