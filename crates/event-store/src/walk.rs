//! A walk over all stored values of one kind and ledger, whatever is wrong with them.

use domain::ids::{LedgerId, Sequence};

use crate::{
    frame::FrameFault,
    key::{Kind, StoredKey},
    log::ReadError,
    sled::Values,
};

/// What is met on a walk.
pub(crate) enum Visit {
    /// A value, unpacked, or what is wrong with it.
    Value(StoredKey, Result<Vec<u8>, FrameFault>),
    /// A key that belongs to no value.
    Stray(Vec<u8>),
}

/// All values of one kind and ledger in the order of their keys.
pub(crate) struct Walk<'a> {
    values: &'a Values,
    keys: Box<dyn Iterator<Item = Result<Vec<u8>, ReadError>> + 'a>,
    /// The value that was met last, and in how many pieces it is.
    last: Option<(Sequence, u16, u16)>,
}

impl<'a> Walk<'a> {
    pub(crate) fn new(values: &'a Values, kind: Kind, ledger: &LedgerId) -> Self {
        Self { values, keys: Box::new(values.keys(kind, ledger)), last: None }
    }

    /// What a key is; none for the later pieces of the value before it.
    fn visit(&mut self, bytes: Vec<u8>) -> Result<Option<Visit>, ReadError> {
        let Ok(key) = StoredKey::decode(&bytes) else { return Ok(Some(Visit::Stray(bytes))) };
        if key.part > 0 {
            let belongs = self.last.is_some_and(|(number, item, parts)| {
                (number, item) == (key.number, key.item) && key.part < parts
            });
            return Ok(if belongs { None } else { Some(Visit::Stray(bytes)) });
        }
        let opened = self.values.try_open(&key)?;
        // The pieces of a damaged value are not counted: it is reported anyway.
        let parts = opened.as_ref().map_or(u16::MAX, |opened| opened.parts);
        self.last = Some((key.number, key.item, parts));
        Ok(Some(Visit::Value(key, opened.map(|opened| opened.raw))))
    }
}

impl Iterator for Walk<'_> {
    type Item = Result<Visit, ReadError>;

    fn next(&mut self) -> Option<Self::Item> {
        loop {
            let visit = match self.keys.next()? {
                Ok(key) => self.visit(key),
                Err(error) => return Some(Err(error)),
            };
            match visit {
                Ok(None) => {}
                Ok(Some(visit)) => return Some(Ok(visit)),
                Err(error) => return Some(Err(error)),
            }
        }
    }
}
