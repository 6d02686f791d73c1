//! The properties, and how a history that breaks one is made shorter.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::atomic::{AtomicU64, Ordering},
};

use domain::{
    account::{FreezeId, Status},
    decide::Verdict,
    decision::{Effect, MoneyBook},
    exception::ExceptionKind,
    ids::{AdjustmentId, PaymentKey},
    input::{Input, Order},
    money::Currency,
    time::Timestamp,
};
use tallyhook_tests::{
    dice::Dice,
    environment,
    history::{self, History, Slot},
    plain::refold,
};

use crate::{
    check::{self, Expected, Freezes, equal},
    ledger::Ledger,
    lots,
    orders::{Step, orders, readable, steps},
};

/// What all orders with the same commands accepted must end in.
#[derive(Clone, Debug, PartialEq, Eq)]
struct End {
    left_side: i128,
    freezes: Freezes,
    status: Status,
    exceptions: BTreeSet<(PaymentKey, ExceptionKind)>,
    money: BTreeMap<(Currency, MoneyBook), i128>,
}

/// What became of a command: nothing, or it was accepted, and about which filings of a dispute.
type Accepted = Option<Vec<BTreeSet<AdjustmentId>>>;

/// A broken property, with the order that broke it.
struct Failure {
    order: String,
    what: String,
}

/// How much is run.
#[derive(Clone, Copy)]
pub(crate) struct Extent {
    pub(crate) first_seed: u64,
    pub(crate) histories: u64,
    pub(crate) orders: usize,
}

#[test]
fn every_order_of_the_same_facts_ends_alike_and_every_record_adds_up() {
    let extent = extent(1_000);
    let runs = AtomicU64::new(0);
    let next = AtomicU64::new(extent.first_seed);
    let work = || {
        loop {
            let seed = next.fetch_add(1, Ordering::Relaxed);
            if seed >= extent.first_seed + extent.histories {
                return;
            }
            let history = History::generate(seed);
            match check_history(&history, extent.orders) {
                Ok(count) => runs.fetch_add(count, Ordering::Relaxed),
                Err(_) => panic!("{}", report(history, extent.orders)),
            };
        }
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
    let runs = runs.into_inner();
    assert!(runs >= extent.histories, "every history runs at least once");
    eprintln!("{} histories, {runs} runs", extent.histories);
}

/// Runs a history in its orders. Gives the number of runs.
fn check_history(history: &History, limit: usize) -> Result<u64, Failure> {
    let mut dice = Dice::new(history.seed ^ 0xd1ce);
    // By the commands that were accepted: the first run's end, and how it came about.
    let mut ends: BTreeMap<Vec<Accepted>, (End, String)> = BTreeMap::new();
    let mut runs = 0;
    for order in orders(history.events.len(), limit, &mut dice) {
        let steps = steps(history, &order, &mut dice);
        let fail = |what| Failure { order: readable(history, &steps), what };
        let (ledger, accepted, end) = run(history, &steps).map_err(fail)?;
        if runs % 8 == 0 {
            refold(&ledger.state, &ledger.records).map_err(fail)?;
        }
        let (first, other) =
            ends.entry(accepted).or_insert_with(|| (end.clone(), readable(history, &steps)));
        let versus = format!("end after this order (domain) and after {other} (naive)");
        equal(&versus, &end, first).map_err(fail)?;
        runs += 1;
    }
    Ok(runs)
}

/// Runs a history in one order and checks every invariant after every step. Gives which commands
/// were accepted, and the end.
fn run(history: &History, steps: &[Step]) -> Result<(Ledger, Vec<Accepted>, End), String> {
    let policy = history.policies.first().expect("a history has a policy");
    let mut ledger = started(history)?;
    let mut operator = Freezes::new();
    let mut accepted = Vec::new();
    let mut expected = Expected::of(&ledger, &history.policies, &operator);
    let mut seen = BTreeMap::new();
    for step in steps {
        let free = lots::free(&ledger, &expected, policy);
        let exists = check::account(&ledger).is_some();
        let available = check::available(&ledger);
        let (input, now) = match *step {
            Step::Event { index, slot, repeats } => {
                let input = history::delivery(&history.events[index]);
                (input, history::recorded_at(slot, repeats))
            }
            Step::Command { slot } => match &history.slots[slot] {
                Slot::Command(number, order) => {
                    (history::command(*number, order.clone()), history::recorded_at(slot, 0))
                }
                Slot::Delivery => return Err("a delivery's slot is no command's".to_owned()),
            },
        };
        let verdict = ledger.take(&input, now)?;
        let recorded = matches!(verdict, Verdict::Record(_));
        match *step {
            Step::Event { index, .. } => match seen.get(&index) {
                Some(first) => equal("verdict", &verdict, &Verdict::Duplicate(*first))?,
                None => {
                    equal("recorded", recorded, true)?;
                    seen.insert(index, ledger.sequence().expect("it was recorded"));
                }
            },
            Step::Command { .. } => {
                check::check_debit((&expected, exists, available), &input, &verdict)?;
                lots::check_drawn(free, &input, &verdict)?;
                accepted.push(what_was_accepted(&verdict));
                operate(&mut operator, &input, &verdict, now);
            }
        }
        if recorded {
            expected = Expected::of(&ledger, &history.policies, &operator);
        }
        check::check(&ledger, &expected, policy)?;
    }
    let end = End {
        left_side: check::left_side(&ledger),
        status: expected.status(),
        freezes: expected.freezes,
        exceptions: check::open_kinds(&ledger)
            .into_iter()
            .filter(|(_, kind)| *kind != ExceptionKind::ClosedAccount)
            .collect(),
        money: ledger
            .money
            .iter()
            .map(|(book, sum)| (*book, *sum))
            .filter(|(_, sum)| *sum != 0)
            .collect(),
    };
    Ok((ledger, accepted, end))
}

/// A command about disputes is about those that are known by then.
fn what_was_accepted(verdict: &Verdict) -> Accepted {
    let Verdict::Record(decision) = verdict else { return None };
    let mut filings = Vec::new();
    for effect in &decision.effects {
        if let Effect::DisputeRuled { ruling, .. } = effect {
            filings.push(ruling.filings.clone());
        }
    }
    Some(filings)
}

/// A ledger in which settings and policies are in force.
pub(crate) fn started(history: &History) -> Result<Ledger, String> {
    let mut ledger = Ledger::new();
    for (input, now) in history.setup() {
        let verdict = ledger.take(&input, now)?;
        if !matches!(verdict, Verdict::Record(_)) {
            return Err(format!("the setup led to {verdict:?}"));
        }
    }
    Ok(ledger)
}

/// What an operator's command does to the open freezes.
fn operate(operator: &mut Freezes, input: &Input, verdict: &Verdict, now: Timestamp) {
    let (Input::Command(command), Verdict::Record(_)) = (input, verdict) else { return };
    if let Order::Freeze { measures, .. } = &command.order {
        operator.insert(FreezeId::Operator(command.id), (now, *measures));
    }
    if let Order::Unfreeze { freeze, .. } = &command.order {
        operator.remove(&FreezeId::Operator(*freeze));
    }
}

/// Drops events and commands for as long as the history still fails, and says what is left.
fn report(mut history: History, limit: usize) -> String {
    let fails = |history: &History| check_history(history, limit.max(120)).err();
    while let Some(less) = shorter(&history).into_iter().find(|less| fails(less).is_some()) {
        history = less;
    }
    match fails(&history) {
        Some(Failure { order, what }) => format!("\n{history}\n  order: {order}\n{what}"),
        None => format!("\n{history}\n  fails only among the orders that were drawn first"),
    }
}

/// The history without each of its events and commands.
fn shorter(history: &History) -> Vec<History> {
    let events = (0..history.events.len()).map(|index| history.without_event(index));
    let places = 0..history.slots.len();
    events.chain(places.filter_map(|place| history.without_command(place))).collect()
}

/// How much is run: so many histories, where the environment says nothing else.
pub(crate) fn extent(histories: u64) -> Extent {
    let orders = match environment::setting("TALLYHOOK_ORDERS").as_deref() {
        None => 120,
        Some("all") => usize::MAX,
        Some(text) => text.parse().expect("a number, or all"),
    };
    Extent {
        first_seed: environment::number(environment::SEED).unwrap_or(0),
        histories: environment::number("TALLYHOOK_HISTORIES").unwrap_or(histories),
        orders,
    }
}
