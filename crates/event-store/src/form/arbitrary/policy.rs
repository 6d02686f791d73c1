//! Any policy.

use domain::{
    ids::PriceId,
    policy::{
        Balance, Checkout, CloseAfter, Measures, Policy, PriceCredits, Returns, Service, Shortfall,
        Spending, Unlisted, UsageRules, Verification,
    },
    refunds::Refunds,
};
use proptest::{
    collection::{btree_map, btree_set},
    option,
    prelude::*,
    sample::select,
};

use super::{
    order::lot_kind,
    refunds::refunds,
    values::{credits, currency, id, moment, short_text},
};

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
    (names, conversion, spending, disputes, said())
        .prop_map(|(names, conversion, spending, disputes, (usage, refunds))| {
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
                usage,
                refunds,
            }
        })
        .boxed()
}

/// What only later policies say: often nothing, as they then have their first form.
fn said() -> impl Strategy<Value = (UsageRules, Option<Refunds>)> {
    prop_oneof![
        1 => Just((UsageRules::PLAIN, None)),
        2 => (usage_rules(), option::of(refunds())),
    ]
}

fn usage_rules() -> impl Strategy<Value = UsageRules> {
    (btree_set(short_text(), 0..3), select(vec![Returns::Allow, Returns::Refuse]))
        .prop_map(|(metadata, returns)| UsageRules { metadata, returns })
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
