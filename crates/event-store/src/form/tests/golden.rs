//! The golden files: what an earlier program left on somebody's disk.

use domain::record::Record;

use super::{arbitrary::fixed, decode, encode};

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
    let text = include_str!("../../../tests/golden/record-1-delivery.hex");
    check_golden(&fixed::delivery_record(), text);
}

#[test]
fn the_golden_back_filled_delivery_is_read_and_written_byte_for_byte() {
    let text = include_str!("../../../tests/golden/record-1-back-filled.hex");
    check_golden(&fixed::back_filled_record(), text);
}

#[test]
fn the_golden_command_is_read_and_written_byte_for_byte() {
    let text = include_str!("../../../tests/golden/record-1-command.hex");
    check_golden(&fixed::command_record(), text);
}

#[test]
fn the_golden_debit_with_metadata_is_read_and_written_byte_for_byte() {
    let text = include_str!("../../../tests/golden/record-1-debit-metadata.hex");
    check_golden(&fixed::usage::metadata_record(), text);
}

#[test]
fn the_golden_opened_case_is_read_and_written_byte_for_byte() {
    let text = include_str!("../../../tests/golden/record-1-case.hex");
    check_golden(&fixed::case::case_record(), text);
}

#[test]
fn the_golden_policy_with_refunds_is_read_and_written_byte_for_byte() {
    let text = include_str!("../../../tests/golden/record-1-policy-refunds.hex");
    check_golden(&fixed::policy::policy_record(), text);
}

#[test]
fn the_golden_erasure_is_read_and_written_byte_for_byte() {
    let text = include_str!("../../../tests/golden/record-1-erase.hex");
    check_golden(&fixed::erasure_record(), text);
}
