//! See `tallyhook_tests::fuzz::stored`.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| tallyhook_tests::fuzz::stored::check(bytes));
