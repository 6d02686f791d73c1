//! What is kept under a key.

use std::sync::Arc;

use domain::{entities::Entity, state::Book};
use event_store::form::{FormFault, entity};

use crate::keys::Part;

/// One part of a ledger's state, shared.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Stored {
    Book(Arc<Book>),
    Entity(Entity),
}

impl Stored {
    pub(crate) fn encode(&self) -> Vec<u8> {
        match self {
            Self::Book(book) => entity::encode_book(book),
            Self::Entity(entity) => entity::encode(entity),
        }
    }

    pub(crate) fn decode(part: Part, bytes: &[u8]) -> Result<Self, FormFault> {
        match part.kind() {
            Some(kind) => entity::decode(kind, bytes).map(Self::Entity),
            None => entity::decode_book(bytes).map(Arc::new).map(Self::Book),
        }
    }
}
