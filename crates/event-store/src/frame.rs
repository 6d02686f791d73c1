//! How a value is stored: compressed, cut into pieces, each with a digest that covers its key.
//!
//! ```text
//! +-----------+---------+---------+--------------+------------------------+
//! | digest 16 | parts 2 | packing | raw length 4 | bytes                  |
//! |           |   LE    |    1    |     LE       |                        |
//! +-----------+---------+---------+--------------+------------------------+
//! digest = first 16 bytes of SHA-256("tallyhook value 1" 0x0a || u64 LE length of the key || key
//!          || all that follows the digest)
//! ```
//!
//! All pieces of a value repeat parts, packing and raw length; their bytes, put together, are the
//! value as it is or one zstd frame. Since the digest covers the key, pieces can't be swapped.

use sha2::{Digest as _, Sha256};

use crate::{
    bytes::{Malformed, Reader, first_half, put_length},
    key::StoredKey,
};

/// The most bytes of one stored piece, its header included.
///
/// sled writes a leaf of up to 17 entries (20 after a merge) as one item, and an item of more than
/// a quarter of a segment goes into a file of its own that sled never syncs. 20 pieces and their
/// keys stay below a quarter of 8 MiB.
pub(crate) const PIECE_BYTES_MAX: usize = 96 * 1024;

const HEADER_BYTES: usize = 16 + 2 + 1 + 4;
const TAG: &[u8] = b"tallyhook value 1\n";

/// The most bytes of a value before compression: a body of the largest size, a form twice as
/// large, with room. What says to be larger is damaged.
const RAW_BYTES_MAX: usize = 16 << 20;

/// How the bytes of a value are packed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Packing {
    /// As they are.
    Plain,
    /// One zstd frame, level 1.
    Zstd,
}

/// What is stored under one key.
pub(crate) type Piece = (Vec<u8>, Vec<u8>);

/// Compresses with one context for many values.
pub(crate) struct Packer {
    zstd: zstd::bulk::Compressor<'static>,
}

/// A value could not be packed.
#[derive(Debug, thiserror::Error)]
pub(crate) enum PackFault {
    /// zstd failed.
    #[error("compress a value")]
    Zstd(#[from] std::io::Error),
    /// The value is larger than ours can be.
    #[error("store a value of {bytes} bytes")]
    TooLarge {
        /// Its size.
        bytes: usize,
    },
}

impl Packer {
    pub(crate) fn new() -> Result<Self, PackFault> {
        Ok(Self { zstd: zstd::bulk::Compressor::new(1)? })
    }

    /// Appends the pieces of a value to `out`.
    pub(crate) fn seal(
        &mut self,
        key: &StoredKey,
        packing: Packing,
        raw: &[u8],
        out: &mut Vec<Piece>,
    ) -> Result<(), PackFault> {
        if raw.len() > RAW_BYTES_MAX {
            return Err(PackFault::TooLarge { bytes: raw.len() });
        }
        match packing {
            Packing::Plain => cut(key, packing, raw.len(), raw, out),
            Packing::Zstd => cut(key, packing, raw.len(), &self.zstd.compress(raw)?, out),
        }
        Ok(())
    }
}

fn cut(key: &StoredKey, packing: Packing, raw_length: usize, bytes: &[u8], out: &mut Vec<Piece>) {
    const CUT: usize = PIECE_BYTES_MAX - HEADER_BYTES;
    let parts = bytes.len().div_ceil(CUT).max(1);
    // At most 16 MiB in pieces of 96 KiB: far below 65,536.
    let parts = u16::try_from(parts).unwrap_or(u16::MAX);
    for part in 0..parts {
        let start = usize::from(part).saturating_mul(CUT);
        let end = start.saturating_add(CUT).min(bytes.len());
        let key = key.at_part(part).encode();
        let mut rest = Vec::with_capacity(end.saturating_sub(start).saturating_add(HEADER_BYTES));
        rest.extend_from_slice(&[0; 16]);
        rest.extend_from_slice(&parts.to_le_bytes());
        rest.push(packing.tag());
        put_length(&mut rest, raw_length);
        rest.extend_from_slice(bytes.get(start..end).unwrap_or_default());
        if let Some((digest_space, covered)) = rest.split_first_chunk_mut() {
            *digest_space = digest(&key, covered);
        }
        out.push((key, rest));
    }
}

fn digest(key: &[u8], covered: &[u8]) -> [u8; 16] {
    let length = u64::try_from(key.len()).unwrap_or(u64::MAX).to_le_bytes();
    let hasher = Sha256::new().chain_update(TAG).chain_update(length).chain_update(key);
    let whole: [u8; 32] = hasher.chain_update(covered).finalize().into();
    first_half(&whole)
}

impl Packing {
    const fn tag(self) -> u8 {
        match self {
            Self::Plain => 0,
            Self::Zstd => 1,
        }
    }
}

/// Why stored pieces are not what was written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum FrameFault {
    #[error("the digest of a stored value does not fit its bytes")]
    Digest,
    #[error("a stored value is cut or malformed")]
    Malformed,
    #[error("a stored value is packed in way {0}: it was written by a newer program; upgrade")]
    PackingUnknown(u8),
    #[error("a piece of a stored value is missing")]
    PartMissing,
    #[error("a stored value does not decompress")]
    Compression,
}

impl From<Malformed> for FrameFault {
    fn from(Malformed: Malformed) -> Self {
        Self::Malformed
    }
}

/// One piece, its digest checked.
struct Part<'a> {
    parts: u16,
    packing: Packing,
    raw_length: usize,
    bytes: &'a [u8],
}

impl<'a> Part<'a> {
    fn open(key: &[u8], stored: &'a [u8]) -> Result<Self, FrameFault> {
        let mut reader = Reader::new(stored);
        let said: [u8; 16] = reader.array()?;
        if said != digest(key, reader.rest()) {
            return Err(FrameFault::Digest);
        }
        let parts = u16::from_le_bytes(reader.array()?);
        let packing = match reader.array()? {
            [0] => Packing::Plain,
            [1] => Packing::Zstd,
            [other] => return Err(FrameFault::PackingUnknown(other)),
        };
        let raw_length = reader.length()?;
        if parts == 0 || raw_length > RAW_BYTES_MAX {
            return Err(FrameFault::Malformed);
        }
        Ok(Self { parts, packing, raw_length, bytes: reader.rest() })
    }
}

/// A value that was checked and unpacked.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Opened {
    pub(crate) raw: Vec<u8>,
    /// In how many pieces it is stored.
    pub(crate) parts: u16,
}

/// Checks the pieces of one value, which `piece` hands out by their part, and unpacks it.
///
/// The outer error is that of `piece`.
pub(crate) fn open<B: AsRef<[u8]>, E>(
    key: &StoredKey,
    mut piece: impl FnMut(&[u8]) -> Result<Option<B>, E>,
) -> Result<Result<Opened, FrameFault>, E> {
    let mut joined = Vec::new();
    let mut number = 0_u16;
    loop {
        let key = key.at_part(number).encode();
        let Some(stored) = piece(&key)? else { return Ok(Err(FrameFault::PartMissing)) };
        let part = match Part::open(&key, stored.as_ref()) {
            Ok(part) => part,
            Err(fault) => return Ok(Err(fault)),
        };
        number = number.saturating_add(1);
        if part.parts == 1 && number == 1 {
            return Ok(unpack(&part, part.bytes));
        }
        joined.extend_from_slice(part.bytes);
        if number >= part.parts {
            return Ok(unpack(&part, &joined));
        }
    }
}

fn unpack(part: &Part<'_>, bytes: &[u8]) -> Result<Opened, FrameFault> {
    let raw = match part.packing {
        Packing::Plain => bytes.to_vec(),
        Packing::Zstd => {
            zstd::bulk::decompress(bytes, part.raw_length).map_err(|_| FrameFault::Compression)?
        }
    };
    let opened = Opened { raw, parts: part.parts };
    if opened.raw.len() == part.raw_length { Ok(opened) } else { Err(FrameFault::Malformed) }
}

#[cfg(test)]
mod tests {
    use std::{collections::BTreeMap, convert::Infallible};

    use domain::ids::{LedgerId, Sequence};
    use rand::{RngCore as _, SeedableRng as _, rngs::StdRng};

    use super::*;
    use crate::key::Kind;

    fn key() -> StoredKey {
        StoredKey::first(Kind::Bodies, LedgerId::new("main").unwrap(), Sequence::FIRST)
    }

    fn sealed(packing: Packing, raw: &[u8]) -> BTreeMap<Vec<u8>, Vec<u8>> {
        let mut out = Vec::new();
        Packer::new().unwrap().seal(&key(), packing, raw, &mut out).unwrap();
        out.into_iter().collect()
    }

    fn opened(pieces: &BTreeMap<Vec<u8>, Vec<u8>>) -> Result<Vec<u8>, FrameFault> {
        let Ok(opened) = open(&key(), |key| Ok::<_, Infallible>(pieces.get(key)));
        opened.map(|opened| opened.raw)
    }

    #[test]
    fn values_of_any_size_come_back() {
        let mut random = vec![0; 1 << 20];
        StdRng::seed_from_u64(1).fill_bytes(&mut random);
        for length in [0, 1, 1000, PIECE_BYTES_MAX - HEADER_BYTES, PIECE_BYTES_MAX, 1 << 20] {
            for packing in [Packing::Plain, Packing::Zstd] {
                let pieces = sealed(packing, &random[..length]);
                assert!(pieces.values().all(|piece| piece.len() <= PIECE_BYTES_MAX));
                assert_eq!(opened(&pieces).unwrap(), &random[..length]);
            }
        }
    }

    #[test]
    fn any_flipped_swapped_or_missing_byte_is_found() {
        let good = sealed(Packing::Zstd, b"some text, some text, some text");
        let piece = good.values().next().unwrap().clone();
        for at in 0..piece.len() {
            let mut bad = good.clone();
            bad.values_mut().next().unwrap()[at] ^= 1;
            assert_eq!(opened(&bad), Err(FrameFault::Digest));
        }
        let mut two = sealed(Packing::Plain, &[7; PIECE_BYTES_MAX]);
        let keys: Vec<_> = two.keys().cloned().collect();
        let (a, b) = (two[&keys[0]].clone(), two[&keys[1]].clone());
        two.insert(keys[0].clone(), b);
        two.insert(keys[1].clone(), a);
        assert_eq!(opened(&two), Err(FrameFault::Digest));
        two.remove(&keys[0]);
        assert_eq!(opened(&two), Err(FrameFault::PartMissing));
    }
}
