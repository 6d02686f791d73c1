//! What is true of every form: one value, one byte string.

mod golden;
mod limits;
mod order;
mod variants;

use std::fmt::Debug;

use domain::{decision::Effect, ids::Sequence};
use proptest::prelude::*;

use super::{
    Form, FormFault, Reader, Writer, arbitrary,
    entity::{self, Kind},
    record::{decode, encode},
};

/// The kinds in the order of [`arbitrary::entity::each_kind`].
const KINDS: [Kind; 9] = [
    Kind::Account,
    Kind::Payment,
    Kind::Holding,
    Kind::Hold,
    Kind::Debit,
    Kind::Case,
    Kind::Customer,
    Kind::Exception,
    Kind::Release,
];

/// Writes a value, reads it back, and tries every cut of what was written.
fn check<T: Clone + Debug + PartialEq>(
    value: &T,
    encode: impl Fn(&T) -> Vec<u8>,
    decode: impl Fn(&[u8]) -> Result<T, FormFault>,
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
    encode: impl Fn(&T) -> Vec<u8>,
    decode: impl Fn(&[u8]) -> Result<T, FormFault>,
) {
    if let Ok(value) = decode(bytes) {
        assert_eq!(encode(&value), bytes);
    }
}

/// Changes every byte in turn.
fn check_changed<T>(
    value: &T,
    mask: u8,
    encode: impl Fn(&T) -> Vec<u8>,
    decode: impl Fn(&[u8]) -> Result<T, FormFault>,
) {
    let mut bytes = encode(value);
    for offset in 0..bytes.len() {
        bytes[offset] ^= mask;
        check_canonical(&bytes, &encode, &decode);
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
        entities in arbitrary::entity::each_kind(),
        book in arbitrary::entity::book(),
    ) {
        check(&view, entity::encode_view, entity::decode_view);
        for (kind, entity) in KINDS.into_iter().zip(&entities) {
            check(entity, entity::encode, |bytes| entity::decode(kind, bytes));
        }
        check(&book, entity::encode_book, entity::decode_book);
    }

    #[test]
    fn a_changed_byte_is_refused_or_the_form_of_another_value(
        mask in 1..=255_u8,
        record in arbitrary::record(),
        entities in arbitrary::entity::each_kind(),
        book in arbitrary::entity::book(),
    ) {
        check_changed(&record, mask, encode, decode);
        for (kind, entity) in KINDS.into_iter().zip(&entities) {
            check_changed(entity, mask, entity::encode, |bytes| entity::decode(kind, bytes));
        }
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
        version in 0..4_u8,
        tail in prop::collection::vec(any::<u8>(), 0..600),
    ) {
        let bytes = [&[version], &tail[..]].concat();
        check_canonical(&bytes, encode, decode);
        check_canonical(&bytes, entity::encode_view, entity::decode_view);
        for kind in KINDS {
            check_canonical(&bytes, entity::encode, |bytes| entity::decode(kind, bytes));
        }
        check_canonical(&bytes, entity::encode_book, entity::decode_book);
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

/// The bytes of a value of any kind.
fn written(value: &impl Form) -> Vec<u8> {
    let mut to = Writer::new();
    value.put(&mut to);
    to.finish()
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
        assert_eq!(take::<std::collections::BTreeSet<u8>>(&set), Err(fault));
    }
}

#[test]
fn another_version_is_named() {
    let fault = FormFault::VersionUnknown { found: 2, newest: 1 };
    assert_eq!(decode(&[2, 1, 0]), Err(fault));
    assert_eq!(entity::decode_view(&[2]).map(|_| ()), Err(fault));
    assert_eq!(
        fault.to_string(),
        "version 2 of the stored form is not known, the newest known is 1: it was written by a \
         newer program; upgrade"
    );
    let older = FormFault::VersionUnknown { found: 1, newest: 2 };
    assert!(!older.to_string().contains("newer program"));
}
