//! The signatures of Paddle's official SDKs, and every way to be refused (PROVIDERS.md section 1).

use super::fixtures::folder;
use super::*;

const SECRET: &str = "VALID_SECRET";
const BODY: &[u8] = br#"{"data": ["1", "2"]}"#;
const HEADER: &str =
    "ts=1698796800;h1=a300428748dce5c70e4da19bffd60769591ea969c99dea3105d0ec9612cf43f9";

/// Verifies with these secrets and gives the place of the one that fits.
fn verdict(secrets: &[&str], header: &str, body: &[u8]) -> Result<usize, SignatureFault> {
    let secrets: Vec<_> = secrets.iter().map(|text| Secret::new(text).unwrap()).collect();
    let now = Timestamp::from_seconds(1_698_796_800).unwrap();
    let fingerprints: Vec<_> = secrets.iter().map(Secret::fingerprint).collect();
    let source = source(secrets);
    let verified = check(&source, header, body, now)?;
    assert_eq!(&*verified.signature().header, header);
    assert_eq!(verified.body(), body);
    let place = fingerprints.iter().position(|one| *one == verified.signature().secret);
    Ok(place.expect("the evidence names an active secret"))
}

#[test]
fn official_signatures_are_accepted() {
    let twice = "ts=1698796800;h1=28981e941fae76e53db32f3d2a83cb69db41476595e84e1970a1b5d98f62b261;h1=28981e941fae76e53db32f3d2a83cb69db41476595e84e1970a1b5d98f62b261;h2=RANDOM_HASH";
    assert_eq!(verdict(&[SECRET], HEADER, BODY), Ok(0));
    assert_eq!(verdict(&[SECRET], twice, br#"{"data": "value"}"#), Ok(0));
}

#[test]
fn while_secrets_rotate_any_signature_may_fit_any_secret() {
    let rotated = [
        "pdl_ntf_01hbpjmytsa32fhr36nqgc3kgb_TjIG2BXbm83HPXqNfziwe506sBEdqL/4",
        "pdl_ntf_01hbpjmytsa32fhr36nqgc3kgb_vB/yIOnTOCWIvpBadM5jzBZPHc7OmdSo",
        "pdl_ntf_01hbpjmytsa32fhr36nqgc3kgb_WvRO0eL4Bj9rgYYIBZY6wZhG4EHy9jzh",
    ];
    let header = "ts=1696195954;h1=dummy;h1=d96299976a6eb066f484d7fde011ac56fc32b38fc9940bc419d6e537fdc6ef02";
    assert_eq!(verdict(&rotated, header, b"hello-world"), Ok(2));
    assert_eq!(verdict(&rotated[..2], header, b"hello-world"), Err(SignatureFault::Mismatch));
}

#[test]
fn official_signatures_of_whole_payloads_are_accepted() {
    let secret = "pdl_ntfset_01hs0t3tw21j988db1pam5xg8m_GrOWLNef+vmtjJYq4mSnHNzvc8uWoJ1I";
    for (file, header) in [
        (
            "standard_payload.json",
            "ts=1710498758;h1=558bf93944dbeb4790c7a8af6cb2ea435c8ca9c8396aafc1a4e37424ac132744",
        ),
        (
            "special_chars_payload.json",
            "ts=1710498288;h1=38219b3ba1578184e625c29d201a27cd25bd69e2ec9c3ab87dcb90d87ff73a41",
        ),
    ] {
        let Some(folder) = folder() else { return };
        let body = std::fs::read(folder.join("paddle-python-sdk/Unit/Notification").join(file));
        let body = body.unwrap();
        assert_eq!(verdict(&[secret], header, body.trim_ascii_end()), Ok(0), "{file}");
    }
}

#[test]
fn the_official_signature_of_a_minified_payload_is_accepted() {
    let secret = "pdl_ntfset_01hsdn8d43dt7mezr1ef2jtbaw_hKkRiCGyyRhbFwIUuqiTBgI7gnWoV0Gr";
    let header =
        "ts=1710929255;h1=6c05ef8fa83c44d751be6d259ec955ce5638e2c54095bf128e408e2fce1589c8";
    let Some(folder) = folder() else { return };
    let text = std::fs::read_to_string(folder.join("paddle-go-sdk/testdata/price_created.json"));
    // No string in this file has white space at the border of a line or a colon and a blank.
    let lines: String = text.unwrap().lines().map(str::trim).collect();
    let body = lines.replace("\": ", "\":");
    assert_eq!(verdict(&[secret], header, body.as_bytes()), Ok(0));
}

#[test]
fn what_was_not_signed_is_refused() {
    for (secret, header, body) in [
        ("INVALID_VALID_SECRET", HEADER, BODY),
        (SECRET, &*HEADER.replace("1698796800", "9876"), BODY),
        (SECRET, HEADER, br#"{ "data": [ "1", "2" ]}"#),
        (SECRET, HEADER, b""),
        (SECRET, &*HEADER.replace("1698796800", "01698796800"), BODY),
        (SECRET, "ts=1234;h1=invalid_signature", BODY),
        (SECRET, &HEADER[..HEADER.len() - 1], BODY),
        (SECRET, &*format!("{HEADER}0"), BODY),
        (SECRET, "ts=1698796800;h1=", BODY),
    ] {
        assert_eq!(verdict(&[secret], header, body), Err(SignatureFault::Mismatch), "{header}");
    }
    assert_eq!(verdict(&[], HEADER, BODY), Err(SignatureFault::Mismatch));
}

#[test]
fn headers_that_say_nothing_clear_are_refused() {
    let h1 = "h1=a300428748dce5c70e4da19bffd60769591ea969c99dea3105d0ec9612cf43f9";
    for (header, fault) in [
        ("".to_owned(), SignatureFault::TimeMissing),
        ("invalid_header".to_owned(), SignatureFault::TimeMissing),
        ("h1=invalid_header".to_owned(), SignatureFault::TimeMissing),
        ("ts=1234;h2=invalid_header".to_owned(), SignatureFault::SignatureMissing),
        (format!("TS=1698796800;{h1}"), SignatureFault::TimeMissing),
        (format!("ts=1698796800;{h1};ts=1698796800"), SignatureFault::TimeRepeated),
        (format!("ts=;{h1}"), SignatureFault::TimeInvalid),
        (format!("ts= 1698796800;{h1}"), SignatureFault::TimeInvalid),
        (format!("ts=-1698796800;{h1}"), SignatureFault::TimeInvalid),
        (format!("ts=+1698796800;{h1}"), SignatureFault::TimeInvalid),
        (format!("ts=1698796800.0;{h1}"), SignatureFault::TimeInvalid),
        (format!("ts=253402300800;{h1}"), SignatureFault::TimeInvalid),
        (format!("ts=99999999999999999999;{h1}"), SignatureFault::TimeInvalid),
        (format!("ts=1698796800{}", ";h1=0".repeat(9)), SignatureFault::TooManySignatures),
        (format!("{HEADER};a={}", "b".repeat(1024)), SignatureFault::HeaderTooLong),
        (format!("{HEADER};a=ü"), SignatureFault::HeaderCharacters),
        (format!("{HEADER};a=\n"), SignatureFault::HeaderCharacters),
    ] {
        assert_eq!(verdict(&[SECRET], &header, BODY), Err(fault), "{header}");
    }
}

#[test]
fn what_is_not_the_signature_may_vary() {
    let digits = &HEADER[17..];
    for header in [
        format!("ts=1698796800; h1={digits}"),
        format!(";;h1={digits}\t;ts=1698796800;"),
        format!("ts=1698796800;h1=={digits};h1={digits}"),
        format!("v=2;ts=1698796800;h1={digits};later;h3=="),
        format!("ts=1698796800;h1={}", digits.to_uppercase()),
        format!("ts=1698796800{};h1={digits}", ";h1=0".repeat(7)),
    ] {
        assert_eq!(verdict(&[SECRET], &header, BODY), Ok(0), "{header}");
    }
}

#[test]
fn the_header_is_there_exactly_once() {
    let source = source(vec![Secret::new(SECRET).unwrap()]);
    let one = ("Paddle-Signature", HEADER.as_bytes());
    let other = ("paddle-signature", HEADER.as_bytes());
    let refused = |headers: &[(&str, &[u8])]| verify(&source, Headers(headers), BODY, now()).err();
    assert_eq!(refused(&[one]), None);
    assert_eq!(refused(&[]), Some(SignatureFault::HeaderMissing));
    assert_eq!(refused(&[one, other]), Some(SignatureFault::HeaderRepeated));
}

#[test]
fn what_we_sign_is_believed() {
    let header = paddle::sign(&Secret::new(SECRET).unwrap(), 1_698_796_800, BODY);
    assert_eq!(header, HEADER);
}
