//! See `tallyhook_tests::fuzz::frames`.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| tallyhook_tests::fuzz::frames::check(bytes));
