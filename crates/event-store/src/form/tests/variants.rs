//! The numbers of variants: all are tried, none is left out.

use std::collections::BTreeSet;

use domain::{
    account::{DisputeCause, Status},
    calendar::Weekday,
    case::{Charge, ClaimEnd, Decider, Invoice},
    decision::Taking,
    exception::Ending,
    input::{Freshness, Listing, LotKind, Mode, Reality, Stale, UnreadableFault, Usage},
    notice::Extent,
    payment::{Clearable, Conclusion},
    policy::{Balance, Checkout, Returns, Service, Shortfall, Spending, Unlisted, Verification},
    refunds::{Condition, ReasonVerdict, Remedy},
};
use proptest::{prelude::*, strategy::ValueTree, test_runner::TestRunner};

use super::{Form, FormFault, Writer, arbitrary, take};

/// Takes many values and checks that their tags are all that the reader knows: then the tests
/// above have met every variant.
fn check_every_variant<S: Strategy<Value: Form>>(any: &S) {
    let mut runner = TestRunner::deterministic();
    let written: BTreeSet<u8> = (0..1_000)
        .map(|_| {
            let mut to = Writer::new();
            any.new_tree(&mut runner).unwrap().current().put(&mut to);
            to.finish()[0]
        })
        .collect();
    let known = |tag: &u8| {
        let fault = take::<S::Value>(&[*tag]).err();
        !matches!(fault, Some(FormFault::TagUnknown { offset: 0, .. }))
    };
    assert_eq!(written, (0..=u8::MAX).filter(known).collect());
}

#[test]
fn every_variant_is_tried() {
    use arbitrary::{case, decision, exception, input, order, payment, usage, values};

    check_every_variant(&input::input());
    check_every_variant(&values::event_key());
    check_every_variant(&input::evidence());
    check_every_variant(&input::notice());
    check_every_variant(&input::progress());
    check_every_variant(&input::action());
    check_every_variant(&input::status());
    check_every_variant(&order::order());
    check_every_variant(&order::approval());
    check_every_variant(&usage::hold_end());
    check_every_variant(&case::case_status());
    check_every_variant(&case::charge());
    check_every_variant(&payment::ruled());
    check_every_variant(&decision::outcome());
    check_every_variant(&decision::quarantine());
    check_every_variant(&decision::effect());
    check_every_variant(&decision::transfer());
    check_every_variant(&decision::credit_book());
    check_every_variant(&decision::section());
    check_every_variant(&decision::house());
    check_every_variant(&decision::money_book());
    check_every_variant(&decision::holding_id());
    check_every_variant(&decision::freeze_id());
    check_every_variant(&decision::closing());
    check_every_variant(&exception::exception_kind());
}

/// Checks that the variants without fields have the tags from 1 to `last`.
fn check_tags<T: Form>(last: u8) {
    let known = (0..=u8::MAX).filter(|tag| take::<T>(&[*tag]).is_ok());
    assert_eq!(known.collect::<Vec<u8>>(), (1..=last).collect::<Vec<u8>>());
}

#[test]
fn tags_start_at_one_and_have_no_gaps() {
    check_tags::<Freshness>(3);
    check_tags::<Reality>(2);
    check_tags::<Listing>(3);
    check_tags::<UnreadableFault>(4);
    check_tags::<Usage>(2);
    check_tags::<LotKind>(2);
    check_tags::<Mode>(2);
    check_tags::<Stale>(2);
    check_tags::<Extent>(3);
    check_tags::<Taking>(2);
    check_tags::<DisputeCause>(2);
    check_tags::<Unlisted>(2);
    check_tags::<Shortfall>(2);
    check_tags::<Spending>(2);
    check_tags::<Balance>(3);
    check_tags::<Checkout>(2);
    check_tags::<Verification>(2);
    check_tags::<Service>(2);
    check_tags::<Returns>(2);
    check_tags::<Status>(3);
    check_tags::<Ending>(2);
    check_tags::<Invoice>(3);
    check_tags::<Decider>(2);
    check_tags::<ClaimEnd>(2);
    check_tags::<Charge>(7);
    check_tags::<Conclusion>(2);
    check_tags::<Clearable>(2);
    check_tags::<Condition>(3);
    check_tags::<ReasonVerdict>(3);
    check_tags::<Remedy>(2);
    check_tags::<Weekday>(7);
}

/// Checks that variants, which are keys of maps and sets in records, rise with their numbers: their
/// declaration must never take another order, or old records are no longer read.
fn check_rising<T: Form + Ord>(last: u8) {
    let all: Vec<T> = (1..=last).map(|tag| take::<T>(&[tag]).unwrap()).collect();
    assert!(all.is_sorted());
}

#[test]
fn variants_that_are_keys_rise_with_their_numbers() {
    check_rising::<Condition>(3);
    check_rising::<Weekday>(7);
}
