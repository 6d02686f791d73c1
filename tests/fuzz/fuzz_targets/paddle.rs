//! See `tallyhook_tests::fuzz::paddle`.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| tallyhook_tests::fuzz::paddle::check(bytes));
