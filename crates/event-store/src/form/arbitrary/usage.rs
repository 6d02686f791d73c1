//! Any debit, hold and metadata.

use domain::{
    account::Status,
    ids::{AccountId, Text},
    usage::{Debit, Hold, HoldEnd, METADATA_ENTRIES_MAX, Metadata, Part},
};
use proptest::{
    collection::{btree_map, vec},
    option,
    prelude::*,
    sample::select,
};

use super::{
    decision::lot_id,
    values::{credits, id, moment, operation_id, short_text, text},
};

/// Often none, as debits then have their first form.
pub(crate) fn metadata() -> BoxedStrategy<Metadata> {
    prop_oneof![
        2 => Just(Metadata::NONE),
        3 => btree_map(short_text(), text(), 1..4).prop_map(|said| Metadata::new(said).unwrap()),
        1 => vec(text(), METADATA_ENTRIES_MAX).prop_map(|values| {
            let named = |(place, value)| (Text::new(&format!("name {place}")).unwrap(), value);
            Metadata::new(values.into_iter().enumerate().map(named).collect()).unwrap()
        }),
    ]
    .boxed()
}

fn part() -> impl Strategy<Value = Part> {
    (lot_id(), credits()).prop_map(|(lot, amount)| Part { lot, amount })
}

pub(crate) fn debit() -> BoxedStrategy<Debit> {
    let standing = select(vec![Status::Active, Status::Frozen, Status::Closed]);
    (id(AccountId::new), credits(), vec(part(), 0..4), standing, option::of(credits()))
        .prop_map(|(account, amount, drawn, standing, returned)| Debit {
            account,
            amount,
            drawn,
            standing,
            returned,
        })
        .boxed()
}

pub(crate) fn hold() -> BoxedStrategy<Hold> {
    (id(AccountId::new), credits(), vec(part(), 0..4), moment(), option::of(hold_end()))
        .prop_map(|(account, amount, reserved, expires_at, ended)| Hold {
            account,
            amount,
            reserved,
            expires_at,
            ended,
        })
        .boxed()
}

pub(crate) fn hold_end() -> impl Strategy<Value = HoldEnd> {
    prop_oneof![
        (operation_id(), credits()).prop_map(|(debit, amount)| HoldEnd::Captured { debit, amount }),
        Just(HoldEnd::Released),
        Just(HoldEnd::Expired),
    ]
}
