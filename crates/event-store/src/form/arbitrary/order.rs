//! Any order.

use std::sync::Arc;

use domain::{
    ids::AccountId,
    input::{Approval, HOLD_SECONDS_MAX, Import, LotKind, Order, Usage},
    payment::{Clearable, Conclusion},
};
use proptest::{collection::btree_set, option, prelude::*, sample::select};

use super::{
    case::application,
    decision::{dispute_cause, freeze_id},
    exception::exception_id,
    input::{delivery, settings},
    payment::opening,
    policy::{measures, policy},
    usage::metadata,
    values::{
        credits, currency, customer_key, digest, event_key, id, minor, moment, operation_id,
        payment_key, sequence, short_text,
    },
};

pub(crate) fn order() -> BoxedStrategy<Order> {
    prop_oneof![
        4 => of_usage(),
        6 => of_account(),
        2 => of_payment(),
        5 => of_case(),
        3 => of_ledger(),
        2 => of_exception(),
    ]
    .boxed()
}

fn account() -> impl Strategy<Value = AccountId> {
    id(AccountId::new)
}

fn of_usage() -> BoxedStrategy<Order> {
    let usage = select(vec![Usage::Asked, Usage::AlreadyHappened]);
    let hold = || (account(), operation_id());
    prop_oneof![
        (account(), credits(), usage, metadata()).prop_map(|(account, amount, usage, metadata)| {
            Order::Debit { account, amount, usage, metadata }
        }),
        (account(), credits(), 1..=HOLD_SECONDS_MAX).prop_map(
            |(account, amount, expires_in_seconds)| Order::Hold {
                account,
                amount,
                expires_in_seconds
            }
        ),
        (hold(), credits(), metadata()).prop_map(|((account, hold), amount, metadata)| {
            Order::Capture { account, hold, amount, metadata }
        }),
        hold().prop_map(|(account, hold)| Order::ReleaseHold { account, hold }),
        hold().prop_map(|(account, hold)| Order::ExpireHold { account, hold }),
        (account(), operation_id(), credits(), short_text()).prop_map(
            |(account, debit, amount, reason)| Order::Return { account, debit, amount, reason }
        ),
    ]
    .boxed()
}

fn of_account() -> BoxedStrategy<Order> {
    prop_oneof![
        (account(), credits(), lot_kind(), option::of(short_text()), short_text()).prop_map(
            |(account, amount, kind, label, reason)| Order::Grant {
                account,
                amount,
                kind,
                label,
                reason
            }
        ),
        (account(), short_text(), measures())
            .prop_map(|(account, reason, measures)| Order::Freeze { account, reason, measures }),
        (account(), operation_id())
            .prop_map(|(account, freeze)| Order::Unfreeze { account, freeze }),
        (account(), freeze_id(), clearable(), short_text()).prop_map(
            |(account, freeze, measure, reason)| Order::ClearMeasure {
                account,
                freeze,
                measure,
                reason
            }
        ),
        (account(), short_text()).prop_map(|(account, reason)| Order::Close { account, reason }),
        (account(), option::of(credits()), short_text())
            .prop_map(|(account, amount, reason)| Order::WriteOff { account, amount, reason }),
        (customer_key(), account(), short_text()).prop_map(|(customer, account, reason)| {
            Order::AssignCustomer { customer, account, reason }
        }),
    ]
    .boxed()
}

fn of_payment() -> BoxedStrategy<Order> {
    prop_oneof![
        (payment_key(), account(), short_text()).prop_map(|(payment, account, reason)| {
            Order::AssignPayment { payment, account, reason }
        }),
        (payment_key(), dispute_cause(), conclusion(), short_text()).prop_map(
            |(payment, cause, conclusion, reason)| Order::ConcludeDispute {
                payment,
                cause,
                conclusion,
                reason
            }
        ),
        import().prop_map(|import| Order::Import(Box::new(import))),
    ]
    .boxed()
}

fn of_case() -> BoxedStrategy<Order> {
    let case = operation_id;
    prop_oneof![
        (account(), payment_key(), short_text(), application()).prop_map(
            |(account, payment, reason, application)| Order::OpenCase {
                account,
                payment,
                reason,
                application
            }
        ),
        (case(), application())
            .prop_map(|(case, application)| Order::InformCase { case, application }),
        (case(), option::of(approval()), option::of(short_text()))
            .prop_map(|(case, remedy, note)| Order::ApproveCase { case, remedy, note }),
        (case(), short_text()).prop_map(|(case, note)| Order::DenyCase { case, note }),
        (case(), option::of(short_text()))
            .prop_map(|(case, note)| Order::WithdrawCase { case, note }),
    ]
    .boxed()
}

fn of_exception() -> BoxedStrategy<Order> {
    prop_oneof![
        (sequence(), event_key(), delivery(), short_text()).prop_map(
            |(record, event, delivery, reason)| Order::Release {
                record,
                event,
                delivery: Box::new(delivery),
                reason
            }
        ),
        (exception_id(), short_text())
            .prop_map(|(exception, note)| Order::Resolve { exception, note }),
    ]
    .boxed()
}

fn of_ledger() -> BoxedStrategy<Order> {
    prop_oneof![
        2 => (policy(), digest())
            .prop_map(|(policy, file)| Order::ActivatePolicy { policy: Arc::new(policy), file }),
        1 => settings().prop_map(Order::Configure),
        1 => (btree_set(sequence(), 1..6), short_text())
            .prop_map(|(records, reason)| Order::Erase { records, reason }),
    ]
    .boxed()
}

pub(crate) fn approval() -> impl Strategy<Value = Approval> {
    prop_oneof![minor().prop_map(Approval::Money), credits().prop_map(Approval::Credits)]
}

pub(crate) fn import() -> BoxedStrategy<Import> {
    let money = (currency(), minor(), minor());
    (account(), payment_key(), moment(), money, opening(), short_text())
        .prop_map(|(account, payment, paid_at, (currency, net, tax), opening, reason)| Import {
            account,
            payment,
            paid_at,
            currency,
            net,
            tax,
            opening,
            reason,
        })
        .boxed()
}

pub(crate) fn lot_kind() -> impl Strategy<Value = LotKind> {
    select(vec![LotKind::Paid, LotKind::Gift])
}

pub(crate) fn clearable() -> impl Strategy<Value = Clearable> {
    select(vec![Clearable::Verification, Clearable::Service])
}

pub(crate) fn conclusion() -> impl Strategy<Value = Conclusion> {
    select(vec![Conclusion::Lost, Conclusion::Settled])
}
