//! The tree of a ledger's records in the store of views, as tiles: what proofs are made from
//! without reading the log.
//!
//! ```text
//! tree/{ledger}/at                              JSON, see `Stored`
//! tree/{ledger}/t{level 1 byte}{index 8 bytes}  the tile's hashes, 32 bytes each
//! ```
//!
//! All keys of one write go together. Views may be deleted at any time: the tree follows from the
//! records.

use std::{collections::BTreeMap, sync::Arc};

use domain::ids::LedgerId;
use event_store::views::{Change, ViewError, ViewStore};
use proof::{
    merkle::Hash,
    tile::{LEVELS, Place, WIDTH, hash_in, hash_of_whole, place},
    tree::{OutOfRange, Subtree},
};
use serde::{Deserialize, Serialize};

/// The version of the form.
const FORM: u16 = 1;

/// How many keys are removed at once.
const REMOVE_MAX: usize = 1_024;

/// How far the tree is stored.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Stored {
    form: u16,
    /// The form of the leaves.
    leaf_form: u32,
    size: u64,
}

/// Why a hash can't be read.
#[derive(Debug, thiserror::Error)]
pub(crate) enum TreeFault {
    /// The views can't be read or written.
    #[error(transparent)]
    Store(#[from] ViewError),
    /// The stored tree lacks what it must have.
    #[error("the stored tree of ledger {ledger} lacks a tile of level {level}")]
    Damaged {
        /// The ledger.
        ledger: LedgerId,
        /// The tile's level.
        level: u32,
    },
    /// More was asked than the tree has.
    #[error(transparent)]
    Range(#[from] OutOfRange),
}

/// Reads the hash of a complete subtree.
pub(crate) fn subtree(
    views: &dyn ViewStore,
    ledger: &LedgerId,
    subtree: Subtree,
) -> Result<Hash, TreeFault> {
    let place = place(subtree);
    let tile = read(views, ledger, place)?;
    let level = place.level;
    hash_in(&tile, subtree).ok_or_else(|| TreeFault::Damaged { ledger: ledger.clone(), level })
}

/// A ledger's tree that grows. What was added is in memory until it is stored.
pub(crate) struct GrowingTree {
    views: Arc<dyn ViewStore>,
    ledger: LedgerId,
    size: u64,
    /// How far it is stored.
    stored: u64,
    /// The tiles that are not whole, and those that are not stored yet.
    tiles: BTreeMap<Place, Vec<Hash>>,
}

impl GrowingTree {
    /// Reads how far the tree is stored; from its beginning where nothing usable is.
    pub(crate) fn open(views: Arc<dyn ViewStore>, ledger: LedgerId) -> Result<Self, TreeFault> {
        let mut tree = Self { views, ledger, size: 0, stored: 0, tiles: BTreeMap::new() };
        let Some(at) = tree.views.get(&at_key(&tree.ledger))? else { return Ok(tree) };
        let at = serde_json::from_slice::<Stored>(&at).ok();
        let at = at.filter(|at| at.form == FORM && at.leaf_form == proof::leaf::FORM);
        match at.map(|at| tree.load_edge(at.size)) {
            Some(Ok(())) => {}
            Some(Err(TreeFault::Store(fault))) => return Err(fault.into()),
            // Damaged, or of another form: made again.
            Some(Err(TreeFault::Damaged { .. } | TreeFault::Range(_))) | None => tree.forget()?,
        }
        Ok(tree)
    }

    /// How many records it has.
    pub(crate) const fn size(&self) -> u64 {
        self.size
    }

    /// How many records were added since it was stored.
    pub(crate) const fn unstored(&self) -> u64 {
        self.size.saturating_sub(self.stored)
    }

    /// Adds the next record by the hash of its leaf.
    pub(crate) fn push(&mut self, leaf: Hash) {
        let (mut level, mut index, mut hash) = (0, self.size, leaf);
        loop {
            let tile = self.tiles.entry(Place { level, index: index / WIDTH }).or_default();
            tile.push(hash);
            let Some(whole) = hash_of_whole(tile) else { break };
            (level, index, hash) = (level.saturating_add(1), index / WIDTH, whole);
        }
        self.size = self.size.saturating_add(1);
    }

    /// Stores what was added.
    pub(crate) fn store(&mut self) -> Result<(), TreeFault> {
        if self.unstored() == 0 {
            return Ok(());
        }
        let bytes = |tile: &Vec<Hash>| tile.iter().flat_map(|hash| hash.0).collect::<Vec<u8>>();
        let tiles = self.tiles.iter();
        let mut changes: Vec<Change> = tiles
            .map(|(place, tile)| (tile_key(&self.ledger, *place), Some(bytes(tile))))
            .collect();
        let at = Stored { form: FORM, leaf_form: proof::leaf::FORM, size: self.size };
        // Numbers are always JSON.
        let at = serde_json::to_vec(&at).unwrap_or_default();
        changes.push((at_key(&self.ledger), Some(at)));
        self.views.write(&changes)?;
        self.stored = self.size;
        self.tiles.retain(|_, tile| hash_of_whole(tile).is_none());
        Ok(())
    }

    /// The hash of a complete subtree, stored or not.
    pub(crate) fn subtree(&self, wanted: Subtree) -> Result<Hash, TreeFault> {
        match self.tiles.get(&place(wanted)).and_then(|tile| hash_in(tile, wanted)) {
            Some(hash) => Ok(hash),
            None => subtree(&*self.views, &self.ledger, wanted),
        }
    }

    /// The root of the tree over the first `size` records, of which it has as many.
    pub(crate) fn root(&self, size: u64) -> Result<Hash, TreeFault> {
        proof::tree::root(size, &mut |wanted| self.subtree(wanted))
    }

    /// Begins anew, without a record.
    pub(crate) fn forget(&mut self) -> Result<(), TreeFault> {
        let prefix = prefix(&self.ledger);
        // First, so that an interrupted removal leaves nothing that could be taken for a tree.
        self.views.write(&[(at_key(&self.ledger), None)])?;
        loop {
            let entries = self.views.scan(&prefix, None, REMOVE_MAX)?;
            if entries.is_empty() {
                break;
            }
            let removed: Vec<Change> = entries.into_iter().map(|(key, _)| (key, None)).collect();
            self.views.write(&removed)?;
        }
        (self.size, self.stored) = (0, 0);
        self.tiles.clear();
        Ok(())
    }

    /// Reads the last tile of each level, which is not whole.
    fn load_edge(&mut self, size: u64) -> Result<(), TreeFault> {
        let mut count = size;
        for level in 0..u64::BITS / LEVELS {
            let width = usize::try_from(count % WIDTH).unwrap_or(usize::MAX);
            if width > 0 {
                let place = Place { level, index: count / WIDTH };
                let mut tile = read(&*self.views, &self.ledger, place)?;
                if tile.len() < width {
                    let ledger = self.ledger.clone();
                    return Err(TreeFault::Damaged { ledger, level });
                }
                tile.truncate(width);
                self.tiles.insert(place, tile);
            }
            count /= WIDTH;
        }
        (self.size, self.stored) = (size, size);
        Ok(())
    }
}

fn read(views: &dyn ViewStore, ledger: &LedgerId, place: Place) -> Result<Vec<Hash>, TreeFault> {
    let level = place.level;
    let damaged = || TreeFault::Damaged { ledger: ledger.clone(), level };
    let bytes = views.get(&tile_key(ledger, place))?.ok_or_else(damaged)?;
    let (hashes, rest) = bytes.as_chunks();
    if rest.is_empty() {
        Ok(hashes.iter().map(|hash| Hash(*hash)).collect())
    } else {
        Err(damaged())
    }
}

fn prefix(ledger: &LedgerId) -> Vec<u8> {
    format!("tree/{ledger}/").into_bytes()
}

fn at_key(ledger: &LedgerId) -> Vec<u8> {
    [prefix(ledger).as_slice(), b"at"].concat()
}

fn tile_key(ledger: &LedgerId, place: Place) -> Vec<u8> {
    // A tree of 2^64 leaves has 8 levels of tiles.
    let level = u8::try_from(place.level).unwrap_or(u8::MAX);
    [prefix(ledger).as_slice(), &[b't', level], &place.index.to_be_bytes()].concat()
}

#[cfg(test)]
mod tests {
    use event_store::memory::MemoryViews;
    use proof::{merkle::Frontier, tree::root};

    use super::*;

    fn leaf(number: u64) -> Hash {
        Hash::of_leaf(&number.to_be_bytes())
    }

    fn ledger() -> LedgerId {
        LedgerId::new("main").unwrap()
    }

    fn open(views: &Arc<MemoryViews>) -> GrowingTree {
        let views: Arc<dyn ViewStore> = views.clone();
        GrowingTree::open(views, ledger()).unwrap()
    }

    #[test]
    fn a_tree_goes_on_where_it_was_stored_and_knows_every_root_before() {
        let views = Arc::new(MemoryViews::new());
        let (mut frontier, mut roots) = (Frontier::new(), vec![Hash::of_nothing()]);
        for number in 0..600 {
            frontier.push(leaf(number));
            roots.push(frontier.root());
        }
        let mut size = 0;
        for step in [1, 3, 250, 1, 1, 1, 44, 255, 44] {
            let mut tree = open(&views);
            assert_eq!(tree.size(), size);
            (size..size + step).for_each(|number| tree.push(leaf(number)));
            size += step;
            assert_eq!(tree.root(size).unwrap(), roots[usize::try_from(size).unwrap()]);
            tree.store().unwrap();
            assert_eq!(tree.unstored(), 0);
            for older in (0..=size).step_by(7).chain([size]) {
                let expected = roots[usize::try_from(older).unwrap()];
                assert_eq!(tree.root(older).unwrap(), expected, "{older} of {size}");
                let read = root(older, &mut |wanted| subtree(&*views, &ledger(), wanted));
                assert_eq!(read.unwrap(), expected, "{older} of {size}");
            }
        }
        assert_eq!(size, 600);
    }

    #[test]
    fn a_tree_that_is_damaged_or_of_another_form_begins_anew() {
        let views = Arc::new(MemoryViews::new());
        let written = || {
            let mut tree = open(&views);
            tree.forget().unwrap();
            (0..300).for_each(|number| tree.push(leaf(number)));
            tree.store().unwrap();
        };
        let edge = tile_key(&ledger(), Place { level: 0, index: 1 });
        let other_form = br#"{"form":2,"leaf_form":1,"size":300}"#.to_vec();
        let changes: [Change; 5] = [
            (edge.clone(), None),
            (edge.clone(), Some(vec![0; 33])),
            (edge, Some(vec![0; 32])),
            (at_key(&ledger()), Some(other_form)),
            (at_key(&ledger()), Some(b"{}".to_vec())),
        ];
        for change in changes {
            written();
            assert_eq!(open(&views).size(), 300);
            views.write(&[change]).unwrap();
            assert_eq!(open(&views).size(), 0);
            assert!(views.scan(b"tree/", None, 9).unwrap().is_empty());
        }
    }
}
