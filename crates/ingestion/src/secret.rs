//! The shared secret of a webhook endpoint.

use std::fmt;

use hmac::{Hmac, KeyInit, Mac};
use sha2::{Digest as _, Sha256};

/// A text that can't be a secret.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SecretFault {
    /// With an empty key anyone can sign.
    #[error("a secret must not be empty")]
    Empty,
}

/// A secret that signatures are checked with.
///
/// The key is the whole text, its prefix included and never decoded (PROVIDERS.md section 1). The
/// text is not kept: only the keyed state, which is cloned for each signature, and a fingerprint.
#[derive(Clone)]
pub struct Secret {
    keyed: Hmac<Sha256>,
    fingerprint: [u8; 4],
}

impl Secret {
    /// Takes the text as it is: its shape differs from provider to provider and is not checked.
    ///
    /// # Errors
    /// The text is empty.
    pub fn new(text: &str) -> Result<Self, SecretFault> {
        if text.is_empty() {
            return Err(SecretFault::Empty);
        }
        let keyed = Hmac::new_from_slice(text.as_bytes()).expect("HMAC takes a key of any length");
        let [a, b, c, d, ..]: [u8; 32] = Sha256::digest(text.as_bytes()).into();
        Ok(Self { keyed, fingerprint: [a, b, c, d] })
    }

    /// The first bytes of the SHA-256 of the text: says which secret it is, tells nothing of it.
    #[must_use]
    pub const fn fingerprint(&self) -> [u8; 4] {
        self.fingerprint
    }

    /// HMAC-SHA256 over the parts, one after the other, not yet compared with anything.
    pub(crate) fn over(&self, parts: &[&[u8]]) -> Hmac<Sha256> {
        parts.iter().fold(self.keyed.clone(), |keyed, part| keyed.chain_update(part))
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Secret({}, redacted)", hex::encode(self.fingerprint))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_is_never_printed() {
        let secret = Secret::new("pdl_ntfset_abc").unwrap();
        assert_eq!(format!("{secret:?}"), "Secret(65111ff1, redacted)");
    }

    #[test]
    fn an_empty_secret_is_refused() {
        assert_eq!(Secret::new("").err(), Some(SecretFault::Empty));
    }
}
