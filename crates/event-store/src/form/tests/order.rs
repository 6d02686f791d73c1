//! Orders and inputs that got fields keep their first form wherever it says all.

use std::sync::Arc;

use domain::{
    ids::{AccountId, Actor, Digest, Sequence, Text},
    input::{BackFill, Delivery, Evidence, Input, Listing, Order, Signature, Usage},
    policy::{Policy, Returns, UsageRules},
    time::Timestamp,
    usage::Metadata,
};
use proptest::{prelude::*, strategy::ValueTree, test_runner::TestRunner};

use super::{FormFault, arbitrary, take, written};

fn debit(metadata: Metadata) -> Order {
    let account = AccountId::new("a").unwrap();
    let amount = domain::credits::Credits::parse("1", 0).unwrap();
    Order::Debit { account, amount, usage: Usage::Asked, metadata }
}

/// A delivery with this evidence.
fn delivery(evidence: Evidence) -> Box<Delivery> {
    let any = arbitrary::input::delivery().new_tree(&mut TestRunner::deterministic());
    Box::new(Delivery { evidence, ..any.unwrap().current() })
}

fn signed() -> Evidence {
    let header = Arc::from("ts=1;h1=00");
    Evidence::Signed(Signature { header, secret: [1; 4], signed_at: Timestamp::EPOCH })
}

fn back_filled() -> Evidence {
    let actor = Actor::new("operator").unwrap();
    Evidence::BackFilled(BackFill { actor, listing: Listing::Adjustments })
}

fn policy() -> Policy {
    let any = arbitrary::policy::policy().new_tree(&mut TestRunner::deterministic());
    any.unwrap().current()
}

/// An order whose first form says all is written in it, and refused in the newest one.
fn check_first_form(order: &Order, first: u8, newest: u8, newest_form: &[u8]) {
    assert_eq!(written(order)[0], first);
    assert_eq!(take::<Order>(&written(order)).as_ref(), Ok(order));
    assert_eq!(newest_form[0], newest);
    let fault = FormFault::NotCanonical { of: "order", offset: 0 };
    assert_eq!(take::<Order>(newest_form), Err(fault));
}

#[test]
fn a_debit_without_metadata_has_its_first_form_only() {
    let first = written(&debit(Metadata::NONE));
    let newest = [&[7], &first[1..], &[0]].concat();
    check_first_form(&debit(Metadata::NONE), 1, 7, &newest);
    let name = Text::new("model").unwrap();
    let said = Metadata::new([(name, Arc::from("\"m\""))].into()).unwrap();
    assert_eq!(written(&debit(said.clone()))[0], 7);
    assert_eq!(take(&written(&debit(said.clone()))), Ok(debit(said)));
}

#[test]
fn a_policy_without_usage_and_refunds_has_its_first_form_only() {
    let silent = Policy { usage: UsageRules::PLAIN, refunds: None, ..policy() };
    let order = |policy: &Policy| Order::ActivatePolicy {
        policy: Arc::new(policy.clone()),
        file: Digest([9; 32]),
    };
    let newest = [&[27], &written(&silent)[..], &[9; 32]].concat();
    check_first_form(&order(&silent), 5, 27, &newest);
    let usage = UsageRules { returns: Returns::Refuse, ..UsageRules::PLAIN };
    let said = Policy { usage, ..silent };
    assert_eq!(written(&order(&said))[0], 27);
    assert_eq!(take(&written(&order(&said))), Ok(order(&said)));
}

#[test]
fn a_signed_delivery_has_its_first_form_only() {
    let input = Input::Delivery(delivery(signed()));
    assert_eq!((written(&input)[0], take(&written(&input))), (1, Ok(input.clone())));
    let newest = [&[3], &written(&*delivery(signed()))[..]].concat();
    let fault = FormFault::NotCanonical { of: "input", offset: 0 };
    assert_eq!(take::<Input>(&newest), Err(fault));
    let input = Input::Delivery(delivery(back_filled()));
    assert_eq!((written(&input)[0], take(&written(&input))), (3, Ok(input.clone())));
}

#[test]
fn a_release_of_a_signed_delivery_has_its_first_form_only() {
    let order = |evidence| Order::Release {
        record: Sequence::FIRST,
        event: delivery(signed()).event,
        delivery: delivery(evidence),
        reason: Text::new("r").unwrap(),
    };
    let event = written(&delivery(signed()).event);
    let delivered = written(&*delivery(signed()));
    let newest = [&[29, 1], &event[..], &delivered, &[1, b'r']].concat();
    check_first_form(&order(signed()), 24, 29, &newest);
    assert_eq!(written(&order(back_filled()))[0], 29);
    assert_eq!(take(&written(&order(back_filled()))), Ok(order(back_filled())));
}
