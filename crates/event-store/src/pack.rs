//! What a group becomes: the pieces to store and the heads after it. Pure but for the compressor.

use std::{collections::BTreeMap, ops::Range};

use domain::ids::LedgerId;

use crate::{
    block::{self, Records},
    chain::Hash,
    form,
    frame::{PackFault, Packer, Packing, Piece},
    index::Run,
    key::{Kind, StoredKey},
    log::{Append, Head},
};

/// What a group becomes.
#[derive(Debug)]
pub(crate) struct Packed {
    pub(crate) pieces: Vec<Piece>,
    /// The heads of the ledgers that the group has records of, once it is stored.
    pub(crate) heads: BTreeMap<LedgerId, Head>,
}

impl Packed {
    /// The size of what is to be stored.
    pub(crate) fn bytes(&self) -> u64 {
        let bytes = |(key, value): &Piece| key.len().saturating_add(value.len());
        let total = self.pieces.iter().map(bytes).fold(0, usize::saturating_add);
        u64::try_from(total).unwrap_or(u64::MAX)
    }
}

/// Packs a group whose records follow the heads.
pub(crate) fn pack(
    packer: &mut Packer,
    group: &[Append],
    head: impl Fn(&LedgerId) -> Option<Head>,
) -> Result<Packed, PackFault> {
    let mut by_ledger: BTreeMap<&LedgerId, Vec<&Append>> = BTreeMap::new();
    for append in group {
        by_ledger.entry(&append.ledger).or_default().push(append);
    }
    let mut packed = Packed { pieces: Vec::new(), heads: BTreeMap::new() };
    for (ledger, appends) in by_ledger {
        let before = head(ledger).map_or_else(|| Hash::genesis(ledger), |head| head.hash);
        let last = pack_records(packer, &appends, before, &mut packed.pieces)?;
        pack_bodies(packer, &appends, &mut packed.pieces)?;
        if let Some(append) = appends.last() {
            let (sequence, recorded_at) = (append.record.sequence, append.record.recorded_at);
            packed.heads.insert(ledger.clone(), Head { sequence, recorded_at, hash: last });
        }
    }
    Ok(packed)
}

/// Packs the records of one ledger and returns the hash of the last.
fn pack_records(
    packer: &mut Packer,
    appends: &[&Append],
    before: Hash,
    out: &mut Vec<Piece>,
) -> Result<Hash, PackFault> {
    let forms: Vec<Vec<u8>> =
        appends.iter().map(|append| form::record::encode(&append.record)).collect();
    let mut hash = before;
    for cut in block::cuts(forms.iter().map(Vec::len)) {
        let forms = forms.get(cut.clone()).unwrap_or_default();
        if let Some(key) = key(Kind::Records, appends, &cut) {
            let raw = Records::encode(key.number, hash, forms);
            packer.seal(&key, Packing::Zstd, &raw, out)?;
        }
        hash = forms.iter().fold(hash, |hash, form| hash.then(form));
    }
    Ok(hash)
}

fn pack_bodies(
    packer: &mut Packer,
    appends: &[&Append],
    out: &mut Vec<Piece>,
) -> Result<(), PackFault> {
    for cut in block::cuts(appends.iter().map(|append| append.body.len())) {
        let bodies = appends.get(cut.clone()).unwrap_or_default().iter();
        let bodies: Vec<&[u8]> = bodies.map(|append| &*append.body).collect();
        if let Some(key) = key(Kind::Bodies, appends, &cut) {
            let raw = block::encode_bodies(key.number, &bodies);
            packer.seal(&key, Packing::Zstd, &raw, out)?;
        }
    }
    Ok(())
}

/// The key of a block: that of its first record.
fn key(kind: Kind, appends: &[&Append], cut: &Range<usize>) -> Option<StoredKey> {
    let first = appends.get(cut.start)?;
    Some(StoredKey::first(kind, first.ledger.clone(), first.record.sequence))
}

/// Packs an index run.
pub(crate) fn pack_run(
    packer: &mut Packer,
    ledger: &LedgerId,
    run: &Run,
    out: &mut Vec<Piece>,
) -> Result<(), PackFault> {
    let head = StoredKey::first(Kind::RunHead, ledger.clone(), run.head.last);
    packer.seal(&head, Packing::Plain, &run.head.encode(), out)?;
    let chunks = StoredKey::first(Kind::RunChunk, ledger.clone(), run.head.last);
    for (item, chunk) in (0_u16..).zip(&run.chunks) {
        packer.seal(&chunks.at_item(item), Packing::Plain, chunk, out)?;
    }
    Ok(())
}
