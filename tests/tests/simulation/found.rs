//! What the simulator found, each as the shortest plan that showed it.

use domain::input::{LotKind, Order};
use tallyhook_tests::{
    dice::Dice,
    history::{account, command, credits, seconds, text},
};

use crate::{
    broker::{Keeping, Lands, Mishap},
    plan::{Asked, Conditions, Outside, Plan, Step, what},
    world::World,
};

/// The second of the first grant; the setup of every course is before it.
const FIRST: i64 = 1_768_500_000;

/// A batch that was held up lands after the next session opened and before it looks where to go on
/// (seed 5335): that session knows of the message and not of its place. Its next batch named the
/// place before; held up in turn, it became the first message of a stream that was made anew, and
/// the message before it was missing.
#[test]
fn no_batch_names_a_place_before_what_it_follows() {
    holds(vec![
        grant(1),
        Step::Decide { most: 1 },
        Step::Commit,
        late(Lands::Look),
        Step::Publish { turns: 2 },
        grant(2),
        Step::Decide { most: 1 },
        Step::Commit,
        late(Lands::Opening),
        Step::Publish { turns: 1 },
        Step::Outside(Outside::DeleteStream),
    ]);
}

fn grant(number: u32) -> Step {
    let order = Order::Grant {
        account: account(),
        amount: credits(1_000_000_000),
        kind: LotKind::Gift,
        label: None,
        reason: text("because"),
    };
    let now = seconds(FIRST + i64::from(number));
    let input = command(10_000 + number, order);
    Step::Ask(Asked { now, what: what(&mut Dice::new(0), input) })
}

const fn late(lands: Lands) -> Step {
    Step::Outside(Outside::Mishap(Mishap::BatchLate(lands)))
}

/// Takes these steps after the setup of some seed.
fn holds(steps: Vec<Step>) {
    let keeping = Keeping { window: 0, synced: true };
    let conditions = Conditions { keeping, queue_max: 8, ahead_max: 2, pace: (512, 512, 4_096) };
    let plan = Plan { conditions, steps, ..Plan::of(0) };
    if let Err(what) = World::run(&plan) {
        panic!("\n{plan}\n{what}");
    }
}
