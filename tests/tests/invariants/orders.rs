//! In which order the events of a history arrive, and how often.

use tallyhook_tests::{
    dice::Dice,
    history::{History, Slot},
};

/// One thing that happens in a run of a history.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Step {
    /// The event with this index arrives, in this slot, after so many repetitions in it.
    Event { index: usize, slot: usize, repeats: usize },
    /// The command of this slot.
    Command { slot: usize },
}

/// All orders of so many things when there are at most `limit`, else some of them, the first one
/// unchanged.
pub(crate) fn orders(count: usize, limit: usize, dice: &mut Dice) -> Vec<Vec<usize>> {
    let first: Vec<usize> = (0..count).collect();
    if (1..=count).product::<usize>() <= limit {
        let mut all = vec![first];
        while let Some(next) = all.last().and_then(|last| following(last)) {
            all.push(next);
        }
        return all;
    }
    let shuffled = |_| {
        let mut order = first.clone();
        dice.shuffle(&mut order);
        order
    };
    let some: Vec<Vec<usize>> = (1..limit).map(shuffled).collect();
    std::iter::once(first).chain(some).collect()
}

/// The next order in the lexicographic row.
fn following(order: &[usize]) -> Option<Vec<usize>> {
    let mut next = order.to_vec();
    let rise = (1..next.len()).rev().find(|index| next[index - 1] < next[*index])?;
    let larger = (rise..next.len()).rev().find(|index| next[*index] > next[rise - 1])?;
    next.swap(rise - 1, larger);
    next[rise..].reverse();
    Some(next)
}

/// What happens when the events come in this order, with some of them repeated later.
pub(crate) fn steps(history: &History, order: &[usize], dice: &mut Dice) -> Vec<Step> {
    let mut steps = Vec::new();
    let mut coming = order.iter().copied();
    let mut arrived: Vec<usize> = Vec::new();
    for (slot, what) in history.slots.iter().enumerate() {
        match what {
            Slot::Command(..) => steps.push(Step::Command { slot }),
            Slot::Delivery => {
                let Some(index) = coming.next() else { continue };
                steps.push(Step::Event { index, slot, repeats: 0 });
                arrived.push(index);
                let mut repeats = 0;
                while dice.chance(15) {
                    repeats += 1;
                    steps.push(Step::Event { index: dice.pick(&arrived), slot, repeats });
                }
            }
        }
    }
    steps
}

/// The steps as a person reads them: `e1 c0 e2 e1*`, a star for what was repeated.
pub(crate) fn readable(history: &History, steps: &[Step]) -> String {
    let mut words = Vec::new();
    for step in steps {
        words.push(match step {
            Step::Event { index, repeats, .. } => {
                let star = if *repeats > 0 { "*" } else { "" };
                format!("e{}{star}", history.events[*index].number)
            }
            Step::Command { slot } => match &history.slots[*slot] {
                Slot::Command(number, _) => format!("c{number}"),
                Slot::Delivery => "?".to_owned(),
            },
        });
    }
    words.join(" ")
}

#[test]
fn every_order_comes_once() {
    let mut all = orders(4, 24, &mut Dice::new(1));
    assert_eq!(all.len(), 24);
    all.sort();
    all.dedup();
    assert_eq!(all.len(), 24);
    assert_eq!(orders(7, 50, &mut Dice::new(1)).len(), 50);
}
