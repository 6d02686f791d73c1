//! `Paddle-Signature`: a delivery is believed exactly when somebody with a secret signed it.
//!
//! An input is written as a request is: lines of `name:value`, an empty line, the body. A fuzzer
//! can't guess a signature, so in a value these stand for one over the header's own `ts` and the
//! body: `$a` and `$b` by the two active secrets, `$A` as `$a` in upper case, `$w` by a secret that
//! is not active, `$o` over another body, `$z` over the `ts` without leading zeros, `$f` with one
//! bit flipped.
//!
//! What is expected is found out by a second reading of the header, with HMAC as RFC 2104 has it.

use domain::{input::Freshness, time::Timestamp};
use ingestion::{
    paddle,
    secret::Secret,
    source::{Provider, Source},
    verify::{Headers, VerifiedDelivery, verify},
};
use sha2::{Digest as _, Sha256};

use super::{SIGNED_AT, source};

/// Both are active, as during a rotation.
const SECRETS: [&str; 2] = [
    "pdl_ntfset_first_active",
    "pdl_ntfset_second_active_that_is_longer_than_a_block_of_sha256_has_bytes",
];
const INACTIVE: &str = "pdl_ntfset_inactive";
/// The last second of the years that times have.
const LATEST: i128 = 253_402_207_200;
const TOLERANCE: u32 = 300;
const FUTURE: u32 = 60;

/// Checks one input.
///
/// # Panics
/// A delivery is believed that nobody signed, or not believed though it was signed.
pub fn check(input: &[u8]) {
    let (lines, body) = divided(input);
    let headers: Vec<(String, Vec<u8>)> = lines.iter().map(|line| filled_in(line, body)).collect();
    compare(&headers, body);
    for at in times(&headers) {
        let header = paddle::sign(&secret(0), at, body);
        let signed = |value: String| vec![(paddle::HEADER.to_owned(), value.into_bytes())];
        compare(&signed(header.clone()), body);
        compare(
            &signed(header.to_ascii_uppercase().replace("TS=", "ts=").replace("H1=", "h1=")),
            body,
        );
        let mut longer = body.to_vec();
        longer.push(b' ');
        let of_another_body = signed(header);
        assert!(expected(&of_another_body, &longer).is_none(), "HMAC is no hash");
        compare(&of_another_body, &longer);
    }
}

/// The lines up to the first empty one, and what follows it.
fn divided(input: &[u8]) -> (Vec<&[u8]>, &[u8]) {
    let mut lines = Vec::new();
    let mut rest = input;
    while let Some(end) = rest.iter().position(|byte| *byte == b'\n') {
        let (line, after) = rest.split_at(end);
        rest = after.get(1..).unwrap_or_default();
        if line.is_empty() {
            return (lines, rest);
        }
        lines.push(line);
    }
    lines.push(rest);
    (lines, &[])
}

/// A header with its signatures written out.
fn filled_in(line: &[u8], body: &[u8]) -> (String, Vec<u8>) {
    let mut parts = line.splitn(2, |byte| *byte == b':');
    let name = String::from_utf8_lossy(parts.next().unwrap_or_default()).into_owned();
    let value = parts.next().unwrap_or_default();
    let ts = first_ts(value);
    let mut out = Vec::new();
    let mut rest = value.iter().copied();
    while let Some(byte) = rest.next() {
        let letter = if byte == b'$' { rest.next() } else { None };
        match (byte, letter.and_then(|letter| signature(letter, ts, body))) {
            (_, Some(text)) => out.extend_from_slice(text.as_bytes()),
            (_, None) => out.extend([byte].into_iter().chain(letter)),
        }
    }
    (name, out)
}

fn first_ts(value: &[u8]) -> &[u8] {
    let ts = value.split(|byte| *byte == b';').find_map(|part| trimmed(part).strip_prefix(b"ts="));
    ts.unwrap_or_default()
}

fn trimmed(part: &[u8]) -> &[u8] {
    let blank = |byte: &u8| matches!(byte, b' ' | b'\t');
    let start = part.iter().position(|byte| !blank(byte)).unwrap_or(part.len());
    let end = part.iter().rposition(|byte| !blank(byte)).map_or(start, |last| last + 1);
    part.get(start..end).unwrap_or_default()
}

fn signature(letter: u8, ts: &[u8], body: &[u8]) -> Option<String> {
    let [first, second] = SECRETS;
    let text = match letter {
        b'a' => hmac(first, ts, body),
        b'A' => hmac(first, ts, body).to_uppercase(),
        b'b' => hmac(second, ts, body),
        b'w' => hmac(INACTIVE, ts, body),
        b'o' => hmac(first, ts, &[body, b" "].concat()),
        b'z' => {
            let zeros = ts.iter().take_while(|digit| **digit == b'0').count();
            hmac(first, ts.get(zeros..).unwrap_or_default(), body)
        }
        b'f' => {
            let whole = hmac(first, ts, body);
            let flipped = if whole.starts_with('0') { '1' } else { '0' };
            format!("{flipped}{}", whole.get(1..).unwrap_or_default())
        }
        _ => return None,
    };
    Some(text)
}

/// HMAC-SHA256 of `ts:body` in lower-case digits, by the letter of RFC 2104.
fn hmac(secret: &str, ts: &[u8], body: &[u8]) -> String {
    let mut key = [0_u8; 64];
    let short: Vec<u8> = if secret.len() > key.len() {
        Sha256::digest(secret.as_bytes()).to_vec()
    } else {
        secret.as_bytes().to_vec()
    };
    key.iter_mut().zip(short).for_each(|(to, from)| *to = from);
    let inner = Sha256::new().chain_update(key.map(|byte| byte ^ 0x36)).chain_update(ts);
    let inner = inner.chain_update(b":").chain_update(body).finalize();
    let outer = Sha256::new().chain_update(key.map(|byte| byte ^ 0x5c)).chain_update(inner);
    hex::encode(outer.finalize())
}

/// The moments at which the input's headers say to be signed.
fn times(headers: &[(String, Vec<u8>)]) -> impl Iterator<Item = i64> {
    let texts = headers.iter().filter_map(|(_, value)| std::str::from_utf8(first_ts(value)).ok());
    texts.filter_map(|text| text.parse().ok())
}

/// What a header proves, by the table in `ingestion/src/paddle/signature.rs`.
struct Proof {
    signed_at: i128,
    /// The place of the secret.
    secret: usize,
}

/// Who signed it and when, if anybody did.
fn expected(headers: &[(String, Vec<u8>)], body: &[u8]) -> Option<Proof> {
    let named = |(name, _): &&(String, Vec<u8>)| name.eq_ignore_ascii_case("paddle-signature");
    let mut values = headers.iter().filter(named).map(|(_, value)| value);
    let value = values.next()?;
    let clean = value.iter().all(|byte| *byte == b'\t' || (0x20..0x7f).contains(byte));
    if values.next().is_some() || value.len() > paddle::HEADER_BYTES_MAX || !clean {
        return None;
    }
    let parts: Vec<&[u8]> = value.split(|byte| *byte == b';').map(trimmed).collect();
    let of = |key: &'static [u8]| parts.iter().filter_map(move |part| part.strip_prefix(key));
    let given: Vec<&[u8]> = of(b"h1=").collect();
    let mut times = of(b"ts=");
    let ts = times.next()?;
    if times.next().is_some() || given.is_empty() || given.len() > paddle::SIGNATURES_MAX {
        return None;
    }
    let digits = !ts.is_empty() && ts.iter().all(u8::is_ascii_digit);
    let number = ts.iter().try_fold(0_i128, |number, digit| {
        let digit = i128::from(digit.checked_sub(b'0')?);
        number.checked_mul(10)?.checked_add(digit)
    })?;
    if !digits || number > LATEST {
        return None;
    }
    let fits = |secret: &&str| {
        let right = hmac(secret, ts, body);
        given.iter().any(|digits| digits.to_ascii_lowercase() == right.as_bytes())
    };
    Some(Proof { signed_at: number, secret: SECRETS.iter().position(fits)? })
}

fn compare(headers: &[(String, Vec<u8>)], body: &[u8]) {
    let source = Source {
        secrets: vec![secret(0), secret(1)],
        tolerance_seconds: Some(TOLERANCE),
        future_seconds: FUTURE,
        ..source(Provider::Paddle)
    };
    let list: Vec<(&str, &[u8])> =
        headers.iter().map(|(name, value)| (name.as_str(), value.as_slice())).collect();
    let now = Timestamp::from_seconds(SIGNED_AT).expect("the time is in range");
    let (found, proof) = (verify(&source, Headers(&list), body, now), expected(headers, body));
    assert_eq!(found.is_ok(), proof.is_some(), "believed only if signed: {found:?}");
    if let (Ok(verified), Some(proof)) = (&found, &proof) {
        proved(verified, proof, body);
    }
}

fn proved(verified: &VerifiedDelivery<'_>, proof: &Proof, body: &[u8]) {
    let signature = verified.signature();
    assert_eq!(verified.body(), body, "the body is the one that was signed");
    assert_eq!(i128::from(signature.signed_at.seconds()), proof.signed_at, "signed at that moment");
    assert_eq!(signature.secret, secret(proof.secret).fingerprint(), "signed by that secret");
    let age = i128::from(SIGNED_AT) - proof.signed_at;
    let expected = match age {
        _ if age > i128::from(TOLERANCE) => Freshness::Old,
        _ if -age > i128::from(FUTURE) => Freshness::Future,
        _ => Freshness::Fresh,
    };
    assert_eq!(verified.freshness(), expected, "{age} seconds old");
}

fn secret(place: usize) -> Secret {
    let text = SECRETS.get(place).copied().unwrap_or(INACTIVE);
    Secret::new(text).expect("the secret is not empty")
}
