//! Proofs made from the hashes of complete subtrees, wherever those are kept, and the tree of a
//! whole log in memory.
//!
//! What is made here by the definitions of RFC 9162 (sections 2.1.3.1 and 2.1.4.1) is checked in
//! [`crate::check`] by its algorithms for verifiers, which share no code with these.

use crate::merkle::Hash;

/// A complete subtree: the one over 2^level leaves that has `index` others of its level before it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Subtree {
    /// 0 is a leaf.
    pub level: u32,
    /// From 0.
    pub index: u64,
}

/// A proof about leaves that the tree doesn't have was asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the tree has no leaf or no size {asked}; it has {size} leaves")]
pub struct OutOfRange {
    /// The leaf's index, or the size.
    pub asked: u64,
    /// How many leaves there are.
    pub size: u64,
}

/// The path that proves that the leaf with this index is in the tree of this size.
///
/// # Errors
/// The tree has no such leaf, or `subtree` fails.
pub fn inclusion<E: From<OutOfRange>>(
    index: u64,
    size: u64,
    subtree: &mut impl FnMut(Subtree) -> Result<Hash, E>,
) -> Result<Vec<Hash>, E> {
    if index >= size {
        return Err(E::from(OutOfRange { asked: index, size }));
    }
    let mut path = Vec::new();
    let (mut start, mut end) = (0_u64, size);
    while end.saturating_sub(start) > 1 {
        let middle = start.saturating_add(left_of(end.saturating_sub(start)));
        if index < middle {
            path.push(hash_of(middle, end, subtree)?);
            end = middle;
        } else {
            path.push(hash_of(start, middle, subtree)?);
            start = middle;
        }
    }
    path.reverse();
    Ok(path)
}

/// The path that proves that the tree of the size `older` is the beginning of the one of `size`.
/// It is empty where both are the same or the older one is.
///
/// # Errors
/// The older tree is the larger, or `subtree` fails.
pub fn consistency<E: From<OutOfRange>>(
    older: u64,
    size: u64,
    subtree: &mut impl FnMut(Subtree) -> Result<Hash, E>,
) -> Result<Vec<Hash>, E> {
    if older > size {
        return Err(E::from(OutOfRange { asked: older, size }));
    }
    let mut path = Vec::new();
    if older == 0 || older == size {
        return Ok(path);
    }
    // Down to the last complete subtree of the older tree, noting what lies beside the way.
    let (mut start, mut end) = (0_u64, size);
    while end != older {
        let middle = start.saturating_add(left_of(end.saturating_sub(start)));
        if older <= middle {
            path.push(hash_of(middle, end, subtree)?);
            end = middle;
        } else {
            path.push(hash_of(start, middle, subtree)?);
            start = middle;
        }
    }
    // Whoever checks has the older root already, so it is left out where it is that very subtree.
    if start > 0 {
        path.push(hash_of(start, end, subtree)?);
    }
    path.reverse();
    Ok(path)
}

/// The root of the tree over the first `size` leaves.
///
/// # Errors
/// `subtree` fails.
pub fn root<E>(size: u64, subtree: &mut impl FnMut(Subtree) -> Result<Hash, E>) -> Result<Hash, E> {
    if size == 0 { Ok(Hash::of_nothing()) } else { hash_of(0, size, subtree) }
}

/// The complete subtrees of the tree of a size, from left to right: one for each bit.
pub fn complete(size: u64) -> impl Iterator<Item = Subtree> {
    let levels = (0..u64::BITS).rev().filter(move |level| size >> level & 1 == 1);
    levels.map(move |level| {
        // All larger subtrees stand before it; of its own level they are twice as many, and so on.
        let before = size >> level >> 1;
        Subtree { level, index: before.saturating_mul(2) }
    })
}

/// How many leaves the left part of a tree of `size` leaves has: the largest power of two below
/// `size`, which is at least 2.
const fn left_of(size: u64) -> u64 {
    1 << (u64::BITS - 1 - size.saturating_sub(1).leading_zeros())
}

/// The hash over the leaves from `start` up to `end`, as the definition splits them. `start` is
/// always a multiple of the largest complete subtree in between.
fn hash_of<E>(
    start: u64,
    end: u64,
    subtree: &mut impl FnMut(Subtree) -> Result<Hash, E>,
) -> Result<Hash, E> {
    let size = end.saturating_sub(start);
    if size.is_power_of_two() {
        let level = size.trailing_zeros();
        return subtree(Subtree { level, index: start >> level });
    }
    let middle = start.saturating_add(left_of(size));
    let left = hash_of(start, middle, subtree)?;
    let right = hash_of(middle, end, subtree)?;
    Ok(Hash::of_node(&left, &right))
}
