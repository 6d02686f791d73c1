//! Proofs checked as RFC 9162 tells verifiers to (sections 2.1.3.2 and 2.1.4.2): from the path
//! alone, without any tree.

use crate::merkle::Hash;

/// The root that a path leads to from the leaf with this index in a tree of this size; none where
/// no tree of this size has such a path.
#[must_use]
pub fn root_by_inclusion(leaf: Hash, index: u64, size: u64, path: &[Hash]) -> Option<Hash> {
    if index >= size {
        return None;
    }
    let (mut first, mut last) = (index, size.checked_sub(1)?);
    let mut root = leaf;
    for beside in path {
        if last == 0 {
            return None;
        }
        if first & 1 == 1 || first == last {
            root = Hash::of_node(beside, &root);
            while first & 1 == 0 && first != 0 {
                (first, last) = (first >> 1, last >> 1);
            }
        } else {
            root = Hash::of_node(&root, beside);
        }
        (first, last) = (first >> 1, last >> 1);
    }
    (last == 0).then_some(root)
}

/// Whether the tree of the size and root `older` is the beginning of `newer`, by this path.
#[must_use]
pub fn is_consistent(older: (u64, Hash), newer: (u64, Hash), path: &[Hash]) -> bool {
    let ((older_size, older_root), (newer_size, newer_root)) = (older, newer);
    if older_size == 0 {
        return path.is_empty() && older_root == Hash::of_nothing();
    }
    if older_size == newer_size {
        return path.is_empty() && older_root == newer_root;
    }
    if older_size > newer_size || path.is_empty() {
        return false;
    }
    // The older root is the path's first where it is a complete subtree by itself.
    let own = older_size.is_power_of_two().then_some(&older_root);
    let mut path = own.into_iter().chain(path);
    let Some(start) = path.next() else { return false };
    let (mut first, mut last) = (older_size.saturating_sub(1), newer_size.saturating_sub(1));
    while first & 1 == 1 {
        (first, last) = (first >> 1, last >> 1);
    }
    let (mut left, mut whole) = (*start, *start);
    for beside in path {
        if last == 0 {
            return false;
        }
        if first & 1 == 1 || first == last {
            left = Hash::of_node(beside, &left);
            whole = Hash::of_node(beside, &whole);
            while first & 1 == 0 && first != 0 {
                (first, last) = (first >> 1, last >> 1);
            }
        } else {
            whole = Hash::of_node(&whole, beside);
        }
        (first, last) = (first >> 1, last >> 1);
    }
    last == 0 && left == older_root && whole == newer_root
}
