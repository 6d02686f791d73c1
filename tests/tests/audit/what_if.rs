//! History under another policy: the same policy changes nothing, another one changes what its rules
//! are about, and the totals are those of the accounts.

use std::sync::Arc;

use audit::{
    sums::{Sum, Sums},
    what_if::{Differences, Otherwise, WhatIfError, what_if},
};
use domain::{
    account::Status,
    policy::{Measures, Policy, Shortfall},
    time::Timestamp,
};
use tallyhook_tests::merchant::{Merchant, POLICIES};

use crate::made::Made;

fn policy(number: usize) -> Policy {
    policy_file::parse(POLICIES[number]).unwrap()
}

fn made() -> Made {
    Made::by(Merchant::new(11, 1_500).unwrap())
}

fn asked(made: &Made, policy: Policy, from: Option<Timestamp>) -> Differences {
    let other = Otherwise { policy: Arc::new(policy), effective_from: from };
    let found = what_if(&*made.log, &made.ledger, &other, |_, _| ()).unwrap();
    check_totals(&found);
    found
}

/// The accounts that differ make up what differs in all.
fn check_totals(found: &Differences) {
    let mut sums = Sums::ZERO;
    for one in &found.accounts {
        let (before, after) = (&one.standing.recorded, &one.standing.otherwise);
        assert_ne!(before, after, "{}", one.account);
        for (standing, plus) in [(before, false), (after, true)] {
            let Some(standing) = standing else { continue };
            let part = standing.sums;
            sums = if plus { sums.plus(&part) } else { sums.minus(&part) };
        }
    }
    assert_eq!(sums, found.total.otherwise.sums.minus(&found.total.recorded.sums));
    assert!(found.decisions > 0 || found.accounts.is_empty());
}

fn check_same(found: &Differences) {
    assert_eq!((found.decisions, found.by_older_rules), (0, 0));
    assert_eq!((&found.accounts[..], &found.cases[..]), (&[][..], &[][..]));
    assert!(found.refused.is_empty());
    assert_eq!(found.total.recorded, found.total.otherwise);
}

#[test]
fn the_same_policy_makes_no_difference() {
    let made = made();
    let second = policy(1);
    let from = second.effective_from;
    let found = asked(&made, second, Some(from));
    check_same(&found);
    assert!(found.total.recorded.accounts > 20 && found.total.recorded.freezes > 3);
}

/// Cases name the version that decides them, which is no difference by itself.
#[test]
fn the_same_rules_under_another_number_make_no_difference() {
    let made = made();
    let renamed = Policy { version: 9, ..policy(1) };
    let from = renamed.effective_from;
    let found = asked(&made, renamed, Some(from));
    check_same(&found);
}

#[test]
fn a_policy_after_the_end_makes_no_difference() {
    let made = made();
    let far = Timestamp::parse("2030-01-01T00:00:00Z");
    check_same(&asked(&made, Policy { rates: [].into(), ..policy(1) }, far));
}

#[test]
fn another_rate_from_a_moment_on_changes_purchases_after_it() {
    let made = made();
    let second = policy(1);
    // A rate may be as large as credits can be.
    let doubled = second.rates.iter();
    let doubled = doubled.map(|(currency, rate)| (*currency, rate.plus(*rate).unwrap_or(*rate)));
    let more = Policy { rates: doubled.collect(), version: 9, ..second.clone() };
    let late = asked(&made, more.clone(), Timestamp::parse("2025-06-01T00:00:00Z"));
    let early = asked(&made, more, Timestamp::parse("2024-02-01T00:00:00Z"));
    let gained = |found: &Differences| {
        let total = found.total;
        total.otherwise.sums.net().minus(total.recorded.sums.net())
    };
    assert!(Sum::ZERO < gained(&late) && gained(&late) < gained(&early));
    assert!(!late.accounts.is_empty() && late.accounts.len() < early.accounts.len());
}

#[test]
fn a_policy_without_measures_freezes_nobody() {
    let made = made();
    let mild = Policy {
        on_dispute: Measures::NONE,
        on_chargeback: Measures::NONE,
        with_open_case: None,
        close_after: None,
        ..policy(0)
    };
    let found = asked(&made, mild, None);
    assert!(found.total.recorded.freezes > 0);
    let held = |status: Status| {
        found.accounts.iter().filter_map(|one| one.standing.otherwise.as_ref()).any(|standing| {
            standing.status == status && standing.open.iter().any(|cause| cause.contains("/"))
        })
    };
    assert!(!held(Status::Frozen));
    let (before, after) = (found.total.recorded, found.total.otherwise);
    assert!(after.freezes < before.freezes, "{before:?} {after:?}");
}

#[test]
fn a_policy_without_refunds_refuses_their_cases() {
    let made = made();
    let found = asked(&made, Policy { refunds: None, ..policy(0) }, None);
    assert!(found.refused.get("open_case").is_some_and(|count| *count > 0), "{:?}", found.refused);
    assert!(!found.cases.is_empty());
    assert!(found.cases.iter().all(|case| case.verdict.otherwise.is_none()));
}

#[test]
fn what_a_policy_writes_off_nobody_owes() {
    let made = made();
    let found = asked(&made, Policy { shortfall: Shortfall::WriteOff, ..policy(0) }, None);
    assert!(found.total.otherwise.sums.owed <= found.total.recorded.sums.owed);
}

#[test]
fn a_policy_in_another_unit_is_refused() {
    let made = made();
    let other = Policy { decimals: 1, ..policy(0) };
    let other = Otherwise { policy: Arc::new(other), effective_from: None };
    let refused = what_if(&*made.log, &made.ledger, &other, |_, _| ());
    assert!(matches!(refused, Err(WhatIfError::Unit { .. })), "{refused:?}");
}
