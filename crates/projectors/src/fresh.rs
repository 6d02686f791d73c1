//! What is stored of a ledger that is folded from its first record.
//!
//! Most records are of a payment that is new, and a store of views takes long to say that it has
//! none. While a ledger is folded anew, all that is stored of it was stored since, so that a filter
//! over the keys can tell at once what is not.

use std::hash::{BuildHasher as _, BuildHasherDefault, DefaultHasher};

use domain::ids::LedgerId;

use crate::keys;

/// Eight MiB: one in 250 absent keys is asked for in vain once a million payments are stored.
const WORDS: u64 = 1 << 20;

/// A bloom filter over the stored keys of one ledger.
pub(crate) struct Fresh {
    prefix: Vec<u8>,
    words: Vec<u64>,
}

impl Fresh {
    /// Nothing is stored of the ledger.
    pub(crate) fn new(ledger: &LedgerId) -> Self {
        Self { prefix: keys::ledger_prefix(ledger), words: (0..WORDS).map(|_| 0).collect() }
    }

    /// A key is stored from now on.
    pub(crate) fn store(&mut self, key: &[u8]) {
        for (word, bit) in places(key) {
            if let Some(word) = self.words.get_mut(word) {
                *word |= bit;
            }
        }
    }

    /// Whether a key is surely not stored.
    pub(crate) fn lacks(&self, key: &[u8]) -> bool {
        let lacks = |(word, bit)| self.words.get(word).is_some_and(|word| word & bit == 0);
        key.starts_with(&self.prefix) && places(key).into_iter().any(lacks)
    }
}

/// The two bits of a key: in which word, and where there.
fn places(key: &[u8]) -> [(usize, u64); 2] {
    let hash = BuildHasherDefault::<DefaultHasher>::default().hash_one(key);
    [hash, hash.rotate_right(32)].map(|half| {
        let word = usize::try_from((half >> 6) % WORDS).unwrap_or(0);
        (word, 1 << (half % 64))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(ledger: &str, number: u32) -> Vec<u8> {
        let mut key = keys::ledger_prefix(&LedgerId::new(ledger).unwrap());
        key.extend(number.to_be_bytes());
        key
    }

    #[test]
    fn what_is_stored_is_never_lacking_and_most_of_the_rest_is() {
        let mut fresh = Fresh::new(&LedgerId::new("main").unwrap());
        (0..10_000).for_each(|number| fresh.store(&key("main", number)));
        assert!((0..10_000).all(|number| !fresh.lacks(&key("main", number))));
        let lacking = (10_000..20_000).filter(|number| fresh.lacks(&key("main", *number))).count();
        assert!(lacking > 9_900, "{lacking}");
    }

    #[test]
    fn nothing_is_said_of_other_ledgers() {
        let fresh = Fresh::new(&LedgerId::new("main").unwrap());
        assert!(fresh.lacks(&key("main", 1)));
        assert!(!fresh.lacks(&key("other", 1)));
    }
}
