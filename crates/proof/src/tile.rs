//! Tiles: runs of 256 hashes of every eighth level, from which all others follow.
//!
//! A tree is kept as its tiles, in memory or in a store: 32 bytes for each leaf and 32 more for
//! each 256 of them, where all subtrees would take twice that. Tile `index` of tile level `t` has
//! the hashes of the subtrees of level 8 `t` from 256 `index` on. What lies between is hashed
//! again when it is asked for, at most 255 nodes.

use crate::{merkle::Hash, tree::Subtree};

/// How many hashes a tile has, unless it is the last of its level.
pub const WIDTH: u64 = 1 << LEVELS;

/// How many levels of the tree a tile stands for.
pub const LEVELS: u32 = 8;

/// Which tile.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Place {
    /// The tile's level: every eighth of the tree's.
    pub level: u32,
    /// From 0.
    pub index: u64,
}

/// The tile that a subtree is made from.
#[must_use]
pub const fn place(subtree: Subtree) -> Place {
    let level = subtree.level / LEVELS;
    let inside = subtree.level % LEVELS;
    Place { level, index: subtree.index >> (LEVELS - inside) }
}

/// The hash of a subtree from the hashes of its tile; none where the tile doesn't have all of them.
#[must_use]
pub fn hash_in(tile: &[Hash], subtree: Subtree) -> Option<Hash> {
    let inside = subtree.level % LEVELS;
    let count = 1_usize << inside;
    let nth = usize::try_from(subtree.index % (WIDTH >> inside)).ok()?;
    let start = nth.checked_mul(count)?;
    let mut hashes = tile.get(start..start.checked_add(count)?)?.to_vec();
    while let [left, right, ..] = hashes.as_slice() {
        if hashes.len() == 2 {
            return Some(Hash::of_node(left, right));
        }
        let pairs = hashes.chunks_exact(2).filter_map(|pair| {
            let [left, right] = pair else { return None };
            Some(Hash::of_node(left, right))
        });
        hashes = pairs.collect();
    }
    hashes.first().copied()
}

/// The hash of a whole tile: what stands for it in the tile above; none while it isn't whole.
#[must_use]
pub fn hash_of_whole(tile: &[Hash]) -> Option<Hash> {
    let is_whole = u64::try_from(tile.len()) == Ok(WIDTH);
    let halves = tile.split_at_checked(tile.len() / 2).filter(|_| is_whole);
    let (left, right) = halves?;
    let half = Subtree { level: LEVELS - 1, index: 0 };
    Some(Hash::of_node(&hash_in(left, half)?, &hash_in(right, half)?))
}

/// The tree over all leaves of a log, in memory: 32 MB for a million.
#[derive(Clone, Debug)]
pub struct Tree {
    /// By tile level, the hashes of its whole subtrees.
    levels: Vec<Vec<Hash>>,
}

impl Tree {
    /// A tree without a leaf.
    #[must_use]
    pub fn new() -> Self {
        Self { levels: vec![Vec::new()] }
    }

    /// How many leaves there are.
    #[must_use]
    pub fn size(&self) -> u64 {
        let leaves = self.levels.first().map_or(0, Vec::len);
        u64::try_from(leaves).unwrap_or(u64::MAX)
    }

    /// Adds a leaf by its hash.
    pub fn push(&mut self, leaf: Hash) {
        let mut up = Some(leaf);
        let mut level = 0;
        while let Some(hash) = up {
            if self.levels.len() == level {
                self.levels.push(Vec::new());
            }
            let Some(hashes) = self.levels.get_mut(level) else { return };
            hashes.push(hash);
            let width = usize::try_from(WIDTH).unwrap_or(usize::MAX);
            up = if hashes.len().is_multiple_of(width) {
                let start = hashes.len().saturating_sub(width);
                hashes.get(start..).and_then(hash_of_whole)
            } else {
                None
            };
            level = level.saturating_add(1);
        }
    }

    /// The hash of a complete subtree.
    ///
    /// # Errors
    /// The tree doesn't reach that far.
    pub fn subtree(&self, subtree: Subtree) -> Result<Hash, crate::tree::OutOfRange> {
        self.find(subtree).ok_or_else(|| crate::tree::OutOfRange {
            asked: subtree.index.saturating_add(1) << subtree.level,
            size: self.size(),
        })
    }

    fn find(&self, subtree: Subtree) -> Option<Hash> {
        let place = place(subtree);
        let hashes = self.levels.get(usize::try_from(place.level).ok()?)?;
        let start = usize::try_from(place.index.checked_mul(WIDTH)?).ok()?;
        let rest = hashes.get(start..)?;
        let width = usize::try_from(WIDTH).ok()?.min(rest.len());
        hash_in(rest.get(..width)?, subtree)
    }
}

impl Default for Tree {
    fn default() -> Self {
        Self::new()
    }
}

impl FromIterator<Hash> for Tree {
    fn from_iter<I: IntoIterator<Item = Hash>>(leaves: I) -> Self {
        let mut tree = Self::new();
        leaves.into_iter().for_each(|leaf| tree.push(leaf));
        tree
    }
}
