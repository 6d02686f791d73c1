//! Policies that are right: the design's example, and every setting once.

use std::collections::BTreeSet;

use domain::{
    calendar::{Calendar, Day, Weekday, Zone},
    credits::Credits,
    ids::{PriceId, Text},
    input::LotKind,
    money::{Currency, Minor},
    policy::{
        Balance, Checkout, CloseAfter, Measures, Policy, PriceCredits, Returns, Shortfall,
        Spending, Unlisted, UsageRules,
    },
    refunds::{Condition, Fee, Percent, QuoteRules, Reason, ReasonVerdict, Refunds, Remedy},
    time::Timestamp,
};

const EXAMPLE: &str = r#"
name = "unused-balance"
version = 1
effective_from = "2026-07-03T00:00:00Z"

[credits]
unit = "USD"
decimals = 6
rates = { CNY = "1", USD = "7.1" }                     # credits for one major unit of money
prices = [ { price = "pri_1", paid = "1000", gift = "100" } ]   # per item, wins over rates
unlisted = "ignore"                                    # ignore, rate

[spending]
order = ["gift", "paid"]

[reversal]
shortfall = "owed"                                     # owed, write-off
settle_owed = true

[measures]
on_dispute     = { spending = "suspend", balance = "freeze-payment", checkout = "limit" }
on_chargeback  = { spending = "suspend", balance = "freeze-account", checkout = "limit" }
with_open_case = { balance = "freeze-payment" }        # replaces both
close_after    = { chargebacks = 2, within_days = 180 }

[refunds]                                              # reasons, verdicts, windows
"#;

/// What `[refunds]` can say, all of it.
const REFUNDS: &str = r#"
facts = ["email", "amount", "currency", "explanation"]
review_business_days = 7

[refunds.calendar]
zone = "asia/shanghai"
weekend = ["saturday", "sunday"]
holidays = ["2026-10-01", 2026-10-02]
working_days = ["2026-10-10"]

[refunds.denials]
restricted = "N3"
consumed = "N1"
invoiced = "Y4"

[refunds.reasons.unused-credits]
verdict = "deny"
rule = "A6"

[refunds.reasons.mistaken-top-up]
verdict = "eligible"
rule = "Y3"
facts = ["proof"]
within_days = 7
unused = true

[refunds.reasons.processor-error]
verdict = "review"
rule = "A8"
remedy = "credits"
despite = ["consumed"]

[refunds.quote]
tax = true
channel_fee = { percent = "2.9", fixed = { USD = "0.3", JPY = 30 } }
invoice_tax = 6
gift_used = true
third_party_costs = true
"#;

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(text: &str) -> Policy {
        policy_file::parse(text).unwrap_or_else(|faults| panic!("{faults}"))
    }

    fn example_with(written: &str, other: &str) -> Policy {
        assert!(EXAMPLE.contains(written), "{written}");
        parsed(&EXAMPLE.replace(written, other))
    }

    fn text(text: &str) -> Text {
        Text::new(text).unwrap()
    }

    fn credits(text: &str) -> Credits {
        Credits::parse(text, 9).unwrap()
    }

    const SUSPENDED: Measures =
        Measures { spending: Spending::Suspend, checkout: Checkout::Limit, ..Measures::NONE };

    #[test]
    fn the_design_s_example_becomes_the_domain_s_policy() {
        let frozen = Measures { balance: Balance::FreezePayment, ..Measures::NONE };
        let price = PriceCredits { paid: credits("1000"), gift: credits("100") };
        let expected = Policy {
            name: Text::new("unused-balance").unwrap(),
            version: 1,
            effective_from: Timestamp::parse("2026-07-03T00:00:00Z").unwrap(),
            unit: Text::new("USD").unwrap(),
            decimals: 6,
            rates: [("CNY", "1"), ("USD", "7.1")]
                .map(|(code, rate)| (Currency::new(code).unwrap(), credits(rate)))
                .into(),
            prices: [(PriceId::new("pri_1").unwrap(), price)].into(),
            unlisted: Unlisted::Ignore,
            spend_first: LotKind::Gift,
            shortfall: Shortfall::Owed,
            settle_owed: true,
            on_dispute: Measures { balance: Balance::FreezePayment, ..SUSPENDED },
            on_chargeback: Measures { balance: Balance::FreezeAccount, ..SUSPENDED },
            with_open_case: Some(frozen),
            close_after: Some(CloseAfter { chargebacks: 2, within_days: 180 }),
            usage: UsageRules::PLAIN,
            refunds: None,
        };
        assert_eq!(parsed(EXAMPLE), expected);
    }

    #[test]
    fn all_rules_of_refunds_become_the_domain_s() {
        let plain = Reason {
            verdict: ReasonVerdict::Review,
            rule: text("A8"),
            facts: BTreeSet::new(),
            within_days: None,
            unused: false,
            remedy: Remedy::Refund,
            despite: BTreeSet::new(),
        };
        let denied = Reason { verdict: ReasonVerdict::Deny, rule: text("A6"), ..plain.clone() };
        let mistaken = Reason {
            verdict: ReasonVerdict::Eligible,
            rule: text("Y3"),
            facts: [text("proof")].into(),
            within_days: Some(7),
            unused: true,
            ..plain.clone()
        };
        let error =
            Reason { remedy: Remedy::Credits, despite: [Condition::Consumed].into(), ..plain };
        let day = |month, day| Day::new(2026, month, day).unwrap();
        let fixed = [("USD", 30), ("JPY", 30)]
            .map(|(code, minor)| (Currency::new(code).unwrap(), Minor::new(minor).unwrap()));
        let percent = |text| Percent::parse(text).unwrap();
        let expected = Refunds {
            facts: ["email", "amount", "currency", "explanation"].map(text).into(),
            review_business_days: 7,
            calendar: Calendar {
                zone: Zone::named("Asia/Shanghai").unwrap(),
                weekend: [Weekday::Saturday, Weekday::Sunday].into(),
                holidays: [day(10, 1), day(10, 2)].into(),
                working_days: [day(10, 10)].into(),
            },
            denials: [
                (Condition::Restricted, text("N3")),
                (Condition::Consumed, text("N1")),
                (Condition::Invoiced, text("Y4")),
            ]
            .into(),
            reasons: [
                (text("unused-credits"), denied),
                (text("mistaken-top-up"), mistaken),
                (text("processor-error"), error),
            ]
            .into(),
            quote: QuoteRules {
                tax: true,
                channel_fee: Some(Fee { percent: percent("2.9"), fixed: fixed.into() }),
                invoice_tax: Some(percent("6")),
                gift_used: true,
                promotion: false,
                third_party_costs: true,
            },
        };
        assert_eq!(parsed(&format!("{EXAMPLE}{REFUNDS}")).refunds, Some(expected));
    }

    #[test]
    fn usage_says_what_the_policy_names_and_can_be_made_good_or_not() {
        let order = "order = [\"gift\", \"paid\"]";
        let settings = "metadata = [\"request_id\", \"callTime\"]\nreturns = \"refuse\"";
        let usage = example_with(order, &format!("{order}\n{settings}")).usage;
        let metadata = ["request_id", "callTime"].map(text).into();
        assert_eq!(usage, UsageRules { metadata, returns: Returns::Refuse });
        let never = example_with("decimals = 6", "decimals = 6\nexpiry = \"never\"");
        assert_eq!(never, parsed(EXAMPLE));
    }

    #[test]
    fn a_policy_without_measures_does_nothing_but_take() {
        let (text, _) = EXAMPLE.split_once("[measures]").unwrap();
        let policy = parsed(text);
        assert_eq!((policy.on_dispute, policy.on_chargeback), (Measures::NONE, Measures::NONE));
        assert_eq!((policy.with_open_case, policy.close_after), (None, None));
    }

    #[test]
    fn every_way_to_write_a_moment_is_the_same_moment() {
        for written in [
            "2026-07-03T00:00:00Z",
            "2026-07-03 00:00:00z",
            "2026-07-03T08:00:00+08:00",
            "2026-07-02T23:59:59.999999999Z",
        ] {
            let toml = example_with("\"2026-07-03T00:00:00Z\"", written);
            if !written.contains(' ') {
                let text = example_with("2026-07-03T00:00:00Z", written);
                assert_eq!(text.effective_from, toml.effective_from, "{written}");
            }
            assert!(toml.effective_from.to_string().starts_with("2026-07-0"), "{written}");
            let near = toml.effective_from.micros() - parsed(EXAMPLE).effective_from.micros();
            assert!((-1..=0).contains(&near), "{written}: {near}");
        }
    }

    #[test]
    fn other_settings_than_the_example_s_are_understood() {
        let policy = example_with("\"ignore\"", "\"rate\"");
        assert_eq!(policy.unlisted, Unlisted::Rate);
        let policy = example_with("[\"gift\", \"paid\"]", "[\"paid\", \"gift\"]");
        assert_eq!(policy.spend_first, LotKind::Paid);
        let policy = example_with("shortfall = \"owed\"", "shortfall = \"write-off\"");
        assert_eq!(policy.shortfall, Shortfall::WriteOff);
        let policy = example_with("USD = \"7.1\"", "USD = 7");
        assert_eq!(policy.rates[&Currency::new("USD").unwrap()], credits("7"));
        let policy = example_with(", gift = \"100\"", "");
        assert_eq!(policy.prices[&PriceId::new("pri_1").unwrap()].gift, Credits::ZERO);
        let policy = example_with("\nunlisted", "\n# unlisted");
        assert_eq!(policy.unlisted, Unlisted::Ignore);
        let policy = example_with(
            "{ balance = \"freeze-payment\" }",
            "{ spending = \"allow\", balance = \"keep\", checkout = \"open\", verification = \"none\", service = \"normal\" }",
        );
        assert_eq!(policy.with_open_case, Some(Measures::NONE));
    }

    #[test]
    fn a_policy_can_have_prices_alone_or_rates_alone() {
        assert!(example_with("\nrates", "\n# rates").rates.is_empty());
        assert!(example_with("\nprices", "\n# prices").prices.is_empty());
    }
}
