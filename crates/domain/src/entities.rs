//! The entities of a ledger: what is kept under an id of its own.
//!
//! One table names every kind once; keys, storage and copies follow from it.

use std::{collections::BTreeMap, sync::Arc};

use crate::{
    account::Account,
    case::Case,
    exception::{ExceptionId, Filed},
    holding::{Holding, HoldingId},
    ids::{
        AccountId, CustomerKey, Digest, EventKey, IdempotencyKey, OperationId, PaymentKey, Sequence,
    },
    payment::Payment,
    usage::{Debit, Hold},
};

macro_rules! entities {
    ($($(#[$doc:meta])* $Kind:ident, $all:ident, $one:ident: $Id:ty => $Value:ty;)+) => {
        /// Something of a ledger that a decision can depend on.
        #[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum Key {
            $($(#[$doc])* $Kind($Id),)+
            /// Which record an event id belongs to.
            Event(EventKey),
            /// Which record keeps this content that differs from the event's.
            Conflict(EventKey, Digest),
            /// Which record a command's key belongs to.
            Command(IdempotencyKey),
        }

        /// One entity, shared by all who have loaded it: a change is made on a copy.
        #[derive(Clone, Debug, PartialEq, Eq)]
        pub enum Entity {
            $($(#[$doc])* $Kind(Arc<$Value>),)+
        }

        /// Some entities of a ledger. `None` says that there is no such thing; no entry says that
        /// nobody looked yet.
        #[derive(Clone, Debug, PartialEq, Eq)]
        pub struct Entities {
            $(pub(crate) $all: BTreeMap<$Id, Option<Arc<$Value>>>,)+
        }

        impl Entities {
            /// No entity.
            pub(crate) const EMPTY: Self = Self { $($all: BTreeMap::new(),)+ };

            /// Puts an entity under its key. `false`: the key is of another kind, nothing is done.
            pub fn put(&mut self, key: &Key, entity: Option<Entity>) -> bool {
                match (key, entity) {
                    $((Key::$Kind(id), Some(Entity::$Kind(value))) => {
                        self.$all.insert(id.clone(), Some(value));
                    })+
                    $((Key::$Kind(id), None) => {
                        self.$all.insert(id.clone(), None);
                    })+
                    _ => return false,
                }
                true
            }

            /// Takes out the entity under a key, if there is one.
            pub fn take(&mut self, key: &Key) -> Option<Entity> {
                match key {
                    $(Key::$Kind(id) => self.$all.remove(id).flatten().map(Entity::$Kind),)+
                    Key::Event(_) | Key::Conflict(..) | Key::Command(_) => None,
                }
            }

            /// A copy of the entity under a key, if there is one.
            #[must_use]
            pub fn copy(&self, key: &Key) -> Option<Entity> {
                match key {
                    $(Key::$Kind(id) => {
                        self.$all.get(id).cloned().flatten().map(Entity::$Kind)
                    })+
                    Key::Event(_) | Key::Conflict(..) | Key::Command(_) => None,
                }
            }

            /// Whether somebody looked for a key already.
            #[must_use]
            pub fn knows(&self, key: &Key) -> bool {
                match key {
                    $(Key::$Kind(id) => self.$all.contains_key(id),)+
                    Key::Event(_) | Key::Conflict(..) | Key::Command(_) => false,
                }
            }

            /// The keys, kind by kind, each in its order.
            pub(crate) fn keys(&self) -> impl Iterator<Item = Key> {
                std::iter::empty()$(.chain(self.$all.keys().cloned().map(Key::$Kind)))+
            }

            /// Puts all of another's in place of its own.
            pub(crate) fn merge(&mut self, other: Self) {
                $(self.$all.extend(other.$all);)+
            }

            $(
                $(#[$doc])*
                /// The outer `None`: nobody looked yet.
                #[must_use]
                pub fn $one(&self, id: &$Id) -> Option<Option<&$Value>> {
                    self.$all.get(id).map(Option::as_deref)
                }
            )+
        }
    };
}

entities! {
    /// An account.
    Account, accounts, account: AccountId => Account;
    /// A payment.
    Payment, payments, payment: PaymentKey => Payment;
    /// The lots of a payment, grant or overdraft.
    Holding, holdings, holding: HoldingId => Holding;
    /// Credits reserved for usage to come.
    Hold, holds, hold: OperationId => Hold;
    /// Usage that a return can make good.
    Debit, debits, debit: OperationId => Debit;
    /// A refund case.
    Case, cases, case: OperationId => Case;
    /// The account that an operator assigned to a provider's customer.
    Customer, customers, customer: CustomerKey => AccountId;
    /// Something that a person must see, or saw.
    Exception, exceptions, exception: ExceptionId => Filed;
    /// By which record a quarantined one was released.
    Release, releases, release: Sequence => Sequence;
}
