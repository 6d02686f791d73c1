//! One ledger's tree and what was signed of it.

use std::{io, path::PathBuf, sync::Arc};

use audit::leaf::leaf_hash;
use domain::ids::{LedgerId, Sequence};
use event_store::{
    log::{EventLog, ReadError},
    views::ViewStore,
};
use proof::{
    checkpoint::{Checkpoint, Published},
    note::{Signer, VerifierKey},
    tree::Subtree,
};

use super::{
    file::CheckpointFile,
    tree::{GrowingTree, TreeFault},
};

/// How many records are read at once.
const CHUNK: usize = 1_024;

/// After so many records the tree is stored, whether it is signed or not: what a start has to read
/// again after a crash.
const UNSTORED_MAX: u64 = 65_536;

/// How many chunks are still read when the server stops.
pub(super) const CLOSING_CHUNKS_MAX: u32 = 64;

/// A ledger, its tree, and the newest checkpoint that was published.
pub(super) struct Book {
    pub(super) ledger: LedgerId,
    /// Whether it was to be signed and could not be, so that the next turn tries again.
    pub(super) is_owed: bool,
    signer: Signer,
    views: Arc<dyn ViewStore>,
    /// None before the first turn.
    tree: Option<GrowingTree>,
    published: Option<Published>,
    /// Whether the tree was made from the log in this run, from its first record on.
    is_rebuilt: bool,
    /// Why nothing is ever signed any more in this run.
    refused: Option<Contradiction>,
}

/// The log is not the one that was signed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Contradiction {
    #[error(
        "the log has {size} records and a checkpoint of {published} was published: an older log was \
         restored, or records were removed; run `tallyhook audit verify --checkpoint`"
    )]
    Shorter { size: u64, published: u64 },
    #[error(
        "the log's first {published} records are not those of a checkpoint that was published: \
         somebody changed the log; run `tallyhook audit verify --checkpoint`"
    )]
    Changed { published: u64 },
}

/// Why a checkpoint was not signed, or what is strange about those that were.
#[derive(Debug, thiserror::Error)]
pub(crate) enum SignFault {
    /// It never will be.
    #[error(transparent)]
    Refused(#[from] Contradiction),
    /// The log can't be read.
    #[error(transparent)]
    Log(#[from] ReadError),
    /// The tree can't be read or stored.
    #[error(transparent)]
    Tree(#[from] TreeFault),
    /// The note could not be added to the file.
    #[error("add a checkpoint to {}", path.display())]
    File { path: PathBuf, source: io::Error },
    /// Somebody else writes where this server's are; its own are signed and published all the same.
    #[error(
        "message {place} of the stream TALLYHOOK_CHECKPOINTS is no checkpoint that this server's key \
         signed: the key was changed, another server has the same ledger on this broker, or a user \
         of the broker may publish what only this server should"
    )]
    Strange { place: u64 },
}

impl Book {
    pub(super) fn new(
        ledger: LedgerId,
        signer: Signer,
        views: Arc<dyn ViewStore>,
        published: Option<Published>,
    ) -> Self {
        let (tree, is_rebuilt, refused) = (None, false, None);
        Self { ledger, is_owed: false, signer, views, tree, published, is_rebuilt, refused }
    }

    /// Whom its checkpoints are believed from.
    pub(super) const fn verifier(&self) -> &VerifierKey {
        self.signer.verifier()
    }

    /// Adds the records that are new in the log, and holds the tree to what was published: by us,
    /// and by what the broker has. `true` when all of that was compared.
    pub(super) fn follow(
        &mut self,
        log: &dyn EventLog,
        seen: Option<Published>,
        stop: &mut dyn FnMut() -> bool,
    ) -> Result<bool, SignFault> {
        if let Some(refused) = &self.refused {
            return Err(refused.clone().into());
        }
        // What fails here is opened again at the next turn, as far as it is stored.
        let mut tree = match self.tree.take() {
            Some(tree) => tree,
            None => self.open(log)?,
        };
        let is_whole = read(&mut tree, log, &self.ledger, stop)?;
        let mut is_held = true;
        for published in [seen, self.published.clone()].into_iter().flatten() {
            // A log that is not read to its end yet may still get there.
            let is_far_enough = is_whole || tree.size() >= published.checkpoint.size;
            is_held = is_held
                && is_far_enough
                && self.hold(&mut tree, log, &published.checkpoint, stop)?;
        }
        self.tree = Some(tree);
        Ok(is_held)
    }

    /// Signs the tree, which is held to what was published, where it has more than that or the key
    /// is another, and adds the note to the file.
    pub(super) fn sign(
        &mut self,
        file: &mut CheckpointFile,
    ) -> Result<Option<Published>, SignFault> {
        let Some(tree) = &mut self.tree else { return Ok(None) };
        tree.store()?;
        let published = self.published.as_ref().map_or(0, |known| known.checkpoint.size);
        // With a new key or name what is known is signed anew, so that it is believed by that.
        let is_believed = self.published.as_ref().is_some_and(|known| {
            Checkpoint::open(&known.note, std::slice::from_ref(self.signer.verifier())).is_ok()
        });
        if tree.size() < published || tree.size() == published && is_believed || tree.size() == 0 {
            return Ok(None);
        }
        let origin = self.signer.verifier().name().to_owned();
        let checkpoint = Checkpoint { origin, size: tree.size(), root: tree.root(tree.size())? };
        let note = checkpoint.sign(&self.signer);
        file.add(&note)
            .map_err(|source| SignFault::File { path: file.path().to_owned(), source })?;
        let published = Published { checkpoint, note };
        self.published = Some(published.clone());
        Ok(Some(published))
    }

    /// The stored tree, if it is of this log: the last leaf covers, by the chain, all before it.
    fn open(&self, log: &dyn EventLog) -> Result<GrowingTree, SignFault> {
        let mut tree = GrowingTree::open(Arc::clone(&self.views), self.ledger.clone())?;
        let Some(last) = Sequence::new(tree.size()) else { return Ok(tree) };
        let recorded = log.read(&self.ledger, last)?;
        let expected = recorded.map(|recorded| leaf_hash(&self.ledger, &recorded));
        let index = tree.size().saturating_sub(1);
        if Some(tree.subtree(Subtree { level: 0, index })?) != expected {
            tree.forget()?;
        }
        Ok(tree)
    }

    /// Checks that the tree goes on from a checkpoint. A stored tree that doesn't may be damaged, so
    /// it is made again from the log before that is said; `false` when that was stopped.
    fn hold(
        &mut self,
        tree: &mut GrowingTree,
        log: &dyn EventLog,
        published: &Checkpoint,
        stop: &mut dyn FnMut() -> bool,
    ) -> Result<bool, SignFault> {
        let mut found = contradiction(tree, published);
        if !self.is_rebuilt && !matches!(found, Ok(None)) {
            self.is_rebuilt = true;
            tree.forget()?;
            if !read(tree, log, &self.ledger, stop)? {
                self.is_rebuilt = false;
                return Ok(false);
            }
            found = contradiction(tree, published);
        }
        match found? {
            None => Ok(true),
            Some(contradiction) => {
                self.refused = Some(contradiction.clone());
                Err(contradiction.into())
            }
        }
    }
}

/// Reads the records that the tree doesn't have yet; `false` when it was told to stop before.
fn read(
    tree: &mut GrowingTree,
    log: &dyn EventLog,
    ledger: &LedgerId,
    stop: &mut dyn FnMut() -> bool,
) -> Result<bool, SignFault> {
    loop {
        let records = log.scan(ledger, Sequence::new(tree.size()), CHUNK)?;
        if records.is_empty() {
            return Ok(true);
        }
        for recorded in &records {
            tree.push(leaf_hash(ledger, recorded));
        }
        if tree.unstored() >= UNSTORED_MAX {
            tree.store()?;
        }
        if stop() {
            return Ok(false);
        }
    }
}

/// What is wrong with a tree that should go on from a checkpoint.
fn contradiction(
    tree: &GrowingTree,
    published: &Checkpoint,
) -> Result<Option<Contradiction>, TreeFault> {
    let (size, published_size) = (tree.size(), published.size);
    if size < published_size {
        return Ok(Some(Contradiction::Shorter { size, published: published_size }));
    }
    let is_same = tree.root(published_size)? == published.root;
    Ok((!is_same).then_some(Contradiction::Changed { published: published_size }))
}
