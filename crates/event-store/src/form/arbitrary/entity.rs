//! Any state that views keep.

use std::sync::Arc;

use domain::{
    account::{Account, Aged, Books, View},
    entities::Entity,
    holding::{Holding, Lot, Settlement},
    ids::AccountId,
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
    case::case,
    decision::{closing, freeze, freeze_id, holding_id, house, money_book, pair, terms},
    exception::filed,
    input::settings,
    payment::payment,
    policy::policy,
    usage::{debit, hold},
    values::{credits, currency, digest, id, moment, operation_id, payment_key, sequence},
};

/// One entity of each kind.
pub(crate) fn each_kind() -> BoxedStrategy<Vec<Entity>> {
    let first = (account(), payment(), holding(), hold(), debit());
    (first, case(), id(AccountId::new), filed(), sequence())
        .prop_map(|(first, case, customer, filed, release)| {
            let (account, payment, holding, hold, debit) = first;
            vec![
                Entity::Account(Arc::new(account)),
                Entity::Payment(Arc::new(payment)),
                Entity::Holding(Arc::new(holding)),
                Entity::Hold(Arc::new(hold)),
                Entity::Debit(Arc::new(debit)),
                Entity::Case(Arc::new(case)),
                Entity::Customer(Arc::new(customer)),
                Entity::Exception(Arc::new(filed)),
                Entity::Release(Arc::new(release)),
            ]
        })
        .boxed()
}

fn books() -> BoxedStrategy<Books> {
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

fn account() -> BoxedStrategy<Account> {
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

fn holding() -> BoxedStrategy<Holding> {
    let settlement =
        (holding_id(), credits()).prop_map(|(giver, amount)| Settlement { giver, amount });
    let rest = (vec(settlement, 0..4), any::<u16>(), credits());
    (terms(), lot(), lot(), (pair(), pair(), pair()), rest)
        .prop_map(|(terms, paid, gift, taken, (settlements, freezes, forgiven))| {
            let (refunded, charged_back, awaited) = taken;
            Holding {
                terms,
                paid,
                gift,
                refunded,
                charged_back,
                awaited,
                settlements,
                freezes,
                forgiven,
            }
        })
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
    let listed = (
        btree_map(any::<u32>(), sequence(), 0..3),
        btree_map((moment(), operation_id()), id(AccountId::new), 0..4),
    );
    (rules, place, balances, listed)
        .prop_map(|(rules, place, balances, (activations, holds))| {
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
                activations,
                holds: holds.into_iter().collect(),
            }
        })
        .boxed()
}
