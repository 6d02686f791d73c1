//! The store's own readers of bytes that may be anything: for fuzzing, under the feature `tamper`.
//!
//! What is accepted comes back as the bytes that the store would write for it, so that a caller
//! sees whether there is one form for each value without knowing the types.

use std::convert::Infallible;

use domain::ids::{LedgerId, Sequence};

use crate::{
    block::{self, Entries, Records},
    frame::{self, PackFault, Packer, Packing, Piece},
    high_water,
    index::RunHead,
    key::{Kind, StoredKey},
};

/// Reads a key and writes it again.
#[must_use]
pub fn key(bytes: &[u8]) -> Option<Vec<u8>> {
    StoredKey::decode(bytes).ok().map(|key| key.encode())
}

/// The key of the first block of records, to which values are stored for the sake of a test.
///
/// # Panics
/// Never: the id is one.
#[must_use]
pub fn first_key() -> Vec<u8> {
    first().encode()
}

fn first() -> StoredKey {
    let ledger = LedgerId::new("main").expect("the text is an id");
    StoredKey::first(Kind::Records, ledger, Sequence::FIRST)
}

/// The pieces of a value under [`first_key`], each with its key: compressed or as it is.
///
/// # Errors
/// The value is larger than ours can be.
pub fn compressed(raw: &[u8]) -> Result<Vec<(Vec<u8>, Vec<u8>)>, impl std::error::Error> {
    sealed(Packing::Zstd, raw)
}

/// The pieces of a value under [`first_key`], each with its key: not compressed.
///
/// # Errors
/// The value is larger than ours can be.
pub fn plain(raw: &[u8]) -> Result<Vec<(Vec<u8>, Vec<u8>)>, impl std::error::Error> {
    sealed(Packing::Plain, raw)
}

fn sealed(packing: Packing, raw: &[u8]) -> Result<Vec<Piece>, PackFault> {
    let mut pieces = Vec::new();
    Packer::new()?.seal(&first(), packing, raw, &mut pieces)?;
    Ok(pieces)
}

/// Opens the value under [`first_key`], whose pieces `piece` hands out by their keys.
pub fn opened(mut piece: impl FnMut(&[u8]) -> Option<Vec<u8>>) -> Option<Vec<u8>> {
    let Ok(opened) = frame::open(&first(), |key| Ok::<_, Infallible>(piece(key)));
    opened.ok().map(|opened| opened.raw)
}

/// Reads a block of records and writes it again.
#[must_use]
pub fn records(raw: &[u8]) -> Option<Vec<u8>> {
    let Records { before, forms } = Records::decode(raw).ok()?;
    Some(Records::encode(forms.first(), before, &entries(forms)))
}

/// Reads a block of bodies and writes it again.
#[must_use]
pub fn bodies(raw: &[u8]) -> Option<Vec<u8>> {
    let bodies = block::decode_bodies(raw).ok()?;
    Some(block::encode_bodies(bodies.first(), &entries(bodies)))
}

fn entries(entries: Entries<'_>) -> Vec<&[u8]> {
    let mut last = None;
    let all = entries.iter().map(|(sequence, entry)| {
        last = Some(sequence);
        entry
    });
    let all = all.collect();
    assert_eq!(last, Some(entries.last()), "the last entry has the last sequence");
    all
}

/// Reads the head of an index run and writes it again.
#[must_use]
pub fn run_head(raw: &[u8]) -> Option<Vec<u8>> {
    RunHead::decode(raw).ok().map(|head| head.encode())
}

/// Looks a mark up in a run: its sequences in a chunk that has it by the head, if both can be read.
#[must_use]
pub fn looked_up(head: &[u8], chunk: &[u8], mark: [u8; 16]) -> Option<Vec<u64>> {
    let head = RunHead::decode(head).ok()?;
    let mark = mark.into();
    let chunks = head.chunks_of(mark);
    assert!(chunks.end <= head.chunk_count(), "a chunk is one of the run's");
    let found = head.read_chunk(chunk, mark).ok()?;
    Some(found.into_iter().map(Sequence::get).collect())
}

/// Reads the text of a high-water file and writes it again.
#[must_use]
pub fn high_water(bytes: &[u8]) -> Option<Vec<u8>> {
    high_water::parse(bytes).map(|noted| noted.text().into_bytes())
}
