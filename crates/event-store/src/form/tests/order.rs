//! Orders that got fields keep their first form wherever it says all.

use std::sync::Arc;

use domain::{
    ids::{AccountId, Digest, Text},
    input::{Order, Usage},
    policy::{Policy, Returns, UsageRules},
    usage::Metadata,
};
use proptest::{prelude::*, strategy::ValueTree, test_runner::TestRunner};

use super::{FormFault, arbitrary, take, written};

fn debit(metadata: Metadata) -> Order {
    let account = AccountId::new("a").unwrap();
    let amount = domain::credits::Credits::parse("1", 0).unwrap();
    Order::Debit { account, amount, usage: Usage::Asked, metadata }
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
