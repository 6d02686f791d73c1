//! Any id, amount and moment.

use std::sync::Arc;

use domain::{
    credits::{CREDITS_MAX, Credits},
    ids::{CustomerKey, Digest, EventKey, OperationId, Origin, PaymentKey, Sequence},
    money::{Currency, MINOR_MAX, Minor},
    time::Timestamp,
};
use proptest::{collection::vec, prelude::*};

/// A text id of any kind, made by its constructor.
pub(crate) fn id<T: Clone + std::fmt::Debug, E: std::fmt::Debug>(
    new: fn(&str) -> Result<T, E>,
) -> impl Strategy<Value = T> {
    // Letters of one to four bytes, and a length that needs two bytes.
    let letters =
        vec(prop::sample::select(vec!['a', 'Z', '0', '_', '.', ' ', 'é', '日', '🪙']), 1..12);
    let text = prop_oneof![
        9 => letters.prop_map(String::from_iter),
        1 => Just("x".repeat(128)),
    ];
    text.prop_map(move |text| new(&text).unwrap())
}

pub(crate) fn origin() -> impl Strategy<Value = Origin> {
    "[a-z0-9_-]{1,12}".prop_map(|text| Origin::new(&text).unwrap())
}

pub(crate) fn payment_key() -> impl Strategy<Value = PaymentKey> {
    (origin(), id(domain::ids::PaymentId::new)).prop_map(|(origin, id)| PaymentKey { origin, id })
}

pub(crate) fn customer_key() -> impl Strategy<Value = CustomerKey> {
    (origin(), id(domain::ids::CustomerId::new)).prop_map(|(origin, id)| CustomerKey { origin, id })
}

pub(crate) fn event_key() -> impl Strategy<Value = EventKey> {
    prop_oneof![
        (origin(), id(domain::ids::EventId::new))
            .prop_map(|(origin, id)| EventKey::Event { origin, id }),
        (origin(), digest()).prop_map(|(origin, digest)| EventKey::Body { origin, digest }),
    ]
}

pub(crate) fn digest() -> impl Strategy<Value = Digest> {
    any::<[u8; 32]>().prop_map(Digest)
}

pub(crate) fn operation_id() -> impl Strategy<Value = OperationId> {
    any::<[u8; 16]>().prop_map(|bytes| OperationId(uuid::Uuid::from_bytes(bytes)))
}

pub(crate) fn sequence() -> impl Strategy<Value = Sequence> {
    prop_oneof![1..300_u64, 1..=u64::MAX].prop_map(|number| Sequence::new(number).unwrap())
}

/// A moment of the years 0001 to 9999.
pub(crate) fn moment() -> impl Strategy<Value = Timestamp> {
    let micros = -62_135_596_800_000_000..=253_402_207_200_000_000_i64;
    micros.prop_map(|micros| Timestamp::from_micros(micros).unwrap())
}

pub(crate) fn currency() -> impl Strategy<Value = Currency> {
    let codes = vec!["USD", "CNY", "JPY", "EUR", "KRW"];
    prop::sample::select(codes).prop_map(|code| Currency::new(code).unwrap())
}

pub(crate) fn minor() -> impl Strategy<Value = Minor> {
    prop_oneof![-100_000..100_000_i64, -MINOR_MAX..=MINOR_MAX]
        .prop_map(|minor| Minor::new(minor).unwrap())
}

/// Credits with one to nine decimals, with either sign.
pub(crate) fn credits() -> impl Strategy<Value = Credits> {
    let most = i128::from(CREDITS_MAX) * 1_000_000_000;
    prop_oneof![
        Just(0),
        (-1000..1000_i128).prop_map(|whole| whole * 1_000_000_000),
        -most..=most,
        Just(most),
        Just(-most),
    ]
    .prop_map(|billionths| Credits::from_billionths(billionths).unwrap())
}

/// Text that no id limits: it can be empty and long.
pub(crate) fn text() -> impl Strategy<Value = Arc<str>> {
    prop_oneof![9 => ".{0,20}", 1 => Just("é".repeat(300))].prop_map(Arc::from)
}

pub(crate) fn short_text() -> impl Strategy<Value = domain::ids::Text> {
    id(domain::ids::Text::new)
}
