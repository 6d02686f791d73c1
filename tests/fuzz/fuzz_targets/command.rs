//! See `tallyhook_tests::fuzz::command`.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| tallyhook_tests::fuzz::command::check(bytes));
