//! See `tallyhook_tests::fuzz::policy`.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| tallyhook_tests::fuzz::policy::check(bytes));
