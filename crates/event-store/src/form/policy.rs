//! The form of an operator's rules.
//!
//! ```text
//! policy       name text | version v | effective_from 8 | unit text | decimals 1
//!              | rates: (currency 3 | credits z) .. | prices: (price text | paid z | gift z) ..
//!              | unlisted 1 | spend_first 1 | shortfall 1 | settle_owed 1
//!              | on_dispute 5 | on_chargeback 5 | with_open_case? 5 | close_after?
//! measures     spending 1 | balance 1 | checkout 1 | verification 1 | service 1
//! close_after  chargebacks v | within_days v
//! ```

use domain::policy::{
    Balance, Checkout, CloseAfter, Measures, Policy, PriceCredits, Service, Shortfall, Spending,
    Unlisted, Verification,
};

use super::table::{fields, variants};

fields!(Policy {
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
});

fields!(PriceCredits { paid, gift });

variants!(Unlisted, "rule for unlisted prices" {
    1 => Ignore,
    2 => Rate,
});

variants!(Shortfall, "rule for shortfalls" {
    1 => Owed,
    2 => WriteOff,
});

fields!(Measures { spending, balance, checkout, verification, service });

variants!(Spending, "measure on spending" {
    1 => Allow,
    2 => Suspend,
});

variants!(Balance, "measure on the balance" {
    1 => Keep,
    2 => FreezePayment,
    3 => FreezeAccount,
});

variants!(Checkout, "measure on checkout" {
    1 => Open,
    2 => Limit,
});

variants!(Verification, "measure on verification" {
    1 => None,
    2 => Require,
});

variants!(Service, "measure on service" {
    1 => Normal,
    2 => Restrict,
});

fields!(CloseAfter { chargebacks, within_days });
