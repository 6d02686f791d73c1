//! Identifiers: each its own type, checked once when it is made.

use std::{fmt, sync::Arc};

/// Why a text is no identifier.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum IdFault {
    /// The text is empty.
    #[error("must not be empty")]
    Empty,
    /// The text has more bytes than the identifier may have.
    #[error("must have at most {max} bytes")]
    TooLong {
        /// The most bytes allowed.
        max: usize,
    },
    /// A name that stands in paths and subjects has another character.
    #[error("must be lower-case letters, digits, '-' and '_'")]
    Characters,
}

/// Checks that a text is neither empty nor longer than `max` bytes.
const fn sized(text: &str, max: usize) -> Result<(), IdFault> {
    match text.len() {
        0 => Err(IdFault::Empty),
        length if length > max => Err(IdFault::TooLong { max }),
        _ => Ok(()),
    }
}

/// Checks that a text can stand in a URL path, a file name and a NATS subject as it is.
fn plain(text: &str, max: usize) -> Result<(), IdFault> {
    let allowed = |byte| matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'-' | b'_');
    if text.bytes().all(allowed) { sized(text, max) } else { Err(IdFault::Characters) }
}

macro_rules! text_id {
    ($(#[$doc:meta])* $name:ident, $check:ident, $max:literal) => {
        $(#[$doc])*
        #[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name(Arc<str>);

        impl $name {
            /// Checks and makes the identifier.
            ///
            /// # Errors
            /// Empty, too long or, for names, a character that is not allowed.
            pub fn new(text: &str) -> Result<Self, IdFault> {
                $check(text, $max).map(|()| Self(Arc::from(text)))
            }

            /// Checks a text that others have too, and makes the identifier without a copy.
            ///
            /// # Errors
            /// As [`Self::new`].
            pub fn shared(text: Arc<str>) -> Result<Self, IdFault> {
                $check(&text, $max).map(|()| Self(text))
            }

            /// The text as it was given.
            #[must_use]
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, "{:?}", &*self.0)
            }
        }
    };
}

text_id!(
    /// One merchant's book. At most 64 bytes of `a-z 0-9 - _`.
    LedgerId, plain, 64
);
text_id!(
    /// A configured webhook endpoint. At most 64 bytes of `a-z 0-9 - _`.
    SourceName, plain, 64
);
text_id!(
    /// The namespace of a provider's ids in a ledger. At most 64 bytes of `a-z 0-9 - _`.
    Origin, plain, 64
);
text_id!(
    /// A customer's credit account at the merchant. 1 to 128 bytes, any characters.
    AccountId, sized, 128
);
text_id!(
    /// A provider's id of a customer. 1 to 255 bytes.
    CustomerId, sized, 255
);
text_id!(
    /// A provider's id of an event. 1 to 255 bytes.
    EventId, sized, 255
);
text_id!(
    /// A provider's id of a payment (Paddle: `txn_...`). 1 to 255 bytes.
    PaymentId, sized, 255
);
text_id!(
    /// A provider's id of an adjustment (Paddle: `adj_...`). 1 to 255 bytes.
    AdjustmentId, sized, 255
);
text_id!(
    /// A provider's id of one line of a purchase (Paddle: `txnitm_...`). 1 to 255 bytes.
    ItemId, sized, 255
);
text_id!(
    /// A provider's id of a price (Paddle: `pri_...`). 1 to 255 bytes.
    PriceId, sized, 255
);
text_id!(
    /// Who gave a command: the name of the bearer token, or `tallyhook` itself. 1 to 128 bytes.
    Actor, sized, 128
);
text_id!(
    /// The caller's key that makes a command safe to repeat. 1 to 255 bytes.
    IdempotencyKey, sized, 255
);
text_id!(
    /// A short text that a person or a policy gave: a label, a reason, a name. 1 to 1,000 bytes.
    Text, sized, 1000
);

/// A payment, named in its provider's namespace.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PaymentKey {
    /// The namespace of the id.
    pub origin: Origin,
    /// The provider's id.
    pub id: PaymentId,
}

/// A provider's customer, named in its provider's namespace.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct CustomerKey {
    /// The namespace of the id.
    pub origin: Origin,
    /// The provider's id.
    pub id: CustomerId,
}

/// What one event is known by, for ever.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum EventKey {
    /// The provider's event id.
    Event {
        /// The namespace of the id.
        origin: Origin,
        /// The provider's id.
        id: EventId,
    },
    /// A body in which no event id could be read is known by its SHA-256.
    Body {
        /// The namespace of the source that received it.
        origin: Origin,
        /// SHA-256 of the raw bytes.
        digest: Digest,
    },
}

/// A SHA-256.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Digest(pub [u8; 32]);

impl fmt::Display for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl fmt::Debug for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// The id of what a command made: UUIDv5 of ledger and idempotency key.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct OperationId(pub uuid::Uuid);

impl OperationId {
    /// The id that this key has in this ledger, always the same (RFC 9562 section 5.5).
    #[must_use]
    pub fn of(ledger: &LedgerId, key: &IdempotencyKey) -> Self {
        let space = uuid::Uuid::new_v5(&uuid::Uuid::NAMESPACE_URL, ledger.as_str().as_bytes());
        Self(uuid::Uuid::new_v5(&space, key.as_str().as_bytes()))
    }
}

impl fmt::Display for OperationId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.0, f)
    }
}

impl fmt::Debug for OperationId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.0, f)
    }
}

/// The place of a record in its ledger's log: gapless from 1.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Sequence(u64);

impl Sequence {
    /// The first record's.
    pub const FIRST: Self = Self(1);

    /// The sequence with this number; `None` for 0, which no record has.
    #[must_use]
    pub const fn new(number: u64) -> Option<Self> {
        if number == 0 { None } else { Some(Self(number)) }
    }

    /// The number, from 1.
    #[must_use]
    pub const fn get(self) -> u64 {
        self.0
    }

    /// The next record's.
    #[must_use]
    pub const fn next(self) -> Self {
        Self(self.0.saturating_add(1))
    }
}

impl fmt::Display for Sequence {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn identifiers_refuse_what_they_cannot_be() {
        assert_eq!(AccountId::new(""), Err(IdFault::Empty));
        assert_eq!(AccountId::new(&"a".repeat(129)), Err(IdFault::TooLong { max: 128 }));
        assert_eq!(LedgerId::new("Main"), Err(IdFault::Characters));
        assert_eq!(AccountId::new("a b.ü").unwrap().as_str(), "a b.ü");
    }

    #[test]
    fn an_operation_has_one_id_per_ledger_and_key() {
        let main = LedgerId::new("main").unwrap();
        let other = LedgerId::new("other").unwrap();
        let key = IdempotencyKey::new("k").unwrap();
        assert_eq!(OperationId::of(&main, &key), OperationId::of(&main, &key));
        assert_ne!(OperationId::of(&main, &key), OperationId::of(&other, &key));
    }
}
