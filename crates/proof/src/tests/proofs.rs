//! Proofs made by one code are checked by another, for every small tree.

use crate::{
    check::{is_consistent, root_by_inclusion},
    merkle::{Frontier, Hash},
    tile::Tree,
    tree::{OutOfRange, complete, consistency, inclusion, root},
};

/// Above one tile and one more level of the tree in it would be 512; these cross the first tile.
const SIZES: [u64; 6] = [255, 256, 257, 511, 512, 769];

fn leaf(number: u64) -> Hash {
    Hash::of_leaf(&number.to_be_bytes())
}

fn tree(size: u64) -> Tree {
    (0..size).map(leaf).collect()
}

/// The roots after each leaf, by the frontier.
fn roots(size: u64) -> Vec<Hash> {
    let mut frontier = Frontier::new();
    let mut roots = vec![frontier.root()];
    for number in 0..size {
        frontier.push(leaf(number));
        roots.push(frontier.root());
    }
    roots
}

fn nth(roots: &[Hash], size: u64) -> Hash {
    roots[usize::try_from(size).unwrap()]
}

/// A path with each of its hashes changed, without its first or last one, and with one more.
fn spoilt(path: &[Hash]) -> Vec<Vec<Hash>> {
    let mut all = Vec::new();
    for (place, byte) in (0..path.len()).map(|place| (place, place % 32)) {
        let mut other = path.to_vec();
        other[place].0[byte] ^= 1;
        all.push(other);
    }
    if let [_, rest @ ..] = path {
        all.push(rest.to_vec());
        all.push(path[..path.len() - 1].to_vec());
    }
    all.push([path, &[Hash::of_nothing()]].concat());
    all
}

#[test]
fn every_leaf_of_every_small_tree_is_proved_and_nothing_else() {
    let roots = roots(70);
    let tree = tree(70);
    let mut subtree = |place| tree.subtree(place);
    for size in 1..=70_u64 {
        let expected = nth(&roots, size);
        assert_eq!(root(size, &mut subtree), Ok(expected), "{size}");
        for index in 0..size {
            let path = inclusion(index, size, &mut subtree).unwrap();
            let found =
                |index, size, path: &[Hash]| root_by_inclusion(leaf(index), index, size, path);
            assert_eq!(found(index, size, &path), Some(expected), "{index} of {size}");
            assert_ne!(root_by_inclusion(leaf(index + 1), index, size, &path), Some(expected));
            for wrong in spoilt(&path) {
                assert_ne!(found(index, size, &wrong), Some(expected), "{index} of {size}");
            }
            for other in (0..size).filter(|other| *other != index) {
                let moved = root_by_inclusion(leaf(index), other, size, &path);
                assert_ne!(moved, Some(expected), "{index} as {other} of {size}");
            }
        }
        assert_eq!(inclusion(size, size, &mut subtree), Err(OutOfRange { asked: size, size }));
        assert_eq!(root_by_inclusion(leaf(0), size, size, &[]), None);
    }
}

#[test]
fn every_two_small_trees_are_proved_consistent_and_no_others() {
    let roots = roots(70);
    let tree = tree(70);
    let mut subtree = |place| tree.subtree(place);
    for size in 0..=70_u64 {
        for older in 0..=size {
            let (before, after) = ((older, nth(&roots, older)), (size, nth(&roots, size)));
            let path = consistency(older, size, &mut subtree).unwrap();
            assert!(is_consistent(before, after, &path), "{older} of {size}");
            let other = Hash::of_leaf(b"other");
            assert!(!is_consistent((older, other), after, &path), "{older} of {size}");
            if older > 0 {
                assert!(!is_consistent(before, (size, other), &path), "{older} of {size}");
            }
            for wrong in spoilt(&path) {
                assert!(!is_consistent(before, after, &wrong), "{older} of {size}");
            }
            if older < size {
                assert!(!is_consistent(after, before, &path), "{older} of {size}");
            }
        }
        let beyond = size + 1;
        let refused = consistency(beyond, size, &mut subtree);
        assert_eq!(refused, Err(OutOfRange { asked: beyond, size }));
    }
}

#[test]
fn proofs_cross_tiles() {
    let roots = roots(769);
    let tree = tree(769);
    let mut subtree = |place| tree.subtree(place);
    for size in SIZES {
        for index in
            [0, 1, 127, 128, 254, 255, 256, 511, 512, 768].into_iter().filter(|i| *i < size)
        {
            let path = inclusion(index, size, &mut subtree).unwrap();
            let found = root_by_inclusion(leaf(index), index, size, &path);
            assert_eq!(found, Some(nth(&roots, size)), "{index} of {size}");
        }
        for older in SIZES.into_iter().chain([1, 128, 300]).filter(|older| *older <= size) {
            let path = consistency(older, size, &mut subtree).unwrap();
            let (before, after) = ((older, nth(&roots, older)), (size, nth(&roots, size)));
            assert!(is_consistent(before, after, &path), "{older} of {size}");
        }
    }
}

#[test]
fn a_frontier_is_the_complete_subtrees() {
    let roots = roots(300);
    let tree = tree(300);
    for size in 0..=300_u64 {
        let hashes: Vec<Hash> = complete(size).map(|place| tree.subtree(place).unwrap()).collect();
        let frontier = Frontier::of(size, hashes.clone()).unwrap();
        assert_eq!(frontier.root(), nth(&roots, size), "{size}");
        assert_eq!(Frontier::of(size, [hashes, vec![leaf(0)]].concat()), None);
    }
}
