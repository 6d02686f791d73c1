//! The Merkle tree of RFC 9162, section 2.1: SHA-256, leaves and nodes told apart by a first byte.

use std::fmt;

use sha2::{Digest as _, Sha256};

/// The hash of a leaf, of a node or of a whole tree.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Hash(pub [u8; 32]);

impl Hash {
    /// The root of a tree without a leaf: the SHA-256 of nothing.
    #[must_use]
    pub fn of_nothing() -> Self {
        Self(Sha256::digest([]).into())
    }

    /// The hash of a leaf with these bytes.
    #[must_use]
    pub fn of_leaf(bytes: &[u8]) -> Self {
        Self(Sha256::new_with_prefix([0]).chain_update(bytes).finalize().into())
    }

    /// The hash of a node over two others.
    #[must_use]
    pub fn of_node(left: &Self, right: &Self) -> Self {
        let hasher = Sha256::new_with_prefix([1]).chain_update(left.0);
        Self(hasher.chain_update(right.0).finalize().into())
    }

    /// Reads what [`fmt::Display`] writes: 64 lower-case hexadecimal digits, and nothing else.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let mut bytes = [0; 32];
        hex::decode_to_slice(text, &mut bytes).ok()?;
        let hash = Self(bytes);
        (hash.to_string() == text).then_some(hash)
    }
}

impl fmt::Display for Hash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&hex::encode(self.0))
    }
}

impl fmt::Debug for Hash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// The right edge of a tree: what is needed to add leaves and to know the root.
///
/// Holds the roots of the complete subtrees from left to right, one for each bit of the size.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Frontier {
    size: u64,
    complete: Vec<Hash>,
}

impl Frontier {
    /// A tree without a leaf.
    #[must_use]
    pub const fn new() -> Self {
        Self { size: 0, complete: Vec::new() }
    }

    /// The tree of `size` leaves whose complete subtrees have these roots, from left to right; none
    /// where there are not as many as the size says.
    #[must_use]
    pub fn of(size: u64, complete: Vec<Hash>) -> Option<Self> {
        let expected = usize::try_from(size.count_ones()).ok()?;
        (complete.len() == expected).then_some(Self { size, complete })
    }

    /// How many leaves there are.
    #[must_use]
    pub const fn size(&self) -> u64 {
        self.size
    }

    /// Adds a leaf by its hash.
    pub fn push(&mut self, leaf: Hash) {
        let mut hash = leaf;
        for _ in 0..self.size.trailing_ones() {
            if let Some(left) = self.complete.pop() {
                hash = Hash::of_node(&left, &hash);
            }
        }
        self.complete.push(hash);
        self.size = self.size.saturating_add(1);
    }

    /// The root of the tree over all leaves so far.
    #[must_use]
    pub fn root(&self) -> Hash {
        let mut from_right = self.complete.iter().rev();
        let Some(last) = from_right.next() else { return Hash::of_nothing() };
        from_right.fold(*last, |right, left| Hash::of_node(left, &right))
    }
}

impl Default for Frontier {
    fn default() -> Self {
        Self::new()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The definition of RFC 9162, section 2.1.1, as it stands there.
    fn defined(leaves: &[Hash]) -> Hash {
        match leaves {
            [] => Hash::of_nothing(),
            [one] => *one,
            _ => {
                let left = leaves.len().next_power_of_two() / 2;
                Hash::of_node(&defined(&leaves[..left]), &defined(&leaves[left..]))
            }
        }
    }

    #[test]
    fn the_root_is_that_of_the_definition_after_each_leaf() {
        let mut frontier = Frontier::new();
        let mut leaves = Vec::new();
        assert_eq!(frontier.root(), defined(&leaves));
        for number in 0..100_u32 {
            let leaf = Hash::of_leaf(&number.to_be_bytes());
            frontier.push(leaf);
            leaves.push(leaf);
            assert_eq!(frontier.root(), defined(&leaves), "{number}");
        }
        assert_eq!(frontier.size(), 100);
    }
}
