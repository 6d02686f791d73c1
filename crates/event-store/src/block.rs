//! What is packed together: the records of a group in one block, their bodies in others, so that
//! folding the log never reads a body.
//!
//! ```text
//! records: first sequence 8 LE | count 4 LE | hash before 32 | count x length 4 LE | forms
//! bodies:  first sequence 8 LE | count 4 LE |                  count x length 4 LE | bodies
//! ```
//!
//! Both kinds are gapless from the first record, each by itself, and every record has a body, if
//! an empty one. A block ends with its group, or before it would become larger than
//! [`BLOCK_BYTES_MAX`]; a single record or body of more has a block alone.

use domain::ids::Sequence;

use crate::{
    bytes::{Malformed, Reader, put_length},
    chain::Hash,
};

/// The most bytes of a block of two or more entries before compression, its head apart.
pub(crate) const BLOCK_BYTES_MAX: usize = 256 * 1024;

/// Where in a list of entries with these lengths the blocks end: every range is one block.
pub(crate) fn cuts(lengths: impl Iterator<Item = usize>) -> Vec<std::ops::Range<usize>> {
    let mut cuts = Vec::new();
    let (mut start, mut end, mut bytes) = (0_usize, 0_usize, 0_usize);
    for length in lengths {
        let joined = bytes.saturating_add(length);
        if joined > BLOCK_BYTES_MAX && end > start {
            cuts.push(start..end);
            start = end;
            bytes = length;
        } else {
            bytes = joined;
        }
        end = end.saturating_add(1);
    }
    if end > start {
        cuts.push(start..end);
    }
    cuts
}

/// Entries of consecutive records.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Entries<'a> {
    first: Sequence,
    count: usize,
    lengths: &'a [u8],
    bytes: &'a [u8],
}

/// A block of records: their forms, and the hash of the record before the first.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Records<'a> {
    pub(crate) before: Hash,
    pub(crate) forms: Entries<'a>,
}

impl<'a> Records<'a> {
    pub(crate) fn encode<B: AsRef<[u8]>>(first: Sequence, before: Hash, forms: &[B]) -> Vec<u8> {
        let mut out = head(first, forms);
        out.extend_from_slice(before.bytes());
        put_entries(&mut out, forms);
        out
    }

    /// Reads a block strictly.
    pub(crate) fn decode(raw: &'a [u8]) -> Result<Self, Malformed> {
        let mut reader = Reader::new(raw);
        let (first, count) = take_head(&mut reader)?;
        let before = Hash::from_bytes(reader.array()?);
        Ok(Self { before, forms: Entries::decode(first, count, &mut reader)? })
    }
}

/// A block of bodies.
pub(crate) fn encode_bodies<B: AsRef<[u8]>>(first: Sequence, bodies: &[B]) -> Vec<u8> {
    let mut out = head(first, bodies);
    put_entries(&mut out, bodies);
    out
}

/// Reads a block of bodies strictly.
pub(crate) fn decode_bodies(raw: &[u8]) -> Result<Entries<'_>, Malformed> {
    let mut reader = Reader::new(raw);
    let (first, count) = take_head(&mut reader)?;
    Entries::decode(first, count, &mut reader)
}

impl<'a> Entries<'a> {
    fn decode(first: Sequence, count: usize, reader: &mut Reader<'a>) -> Result<Self, Malformed> {
        let lengths = reader.take(count.checked_mul(4).ok_or(Malformed)?)?;
        let entries = Self { first, count, lengths, bytes: reader.rest() };
        let total: usize = entries.lengths().try_fold(0, usize::checked_add).ok_or(Malformed)?;
        // An entry's length and the last sequence must be possible.
        let last = u64::try_from(count).ok().and_then(|count| first.get().checked_add(count));
        if count == 0 || total != entries.bytes.len() || last.is_none() {
            return Err(Malformed);
        }
        Ok(entries)
    }

    pub(crate) const fn first(&self) -> Sequence {
        self.first
    }

    /// The sequence of the last entry.
    pub(crate) fn last(&self) -> Sequence {
        let more = u64::try_from(self.count.saturating_sub(1)).unwrap_or(u64::MAX);
        Sequence::new(self.first.get().saturating_add(more)).unwrap_or(self.first)
    }

    /// The entries in order, each with its sequence.
    pub(crate) fn iter(&self) -> impl Iterator<Item = (Sequence, &'a [u8])> + use<'a> {
        let mut rest = self.bytes;
        let mut sequence = self.first;
        self.lengths().map(move |length| {
            let (entry, after) = rest.split_at_checked(length).unwrap_or((rest, &[]));
            rest = after;
            let this = sequence;
            sequence = sequence.next();
            (this, entry)
        })
    }

    fn lengths(&self) -> impl Iterator<Item = usize> + use<'a> {
        let lengths = self.lengths.as_chunks().0.iter();
        lengths.map(|bytes| usize::try_from(u32::from_le_bytes(*bytes)).unwrap_or(usize::MAX))
    }
}

fn head<B>(first: Sequence, entries: &[B]) -> Vec<u8> {
    let mut out = first.get().to_le_bytes().to_vec();
    put_length(&mut out, entries.len());
    out
}

fn take_head(reader: &mut Reader<'_>) -> Result<(Sequence, usize), Malformed> {
    let first = Sequence::new(reader.u64()?).ok_or(Malformed)?;
    Ok((first, reader.length()?))
}

fn put_entries<B: AsRef<[u8]>>(out: &mut Vec<u8>, entries: &[B]) {
    for entry in entries {
        put_length(out, entry.as_ref().len());
    }
    for entry in entries {
        out.extend_from_slice(entry.as_ref());
    }
}

#[cfg(test)]
mod tests {
    use domain::ids::LedgerId;

    use super::*;

    #[test]
    fn blocks_end_before_they_become_too_large() {
        let third = BLOCK_BYTES_MAX / 3;
        assert_eq!(cuts([third; 4].into_iter()), [0..3, 3..4]);
        assert_eq!(cuts([1, 1 << 20, 1].into_iter()), [0..1, 1..2, 2..3]);
        assert_eq!(cuts([0; 1000].into_iter()).len(), 1);
        assert_eq!(cuts([].into_iter()), []);
    }

    #[test]
    fn blocks_come_back() {
        let first = Sequence::new(7).unwrap();
        let before = Hash::genesis(&LedgerId::new("main").unwrap());
        let raw = Records::encode(first, before, &["ab", "", "cde"]);
        let block = Records::decode(&raw).unwrap();
        let entries: Vec<_> = block.forms.iter().map(|(at, form)| (at.get(), form)).collect();
        assert_eq!(entries, [(7, b"ab".as_slice()), (8, b""), (9, b"cde")]);
        assert_eq!((block.before, block.forms.last().get()), (before, 9));

        let raw = encode_bodies(first, &["ab", "", "cde"]);
        assert_eq!(decode_bodies(&raw).unwrap().iter().count(), 3);
        assert_eq!(decode_bodies(&raw[..raw.len() - 1]), Err(Malformed));
        assert_eq!(decode_bodies(&encode_bodies::<&str>(first, &[])), Err(Malformed));
    }
}
