//! Any input: every notice, order and policy.

use std::sync::Arc;

use domain::{
    ids::{
        AccountId, Actor, AdjustmentId, CustomerId, IdempotencyKey, ItemId, PriceId, SourceName,
    },
    input::{
        Command, Delivery, Evidence, Freshness, Input, LotKind, Mode, Order, Reality, Settings,
        Stale, Unreadable, UnreadableFault, Usage,
    },
    notice::{
        Action, Adjustment, AdjustmentLine, Basket, Extent, Line, Notice, Progress, Purchase,
        Status,
    },
    policy::{
        Balance, Checkout, CloseAfter, Measures, Policy, PriceCredits, Service, Shortfall,
        Spending, Unlisted, Verification,
    },
};
use proptest::{
    collection::{btree_map, vec},
    option,
    prelude::*,
    sample::select,
};

use super::values::{
    credits, currency, digest, event_key, id, minor, moment, operation_id, payment_key, short_text,
    text,
};

pub(crate) fn input() -> BoxedStrategy<Input> {
    prop_oneof![
        delivery().prop_map(|delivery| Input::Delivery(Box::new(delivery))),
        command().prop_map(|command| Input::Command(Box::new(command))),
    ]
    .boxed()
}

fn delivery() -> BoxedStrategy<Delivery> {
    let names = ("[a-z0-9_-]{1,12}", event_key(), option::of(text()));
    let times = (option::of(moment()), moment(), digest(), digest());
    let doubts = (
        select(vec![Freshness::Fresh, Freshness::Old, Freshness::Future]),
        select(vec![Reality::Genuine, Reality::Simulated]),
    );
    let says = prop_oneof![3 => notice().prop_map(Ok), 1 => unreadable().prop_map(Err)];
    (names, times, evidence(), doubts, says)
        .prop_map(|(names, times, evidence, doubts, notice)| {
            let (source, event, event_type) = names;
            let (occurred_at, received_at, body, content) = times;
            let (freshness, reality) = doubts;
            let source = SourceName::new(&source).unwrap();
            Delivery {
                source,
                event,
                event_type,
                occurred_at,
                received_at,
                body,
                content,
                evidence,
                freshness,
                reality,
                notice,
            }
        })
        .boxed()
}

fn evidence() -> impl Strategy<Value = Evidence> {
    (text(), any::<[u8; 4]>(), moment()).prop_map(|(header, secret, signed_at)| Evidence {
        header,
        secret,
        signed_at,
    })
}

fn unreadable() -> impl Strategy<Value = Unreadable> {
    let faults = vec![
        UnreadableFault::Malformed,
        UnreadableFault::UnknownAction,
        UnreadableFault::UnknownCurrency,
        UnreadableFault::AmountInvalid,
    ];
    (select(faults), text()).prop_map(|(fault, detail)| Unreadable { fault, detail })
}

pub(crate) fn notice() -> BoxedStrategy<Notice> {
    prop_oneof![
        purchase().prop_map(Notice::Purchase),
        adjustment().prop_map(Notice::Adjustment),
        Just(Notice::Nothing),
    ]
    .boxed()
}

fn purchase() -> BoxedStrategy<Purchase> {
    let account = option::of(id(AccountId::new));
    let customer = option::of(id(CustomerId::new));
    (payment_key(), moment(), account, customer, progress())
        .prop_map(|(payment, occurred_at, account, customer, progress)| Purchase {
            payment,
            occurred_at,
            account,
            customer,
            progress,
        })
        .boxed()
}

pub(crate) fn progress() -> BoxedStrategy<Progress> {
    prop_oneof![
        short_text().prop_map(Progress::Unpaid),
        basket().prop_map(Progress::Paid),
        basket().prop_map(Progress::Completed),
    ]
    .boxed()
}

pub(crate) fn basket() -> BoxedStrategy<Basket> {
    let lines = vec(line(), 0..4);
    (currency(), minor(), minor(), minor(), minor(), lines)
        .prop_map(|(currency, subtotal, discount, tax, total, lines)| Basket {
            currency,
            subtotal,
            discount,
            tax,
            total,
            lines,
        })
        .boxed()
}

fn line() -> impl Strategy<Value = Line> {
    let price = option::of(id(PriceId::new));
    (id(ItemId::new), price, any::<u32>(), minor(), minor()).prop_map(
        |(item, price, quantity, subtotal, discount)| Line {
            item,
            price,
            quantity,
            subtotal,
            discount,
        },
    )
}

pub(crate) fn adjustment() -> BoxedStrategy<Adjustment> {
    let names = (id(AdjustmentId::new), payment_key(), option::of(id(CustomerId::new)));
    let kinds = (action(), status(), extent());
    let line =
        (id(ItemId::new), minor()).prop_map(|(item, subtotal)| AdjustmentLine { item, subtotal });
    let amounts = (currency(), minor(), minor(), vec(line, 0..3));
    (names, moment(), moment(), kinds, amounts)
        .prop_map(|(names, occurred_at, filed_at, kinds, amounts)| {
            let (id, payment, customer) = names;
            let (action, status, extent) = kinds;
            let (currency, subtotal, total, lines) = amounts;
            Adjustment {
                id,
                payment,
                occurred_at,
                filed_at,
                action,
                status,
                extent,
                currency,
                subtotal,
                total,
                lines,
                customer,
            }
        })
        .boxed()
}

pub(crate) fn action() -> impl Strategy<Value = Action> {
    select(vec![
        Action::Refund,
        Action::Credit,
        Action::CreditReverse,
        Action::Chargeback,
        Action::ChargebackReverse,
        Action::Warning,
        Action::WarningReverse,
    ])
}

pub(crate) fn status() -> impl Strategy<Value = Status> {
    select(vec![Status::Pending, Status::Approved, Status::Rejected, Status::Reversed])
}

fn extent() -> impl Strategy<Value = Extent> {
    select(vec![Extent::Full, Extent::Partial, Extent::Unsaid])
}

fn command() -> BoxedStrategy<Command> {
    (id(IdempotencyKey::new), operation_id(), id(Actor::new), digest(), order())
        .prop_map(|(key, id, actor, request, order)| Command { key, id, actor, request, order })
        .boxed()
}

pub(crate) fn order() -> BoxedStrategy<Order> {
    let account = || id(AccountId::new);
    prop_oneof![
        (account(), credits(), select(vec![Usage::Asked, Usage::AlreadyHappened]))
            .prop_map(|(account, amount, usage)| Order::Debit { account, amount, usage }),
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
        (policy(), digest())
            .prop_map(|(policy, file)| Order::ActivatePolicy { policy: Arc::new(policy), file }),
        settings().prop_map(Order::Configure),
    ]
    .boxed()
}

pub(crate) fn lot_kind() -> impl Strategy<Value = LotKind> {
    select(vec![LotKind::Paid, LotKind::Gift])
}

pub(crate) fn settings() -> BoxedStrategy<Settings> {
    let mode = select(vec![Mode::Live, Mode::Sandbox]);
    let stale = select(vec![Stale::Accept, Stale::Quarantine]);
    (mode, stale, vec(short_text(), 0..3), any::<Option<u32>>(), any::<u32>())
        .prop_map(|(mode, stale, account_from, tolerance_seconds, future_seconds)| Settings {
            mode,
            stale,
            account_from,
            tolerance_seconds,
            future_seconds,
        })
        .boxed()
}

pub(crate) fn policy() -> BoxedStrategy<Policy> {
    let names = (short_text(), any::<u32>(), moment(), short_text(), 0..=9_u8);
    let prices = (credits(), credits()).prop_map(|(paid, gift)| PriceCredits { paid, gift });
    let conversion = (
        btree_map(currency(), credits(), 0..4),
        btree_map(id(PriceId::new), prices, 0..4),
        select(vec![Unlisted::Ignore, Unlisted::Rate]),
    );
    let spending = (lot_kind(), shortfall(), any::<bool>());
    let close_after = any::<Option<(u32, u32)>>().prop_map(|pair| {
        pair.map(|(chargebacks, within_days)| CloseAfter { chargebacks, within_days })
    });
    let disputes = (measures(), measures(), option::of(measures()), close_after);
    (names, conversion, spending, disputes)
        .prop_map(|(names, conversion, spending, disputes)| {
            let (name, version, effective_from, unit, decimals) = names;
            let (rates, prices, unlisted) = conversion;
            let (spend_first, shortfall, settle_owed) = spending;
            let (on_dispute, on_chargeback, with_open_case, close_after) = disputes;
            Policy {
                name,
                version,
                effective_from,
                unit,
                decimals,
                rates,
                prices,
                unlisted,
                spend_first,
                shortfall,
                settle_owed,
                on_dispute,
                on_chargeback,
                with_open_case,
                close_after,
            }
        })
        .boxed()
}

pub(crate) fn shortfall() -> impl Strategy<Value = Shortfall> {
    select(vec![Shortfall::Owed, Shortfall::WriteOff])
}

pub(crate) fn measures() -> BoxedStrategy<Measures> {
    let spending = select(vec![Spending::Allow, Spending::Suspend]);
    let balance = select(vec![Balance::Keep, Balance::FreezePayment, Balance::FreezeAccount]);
    let checkout = select(vec![Checkout::Open, Checkout::Limit]);
    let verification = select(vec![Verification::None, Verification::Require]);
    let service = select(vec![Service::Normal, Service::Restrict]);
    (spending, balance, checkout, verification, service)
        .prop_map(|(spending, balance, checkout, verification, service)| Measures {
            spending,
            balance,
            checkout,
            verification,
            service,
        })
        .boxed()
}
