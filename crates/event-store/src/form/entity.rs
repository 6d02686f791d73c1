//! The forms of the state that views keep. Each starts with its own version; views in a version
//! that is not known are deleted and rebuilt from the log.
//!
//! ```text
//! view       version 1 | books | freezes: (freeze id | freeze) .. | closed? 1 | version v
//!            | sequence? v
//! books      paid z | gift z | held z | owed z | written_off z
//! account    version 1 | view (without its version) | lots: books
//!            | free_paid: aged .. | free_gift: aged .. | lacking: aged ..
//!            | chargebacks: (payment key | first 8) ..
//! aged       since 8 | holding
//! payment    version 2 | payment
//! holding    version 2 | terms | paid: lot | gift: lot | refunded: pair | charged_back: pair
//!            | awaited: pair | settlements: (giver | amount z) .. | freezes v | forgiven z
//! lot        granted z | received z | drawn z | reserved z | given z
//! hold       version 1 | hold
//! debit      version 1 | debit
//! case       version 1 | case
//! customer   version 1 | account text
//! exception  version 2 | filed
//! release    version 1 | sequence v
//! book       version 2 | timeline: policy .. | policy_file? 32 | settings? | sequence? v
//!            | recorded_at? 8 | house: (house 1 | billionths z) .. | customers z
//!            | money: (book 1 | currency 3 | minor z) ..
//!            | activations: (version v | sequence v) ..
//!            | holds: (expires_at 8 | hold 16 | account text) ..
//! ```

use std::sync::Arc;

use domain::{
    account::{Account, Aged, Books, View},
    entities::Entity,
    holding::{Holding, Lot, Settlement},
    policy::{Policy, Timeline},
    state::Book,
};

use super::{Form, FormFault, Reader, Writer, table::fields};

/// The version of [`View`] that is written.
const VIEW_VERSION: u8 = 1;

/// The version of [`Book`] that is written. It rises with any of the versions below, so that a book
/// tells whether all that is kept with it can be read.
const BOOK_VERSION: u8 = 2;

/// One table of all kinds of entities: under which version each is written.
macro_rules! entities {
    ($($kind:ident $version:literal,)+) => {
        /// The kinds of entities.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub enum Kind {
            $(
                #[doc = concat!("[`Entity::", stringify!($kind), "`]")]
                $kind,
            )+
        }

        /// The bytes of an entity. A checkpoint keeps tens of thousands of them at once, so they
        /// take no more room than they need.
        #[must_use]
        pub fn encode(entity: &Entity) -> Vec<u8> {
            match entity {
                $(Entity::$kind(value) => {
                    super::encode($version, &**value).as_slice().to_vec()
                })+
            }
        }

        /// Reads an entity of a kind back.
        ///
        /// # Errors
        /// See [`FormFault`].
        pub fn decode(kind: Kind, bytes: &[u8]) -> Result<Entity, FormFault> {
            match kind {
                $(Kind::$kind => {
                    super::decode($version, bytes).map(Arc::new).map(Entity::$kind)
                })+
            }
        }
    };
}

entities! {
    Account 1,
    Payment 2,
    Holding 2,
    Hold 1,
    Debit 1,
    Case 1,
    Customer 1,
    Exception 2,
    Release 1,
}

/// The bytes of what anyone may see of an account.
#[must_use]
pub fn encode_view(view: &View) -> Vec<u8> {
    super::encode(VIEW_VERSION, view)
}

/// Reads such a view back.
///
/// # Errors
/// See [`FormFault`].
pub fn decode_view(bytes: &[u8]) -> Result<View, FormFault> {
    super::decode(VIEW_VERSION, bytes)
}

/// The bytes of a ledger's book.
#[must_use]
pub fn encode_book(book: &Book) -> Vec<u8> {
    super::encode(BOOK_VERSION, book)
}

/// Reads a ledger's book back.
///
/// # Errors
/// See [`FormFault`].
pub fn decode_book(bytes: &[u8]) -> Result<Book, FormFault> {
    super::decode(BOOK_VERSION, bytes)
}

fields!(Account { view, lots, free_paid, free_gift, lacking, chargebacks });

fields!(View { books, freezes, closed, version, sequence });

fields!(Books { paid, gift, held, owed, written_off });

fields!(Aged { since, holding });

fields!(Holding {
    terms,
    paid,
    gift,
    refunded,
    charged_back,
    awaited,
    settlements,
    freezes,
    forgiven,
});

fields!(Lot { granted, received, drawn, reserved, given });

fields!(Settlement { giver, amount });

fields!(Book {
    timeline,
    policy_file,
    settings,
    sequence,
    recorded_at,
    house,
    customers,
    money,
    activations,
    holds,
});

impl Form for Timeline {
    fn put(&self, to: &mut Writer) {
        let versions = self.versions();
        to.count(versions.len());
        versions.iter().for_each(|version| version.put(to));
    }

    fn take(from: &mut Reader<'_>) -> Result<Self, FormFault> {
        Vec::<Arc<Policy>>::take(from).map(Self::restore)
    }
}
