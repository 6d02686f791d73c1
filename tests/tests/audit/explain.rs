//! What is explained sums up, is what `domain` has, and is found by whatever name it has.

use std::collections::{BTreeMap, BTreeSet};

use audit::{
    cut::Known,
    explain::{AccountStory, Asked, ExplainError, Explanation, Subject, explain},
    sums::{Sum, Sums},
};
use domain::{
    account::Books,
    decision::{CreditBook, Transfer},
    holding::HoldingId,
    ids::{AccountId, Sequence},
    input::Input,
    notice::Notice,
};
use tallyhook_tests::{dice::Dice, history::ledger, merchant::Merchant};

use crate::{
    drawn::{Drawn, Parts, drawn, nothing, part_of},
    made::Made,
};

/// How many courses are explained.
const COURSES: u64 = 400;

fn by(id: &str) -> Asked {
    Asked {
        id: Some(id.to_owned()),
        call_time: None,
        model: None,
        origin: None,
        known: Known::All,
        steps_max: usize::MAX,
        raw: false,
    }
}

fn asked(drawn: &Drawn, asked: &Asked) -> Result<Explanation, ExplainError> {
    explain(&drawn.log, &ledger(), &drawn.state.book.activations, asked)
}

/// The balance from the transfers of the first records, in billionths by part.
fn balance(drawn: &Drawn, account: &AccountId, last: u64) -> Parts {
    let mut parts = nothing();
    for record in drawn.records.iter().filter(|record| record.sequence.get() <= last) {
        for transfer in &record.decision.transfers {
            let Transfer::Credits { debit, credit, amount } = transfer else { continue };
            for (book, sign) in [(debit, -1), (credit, 1)] {
                let CreditBook::Customer(owner, section) = book else { continue };
                let (part, side) = part_of(*section);
                if owner == account {
                    *parts.entry(part).or_default() += side * sign * amount.billionths();
                }
            }
        }
    }
    parts
}

fn billionths(sum: Sum) -> i128 {
    sum.credits().expect("courses are small").billionths()
}

/// Everything on an account's page sums to the balance, which is that of the transfers.
fn sums_up(story: &AccountStory, expected: &Parts, what: &str) {
    let mut lots = Sums::ZERO;
    for line in &story.lots {
        let moved = line.moves.values().fold(Sum::ZERO, |sum, one| sum.plus(one.amount));
        assert_eq!(moved, line.adds.net(), "{what}: {line:#?}");
        let there = line.adds.available().plus(line.adds.held);
        assert!(line.reserved.plus(line.awaited) <= there, "{what}: {line:#?}");
        lots = lots.plus(&line.adds);
    }
    assert_eq!(lots, story.balance, "{what}");
    let spent = story.spent.1.values().fold(Sum::ZERO, |sum, one| sum.plus(*one));
    assert_eq!(spent, Sum::ZERO, "{what}: {:?}", story.spent);
    let records = story.moved.iter().fold(story.earlier.moved, |sum, one| sum.plus(one));
    assert_eq!(records, story.balance, "{what}");
    for (name, sum) in story.balance.parts() {
        let expected = expected.get(name).copied().unwrap_or_default();
        assert_eq!(billionths(sum), expected, "{what}: {name}");
    }
}

/// What a lot adds by what `domain` has of it, an account-wide freeze included.
fn by_domain(drawn: &Drawn, account: &AccountId, id: &HoldingId) -> Sums {
    let holding = drawn.state.entities.holding(id).flatten().expect("it has lots");
    let books = holding.books().expect("it is in range");
    let view = &drawn.state.entities.account(account).flatten().expect("it is there").view;
    if !view.holds_everything() {
        return Sums::of(&books);
    }
    let held = books.available().and_then(|free| free.plus(books.held)).expect("it is in range");
    let nothing = domain::credits::Credits::ZERO;
    Sums::of(&Books { paid: nothing, gift: nothing, held, ..books })
}

#[test]
fn what_is_shown_of_an_account_sums_to_its_balance_at_any_moment() {
    let (mut lots, mut frozen) = (0, 0);
    for seed in 0..COURSES {
        let (drawn, mut dice) = (drawn(seed), Dice::new(seed));
        let touched = drawn.records.iter().flat_map(|record| record.decision.accounts());
        let last = u64::try_from(drawn.records.len()).unwrap();
        for account in touched.collect::<BTreeSet<_>>() {
            let at = u64::try_from(dice.between(1, i64::try_from(last).unwrap())).unwrap();
            for (at, steps_max) in [(last, usize::MAX), (at, dice.below(4))] {
                let known = Known::Sequence(at);
                let asked = Asked { known, steps_max, ..by(account.as_str()) };
                let explanation = match self::asked(&drawn, &asked) {
                    Ok(explanation) => explanation,
                    Err(ExplainError::Unknown { .. }) if at < last => continue,
                    Err(error) => panic!("seed {seed}, {account:?} at {at}: {error}"),
                };
                let Subject::Account(story) = &explanation.subject else { continue };
                let what = format!("seed {seed}, {account:?} at {at}");
                sums_up(story, &balance(&drawn, &account, at), &what);
                if at == last {
                    for line in &story.lots {
                        assert_eq!(line.adds, by_domain(&drawn, &account, &line.id), "{what}");
                    }
                    lots += story.lots.len();
                    frozen += story.freezes.len();
                }
            }
        }
    }
    assert!(lots > 300 && frozen > 30, "{lots} lots, {frozen} freezes");
}

#[test]
fn a_payments_lots_are_what_domain_has() {
    let mut compared = 0;
    for seed in 0..COURSES / 2 {
        let drawn = drawn(seed);
        let payments = drawn.records.iter().flat_map(audit::names::payments);
        for key in payments.cloned().collect::<BTreeSet<_>>() {
            let explanation = asked(&drawn, &by(key.id.as_str())).unwrap();
            let Subject::Payment(story) = &explanation.subject else {
                panic!("seed {seed}, {key:?}: {:?}", explanation.subject);
            };
            // One that only a delivery in quarantine names is known to nobody.
            let payment = drawn.state.entities.payment(&key).flatten();
            let account = payment.and_then(|payment| payment.account.as_ref());
            assert_eq!(story.account.as_ref(), account, "seed {seed}, {key:?}");
            let id = HoldingId::Payment(key.clone());
            let holding = drawn.state.entities.holding(&id).flatten();
            let expected = holding.map(|_| by_domain(&drawn, account.unwrap(), &id));
            assert_eq!(story.lots.as_ref().map(|line| line.adds), expected, "seed {seed}, {key:?}");
            compared += usize::from(expected.is_some());
        }
    }
    assert!(compared > 100, "{compared}");
}

#[test]
fn everything_is_found_by_each_of_its_names() {
    let made = Made::by(Merchant::new(7, 900).unwrap());
    let activations = made.projections.book(&made.ledger).unwrap().activations;
    let ask = |asked: &Asked| explain(&*made.log, &made.ledger, &activations, asked);
    let records = made.log.scan(&made.ledger, None, usize::MAX).unwrap();
    let mut seen: BTreeMap<&str, usize> = BTreeMap::new();
    for recorded in records.iter().step_by(13) {
        let record = recorded.record();
        let at = record.sequence;
        let mut names: Vec<(&str, String)> = vec![("sequence", format!("#{at}"))];
        match &record.input {
            Input::Delivery(delivery) => {
                if let domain::ids::EventKey::Event { id, .. } = &delivery.event {
                    names.push(("event", id.to_string()));
                }
                if let Ok(Notice::Purchase(purchase)) = &delivery.notice {
                    names.push(("payment", purchase.payment.id.to_string()));
                }
                if let Ok(Notice::Adjustment(adjustment)) = &delivery.notice {
                    names.push(("adjustment", adjustment.id.to_string()));
                }
            }
            Input::Command(command) => {
                names.push(("key", command.key.to_string()));
                names.push(("command", command.id.to_string()));
            }
        }
        if let Some((_, metadata)) = audit::names::metadata(record) {
            let request = metadata.entries().iter().find(|(name, _)| name.as_str() == "request_id");
            let value = request.map(|(_, value)| value.trim_matches('"').to_owned());
            names.extend(value.map(|value| ("request id", value)));
        }
        for (kind, name) in names {
            let explanation = ask(&by(&name)).unwrap_or_else(|error| panic!("{kind}: {error}"));
            let has = |wanted: Sequence| {
                explanation.subject.steps().iter().any(|step| step.sequence == wanted)
            };
            assert!(has(at), "{kind} {name} of #{at}: {}", explanation.text());
            *seen.entry(kind).or_default() += 1;
        }
    }
    for kind in ["sequence", "event", "payment", "adjustment", "key", "command", "request id"] {
        assert!(seen.contains_key(kind), "{kind} is never asked: {seen:?}");
    }
    for nothing in ["no such thing", "#0", "#999999", "#x", ""] {
        let refused = ask(&by(nothing)).err();
        assert!(matches!(refused, Some(ExplainError::Unknown { .. })), "{nothing:?}");
    }
    let asked = Asked { id: None, ..by("") };
    assert!(matches!(ask(&asked), Err(ExplainError::NothingAsked)));
}

#[test]
fn usage_is_found_by_what_it_says_alone_or_of_an_account() {
    let made = Made::by(Merchant::new(7, 600).unwrap());
    let activations = made.projections.book(&made.ledger).unwrap().activations;
    let records = made.log.scan(&made.ledger, None, usize::MAX).unwrap();
    let said = |record: &domain::record::Record, wanted: &str| {
        let (_, metadata) = audit::names::metadata(record)?;
        let entry = metadata.entries().iter().find(|(name, _)| name.as_str() == wanted)?;
        Some(entry.1.trim_matches('"').to_owned())
    };
    let usage = records.iter().map(|recorded| recorded.record());
    let usage: Vec<_> = usage.filter(|record| said(record, "model").is_some()).collect();
    let one = usage[usage.len() / 2];
    let model = said(one, "model").unwrap();
    let call_time = said(one, "call_time");
    let (account, _) = audit::names::metadata(one).unwrap();
    let of = |account: Option<&AccountId>, call_time: &Option<String>| {
        let mut expected = usage.iter().filter(|record| {
            let owner = audit::names::metadata(record).map(|(owner, _)| owner);
            said(record, "model").as_ref() == Some(&model)
                && account.is_none_or(|account| owner == Some(account))
                && call_time.as_ref().is_none_or(|_| said(record, "call_time") == *call_time)
        });
        let id = account.map(ToString::to_string);
        let (call_time, model) = (call_time.clone(), Some(model.clone()));
        let asked = Asked { id, call_time, model, ..by("") };
        let found = explain(&*made.log, &made.ledger, &activations, &asked).unwrap();
        for step in found.subject.steps() {
            assert_eq!(Some(step.sequence), expected.next().map(|record| record.sequence));
        }
        assert!(expected.next().is_none());
        found.subject.steps().len()
    };
    let (all, own) = (of(None, &None), of(Some(account), &None));
    assert!(own >= 1 && all > own, "{own} of {all}");
    if call_time.is_some() {
        assert!(of(None, &call_time) >= 1);
        assert!(of(Some(account), &call_time) >= 1);
    }
}
