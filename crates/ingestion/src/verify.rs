//! Whether the provider sent it, and when: from headers and bytes to a verified delivery.
//!
//! Authenticity and freshness are two results (DESIGN.md section 4, rule 9). A delivery that is not
//! authentic is a [`SignatureFault`]; one that is authentic but old or ahead is verified and
//! marked, and what becomes of it is decided later. The body is not looked into here.

use domain::{
    input::{Freshness, Signature},
    time::Timestamp,
};

use crate::{
    paddle,
    secret::Secret,
    source::{Provider, Source},
};

/// Why a delivery is not believed. For our own log and metrics: the outside never learns which.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, thiserror::Error)]
pub enum SignatureFault {
    /// The signature header is not there.
    #[error("the signature header is missing")]
    HeaderMissing,
    /// The signature header is there more than once.
    #[error("the signature header is repeated")]
    HeaderRepeated,
    /// The signature header is longer than any genuine one.
    #[error("the signature header is too long")]
    HeaderTooLong,
    /// The signature header has bytes other than visible ASCII, blanks and tabs.
    #[error("the signature header has characters that no header has")]
    HeaderCharacters,
    /// No signing time is given.
    #[error("the signing time is missing")]
    TimeMissing,
    /// More than one signing time is given, so that it isn't clear which was signed.
    #[error("the signing time is repeated")]
    TimeRepeated,
    /// The signing time is no number of seconds, or out of the range of times.
    #[error("the signing time is no time")]
    TimeInvalid,
    /// No signature of a scheme that we know is given.
    #[error("the signature is missing")]
    SignatureMissing,
    /// More signatures are given than any rotation of secrets needs.
    #[error("there are too many signatures")]
    TooManySignatures,
    /// No signature fits any active secret.
    #[error("no signature fits")]
    Mismatch,
}

/// The headers of a delivery: name and value, in any order, of which names may be repeated.
#[derive(Clone, Copy, Debug)]
pub struct Headers<'a>(pub &'a [(&'a str, &'a [u8])]);

impl<'a> Headers<'a> {
    /// The value of the header that must be there exactly once, as text.
    pub(crate) fn one(self, name: &str, bytes_max: usize) -> Result<&'a str, SignatureFault> {
        let mut values = self.0.iter().filter(|(other, _)| other.eq_ignore_ascii_case(name));
        let (_, value) = values.next().ok_or(SignatureFault::HeaderMissing)?;
        if values.next().is_some() {
            return Err(SignatureFault::HeaderRepeated);
        }
        if value.len() > bytes_max {
            return Err(SignatureFault::HeaderTooLong);
        }
        let plain = value.iter().all(|byte| matches!(byte, b'\t' | b' '..=b'~'));
        let text = if plain { std::str::from_utf8(value).ok() } else { None };
        text.ok_or(SignatureFault::HeaderCharacters)
    }
}

/// A delivery whose signature holds. Only [`verify`] makes one.
#[derive(Clone, Debug)]
pub struct VerifiedDelivery<'a> {
    body: &'a [u8],
    signature: Signature,
    freshness: Freshness,
}

impl<'a> VerifiedDelivery<'a> {
    /// The bytes that were signed.
    #[must_use]
    pub const fn body(&self) -> &'a [u8] {
        self.body
    }

    /// The signature that holds.
    #[must_use]
    pub const fn signature(&self) -> &Signature {
        &self.signature
    }

    /// Whether it came in the configured time.
    #[must_use]
    pub const fn freshness(&self) -> Freshness {
        self.freshness
    }
}

/// Checks that one of the source's secrets signed the body.
///
/// # Errors
/// The signature is missing, unreadable or fits no active secret. Its age is never an error.
pub fn verify<'a>(
    source: &Source,
    headers: Headers<'_>,
    body: &'a [u8],
    now: Timestamp,
) -> Result<VerifiedDelivery<'a>, SignatureFault> {
    let signature = match source.provider {
        Provider::Paddle => paddle::signature(&source.secrets, headers, body)?,
    };
    let freshness = freshness(source, signature.signed_at, now);
    Ok(VerifiedDelivery { body, signature, freshness })
}

/// What checking the signature of a recorded delivery again says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Again {
    /// The secret that the record names signed these bytes.
    Holds,
    /// It did not, or signed another time than the record says.
    Broken,
    /// The secret that the record names is not among those given.
    SecretNotGiven,
}

/// Checks a recorded delivery's signature again, with whichever of the secrets the record names.
#[must_use]
pub fn verify_again(secrets: &[Secret], recorded: &Signature, body: &[u8]) -> Again {
    let named = secrets.iter().filter(|secret| secret.fingerprint() == recorded.secret);
    let named: Vec<Secret> = named.cloned().collect();
    if named.is_empty() {
        return Again::SecretNotGiven;
    }
    let headers = [(paddle::HEADER, recorded.header.as_bytes())];
    match paddle::signature(&named, Headers(&headers), body) {
        Ok(again) if again == *recorded => Again::Holds,
        Ok(_) | Err(_) => Again::Broken,
    }
}

/// Both limits belong to the fresh side: a delivery exactly as old as tolerated is in time.
fn freshness(source: &Source, signed_at: Timestamp, now: Timestamp) -> Freshness {
    let age = now.micros().saturating_sub(signed_at.micros());
    if age.saturating_neg() > micros(source.future_seconds) {
        Freshness::Future
    } else if source.tolerance_seconds.is_some_and(|seconds| age > micros(seconds)) {
        Freshness::Old
    } else {
        Freshness::Fresh
    }
}

fn micros(seconds: u32) -> i64 {
    i64::from(seconds).saturating_mul(1_000_000)
}
