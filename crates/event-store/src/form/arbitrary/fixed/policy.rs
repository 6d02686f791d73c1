//! A policy with refunds that is put in force.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use domain::{
    calendar::{Calendar, Day, Weekday, Zone},
    credits::Credits,
    ids::{Digest, Text},
    input::{LotKind, Order},
    money::Currency,
    policy::{
        Balance, Checkout, CloseAfter, Measures, Policy, Returns, Service, Shortfall, Spending,
        Unlisted, UsageRules, Verification,
    },
    record::Record,
    refunds::{Condition, Fee, Percent, QuoteRules, Reason, ReasonVerdict, Refunds, Remedy},
};

use super::{at, commanded, minor};

fn text(text: &str) -> Text {
    Text::new(text).unwrap()
}

/// The second version of a policy.
pub(crate) fn policy_record() -> Record {
    let frozen = Measures {
        spending: Spending::Suspend,
        balance: Balance::FreezePayment,
        checkout: Checkout::Limit,
        verification: Verification::Require,
        service: Service::Restrict,
    };
    let usd = Currency::new("USD").unwrap();
    let policy = Policy {
        name: text("prepaid"),
        version: 2,
        effective_from: at("2026-07-04T00:00:00Z"),
        unit: text("USD"),
        decimals: 6,
        rates: BTreeMap::from([(usd, Credits::parse("1", 0).unwrap())]),
        prices: BTreeMap::new(),
        unlisted: Unlisted::Ignore,
        spend_first: LotKind::Gift,
        shortfall: Shortfall::Owed,
        settle_owed: true,
        on_dispute: frozen,
        on_chargeback: frozen,
        with_open_case: Some(Measures::NONE),
        close_after: Some(CloseAfter { chargebacks: 2, within_days: 180 }),
        usage: UsageRules {
            metadata: BTreeSet::from([text("request_id")]),
            returns: Returns::Refuse,
        },
        refunds: Some(refunds()),
    };
    let order = Order::ActivatePolicy { policy: Arc::new(policy), file: Digest([0xee; 32]) };
    commanded("policy-2", 4246, order, Vec::new())
}

fn refunds() -> Refunds {
    let reason = Reason {
        verdict: ReasonVerdict::Review,
        rule: text("A6"),
        facts: BTreeSet::from([text("proof")]),
        within_days: Some(7),
        unused: true,
        remedy: Remedy::Refund,
        despite: BTreeSet::from([Condition::Consumed, Condition::Invoiced]),
    };
    let fee = Fee {
        percent: Percent::parse("2.9").unwrap(),
        fixed: BTreeMap::from([(Currency::new("USD").unwrap(), minor(30))]),
    };
    Refunds {
        facts: BTreeSet::from(["amount", "email"].map(text)),
        review_business_days: 7,
        calendar: Calendar {
            zone: Zone::named("Asia/Shanghai").unwrap(),
            weekend: BTreeSet::from([Weekday::Saturday, Weekday::Sunday]),
            holidays: BTreeSet::from([Day::new(2026, 10, 1).unwrap()]),
            working_days: BTreeSet::from([Day::new(2026, 10, 10).unwrap()]),
        },
        denials: BTreeMap::from([(Condition::Restricted, text("N3"))]),
        reasons: BTreeMap::from([(text("unused-credits"), reason)]),
        quote: QuoteRules {
            tax: true,
            channel_fee: Some(fee),
            invoice_tax: Some(Percent::parse("6").unwrap()),
            gift_used: false,
            promotion: true,
            third_party_costs: false,
        },
    }
}
