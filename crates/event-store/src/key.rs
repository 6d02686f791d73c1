//! The keys of stored values.
//!
//! ```text
//! kind 1 | length of ledger id 1 | ledger id | number 8, big-endian | item 2, BE | part 2, BE
//! ```
//!
//! | kind | value | number | item |
//! | --- | --- | --- | --- |
//! | `b` | a block of bodies | its first sequence | 0 |
//! | `r` | a block of records | its first sequence | 0 |
//! | `x` | the head of an index run | the run's last sequence | 0 |
//! | `y` | a chunk of an index run | the run's last sequence | the chunk, from 0 |
//!
//! The part counts the pieces of a value that is too large for one (see [`crate::frame`]). Keys
//! of one kind and ledger sort by number, item and part.

use domain::ids::{LedgerId, Sequence};

use crate::{
    bytes::{Malformed, Reader},
    log::Place,
};

/// What a stored value is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Kind {
    Bodies,
    Records,
    RunHead,
    RunChunk,
}

impl Kind {
    /// In the order of their keys.
    pub(crate) const ALL: [Self; 4] = [Self::Bodies, Self::Records, Self::RunHead, Self::RunChunk];

    /// The first byte of the keys.
    pub(crate) const fn tag(self) -> u8 {
        match self {
            Self::Bodies => b'b',
            Self::Records => b'r',
            Self::RunHead => b'x',
            Self::RunChunk => b'y',
        }
    }
}

/// The key of a stored value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct StoredKey {
    pub(crate) kind: Kind,
    pub(crate) ledger: LedgerId,
    pub(crate) number: Sequence,
    pub(crate) item: u16,
    pub(crate) part: u16,
}

impl StoredKey {
    /// The key of the first piece of item 0.
    pub(crate) const fn first(kind: Kind, ledger: LedgerId, number: Sequence) -> Self {
        Self { kind, ledger, number, item: 0, part: 0 }
    }

    /// The key of another piece of the same value.
    pub(crate) fn at_part(&self, part: u16) -> Self {
        Self { part, ..self.clone() }
    }

    /// The key of another item with the same number.
    pub(crate) fn at_item(&self, item: u16) -> Self {
        Self { item, ..self.clone() }
    }

    /// What a person is told.
    pub(crate) const fn place(&self) -> Place {
        match self.kind {
            Kind::Bodies => Place::Bodies(self.number),
            Kind::Records => Place::Records(self.number),
            Kind::RunHead | Kind::RunChunk => Place::Index(self.number),
        }
    }

    pub(crate) fn encode(&self) -> Vec<u8> {
        let mut out = prefix(self.kind, &self.ledger);
        out.extend_from_slice(&self.number.get().to_be_bytes());
        out.extend_from_slice(&self.item.to_be_bytes());
        out.extend_from_slice(&self.part.to_be_bytes());
        out
    }

    /// Reads a key strictly.
    pub(crate) fn decode(bytes: &[u8]) -> Result<Self, Malformed> {
        let mut reader = Reader::new(bytes);
        let [tag, length] = reader.array()?;
        let kind = Kind::ALL.into_iter().find(|kind| kind.tag() == tag).ok_or(Malformed)?;
        let ledger = reader.take(usize::from(length))?;
        let ledger = std::str::from_utf8(ledger).map_err(|_| Malformed)?;
        let ledger = LedgerId::new(ledger).map_err(|_| Malformed)?;
        let number = Sequence::new(u64::from_be_bytes(reader.array()?)).ok_or(Malformed)?;
        let item = u16::from_be_bytes(reader.array()?);
        let part = u16::from_be_bytes(reader.array()?);
        if reader.is_empty() {
            Ok(Self { kind, ledger, number, item, part })
        } else {
            Err(Malformed)
        }
    }
}

/// What all keys of one kind and ledger start with.
pub(crate) fn prefix(kind: Kind, ledger: &LedgerId) -> Vec<u8> {
    let id = ledger.as_str().as_bytes();
    let mut out = Vec::with_capacity(id.len().saturating_add(14));
    // A ledger's id has at most 64 bytes.
    out.extend_from_slice(&[kind.tag(), u8::try_from(id.len()).unwrap_or(u8::MAX)]);
    out.extend_from_slice(id);
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(number: u64, item: u16, part: u16) -> StoredKey {
        let ledger = LedgerId::new("main").unwrap();
        let number = Sequence::new(number).unwrap();
        StoredKey { kind: Kind::RunChunk, ledger, number, item, part }
    }

    #[test]
    fn keys_come_back_and_sort_by_number_item_and_part() {
        let keys = [key(1, 0, 9), key(1, 7, 0), key(255, 0, 0), key(256, 0, 0), key(1 << 40, 0, 0)];
        for pair in keys.windows(2) {
            assert!(pair[0].encode() < pair[1].encode());
            assert_eq!(StoredKey::decode(&pair[0].encode()), Ok(pair[0].clone()));
        }
    }

    #[test]
    fn other_bytes_are_no_keys() {
        let good = key(1, 0, 0).encode();
        assert_eq!(StoredKey::decode(&good[1..]), Err(Malformed));
        assert_eq!(StoredKey::decode(&good[..good.len() - 1]), Err(Malformed));
        assert_eq!(StoredKey::decode(&[good, vec![0]].concat()), Err(Malformed));
    }
}
