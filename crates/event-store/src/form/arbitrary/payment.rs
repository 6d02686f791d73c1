//! Any payment.

use domain::{
    ids::{AccountId, AdjustmentId, CustomerId},
    payment::{Opening, Paid, Payment, Ruled, Ruling},
};
use proptest::{
    collection::{btree_map, btree_set, vec},
    option,
    prelude::*,
};

use super::{
    case::claim,
    decision::{dispute_cause, pair},
    exception::{exception_id, exception_kind},
    input::{adjustment, basket},
    order::{clearable, conclusion},
    values::{currency, id, minor, moment, operation_id},
};

pub(crate) fn payment() -> BoxedStrategy<Payment> {
    let paid = (moment(), moment(), any::<bool>(), basket()).prop_map(
        |(earliest_at, latest_at, completed, basket)| Paid {
            earliest_at,
            latest_at,
            completed,
            basket,
        },
    );
    let whose =
        (option::of(id(AccountId::new)), option::of(id(CustomerId::new)), option::of(currency()));
    let facts = (
        option::of(paid),
        option::of(moment()),
        btree_map(id(AdjustmentId::new), adjustment(), 0..3),
    );
    let posted = (any::<bool>(), any::<bool>(), minor(), minor());
    let exceptions = btree_map(exception_kind(), exception_id(), 0..4);
    let beside =
        (option::of(opening()), btree_map(operation_id(), claim(), 0..3), vec(ruling(), 0..3));
    (whose, facts, posted, exceptions, beside)
        .prop_map(|(whose, facts, posted, exceptions, beside)| {
            let (account, customer, currency) = whose;
            let (paid, unpaid_at, adjustments) = facts;
            let (accounts_differ, currencies_differ, received, reversed) = posted;
            let (opening, claims, rulings) = beside;
            Payment {
                account,
                customer,
                currency,
                paid,
                unpaid_at,
                adjustments,
                accounts_differ,
                currencies_differ,
                received,
                reversed,
                exceptions,
                opening,
                claims,
                rulings,
            }
        })
        .boxed()
}

pub(crate) fn opening() -> impl Strategy<Value = Opening> {
    (pair(), pair()).prop_map(|(granted, used)| Opening { granted, used })
}

pub(crate) fn ruling() -> BoxedStrategy<Ruling> {
    (dispute_cause(), ruled(), btree_set(id(AdjustmentId::new), 0..3))
        .prop_map(|(cause, what, filings)| Ruling { cause, what, filings })
        .boxed()
}

pub(crate) fn ruled() -> impl Strategy<Value = Ruled> {
    prop_oneof![conclusion().prop_map(Ruled::Concluded), clearable().prop_map(Ruled::Cleared),]
}
