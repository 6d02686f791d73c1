//! Numbers, flags, bytes and text; [`super`] has their drawing.

use std::sync::Arc;

use super::{Form, FormFault};

/// How many bytes a form takes before its buffer has to grow. Most records fit.
const CAPACITY: usize = 768;

/// Bytes to which values are written, one behind the other.
pub(crate) struct Writer {
    bytes: Vec<u8>,
}

impl Writer {
    /// Nothing written yet.
    pub(crate) fn new() -> Self {
        Self { bytes: Vec::with_capacity(CAPACITY) }
    }

    /// All that was written.
    pub(crate) fn finish(self) -> Vec<u8> {
        self.bytes
    }

    /// One byte.
    pub(crate) fn byte(&mut self, byte: u8) {
        self.bytes.push(byte);
    }

    /// Bytes as they stand, without their number.
    pub(crate) fn raw(&mut self, bytes: &[u8]) {
        self.bytes.extend_from_slice(bytes);
    }

    /// A whole number of up to 64 bits.
    pub(crate) fn whole(&mut self, number: u64) {
        let mut rest = number;
        while rest >= 0x80 {
            let [low, ..] = rest.to_le_bytes();
            self.byte(low | 0x80);
            rest >>= 7;
        }
        let [last, ..] = rest.to_le_bytes();
        self.byte(last);
    }

    /// A number with a sign.
    pub(crate) fn signed(&mut self, number: i128) {
        let mut rest = ((number << 1) ^ (number >> 127)).cast_unsigned();
        while rest >> 64 != 0 {
            let [low, ..] = rest.to_le_bytes();
            self.byte(low | 0x80);
            rest >>= 7;
        }
        // What is left came down from 128 bits: its lower half is all of it.
        let [a, b, c, d, e, f, g, h, ..] = rest.to_le_bytes();
        self.whole(u64::from_le_bytes([a, b, c, d, e, f, g, h]));
    }

    /// How many bytes or values follow.
    pub(crate) fn count(&mut self, count: usize) {
        self.whole(u64::try_from(count).expect("a count of things in memory has at most 64 bits"));
    }

    /// Text behind its length in bytes.
    pub(crate) fn text(&mut self, text: &str) {
        self.count(text.len());
        self.raw(text.as_bytes());
    }
}

/// How many texts a reader remembers. A record names its payment and its account in most effects,
/// and the texts between two of these are fewer.
const TEXTS_MAX: usize = 8;

/// Bytes from which values are read, one behind the other.
pub(crate) struct Reader<'a> {
    rest: &'a [u8],
    length: usize,
    /// The texts that were read lately, and which of them the next one replaces.
    texts: [Option<Arc<str>>; TEXTS_MAX],
    oldest: usize,
}

impl<'a> Reader<'a> {
    /// Nothing read yet.
    pub(crate) const fn new(bytes: &'a [u8]) -> Self {
        Self { rest: bytes, length: bytes.len(), texts: [const { None }; TEXTS_MAX], oldest: 0 }
    }

    /// How many bytes were read.
    pub(crate) const fn offset(&self) -> usize {
        self.length.saturating_sub(self.rest.len())
    }

    /// Ends the reading.
    ///
    /// # Errors
    /// Bytes are left.
    pub(crate) fn finish(self) -> Result<(), FormFault> {
        match self.rest.len() {
            0 => Ok(()),
            count => Err(FormFault::Trailing { offset: self.offset(), count }),
        }
    }

    const fn ended_early(&self) -> FormFault {
        FormFault::EndedEarly { offset: self.length }
    }

    /// One byte.
    pub(crate) fn byte(&mut self) -> Result<u8, FormFault> {
        let (byte, rest) = self.rest.split_first().ok_or_else(|| self.ended_early())?;
        self.rest = rest;
        Ok(*byte)
    }

    /// The byte that comes next, without stepping behind it.
    pub(crate) fn next_byte(&self) -> Result<u8, FormFault> {
        self.rest.first().copied().ok_or_else(|| self.ended_early())
    }

    /// So many bytes as they stand.
    pub(crate) fn raw<const N: usize>(&mut self) -> Result<[u8; N], FormFault> {
        let (bytes, rest) = self.rest.split_first_chunk().ok_or_else(|| self.ended_early())?;
        self.rest = rest;
        Ok(*bytes)
    }

    /// A whole number of up to 64 bits.
    pub(crate) fn whole(&mut self) -> Result<u64, FormFault> {
        let offset = self.offset();
        let fault = |_| FormFault::OutOfRange { of: "number", offset };
        u64::try_from(self.groups()?).map_err(fault)
    }

    /// A number with a sign.
    pub(crate) fn signed(&mut self) -> Result<i128, FormFault> {
        let folded = self.groups()?;
        Ok((folded >> 1).cast_signed() ^ -(folded & 1).cast_signed())
    }

    /// The number whose groups of seven bits follow, the lowest first.
    fn groups(&mut self) -> Result<u128, FormFault> {
        // Most numbers are one byte, counts and lengths among them.
        if let Some((byte @ 0..0x80, rest)) = self.rest.split_first() {
            self.rest = rest;
            return Ok(u128::from(*byte));
        }
        self.more_groups()
    }

    fn more_groups(&mut self) -> Result<u128, FormFault> {
        let offset = self.offset();
        let mut number = 0;
        let mut shift = 0;
        loop {
            let byte = self.byte()?;
            let group = u128::from(byte & 0x7f);
            let placed = group.checked_shl(shift).filter(|placed| placed >> shift == group);
            number |= placed.ok_or(FormFault::OutOfRange { of: "number", offset })?;
            if byte < 0x80 {
                let padded = group == 0 && shift > 0;
                let fault = FormFault::NotCanonical { of: "number", offset };
                return if padded { Err(fault) } else { Ok(number) };
            }
            shift += 7;
        }
    }

    /// How many bytes or values follow: at most one for each byte that is left.
    pub(crate) fn count(&mut self) -> Result<usize, FormFault> {
        let count = self.whole()?;
        let count = usize::try_from(count).ok().filter(|count| *count <= self.rest.len());
        count.ok_or_else(|| self.ended_early())
    }

    /// Text behind its length in bytes.
    pub(crate) fn text(&mut self) -> Result<&'a str, FormFault> {
        let count = self.count()?;
        let offset = self.offset();
        let (text, rest) = self.rest.split_at_checked(count).ok_or_else(|| self.ended_early())?;
        self.rest = rest;
        str::from_utf8(text).map_err(|_| FormFault::OutOfRange { of: "text", offset })
    }

    /// Text behind its length in bytes, the same as an equal one that was read lately: most texts
    /// of a record stand there several times, and each copy would cost more than looking.
    pub(crate) fn shared_text(&mut self) -> Result<Arc<str>, FormFault> {
        let text = self.text()?;
        if let Some(known) = self.texts.iter().flatten().find(|known| ***known == *text) {
            return Ok(Arc::clone(known));
        }
        let fresh = Arc::from(text);
        if let Some(place) = self.texts.get_mut(self.oldest) {
            *place = Some(Arc::clone(&fresh));
        }
        self.oldest = self.oldest.wrapping_add(1) % TEXTS_MAX;
        Ok(fresh)
    }
}

impl Form for u8 {
    fn put(&self, to: &mut Writer) {
        to.byte(*self);
    }

    fn take(from: &mut Reader<'_>) -> Result<Self, FormFault> {
        from.byte()
    }
}

impl Form for u16 {
    fn put(&self, to: &mut Writer) {
        to.whole(u64::from(*self));
    }

    fn take(from: &mut Reader<'_>) -> Result<Self, FormFault> {
        let offset = from.offset();
        let fault = |_| FormFault::OutOfRange { of: "number", offset };
        Self::try_from(from.whole()?).map_err(fault)
    }
}

impl Form for u32 {
    fn put(&self, to: &mut Writer) {
        to.whole(u64::from(*self));
    }

    fn take(from: &mut Reader<'_>) -> Result<Self, FormFault> {
        let offset = from.offset();
        let fault = |_| FormFault::OutOfRange { of: "number", offset };
        Self::try_from(from.whole()?).map_err(fault)
    }
}

impl Form for u64 {
    fn put(&self, to: &mut Writer) {
        to.whole(*self);
    }

    fn take(from: &mut Reader<'_>) -> Result<Self, FormFault> {
        from.whole()
    }
}

impl Form for i8 {
    fn put(&self, to: &mut Writer) {
        to.signed(i128::from(*self));
    }

    fn take(from: &mut Reader<'_>) -> Result<Self, FormFault> {
        let offset = from.offset();
        let fault = |_| FormFault::OutOfRange { of: "number", offset };
        Self::try_from(from.signed()?).map_err(fault)
    }
}

impl Form for i16 {
    fn put(&self, to: &mut Writer) {
        to.signed(i128::from(*self));
    }

    fn take(from: &mut Reader<'_>) -> Result<Self, FormFault> {
        let offset = from.offset();
        let fault = |_| FormFault::OutOfRange { of: "number", offset };
        Self::try_from(from.signed()?).map_err(fault)
    }
}

impl Form for i128 {
    fn put(&self, to: &mut Writer) {
        to.signed(*self);
    }

    fn take(from: &mut Reader<'_>) -> Result<Self, FormFault> {
        from.signed()
    }
}

impl Form for bool {
    fn put(&self, to: &mut Writer) {
        to.byte(u8::from(*self));
    }

    fn take(from: &mut Reader<'_>) -> Result<Self, FormFault> {
        let offset = from.offset();
        match from.byte()? {
            0 => Ok(false),
            1 => Ok(true),
            tag => Err(FormFault::TagUnknown { of: "flag", tag, offset }),
        }
    }
}

impl<const N: usize> Form for [u8; N] {
    fn put(&self, to: &mut Writer) {
        to.raw(self);
    }

    fn take(from: &mut Reader<'_>) -> Result<Self, FormFault> {
        from.raw()
    }
}

impl Form for Arc<str> {
    fn put(&self, to: &mut Writer) {
        to.text(self);
    }

    fn take(from: &mut Reader<'_>) -> Result<Self, FormFault> {
        from.text().map(Self::from)
    }
}
