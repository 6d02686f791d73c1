//! Any rules for refunds, any calendar.

use domain::{
    calendar::{Calendar, Day, Weekday, Zone},
    refunds::{Condition, Fee, Percent, QuoteRules, Reason, ReasonVerdict, Refunds, Remedy},
};
use proptest::{
    collection::{btree_map, btree_set},
    option,
    prelude::*,
    sample::select,
};

use super::values::{currency, minor, short_text};

pub(crate) fn refunds() -> BoxedStrategy<Refunds> {
    let facts = btree_set(short_text(), 0..4);
    let denials = btree_map(condition(), short_text(), 0..4);
    let reasons = btree_map(short_text(), reason(), 0..3);
    (facts, any::<u32>(), calendar(), denials, (reasons, quote_rules()))
        .prop_map(|(facts, review_business_days, calendar, denials, (reasons, quote))| Refunds {
            facts,
            review_business_days,
            calendar,
            denials,
            reasons,
            quote,
        })
        .boxed()
}

fn reason() -> BoxedStrategy<Reason> {
    let verdicts = vec![ReasonVerdict::Deny, ReasonVerdict::Review, ReasonVerdict::Eligible];
    let facts = btree_set(short_text(), 0..3);
    let window = (any::<Option<u32>>(), any::<bool>());
    (select(verdicts), short_text(), facts, window, (remedy(), btree_set(condition(), 0..4)))
        .prop_map(|(verdict, rule, facts, (within_days, unused), (remedy, despite))| Reason {
            verdict,
            rule,
            facts,
            within_days,
            unused,
            remedy,
            despite,
        })
        .boxed()
}

pub(crate) fn condition() -> impl Strategy<Value = Condition> {
    select(Condition::ALL.to_vec())
}

pub(crate) fn remedy() -> impl Strategy<Value = Remedy> {
    select(vec![Remedy::Refund, Remedy::Credits])
}

fn quote_rules() -> BoxedStrategy<QuoteRules> {
    let fee = (percent(), btree_map(currency(), minor(), 0..3))
        .prop_map(|(percent, fixed)| Fee { percent, fixed });
    let flags = any::<(bool, bool, bool, bool)>();
    (flags, option::of(fee), option::of(percent()))
        .prop_map(|(flags, channel_fee, invoice_tax)| {
            let (tax, gift_used, promotion, third_party_costs) = flags;
            QuoteRules { tax, channel_fee, invoice_tax, gift_used, promotion, third_party_costs }
        })
        .boxed()
}

fn percent() -> impl Strategy<Value = Percent> {
    (0..=1_000_000_u32).prop_map(|millionths| Percent::from_millionths(millionths).unwrap())
}

fn calendar() -> BoxedStrategy<Calendar> {
    let zones = vec!["UTC", "Asia/Shanghai", "America/New_York", "Pacific/Chatham"];
    let zone = select(zones).prop_map(|name| Zone::named(name).unwrap());
    let days = || btree_set(day(), 0..4);
    (zone, btree_set(weekday(), 0..4), days(), days())
        .prop_map(|(zone, weekend, holidays, working_days)| Calendar {
            zone,
            weekend,
            holidays,
            working_days,
        })
        .boxed()
}

pub(crate) fn weekday() -> impl Strategy<Value = Weekday> {
    select(vec![
        Weekday::Monday,
        Weekday::Tuesday,
        Weekday::Wednesday,
        Weekday::Thursday,
        Weekday::Friday,
        Weekday::Saturday,
        Weekday::Sunday,
    ])
}

fn day() -> impl Strategy<Value = Day> {
    (-9_999..=9_999_i16, 1..=12_i8, 1..=31_i8)
        .prop_filter_map("no such day", |(year, month, day)| Day::new(year, month, day))
}
