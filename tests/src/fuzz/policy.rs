//! Policy files: a policy that survives being printed, shown, compared and stored, or faults that
//! say where.
//!
//! An input is the text of a file. Where it is a policy, a third party prints the same TOML in its
//! own way, which must be the same policy again.

use std::{
    mem,
    sync::{Arc, LazyLock},
};

use domain::{
    decide::Verdict,
    input::{Input, Order},
    policy::{Policy, Shortfall},
    refusal::Refusal,
};
use policy_file::{
    diff,
    faults::{Faults, Place},
    parse, show,
};
use toml::Table;

use super::{SIGNED_AT, ledger::Ledger};
use crate::history;

/// What every policy is compared with.
static SHIPPED: LazyLock<Policy> = LazyLock::new(|| {
    parse(include_str!("../../../policies/unused-balance.toml")).expect("the policy is shipped")
});

/// A change of one setting.
type Change = (&'static str, fn(&mut Policy));

/// What a policy is changed by, one at a time.
const CHANGES: [Change; 11] = [
    ("version", |policy| policy.version ^= 1),
    ("effective_from", |policy| policy.effective_from = policy.effective_from.seconds_after(1)),
    ("decimals", |policy| policy.decimals ^= 1),
    ("rates", |policy| policy.rates.clear()),
    ("prices", |policy| policy.prices.clear()),
    ("shortfall", |policy| {
        policy.shortfall = match policy.shortfall {
            Shortfall::Owed => Shortfall::WriteOff,
            Shortfall::WriteOff => Shortfall::Owed,
        };
    }),
    ("settle_owed", |policy| policy.settle_owed = !policy.settle_owed),
    ("disputes", |policy| mem::swap(&mut policy.on_dispute, &mut policy.on_chargeback)),
    ("with_open_case", |policy| policy.with_open_case = None),
    ("close_after", |policy| policy.close_after = None),
    ("refunds", |policy| policy.refunds = None),
];

/// Checks one input.
///
/// # Panics
/// A policy is not the same after a journey, or a fault says nothing.
pub fn check(input: &[u8]) {
    let Ok(text) = std::str::from_utf8(input) else { return };
    match parse(text) {
        Ok(policy) => journeys(text, &policy),
        Err(faults) => says_where(text, &faults),
    }
}

fn journeys(text: &str, policy: &Policy) {
    let printed = text.parse::<Table>().expect("a policy is TOML").to_string();
    assert_eq!(parse(&printed).as_ref(), Ok(policy), "printed as\n{printed}");

    for section in show(policy) {
        assert!(!section.sentences.is_empty(), "{} says nothing", section.title);
        for sentence in &section.sentences {
            let one_line = !sentence.contains(char::is_control);
            assert!(one_line && sentence.ends_with('.'), "no sentence on one line: {sentence:?}");
        }
    }
    assert_eq!(diff(policy, policy), [], "nothing differs from itself");
    assert_eq!(diff(&SHIPPED, policy).is_empty(), *SHIPPED == *policy, "what differs is said");
    for (name, change) in CHANGES {
        let mut changed = policy.clone();
        change(&mut changed);
        assert_eq!(diff(policy, &changed).is_empty(), changed == *policy, "{name} is said");
    }

    // Its record is written, read and folded by the ledger's own checks.
    let file = history::digest(1, 1);
    let order = |policy: Policy| {
        history::command(1, Order::ActivatePolicy { policy: Arc::new(policy), file })
    };
    for first in [policy, &*SHIPPED] {
        let mut ledger = Ledger::empty();
        activated(&mut ledger, order(first.clone()));
        let Input::Command(mut second) = order(policy.clone()) else { continue };
        second.key = history::command_key(2);
        let _ = ledger.take(Input::Command(second), history::seconds(SIGNED_AT));
        ledger.folds_again();
    }
}

/// The first policy of a ledger is never refused, but for an actor's reasons.
fn activated(ledger: &mut Ledger, input: Input) {
    let verdict = ledger.take(input, history::seconds(SIGNED_AT));
    let undecided = matches!(verdict, Verdict::Refused(Refusal::Undecided { .. }));
    assert!(matches!(verdict, Verdict::Record(_)) && !undecided, "not put in force: {verdict:?}");
}

/// Faults are in the order of their lines, and each is a line of its own with place and remedy.
pub(crate) fn says_where(text: &str, faults: &Faults) {
    let lines = text.split('\n').count();
    let mut before = 0;
    assert!(!faults.as_slice().is_empty(), "faults without a fault");
    for fault in faults.as_slice() {
        assert!(!fault.problem.is_empty() && !fault.remedy.is_empty(), "says too little: {fault}");
        let said = fault.to_string();
        assert!(!said.contains(char::is_control), "not on one line: {said:?}");
        if let Place::Line { line, column } = fault.place {
            assert!(line >= before && line <= lines && column > 0, "of {lines} lines: {fault}");
            before = line;
        }
    }
}
