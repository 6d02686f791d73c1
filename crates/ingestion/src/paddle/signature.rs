//! Paddle's signature: `Paddle-Signature: ts=<seconds>;h1=<hex>[;h1=<hex>...]`.
//!
//! Signed is the value of `ts` as it stands in the header, then `:`, then the raw body
//! (PROVIDERS.md section 1). What Paddle's documents leave open is decided here:
//!
//! | in the header | here |
//! | --- | --- |
//! | blanks or tabs around a part | cut off; inside a part they belong to its key or value |
//! | a part that is empty, has no `=`, or another key than `ts` and `h1` (keys have case) | ignored |
//! | `ts` missing, or there twice | refused |
//! | `ts` empty, with a sign, a dot, a blank or any other non-digit | refused |
//! | `ts` with leading zeros | its value counts, its digits as they stand are what was signed |
//! | `ts` past the year 9999 | refused |
//! | `h1` not of 64 hexadecimal digits | fits nothing, the others are still tried |
//! | `h1` in upper case | the same bytes, so the same signature |
//! | no `h1`, or more than [`SIGNATURES_MAX`] | refused |
//! | the header there twice, longer than [`HEADER_BYTES_MAX`], or with bytes beyond ASCII | refused |

use std::sync::Arc;

use domain::{input::Signature, time::Timestamp};
use hmac::Mac;

use crate::{
    secret::Secret,
    verify::{Headers, SignatureFault},
};

/// The name of the header.
pub const HEADER: &str = "Paddle-Signature";
/// The most bytes of the header: room for all signatures, the time and keys yet to come.
pub const HEADER_BYTES_MAX: usize = 1024;
/// The most signatures in one header: each costs a comparison for each active secret.
pub const SIGNATURES_MAX: usize = 8;

/// Signs a body as Paddle does, at so many seconds since 1970, and gives the header's value.
#[must_use]
pub fn sign(secret: &Secret, ts: i64, body: &[u8]) -> String {
    let ts = ts.to_string();
    let signature = secret.over(&[ts.as_bytes(), b":", body]).finalize().into_bytes();
    format!("ts={ts};h1={}", hex::encode(signature))
}

/// Any active secret may fit any signature: during rotation there are several of both.
pub(crate) fn signature(
    secrets: &[Secret],
    headers: Headers<'_>,
    body: &[u8],
) -> Result<Signature, SignatureFault> {
    let header = headers.one(HEADER, HEADER_BYTES_MAX)?;
    let Parts { ts, signed_at, signatures } = parts(header)?;
    let fitting = secrets.iter().find(|secret| {
        let computed = secret.over(&[ts.as_bytes(), b":", body]);
        // `verify_slice` compares in constant time.
        signatures.iter().any(|signature| computed.clone().verify_slice(signature).is_ok())
    });
    let secret = fitting.ok_or(SignatureFault::Mismatch)?.fingerprint();
    Ok(Signature { header: Arc::from(header), secret, signed_at })
}

/// What a header says, before anything is believed.
struct Parts<'h> {
    ts: &'h str,
    signed_at: Timestamp,
    signatures: Vec<[u8; 32]>,
}

fn parts(header: &str) -> Result<Parts<'_>, SignatureFault> {
    let mut time = None;
    let mut signatures = Vec::with_capacity(1);
    let mut given: usize = 0;
    for part in header.split(';') {
        match part.trim_matches([' ', '\t']).split_once('=') {
            Some(("ts", _)) if time.is_some() => return Err(SignatureFault::TimeRepeated),
            Some(("ts", ts)) => time = Some(ts),
            Some(("h1", _)) if given == SIGNATURES_MAX => {
                return Err(SignatureFault::TooManySignatures);
            }
            Some(("h1", digits)) => {
                given = given.saturating_add(1);
                signatures.extend(bytes(digits));
            }
            _ => {}
        }
    }
    let ts = time.ok_or(SignatureFault::TimeMissing)?;
    let signed_at = seconds(ts).ok_or(SignatureFault::TimeInvalid)?;
    if given == 0 {
        return Err(SignatureFault::SignatureMissing);
    }
    Ok(Parts { ts, signed_at, signatures })
}

fn seconds(ts: &str) -> Option<Timestamp> {
    let digits = ts.bytes().all(|byte| byte.is_ascii_digit());
    if digits { Timestamp::from_seconds(ts.parse().ok()?) } else { None }
}

fn bytes(digits: &str) -> Option<[u8; 32]> {
    let mut bytes = [0; 32];
    hex::decode_to_slice(digits, &mut bytes).ok()?;
    Some(bytes)
}
