//! Any input: every notice, and every order of any kind.

use domain::{
    ids::{
        AccountId, Actor, AdjustmentId, CustomerId, IdempotencyKey, ItemId, PriceId, SourceName,
    },
    input::{
        BackFill, Command, Delivery, Evidence, Freshness, Input, Listing, Mode, Reality, Settings,
        Signature, Stale, Unreadable, UnreadableFault,
    },
    notice::{
        Action, Adjustment, AdjustmentLine, Basket, Extent, Line, Notice, Progress, Purchase,
        Status,
    },
};
use proptest::{collection::vec, option, prelude::*, sample::select};

use super::{
    order::order,
    values::{
        currency, digest, event_key, id, minor, moment, operation_id, payment_key, short_text, text,
    },
};

pub(crate) fn input() -> BoxedStrategy<Input> {
    prop_oneof![
        delivery().prop_map(|delivery| Input::Delivery(Box::new(delivery))),
        command().prop_map(|command| Input::Command(Box::new(command))),
    ]
    .boxed()
}

pub(crate) fn delivery() -> BoxedStrategy<Delivery> {
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

pub(crate) fn evidence() -> impl Strategy<Value = Evidence> {
    let signature = (text(), any::<[u8; 4]>(), moment())
        .prop_map(|(header, secret, signed_at)| Signature { header, secret, signed_at });
    let listing = select(vec![Listing::Events, Listing::Payments, Listing::Adjustments]);
    let back_fill =
        (id(Actor::new), listing).prop_map(|(actor, listing)| BackFill { actor, listing });
    prop_oneof![
        3 => signature.prop_map(Evidence::Signed),
        1 => back_fill.prop_map(Evidence::BackFilled),
    ]
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
