//! See `tallyhook_tests::fuzz::config`.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| tallyhook_tests::fuzz::config::check(bytes));
