//! The form of what a command asks.
//!
//! ```text
//! order     01 | account text | amount z | usage 1                     a debit without metadata
//!           05 | policy without usage and refunds | file 32
//!           24 | record v | event key | delivery, signed | reason text
//! import    account text | payment key | paid_at 8 | currency 3 | net z | tax z | opening
//!           | reason text
//! approval  01 | money z      02 | credits z
//! ```
//!
//! The table of [`Order`] below is the rest of its drawing. Debits got metadata, policies rules
//! for usage and refunds, and deliveries could be back-filled, after orders 1, 5 and 24 were written:
//! a value that those can say is still written as they were, so that it has one form, and every other
//! value under a number of its own.

use domain::{
    credits::Credits,
    ids::{AccountId, Digest, EventKey, Sequence, Text},
    input::{Approval, Import, LotKind, Order, Usage},
    usage::Metadata,
};

use super::{
    Form, FormFault, Reader, Writer,
    input::FirstDelivery,
    policy::FirstPolicy,
    table::{fields, variants},
};

/// The orders that are written as before their variant got fields.
enum First {
    Debit { account: AccountId, amount: Credits, usage: Usage },
    ActivatePolicy { policy: FirstPolicy, file: Digest },
    Release { record: Sequence, event: EventKey, delivery: Box<FirstDelivery>, reason: Text },
}

variants!(First, "order" {
    1 => Debit { account, amount, usage },
    5 => ActivatePolicy { policy, file },
    24 => Release { record, event, delivery, reason },
});

impl First {
    fn of(order: &Order) -> Option<Self> {
        if let Order::Debit { account, amount, usage, metadata } = order {
            let (account, amount, usage) = (account.clone(), *amount, *usage);
            return metadata.entries().is_empty().then_some(Self::Debit { account, amount, usage });
        }
        if let Order::ActivatePolicy { policy, file } = order {
            let policy = FirstPolicy::of(policy)?;
            return Some(Self::ActivatePolicy { policy, file: *file });
        }
        if let Order::Release { record, event, delivery, reason } = order {
            let delivery = Box::new(FirstDelivery::of(delivery)?);
            let (event, reason) = (event.clone(), reason.clone());
            return Some(Self::Release { record: *record, event, delivery, reason });
        }
        None
    }

    fn into_order(self) -> Order {
        match self {
            Self::Debit { account, amount, usage } => {
                Order::Debit { account, amount, usage, metadata: Metadata::NONE }
            }
            Self::ActivatePolicy { policy, file } => {
                Order::ActivatePolicy { policy: policy.into_policy(), file }
            }
            Self::Release { record, event, delivery, reason } => {
                let delivery = Box::new(delivery.into_delivery());
                Order::Release { record, event, delivery, reason }
            }
        }
    }
}

/// The form of all other orders.
trait Newest: Sized {
    fn put(&self, to: &mut Writer);

    fn take(from: &mut Reader<'_>) -> Result<Self, FormFault>;
}

variants!(Order: Newest, "order" {
    2 => Grant { account, amount, kind, label, reason },
    3 => Freeze { account, reason, measures },
    4 => Unfreeze { account, freeze },
    6 => Configure(settings),
    7 => Debit { account, amount, usage, metadata },
    8 => Hold { account, amount, expires_in_seconds },
    9 => Capture { account, hold, amount, metadata },
    10 => ReleaseHold { account, hold },
    11 => ExpireHold { account, hold },
    12 => Return { account, debit, amount, reason },
    13 => ClearMeasure { account, freeze, measure, reason },
    14 => Close { account, reason },
    15 => WriteOff { account, amount, reason },
    16 => AssignPayment { payment, account, reason },
    17 => AssignCustomer { customer, account, reason },
    18 => OpenCase { account, payment, reason, application },
    19 => InformCase { case, application },
    20 => ApproveCase { case, remedy, note },
    21 => DenyCase { case, note },
    22 => WithdrawCase { case, note },
    23 => ConcludeDispute { payment, cause, conclusion, reason },
    25 => Resolve { exception, note },
    26 => Import(import),
    27 => ActivatePolicy { policy, file },
    28 => Erase { records, reason },
    29 => Release { record, event, delivery, reason },
});

impl Form for Order {
    fn put(&self, to: &mut Writer) {
        match First::of(self) {
            Some(first) => first.put(to),
            None => Newest::put(self, to),
        }
    }

    fn take(from: &mut Reader<'_>) -> Result<Self, FormFault> {
        let offset = from.offset();
        if let 1 | 5 | 24 = from.next_byte()? {
            return First::take(from).map(First::into_order);
        }
        let order = <Self as Newest>::take(from)?;
        match First::of(&order) {
            Some(_) => Err(FormFault::NotCanonical { of: "order", offset }),
            None => Ok(order),
        }
    }
}

variants!(Usage, "usage" {
    1 => Asked,
    2 => AlreadyHappened,
});

variants!(LotKind, "kind of lot" {
    1 => Paid,
    2 => Gift,
});

variants!(Approval, "approval" {
    1 => Money(money),
    2 => Credits(credits),
});

fields!(Import { account, payment, paid_at, currency, net, tax, opening, reason });
