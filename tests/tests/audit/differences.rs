//! What reports are made of is recorded twice, as effects and as transfers: whichever of them is
//! tampered with, a difference shows.

use std::collections::BTreeMap;

use audit::reports::{Kind, reports};
use domain::{
    decision::{CreditBook, Decision, Effect, House, MoneyBook, Section, Transfer},
    ids::AccountId,
    money::Minor,
    record::Record,
};
use tallyhook_tests::{
    dice::Dice,
    history::{credits, ledger},
};

use crate::{
    drawn::{drawn, log_of},
    reports::END,
};

/// How many random courses are tampered with, and at how many places of each.
const COURSES: u64 = 120;
const PLACES: usize = 12;

/// Whether the roll-forward and the receivables differ of a course with one decision changed.
fn differ(records: &[Record], place: usize, change: impl FnOnce(&mut Decision)) -> [bool; 2] {
    let mut records = records.to_vec();
    change(&mut records[place].decision);
    let kinds = [Kind::RollForward, Kind::Receivables].into();
    let made = reports(&log_of(&records), &ledger(), &END, &kinds, |_, _| ()).unwrap();
    [made[0].differs, made[1].differs]
}

fn is_owed(book: &CreditBook) -> bool {
    matches!(book, CreditBook::Customer(_, Section::Owed))
}

/// What a transfer is between.
fn between(transfer: &Transfer) -> &'static str {
    match transfer {
        Transfer::Money { .. } => "money",
        Transfer::Credits { debit, credit, .. } => {
            match (debit.customer().is_some(), credit.customer().is_some()) {
                (true, true) => "customer and customer",
                (false, true) => "house and customer",
                (true, false) => "customer and house",
                (false, false) => "house and house",
            }
        }
    }
}

/// The same transfer, otherwise.
fn otherwise(transfer: &Transfer, how: &str) -> Option<Transfer> {
    let mut changed = transfer.clone();
    match (&mut changed, how) {
        (Transfer::Credits { amount, .. }, "amount") => {
            *amount = amount.plus(credits(1)).unwrap();
        }
        (Transfer::Money { amount, .. }, "amount") => {
            *amount = amount.plus(Minor::new(1).unwrap()).unwrap();
        }
        (Transfer::Credits { debit, credit, .. }, "turned") => std::mem::swap(debit, credit),
        (Transfer::Money { debit, credit, .. }, "turned") => std::mem::swap(debit, credit),
        (Transfer::Money { debit, .. }, "debit") => *debit = MoneyBook::Receipts,
        (Transfer::Credits { debit, .. }, "debit") => other(debit),
        (Transfer::Credits { credit, .. }, "credit") => other(credit),
        (Transfer::Credits { credit: CreditBook::Customer(account, _), .. }, "account") => {
            *account = AccountId::new("mallory").unwrap();
        }
        _ => return None,
    }
    (changed != *transfer).then_some(changed)
}

/// Another part of the same account, or another of the house's books.
fn other(book: &mut CreditBook) {
    match book {
        CreditBook::Customer(_, section @ Section::Held) => *section = Section::Gift,
        CreditBook::Customer(_, section) => *section = Section::Held,
        CreditBook::House(house @ House::Sold) => *house = House::Given,
        CreditBook::House(house) => *house = House::Sold,
    }
}

#[test]
fn a_transfer_that_is_missing_or_another_is_a_difference() {
    let mut seen: BTreeMap<(&str, &str), u32> = BTreeMap::new();
    let mut owed = 0_u32;
    for seed in 0..COURSES {
        let (records, mut dice) = (drawn(seed).records, Dice::new(seed));
        let all: Vec<(usize, usize)> = records
            .iter()
            .enumerate()
            .flat_map(|(place, record)| {
                (0..record.decision.transfers.len()).map(move |transfer| (place, transfer))
            })
            .collect();
        assert_eq!(differ(&records, 0, |_| ()), [false, false], "seed {seed}");
        for _ in 0..PLACES.min(all.len()) {
            let (place, at) = dice.pick(&all);
            let posted = &records[place].decision.transfers[at];
            let how = dice.pick(&["missing", "amount", "turned", "debit", "credit", "account"]);
            let changed = otherwise(posted, how);
            if how != "missing" && changed.is_none() {
                continue;
            }
            let [forward, receivables] = differ(&records, place, |decision| {
                drop(decision.transfers.splice(at..=at, changed));
            });
            assert!(forward, "seed {seed}, {how}: {posted:?}");
            let about_owed = matches!(posted, Transfer::Credits { debit, credit, .. }
                if is_owed(debit) != is_owed(credit));
            if about_owed && matches!(how, "missing" | "amount" | "turned") {
                assert!(receivables, "seed {seed}, {how}: {posted:?}");
                owed += 1;
            }
            *seen.entry((between(posted), how)).or_default() += 1;
        }
    }
    // A house has no account, and money none of a customer's books.
    for (books, ways) in [("money", 4), ("customer and customer", 6), ("customer and house", 5)] {
        assert_eq!(seen.keys().filter(|(of, _)| *of == books).count(), ways, "{seen:?}");
    }
    assert!(owed > 20, "only {owed} of debts: {seen:?}");
}

/// What an effect is to the books.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Kin {
    /// The house or the processor is always on the other side.
    Issues(&'static str),
    /// Parts of an account's balance change places, if they do: what is held or lacking either way
    /// stays where it is.
    Shifts(&'static str),
    /// It moves no credits and no money: who was told what, and what is known.
    Moves,
}

const fn kin(effect: &Effect) -> Kin {
    match effect {
        Effect::Granted { .. } => Kin::Issues("granted"),
        Effect::Taken { .. } => Kin::Issues("taken"),
        Effect::Drawn { .. } => Kin::Issues("drawn"),
        Effect::Returned { .. } => Kin::Issues("returned"),
        Effect::MoneyMoved { .. } => Kin::Issues("money moved"),
        Effect::HoldingOpened { .. } => Kin::Shifts("holding opened"),
        Effect::Awaited { .. } => Kin::Shifts("awaited"),
        Effect::Reserved { .. } => Kin::Shifts("reserved"),
        Effect::Unreserved { .. } => Kin::Shifts("unreserved"),
        Effect::Forgiven { .. } => Kin::Shifts("forgiven"),
        Effect::Settled { .. } => Kin::Shifts("settled"),
        Effect::Unsettled { .. } => Kin::Shifts("unsettled"),
        Effect::Frozen { .. } => Kin::Shifts("frozen"),
        Effect::Unfrozen { .. } => Kin::Shifts("unfrozen"),
        Effect::PaymentAssigned { .. }
        | Effect::AccountOpened { .. }
        | Effect::HoldPlaced { .. }
        | Effect::HoldEnded { .. }
        | Effect::Debited { .. }
        | Effect::ChargebackCounted { .. }
        | Effect::Closed { .. }
        | Effect::Reopened { .. }
        | Effect::CustomerAssigned { .. }
        | Effect::PaymentImported(_)
        | Effect::CaseChanged(_)
        | Effect::DisputeRuled { .. }
        | Effect::Raised(_)
        | Effect::Cleared(_)
        | Effect::Resolved(_)
        | Effect::Released(_) => Kin::Moves,
    }
}

/// Whether a record moves credits between parts of accounts.
fn shifts(record: &Record) -> bool {
    record.decision.transfers.iter().any(|moved| between(moved) == "customer and customer")
}

#[test]
fn an_effect_that_is_missing_is_a_difference_where_it_moved_anything() {
    let mut seen: BTreeMap<(Kin, bool), u32> = BTreeMap::new();
    for seed in 0..COURSES {
        let (records, mut dice) = (drawn(seed).records, Dice::new(seed));
        let all: Vec<(usize, usize)> = records
            .iter()
            .enumerate()
            .flat_map(|(place, record)| {
                (0..record.decision.effects.len()).map(move |effect| (place, effect))
            })
            .collect();
        // Some of all, and each of those that are rare.
        let rare = all.iter().filter(|(place, at)| {
            let effect = &records[*place].decision.effects[*at];
            matches!(effect, Effect::Settled { .. } | Effect::Unsettled { .. })
        });
        let mut asked: Vec<(usize, usize)> = rare.copied().collect();
        asked.extend((0..PLACES).filter(|_| !all.is_empty()).map(|_| dice.pick(&all)));
        for (place, at) in asked {
            let effects = &records[place].decision.effects;
            let kin = kin(&effects[at]);
            let [forward, _] = differ(&records, place, |decision| {
                decision.effects.remove(at);
            });
            let others = effects.iter().enumerate().filter(|(other, _)| *other != at);
            let alone = others.into_iter().all(|(_, other)| self::kin(other) == Kin::Moves);
            match kin {
                Kin::Issues(_) => assert!(forward, "seed {seed}: {:?}", effects[at]),
                Kin::Shifts(_) if alone && shifts(&records[place]) => {
                    assert!(forward, "seed {seed}: {:?}", effects[at]);
                }
                Kin::Shifts(_) => {}
                Kin::Moves => assert!(!forward, "seed {seed}: {:?}", effects[at]),
            }
            *seen.entry((kin, forward)).or_default() += 1;
        }
    }
    // Five that issue, nine that shift; those that move nothing are never seen.
    let kinds = seen.keys().filter(|(kin, seen)| *kin != Kin::Moves && *seen).count();
    assert_eq!(kinds, 14, "{seen:?}");
    assert!(seen.contains_key(&(Kin::Moves, false)), "{seen:?}");
}
