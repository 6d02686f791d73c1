//! Generated policies with rules for refunds, and versions that follow them.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::LazyLock,
};

use domain::{
    calendar::{Calendar, Day, Weekday, Zone},
    credits::Credits,
    ids::Text,
    input::LotKind,
    money::Minor,
    policy::{Measures, Policy, PriceCredits, Returns, Shortfall, Unlisted, UsageRules},
    refunds::{Condition, Fee, Percent, QuoteRules, Reason, ReasonVerdict, Refunds, Remedy},
    time::Timestamp,
};

use super::{FIRST_DAY, between};
use crate::{
    dice::Dice,
    history::{
        policies::{close_after, currency, measures, price, prices, rates},
        seconds, text,
    },
};

/// The names of reasons; policies have some of them.
pub(super) const REASONS: [&str; 4] = ["unused", "undelivered", "duplicate", "law"];
/// The names of facts; policies ask for some of them.
pub(super) const FACTS: [&str; 4] = ["email", "amount", "currency", "paid_at"];

/// Read once: a zone is parsed from its file.
static ZONES: LazyLock<[Zone; 2]> = LazyLock::new(|| {
    ["Asia/Shanghai", "UTC"].map(|name| Zone::named(name).expect("the database has it"))
});

/// The first version. `about_cases`: one under which most applications are heard.
pub(super) fn first(dice: &mut Dice, about_cases: bool) -> Policy {
    let mut prices = prices(dice);
    if !prices.is_empty() && dice.chance(10) {
        let gift = Credits::parse("5", 9).expect("the amount is plain");
        prices.insert(price("pri_small"), PriceCredits { paid: Credits::ZERO, gift });
    }
    Policy {
        name: text("generated"),
        version: 1,
        effective_from: seconds(FIRST_DAY),
        unit: text("credit"),
        decimals: dice.pick(&[0, 2, 6]),
        rates: rates(dice),
        prices,
        unlisted: dice.pick(&[Unlisted::Ignore, Unlisted::Rate]),
        spend_first: dice.pick(&[LotKind::Gift, LotKind::Paid]),
        shortfall: dice.pick(&[Shortfall::Owed, Shortfall::Owed, Shortfall::WriteOff]),
        settle_owed: dice.chance(60),
        on_dispute: measures(dice),
        on_chargeback: measures(dice),
        with_open_case: dice.chance(50).then(|| some_measures(dice)),
        close_after: close_after(dice),
        usage: usage(dice),
        refunds: (about_cases || dice.chance(85)).then(|| refunds(dice, about_cases)),
    }
}

/// A version that follows another, or can't.
pub(super) fn following(
    dice: &mut Dice,
    (last, about_cases): (&Policy, bool),
    now: Timestamp,
) -> Policy {
    let other = first(dice, about_cases);
    let later = dice.pick(&[0, 0, 60, 86_400, 10 * 86_400]);
    let past = dice.chance(5);
    Policy {
        version: if dice.chance(5) { last.version } else { last.version + 1 },
        effective_from: between(now.seconds() + if past { -1 } else { later }),
        decimals: if dice.chance(3) { other.decimals } else { last.decimals },
        ..other
    }
}

fn some_measures(dice: &mut Dice) -> Measures {
    if dice.chance(50) { Measures::NONE } else { measures(dice) }
}

fn usage(dice: &mut Dice) -> UsageRules {
    let metadata = if dice.chance(40) { [text("request_id")].into() } else { BTreeSet::new() };
    UsageRules { metadata, returns: dice.pick(&[Returns::Allow, Returns::Allow, Returns::Refuse]) }
}

fn refunds(dice: &mut Dice, open: bool) -> Refunds {
    let some = |percent: u64| if open { percent / 4 } else { percent };
    let [shanghai, utc] = &*ZONES;
    let day = |text| Day::parse(text).expect("the day is there");
    let weekend = [Weekday::Saturday, Weekday::Sunday];
    let conditions = Condition::ALL.into_iter();
    let denials = conditions
        .filter(|_| dice.chance(if open { 20 } else { 40 }))
        .map(|one| (one, text(one.name())));
    let denials: BTreeMap<Condition, Text> = denials.collect();
    let mut reasons = BTreeMap::new();
    for name in REASONS {
        if open || dice.chance(80) || reasons.is_empty() {
            reasons.insert(text(name), reason(dice, open));
        }
    }
    Refunds {
        facts: some_facts(dice, some(25)),
        review_business_days: dice.pick(&[0, 1, 7]),
        calendar: Calendar {
            zone: if dice.chance(50) { shanghai.clone() } else { utc.clone() },
            weekend: if dice.chance(80) { weekend.into() } else { BTreeSet::new() },
            holidays: ["2026-01-19", "2026-02-17"].map(day).into(),
            working_days: ["2026-01-24"].map(day).into(),
        },
        denials,
        reasons,
        quote: quote(dice),
    }
}

fn reason(dice: &mut Dice, open: bool) -> Reason {
    let (verdict, remedy) = (
        dice.pick(&[
            ReasonVerdict::Review,
            ReasonVerdict::Review,
            ReasonVerdict::Eligible,
            ReasonVerdict::Eligible,
            if open { ReasonVerdict::Review } else { ReasonVerdict::Deny },
        ]),
        dice.pick(&[Remedy::Refund, Remedy::Refund, Remedy::Refund, Remedy::Credits]),
    );
    let despite = Condition::ALL.into_iter().filter(|_| dice.chance(30)).collect();
    Reason {
        verdict,
        rule: text("R1"),
        facts: some_facts(dice, 10),
        within_days: dice.chance(if open { 5 } else { 30 }).then(|| dice.pick(&[0, 1, 7])),
        unused: dice.chance(20),
        remedy,
        despite,
    }
}

pub(super) fn some_facts(dice: &mut Dice, percent: u64) -> BTreeSet<Text> {
    FACTS.into_iter().filter(|_| dice.chance(percent)).map(text).collect()
}

fn quote(dice: &mut Dice) -> QuoteRules {
    let fixed = |dice: &mut Dice| match dice.chance(50) {
        true => [(currency("USD"), Minor::new(30).expect("it is in range"))].into(),
        false => BTreeMap::new(),
    };
    let percent = |text| Percent::parse(text).expect("it is plain");
    QuoteRules {
        tax: dice.chance(60),
        channel_fee: dice.chance(40).then(|| Fee { percent: percent("2.9"), fixed: fixed(dice) }),
        invoice_tax: dice.chance(30).then(|| percent("6")),
        gift_used: dice.chance(50),
        promotion: dice.chance(50),
        third_party_costs: dice.chance(40),
    }
}
