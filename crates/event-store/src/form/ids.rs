//! The form of ids, money, credits and moments.
//!
//! ```text
//! payment key   origin text | id text
//! customer key  origin text | id text
//! event key     01 | origin text | id text          02 | origin text | digest 32
//! sequence      v, from 1
//! ```

use domain::{
    credits::Credits,
    ids::{
        AccountId, Actor, AdjustmentId, CustomerId, CustomerKey, Digest, EventId, EventKey,
        IdempotencyKey, ItemId, OperationId, Origin, PaymentId, PaymentKey, PriceId, Sequence,
        SourceName, Text,
    },
    money::{Currency, Minor},
    time::Timestamp,
};

use super::{
    Form, FormFault, Reader, Writer,
    table::{fields, variants},
};

/// The form of ids that are text: whatever their constructor refuses is out of range.
macro_rules! text_ids {
    ($($type:ident, $name:literal;)+) => {
        $(impl Form for $type {
            fn put(&self, to: &mut Writer) {
                to.text(self.as_str());
            }

            fn take(from: &mut Reader<'_>) -> Result<Self, FormFault> {
                let offset = from.offset();
                let fault = |_| FormFault::OutOfRange { of: $name, offset };
                Self::shared(from.shared_text()?).map_err(fault)
            }
        })+
    };
}

text_ids! {
    SourceName, "source name";
    Origin, "origin";
    AccountId, "account id";
    CustomerId, "customer id";
    EventId, "event id";
    PaymentId, "payment id";
    AdjustmentId, "adjustment id";
    ItemId, "item id";
    PriceId, "price id";
    Actor, "actor";
    IdempotencyKey, "idempotency key";
    Text, "short text";
}

fields!(PaymentKey { origin, id });

fields!(CustomerKey { origin, id });

variants!(EventKey, "event key" {
    1 => Event { origin, id },
    2 => Body { origin, digest },
});

impl Form for Digest {
    fn put(&self, to: &mut Writer) {
        let Self(bytes) = self;
        bytes.put(to);
    }

    fn take(from: &mut Reader<'_>) -> Result<Self, FormFault> {
        from.raw().map(Self)
    }
}

impl Form for OperationId {
    fn put(&self, to: &mut Writer) {
        let Self(id) = self;
        id.as_bytes().put(to);
    }

    fn take(from: &mut Reader<'_>) -> Result<Self, FormFault> {
        from.raw().map(|bytes| Self(uuid::Uuid::from_bytes(bytes)))
    }
}

impl Form for Sequence {
    fn put(&self, to: &mut Writer) {
        to.whole(self.get());
    }

    fn take(from: &mut Reader<'_>) -> Result<Self, FormFault> {
        let offset = from.offset();
        Self::new(from.whole()?).ok_or(FormFault::OutOfRange { of: "sequence", offset })
    }
}

impl Form for Timestamp {
    fn put(&self, to: &mut Writer) {
        to.raw(&self.micros().to_be_bytes());
    }

    fn take(from: &mut Reader<'_>) -> Result<Self, FormFault> {
        let offset = from.offset();
        let micros = i64::from_be_bytes(from.raw()?);
        Self::from_micros(micros).ok_or(FormFault::OutOfRange { of: "moment", offset })
    }
}

impl Form for Currency {
    fn put(&self, to: &mut Writer) {
        to.raw(self.code().as_bytes());
    }

    fn take(from: &mut Reader<'_>) -> Result<Self, FormFault> {
        let offset = from.offset();
        let code: [u8; 3] = from.raw()?;
        let known = str::from_utf8(&code).ok().and_then(Self::new);
        known.ok_or(FormFault::OutOfRange { of: "currency", offset })
    }
}

impl Form for Minor {
    fn put(&self, to: &mut Writer) {
        to.signed(i128::from(self.get()));
    }

    fn take(from: &mut Reader<'_>) -> Result<Self, FormFault> {
        let offset = from.offset();
        let amount = i64::try_from(from.signed()?).ok().and_then(Self::new);
        amount.ok_or(FormFault::OutOfRange { of: "amount of money", offset })
    }
}

impl Form for Credits {
    fn put(&self, to: &mut Writer) {
        to.signed(self.billionths());
    }

    fn take(from: &mut Reader<'_>) -> Result<Self, FormFault> {
        let offset = from.offset();
        let amount = Self::from_billionths(from.signed()?);
        amount.ok_or(FormFault::OutOfRange { of: "amount of credits", offset })
    }
}
