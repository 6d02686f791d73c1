//! Old and future signatures: authentic, and marked.

use domain::input::Freshness;

use super::*;

/// The freshness of a delivery signed at [`NOW`] and received so many microseconds later.
fn later(tolerance_seconds: Option<u32>, micros: i64) -> Freshness {
    let source = Source { tolerance_seconds, future_seconds: 60, ..source(vec![secret()]) };
    let header = paddle::sign(&secret(), NOW, b"{}");
    let received = Timestamp::from_micros(NOW * 1_000_000 + micros).unwrap();
    let verified = check(&source, &header, b"{}", received).unwrap();
    assert_eq!(verified.signature().signed_at, now());
    verified.freshness()
}

#[test]
fn a_delivery_is_fresh_up_to_and_with_its_limits() {
    for (micros, freshness) in [
        (0, Freshness::Fresh),
        (300_000_000, Freshness::Fresh),
        (300_000_001, Freshness::Old),
        (-60_000_000, Freshness::Fresh),
        (-60_000_001, Freshness::Future),
    ] {
        assert_eq!(later(Some(300), micros), freshness, "{micros}");
    }
}

#[test]
fn without_tolerance_nothing_is_old_but_the_future_is_still_refused() {
    assert_eq!(later(None, 400_000_000_000_000), Freshness::Fresh);
    assert_eq!(later(None, -60_000_001), Freshness::Future);
}

#[test]
fn a_tolerance_of_nothing_is_a_limit_too() {
    assert_eq!(later(Some(0), 0), Freshness::Fresh);
    assert_eq!(later(Some(0), 1), Freshness::Old);
}
