//! The hash chain of a ledger: each record's hash covers all records before it.
//!
//! ```text
//! genesis = SHA-256("tallyhook genesis 1" 0x0a || u64 LE length of the ledger's id || id)
//! hash n  = SHA-256("tallyhook record 1" 0x0a || hash n-1 || u64 LE length of the form || form)
//! ```
//!
//! A record's form contains the SHA-256 of its raw bytes, so the chain covers these too, and they
//! can be erased without breaking it.

use std::fmt;

use domain::ids::LedgerId;
use sha2::{Digest as _, Sha256};

const GENESIS_TAG: &[u8] = b"tallyhook genesis 1\n";
const RECORD_TAG: &[u8] = b"tallyhook record 1\n";

/// The hash of a record and of all records before it in its ledger.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Hash([u8; 32]);

impl Hash {
    /// The hash with these bytes, as a checkpoint or a stored block names it.
    #[must_use]
    pub const fn from_bytes(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }

    /// What the first record of a ledger follows.
    #[must_use]
    pub fn genesis(ledger: &LedgerId) -> Self {
        let id = ledger.as_str().as_bytes();
        Self(
            Sha256::new()
                .chain_update(GENESIS_TAG)
                .chain_update(length(id))
                .chain_update(id)
                .finalize()
                .into(),
        )
    }

    /// The hash of the record with this form, after the record with hash `self`.
    #[must_use]
    pub fn then(self, form: &[u8]) -> Self {
        let hasher = Sha256::new().chain_update(RECORD_TAG).chain_update(self.0);
        Self(hasher.chain_update(length(form)).chain_update(form).finalize().into())
    }

    /// The bytes.
    #[must_use]
    pub const fn bytes(&self) -> &[u8; 32] {
        &self.0
    }
}

/// Both lengths are of bytes in memory, which fit 64 bits.
fn length(bytes: &[u8]) -> [u8; 8] {
    u64::try_from(bytes.len()).unwrap_or(u64::MAX).to_le_bytes()
}

impl fmt::Display for Hash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl fmt::Debug for Hash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_hash_depends_on_ledger_history_and_form() {
        let main = Hash::genesis(&LedgerId::new("main").unwrap());
        let other = Hash::genesis(&LedgerId::new("other").unwrap());
        assert_ne!(main, other);
        assert_ne!(main.then(b"a"), other.then(b"a"));
        assert_ne!(main.then(b"a").then(b"b"), main.then(b"b").then(b"a"));
        assert_ne!(main.then(b"ab"), main.then(b"a").then(b"b"));
    }

    #[test]
    fn the_chain_is_what_the_drawing_says() {
        let genesis = Sha256::digest(b"tallyhook genesis 1\n\x04\0\0\0\0\0\0\0main");
        let main = Hash::genesis(&LedgerId::new("main").unwrap());
        assert_eq!(main.bytes()[..], genesis[..]);
        let text = [b"tallyhook record 1\n".as_slice(), &genesis, b"\x02\0\0\0\0\0\0\0hi"].concat();
        assert_eq!(main.then(b"hi").bytes()[..], Sha256::digest(text)[..]);
    }
}
