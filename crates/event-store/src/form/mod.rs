//! The stored form: the one way in which records and views are written as bytes.
//!
//! [`record`] is the unit of the log, [`entity`] the state that views keep. Both are put together
//! from the same primitives, one value after the other, without padding and without field names:
//!
//! | value | bytes |
//! | --- | --- |
//! | version of a form | 1, the first of every encoded record or entity |
//! | tag of a variant | 1, from 1; the tables in this module say which |
//! | flag, option, list and map | flag: `00` or `01`; option: a flag, then the value if `01`; list: count `v`, then the values; map: count `v`, then key and value in turn |
//! | `v`: whole number | 1 to 10, LEB128: seven bits a byte, low bits first, the high bit says that more follow |
//! | `z`: number with a sign | `v` of zigzag (0, -1, 1, -2, .. as 0, 1, 2, 3, ..); 1 to 19 |
//! | text | length in bytes `v`, then UTF-8 |
//! | moment | 8, microseconds since 1970-01-01T00:00:00Z, two's complement, big-endian |
//! | credits | `z` billionths |
//! | money | `z` minor units |
//! | currency | 3, ISO 4217 |
//! | digest / id of an operation | 32 / 16, as they stand |
//!
//! Every value has exactly one form: numbers are as short as they can be, keys of maps and sets
//! rise strictly, nothing follows the end. So what was read writes back to the same bytes, which
//! the hash chain relies on.
//!
//! The tables (`table`) fix the order of fields and the number of each variant. Of a form that
//! was ever written, neither changes: a new variant takes the next number, a new field takes a new
//! version of the form; `order` shows how a variant got a field. Keys of maps and sets in a
//! record are ordered by their text, and variants by their numbers, which their declaration follows.
//!
//! Never here: I/O, compression, hashes, serde, and allocations beyond what the input's length
//! warrants.

pub mod entity;
pub mod record;

mod case;
mod container;
mod decision;
mod exception;
mod ids;
mod input;
mod notice;
mod order;
mod payment;
mod policy;
mod primitive;
mod refunds;
mod table;
mod usage;

#[cfg(test)]
pub(crate) mod arbitrary;
#[cfg(test)]
mod tests;

use domain::policy::Policy;

pub(crate) use primitive::{Reader, Writer};

/// Why bytes are no stored form. Offsets count from the form's first byte.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum FormFault {
    /// A newer program wrote it; or, where no digest covers it, it is damaged.
    #[error(
        "version {found} of the stored form is not known, the newest known is {newest}{}",
        if found > newest { ": it was written by a newer program; upgrade" } else { "" }
    )]
    VersionUnknown {
        /// The version that it says.
        found: u8,
        /// The newest version that this program knows.
        newest: u8,
    },
    /// More bytes are needed than there are.
    #[error("the bytes end at {offset}, in the middle of a value")]
    EndedEarly {
        /// Where they end.
        offset: usize,
    },
    /// No variant has this number.
    #[error("no {of} has the tag {tag}, at byte {offset}")]
    TagUnknown {
        /// What should be there.
        of: &'static str,
        /// What is there.
        tag: u8,
        /// Where.
        offset: usize,
    },
    /// The value is written in another way than ours.
    #[error("the {of} at byte {offset} is not in its canonical form")]
    NotCanonical {
        /// What should be there.
        of: &'static str,
        /// Where.
        offset: usize,
    },
    /// The value can't be: too large, too long, empty, or with characters that are not allowed.
    #[error("the {of} at byte {offset} is out of range")]
    OutOfRange {
        /// What should be there.
        of: &'static str,
        /// Where.
        offset: usize,
    },
    /// Bytes follow the end of the form.
    #[error("{count} bytes follow the end, at byte {offset}")]
    Trailing {
        /// Where the form ends.
        offset: usize,
        /// How many follow.
        count: usize,
    },
}

/// A value that has a stored form. `take` accepts what `put` writes and nothing else.
pub(crate) trait Form: Sized {
    /// Writes the value behind what was written before.
    fn put(&self, to: &mut Writer);

    /// Reads the value and steps behind it.
    fn take(from: &mut Reader<'_>) -> Result<Self, FormFault>;
}

/// A whole form: its version, then the value.
fn encode<T: Form>(version: u8, value: &T) -> Vec<u8> {
    let mut to = Writer::new();
    version.put(&mut to);
    value.put(&mut to);
    to.finish()
}

/// Reads a whole form, in the only version that there is so far.
fn decode<T: Form>(newest: u8, bytes: &[u8]) -> Result<T, FormFault> {
    let mut from = Reader::new(bytes);
    let found = u8::take(&mut from)?;
    if found != newest {
        return Err(FormFault::VersionUnknown { found, newest });
    }
    let value = T::take(&mut from)?;
    from.finish()?;
    Ok(value)
}

/// The bytes that the form of each version of a ledger's policy has, since they never change.
pub(crate) fn unit_of(policy: &Policy) -> Vec<u8> {
    let mut to = Writer::new();
    policy.unit.put(&mut to);
    policy.decimals.put(&mut to);
    to.finish()
}
