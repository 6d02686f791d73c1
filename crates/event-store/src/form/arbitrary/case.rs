//! Any refund case.

use domain::{
    case::{
        Application, Case, CaseStatus, Charge, Claim, ClaimEnd, Decider, Invoice, Quote, QuoteLine,
    },
    ids::{AccountId, AdjustmentId},
};
use proptest::{
    collection::{btree_set, vec},
    option,
    prelude::*,
    sample::select,
};

use super::{
    decision::pair,
    refunds::remedy,
    values::{credits, currency, id, minor, moment, operation_id, payment_key, short_text},
};

pub(crate) fn case() -> BoxedStrategy<Case> {
    let what = (operation_id(), id(AccountId::new), payment_key(), short_text());
    (what, application(), any::<u32>(), case_status(), (quote(), claim()))
        .prop_map(|(what, application, policy, status, (quote, claim))| {
            let (id, account, payment, reason) = what;
            Case { id, account, payment, reason, application, policy, status, quote, claim }
        })
        .boxed()
}

pub(crate) fn application() -> BoxedStrategy<Application> {
    let money = (option::of(minor()), option::of(currency()), option::of(minor()));
    let invoice = option::of(select(vec![Invoice::None, Invoice::Reversible, Invoice::Final]));
    (btree_set(short_text(), 0..4), money, option::of(moment()), invoice)
        .prop_map(|(given, (amount, currency, third_party_costs), paid_at, invoice)| Application {
            given,
            amount,
            currency,
            paid_at,
            invoice,
            third_party_costs,
        })
        .boxed()
}

pub(crate) fn case_status() -> BoxedStrategy<CaseStatus> {
    let names = || btree_set(short_text(), 0..3);
    let by = select(vec![Decider::Policy, Decider::Operator]);
    prop_oneof![
        (names(), names())
            .prop_map(|(missing, wrong)| CaseStatus::NeedsInformation { missing, wrong }),
        moment().prop_map(|due_at| CaseStatus::InReview { due_at }),
        moment().prop_map(|due_at| CaseStatus::Eligible { due_at }),
        minor().prop_map(|money| CaseStatus::Approved { money }),
        credits().prop_map(|credits| CaseStatus::Corrected { credits }),
        (short_text(), by).prop_map(|(rule, by)| CaseStatus::Denied { rule, by }),
        Just(CaseStatus::Withdrawn),
        Just(CaseStatus::Refunded),
    ]
    .boxed()
}

fn quote() -> BoxedStrategy<Quote> {
    let line = (charge(), minor()).prop_map(|(what, amount)| QuoteLine { what, amount });
    (remedy(), currency(), vec(line, 0..7), minor(), pair())
        .prop_map(|(remedy, currency, lines, money, credits)| Quote {
            remedy,
            currency,
            lines,
            money,
            credits,
        })
        .boxed()
}

pub(crate) fn charge() -> impl Strategy<Value = Charge> {
    select(vec![
        Charge::UnusedBalance,
        Charge::Tax,
        Charge::ChannelFee,
        Charge::InvoiceTax,
        Charge::GiftUsed,
        Charge::Promotion,
        Charge::ThirdPartyCosts,
    ])
}

pub(crate) fn claim() -> BoxedStrategy<Claim> {
    let end = select(vec![ClaimEnd::Dropped, ClaimEnd::Refunded]);
    let ids = || btree_set(id(AdjustmentId::new), 0..3);
    let times = (moment(), option::of((moment(), end)));
    (id(AccountId::new), times, option::of(pair()), minor(), ids(), ids())
        .prop_map(|(account, (opened_at, ended), credits, money, earlier, own)| Claim {
            account,
            opened_at,
            ended,
            credits,
            money,
            earlier,
            own,
        })
        .boxed()
}
