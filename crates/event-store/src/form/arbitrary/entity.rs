//! Any state that views keep.

use std::sync::Arc;

use domain::{
    account::{Account, Aged, Books, View},
    holding::{Holding, Lot, Settlement},
    ids::{AccountId, AdjustmentId, CustomerId},
    payment::{Paid, Payment},
    policy::Timeline,
    state::Book,
};
use imbl::OrdSet;
use proptest::{
    collection::{btree_map, vec},
    option,
    prelude::*,
};

use super::{
    decision::{
        closing, exception_id, exception_kind, freeze, freeze_id, holding_id, house, money_book,
        pair, terms,
    },
    input::{adjustment, basket, policy, settings},
    values::{credits, currency, digest, id, minor, moment, payment_key, sequence},
};

pub(crate) fn books() -> BoxedStrategy<Books> {
    (credits(), credits(), credits(), credits(), credits())
        .prop_map(|(paid, gift, held, owed, written_off)| Books {
            paid,
            gift,
            held,
            owed,
            written_off,
        })
        .boxed()
}

pub(crate) fn view() -> BoxedStrategy<View> {
    let freezes = btree_map(freeze_id(), freeze(), 0..3);
    let closed = option::of(closing());
    (books(), freezes, closed, any::<u64>(), option::of(sequence()))
        .prop_map(|(books, freezes, closed, version, sequence)| View {
            books,
            freezes,
            closed,
            version,
            sequence,
        })
        .boxed()
}

pub(crate) fn account() -> BoxedStrategy<Account> {
    let aged = || {
        let one = (moment(), holding_id()).prop_map(|(since, holding)| Aged { since, holding });
        vec(one, 0..6).prop_map(OrdSet::from_iter)
    };
    let chargebacks = btree_map(payment_key(), moment(), 0..3);
    (view(), books(), aged(), aged(), aged(), chargebacks)
        .prop_map(|(view, lots, free_paid, free_gift, lacking, chargebacks)| Account {
            view,
            lots,
            free_paid,
            free_gift,
            lacking,
            chargebacks,
        })
        .boxed()
}

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
    (whose, facts, posted, exceptions)
        .prop_map(|(whose, facts, posted, exceptions)| {
            let (account, customer, currency) = whose;
            let (paid, unpaid_at, adjustments) = facts;
            let (accounts_differ, currencies_differ, received, reversed) = posted;
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
            }
        })
        .boxed()
}

fn lot() -> impl Strategy<Value = Lot> {
    (credits(), credits(), credits(), credits(), credits()).prop_map(
        |(granted, received, drawn, reserved, given)| Lot {
            granted,
            received,
            drawn,
            reserved,
            given,
        },
    )
}

pub(crate) fn holding() -> BoxedStrategy<Holding> {
    let settlement =
        (holding_id(), credits()).prop_map(|(giver, amount)| Settlement { giver, amount });
    let rest = (vec(settlement, 0..4), any::<u16>());
    (terms(), lot(), lot(), (pair(), pair(), pair()), rest)
        .prop_map(
            |(terms, paid, gift, (refunded, charged_back, awaited), (settlements, freezes))| {
                Holding { terms, paid, gift, refunded, charged_back, awaited, settlements, freezes }
            },
        )
        .boxed()
}

pub(crate) fn book() -> BoxedStrategy<Book> {
    let rules = (vec(policy(), 0..3), option::of(digest()), option::of(settings()));
    let place = (option::of(sequence()), option::of(moment()));
    let balances = (
        btree_map(house(), any::<i128>(), 0..5),
        any::<i128>(),
        btree_map((money_book(), currency()), any::<i128>(), 0..5),
    );
    (rules, place, balances)
        .prop_map(|(rules, place, balances)| {
            let (versions, policy_file, settings) = rules;
            let (sequence, recorded_at) = place;
            let (house, customers, money) = balances;
            Book {
                timeline: Timeline::restore(versions.into_iter().map(Arc::new).collect()),
                policy_file,
                settings,
                sequence,
                recorded_at,
                house,
                customers,
                money,
            }
        })
        .boxed()
}
