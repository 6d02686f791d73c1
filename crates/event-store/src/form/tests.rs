//! What is true of every form: one value, one byte string.

use std::{collections::BTreeSet, fmt::Debug};

use domain::{
    account::DisputeCause,
    decision::{Effect, Taking},
    ids::Sequence,
    input::{Freshness, LotKind, Mode, Reality, Stale, UnreadableFault, Usage},
    notice::Extent,
    policy::{Balance, Checkout, Service, Shortfall, Spending, Unlisted, Verification},
    record::Record,
};
use proptest::{prelude::*, strategy::ValueTree, test_runner::TestRunner};

use super::{
    Form, FormFault, Reader, Writer, arbitrary, entity,
    record::{decode, encode},
};

/// Writes a value, reads it back, and tries every cut of what was written.
fn check<T: Clone + Debug + PartialEq>(
    value: &T,
    encode: fn(&T) -> Vec<u8>,
    decode: fn(&[u8]) -> Result<T, FormFault>,
) {
    let bytes = encode(value);
    assert_eq!(decode(&bytes).as_ref(), Ok(value));
    for end in 0..bytes.len() {
        assert_eq!(decode(&bytes[..end]), Err(FormFault::EndedEarly { offset: end }));
    }
    let longer = [&bytes[..], &[0]].concat();
    let trailing = FormFault::Trailing { offset: bytes.len(), count: 1 };
    assert_eq!(decode(&longer), Err(trailing));
}

/// Reads bytes that may be anything: what is accepted must be the one form of its value.
fn check_canonical<T>(
    bytes: &[u8],
    encode: fn(&T) -> Vec<u8>,
    decode: fn(&[u8]) -> Result<T, FormFault>,
) {
    if let Ok(value) = decode(bytes) {
        assert_eq!(encode(&value), bytes);
    }
}

/// Changes every byte in turn.
fn check_changed<T>(
    value: &T,
    mask: u8,
    encode: fn(&T) -> Vec<u8>,
    decode: fn(&[u8]) -> Result<T, FormFault>,
) {
    let mut bytes = encode(value);
    for offset in 0..bytes.len() {
        bytes[offset] ^= mask;
        check_canonical(&bytes, encode, decode);
        bytes[offset] ^= mask;
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(128))]

    #[test]
    fn records_read_back_and_no_cut_is_one(record in arbitrary::record()) {
        check(&record, encode, decode);
    }

    #[test]
    fn entities_read_back_and_no_cut_is_one(
        view in arbitrary::entity::view(),
        account in arbitrary::entity::account(),
        payment in arbitrary::entity::payment(),
        holding in arbitrary::entity::holding(),
        book in arbitrary::entity::book(),
        exception in arbitrary::decision::exception(),
    ) {
        check(&view, entity::encode_view, entity::decode_view);
        check(&account, entity::encode_account, entity::decode_account);
        check(&payment, entity::encode_payment, entity::decode_payment);
        check(&holding, entity::encode_holding, entity::decode_holding);
        check(&book, entity::encode_book, entity::decode_book);
        check(&exception, entity::encode_exception, entity::decode_exception);
    }

    #[test]
    fn a_changed_byte_is_refused_or_the_form_of_another_value(
        mask in 1..=255_u8,
        record in arbitrary::record(),
        account in arbitrary::entity::account(),
        payment in arbitrary::entity::payment(),
        holding in arbitrary::entity::holding(),
        book in arbitrary::entity::book(),
    ) {
        check_changed(&record, mask, encode, decode);
        check_changed(&account, mask, entity::encode_account, entity::decode_account);
        check_changed(&payment, mask, entity::encode_payment, entity::decode_payment);
        check_changed(&holding, mask, entity::encode_holding, entity::decode_holding);
        check_changed(&book, mask, entity::encode_book, entity::decode_book);
    }

    #[test]
    fn two_records_spliced_are_refused_or_the_form_of_another(
        one in arbitrary::record(),
        other in arbitrary::record(),
        cut in any::<prop::sample::Index>(),
    ) {
        let (head, tail) = (encode(&one), encode(&other));
        let offset = cut.index(head.len().min(tail.len()));
        check_canonical(&[&head[..offset], &tail[offset..]].concat(), encode, decode);
    }

    #[test]
    fn any_bytes_are_refused_or_the_form_of_a_value(
        version in 0..3_u8,
        tail in prop::collection::vec(any::<u8>(), 0..600),
    ) {
        let bytes = [&[version], &tail[..]].concat();
        check_canonical(&bytes, encode, decode);
        check_canonical(&bytes, entity::encode_view, entity::decode_view);
        check_canonical(&bytes, entity::encode_account, entity::decode_account);
        check_canonical(&bytes, entity::encode_payment, entity::decode_payment);
        check_canonical(&bytes, entity::encode_holding, entity::decode_holding);
        check_canonical(&bytes, entity::encode_book, entity::decode_book);
        check_canonical(&bytes, entity::encode_exception, entity::decode_exception);
    }

    #[test]
    fn numbers_have_one_form(number in any::<i128>(), whole in any::<u64>()) {
        let mut to = Writer::new();
        (number, whole).put(&mut to);
        let bytes = to.finish();
        let mut from = Reader::new(&bytes);
        prop_assert_eq!(<(i128, u64)>::take(&mut from), Ok((number, whole)));
        prop_assert_eq!(from.finish(), Ok(()));
    }
}

/// Reads one value of a kind that is all there is.
fn take<T: Form>(bytes: &[u8]) -> Result<T, FormFault> {
    let mut from = Reader::new(bytes);
    let value = T::take(&mut from)?;
    from.finish().map(|()| value)
}

#[test]
fn numbers_are_as_short_as_they_can_be_and_fit() {
    let most = [&[0xff; 9][..], &[0x01]].concat();
    assert_eq!(take::<u64>(&most), Ok(u64::MAX));
    let beyond = [&[0xff; 9][..], &[0x02]].concat();
    assert_eq!(take::<u64>(&beyond), Err(FormFault::OutOfRange { of: "number", offset: 0 }));
    let widest = [&[0xff; 18][..], &[0x03]].concat();
    assert_eq!(take::<i128>(&widest), Ok(i128::MIN));
    for bytes in [[&[0xff; 18][..], &[0x04]].concat(), vec![0xff; 40]] {
        let fault = FormFault::OutOfRange { of: "number", offset: 0 };
        assert_eq!(take::<i128>(&bytes), Err(fault));
    }
    assert_eq!(take::<u32>(&[0xac, 0x02]), Ok(300));
    for padded in [&[0x80, 0x00][..], &[0xac, 0x82, 0x00]] {
        let fault = FormFault::NotCanonical { of: "number", offset: 0 };
        assert_eq!(take::<u64>(padded), Err(fault));
        assert_eq!(take::<i128>(padded), Err(fault));
    }
    let beyond = [0x80, 0x80, 0x04];
    assert_eq!(take::<u16>(&beyond), Err(FormFault::OutOfRange { of: "number", offset: 0 }));
    let zero = FormFault::OutOfRange { of: "sequence", offset: 0 };
    assert_eq!(take::<Sequence>(&[0]), Err(zero));
}

#[test]
fn a_false_count_is_refused_before_anything_is_allocated() {
    let count = [0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x7f];
    let fault = FormFault::EndedEarly { offset: count.len() };
    assert_eq!(take::<Vec<Effect>>(&count), Err(fault));
    assert_eq!(take::<std::sync::Arc<str>>(&count), Err(fault));
}

#[test]
fn maps_rise_strictly() {
    type Map = std::collections::BTreeMap<u8, bool>;
    assert_eq!(take::<Map>(&[2, 1, 0, 2, 1]), Ok(Map::from([(1, false), (2, true)])));
    for bytes in [[2, 2, 1, 1, 0], [2, 1, 0, 1, 0]] {
        assert_eq!(take::<Map>(&bytes), Err(FormFault::NotCanonical { of: "map", offset: 3 }));
        let set = [bytes[0], bytes[1], bytes[3]];
        let fault = FormFault::NotCanonical { of: "set", offset: 2 };
        assert_eq!(take::<imbl::OrdSet<u8>>(&set), Err(fault));
    }
}

#[test]
fn another_version_is_named() {
    let fault = FormFault::VersionUnknown { found: 2, newest: 1 };
    assert_eq!(decode(&[2, 1, 0]), Err(fault));
    assert_eq!(entity::decode_view(&[2]).map(|_| ()), Err(fault));
    assert_eq!(
        fault.to_string(),
        "version 2 of the stored form is not known, the newest known is 1"
    );
}

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
    use arbitrary::{decision, input, values};

    check_every_variant(&input::input());
    check_every_variant(&values::event_key());
    check_every_variant(&input::notice());
    check_every_variant(&input::progress());
    check_every_variant(&input::action());
    check_every_variant(&input::status());
    check_every_variant(&input::order());
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
    check_every_variant(&decision::exception_kind());
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
}

/// The bytes of a golden file: hex, with comments behind `#`.
///
/// Golden files are what an earlier program left on somebody's disk. They are never regenerated:
/// when a test fails on one, the program is wrong. A new version of the form brings new files.
fn golden(text: &str) -> Vec<u8> {
    let digits = text.lines().filter_map(|line| line.split('#').next());
    hex::decode(digits.flat_map(str::split_whitespace).collect::<String>()).unwrap()
}

/// Compares a record with its golden file, both ways.
fn check_golden(record: &Record, text: &str) {
    let bytes = golden(text);
    assert_eq!(hex::encode(encode(record)), hex::encode(&bytes));
    assert_eq!(decode(&bytes).as_ref(), Ok(record));
}

#[test]
fn the_golden_delivery_is_read_and_written_byte_for_byte() {
    let text = include_str!("../../tests/golden/record-1-delivery.hex");
    check_golden(&arbitrary::fixed::delivery_record(), text);
}

#[test]
fn the_golden_command_is_read_and_written_byte_for_byte() {
    let text = include_str!("../../tests/golden/record-1-command.hex");
    check_golden(&arbitrary::fixed::command_record(), text);
}
